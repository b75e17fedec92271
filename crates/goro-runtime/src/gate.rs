//! Whether a runtime takes tasks, and how its end knows that none is left.
//!
//! ```text
//!  RUNNING ──drain──▶ DRAINING ──terminate──▶ TERMINATING ──close──▶ CLOSING ──stop──▶ STOPPED
//!     ▲ └────────────────────────────close────────────────────────────▲                  │
//!     └───────────────────────────────open (another lease)───────────────────────────────┘
//! ```
//!
//! | | who may spawn | what becomes of tasks |
//! |---|---|---|
//! | RUNNING | all | |
//! | DRAINING | work that holds a guard (`shutdown`) | they run |
//! | TERMINATING | nobody | they run, and are asked to end |
//! | CLOSING | nobody | whatever is found is cancelled |
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
//! A spawn is refused before its task is made, by one load that every spawn owed to CLOSING anyway: all but
//! RUNNING go out of the way there. One that looked just before DRAINING or TERMINATING began is let in as if
//! it had come a moment earlier; only CLOSING needs the hand-shake above.
//!
//! Left out: spawns on a worker. Their spawner is itself live, or a worker that has yet to leave,
//! so the shutdown waits for it whether or not it sees the count; they need no fence.

use goro_shim::atomic::{AtomicU32, Ordering, fence_seqcst};

use crate::counters::Counter;

const RUNNING: u32 = 0;
const DRAINING: u32 = 1;
const TERMINATING: u32 = 2;
const CLOSING: u32 = 3;
const STOPPED: u32 = 4;

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
        // Ordering: Release pairs with the Acquire in `is_running`: who sees the gate open sees
        // what was set up before.
        self.0.store(RUNNING, Ordering::Release);
    }

    /// Whether everybody may spawn.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `open` and in every step on from there.
        self.0.load(Ordering::Acquire) == RUNNING
    }

    /// Whether only work that holds a guard may spawn.
    pub(crate) fn is_draining(&self) -> bool {
        // Ordering: as in `is_running`.
        self.0.load(Ordering::Acquire) == DRAINING
    }

    /// Whether nobody may spawn any more; tasks may still run.
    pub(crate) fn is_ending(&self) -> bool {
        // Ordering: as in `is_running`.
        self.0.load(Ordering::Acquire) >= TERMINATING
    }

    /// Whether tasks are cancelled.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        // Ordering: as in `is_running`.
        self.0.load(Ordering::Acquire) >= CLOSING
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

    /// To this phase, from one before it.
    fn rise(&self, to: u32) -> bool {
        let next = |phase| (phase < to).then_some(to);
        // Ordering: Release pairs with the Acquire in `is_running`.
        self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next).is_ok()
    }

    /// From now on only work that holds a guard may spawn.
    pub(crate) fn drain(&self) {
        self.rise(DRAINING);
    }

    /// From now on nobody may.
    pub(crate) fn terminate(&self) {
        self.rise(TERMINATING);
    }

    /// Has all tasks cancelled from now on; true for the caller that did it.
    pub(crate) fn close(&self) -> bool {
        let closed = self.rise(CLOSING);
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

    #[test]
    fn a_gate_that_drains_closes_later() {
        let (gate, spawned) = (Gate::new(), Counter::default());
        gate.open();
        gate.drain();
        assert!(gate.is_draining() && !gate.is_running() && !gate.is_ending());
        assert!(gate.admit(&spawned), "who has looked before is let in");
        gate.terminate();
        assert!(gate.is_ending() && !gate.is_draining() && !gate.is_closing());
        gate.drain();
        assert!(gate.is_ending(), "there is no way back");
        assert!(gate.close() && !gate.close());
        gate.terminate();
        assert!(gate.is_closing());
        gate.stop();
        gate.drain();
        assert!(gate.is_stopped());
    }
}
