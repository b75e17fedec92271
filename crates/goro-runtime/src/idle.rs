//! Who sleeps, who searches, and whom to wake. The protocol and its argument: `idle/README.md`.
//!
//! One word holds two counts, so that "somebody sleeps and nobody searches" is one load:
//!
//! ```text
//!   63          32 31           0
//!  ┌──────────────┬──────────────┐
//!  │  searching   │   sleeping   │
//!  └──────────────┴──────────────┘
//! ```
//!
//! Invariants:
//! 1. `sleeping` equals the length of the stack, and changes only under its lock.
//! 2. Who wakes a sleeper counts it as searching in the same step; so at most one is on its way.
//! 3. A worker that stops searching because it found work, and was the last one, fences and looks
//!    at the injector once more ([`Idle::end_search`] says when).
//! 4. A worker that goes to sleep fences after [`Idle::lie_down`] and before its last look at
//!    everything that can hold work; a push from outside fences before [`Idle::wanted`].

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::lock::Lock;

const SLEEPER: u64 = 1;
const SEARCHER: u64 = 1 << 32;

/// Who sleeps and how many search.
#[derive(Debug)]
pub(crate) struct Idle {
    counts: CachePadded<AtomicU64>,
    asleep: Lock<Vec<u32>>,
}

/// What [`Idle::get_up`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GotUp {
    /// Nobody had woken this worker: it is simply awake.
    ByItself,
    /// Somebody had taken it off the stack: it is counted as searching.
    Woken,
}

impl Idle {
    pub(crate) fn new() -> Self {
        Self { counts: CachePadded(AtomicU64::new(0)), asleep: Lock::new(Vec::new()) }
    }

    fn read(&self) -> (u32, u32) {
        let counts = self.counts.load(Ordering::Relaxed);
        ((counts & u64::from(u32::MAX)) as u32, (counts >> 32) as u32)
    }

    /// How many workers sleep.
    #[inline]
    pub(crate) fn sleeping(&self) -> u32 {
        self.read().0
    }

    /// How many workers search.
    #[inline]
    pub(crate) fn searching(&self) -> u32 {
        self.read().1
    }

    /// Whether a wake-up would help: somebody sleeps and nobody is looking already.
    #[inline]
    pub(crate) fn wanted(&self) -> bool {
        let (sleeping, searching) = self.read();
        sleeping > 0 && searching == 0
    }

    /// A running worker has run dry and begins to search.
    pub(crate) fn begin_search(&self) {
        self.counts.fetch_add(SEARCHER, Ordering::Relaxed);
    }

    /// A searcher has found work. True when it was the last one: it then owes a fence and a look
    /// at the injector, since a push that saw it searching has woken nobody.
    #[must_use]
    pub(crate) fn end_search(&self) -> bool {
        // Ordering: Release and Acquire make the last one out see what the others saw.
        let before = self.counts.fetch_sub(SEARCHER, Ordering::AcqRel);
        before >> 32 == 1
    }

    /// A worker goes to sleep; `searching` says whether it was counted as a searcher.
    pub(crate) fn lie_down(&self, worker: u32, searching: bool) {
        let mut asleep = self.asleep.lock();
        asleep.push(worker);
        if searching {
            self.counts.fetch_sub(SEARCHER - SLEEPER, Ordering::AcqRel);
        } else {
            self.counts.fetch_add(SLEEPER, Ordering::AcqRel);
        }
    }

    /// A worker that had lain down is awake again.
    pub(crate) fn get_up(&self, worker: u32) -> GotUp {
        let mut asleep = self.asleep.lock();
        // The newest sleeper lies on top, and most sleeps end there.
        match asleep.iter().rposition(|&w| w == worker) {
            Some(place) => {
                asleep.remove(place);
                self.counts.fetch_sub(SLEEPER, Ordering::AcqRel);
                GotUp::ByItself
            }
            None => GotUp::Woken,
        }
    }

    /// Takes one sleeper off the stack, unless somebody searches by now; the caller wakes it.
    /// `avoid` names the one to leave for last: who sleeps in the reactor watches it for all.
    pub(crate) fn pick(&self, avoid: u32) -> Option<u32> {
        let mut asleep = self.asleep.lock();
        if self.searching() > 0 {
            return None;
        }
        let place = asleep.iter().rposition(|&w| w != avoid).or(asleep.len().checked_sub(1))?;
        let worker = asleep.remove(place);
        self.counts.fetch_add(SEARCHER - SLEEPER, Ordering::AcqRel);
        Some(worker)
    }

    /// Takes everybody off the stack; each is counted as searching.
    pub(crate) fn pick_all(&self) -> Vec<u32> {
        let mut asleep = self.asleep.lock();
        let all = core::mem::take(&mut *asleep);
        self.counts.fetch_add(all.len() as u64 * (SEARCHER - SLEEPER), Ordering::AcqRel);
        all
    }

    /// Gives the stack's memory back; nobody sleeps.
    pub(crate) fn trim(&self) {
        let stack = core::mem::take(&mut *self.asleep.lock());
        drop(stack);
    }

    /// Nobody sleeps and nobody searches: the state a hub is handed on in.
    pub(crate) fn is_blank(&self) -> bool {
        self.counts.load(Ordering::Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: u32 = u32::MAX;

    #[test]
    fn only_one_sleeper_is_on_its_way_at_a_time() {
        let idle = Idle::new();
        for worker in 0..3 {
            idle.lie_down(worker, false);
        }
        assert!(idle.wanted());
        assert_eq!(idle.pick(NOBODY), Some(2));
        assert!(!idle.wanted());
        assert_eq!(idle.pick(NOBODY), None, "one is searching already");
        assert_eq!(idle.get_up(2), GotUp::Woken);
        assert!(idle.end_search(), "it was the last searcher");
        assert_eq!((idle.sleeping(), idle.searching()), (2, 0));
    }

    #[test]
    fn the_reactors_watcher_is_woken_last() {
        let idle = Idle::new();
        idle.lie_down(0, false);
        idle.lie_down(1, false);
        assert_eq!(idle.pick(1), Some(0));
        assert!(idle.end_search());
        assert_eq!(idle.pick(1), Some(1));
    }

    #[test]
    fn a_searcher_that_lies_down_stops_searching() {
        let idle = Idle::new();
        idle.begin_search();
        idle.begin_search();
        idle.lie_down(5, true);
        assert_eq!((idle.sleeping(), idle.searching()), (1, 1));
        assert_eq!(idle.get_up(5), GotUp::ByItself);
        assert!(idle.end_search());
        assert!(idle.is_blank());
    }

    #[test]
    fn everybody_can_be_woken_at_once() {
        let idle = Idle::new();
        for worker in 0..4 {
            idle.lie_down(worker, false);
        }
        assert_eq!(idle.pick_all().len(), 4);
        assert_eq!((idle.sleeping(), idle.searching()), (0, 4));
    }
}
