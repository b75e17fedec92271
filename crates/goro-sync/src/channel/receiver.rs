//! The end of a channel that values are taken out of.

use core::fmt;

use goro_context::time::{Duration, Instant};
use goro_shim::Arc;

use super::end::end;
use super::errors::{RecvError, RecvTimeoutError, TryRecvError};
use super::lease::RecvLease;
use super::many::RecvMany;
use super::receiving::{RecvFuture, RecvTimeout};
use super::shared::Channel;
use super::stream::RecvStream;
use crate::block::block;
use crate::wait::{Attempt, Place};

/// Takes values out of a channel. Clones take from the same channel: each value goes to one of
/// them. When the last one is dropped, the channel is closed, and what is left in it is dropped, or
/// given to its [`on_undelivered`](super::Builder::on_undelivered).
///
/// ```
/// use futures::StreamExt;
/// use goro_sync::channel::{TryRecvError, bounded};
/// use std::time::Duration;
///
/// let (tx, rx) = bounded(8);
/// assert_eq!((rx.len(), rx.capacity(), rx.is_empty()), (0, Some(8), true));
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// assert!(rx.blocking_recv_timeout(Duration::from_millis(1)).is_err());
/// (0..8).for_each(|number| tx.try_send(number).unwrap());
/// futures::executor::block_on(async {
///     assert_eq!(rx.recv_timeout(Duration::from_secs(1)).await, Ok(0));
///     let soon = goro_context::time::now() + Duration::from_secs(1);
///     assert_eq!(rx.recv_deadline(soon).await, Ok(1));
///     let mut some = Vec::new();
///     assert_eq!(rx.recv_many(&mut some, 3).await, Ok(3));
///     assert_eq!(some, [2, 3, 4]);
///     assert_eq!(rx.stream().next().await, Some(5));
/// });
/// let weak = rx.downgrade();
/// assert!(weak.upgrade().unwrap().same_channel(&rx));
/// assert_eq!((rx.sender_count(), rx.receiver_count(), rx.name()), (1, 1, None));
/// rx.close();
/// assert!(rx.is_closed());
/// futures::executor::block_on(async {
///     rx.closed().await;
///     let rest: Vec<_> = rx.into_stream().collect().await;
///     assert_eq!(rest, [6, 7], "what was sent before is received");
/// });
/// assert!(weak.upgrade().is_none());
/// ```
pub struct Receiver<T> {
    pub(crate) channel: Arc<Channel<T>>,
}

impl<T> Receiver<T> {
    pub(crate) fn new(channel: Arc<Channel<T>>) -> Self {
        Self { channel }
    }

    /// Receives a value, waiting for one if the channel is empty.
    ///
    /// Receivers that wait are called in the order in which they began to. Spends a unit of the
    /// task's budget.
    ///
    /// # Errors
    /// [`RecvError`] once the channel is closed and empty.
    ///
    /// # Cancel safety
    /// Safe: a value leaves the channel only in the poll that answers with it.
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = goro_sync::channel::bounded(1);
    /// tx.send(1).await.unwrap();
    /// drop(tx);
    /// assert_eq!(rx.recv().await, Ok(1));
    /// assert!(rx.recv().await.is_err());
    /// # });
    /// ```
    #[inline]
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(&self.channel)
    }

    /// Receives what is there, in order, up to `limit` values, into `into`; waits if nothing is.
    /// Answers how many that were: at least one, unless the limit is 0.
    ///
    /// Spends one unit of the task's budget for all of them.
    ///
    /// # Errors
    /// [`RecvError`] once the channel is closed and empty.
    ///
    /// # Cancel safety
    /// Safe: values leave the channel only in the poll that answers, and are in `into` then.
    pub fn recv_many<'a>(&'a self, into: &'a mut Vec<T>, limit: usize) -> RecvMany<'a, T> {
        RecvMany::new(&self.channel, into, limit)
    }

    /// The values as a `Stream`, until the channel is closed and empty.
    pub fn stream(&self) -> RecvStream<&Self, T> {
        RecvStream::new(self)
    }

    /// As [`stream`](Self::stream), with the receiver in it.
    pub fn into_stream(self) -> RecvStream<Self, T> {
        RecvStream::new(self)
    }

    /// Receives a value if one is there. At a rendezvous it takes that of a sender that waits.
    ///
    /// # Errors
    /// [`TryRecvError`]: the channel is empty, or it is closed as well.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut nowhere = Place::NOWHERE;
        match self.channel.receive(&mut nowhere, None) {
            Attempt::Done(Ok(value)) => Ok(value),
            Attempt::Done(Err(RecvError(reason))) => Err(TryRecvError::Closed(reason)),
            Attempt::Waits | Attempt::Unprepared => Err(TryRecvError::Empty),
        }
    }

    /// Receives a value on approval: unless it is [accepted](super::Lease::accept), it goes back to
    /// the front of the channel when the lease is dropped, as it is when a task panics.
    ///
    /// # Errors
    /// [`RecvError`] once the channel is closed and empty, and nothing can come back.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// # Example
    /// ```
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = goro_sync::channel::bounded(1);
    /// tx.send("job").await.unwrap();
    /// let lease = rx.recv_lease().await.unwrap();
    /// drop(lease); // whoever worked on it gave up
    /// let lease = rx.recv_lease().await.unwrap();
    /// assert_eq!(lease.accept(), "job");
    /// # });
    /// ```
    pub fn recv_lease(&self) -> RecvLease<'_, T> {
        RecvLease::new(&self.channel)
    }

    /// As [`recv`](Self::recv), for so long from the first time that it has to wait.
    ///
    /// Whether a value was received is decided under the channel's lock: a timeout means that none
    /// was taken.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    ///
    /// # Cancel safety
    /// Safe.
    pub fn recv_timeout(&self, limit: Duration) -> RecvTimeout<'_, T> {
        RecvTimeout::after(limit, self.recv())
    }

    /// As [`recv_timeout`](Self::recv_timeout), until a point in time.
    ///
    /// # Errors
    /// [`RecvTimeoutError`].
    ///
    /// # Cancel safety
    /// Safe.
    pub fn recv_deadline(&self, deadline: Instant) -> RecvTimeout<'_, T> {
        RecvTimeout::at(deadline, self.recv())
    }

    /// As [`recv`](Self::recv), on a thread that sleeps while it has to wait.
    ///
    /// Legal anywhere. In a task it keeps a worker from other work, which is declared to the
    /// runtime; prefer [`recv`](Self::recv) there.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn blocking_recv(&self) -> Result<T, RecvError> {
        block(self.recv())
    }

    /// As [`recv_timeout`](Self::recv_timeout), on a thread that sleeps while it has to wait.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn blocking_recv_timeout(&self, limit: Duration) -> Result<T, RecvTimeoutError> {
        block(self.recv_timeout(limit))
    }
}

end!(Receiver, receivers, WeakReceiver, add_receiver, drop_receiver);
