//! The side of a watch that looks at the value.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op};
use goro_shim::Arc;
use goro_wait::Wakers;

use super::{ChangedError, Closed, Seen, Shared};
use crate::block::block;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Place};

/// The side that looks at the value; made by [`channel`](super::channel), by
/// [`subscribe`](super::Sender::subscribe), or by cloning: a clone has seen what the original has.
///
/// ```
/// use goro_sync::watch;
///
/// let (tx, mut rx) = watch::channel(1);
/// assert_eq!((*rx.borrow(), rx.has_changed()), (1, Ok(false)));
/// tx.send(2).unwrap();
/// assert_eq!(rx.has_changed(), Ok(true));
/// assert_eq!(*rx.borrow_and_update(), 2);
/// rx.mark_changed();
/// rx.blocking_changed().unwrap();
/// rx.mark_changed();
/// rx.mark_unchanged();
/// assert_eq!(rx.has_changed(), Ok(false));
/// let later = std::thread::spawn(move || tx.send(3).unwrap());
/// assert_eq!(*rx.blocking_wait_for(|value| *value == 3).unwrap(), 3);
/// later.join().unwrap();
/// assert!(rx.same_channel(&rx.clone()));
/// assert!(futures::executor::block_on(rx.changed()).is_err(), "nobody sends any more");
/// ```
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// The version that was seen last.
    seen: u64,
    place: Place,
}

impl<T> Receiver<T> {
    pub(super) fn at(shared: Arc<Shared<T>>, seen: u64) -> Self {
        Self { shared, seen, place: Place::NOWHERE }
    }

    /// The value as it is now. It counts as seen only if it was before.
    pub fn borrow(&self) -> Seen<T> {
        self.shared.look().0
    }

    /// The value as it is now, which is seen hereby.
    pub fn borrow_and_update(&mut self) -> Seen<T> {
        let (value, version) = self.shared.look();
        self.seen = version;
        value
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    /// There is none, and there will be none: all senders are gone.
    pub fn has_changed(&self) -> Result<bool, Closed> {
        let changed = self.shared.version() != self.seen;
        if !changed && self.shared.state.lock().sender_count == 0 {
            // The last sender may have sent since, and then gone.
            return if self.shared.version() == self.seen { Err(Closed) } else { Ok(true) };
        }
        Ok(changed)
    }

    /// Has the value as it is now count as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version();
    }

    /// Has the value as it is now count as not seen.
    pub fn mark_changed(&mut self) {
        self.seen = self.shared.version().wrapping_sub(1);
    }

    /// Waits until there is a value that was not seen, and has it count as seen.
    ///
    /// # Errors
    /// All senders are gone, and the last value has been seen; or it would have to wait, and the code that
    /// runs was asked to stop.
    ///
    /// # Cancel safety
    /// **Safe**: a change that was not seen is still there.
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed { receiver: self, waits: false }
    }

    /// Waits until there is a value that `wanted` says yes to, which is seen hereby; the value as it is
    /// now is asked first. Values that are replaced before anybody looks are not asked.
    ///
    /// # Errors
    /// All senders are gone, and the last value is not wanted; or it would have to wait, and the code that
    /// runs was asked to stop.
    ///
    /// # Cancel safety
    /// **Safe**: values that were not wanted count as seen.
    ///
    /// # Example
    /// ```
    /// # use goro_sync::watch;
    /// # futures::executor::block_on(async {
    /// let (progress, mut reader) = watch::channel(10);
    /// progress.send(100).unwrap();
    /// assert_eq!(*reader.wait_for(|percent| *percent == 100).await.unwrap(), 100);
    /// # });
    /// ```
    pub fn wait_for<F: FnMut(&T) -> bool>(&mut self, wanted: F) -> WaitFor<'_, T, F> {
        WaitFor { changed: self.changed(), wanted, asked: false }
    }

    /// As [`changed`](Self::changed), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`changed`](Self::changed).
    pub fn blocking_changed(&mut self) -> Result<(), ChangedError> {
        block(self.changed())
    }

    /// As [`wait_for`](Self::wait_for), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn blocking_wait_for(
        &mut self,
        wanted: impl FnMut(&T) -> bool,
    ) -> Result<Seen<T>, ChangedError> {
        block(self.wait_for(wanted))
    }

    /// Whether both look at the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// One attempt to see a change.
    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Result<(), ChangedError>> {
        let version = self.shared.version();
        if version != self.seen {
            // The place in line is kept for the next time.
            self.seen = version;
            return Attempt::Done(Ok(()));
        }
        let mut state = self.shared.state.lock();
        let version = self.shared.version();
        if version != self.seen {
            self.seen = version;
            return Attempt::Done(Ok(()));
        }
        if state.sender_count == 0 {
            return Attempt::Done(Err(ChangedError::Closed));
        }
        // Without an offer it is a glance, which leaves the place as it is, or the last attempt before
        // `cancelled`, which gives the place up.
        let Some(offer) = offer else { return Attempt::Waits };
        let came = state.readers.arrive(&mut self.place);
        if state.readers.wait(&mut self.place, offer, came, || ()) {
            Attempt::Waits
        } else {
            Attempt::Unprepared
        }
    }

    /// Gives up a place in line.
    fn leave(&mut self) {
        if self.place.is_taken() {
            let left = self.shared.state.lock().readers.leave(&mut self.place);
            left.let_go();
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().receiver_count += 1;
        Self::at(Arc::clone(&self.shared), self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut wakers = Wakers::new();
        let left = {
            let mut state = self.shared.state.lock();
            state.receiver_count -= 1;
            if state.receiver_count == 0 {
                state.senders.call_all(&mut wakers);
            }
            state.readers.leave(&mut self.place)
        };
        left.let_go();
        wakers.wake_all();
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.shared.state.lock().sender_count == 0;
        f.debug_struct("Receiver")
            .field("value", &self.borrow())
            .field("changed", &(self.shared.version() != self.seen))
            .field("closed", &closed)
            .finish()
    }
}

/// The future of [`Receiver::changed`].
#[must_use = "futures do nothing unless polled"]
pub struct Changed<'a, T> {
    receiver: &'a mut Receiver<T>,
    /// Whether its waker may stand in line.
    waits: bool,
}

impl<T> Operation for Changed<'_, T> {
    type Output = Result<(), ChangedError>;
    const OP: Op = Op::Changed;
    const OBSERVES: bool = true;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let stays = offer.is_some();
        let attempt = self.receiver.attempt(offer);
        self.waits = stays && matches!(attempt, Attempt::Waits);
        attempt
    }

    #[inline]
    fn stands(&self) -> bool {
        self.waits
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        self.receiver.leave();
        Err(ChangedError::Cancelled(cause))
    }
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), ChangedError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        if self.waits {
            self.receiver.leave();
        }
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed").field("waits", &self.waits).finish_non_exhaustive()
    }
}

impl<T> CancelSafe for Changed<'_, T> {}

/// The future of [`Receiver::wait_for`].
#[must_use = "futures do nothing unless polled"]
pub struct WaitFor<'a, T, F> {
    changed: Changed<'a, T>,
    wanted: F,
    /// Whether the value last seen was asked.
    asked: bool,
}

impl<T, F: FnMut(&T) -> bool> Operation for WaitFor<'_, T, F> {
    type Output = Result<Seen<T>, ChangedError>;
    const OP: Op = Op::Changed;
    const OBSERVES: bool = true;

    fn attempt(&mut self, mut offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        loop {
            if !self.asked {
                let value = self.changed.receiver.borrow_and_update();
                // Panic: the closure may; the value counts as seen, and nothing is held.
                if (self.wanted)(&value) {
                    return Attempt::Done(Ok(value));
                }
                self.asked = true;
            }
            match self.changed.attempt(offer.as_deref_mut()) {
                Attempt::Done(Ok(())) => self.asked = false,
                Attempt::Done(Err(closed)) => return Attempt::Done(Err(closed)),
                Attempt::Waits => return Attempt::Waits,
                Attempt::Unprepared => return Attempt::Unprepared,
            }
        }
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        self.changed.receiver.leave();
        Err(ChangedError::Cancelled(cause))
    }
}

impl<T, F> Unpin for WaitFor<'_, T, F> {}

impl<T, F: FnMut(&T) -> bool> Future for WaitFor<'_, T, F> {
    type Output = Result<Seen<T>, ChangedError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T, F> fmt::Debug for WaitFor<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor").field("waits", &self.changed.waits).finish_non_exhaustive()
    }
}

impl<T, F: FnMut(&T) -> bool> CancelSafe for WaitFor<'_, T, F> {}
