//! Changes, and those who wait for them or go.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_shim::atomic::AtomicUsize;

use super::*;
use crate::block::block;

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_change_wakes_and_is_seen_with_what_came_before_it() {
    loom::model(|| {
        let (sender, mut receiver) = channel(0);
        let written = Arc::new(AtomicUsize::new(0));
        let other = {
            let written = Arc::clone(&written);
            loom::thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                sender.send(1).unwrap();
                sender
            })
        };
        receiver.blocking_changed().unwrap();
        assert_eq!(written.load(Ordering::Relaxed), 1);
        assert_eq!(*receiver.borrow_and_update(), 1);
        drop(other.join().unwrap());
        assert_eq!(receiver.blocking_changed(), Err(ChangedError::Closed));
    });
}

#[test]
fn the_last_value_is_seen_before_the_end() {
    loom::model(|| {
        let (sender, mut receiver) = channel(0);
        let other = loom::thread::spawn(move || sender.send(1).unwrap());
        assert_eq!(receiver.blocking_changed(), Ok(()));
        assert_eq!(receiver.blocking_changed(), Err(ChangedError::Closed));
        assert_eq!(*receiver.borrow(), 1);
        other.join().unwrap();
    });
}

/// Pitfall 105: one receiver's news is not lost with another's.
#[test]
fn a_receiver_that_goes_takes_nobodys_news_along() {
    loom::model(|| {
        let (sender, mut stays) = channel(0);
        let mut goes = stays.clone();
        let other = loom::thread::spawn(move || sender.send(1).unwrap());
        let _either_way = poll_once(&mut goes.changed());
        drop(goes);
        stays.blocking_changed().unwrap();
        other.join().unwrap();
        let state = stays.shared.state.lock();
        assert!(state.receiver_count == 1 && state.readers.waiting() <= 1);
    });
}

#[test]
fn a_sender_that_waits_for_the_last_receiver_is_woken() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let other = loom::thread::spawn(move || drop(receiver));
        block(sender.closed());
        assert_eq!(sender.send(1), Err(SendError(1)));
        other.join().unwrap();
    });
}

#[test]
fn no_change_of_two_is_lost() {
    loom::model(|| {
        let (sender, receiver) = channel(0);
        let other = {
            let sender = sender.clone();
            loom::thread::spawn(move || sender.send_modify(|n| *n += 1))
        };
        sender.send_modify(|n| *n += 2);
        other.join().unwrap();
        assert_eq!(*receiver.borrow(), 3);
    });
}

/// A value that somebody looks at is not taken out from under them, and its memory goes with them.
#[test]
fn what_somebody_looks_at_stays() {
    loom::model(|| {
        let (sender, receiver) = channel(Arc::new(0));
        let other = loom::thread::spawn(move || {
            let seen = receiver.borrow();
            (*seen).clone()
        });
        sender.send_replace(Arc::new(1));
        sender.send_replace(Arc::new(2));
        let seen = other.join().unwrap();
        assert!(*seen <= 2);
        assert_eq!(**sender.borrow(), 2);
    });
}
