//! Who is in a group: coming, leaving, and the end, against the end of whoever waits for it.
//!
//! ```text
//!                    enter, keep, leave                 nobody is left: close_if_empty
//!   ┌──────┐ ◀────────────────────────────┐    ┌──────────────────────────────────────▶┌────────┐
//!   │ open │──────────────────────────────┘────┤                                       │ closed │
//!   └──────┘                                   └──────────────────────────────────────▶└────────┘
//!                                                whoever waits has gone: close
//!   At any time: end_all, once the members' time is up. Who keeps a handle after that ends it.
//! ```
//!
//! Invariants:
//! 1. A member is inside from before its task exists until its future is gone. Its handle is kept once the task
//!    exists, if it is inside still.
//! 2. Nobody enters what is closed; it is closed when nobody is inside, or when nobody waits any more.
//! 3. Whoever leaves last notifies; whoever waits makes its notification before it looks. So one of the two sees
//!    the other.
//! 4. Each handle is given out by `end_all`, or told by `keep` that it comes late, unless its member has left.

use goro_shim::lock::Lock;
use goro_sync::{Notified, Notify};
use goro_wait::{Key, WaitList};

/// Who is in a group, by handles with which they can be ended; see the module.
pub(crate) struct Members<H> {
    state: Lock<State<H>>,
    empty: Notify,
}

struct State<H> {
    inside: WaitList<Option<H>>,
    /// How many have entered so far.
    entered: u64,
    closed: bool,
    ending: bool,
}

/// What became of a handle that was to be kept.
pub(crate) struct Kept<H> {
    /// It, where its member has left.
    pub(crate) unused: Option<H>,
    /// It, if it is to be ended now.
    pub(crate) late: Option<H>,
}

impl<H: Clone> Members<H> {
    /// Open, with nobody inside.
    pub(crate) fn new() -> Self {
        let state = State { inside: WaitList::new(), entered: 0, closed: false, ending: false };
        Self { state: Lock::new(state), empty: Notify::new() }
    }

    /// One comes; `None` if it is closed.
    pub(crate) fn enter(&self) -> Option<Key> {
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        state.entered += 1;
        Some(state.inside.push_back(None))
    }

    /// Keeps the handle of one that has entered.
    pub(crate) fn keep(&self, member: Key, handle: H) -> Kept<H> {
        let mut state = self.state.lock();
        let late = state.ending.then(|| handle.clone());
        let unused = match state.inside.get_mut(member) {
            Some(kept) => kept.replace(handle),
            None => Some(handle),
        };
        drop(state);
        Kept { unused, late }
    }

    /// One leaves; with its handle, and whether nobody is left.
    pub(crate) fn leave(&self, member: Key) -> (Option<H>, bool) {
        let (handle, is_last) = {
            let mut state = self.state.lock();
            (state.inside.remove(member).flatten(), state.inside.is_empty())
        };
        if is_last {
            self.empty.notify_waiters();
        }
        (handle, is_last)
    }

    /// How many are inside.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().inside.len()
    }

    /// How many have entered so far, and how many of them are inside.
    pub(crate) fn census(&self) -> (u64, usize) {
        let state = self.state.lock();
        (state.entered, state.inside.len())
    }

    /// What `of` says of some of those inside, of `most` at most; it must only move data.
    pub(crate) fn some<T>(&self, most: usize, of: impl Fn(&H) -> T) -> Vec<T> {
        let mut some = Vec::with_capacity(most);
        let state = self.state.lock();
        some.extend(
            state.inside.iter().filter_map(|(_, handle)| handle.as_ref()).map(of).take(most),
        );
        drop(state);
        some
    }

    /// Waits until nobody is inside; nobody comes after that.
    pub(crate) async fn close_when_empty(&self) {
        while let Some(left) = self.close_or_wait() {
            left.await;
        }
    }

    /// Closes it if nobody is inside; what to wait for, if somebody is.
    pub(crate) fn close_or_wait(&self) -> Option<Notified<'_>> {
        let left = self.empty.notified();
        let mut state = self.state.lock();
        state.closed |= state.inside.is_empty();
        (!state.closed).then_some(left)
    }

    /// Lets nobody in any more; how many are inside.
    pub(crate) fn close(&self) -> usize {
        let mut state = self.state.lock();
        state.closed = true;
        state.inside.len()
    }

    /// The handles of all, whose time is up; who keeps one later is told.
    pub(crate) fn end_all(&self) -> Vec<H> {
        let mut state = self.state.lock();
        state.ending = true;
        state.inside.iter().filter_map(|(_, handle)| handle.clone()).collect()
    }
}

#[cfg(all(test, loom))]
mod models;
