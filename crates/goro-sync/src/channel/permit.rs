//! Reserving a place first, and sending a value into it later.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op};

use super::errors::{Closed, PermitError, Reason};
use super::shared::{Channel, call};
use crate::wait::{self, Attempt, Came, Left, Offer, Operation, Place};

/// The future of [`Sender::reserve`](super::Sender::reserve).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Reserve<'a, T> {
    channel: &'a Channel<T>,
    place: Place,
}

impl<'a, T> Reserve<'a, T> {
    pub(crate) fn new(channel: &'a Channel<T>) -> Self {
        Self { channel, place: Place::NOWHERE }
    }
}

impl<'a, T> Operation for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, Closed>;
    const OP: Op = Op::Send;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.channel.reserve(&mut self.place, offer).map(|reserved| {
            reserved.map(|()| Permit { channel: Some(self.channel) }).map_err(Closed)
        })
    }

    #[inline]
    fn stands(&self) -> bool {
        self.place.is_taken()
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(Closed(Reason::cancelled(cause)))
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for Reserve<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_reserving(&mut self.place);
        }
    }
}

impl<T> fmt::Debug for Reserve<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserve").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

/// A place in a channel, kept for one value; made by [`Sender::reserve`](super::Sender::reserve).
///
/// Dropped, it gives the place back. When the channel is closed it is revoked. At a rendezvous it
/// says only that a receiver was waiting: another sender may have served it, or it has left.
///
/// ```
/// use goro_sync::channel::bounded;
///
/// let (tx, rx) = bounded(1);
/// futures::executor::block_on(async {
///     let place = tx.reserve().await.unwrap();
///     assert!(tx.try_send(1).is_err(), "the only place is taken");
///     place.send(2).unwrap();
///     assert_eq!(rx.recv().await, Ok(2));
///     let place = tx.reserve().await.unwrap();
///     rx.close();
///     // The place was there before the close; it can still be used.
///     match place.send(3) {
///         Ok(()) => assert_eq!(rx.recv().await, Ok(3)),
///         Err(error) => assert_eq!(error.into_inner(), 3),
///     }
/// });
/// ```
#[must_use = "a permit that is dropped gives its place back"]
pub struct Permit<'a, T> {
    /// Not here once it was used.
    channel: Option<&'a Channel<T>>,
}

impl<T> Permit<'_, T> {
    /// Sends a value into the place, at once.
    ///
    /// # Errors
    /// [`PermitError`] with the value, if the permit was revoked meanwhile.
    pub fn send(mut self, value: T) -> Result<(), PermitError<T>> {
        match self.channel.take() {
            Some(channel) => channel.send_reserved(value),
            None => unreachable!("a permit is used once"),
        }
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if let Some(channel) = self.channel {
            channel.give_place_back();
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl<T> Channel<T> {
    /// One attempt to reserve a place.
    pub(crate) fn reserve(
        &self,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<(), Reason>> {
        let mut state = self.lock();
        let came = state.tx.arrive(place);
        if state.closed {
            let (left, reason) = (state.tx.leave(place), Reason(state.cause()));
            drop(state);
            drop(left);
            return Attempt::Done(Err(reason));
        }
        if state.may_go(came, place) {
            state.keep_place();
            let left = if came == Came::Early { state.tx.leave(place) } else { Left::Nothing };
            state.settle_senders();
            // At a rendezvous no place is used up: the next one may go as well.
            let sender = state.call_sender();
            drop(state);
            drop(left);
            call(sender);
            return Attempt::Done(Ok(()));
        }
        let left = match offer {
            None => state.tx.leave(place),
            Some(offer) => {
                if !state.tx.wait(place, offer, came, || ()) {
                    return Attempt::Unprepared;
                }
                offer.object = state.number();
                Left::Nothing
            }
        };
        let sender = state.call_another_sender();
        drop(state);
        drop(left);
        call(sender);
        Attempt::Waits
    }

    pub(crate) fn give_up_reserving(&self, place: &mut Place) {
        let mut state = self.lock();
        let left = state.tx.leave(place);
        let sender = state.call_sender();
        drop(state);
        drop(left);
        call(sender);
    }

    pub(crate) fn give_place_back(&self) {
        let mut state = self.lock();
        state.release_place();
        let (sender, caller) = (state.call_sender(), state.call_caller());
        drop(state);
        call(sender);
        call(caller);
    }

    pub(crate) fn send_reserved(&self, value: T) -> Result<(), PermitError<T>> {
        let mut state = self.lock();
        state.release_place();
        if state.closed {
            let reason = Reason(state.cause());
            drop(state);
            return Err(PermitError::Closed(value, reason));
        }
        if state.capacity == 0 && state.free() == 0 {
            drop(state);
            return Err(PermitError::Gone(value));
        }
        state.push(value);
        let receiver = state.call_receiver();
        drop(state);
        call(receiver);
        Ok(())
    }
}
