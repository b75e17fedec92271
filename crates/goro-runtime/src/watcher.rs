//! Who sleeps in the reactor, and minds the deadlines of threads that are no workers.
//!
//! ```text
//!  a worker about to sleep there      a thread that is no worker
//!  watcher = this one                 puts a deadline among the outsiders'
//!  fence                              fence
//!  reads the outsiders' deadlines     is there a watcher? interrupts the reactor
//! ```
//!
//! Of the two, one sees the other: no deadline is slept through. (When nobody watches, somebody is
//! awake, and looks between two polls, or the monitor is.)
//!
//! Invariant: only who holds the reactor says that it watches, and unsays it.

use goro_shim::atomic::{AtomicU32, Ordering, fence_seqcst};

/// No worker watches the reactor.
pub(crate) const NOBODY: u32 = u32::MAX;

/// The worker that sleeps in the reactor; see the module.
#[derive(Debug)]
pub(crate) struct Watcher(AtomicU32);

impl Watcher {
    pub(crate) fn nobody() -> Self {
        Self(AtomicU32::new(NOBODY))
    }

    /// Who it is, or [`NOBODY`], by a glance.
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// `worker` watches from now on, and reads the deadlines next.
    pub(crate) fn begin(&self, worker: u32) {
        self.0.store(worker, Ordering::Relaxed);
        // Partner: the fence in `is_to_be_told`.
        fence_seqcst();
    }

    /// Nobody does any more.
    pub(crate) fn end(&self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }

    /// Whether there is a watcher that may not know the deadline which the caller has just put among
    /// the outsiders'.
    pub(crate) fn is_to_be_told(&self) -> bool {
        // Partner: the fence in `begin`.
        fence_seqcst();
        self.get() != NOBODY
    }
}

#[cfg(all(test, loom))]
mod models;
