use core::task::{Poll, Waker};

use futures::executor::block_on;
use goro_context::time::Duration;
use goro_shim::global::{Arc as StdArc, AtomicUsize, Ordering};
use goro_shim::thread;
use proptest::prelude::*;

use super::*;
use crate::testing::{CountingWaker, cases, poll_with};

#[test]
fn everybody_gets_every_value_in_order() {
    let (sender, mut one) = channel(8, OnLag::Wait);
    let mut two = one.clone();
    let other = thread::start("receiver".into(), None, move || {
        core::iter::from_fn(|| two.blocking_recv().ok()).collect::<Vec<_>>()
    })
    .unwrap();
    let sending = thread::start("sender".into(), None, move || {
        (0..2_000).all(|n| sender.blocking_send(n) == Ok(2))
    })
    .unwrap();
    let ours: Vec<_> = core::iter::from_fn(|| one.blocking_recv().ok()).collect();
    assert!(sending.join().unwrap());
    assert!(ours.iter().copied().eq(0..2_000) && other.join().unwrap() == ours);
}

#[test]
fn who_is_late_skips_and_is_told_how_much() {
    let (sender, mut late) = channel(2, OnLag::Skip);
    let mut prompt = late.clone();
    for n in 0..5 {
        assert_eq!(sender.try_send(n), Ok(2));
        assert_eq!(prompt.try_recv(), Ok(n));
    }
    assert_eq!(late.len(), 2);
    assert_eq!(late.try_recv(), Err(TryRecvError::Lagged(3)));
    assert_eq!((late.try_recv(), late.try_recv()), (Ok(3), Ok(4)));
    assert_eq!(late.try_recv(), Err(TryRecvError::Empty));
    let counts = sender.counts();
    assert_eq!((counts.sent, counts.skipped, counts.waited, counts.disconnected), (5, 3, 0, 0));
}

#[test]
fn who_is_late_is_disconnected_and_told_so() {
    let (sender, mut late) = channel(1, OnLag::Disconnect);
    let mut prompt = late.clone();
    sender.try_send(1).unwrap();
    assert_eq!(prompt.try_recv(), Ok(1));
    assert_eq!(sender.try_send(2), Ok(1));
    assert_eq!(late.try_recv(), Err(TryRecvError::Disconnected));
    assert_eq!(block_on(late.clone().recv()), Err(RecvError::Disconnected));
    assert_eq!((sender.receiver_count(), sender.counts().disconnected), (1, 1));
    drop(late);
    assert_eq!(prompt.try_recv(), Ok(2));
    // The last one, too late: the value comes back.
    sender.try_send(3).unwrap();
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
    assert_eq!((sender.receiver_count(), sender.counts().disconnected), (0, 2));
    assert_eq!(prompt.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn who_is_late_holds_up_the_senders() {
    let (sender, mut late) = channel(1, OnLag::Wait);
    sender.try_send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    let woken = CountingWaker::new();
    let mut send = sender.send(3);
    assert!(poll_with(&mut send, &woken.waker()).is_pending());
    assert_eq!(sender.counts().waited, 1);
    assert_eq!(late.try_recv(), Ok(1));
    assert_eq!(woken.count(), 1);
    assert_eq!(poll_with(&mut send, &woken.waker()), Poll::Ready(Ok(1)));
    drop(send);
    let mut abandoned = sender.send(4);
    assert!(poll_with(&mut abandoned, &woken.waker()).is_pending());
    assert_eq!(abandoned.into_inner(), Some(4));
    assert_eq!((late.try_recv(), late.try_recv()), (Ok(3), Err(TryRecvError::Empty)));
    assert_eq!(woken.references(), 1);
}

/// Pitfall 115 for this primitive: a sender that was called and is never polled again.
#[test]
fn a_sender_that_is_kept_and_not_polled_holds_up_nobody() {
    let (sender, mut receiver) = channel(1, OnLag::Wait);
    sender.try_send(0).unwrap();
    let wakers: Vec<_> = (0..3).map(|_| CountingWaker::new()).collect();
    let mut sends: Vec<_> = (1..=3).map(|n| sender.send(n)).collect();
    for (send, woken) in sends.iter_mut().zip(&wakers) {
        assert!(poll_with(send, &woken.waker()).is_pending());
    }
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!(wakers[0].count(), 1);
    // The first is never polled. The receiver, which waits, calls the second.
    let mut recv = receiver.recv();
    assert!(poll_with(&mut recv, Waker::noop()).is_pending());
    assert_eq!(wakers[1].count(), 1);
    assert_eq!(poll_with(&mut sends[1], Waker::noop()), Poll::Ready(Ok(1)));
    assert_eq!(poll_with(&mut recv, Waker::noop()), Poll::Ready(Ok(2)));
    // A newcomer may pass while somebody waits to receive.
    drop(recv);
    let mut recv = receiver.recv();
    assert!(poll_with(&mut recv, Waker::noop()).is_pending());
    assert_eq!(wakers[2].count(), 1);
    assert_eq!(poll_with(&mut sender.send(9), Waker::noop()), Poll::Ready(Ok(1)));
    assert_eq!(poll_with(&mut recv, Waker::noop()), Poll::Ready(Ok(9)));
}

#[test]
fn without_receivers_values_come_back_until_somebody_subscribes() {
    let (sender, receiver) = channel(1, OnLag::Wait);
    sender.try_send(1).unwrap();
    let mut send = sender.send(2);
    let woken = CountingWaker::new();
    assert!(poll_with(&mut send, &woken.waker()).is_pending());
    drop(receiver);
    assert_eq!(woken.count(), 1);
    assert_eq!(poll_with(&mut send, &woken.waker()), Poll::Ready(Err(SendError::Closed(2))));
    assert!(sender.is_closed() && sender.is_empty());
    let mut receiver = sender.subscribe();
    sender.try_send(3).unwrap();
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn a_timeout_leaves_everything_as_it_was() {
    let (sender, mut receiver) = channel(1, OnLag::Skip);
    let short = Duration::from_millis(1);
    assert_eq!(receiver.blocking_recv_timeout(short), Err(RecvTimeoutError::Timeout));
    sender.try_send(1).unwrap();
    assert_eq!(receiver.blocking_recv_timeout(short), Ok(1));
    drop(sender);
    assert_eq!(receiver.blocking_recv_timeout(short), Err(RecvTimeoutError::Closed));
}

#[test]
#[should_panic(expected = "make it of capacity 1")]
fn a_channel_without_a_place_says_what_to_do() {
    let _never = channel::<u32>(0, OnLag::Skip);
}

/// Pitfall 104: a capacity is a limit, not memory.
#[test]
fn a_huge_capacity_costs_nothing() {
    let (sender, mut receiver) = channel(usize::MAX, OnLag::Wait);
    for n in 0..10_000 {
        sender.try_send(n).unwrap();
    }
    assert!((0..10_000).all(|n| receiver.try_recv() == Ok(n)));
}

/// Pitfall 1: a value with a count that is not atomic cannot be in a channel between threads, and one
/// that is cloned by two at once is cloned by each from behind a count.
#[test]
fn values_are_copied_outside_of_the_lock() {
    struct Nosy(Option<StdArc<(Sender<Nosy>, AtomicUsize)>>);
    impl Clone for Nosy {
        fn clone(&self) -> Self {
            if let Some(seen) = &self.0 {
                seen.1.fetch_add(seen.0.len(), Ordering::Relaxed);
            }
            Self(self.0.clone())
        }
    }
    let (sender, mut one) = channel(4, OnLag::Skip);
    let mut two = one.clone();
    let seen = StdArc::new((sender.clone(), AtomicUsize::new(0)));
    sender.try_send(Nosy(Some(StdArc::clone(&seen)))).map_err(|_| "closed").unwrap();
    assert!(one.try_recv().is_ok());
    assert_eq!(seen.1.load(Ordering::Relaxed), 1);
    // The last one gets the value itself.
    assert!(two.try_recv().is_ok());
    assert_eq!(seen.1.load(Ordering::Relaxed), 1);
}

/// Counts itself when it is dropped, and panics then if it is told to.
#[derive(Clone)]
struct Counted(StdArc<AtomicUsize>, bool);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        if self.1 && !std::thread::panicking() {
            std::panic::panic_any("a destructor");
        }
    }
}

/// Pitfalls 81, 83 and 99: what nobody can receive is dropped at once, whatever destructors do.
#[test]
fn values_are_dropped_once_whoever_goes() {
    for panics in [false, true] {
        let dropped = StdArc::new(AtomicUsize::new(0));
        let (sender, receiver) = channel(10, OnLag::Wait);
        for _ in 0..10 {
            assert!(sender.try_send(Counted(StdArc::clone(&dropped), panics)).is_ok());
        }
        let other = receiver.clone();
        drop(receiver);
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
        drop(other);
        assert_eq!(dropped.load(Ordering::Relaxed), 10);
    }
}

mod against_a_model;
mod blocks;

/// Pitfall 83: one sender of several that goes ends nothing; who subscribes after all others have gone
/// is served, and told of the end; and who is late by a whole ring catches up in one step a value.
#[test]
fn who_comes_and_goes_and_is_late_sees_what_is_there_and_the_end() {
    struct Copied(u32, StdArc<AtomicUsize>);
    impl Clone for Copied {
        fn clone(&self) -> Self {
            self.1.fetch_add(1, Ordering::Relaxed);
            Self(self.0, StdArc::clone(&self.1))
        }
    }
    const RING: u32 = 1000;
    let copies = StdArc::new(AtomicUsize::new(0));
    let (sender, first) = channel(RING as usize, OnLag::Skip);
    let other = sender.clone();
    drop(first);
    assert!(sender.try_send(Copied(0, StdArc::clone(&copies))).is_err());
    let mut late = other.subscribe();
    drop(other);
    for number in 0..3 * RING {
        assert!(sender.try_send(Copied(number, StdArc::clone(&copies))).is_ok());
    }
    drop(sender);
    assert!(
        matches!(late.try_recv(), Err(TryRecvError::Lagged(missed)) if missed == u64::from(2 * RING))
    );
    for number in 2 * RING..3 * RING {
        assert!(late.blocking_recv().is_ok_and(|value| value.0 == number));
    }
    assert!(matches!(late.blocking_recv(), Err(RecvError::Closed)));
    assert!(copies.load(Ordering::Relaxed) <= RING as usize);
}
