//! Turns that pass from one waiter to the next.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use goro_shim::Arc;

use super::semaphore::Semaphore;
use crate::block::block;

/// Pitfalls 57, 58.
/// A waiter that is dropped, at whatever moment of a release, hands its turn on.
#[test]
fn the_turn_of_a_waiter_that_is_dropped_goes_to_the_next() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let next = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || block(semaphore.acquire()))
        };
        let giver = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || semaphore.release())
        };
        {
            let mut dropped = pin!(semaphore.acquire());
            let polled = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled == Poll::Ready(()) {
                semaphore.release();
            }
        }
        next.join().unwrap();
        giver.join().unwrap();
        assert_eq!(semaphore.counts(), [0, 0, 0]);
    });
}

/// A last attempt decides alone: it takes the permit, or the permit is there for the next.
#[test]
fn a_last_attempt_and_a_release_agree() {
    use super::{Attempt, Operation};
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let mut waits = semaphore.acquire();
        assert!(pin!(&mut waits).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let giver = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || semaphore.release())
        };
        let got = waits.attempt(None) == Attempt::Done(());
        giver.join().unwrap();
        assert_eq!(semaphore.counts(), [usize::from(!got), 0, 0]);
    });
}
