//! The end of a channel that values are put into.

use core::fmt;

use goro_context::time::{Duration, Instant};
use goro_shim::Arc;

use super::end::end;
use super::errors::{ForceSendError, Reason, SendError, SendTimeoutError, TrySendError};
use super::many::SendMany;
use super::permit::Reserve;
use super::sending::{self, SendFuture, SendTimeout};
use super::shared::{Channel, call, overflow};
use super::stream::SendSink;
use crate::block::block;
use crate::wait::{Came, Place};

/// Puts values into a channel. Clones send into the same channel; when the last one is dropped, the
/// channel is closed.
///
/// ```
/// use goro_sync::channel::{SendTimeoutError, bounded};
/// use std::time::Duration;
///
/// let (tx, rx) = bounded(2);
/// tx.blocking_send(1).unwrap();
/// assert_eq!((tx.len(), tx.capacity(), tx.is_empty()), (1, Some(2), false));
/// assert!(tx.blocking_send_timeout(2, Duration::from_millis(1)).is_ok());
/// futures::executor::block_on(async {
///     let late = tx.send_timeout(3, Duration::from_millis(1)).await.unwrap_err();
///     assert!(matches!(late, SendTimeoutError::Timeout(3)));
///     assert_eq!(late.into_inner(), 3);
///     let past = goro_context::time::now();
///     assert_eq!(tx.send_deadline(4, past).into_inner(), Some(4));
/// });
/// let weak = tx.downgrade();
/// assert!(weak.upgrade().unwrap().same_channel(&tx));
/// assert_eq!((tx.sender_count(), tx.receiver_count(), tx.name()), (1, 1, None));
/// drop(rx);
/// assert!(tx.is_closed());
/// futures::executor::block_on(tx.closed());
/// assert_eq!(tx.try_send(5).unwrap_err().into_inner(), 5);
/// assert_eq!(tx.blocking_send(5).unwrap_err().into_inner(), 5);
/// assert_eq!(tx.force_send(5).unwrap_err().into_inner(), 5);
/// assert_eq!(tx.send_many([5, 6]).into_inner(), [5, 6]);
/// ```
pub struct Sender<T> {
    pub(crate) channel: Arc<Channel<T>>,
}

impl<T> Sender<T> {
    pub(crate) fn new(channel: Arc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Sends a value, waiting for a place if the channel is full (unless it has another
    /// [`Overflow`](super::Overflow) policy).
    ///
    /// Senders that wait are served in the order in which they began to. Spends a unit of the task's
    /// budget.
    ///
    /// # Errors
    /// [`SendError`] with the value, if the channel is closed or all receivers are gone.
    ///
    /// # Cancel safety
    /// Returns: a future that is dropped has not sent, and its value is dropped with it, or comes
    /// back from [`into_inner`](SendFuture::into_inner). Only at a rendezvous (capacity 0) may a
    /// receiver have taken the value before; then it *was* sent, and `into_inner` says so.
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = goro_sync::channel::bounded(1);
    /// tx.send(7).await?;
    /// drop(rx);
    /// assert_eq!(tx.send(8).await.unwrap_err().into_inner(), 8);
    /// # Ok::<(), goro_sync::channel::SendError<i32>>(()) }).unwrap();
    /// ```
    #[inline]
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture::new(&self.channel, value)
    }

    /// Sends a value if that is possible at once.
    ///
    /// At a rendezvous it is if a receiver waits that nobody else has a value for; the value then is
    /// in the channel until that receiver, or the next one, takes it.
    ///
    /// # Errors
    /// [`TrySendError`] with the value: the channel is full, or others are waiting; or it is closed.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.channel.lock();
        if state.closed {
            let reason = Reason(state.cause());
            drop(state);
            return Err(TrySendError::Closed(value, reason));
        }
        if !state.may_go(Came::New, &Place::NOWHERE) {
            return overflow(state, value).map_err(Into::into);
        }
        state.push(value);
        state.settle_senders();
        let receiver = state.call_receiver();
        drop(state);
        call(receiver);
        Ok(())
    }

    /// As [`send`](Self::send), for so long from the first time that it has to wait.
    ///
    /// Whether it was sent is decided under the channel's lock: a timeout means that it was not.
    ///
    /// # Errors
    /// [`SendTimeoutError`] with the value.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub fn send_timeout(&self, value: T, limit: Duration) -> SendTimeout<'_, T> {
        SendTimeout::after(limit, self.send(value))
    }

    /// As [`send_timeout`](Self::send_timeout), until a point in time.
    ///
    /// # Errors
    /// [`SendTimeoutError`] with the value.
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub fn send_deadline(&self, value: T, deadline: Instant) -> SendTimeout<'_, T> {
        SendTimeout::at(deadline, self.send(value))
    }

    /// As [`send`](Self::send), on a thread that sleeps while it has to wait.
    ///
    /// Legal anywhere. In a task it keeps a worker from other work, which is declared to the
    /// runtime; prefer [`send`](Self::send) there.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        sending::blocking(&self.channel, value)
    }

    /// As [`send_timeout`](Self::send_timeout), on a thread that sleeps while it has to wait.
    ///
    /// # Errors
    /// As [`send_timeout`](Self::send_timeout).
    pub fn blocking_send_timeout(
        &self,
        value: T,
        limit: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        block(self.send_timeout(value, limit))
    }

    /// Sends a value at once. If there is no place for it, the oldest one leaves the channel, and is
    /// returned. (If all places are reserved and none is used, the channel holds one more for once.)
    ///
    /// # Errors
    /// [`ForceSendError`] with the value: the channel is closed, or a rendezvous.
    ///
    /// # Example
    /// ```
    /// let (tx, rx) = goro_sync::channel::bounded(1);
    /// assert_eq!(tx.force_send("old"), Ok(None));
    /// assert_eq!(tx.force_send("new"), Ok(Some("old")));
    /// assert_eq!(rx.try_recv(), Ok("new"));
    /// ```
    pub fn force_send(&self, value: T) -> Result<Option<T>, ForceSendError<T>> {
        let mut state = self.channel.lock();
        if state.closed {
            let reason = Reason(state.cause());
            drop(state);
            return Err(ForceSendError::Closed(value, reason));
        }
        if state.capacity == 0 {
            drop(state);
            return Err(ForceSendError::Unsupported(value));
        }
        let oldest = if state.free() == 0 { state.pop() } else { None };
        state.push(value);
        state.settle_senders();
        let receiver = state.call_receiver();
        drop(state);
        call(receiver);
        Ok(oldest)
    }

    /// Sends many values, in order, as [`send`](Self::send) sends each of them; others may send in
    /// between. One lock is taken for as many as there is room for.
    ///
    /// # Errors
    /// [`SendManyError`](super::SendManyError) with all values that were not sent, in order.
    ///
    /// # Cancel safety
    /// Returns, as [`send`](Self::send): a future that is dropped has sent some of the first values,
    /// and has all others ([`into_inner`](SendMany::into_inner)).
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = goro_sync::channel::unbounded();
    /// tx.send_many(0..1000).await.unwrap();
    /// let mut received = Vec::new();
    /// assert_eq!(rx.recv_many(&mut received, 100).await, Ok(100));
    /// assert_eq!(received[99], 99);
    /// # });
    /// ```
    pub fn send_many(&self, values: impl IntoIterator<Item = T>) -> SendMany<'_, T> {
        SendMany::new(&self.channel, values)
    }

    /// The sender as a `Sink`.
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// use futures::{SinkExt, StreamExt};
    /// let (tx, rx) = goro_sync::channel::bounded(8);
    /// let mut sink = tx.into_sink();
    /// sink.send("a").await.unwrap();
    /// sink.close().await.unwrap();
    /// assert_eq!(rx.stream().collect::<Vec<_>>().await, ["a"]);
    /// # });
    /// ```
    pub fn into_sink(self) -> SendSink<T> {
        SendSink::new(self)
    }

    /// Waits for a place, and keeps it for a value to be sent later: `select!` can wait for that
    /// without giving a value away.
    ///
    /// # Errors
    /// [`Closed`](super::Closed) if the channel is closed or all receivers are gone.
    ///
    /// # Cancel safety
    /// Place: a future that is dropped has reserved nothing, and has lost its place in line. A permit
    /// that is dropped gives its place back.
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = goro_sync::channel::bounded(1);
    /// let permit = tx.reserve().await.unwrap();
    /// assert!(tx.try_send("no place").is_err());
    /// permit.send("mine").unwrap();
    /// assert_eq!(rx.recv().await, Ok("mine"));
    /// # });
    /// ```
    pub fn reserve(&self) -> Reserve<'_, T> {
        Reserve::new(&self.channel)
    }
}

end!(Sender, senders, WeakSender, add_sender, drop_sender);
