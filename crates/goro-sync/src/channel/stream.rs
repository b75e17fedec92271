//! The ends of a channel as a `Stream` and a `Sink`, for code that is written for those.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::sink::Sink;
use futures::stream::{FusedStream, Stream};

use super::errors::{Reason, RecvError, SendError};
use super::receiver::Receiver;
use super::sender::Sender;
use super::shared::Channel;
use crate::wait::{self, Attempt, Offer, Operation, Place};
use goro_context::{Cause, Op};

/// The values of a channel as a stream, until the channel is closed and empty; made by
/// [`Receiver::stream`] and [`Receiver::into_stream`].
///
/// Dropping it loses its place in line, and nothing else.
pub struct RecvStream<R: AsRef<Receiver<T>>, T> {
    rx: R,
    place: Place,
    over: bool,
    _items: core::marker::PhantomData<fn() -> T>,
}

impl<R: AsRef<Receiver<T>>, T> RecvStream<R, T> {
    pub(crate) fn new(rx: R) -> Self {
        Self { rx, place: Place::NOWHERE, over: false, _items: core::marker::PhantomData }
    }
}

/// A look at the channel from a place that is kept elsewhere.
struct Next<'a, T>(&'a Channel<T>, &'a mut Place);

impl<T> Operation for Next<'_, T> {
    type Output = Result<T, RecvError>;
    const OP: Op = Op::Recv;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.0.receive(self.1, offer)
    }
}

// Nothing is pinned: a place is a key.
impl<R: AsRef<Receiver<T>>, T> Unpin for RecvStream<R, T> {}

impl<R: AsRef<Receiver<T>>, T> Stream for RecvStream<R, T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        let mut next = Next(&this.rx.as_ref().channel, &mut this.place);
        let received = ready!(wait::poll(&mut next, cx)).ok();
        this.over = received.is_none();
        Poll::Ready(received)
    }
}

impl<R: AsRef<Receiver<T>>, T> FusedStream for RecvStream<R, T> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}

impl<R: AsRef<Receiver<T>>, T> Drop for RecvStream<R, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.rx.as_ref().channel.give_up_receiving(&mut self.place);
        }
    }
}

impl<R: AsRef<Receiver<T>>, T> fmt::Debug for RecvStream<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvStream").field(self.rx.as_ref()).finish()
    }
}

impl<T> AsRef<Receiver<T>> for Receiver<T> {
    fn as_ref(&self) -> &Receiver<T> {
        self
    }
}

/// A sender as a sink; made by [`Sender::into_sink`].
///
/// `poll_ready` reserves a place, which `start_send` fills: a value is in the channel at once, so
/// that there is nothing to flush. Closing the sink drops the sender.
///
/// At a rendezvous a sink is ready when a receiver waits, and fails if that has left since.
pub struct SendSink<T> {
    tx: Option<Sender<T>>,
    place: Place,
    reserved: bool,
}

impl<T> SendSink<T> {
    pub(crate) fn new(tx: Sender<T>) -> Self {
        Self { tx: Some(tx), place: Place::NOWHERE, reserved: false }
    }

    /// Ends it: its place in line, or its reserved place, goes to others.
    fn end(&mut self) {
        if let Some(tx) = self.tx.take() {
            if self.place.is_taken() {
                tx.channel.give_up_reserving(&mut self.place);
            }
            if core::mem::take(&mut self.reserved) {
                tx.channel.give_place_back();
            }
        }
    }
}

/// A reservation from a place that is kept elsewhere.
struct Reserving<'a, T>(&'a Channel<T>, &'a mut Place);

impl<T> Operation for Reserving<'_, T> {
    type Output = Result<(), Reason>;
    const OP: Op = Op::Send;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.0.reserve(self.1, offer)
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(Reason::cancelled(cause))
    }
}

impl<T> Unpin for SendSink<T> {}

impl<T> Sink<T> for SendSink<T> {
    /// The value is not in it: `poll_ready` had none.
    type Error = SendError<()>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        let this = self.get_mut();
        let closed = |reason| SendError::Closed((), reason);
        let Some(tx) = &this.tx else { return Poll::Ready(Err(closed(Reason::default()))) };
        if this.reserved {
            return Poll::Ready(Ok(()));
        }
        let outcome = ready!(wait::poll(&mut Reserving(&tx.channel, &mut this.place), cx));
        this.reserved = outcome.is_ok();
        Poll::Ready(outcome.map_err(closed))
    }

    fn start_send(self: Pin<&mut Self>, value: T) -> Result<(), SendError<()>> {
        let this = self.get_mut();
        let Some(tx) = &this.tx else { return Err(SendError::Closed((), Reason::default())) };
        if !core::mem::take(&mut this.reserved) {
            // Not asked whether it is ready: it may be all the same.
            return tx.try_send(value).map_err(|error| match error {
                super::TrySendError::Closed(_, reason) => SendError::Closed((), reason),
                super::TrySendError::Full(_) => SendError::Full(()),
            });
        }
        tx.channel.send_reserved(value).map_err(|error| match error {
            super::PermitError::Closed(_, reason) => SendError::Closed((), reason),
            super::PermitError::Gone(_) => SendError::Full(()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
        self.get_mut().end();
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for SendSink<T> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<T> fmt::Debug for SendSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendSink").field(&self.tx).finish()
    }
}
