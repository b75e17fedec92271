//! How the thread that turns goes to sleep, and how its sleep is ended.
//!
//! While there is no source the kernel has nothing to report: the turner sleeps on its thread. A
//! notice is then one wake of a thread, and a deadline the timeout of that sleep; in the kernel's
//! poll the one is a write to a descriptor and a wake of whoever polls it, the other a timer set
//! beside the poll. The first source that is registered calls the sleeper into the poll.
//!
//! ```text
//!  the turner                          a thread with a first source
//!  finds no source (a glance)          the source is entered
//!  says that it sleeps on its thread   fence
//!  fence                               does the turner sleep on its thread? a notice
//!  no source still? sleeps
//! ```
//!
//! Invariants:
//! 1. While there is a source, nobody sleeps on its thread as the turner, but for the moment until
//!    the notice of whoever registered it has come. Of the two fences, one sees the other's write.
//! 2. A notice is the turner's token ([`Parker`]): given before or during a turn, it ends that turn
//!    or the next one, wherever that sleeps.
//!
//! Left out: sleeping on the thread while there are sources, which then nobody would watch.

use core::fmt;
use goro_shim::atomic::fence_seqcst;
use goro_shim::lock::Lock;
use goro_shim::thread::{self, Token};

use crate::parker::{Nudge, Parker};

/// The turner's place to sleep; see the module.
pub(crate) struct Notice {
    parker: Parker,
    /// Whose thread the parker knows.
    turner: Lock<Option<Token>>,
}

/// Where a turn is to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bed {
    /// Nowhere: there was a notice, which is taken.
    None,
    /// In the kernel's poll.
    Poll,
    /// On its thread.
    Thread,
}

impl Notice {
    pub(crate) fn new() -> Self {
        Self { parker: Parker::new(), turner: Lock::new(None) }
    }

    /// Turner: says where it is about to sleep, `has_none` telling whether there is no source.
    pub(crate) fn lie_down(&self, has_none: impl Fn() -> bool) -> Bed {
        if has_none() {
            self.adopt();
            if !self.parker.begin_sleeping() {
                return Bed::None;
            }
            // Partner: the fence in `is_to_be_called`.
            fence_seqcst();
            if has_none() {
                return Bed::Thread;
            }
            if self.parker.take() {
                return Bed::None;
            }
        }
        if self.parker.begin_polling() { Bed::Poll } else { Bed::None }
    }

    /// Makes the calling thread the one that a notice wakes.
    fn adopt(&self) {
        let this = thread::token();
        let before = self.turner.lock().replace(this);
        if before != Some(this) {
            self.parker.adopt();
        }
    }

    /// The parker, for a turner that has lain down.
    pub(crate) fn parker(&self) -> &Parker {
        &self.parker
    }

    /// A source has been entered: whether the turner sleeps where it would not hear of it.
    pub(crate) fn is_to_be_called(&self) -> bool {
        // Partner: the fence in `lie_down`.
        fence_seqcst();
        self.parker.is_asleep()
    }

    /// Gives the notice; true when the poll is to be interrupted.
    pub(crate) fn give(&self) -> bool {
        match self.parker.give() {
            Nudge::Nothing => {}
            Nudge::Thread => self.parker.wake_thread(),
            Nudge::Reactor => return true,
        }
        false
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parker.fmt(f)
    }
}

#[cfg(all(test, loom))]
mod models;
