//! A channel's operations: what happens under its lock, and what after.
//!
//! Each operation locks once, decides by the rules of [`State`], gives the lock back, and then wakes
//! and drops what it took out.
//!
//! Invariants:
//! 1. Whatever holds user code (wakers, items) is declared before the guard, or moved out of it, so that
//!    it is dropped after.
//! 2. Whoever changes what the lock's hint tells sets it before the lock is given back. It may be read without
//!    the lock, as a hint: what it says may have changed, and only an attempt under the lock finds out.

mod receive;
mod send;

use core::fmt;
use core::ops::{Deref, DerefMut};

use goro_context::contain;
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::lock::{Guard, Lock};
use goro_wait::Wakers;

use super::state::{State, Undelivered};
use crate::names::Name;
use crate::wait::Waiter;

pub(crate) use send::overflow;

/// What the ends of a channel share.
pub(crate) struct Channel<T> {
    /// Its hint is whether [there is nothing](State::has_nothing).
    state: Lock<State<T>>,
}

/// A channel's lock, taken; see [`State::settle_ease`].
pub(crate) struct Hold<'a, T> {
    state: Guard<'a, State<T>>,
    hint: &'a AtomicBool,
}

impl<T> Deref for Hold<'_, T> {
    type Target = State<T>;
    #[inline]
    fn deref(&self) -> &State<T> {
        &self.state
    }
}

impl<T> DerefMut for Hold<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State<T> {
        &mut self.state
    }
}

impl<T> Drop for Hold<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.state.settle_ease();
        // Ordering: a hint; the lock orders all that counts.
        self.hint.store(self.state.has_nothing(), Ordering::Relaxed);
    }
}

/// Wakes who was called, with no lock held.
#[inline]
pub(crate) fn call(waiter: Option<Waiter>) {
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

impl<T> Channel<T> {
    pub(crate) fn new(state: State<T>) -> Self {
        let channel = Self { state: Lock::new(state) };
        drop(channel.lock());
        channel
    }

    /// Locks for whatever is to be done.
    #[inline]
    pub(crate) fn lock(&self) -> Hold<'_, T> {
        self.hold(self.state.lock())
    }

    #[inline]
    fn hold<'a>(&'a self, state: Guard<'a, State<T>>) -> Hold<'a, T> {
        Hold { state, hint: self.state.hint() }
    }

    /// Whether there seems to be nothing to receive, nobody to be called, and no end.
    #[inline]
    pub(crate) fn seems_idle(&self) -> bool {
        // Ordering: a hint, see invariant 2.
        self.state.hint().load(Ordering::Relaxed)
    }

    /// For `Debug`: nothing of the items is shown.
    pub(crate) fn describe(&self, end: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let name = state.rare.as_ref().and_then(|rare| rare.name.as_ref().map(Name::text));
        let (len, capacity, closed) = (state.len(), state.capacity, state.closed);
        let (senders, receivers) = (state.senders, state.receivers);
        drop(state);
        let mut out = f.debug_struct(end);
        if let Some(name) = name {
            out.field("name", &name);
        }
        out.field("len", &len.min(capacity));
        if capacity < usize::MAX {
            out.field("capacity", &capacity);
        }
        out.field("senders", &senders).field("receivers", &receivers).field("closed", &closed);
        out.finish()
    }

    // --- The end ------------------------------------------------------------------------------

    /// Closes the channel, for a reason if one is given. False if it was closed before.
    pub(crate) fn close(&self, cause: Option<goro_context::Cause>) -> bool {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        let closes = state.close(&mut wakers);
        if closes && cause.is_some() {
            state.rare().cause = cause;
        }
        drop(state);
        wakers.wake_all();
        closes
    }

    pub(crate) fn add_sender(&self) {
        let mut state = self.lock();
        state.senders =
            state.senders.checked_add(1).expect("a channel has fewer than 2^32 senders");
    }

    pub(crate) fn add_receiver(&self) {
        let mut state = self.lock();
        let more = state.receivers.checked_add(1);
        state.receivers = more.expect("a channel has fewer than 2^32 receivers");
    }

    pub(crate) fn drop_sender(&self) {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            state.close(&mut wakers);
        }
        drop(state);
        wakers.wake_all();
    }

    pub(crate) fn drop_receiver(&self) {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        state.close(&mut wakers);
        let remains = state.remains();
        let undelivered = state.undelivered();
        drop(state);
        wakers.wake_all();
        dispose(undelivered.as_ref(), remains);
    }
}

impl<T> State<T> {
    pub(crate) fn undelivered(&self) -> Option<Undelivered<T>> {
        self.rare.as_ref()?.undelivered.clone()
    }
}

/// Ends items that nobody will receive: the channel's owner may want to know of them.
pub(crate) fn dispose<T>(undelivered: Option<&Undelivered<T>>, items: impl Iterator<Item = T>) {
    for item in items {
        // Panic: the hook, or the item's destructor, may; the others are ended all the same.
        contain::quietly(|| match undelivered {
            Some(undelivered) => undelivered(item),
            None => drop(item),
        });
    }
}
