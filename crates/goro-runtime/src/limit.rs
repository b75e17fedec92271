//! How many tasks may be live at a time.
//!
//! ```text
//!  spawner                               a task's end
//!  inside < most? inside += 1 : refuse   inside -= 1
//! ```
//!
//! Invariants:
//! 1. `inside` is never above `most`: a place is taken by a compare-and-swap that has seen it free.
//!    (Adding first and taking back what was too much would refuse a third spawner a place that is
//!    free.)
//! 2. A place is given back before the task's handle can tell that it has ended, so whoever has
//!    joined a task can spawn another in its place.
//! 3. With no limit, nothing is counted: a spawn and an end cost one load each.
//!
//! Left out: waiting for a place. Who wants to wait has a semaphore; here the answer is at once.

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering};

const NONE: u64 = u64::MAX;

/// A limit on tasks; see the module.
#[derive(Debug)]
pub(crate) struct Limit {
    most: AtomicU64,
    inside: CachePadded<AtomicU64>,
    refused: AtomicU64,
}

impl Limit {
    /// No limit.
    pub(crate) fn new() -> Self {
        Self {
            most: AtomicU64::new(NONE),
            inside: CachePadded(AtomicU64::new(0)),
            refused: AtomicU64::new(0),
        }
    }

    /// Sets the limit for another lease; no task is live.
    pub(crate) fn set(&self, most: Option<usize>) {
        self.most.store(most.map_or(NONE, |most| most as u64), Ordering::Relaxed);
        self.inside.store(0, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
    }

    /// Takes a place for a task that is about to be made; false when there is none.
    #[inline]
    pub(crate) fn admits(&self) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        most == NONE || self.enter(most)
    }

    #[cold]
    fn enter(&self, most: u64) -> bool {
        let next = |inside: u64| (inside < most).then_some(inside + 1);
        // Ordering: Acquire pairs with the Release in `give_back`: who gets a place sees what the
        // task before it did.
        let entered = self.inside.fetch_update(Ordering::Acquire, Ordering::Relaxed, next).is_ok();
        if !entered {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        entered
    }

    /// A task that was admitted has ended.
    #[inline]
    pub(crate) fn leave(&self) {
        if self.most.load(Ordering::Relaxed) != NONE {
            self.give_back();
        }
    }

    #[cold]
    fn give_back(&self) {
        // Ordering: Release pairs with the Acquire in `enter`.
        self.inside.fetch_sub(1, Ordering::Release);
    }

    /// How many tasks were not admitted in this lease.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_limit_and_again_when_one_has_left() {
        let limit = Limit::new();
        for most in [1, 2, 100] {
            limit.set(Some(most));
            for _ in 0..most {
                assert!(limit.admits());
            }
            assert!(!limit.admits());
            limit.leave();
            assert!(limit.admits());
            assert!(!limit.admits());
            assert_eq!(limit.refused(), 2);
        }
    }

    #[test]
    fn no_limit_counts_nothing() {
        let limit = Limit::new();
        assert!((0..1_000).all(|_| limit.admits()));
        limit.leave();
        limit.set(Some(1));
        assert!(limit.admits(), "nothing was counted before");
    }
}
