//! How many threads work for a runtime: its workers, and the spares that stand in for stuck ones.
//!
//! Invariants:
//! 1. Whoever may run tasks is counted from before its thread is asked for until after it has left
//!    nothing behind. So "as many sleep as there are" means that nobody is awake.
//! 2. Once the last has left, the count stays zero until another lease: nobody joins a runtime that
//!    has stopped, and it is stopped once.
//!
//! Who sleeps is counted elsewhere (`idle`), so that question reads two words. It reads the sleepers
//! first. Whoever is counted asleep was a member before; who joins later is let in by somebody awake,
//! who is not among the sleepers. So a sum that comes out even names a moment when all were asleep,
//! or one after which somebody rose; and who rises looks whether the monitor sleeps (`alarm`).

use goro_shim::atomic::{AtomicU32, Ordering};

use crate::idle::Idle;

/// How many threads work for a runtime; see the module.
#[derive(Debug)]
pub(crate) struct Crew(AtomicU32);

impl Crew {
    /// Nobody, as between two leases.
    pub(crate) fn none() -> Self {
        Self(AtomicU32::new(0))
    }

    /// A lease begins, with so many workers.
    pub(crate) fn open(&self, workers: u32) {
        self.0.store(workers, Ordering::Relaxed);
    }

    /// Counts one more, unless all have left.
    #[must_use]
    pub(crate) fn join(&self) -> bool {
        let one_more = |count| if count == 0 { None } else { Some(count + 1) };
        // Ordering: Release and Acquire, as in `leave`: its changes are one chain.
        self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok()
    }

    /// One has left; true for the last.
    #[must_use]
    pub(crate) fn leave(&self) -> bool {
        // Ordering: Acquire and Release make the last one out see what all others did.
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether every one of them sleeps.
    pub(crate) fn is_asleep(&self, idle: &Idle) -> bool {
        // Acquire, in there: the count that is read here is no older than the sleepers.
        let sleeping = idle.asleep();
        sleeping == self.count()
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn nobody_joins_after_the_last_has_left() {
        let crew = Crew::none();
        assert!(!crew.join());
        crew.open(1);
        assert!(crew.join());
        assert!(!crew.leave());
        assert!(crew.leave(), "the last one out");
        assert!(!crew.join());
        assert_eq!(crew.count(), 0);
    }

    #[test]
    fn a_member_that_is_awake_keeps_all_from_being_asleep() {
        let (crew, idle) = (Crew::none(), Idle::new());
        crew.open(1);
        assert!(!crew.is_asleep(&idle));
        assert_eq!(idle.settle(0, false, || false), None);
        assert!(crew.is_asleep(&idle));
        assert!(crew.join());
        assert!(!crew.is_asleep(&idle));
    }
}
