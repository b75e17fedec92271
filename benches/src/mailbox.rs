//! What a workload's tasks talk through, the same for every rival: a place for one number with a
//! waker beside it, and a countdown that fills one.
//!
//! A message costs two short locks (the send's and the wait's) and whatever the rival's waker
//! costs: no channel library stands between the rival and its figure, and little is added to it.
//!
//! Invariants:
//! 1. One task receives from a mailbox; who sends knows it to be empty; 0 is never sent.
//! 2. The value is stored before the send takes the lock, and the wait looks again once it has the
//!    lock: either the send finds the waker or the wait finds the value.
//! 3. The waker is cloned at each wait and woken by value, as channels do, outside of the lock.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use goro_shim::lock::Lock;

const EMPTY: u64 = 0;

/// A place for one number.
pub struct Mailbox {
    value: AtomicU64,
    waiter: Lock<Option<Waker>>,
}

impl Mailbox {
    const fn new() -> Self {
        Self { value: AtomicU64::new(EMPTY), waiter: Lock::new(None) }
    }

    /// An empty one, to be shared by its two sides.
    pub fn shared() -> Arc<Self> {
        Arc::new(Self::new())
    }

    /// Puts a number and wakes who waits for it.
    #[inline]
    pub fn send(&self, value: u64) {
        assert_eq!(self.value.load(Ordering::Relaxed), EMPTY, "sent to a full mailbox");
        // Ordering: Release pairs with the Acquire in `take`.
        self.value.store(value, Ordering::Release);
        let waiter = self.waiter.lock().take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// Waits for a number.
    #[inline]
    pub fn receive(&self) -> Receive<'_> {
        Receive(self)
    }

    #[inline]
    fn take(&self) -> Poll<u64> {
        // Ordering: Acquire pairs with the Release in `send`.
        match self.value.load(Ordering::Acquire) {
            EMPTY => Poll::Pending,
            value => {
                self.value.store(EMPTY, Ordering::Relaxed);
                Poll::Ready(value)
            }
        }
    }
}

/// The wait for a mailbox's number.
pub struct Receive<'a>(&'a Mailbox);

impl Future for Receive<'_> {
    type Output = u64;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        let value = self.0.take();
        if value.is_ready() {
            return value;
        }
        let waker = context.waker().clone();
        let mut waiter = self.0.waiter.lock();
        let value = self.0.take();
        let unused = if value.is_ready() { Some(waker) } else { waiter.replace(waker) };
        drop(waiter);
        drop(unused);
        value
    }
}

/// Counts tasks that are to finish; the last one wakes who waits.
pub struct Countdown {
    left: AtomicUsize,
    end: Mailbox,
}

impl Countdown {
    /// Waits for so many.
    pub fn of(count: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(count), end: Mailbox::new() })
    }

    /// One has finished.
    #[inline]
    pub fn finish(&self) {
        // Ordering: AcqRel, so that what the tasks did happened before the last one's send.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.end.send(1);
        }
    }

    /// Waits until all have.
    pub fn wait(&self) -> Receive<'_> {
        self.end.receive()
    }
}
