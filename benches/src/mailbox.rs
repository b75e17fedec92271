//! What a workload's tasks talk through, the same for every rival: a place for one number with
//! wakers beside it, and a countdown that fills one.
//!
//! A message costs two short locks (the send's and the wait's; with many senders a third) and
//! whatever the rival's waker costs: no channel library stands between the rival and its figure, and
//! little is added to it.
//!
//! Invariants:
//! 1. One task receives from a mailbox; 0 is never sent.
//! 2. [`Mailbox::send`] is for the one sender who knows it to be empty. If there are many they use
//!    [`Mailbox::deliver`], which waits for room, and the receiver empties it under the lock.
//! 3. The value is stored before the send gives up the lock, and the wait looks again once it has the
//!    lock: either the send finds the waker or the wait finds the value. The same holds for a sender
//!    that waits and the receiver that makes room.
//! 4. A waker is cloned at each wait and woken by value, as channels do, outside of the lock.
use std::collections::VecDeque;
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
    many_senders: bool,
    waiters: Lock<Waiters>,
}

struct Waiters {
    receiver: Option<Waker>,
    senders: VecDeque<Waker>,
}

impl Mailbox {
    const fn new(many_senders: bool) -> Self {
        let waiters = Lock::new(Waiters { receiver: None, senders: VecDeque::new() });
        Self { value: AtomicU64::new(EMPTY), many_senders, waiters }
    }

    /// An empty one, to be shared by its two sides.
    pub fn shared() -> Arc<Self> {
        Arc::new(Self::new(false))
    }

    /// An empty one, to be shared by the receiver and any number of senders.
    pub fn for_many() -> Arc<Self> {
        Arc::new(Self::new(true))
    }

    /// Puts a number and wakes who waits for it.
    #[inline]
    pub fn send(&self, value: u64) {
        assert_eq!(self.value.load(Ordering::Relaxed), EMPTY, "sent to a full mailbox");
        // Ordering: Release pairs with the Acquire in `take`.
        self.value.store(value, Ordering::Release);
        let receiver = self.waiters.lock().receiver.take();
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Puts a number as soon as there is room.
    #[inline]
    pub fn deliver(&self, value: u64) -> Deliver<'_> {
        Deliver { mailbox: self, value }
    }

    /// Waits for a number.
    #[inline]
    pub fn receive(&self) -> Receive<'_> {
        Receive(self)
    }

    /// The number, if there is one, and room for a sender who waits.
    #[inline]
    fn try_receive(&self) -> Poll<u64> {
        if !self.many_senders {
            return self.take();
        }
        let mut waiters = self.waiters.lock();
        let value = self.take();
        let sender = if value.is_ready() { waiters.senders.pop_front() } else { None };
        drop(waiters);
        if let Some(sender) = sender {
            sender.wake();
        }
        value
    }

    /// Under the lock when there are many senders.
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

/// The wait for room for a number.
pub struct Deliver<'a> {
    mailbox: &'a Mailbox,
    value: u64,
}

impl Future for Deliver<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waiters = self.mailbox.waiters.lock();
        if self.mailbox.value.load(Ordering::Relaxed) != EMPTY {
            drop(waiters);
            let waker = context.waker().clone();
            waiters = self.mailbox.waiters.lock();
            if self.mailbox.value.load(Ordering::Relaxed) != EMPTY {
                waiters.senders.push_back(waker);
                return Poll::Pending;
            }
        }
        self.mailbox.value.store(self.value, Ordering::Relaxed);
        let receiver = waiters.receiver.take();
        drop(waiters);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Poll::Ready(())
    }
}

/// The wait for a mailbox's number.
pub struct Receive<'a>(&'a Mailbox);

impl Future for Receive<'_> {
    type Output = u64;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        let value = self.0.try_receive();
        if value.is_ready() {
            return value;
        }
        let waker = context.waker().clone();
        let mut waiters = self.0.waiters.lock();
        let value = self.0.take();
        let (unused, sender) = match value {
            Poll::Ready(_) => (Some(waker), waiters.senders.pop_front()),
            Poll::Pending => (waiters.receiver.replace(waker), None),
        };
        drop(waiters);
        drop(unused);
        if let Some(sender) = sender {
            sender.wake();
        }
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
        Arc::new(Self { left: AtomicUsize::new(count), end: Mailbox::new(false) })
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
