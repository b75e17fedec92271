//! The side of a watch that changes the value.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::Op;
use goro_shim::Arc;
use goro_wait::Wakers;

use super::{Receiver, Replaced, Seen, SendError, Shared};
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Place};

/// The side that changes the value; made by [`channel`](super::channel), or by cloning.
///
/// ```
/// use goro_sync::watch;
///
/// let (tx, rx) = watch::channel(1);
/// assert!(tx.subscribe().same_channel(&rx) && tx.same_channel(&tx.clone()));
/// assert_eq!((tx.sender_count(), tx.receiver_count(), *tx.borrow()), (1, 1, 1));
/// assert_eq!(*tx.send_replace(2), 1);
/// assert!(!tx.send_if_modified(|value| *value > 5), "nobody is told");
/// drop(rx);
/// assert!(tx.is_closed());
/// futures::executor::block_on(tx.closed());
/// assert_eq!(tx.send(3).unwrap_err().0, 3);
/// ```
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    pub(super) fn first(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// Replaces the value, and wakes all receivers that wait. Never waits. The old value is dropped
    /// here, unless somebody still looks at it.
    ///
    /// # Errors
    /// The value back, if there is no receiver. ([`send_replace`](Self::send_replace) does not mind.)
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        // Panic: the old value's destructor may; the new one is in its place, and everybody woken.
        self.shared.publish(value, |_, receivers| receivers > 0).map(drop).map_err(SendError)
    }

    /// Replaces the value, also if there is no receiver, and gives back the old one.
    pub fn send_replace(&self, value: T) -> Seen<T> {
        match self.shared.publish(value, |_, _| true) {
            Ok(Replaced::Value(old)) => Seen::new(old),
            Ok(Replaced::Seen(old)) => old,
            Err(_) => unreachable!("it is replaced whatever there is"),
        }
    }

    /// Changes a copy of the value, and puts it in the place of the value, also if there is no
    /// receiver. No change by another sender is lost: if one came first, `change` is called again,
    /// with a copy of the newer value.
    ///
    /// ```
    /// # use goro_sync::watch;
    /// let (count, reader) = watch::channel(1);
    /// count.send_modify(|count| *count += 1);
    /// assert_eq!(*reader.borrow(), 2);
    /// ```
    pub fn send_modify(&self, mut change: impl FnMut(&mut T))
    where
        T: Clone,
    {
        self.send_if_modified(|value| {
            change(value);
            true
        });
    }

    /// As [`send_modify`](Self::send_modify), if `change` says that there is something new. The answer
    /// is what `change` said the last time.
    pub fn send_if_modified(&self, mut change: impl FnMut(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        loop {
            let (seen, version) = self.shared.look();
            // Panic: the copying, and the change, may; nothing has changed yet.
            let mut value = T::clone(&seen);
            if !change(&mut value) {
                return false;
            }
            drop(seen);
            if self.shared.publish(value, |now, _| now == version).is_ok() {
                return true;
            }
        }
    }

    /// The value as it is now.
    pub fn borrow(&self) -> Seen<T> {
        self.shared.look().0
    }

    /// Another receiver, which has seen the value as it is now.
    pub fn subscribe(&self) -> Receiver<T> {
        let version = {
            let mut state = self.shared.state.lock();
            state.receiver_count += 1;
            self.shared.version()
        };
        Receiver::at(Arc::clone(&self.shared), version)
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.state.lock().receiver_count
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.state.lock().sender_count
    }

    /// Whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    /// **Safe**: dropping the future has no effect.
    pub fn closed(&self) -> AllGone<'_, T> {
        AllGone { sender: self, place: Place::NOWHERE }
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.state.lock().sender_count += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut wakers = Wakers::new();
        {
            let mut state = self.shared.state.lock();
            state.sender_count -= 1;
            if state.sender_count == 0 {
                state.readers.call_all(&mut wakers);
            }
        }
        wakers.wake_all();
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("value", &self.borrow())
            .field("senders", &self.sender_count())
            .field("receivers", &self.receiver_count())
            .finish()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless polled"]
pub struct AllGone<'a, T> {
    sender: &'a Sender<T>,
    place: Place,
}

impl<T> Operation for AllGone<'_, T> {
    type Output = ();
    const OP: Op = Op::Once;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        let mut state = self.sender.shared.state.lock();
        let came = state.senders.arrive(&mut self.place);
        if state.receiver_count == 0 {
            return Attempt::Done(());
        }
        // It is always offered a waker: nobody gives it a time limit.
        let Some(offer) = offer else { return Attempt::Waits };
        if state.senders.wait(&mut self.place, offer, came, || ()) {
            Attempt::Waits
        } else {
            Attempt::Unprepared
        }
    }
}

impl<T> Future for AllGone<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for AllGone<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let left = self.sender.shared.state.lock().senders.leave(&mut self.place);
            left.let_go();
        }
    }
}

impl<T> fmt::Debug for AllGone<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllGone").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

impl<T> CancelSafe for AllGone<'_, T> {}
