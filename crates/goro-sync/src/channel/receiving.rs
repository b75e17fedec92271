//! The futures of receiving one value.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::time::{Duration, Instant};
use goro_context::{Cause, Op};

use super::errors::{Reason, RecvError, RecvTimeoutError};
use super::shared::Channel;
use crate::wait::{self, Attempt, Elapsed, Offer, Operation, Place, Timed};

/// The future of [`Receiver::recv`](super::Receiver::recv).
///
/// Polled after it was ready, it receives the next value.
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFuture<'a, T> {
    channel: &'a Channel<T>,
    place: Place,
}

impl<'a, T> RecvFuture<'a, T> {
    #[inline]
    pub(crate) fn new(channel: &'a Channel<T>) -> Self {
        Self { channel, place: Place::NOWHERE }
    }
}

impl<T> Operation for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;
    const OP: Op = Op::Recv;
    const OBSERVES: bool = true;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.channel.receive(&mut self.place, offer)
    }

    #[inline]
    fn stands(&self) -> bool {
        self.place.is_taken()
    }

    #[inline]
    fn seems_idle(&self) -> bool {
        self.channel.seems_idle()
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(RecvError(Reason::cancelled(cause)))
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_receiving(&mut self.place);
        }
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

/// The future of [`Receiver::recv_timeout`](super::Receiver::recv_timeout) and
/// [`Receiver::recv_deadline`](super::Receiver::recv_deadline).
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvTimeout<'a, T>(Timed<RecvFuture<'a, T>>);

impl<'a, T> RecvTimeout<'a, T> {
    pub(crate) fn after(limit: Duration, recv: RecvFuture<'a, T>) -> Self {
        Self(Timed::after(limit, recv))
    }

    pub(crate) fn at(deadline: Instant, recv: RecvFuture<'a, T>) -> Self {
        Self(Timed::at(deadline, recv))
    }
}

impl<T> Future for RecvTimeout<'_, T> {
    type Output = Result<T, RecvTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|outcome| match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(RecvError(reason))) => Err(RecvTimeoutError::Closed(reason)),
            Err(Elapsed) => Err(RecvTimeoutError::Timeout),
        })
    }
}
