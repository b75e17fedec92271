//! Values that meet receivers that come, wait and go, and senders that wait.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_shim::atomic::{AtomicUsize, Ordering};

use super::ring::Ring;
use super::*;

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_value_wakes_every_receiver_and_carries_what_came_before_it() {
    loom::model(|| {
        let (sender, mut receiver) = channel(1, OnLag::Skip);
        let mut second = receiver.clone();
        let written = Arc::new(AtomicUsize::new(0));
        let other = loom::thread::spawn(move || second.blocking_recv());
        let third = {
            let written = Arc::clone(&written);
            loom::thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                sender.try_send(7).unwrap();
            })
        };
        assert_eq!(receiver.blocking_recv(), Ok(7));
        assert_eq!(written.load(Ordering::Relaxed), 1);
        assert_eq!(other.join().unwrap(), Ok(7));
        third.join().unwrap();
    });
}

#[test]
fn the_end_is_told_after_the_last_value() {
    loom::model(|| {
        let (sender, mut receiver) = channel(2, OnLag::Skip);
        let other = loom::thread::spawn(move || sender.try_send(1).unwrap());
        assert_eq!(receiver.blocking_recv(), Ok(1));
        assert_eq!(receiver.blocking_recv(), Err(RecvError::Closed));
        other.join().unwrap();
    });
}

#[test]
fn a_sender_that_waits_is_woken_by_the_last_who_takes() {
    loom::model(|| {
        let (sender, mut receiver) = channel(1, OnLag::Wait);
        sender.try_send(1).unwrap();
        let other = loom::thread::spawn(move || sender.blocking_send(2));
        assert_eq!(receiver.blocking_recv(), Ok(1));
        assert_eq!(receiver.blocking_recv(), Ok(2));
        assert_eq!(other.join().unwrap(), Ok(1));
    });
}

#[test]
fn a_receiver_that_goes_makes_room_or_ends_the_wait() {
    loom::model(|| {
        let (sender, late) = channel(1, OnLag::Wait);
        sender.try_send(1).unwrap();
        let other = loom::thread::spawn(move || drop(late));
        assert_eq!(sender.blocking_send(2), Err(SendError::Closed(2)));
        other.join().unwrap();
    });
}

/// The turn of a sender that is dropped goes to the next.
#[test]
fn a_sender_that_gives_up_holds_up_nobody() {
    loom::model(|| {
        let (sender, mut receiver) = channel(1, OnLag::Wait);
        sender.try_send(1).unwrap();
        let next = {
            let sender = sender.clone();
            loom::thread::spawn(move || sender.blocking_send(2))
        };
        let taker = loom::thread::spawn(move || {
            assert_eq!(receiver.blocking_recv(), Ok(1));
            receiver
        });
        let mut gives_up = sender.send(3);
        let sent = poll_once(&mut gives_up).is_ready();
        drop(gives_up);
        let mut receiver = taker.join().unwrap();
        if sent {
            assert!(matches!(receiver.blocking_recv(), Ok(2 | 3)));
        }
        next.join().unwrap().unwrap();
    });
}

/// Whoever comes last gets the value itself, and its memory is used again, while another copies.
#[test]
fn two_who_take_the_same_value_get_it_whole() {
    loom::model(|| {
        let (sender, mut receiver) = channel(1, OnLag::Skip);
        let mut second = receiver.clone();
        sender.try_send(Box::new(1)).unwrap();
        let other = loom::thread::spawn(move || second.try_recv());
        assert_eq!(receiver.try_recv(), Ok(Box::new(1)));
        sender.try_send(Box::new(2)).unwrap();
        let theirs = other.join().unwrap();
        assert!(theirs == Ok(Box::new(1)) || theirs == Err(TryRecvError::Lagged(1)));
        assert_eq!(receiver.try_recv(), Ok(Box::new(2)));
    });
}

/// A channel of two values, both in one block.
fn block(on_lag: OnLag) -> (Sender<u32>, Receiver<u32>) {
    ends(Ring::with_blocks_of(2, 2, on_lag), on_lag)
}

/// Three values in a block, of which the second is read with no lock.
#[test]
fn a_value_read_in_a_block_carries_what_came_before_it() {
    loom::model(|| {
        let (sender, mut receiver) = ends(Ring::with_blocks_of(3, 4, OnLag::Wait), OnLag::Wait);
        sender.try_send(0).unwrap();
        // The block is in the receiver's hands.
        assert_eq!(receiver.try_recv(), Ok(0));
        let mut second = receiver.clone();
        let written = Arc::new(AtomicUsize::new(0));
        let other = {
            let written = Arc::clone(&written);
            loom::thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                (sender.try_send(1).unwrap(), sender.try_send(2).unwrap())
            })
        };
        if receiver.try_recv() == Ok(1) {
            assert_eq!(written.load(Ordering::Relaxed), 1);
            assert_eq!(receiver.blocking_recv(), Ok(2));
        }
        assert_eq!(other.join().unwrap(), (2, 2));
        assert_eq!((second.try_recv(), second.try_recv()), (Ok(1), Ok(2)));
    });
}

/// A receiver that goes on to another block, against a sender that goes to sleep.
#[test]
fn a_sender_that_waits_is_woken_by_who_takes_up_a_block() {
    loom::model(|| {
        let (sender, mut receiver) = block(OnLag::Wait);
        (0..2).for_each(|value| assert_eq!(sender.try_send(value), Ok(1)));
        let other = loom::thread::spawn(move || sender.blocking_send(2));
        assert_eq!(receiver.try_recv(), Ok(0));
        assert_eq!(other.join().unwrap(), Ok(1));
        assert_eq!(receiver.len(), 2);
    });
}

/// One who is cut off while it receives: it has that value or has not, and none after it.
#[test]
fn who_is_cut_off_is_told_so_by_its_next_receive() {
    loom::model(|| {
        let ring = Ring::with_blocks_of(4, 2, OnLag::Disconnect);
        let (sender, mut late) = ends(ring, OnLag::Disconnect);
        sender.try_send(0).unwrap();
        assert_eq!(late.try_recv(), Ok(0));
        let mut prompt = sender.subscribe();
        (1..3).for_each(|value| assert_eq!(sender.try_send(value), Ok(2)));
        assert_eq!(prompt.try_recv(), Ok(1));
        let other = loom::thread::spawn(move || (sender.try_send(3), sender));
        let outcome = late.try_recv();
        let (sent, sender) = other.join().unwrap();
        if sent == Ok(2) {
            assert_eq!((outcome, late.try_recv()), (Ok(1), Ok(2)));
        } else {
            assert_eq!((sent, sender.counts().disconnected), (Ok(1), 1));
            assert!(matches!(outcome, Ok(1) | Err(TryRecvError::Disconnected)));
            assert_eq!((late.try_recv(), late.len()), (Err(TryRecvError::Disconnected), 0));
        }
    });
}

/// One value that is overwritten while it is received: it is had or missed, and not both.
#[test]
fn a_value_that_goes_is_received_or_missed() {
    loom::model(|| {
        let (sender, mut receiver) = ends(Ring::with_blocks_of(3, 2, OnLag::Skip), OnLag::Skip);
        (0..2).for_each(|value| assert_eq!(sender.try_send(value), Ok(1)));
        assert_eq!(receiver.try_recv(), Ok(0));
        sender.try_send(2).unwrap();
        let other = loom::thread::spawn(move || {
            sender.try_send(3).unwrap();
            sender
        });
        let outcome = receiver.try_recv();
        let sender = other.join().unwrap();
        match outcome {
            Ok(value) => assert_eq!((value, sender.counts().skipped), (1, 0)),
            Err(error) => {
                assert_eq!(error, TryRecvError::Lagged(1));
                assert_eq!(sender.counts().skipped, 1);
            }
        }
        assert_eq!(receiver.try_recv(), Ok(2));
    });
}
