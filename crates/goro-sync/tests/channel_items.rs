//! What becomes of items: each is received once, or dropped once, or comes back; whatever they are.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]

#[path = "support/counted.rs"]
mod counted;
#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/polled.rs"]
mod polled;

use counted::Counted;
use foreign::Bell;
use futures::executor::block_on;
use goro_sync::channel::{Builder, Overflow, SendError, Sender, TrySendError, bounded, unbounded};
use polled::{poll, poll_with};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

/// Pitfall 78: an item that comes as the receiver goes, at every edge of a block, is freed once.
#[test]
fn items_are_freed_once_when_the_receiver_goes_at_the_edge_of_a_block() {
    let alive = Arc::default();
    for (sent, received) in [(1, 0), (1023, 1023), (1024, 1), (1025, 1024), (3000, 2047)] {
        let (tx, rx) = unbounded();
        (0..sent).for_each(|_| drop(tx.try_send(Counted::new(&alive, false))));
        (0..received).for_each(|_| drop(rx.try_recv()));
        assert_eq!((rx.len(), alive.load(Ordering::SeqCst)), (sent - received, sent - received));
        drop(rx);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        assert!(tx.try_send(Counted::new(&alive, false)).is_err());
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

/// Pitfall 81: one item whose drop panics stops no other, and does not leave the channel.
#[test]
fn items_that_panic_when_dropped_are_all_dropped() {
    let alive = Arc::default();
    let (tx, rx) = bounded(10);
    (0..10).for_each(|_| assert!(tx.try_send(Counted::new(&alive, true)).is_ok()));
    drop(rx);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

/// An item that looks at its channel when it is dropped.
struct Looks(Option<Sender<Looks>>, Arc<AtomicUsize>);

impl Drop for Looks {
    fn drop(&mut self) {
        if let Some(tx) = &self.0 {
            self.1.fetch_add(tx.len() + tx.receiver_count() + 1, Ordering::SeqCst);
            drop(tx.try_send(Looks(None, Arc::clone(&self.1))));
        }
    }
}

/// Pitfall 89: an item's destructor may use the channel.
#[test]
fn an_item_that_is_dropped_may_use_the_channel() {
    let looked = Arc::default();
    let (tx, rx) = bounded(4);
    (0..3).for_each(|_| drop(tx.try_send(Looks(Some(tx.clone()), Arc::clone(&looked)))));
    drop(rx);
    assert_eq!(looked.load(Ordering::SeqCst), 3);
}

/// Pitfall 99: what is left in the channel is dropped with its last receiver, although senders live:
/// whoever waits for an answer that was to be sent from there learns that it will not come.
#[test]
fn a_request_that_nobody_will_answer_is_dropped() {
    let (requests, server) = bounded::<Sender<u8>>(4);
    let (answer, answered) = bounded(1);
    requests.try_send(answer).unwrap();
    drop(server);
    assert!(answered.blocking_recv().is_err());
    assert!(requests.is_closed());
}

/// Pitfall 104: any capacity will do; nothing is allocated for it.
#[test]
fn huge_capacities_are_but_numbers() {
    for capacity in [1 << 40, usize::MAX / 2, isize::MAX as usize + 1, usize::MAX - 1] {
        let (tx, rx) = bounded::<[u64; 32]>(capacity);
        assert_eq!(tx.capacity(), Some(capacity));
        tx.try_send([7; 32]).unwrap();
        assert_eq!(rx.try_recv(), Ok([7; 32]));
    }
    assert_eq!(unbounded::<u8>().0.capacity(), None);
}

#[repr(align(4096))]
#[derive(Debug, PartialEq)]
struct Aligned(u8);

/// Pitfall 15: items of no size, of 200 kB, and of an odd alignment.
#[test]
fn items_of_odd_sizes_pass_unharmed() {
    let (tx, rx) = unbounded();
    (0..5000).for_each(|_| tx.try_send(()).unwrap());
    assert_eq!(rx.len(), 5000);
    assert_eq!(std::iter::from_fn(|| rx.try_recv().ok()).count(), 5000);

    // Without optimisation each of them is copied a dozen times on the stack.
    let large = thread::Builder::new().stack_size(16 << 20).spawn(|| {
        let (tx, rx) = bounded(2);
        tx.try_send([5_u8; 200_000]).unwrap();
        rx.try_recv().unwrap().iter().all(|&byte| byte == 5)
    });
    assert!(large.unwrap().join().unwrap());

    let (tx, rx) = bounded(3);
    (0..3).for_each(|number| tx.try_send(Aligned(number)).unwrap());
    let received = rx.try_recv().unwrap();
    assert_eq!(received, Aligned(0));
    assert_eq!((&raw const received).addr() % 4096, 0);
}

// --- The rest of what is promised ------------------------------------------------------------

#[test]
fn a_lease_goes_back_unless_it_is_accepted() {
    let (tx, rx) = bounded(2);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    let lease = block_on(rx.recv_lease()).unwrap();
    assert_eq!((*lease, rx.len(), tx.try_send(3)), (1, 1, Err(TrySendError::Full(3))));
    drop(lease);
    let (first, second) = (block_on(rx.recv_lease()).unwrap(), block_on(rx.recv_lease()).unwrap());
    assert_eq!((*first, *second), (1, 2));
    // Closed and empty, but not over: something may come back.
    tx.close();
    let mut recv = rx.recv();
    let bell = Bell::good();
    assert!(poll_with(&mut recv, &bell.waker()).is_pending());
    assert_eq!(second.accept(), 2);
    assert!(poll_with(&mut recv, &bell.waker()).is_pending());
    drop(first);
    assert!(bell.rings() > 0);
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
    assert!(block_on(rx.recv()).is_err());
}

/// A lease that is dropped after the last receiver has nowhere to go back to.
#[test]
fn a_lease_without_a_channel_to_go_back_to_is_undelivered() {
    let undelivered = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&undelivered);
    let hook = move |value: usize| {
        counted.fetch_add(value, Ordering::SeqCst);
    };
    let (tx, rx) = Builder::new().on_undelivered(hook).bounded(2);
    tx.try_send(5).unwrap();
    tx.try_send(70).unwrap();
    let lease = block_on(rx.recv_lease()).unwrap();
    drop(rx);
    assert_eq!(undelivered.load(Ordering::SeqCst), 70);
    drop(lease);
    assert_eq!(undelivered.load(Ordering::SeqCst), 75);
}

#[test]
fn overflow_does_what_it_says_and_loses_nothing_unseen() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let make = |overflow| {
        let seen = Arc::clone(&seen);
        let hook = move |value: i32| seen.lock().unwrap().push(value);
        Builder::new().overflow(overflow).on_undelivered(hook).bounded(2)
    };
    let (tx, rx) = make(Overflow::Reject);
    let outcomes: Vec<_> = (0..3).map(|number| block_on(tx.send(number))).collect();
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(SendError::Full(2))]);
    assert!(seen.lock().unwrap().is_empty());
    drop(rx);
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [0, 1]);

    let (tx, rx) = make(Overflow::DropNewest);
    (0..4).for_each(|number| assert_eq!(block_on(tx.send(number)), Ok(())));
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [2, 3]);
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(0), Ok(1)));

    let (tx, rx) = make(Overflow::DropOldest);
    (0..4).for_each(|number| assert_eq!(tx.try_send(number), Ok(())));
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [0, 1]);
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(2), Ok(3)));
}

/// A hook that panics is called for the others all the same, and may use the channel.
#[test]
fn the_hook_for_undelivered_values_may_panic() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hook = move |number: usize| {
        counted.fetch_add(1, Ordering::SeqCst);
        if number % 2 == 0 {
            std::panic::resume_unwind(Box::new(number));
        }
    };
    let (tx, rx) = Builder::new().on_undelivered(hook).unbounded();
    (0..10).for_each(|number| tx.try_send(number).unwrap());
    drop(rx);
    assert_eq!(calls.load(Ordering::SeqCst), 10);
}

/// Items keep their order through blocks, by whatever operation they come and go.
#[test]
fn a_burst_keeps_its_order_whoever_sends_and_receives() {
    let (tx, rx) = unbounded();
    let (mut sent, mut received) = (0, 0);
    for burst in [10_u32, 5_000, 3, 2_500, 20_000] {
        for _ in 0..burst {
            match sent % 3 {
                0 => tx.try_send(sent).unwrap(),
                _ => assert_eq!(poll(&mut tx.send(sent)), Poll::Ready(Ok(()))),
            }
            sent += 1;
        }
        // Some are left, so that the next burst finds blocks there.
        while received + 1_500 < sent {
            assert_eq!(poll(&mut rx.recv()), Poll::Ready(Ok(received)));
            received += 1;
        }
    }
    drop(tx);
    let rest: Vec<u32> = std::iter::from_fn(|| rx.blocking_recv().ok()).collect();
    assert!(rest.into_iter().eq(received..sent));
}
