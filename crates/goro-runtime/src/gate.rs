//! Whether a runtime takes tasks, and how its end knows that none is left.
//!
//! ```text
//!  RUNNING ──close──▶ CLOSING ──stop──▶ STOPPED ──open──▶ RUNNING (another lease)
//! ```
//!
//! A spawn from outside meets a shutdown:
//!
//! ```text
//!  spawner                      shutdown
//!  spawned += 1                 phase = CLOSING
//!  fence                        fence
//!  CLOSING? cancel              until spawned = finished: cancel what arrives
//!  else inject
//! ```
//!
//! Of the two, one sees the other: either the spawner sees the closing and cancels the task itself,
//! or the shutdown sees the count, and waits for the task to arrive in the injector.
//!
//! Invariants:
//! 1. A task is counted as spawned before the phase is looked at, and as finished when it has ended.
//! 2. Finished is summed before spawned: both only grow, so equal sums mean that at the moment
//!    between the two nothing was live.
//!
//! Left out: spawns on a worker. Their spawner is itself live, or a worker that has yet to leave,
//! so the shutdown waits for it whether or not it sees the count; they need no fence.

use goro_shim::atomic::{AtomicU32, Ordering, fence_seqcst};

use crate::counters::Counter;

const RUNNING: u32 = 0;
const CLOSING: u32 = 1;
const STOPPED: u32 = 2;

/// A runtime's phase; see the module.
#[derive(Debug)]
pub(crate) struct Gate(AtomicU32);

impl Gate {
    /// A gate that has not been opened.
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(STOPPED))
    }

    /// Takes tasks from now on.
    pub(crate) fn open(&self) {
        // Ordering: Release pairs with the Acquire in `is_closing`: who sees the gate open sees
        // what was set up before.
        self.0.store(RUNNING, Ordering::Release);
    }

    /// Whether tasks are refused.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `open`, `close` and `stop`.
        self.0.load(Ordering::Acquire) != RUNNING
    }

    /// Whether nothing will ever happen behind it again.
    pub(crate) fn is_stopped(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `stop`.
        self.0.load(Ordering::Acquire) == STOPPED
    }

    /// A task from outside is about to be queued: counts it, and says whether it may be. If not,
    /// the caller cancels it, which counts it as finished.
    pub(crate) fn admit(&self, spawned: &Counter) -> bool {
        self.admit_all(spawned, 1)
    }

    /// As [`admit`](Self::admit), for `count` tasks at once: all of them may be queued, or none.
    pub(crate) fn admit_all(&self, spawned: &Counter, count: u64) -> bool {
        spawned.add_shared(count);
        // Partner: the fence in `close`.
        fence_seqcst();
        !self.is_closing()
    }

    /// Refuses tasks from now on; true for the caller that did it.
    pub(crate) fn close(&self) -> bool {
        // Ordering: Release pairs with the Acquire in `is_closing`.
        let closed =
            self.0.compare_exchange(RUNNING, CLOSING, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        // Partner: the fence in `admit`.
        fence_seqcst();
        closed
    }

    /// Everybody has left.
    pub(crate) fn stop(&self) {
        // Ordering: Release pairs with the Acquire in `is_stopped`.
        self.0.store(STOPPED, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_gate_goes_round() {
        let (gate, spawned) = (Gate::new(), Counter::default());
        assert!(gate.is_closing() && gate.is_stopped());
        gate.open();
        assert!(!gate.is_closing() && gate.admit(&spawned));
        assert!(gate.close(), "the first to close it");
        assert!(!gate.close(), "the second");
        assert!(gate.is_closing() && !gate.is_stopped() && !gate.admit(&spawned));
        gate.stop();
        assert!(gate.is_stopped());
        gate.open();
        assert!(gate.admit(&spawned));
        assert_eq!(spawned.get(), 3, "each was counted, taken or not");
    }
}
