//! The side of a broadcast that receives.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;
use goro_context::time::Duration;
use goro_shim::Arc;
use goro_wait::Wakers;

use super::ring::{Dropped, Nothing, Taken};
use super::{Counts, RecvError, RecvTimeoutError, Shared, TryRecvError};
use crate::block::block;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Place, Timed};

/// The side that receives; made by [`channel`](super::channel), by
/// [`subscribe`](super::Sender::subscribe), or by cloning: a clone gets what the original would.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The number of the value that it wants next.
    next: u64,
}

impl<T> Receiver<T> {
    pub(super) fn first(shared: Arc<Shared<T>>) -> Self {
        Self { shared, next: 0 }
    }

    /// Another receiver of the channel, which has had all that was sent before.
    pub(super) fn new(shared: &Arc<Shared<T>>) -> Self {
        let next = {
            let mut ring = shared.0.lock();
            let next = ring.end();
            ring.add_receiver(next);
            next
        };
        Self { shared: Arc::clone(shared), next }
    }

    /// How many values there are that this receiver has not had. Those that it has missed do not
    /// count.
    pub fn len(&self) -> usize {
        let ring = self.shared.0.lock();
        ((ring.end() - self.next) as usize).min(ring.len())
    }

    /// Whether there is no value that this receiver has not had.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.shared.0.lock().capacity()
    }

    /// What has happened in the channel so far.
    pub fn counts(&self) -> Counts {
        self.shared.0.lock().counts()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.0.lock().senders()
    }

    /// How many receivers there are that are connected.
    pub fn receiver_count(&self) -> usize {
        self.shared.0.lock().receivers()
    }

    /// Whether both receive from the same senders.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value. The last one who has it gets the value itself, the others copies.
    ///
    /// # Errors
    /// What was missed, or that nothing more will come; see [`RecvError`].
    ///
    /// # Cancel safety
    /// **Safe**: what was not received is still there.
    pub fn recv(&mut self) -> RecvFuture<'_, T> {
        RecvFuture { receiver: self, place: Place::NOWHERE }
    }

    /// The next value, if it is here already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and that there is none.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.recv().attempt(None) {
            Attempt::Done(outcome) => Ok(outcome?),
            Attempt::Waits | Attempt::Unprepared => Err(TryRecvError::Empty),
        }
    }

    /// As [`recv`](Self::recv), at most for `limit` from the first poll that has to wait.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and that the time is up: nothing was received then.
    ///
    /// # Cancel safety
    /// **Safe**: what was not received is still there.
    pub fn recv_timeout(&mut self, limit: Duration) -> RecvTimeout<'_, T> {
        RecvTimeout(Timed::after(limit, self.recv()))
    }

    /// As [`recv`](Self::recv), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block(self.recv())
    }

    /// As [`recv_timeout`](Self::recv_timeout), on this thread, which sleeps meanwhile.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn blocking_recv_timeout(&mut self, limit: Duration) -> Result<T, RecvTimeoutError> {
        block(self.recv_timeout(limit))
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.0.lock().add_receiver(self.next);
        Self { shared: Arc::clone(&self.shared), next: self.next }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (mut wakers, mut dropped) = (Wakers::new(), Dropped::nothing());
        self.shared.0.lock().drop_receiver(self.next, &mut wakers, &mut dropped);
        wakers.wake_all();
        dropped.drop_each();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: Place,
}

impl<T: Clone> Operation for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;
    const OP: Op = Op::Recv;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let mut ring = self.receiver.shared.0.lock();
        let nothing = match ring.take(&mut self.receiver.next) {
            Ok((taken, writer)) => {
                let left = ring.reader_leaves(&mut self.place);
                drop(ring);
                left.let_go();
                wait::wake_some(writer);
                return Attempt::Done(Ok(match taken {
                    Taken::Own(value) => value,
                    // Panic: the copying may; the value counts as received by this receiver.
                    Taken::Copy(value) => T::clone(&value),
                }));
            }
            Err(nothing) => nothing,
        };
        let error = match (nothing, offer) {
            (Nothing::Yet, Some(offer)) => {
                let (waits, writer) = ring.reader_waits(&mut self.place, offer);
                drop(ring);
                wait::wake_some(writer);
                return if waits { Attempt::Waits } else { Attempt::Unprepared };
            }
            (Nothing::Yet, None) => None,
            (Nothing::Missed(missed), _) => Some(RecvError::Lagged(missed)),
            (Nothing::Disconnected, _) => Some(RecvError::Disconnected),
            (Nothing::Closed, _) => Some(RecvError::Closed),
        };
        let left = ring.reader_leaves(&mut self.place);
        drop(ring);
        left.let_go();
        error.map_or(Attempt::Waits, |error| Attempt::Done(Err(error)))
    }

    #[inline]
    fn stands(&self) -> bool {
        self.place.is_taken()
    }
}

impl<T: Clone> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let left = self.receiver.shared.0.lock().reader_leaves(&mut self.place);
            left.let_go();
        }
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").finish_non_exhaustive()
    }
}

impl<T: Clone> CancelSafe for RecvFuture<'_, T> {}

/// The future of [`Receiver::recv_timeout`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct RecvTimeout<'a, T>(Timed<RecvFuture<'a, T>>);

impl<T: Clone> Future for RecvTimeout<'_, T> {
    type Output = Result<T, RecvTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|outcome| match outcome {
            Ok(received) => Ok(received?),
            Err(wait::Elapsed) => Err(RecvTimeoutError::Timeout),
        })
    }
}

impl<T: Clone> CancelSafe for RecvTimeout<'_, T> {}
