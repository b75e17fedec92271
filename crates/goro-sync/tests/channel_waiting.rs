//! Those who wait at a channel: called, dropped, forgotten, never polled again, woken by wakers that do
//! what they should not.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "used as programs use it")]
#![allow(clippy::mem_forget, reason = "futures that are forgotten are what some tests are about")]

#[path = "support/counted.rs"]
mod counted;
#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/polled.rs"]
mod polled;

use counted::Counted;
use foreign::{Act, Bell};
use futures::executor::block_on;
use goro_sync::channel::{ForceSendError, Receiver, Sender, TryRecvError, TrySendError, bounded};
use polled::{poll, poll_with};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

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

/// The place that one in line was called for is not a newcomer's while others stand behind it.
#[test]
fn who_comes_later_does_not_overtake_those_in_line() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let (mut first, mut second) = (tx.send(1), tx.send(2));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    let mut third = tx.send(3);
    assert!(poll(&mut third).is_pending());
    assert_eq!(poll(&mut first), Poll::Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poll(&mut second), Poll::Ready(Ok(())));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(poll(&mut third), Poll::Ready(Ok(())));
}

/// A receiver that was served though another was called is no longer in line, also while its future is
/// kept: the next call is for whoever still waits.
#[test]
fn who_is_served_early_leaves_the_line() {
    let (tx, rx) = bounded(4);
    let bell = Bell::good();
    let (mut called, mut early) = (rx.recv(), rx.recv());
    assert!(poll(&mut called).is_pending() && poll(&mut early).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(poll(&mut early), Poll::Ready(Ok(1)));
    drop(called);
    let mut waits = rx.recv();
    assert!(poll_with(&mut waits, &bell.waker()).is_pending());
    tx.try_send(2).unwrap();
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll(&mut waits), Poll::Ready(Ok(2)));
    drop(early);
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
        let bell = goro_shim::global::Arc::new(Bell { panics_in: Some(act), ..Bell::default() });
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

/// Pitfall 86: futures are given up in the moment in which their peers complete them; each item is
/// received once, or comes back once.
#[test]
fn futures_are_given_up_while_their_peers_complete_them() {
    const ITEMS: usize = 10_000;
    for capacity in [0, 1] {
        let alive = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = bounded(capacity);
        let receiver = thread::spawn(move || {
            let mut received = 0;
            // Polled once and given up; the end is found by one that is awaited.
            while !rx.is_closed() {
                received += usize::from(matches!(poll(&mut rx.recv()), Poll::Ready(Ok(_))));
            }
            received + std::iter::from_fn(|| rx.blocking_recv().ok()).count()
        });
        let mut back = 0;
        for _ in 0..ITEMS {
            let mut send = tx.send(Counted::new(&alive, false));
            if poll(&mut send).is_pending() {
                back += usize::from(send.into_inner().is_some());
            }
        }
        drop(tx);
        assert_eq!(back + receiver.join().unwrap(), ITEMS);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

/// Pitfall 92: of very many channels that end while somebody waits for that, each is told of.
/// `GORO_CHANNEL_ROUNDS` says how many; `.ci/run channels` ends a hundred thousand.
#[test]
fn no_end_of_a_channel_is_missed() {
    let given = std::env::var("GORO_CHANNEL_ROUNDS").ok();
    let rounds = given.map_or(3_000, |text| text.parse().expect("GORO_CHANNEL_ROUNDS is a number"));
    let (receivers, to_receive) = std::sync::mpsc::channel::<Receiver<u32>>();
    let (senders, to_send) = std::sync::mpsc::channel::<Sender<u32>>();
    let waits_for_senders = thread::spawn(move || {
        to_receive.iter().map(|rx| assert!(rx.blocking_recv().is_err())).count()
    });
    let waits_for_receivers =
        thread::spawn(move || to_send.iter().map(|tx| block_on(tx.closed())).count());
    for round in 0..rounds {
        let (tx, rx) = bounded(round % 2);
        receivers.send(rx).unwrap();
        let (other_tx, other_rx) = bounded(round % 2);
        senders.send(other_tx).unwrap();
        // Before they wait, while they begin to, or after.
        (0..round % 64).for_each(|_| std::hint::spin_loop());
        drop((tx, other_rx));
    }
    drop((receivers, senders));
    assert_eq!(waits_for_senders.join().unwrap(), rounds);
    assert_eq!(waits_for_receivers.join().unwrap(), rounds);
}

/// Stays inside of its wake until it is let go.
struct Holds(std::sync::Mutex<(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>)>);

impl Wake for Holds {
    fn wake(self: Arc<Self>) {
        let (inside, go_on) = &*self.0.lock().unwrap();
        inside.send(()).unwrap();
        go_on.recv().unwrap();
    }
}

/// Pitfall 98: a sender that is stopped in the middle of its send keeps nobody from trying: all of
/// others' code that it runs comes after the item, and after the lock.
#[test]
fn a_sender_that_is_stopped_in_its_send_stops_nobody_who_tries() {
    let (tx, rx) = bounded(1);
    let (inside, is_inside) = std::sync::mpsc::channel();
    let (let_go, go_on) = std::sync::mpsc::channel();
    let waker = Waker::from(Arc::new(Holds(std::sync::Mutex::new((inside, go_on)))));
    let mut recv = rx.recv();
    assert!(poll_with(&mut recv, &waker).is_pending());
    let sender = {
        let tx = tx.clone();
        thread::spawn(move || tx.try_send(1))
    };
    is_inside.recv().unwrap();
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
    assert_eq!((tx.try_send(2), rx.len()), (Ok(()), 1));
    assert_eq!(poll(&mut recv), Poll::Ready(Ok(2)));
    assert!(rx.close() && tx.is_closed());
    let_go.send(()).unwrap();
    assert_eq!(sender.join().unwrap(), Ok(()));
}
