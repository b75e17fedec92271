//! What channels do when things go wrong round them: the field's bugs, one test each, and the ways
//! in which Go's own tests use channels.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]
#![allow(clippy::mem_forget, reason = "futures that are forgotten are what some tests are about")]

#[path = "support/foreign.rs"]
mod foreign;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use foreign::{Act, Bell};
use futures::StreamExt;
use futures::executor::block_on;
use goro_sync::channel::{
    Builder, ForceSendError, Overflow, PermitError, Receiver, RecvTimeoutError, SendError,
    SendTimeoutError, Sender, TryRecvError, TrySendError, bounded, unbounded,
};

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Counts how many of it are alive, and panics when dropped if it is told to.
struct Counted(Arc<AtomicUsize>, bool);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>, panics: bool) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(alive), panics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        if self.1 {
            std::panic::resume_unwind(Box::new("an item's drop"));
        }
    }
}

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

/// Pitfall 79: 0 ≤ len ≤ capacity in every state, receivers that wait included.
#[test]
fn the_length_is_never_more_than_the_capacity() {
    for capacity in [0, 1, 3] {
        let (tx, rx) = bounded(capacity);
        let mut waiting: Vec<_> = (0..4).map(|_| rx.recv()).collect();
        waiting.iter_mut().for_each(|recv| assert!(poll(recv).is_pending()));
        for sent in 0..10 {
            let _full = tx.try_send(sent);
            assert!(rx.len() <= capacity && (capacity > 0 || rx.is_empty()));
        }
        waiting.iter_mut().for_each(|recv| drop(poll(recv)));
        assert!(tx.len() <= capacity);
        while rx.try_recv().is_ok() {}
        assert!(tx.is_empty());
    }
}

/// Pitfall 80: a permit that is out when the channel closes keeps nobody from seeing the end.
#[test]
fn a_permit_that_is_out_does_not_hide_the_end() {
    let (tx, rx) = bounded(1);
    let permit = block_on(tx.reserve()).unwrap();
    let bell = Bell::good();
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &bell.waker()).is_pending());
    rx.close();
    assert_eq!(bell.rings(), 1);
    assert!(matches!(poll(&mut recv), Poll::Ready(Err(_))));
    assert!(matches!(permit.send(1), Err(PermitError::Closed(1, _))));
    assert!(matches!(rx.try_recv(), Err(TryRecvError::Closed(_))));
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

/// Pitfall 82: what each operation says in each state.
#[test]
fn closed_and_full_and_empty_are_told_apart() {
    for capacity in [1, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        tx.try_send(1).unwrap();
        if capacity == 1 {
            assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
        }
        tx.close_with("enough");
        assert!(!tx.close());
        assert!(matches!(tx.try_send(3), Err(TrySendError::Closed(3, _))));
        let error = block_on(tx.send(4)).unwrap_err();
        assert_eq!(error.to_string(), "nothing was sent: the channel is closed: enough");
        assert_eq!(error.into_inner(), 4);
        assert!(matches!(tx.force_send(5), Err(ForceSendError::Closed(5, _))));
        assert!(block_on(tx.reserve()).is_err());
        assert_eq!(block_on(rx.recv()), Ok(1));
        assert_eq!(block_on(rx.recv()).unwrap_err().0.cause().unwrap().to_string(), "enough");
        assert!(matches!(rx.try_recv(), Err(TryRecvError::Closed(_))));
        let timed = block_on(rx.recv_timeout(Duration::from_secs(60)));
        assert!(matches!(timed, Err(RecvTimeoutError::Closed(_))));
    }
}

/// Pitfalls 84 and 103: an item that a receiver was called for stays when that is dropped, and the
/// next one is called.
#[test]
fn a_receiver_that_was_called_and_dropped_has_taken_nothing() {
    for capacity in [0, 1, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        let bells = [Bell::good(), Bell::good()];
        let mut first = rx.recv();
        let mut second = rx.recv();
        assert!(poll_with(&mut first, &bells[0].waker()).is_pending());
        assert!(poll_with(&mut second, &bells[1].waker()).is_pending());
        tx.try_send(7).unwrap();
        assert_eq!((bells[0].rings(), bells[1].rings()), (1, 0));
        drop(first);
        assert_eq!(bells[1].rings(), 1);
        assert_eq!(poll(&mut second), Poll::Ready(Ok(7)));
    }
}

/// Pitfall 85: a stream that is polled from changing tasks, between other waits, gives each value
/// once and unharmed.
#[test]
fn a_stream_may_change_its_task_at_each_poll() {
    let (tx, rx) = bounded(0);
    let sender = thread::spawn(move || {
        (0..2000_u64).for_each(|number| tx.blocking_send([number; 8]).unwrap());
    });
    let mut received = 0;
    let mut stream = rx.stream();
    while received < 2000 {
        let bell = Bell::good();
        if let Poll::Ready(item) = poll_with(&mut stream.next(), &bell.waker()) {
            assert_eq!(item, Some([received; 8]));
            received += 1;
        }
        if let Poll::Ready(Ok(item)) = poll(&mut rx.recv_timeout(Duration::ZERO)) {
            assert_eq!(item, [received; 8]);
            received += 1;
        }
    }
    sender.join().unwrap();
    assert_eq!(block_on(stream.next()), None);
}

/// Pitfall 87: a batch on a channel that closes meanwhile comes back from the first value that was
/// not sent.
#[test]
fn a_batch_that_is_cut_short_gives_back_all_that_was_not_sent() {
    let (tx, rx) = bounded(2);
    let mut send = tx.send_many(0..10);
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    rx.close();
    let Poll::Ready(Err(error)) = poll(&mut send) else { panic!("it is closed") };
    let mut all: Vec<_> = std::iter::from_fn(|| rx.try_recv().ok()).collect();
    all.extend(error.unsent);
    assert_eq!(all, (1..10).collect::<Vec<_>>());

    let (tx, rx) = bounded(2);
    let mut send = tx.send_many(0..5);
    assert!(poll(&mut send).is_pending());
    assert_eq!(send.into_inner(), [2, 3, 4]);
    drop(rx);
    assert_eq!(block_on(tx.send_many(0..3)).unwrap_err().unsent, [0, 1, 2]);
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

/// Pitfall 90: at a rendezvous a send is done when its value was taken, and not before.
#[test]
fn a_rendezvous_keeps_the_sender_until_its_value_is_taken() {
    let (tx, rx) = bounded(0);
    let bell = Bell::good();
    let mut send = tx.send(1);
    assert!(poll_with(&mut send, &bell.waker()).is_pending());
    let mut recv = rx.recv();
    assert!(poll(&mut send).is_pending() && bell.rings() == 0);
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
    assert_eq!(poll(&mut send), Poll::Ready(Ok(())));
    // Taken, and then dropped: it says that it was delivered.
    let mut send = tx.send(2);
    assert!(poll(&mut send).is_pending());
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(send.into_inner(), None);
    // Nobody waits.
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(tx.force_send(3), Err(ForceSendError::Unsupported(3)));
}

/// Pitfall 91: a million polls for nothing change neither order nor memory (see channel_memory.rs).
#[test]
fn polls_for_nothing_change_no_order() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut sends: Vec<_> = (1..4).map(|number| tx.send(number)).collect();
    for round in 0..20_000 {
        assert!(poll(&mut sends[round % 3]).is_pending() || round < 3);
    }
    let mut received = Vec::new();
    while received.len() < 4 {
        received.extend(rx.try_recv());
        sends.iter_mut().for_each(|send| {
            if received.len() + rx.len() < 4 && send_waits(send) {
                drop(poll(send));
            }
        });
    }
    assert_eq!(received, [0, 1, 2, 3]);
}

fn send_waits<T>(send: &goro_sync::channel::SendFuture<'_, T>) -> bool {
    format!("{send:?}").contains("waits: true")
}

/// Pitfall 93: a send that was given up on is never delivered, and the next sender is called.
#[test]
fn a_sender_that_was_called_and_dropped_has_sent_nothing() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let bell = Bell::good();
    let mut dropped = tx.send(1);
    let mut next = tx.send(2);
    assert!(poll(&mut dropped).is_pending() && poll_with(&mut next, &bell.waker()).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!((bell.rings(), dropped.into_inner()), (0, Some(1)));
    assert_eq!(bell.rings(), 1);
    assert!(poll(&mut next).is_ready());
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(2), Err(TryRecvError::Empty)));
}

/// Pitfall 94: futures that are forgotten, in whatever state, keep nobody else waiting for ever.
#[test]
fn futures_that_are_forgotten_hold_up_nobody() {
    for capacity in [0, 1, 2] {
        for called in [false, true] {
            let (tx, rx) = bounded(capacity);
            for _ in 0..3 {
                let mut recv = rx.recv();
                assert!(poll(&mut recv).is_pending());
                std::mem::forget(recv);
            }
            if called {
                (0..3).for_each(|_| tx.try_send(0).unwrap());
            }
            while rx.try_recv().is_ok() {}
            while tx.try_send(0).is_ok() {}
            let mut send = tx.send(0);
            if poll(&mut send).is_pending() {
                std::mem::forget(send);
            } else {
                drop(send);
            }
            pass_through(tx, &rx);
        }
    }
}

/// Sends and receives on two threads: whoever is polled gets on.
fn pass_through(tx: Sender<u32>, rx: &Receiver<u32>) {
    let sender = thread::spawn(move || {
        (1..=100).for_each(|number| tx.blocking_send(number).unwrap());
    });
    let received: Vec<_> = std::iter::from_fn(|| rx.blocking_recv().ok()).collect();
    sender.join().unwrap();
    assert!(received.into_iter().filter(|&number| number > 0).eq(1..=100));
}

/// Two senders were called and are kept, never to be polled again; those behind them in line, and
/// a receiver that sleeps, still meet.
#[test]
fn senders_that_were_called_and_never_polled_hold_up_nobody() {
    for capacity in [1, 2, 3] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        let mut kept: Vec<_> = (0..2 * capacity).map(|_| tx.send(9)).collect();
        kept.iter_mut().for_each(|send| assert!(poll(send).is_pending()));
        let live = tx.clone();
        let sender = thread::spawn(move || {
            (1..=10).for_each(|number| live.blocking_send(number).unwrap());
        });
        let mut received = Vec::new();
        while received.len() < capacity + 10 {
            received.push(rx.blocking_recv().unwrap());
        }
        assert!(received[capacity..].iter().copied().eq(1..=10));
        sender.join().unwrap();
        assert!(kept.into_iter().all(|send| send.into_inner() == Some(9)));
    }
}

/// Pitfall 96: a receiver that waits sleeps; its thread spends no time.
#[test]
fn a_receiver_that_waits_is_polled_once() {
    let (tx, rx) = bounded::<u8>(1);
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let receiver = thread::spawn(move || {
        let mut recv = rx.recv();
        block_on(std::future::poll_fn(|cx| {
            counted.fetch_add(1, Ordering::SeqCst);
            Pin::new(&mut recv).poll(cx)
        }))
    });
    thread::sleep(Duration::from_millis(50));
    tx.try_send(1).unwrap();
    assert_eq!(receiver.join().unwrap(), Ok(1));
    assert!(polls.load(Ordering::SeqCst) <= 2);
}

/// Pitfall 97: the last sender goes while receivers wait, and while they are dropped.
#[test]
fn the_end_is_told_to_all_who_wait() {
    let (tx, rx) = bounded::<u8>(1);
    let bells: Vec<_> = (0..20).map(|_| Bell::good()).collect();
    let mut recvs: Vec<_> = bells.iter().map(|_| rx.recv()).collect();
    for (recv, bell) in recvs.iter_mut().zip(&bells) {
        assert!(poll_with(recv, &bell.waker()).is_pending());
    }
    let mut closed = rx.closed();
    assert!(poll(&mut closed).is_pending());
    drop(tx);
    assert!(bells.iter().all(|bell| bell.rings() == 1));
    assert!(recvs.iter_mut().all(|recv| matches!(poll(recv), Poll::Ready(Err(_)))));
    assert!(poll(&mut closed).is_ready());
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

/// Pitfall 101: a waiter that is gone before its peer is done with it.
#[test]
fn waiters_come_and_go_while_peers_complete() {
    let (tx, rx) = bounded(0);
    let stop = Arc::new(AtomicBool::new(false));
    let receiver = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            let mut sum = 0;
            while !stop.load(Ordering::SeqCst) {
                sum += rx.try_recv().unwrap_or(0);
            }
            sum
        })
    };
    let mut delivered = 0;
    for number in 1..20_000_u64 {
        let mut send = tx.send(number);
        let done = poll(&mut send).is_ready();
        if done || send.into_inner().is_none() {
            delivered += number;
        }
    }
    stop.store(true, Ordering::SeqCst);
    assert_eq!(receiver.join().unwrap(), delivered);
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

/// Pitfall 111: a waker whose clone, wake and drop use the channel that it waits for.
#[test]
fn a_waker_may_use_the_channel() {
    struct Uses(Sender<u8>, Receiver<u8>);
    impl Uses {
        fn each(&self) {
            let _seen = (self.0.len(), self.1.is_closed(), self.0.sender_count());
            drop(self.0.try_send(9));
            let _received = self.1.try_recv();
        }
    }
    impl Wake for Uses {
        fn wake(self: Arc<Self>) {
            self.each();
        }
    }
    impl Drop for Uses {
        fn drop(&mut self) {
            self.each();
        }
    }
    let (tx, rx) = bounded(1);
    let waker = || Waker::from(Arc::new(Uses(tx.clone(), rx.clone())));
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker()).is_pending());
    assert!(poll_with(&mut recv, &waker()).is_pending());
    tx.try_send(1).unwrap();
    drop(recv);
    while tx.try_send(1).is_ok() {}
    let mut send = tx.send(2);
    assert!(poll_with(&mut send, &waker()).is_pending());
    let _received = rx.try_recv();
    drop(send);
    let mut closed = tx.closed();
    assert!(poll_with(&mut closed, &waker()).is_pending());
    tx.close();
    assert!(poll(&mut closed).is_ready());
}

/// A waker that panics when cloned, woken or dropped loses no item and locks nobody out.
#[test]
fn wakers_that_panic_change_nothing() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let (tx, rx) = bounded(1);
        let bell = Bell::panicking_in(act);
        let waker = std::mem::ManuallyDrop::new(bell.waker());
        let mut recv = rx.recv();
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll_with(&mut recv, &waker).is_pending()
        }));
        assert_eq!(polled.is_err(), act == Act::Clone);
        tx.try_send(1).unwrap();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(recv)));
        assert_eq!(rx.try_recv(), Ok(1));
        tx.try_send(2).unwrap();
        assert_eq!(block_on(rx.recv()), Ok(2));
    }
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

#[test]
fn time_limits_say_whether_it_happened() {
    let (tx, rx) = bounded(1);
    let short = Duration::from_millis(5);
    assert_eq!(block_on(rx.recv_timeout(short)), Err(RecvTimeoutError::Timeout));
    assert_eq!(block_on(tx.send_timeout(1, short)), Ok(()));
    assert_eq!(block_on(tx.send_timeout(2, short)), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(tx.blocking_send_timeout(3, short), Err(SendTimeoutError::Timeout(3)));
    let past = goro_context::now();
    assert_eq!(block_on(tx.send_deadline(4, past)), Err(SendTimeoutError::Timeout(4)));
    assert_eq!(block_on(rx.recv_deadline(past)), Ok(1));
    assert_eq!(rx.blocking_recv_timeout(short), Err(RecvTimeoutError::Timeout));
    let (tx, rx) = bounded(0);
    assert_eq!(block_on(tx.send_timeout(5, short)), Err(SendTimeoutError::Timeout(5)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn ends_are_counted_and_told_apart() {
    let (tx, rx) = Builder::<u8>::new().name("orders").bounded(3);
    let (other, _rx) = bounded::<u8>(3);
    let more = tx.clone();
    assert_eq!((tx.sender_count(), rx.receiver_count()), (2, 1));
    assert!(tx.same_channel(&more) && !tx.same_channel(&other));
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    assert!(weak_tx.upgrade().is_some() && weak_rx.upgrade().is_some());
    let shown = format!("{rx:?}");
    assert!(shown.contains("orders") && shown.contains("senders: 2"), "{shown}");
    drop((tx, more));
    assert!(weak_tx.upgrade().is_none() && rx.is_closed());
    assert_eq!(weak_rx.upgrade().unwrap().name().as_deref(), Some("orders"));
    assert!(other.name().is_none());
}

#[test]
fn a_sink_fills_the_places_it_was_ready_for() {
    use futures::SinkExt;
    let (tx, rx) = bounded(2);
    let mut sink = tx.into_sink();
    block_on(async {
        sink.send_all(&mut futures::stream::iter([Ok(1), Ok(2)])).await.unwrap();
        assert!(poll(&mut sink.feed(3)).is_pending());
        assert_eq!(rx.recv().await, Ok(1));
        sink.send(4).await.unwrap();
        sink.close().await.unwrap();
        assert_eq!(rx.stream().collect::<Vec<_>>().await, [2, 4]);
    });
}

/// At a rendezvous a permit promises that a receiver waited, which may have changed.
#[test]
fn a_permit_at_a_rendezvous_may_come_too_late() {
    let (tx, rx) = bounded(0);
    assert!(poll(&mut tx.reserve()).is_pending());
    let mut recv = rx.recv();
    assert!(poll(&mut recv).is_pending());
    let permits = [block_on(tx.reserve()).unwrap(), block_on(tx.reserve()).unwrap()];
    let [first, second] = permits;
    assert_eq!(first.send(1), Ok(()));
    assert_eq!(second.send(2), Err(PermitError::Gone(2)));
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(1)));
}

// --- Go's cases, retold -----------------------------------------------------------------------

/// Go's chan_test: nothing is received before it is sent, for every small capacity.
#[test]
fn go_a_receiver_waits_for_what_is_sent_to_it() {
    for capacity in 0..20 {
        let (tx, rx) = bounded(capacity);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        let sender = thread::spawn(move || (0..100).for_each(|n| tx.blocking_send(n).unwrap()));
        (0..100).for_each(|number| assert_eq!(rx.blocking_recv(), Ok(number)));
        sender.join().unwrap();
        assert!(rx.blocking_recv().is_err());
    }
}

/// Go's chan_test: many senders and many receivers, each value once.
#[test]
fn go_each_of_many_values_is_received_once() {
    for capacity in [0, 1, 10] {
        let (tx, rx) = bounded(capacity);
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                thread::spawn(move || (0..500_usize).for_each(|n| tx.blocking_send(n).unwrap()))
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let rx = rx.clone();
                thread::spawn(move || {
                    let received = std::iter::from_fn(|| rx.blocking_recv().ok());
                    received.collect::<Vec<_>>()
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let mut counts = [0; 500];
        receivers.into_iter().flat_map(|it| it.join().unwrap()).for_each(|n| counts[n] += 1);
        assert!(counts.iter().all(|&count| count == 4));
    }
}

/// Go's chansend and chanrecv: a closed channel gives what it has, then the end, at once.
#[test]
fn go_a_closed_channel_never_blocks() {
    let (tx, rx) = bounded(5);
    (0..3).for_each(|number| tx.try_send(number).unwrap());
    tx.close();
    assert!(block_on(rx.stream().collect::<Vec<_>>()).into_iter().eq(0..3));
    assert!(rx.blocking_recv().is_err() && tx.blocking_send(9).is_err());
}

/// Go's sieve: a chain of goroutines that is torn down when its end is dropped.
#[test]
fn go_the_sieve_finds_primes_and_falls_down() {
    fn filter(from: Receiver<u32>, prime: u32) -> Receiver<u32> {
        let (tx, rx) = bounded(0);
        thread::spawn(move || {
            while let Ok(number) = from.blocking_recv() {
                if number % prime != 0 && tx.blocking_send(number).is_err() {
                    break;
                }
            }
        });
        rx
    }
    let (tx, mut rx) = bounded(0);
    let source = thread::spawn(move || {
        let mut numbers = 2..;
        numbers.try_for_each(|number| tx.blocking_send(number)).is_err()
    });
    let mut primes = Vec::new();
    for _ in 0..20 {
        let prime = rx.blocking_recv().unwrap();
        primes.push(prime);
        rx = filter(rx, prime);
    }
    assert_eq!(primes[15..], [53, 59, 61, 67, 71]);
    drop(rx);
    assert!(source.join().unwrap(), "the source saw its receivers go");
}
