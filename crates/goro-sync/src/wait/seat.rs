//! Room for one who waits, where no more than one can: no list, no memory of its own.
//!
//! Invariants:
//! 1. As in a [`Line`](super::Line), what comes out is woken or dropped once the lock is gone.

use core::task::Waker;

use super::Offer;

/// Room for one who waits.
#[derive(Debug, Default)]
pub(crate) struct Seat(Option<Waker>);

impl Seat {
    /// Nobody waits.
    pub(crate) const EMPTY: Self = Self(None);

    /// Waits here with the waker offered. False if none could be had under the lock.
    #[inline]
    #[must_use]
    pub(crate) fn sit(&mut self, offer: &mut Offer<'_>) -> bool {
        if self.0.as_ref().is_some_and(|waker| waker.will_wake(offer.theirs)) {
            return true;
        }
        let Some(waker) = offer.take() else { return false };
        offer.replaced = self.0.replace(waker);
        true
    }

    /// Takes out whoever waits: to be woken, or to be dropped because it is served or has given up.
    #[inline]
    pub(crate) fn clear(&mut self) -> Option<Waker> {
        self.0.take()
    }
}
