//! Receiving an item on approval: it goes back unless it is accepted.

use core::fmt;
use core::future::Future;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op};
use goro_shim::Arc;
use goro_wait::Wakers;

use super::errors::{Reason, RecvError};
use super::shared::{Channel, call, dispose};
use crate::wait::{self, Attempt, Offer, Operation, Place};

/// The future of [`Receiver::recv_lease`](super::Receiver::recv_lease).
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvLease<'a, T> {
    channel: &'a Arc<Channel<T>>,
    place: Place,
}

impl<'a, T> RecvLease<'a, T> {
    pub(crate) fn new(channel: &'a Arc<Channel<T>>) -> Self {
        Self { channel, place: Place::NOWHERE }
    }
}

impl<T> Operation for RecvLease<'_, T> {
    type Output = Result<Lease<T>, RecvError>;
    const OP: Op = Op::Recv;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let keep = |state: &mut super::state::State<T>| {
            state.keep_place();
            state.rare().leased += 1;
        };
        let attempt = self.channel.receive_and(&mut self.place, offer, keep);
        attempt.map(|received| {
            received.map(|item| Lease { channel: Arc::clone(self.channel), item: Some(item) })
        })
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(RecvError(Reason::cancelled(cause)))
    }
}

impl<T> Future for RecvLease<'_, T> {
    type Output = Result<Lease<T>, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for RecvLease<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_receiving(&mut self.place);
        }
    }
}

impl<T> fmt::Debug for RecvLease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvLease").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

/// An item that was received on approval; made by
/// [`Receiver::recv_lease`](super::Receiver::recv_lease).
///
/// [`accept`](Lease::accept) it when the work on it is done. Dropped without that, as by a panic, it
/// goes back to the front of the channel, for the next receiver. Meanwhile it keeps its place there,
/// and the channel is not over for the other receivers, although it may be closed and empty.
///
/// ```
/// use goro_sync::channel::bounded;
///
/// let (tx, rx) = bounded(1);
/// tx.try_send(String::from("job")).unwrap();
/// futures::executor::block_on(async {
///     let lease = rx.recv_lease().await.unwrap();
///     assert_eq!(lease.as_str(), "job");
///     // Dropped, it goes back; accepted, it is received.
///     drop(lease);
///     assert_eq!(rx.recv_lease().await.unwrap().accept(), "job");
/// });
/// ```
#[must_use = "a lease that is dropped goes back"]
pub struct Lease<T> {
    channel: Arc<Channel<T>>,
    /// Not here once it was accepted.
    item: Option<T>,
}

impl<T> Lease<T> {
    /// Makes the item the caller's: it does not go back any more.
    pub fn accept(mut self) -> T {
        match self.item.take() {
            Some(item) => {
                self.channel.settle_lease(None);
                item
            }
            None => unreachable!("a lease is accepted once"),
        }
    }
}

impl<T> Deref for Lease<T> {
    type Target = T;
    fn deref(&self) -> &T {
        match &self.item {
            Some(item) => item,
            None => unreachable!("an accepted lease is gone"),
        }
    }
}

impl<T> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.item {
            Some(item) => item,
            None => unreachable!("an accepted lease is gone"),
        }
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.channel.settle_lease(Some(item));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.item).finish()
    }
}

impl<T> Channel<T> {
    /// Ends a lease: with the item if it comes back.
    fn settle_lease(&self, back: Option<T>) {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        state.release_place();
        state.rare().leased -= 1;
        let homeless = match back {
            Some(item) if state.receivers > 0 => {
                state.push_front(item);
                None
            }
            other => other,
        };
        if state.is_over() {
            // Those who waited for it to come back need not any more, or have this one.
            state.rx.call_all(&mut wakers);
        }
        let (receiver, sender) = (state.call_receiver(), state.call_sender());
        let undelivered = state.undelivered();
        drop(state);
        wakers.wake_all();
        call(receiver);
        call(sender);
        dispose(undelivered.as_ref(), homeless.into_iter());
    }
}
