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
//! 2. Who takes a sleeper off the stack counts it as searching in the same step; so at most one is
//!    on its way.
//! 3. Each of the three places that may find that nobody needs waking, or that there is nothing to
//!    do, has a fence between what it wrote and what it reads ([`Idle::announce`],
//!    [`Idle::settle`], [`Idle::found`]); of two such places that meet, one sees the other.

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering, fence_seqcst};
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
    /// Its last look found something: it is counted as searching again, as it was before.
    Searching,
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

    /// How many sleep. What each of them wrote before it lay down is then seen.
    pub(crate) fn asleep(&self) -> u32 {
        // Ordering: Acquire pairs with the Release half in `lie_down`.
        self.counts.load(Ordering::Acquire) as u32
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

    /// Something was pushed from outside: picks a sleeper for the caller to wake, unless somebody
    /// searches, or nobody sleeps.
    #[inline]
    pub(crate) fn announce(&self, avoid: u32) -> Option<u32> {
        // Partners: the fences in `settle` and `found`.
        fence_seqcst();
        if self.wanted() { self.pick(avoid) } else { None }
    }

    /// A searcher has found work. When it was the last one, and `more` says that the injector is
    /// not empty, picks a sleeper for the caller to wake: the push that saw it searching has not.
    pub(crate) fn found(&self, avoid: u32, more: impl FnOnce() -> bool) -> Option<u32> {
        // Ordering: Release and Acquire make the last one out see what the others saw.
        let before = self.counts.fetch_sub(SEARCHER, Ordering::AcqRel);
        if before >> 32 != 1 {
            return None;
        }
        // Partner: the fence in `announce`.
        fence_seqcst();
        if more() && self.wanted() { self.pick(avoid) } else { None }
    }

    /// A worker lies down, unless `anything` finds something to do after it has; `searching` says
    /// whether it was counted as a searcher, which it is again if it was and gets up at once: pushes
    /// that saw it searching have woken nobody, and it may find more than one. `None`: it is to
    /// sleep, and then to [get up](Self::get_up).
    pub(crate) fn settle(
        &self,
        worker: u32,
        searching: bool,
        anything: impl FnOnce() -> bool,
    ) -> Option<GotUp> {
        self.lie_down(worker, searching);
        // Partner: the fence in `announce`.
        fence_seqcst();
        anything().then(|| self.rise(worker, searching))
    }

    fn lie_down(&self, worker: u32, searching: bool) {
        let mut asleep = self.asleep.lock();
        asleep.push(worker);
        // Ordering: Release and Acquire, as everywhere on this word: its changes are one chain.
        if searching {
            self.counts.fetch_sub(SEARCHER - SLEEPER, Ordering::AcqRel);
        } else {
            self.counts.fetch_add(SLEEPER, Ordering::AcqRel);
        }
    }

    /// A worker that had lain down is awake again.
    pub(crate) fn get_up(&self, worker: u32) -> GotUp {
        self.rise(worker, false)
    }

    fn rise(&self, worker: u32, to_search: bool) -> GotUp {
        let mut asleep = self.asleep.lock();
        // The newest sleeper lies on top, and most sleeps end there.
        match asleep.iter().rposition(|&w| w == worker) {
            Some(place) => {
                asleep.remove(place);
                let (searchers, up) =
                    if to_search { (SEARCHER, GotUp::Searching) } else { (0, GotUp::ByItself) };
                // Ordering: as in `lie_down`.
                self.counts.fetch_add(searchers.wrapping_sub(SLEEPER), Ordering::AcqRel);
                up
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
        // Ordering: as in `lie_down`.
        self.counts.fetch_add(SEARCHER - SLEEPER, Ordering::AcqRel);
        Some(worker)
    }

    /// A searcher ends without having found anything or lain down: its thread ends.
    pub(crate) fn abandon_search(&self) {
        // Ordering: as in `lie_down`.
        self.counts.fetch_sub(SEARCHER, Ordering::AcqRel);
    }

    /// Takes everybody off the stack; each is counted as searching.
    pub(crate) fn pick_all(&self) -> Vec<u32> {
        let mut asleep = self.asleep.lock();
        let all = core::mem::take(&mut *asleep);
        // Ordering: as in `lie_down`.
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

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
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
        assert_eq!(idle.found(NOBODY, || false), None);
        assert_eq!((idle.sleeping(), idle.searching()), (2, 0));
    }

    #[test]
    fn the_reactors_watcher_is_woken_last() {
        let idle = Idle::new();
        idle.lie_down(0, false);
        idle.lie_down(1, false);
        assert_eq!(idle.pick(1), Some(0));
        assert_eq!(idle.found(1, || true), Some(1), "the last searcher out wakes the next");
    }

    #[test]
    fn a_searcher_that_lies_down_stops_searching() {
        let idle = Idle::new();
        idle.begin_search();
        idle.begin_search();
        idle.lie_down(5, true);
        assert_eq!((idle.sleeping(), idle.searching()), (1, 1));
        assert_eq!(idle.get_up(5), GotUp::ByItself);
        assert_eq!(idle.found(NOBODY, || true), None, "nobody sleeps");
        assert!(idle.is_blank());
    }

    #[test]
    fn a_worker_that_finds_something_after_lying_down_gets_up() {
        let idle = Idle::new();
        assert_eq!(idle.settle(3, false, || true), Some(GotUp::ByItself));
        assert!(idle.is_blank());
        assert_eq!(idle.settle(3, false, || false), None);
        assert_eq!(idle.announce(NOBODY), Some(3));
        assert_eq!(idle.get_up(3), GotUp::Woken);
    }

    /// Two are pushed while it searches: it finds one of them in the end, and sees to the other.
    #[test]
    fn a_searcher_that_finds_something_after_lying_down_searches_again() {
        let idle = Idle::new();
        idle.lie_down(0, false);
        idle.begin_search();
        assert_eq!([idle.announce(NOBODY), idle.announce(NOBODY)], [None; 2], "one searches");
        assert_eq!(idle.settle(1, true, || true), Some(GotUp::Searching));
        assert_eq!((idle.sleeping(), idle.searching()), (1, 1));
        assert_eq!(idle.found(NOBODY, || true), Some(0), "the last searcher out wakes the next");
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
