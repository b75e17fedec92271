//! Threads that sleep for a permit, and those who give one.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::lock::Lock;

use super::block;
use crate::wait::semaphore::Semaphore;

/// Two threads block, two permits come: a wake that got lost would leave one asleep for ever.
#[test]
fn every_thread_that_sleeps_is_woken() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let sleeper = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || block(semaphore.acquire()))
        };
        let giver = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || semaphore.release())
        };
        semaphore.release();
        block(semaphore.acquire());
        sleeper.join().unwrap();
        giver.join().unwrap();
        assert_eq!(semaphore.counts(), [0, 0, 0]);
    });
}

/// A future that knows no lock: it is woken when somebody has written.
struct Written {
    value: Arc<AtomicUsize>,
    waker: Arc<Lock<Option<Waker>>>,
    waits: bool,
}

impl Future for Written {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        if !self.waits {
            self.waits = true;
            let waker = cx.waker().clone();
            *self.waker.lock() = Some(waker);
            return Poll::Pending;
        }
        Poll::Ready(self.value.load(Ordering::Relaxed))
    }
}

/// What was written before the wake is seen after it, with nothing else between the two threads but
/// the bed. (loom's `unpark` orders them in any case, so it does not tell which orderings that takes.)
#[test]
fn a_wake_alone_carries_what_was_written_before_it() {
    loom::model(|| {
        let value = Arc::new(AtomicUsize::new(0));
        let waker = Arc::new(Lock::new(None::<Waker>));
        let giver = {
            let (value, waker) = (Arc::clone(&value), Arc::clone(&waker));
            loom::thread::spawn(move || {
                let waker = loop {
                    match waker.lock().take() {
                        Some(waker) => break waker,
                        None => loom::thread::yield_now(),
                    }
                };
                value.store(1, Ordering::Relaxed);
                waker.wake();
            })
        };
        assert_eq!(block(Written { value, waker, waits: false }), 1);
        giver.join().unwrap();
    });
}

/// What was written before the wake is seen after it, whoever of the two takes the lock first.
#[test]
fn a_wake_carries_what_was_written_before_it() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let written = Arc::new(AtomicUsize::new(0));
        let giver = {
            let (semaphore, written) = (Arc::clone(&semaphore), Arc::clone(&written));
            loom::thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                semaphore.release();
            })
        };
        block(semaphore.acquire());
        assert_eq!(written.load(Ordering::Relaxed), 1);
        giver.join().unwrap();
    });
}
