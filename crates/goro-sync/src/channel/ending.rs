//! Waiting for the end of a channel.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;

use super::shared::Channel;
use crate::wait::{self, Attempt, Offer, Operation, Place};

/// The future of `closed()` on either end of a channel.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ClosedFuture<'a, T> {
    channel: &'a Channel<T>,
    place: Place,
}

impl<'a, T> ClosedFuture<'a, T> {
    pub(crate) fn new(channel: &'a Channel<T>) -> Self {
        Self { channel, place: Place::NOWHERE }
    }
}

impl<T> Operation for ClosedFuture<'_, T> {
    type Output = ();
    const OP: Op = Op::Cancelled;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        let mut state = self.channel.lock();
        let number = state.number();
        let closed = state.closed;
        let ending = &mut state.rare().ending;
        let came = ending.arrive(&mut self.place);
        if let Some(offer) = offer.filter(|_| !closed) {
            offer.object = number;
            return match ending.wait(&mut self.place, offer, came, || ()) {
                true => Attempt::Waits,
                false => Attempt::Unprepared,
            };
        }
        let left = ending.leave(&mut self.place);
        drop(state);
        drop(left);
        if closed { Attempt::Done(()) } else { Attempt::Waits }
    }
}

impl<T> Future for ClosedFuture<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for ClosedFuture<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let left = self.channel.lock().rare().ending.leave(&mut self.place);
            drop(left);
        }
    }
}

impl<T> fmt::Debug for ClosedFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedFuture").finish_non_exhaustive()
    }
}
