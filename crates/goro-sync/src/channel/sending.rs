//! The futures of sending one value.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::time::{Duration, Instant};
use goro_context::{Cause, Op};

use super::errors::{Reason, SendError, SendTimeoutError};
use super::shared::Channel;
use crate::block::block;
use crate::wait::{self, Attempt, Elapsed, Offer, Operation, Place, Timed};

/// The future of [`Sender::send`](super::Sender::send).
///
/// # Panics
/// When polled after it was ready.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendFuture<'a, T> {
    channel: &'a Channel<T>,
    /// Not here while it waits in line at a rendezvous, nor once it was sent.
    value: Option<T>,
    place: Place,
}

impl<'a, T> SendFuture<'a, T> {
    #[inline]
    pub(crate) fn new(channel: &'a Channel<T>, value: T) -> Self {
        Self { channel, value: Some(value), place: Place::NOWHERE }
    }

    /// The value back, if it was not sent; the future is over with that.
    ///
    /// `None` says that a receiver has it, or can have it: at a rendezvous it may have been taken
    /// before this future was polled again.
    ///
    /// ```
    /// let (tx, rx) = goro_sync::channel::bounded(0);
    /// let send = tx.send("kept");
    /// assert_eq!(send.into_inner(), Some("kept"));
    /// ```
    pub fn into_inner(mut self) -> Option<T> {
        self.withdraw();
        self.value.take()
    }

    fn withdraw(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_sending(&mut self.value, &mut self.place);
        }
    }
}

// The value is moved, never pinned.
impl<T> Unpin for SendFuture<'_, T> {}

impl<T> Operation for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;
    const OP: Op = Op::Send;
    const OBSERVES: bool = true;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.channel.send(&mut self.value, &mut self.place, offer)
    }

    #[inline]
    fn stands(&self) -> bool {
        self.place.is_taken()
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        match self.value.take() {
            Some(value) => Err(SendError::Closed(value, Reason::cancelled(cause))),
            // Not sent, so it is here: the last attempt gave its place up.
            None => unreachable!("a send that was given up has its value"),
        }
    }
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for SendFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture")
            .field("waits", &self.place.is_taken())
            .field("is_over", &self.value.is_none())
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::send_timeout`](super::Sender::send_timeout) and
/// [`Sender::send_deadline`](super::Sender::send_deadline).
///
/// # Panics
/// When polled after it was ready.
///
/// ```
/// let (tx, _rx) = goro_sync::channel::bounded(8);
/// let send = tx.send_timeout(1, std::time::Duration::from_secs(1));
/// assert_eq!(send.into_inner(), Some(1), "it was not polled");
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendTimeout<'a, T>(Timed<SendFuture<'a, T>>);

impl<'a, T> SendTimeout<'a, T> {
    pub(crate) fn after(limit: Duration, send: SendFuture<'a, T>) -> Self {
        Self(Timed::after(limit, send))
    }

    pub(crate) fn at(deadline: Instant, send: SendFuture<'a, T>) -> Self {
        Self(Timed::at(deadline, send))
    }

    /// As [`SendFuture::into_inner`].
    pub fn into_inner(self) -> Option<T> {
        self.0.operation.into_inner()
    }
}

impl<T> Future for SendTimeout<'_, T> {
    type Output = Result<(), SendTimeoutError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|outcome| match outcome {
            Ok(sent) => sent.map_err(Into::into),
            Err(Elapsed) => match self.0.operation.value.take() {
                Some(value) => Err(SendTimeoutError::Timeout(value)),
                // Not sent, so it is here: the last attempt gave its place up.
                None => unreachable!("a send that timed out has its value"),
            },
        })
    }
}

/// Sends on a thread that sleeps meanwhile.
pub(crate) fn blocking<T>(channel: &Channel<T>, value: T) -> Result<(), SendError<T>> {
    block(SendFuture::new(channel, value))
}
