//! The two sides, and what each of them may meet.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

use super::*;

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_value_is_received_with_what_came_before_it() {
    loom::model(|| {
        let (sender, receiver) = channel();
        let written = Arc::new(AtomicUsize::new(0));
        let other = {
            let written = Arc::clone(&written);
            loom::thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                sender.send(7).unwrap();
            })
        };
        assert_eq!(receiver.blocking_recv(), Ok(7));
        assert_eq!(written.load(Ordering::Relaxed), 1);
        other.join().unwrap();
    });
}

#[test]
fn a_sender_that_goes_wakes_the_receiver() {
    loom::model(|| {
        let (sender, receiver) = channel::<u32>();
        let other = loom::thread::spawn(move || drop(sender));
        assert_eq!(receiver.blocking_recv(), Err(RecvError::Closed));
        other.join().unwrap();
    });
}

/// Pitfalls 106 and 109: at whatever moment the receiver closes and goes, a value is given back, or
/// taken, or dropped with it: one of these, once.
#[test]
fn a_value_that_meets_the_receivers_end_is_dropped_once() {
    loom::model(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (sender, mut receiver) = channel();
        let other = {
            let value = Counted(Arc::clone(&dropped));
            loom::thread::spawn(move || sender.send(value).is_err())
        };
        let early = matches!(poll_once(&mut receiver), Poll::Ready(Ok(_)));
        receiver.close();
        let taken = receiver.try_recv().is_ok() || early;
        drop(receiver);
        let given_back = other.join().unwrap();
        assert!(taken != given_back);
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

/// Pitfalls 107 and 108: a receiver that has waited goes while the sender is about to wake it.
#[test]
fn a_receiver_that_was_polled_may_go_while_it_is_woken() {
    loom::model(|| {
        let (sender, mut receiver) = channel();
        let other = loom::thread::spawn(move || sender.send(1).is_ok());
        let polled = poll_once(&mut receiver);
        drop(receiver);
        assert!(other.join().unwrap() || polled.is_pending());
    });
}

#[test]
fn a_sender_that_waits_for_the_end_is_woken_by_it() {
    loom::model(|| {
        let (mut sender, mut receiver) = channel::<u32>();
        let other = loom::thread::spawn(move || {
            receiver.close();
            receiver.try_recv()
        });
        block(sender.closed());
        assert!(sender.is_closed());
        assert_eq!(sender.send(1), Err(SendError(1)));
        assert_eq!(other.join().unwrap(), Err(TryRecvError::Closed));
    });
}

/// A receiver that is polled with one waker after another is woken by the last.
#[test]
fn the_last_waker_is_the_one_that_counts() {
    loom::model(|| {
        let (sender, mut receiver) = channel();
        let other = loom::thread::spawn(move || sender.send(3).unwrap());
        let early = poll_once(&mut receiver);
        let value = match early {
            Poll::Ready(value) => value,
            Poll::Pending => receiver.blocking_recv(),
        };
        assert_eq!(value, Ok(3));
        other.join().unwrap();
    });
}
