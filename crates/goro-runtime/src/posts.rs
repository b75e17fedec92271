//! Posts: a runtime's places for workers, and which of them are manned while their number changes.
//!
//! Workers count from zero without a gap, so a change of size is a number: the posts below it are to
//! be manned, those above it not. A worker that is to go finds that out between two polls, and goes
//! when it has no local task; what stands with it then goes where others find it. It may be a while,
//! and meanwhile the size may change again:
//!
//! ```text
//!            grown: start a thread             shrunk: tell it
//!   VACANT ───────────────────────▶ MANNED ───────────────────▶ LEAVING
//!     ▲ ▲        refused                ▲ ◀──── grown: it stays ────  │
//!     │ └───────────────────────────────┤                            │ it is about to go
//!     │                                 │ left: start another        ▼
//!     │                              WANTED ◀─────── grown ──────── GOING
//!     │                                 └───────── shrunk ─────────▶ │
//!     └───────────────────────── left ───────────────────────────────┘
//! ```
//!
//! | what stands in a worker's shard | when it goes |
//! |---|---|
//! | runnables | moved to the injector, and announced |
//! | parked tasks | stay listed; a wake reaches them through the injector, as from any other thread |
//! | timers | fired early: who still waits arms anew, where it is polled |
//! | local tasks | the worker stays, for these alone, until they have ended |
//! | counters | stay and are summed |
//!
//! Invariants:
//! 1. States change under the lock, all posts of one change of size in one go: of two changes that
//!    meet, one comes after the other, and what stands in the end is one of them.
//! 2. A thread is asked for once for each step into MANNED from VACANT or WANTED, after unlocking,
//!    and never while another owns the post's queue.
//! 3. Post 0 is always manned, so a runtime never runs without a worker.

use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::lock::Lock;

/// Nobody is here.
const VACANT: u32 = 0;
/// A worker is here, or its thread has been asked for.
const MANNED: u32 = 1;
/// A worker that is to go.
const LEAVING: u32 = 2;
/// One that has begun to.
const GOING: u32 = 3;
/// As [`GOING`], and another is to come.
const WANTED: u32 = 4;

/// A runtime's places for workers; see the module.
#[derive(Debug)]
pub(crate) struct Posts {
    states: Box<[AtomicU32]>,
    /// How many there are to be.
    size: AtomicU32,
    /// Held by whoever changes anything.
    changes: Lock<()>,
}

/// What a change of size calls for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Posts that are to get a thread.
    pub(crate) start: Vec<u32>,
    /// Posts whose worker is to be told that it goes.
    pub(crate) tell: Vec<u32>,
}

impl Posts {
    /// Room for so many; nobody is here.
    pub(crate) fn new(most: usize) -> Self {
        let states = (0..most).map(|_| AtomicU32::new(VACANT)).collect();
        Self { states, size: AtomicU32::new(0), changes: Lock::new(()) }
    }

    /// A lease begins, with threads asked for on so many posts; nobody is here.
    pub(crate) fn open(&self, workers: u32) {
        let _changes = self.changes.lock();
        self.size.store(workers, Ordering::Relaxed);
        for (post, state) in (0..).zip(&self.states) {
            let manned = post < workers;
            state.store(if manned { MANNED } else { VACANT }, Ordering::Relaxed);
        }
    }

    /// How many there are to be.
    #[inline]
    pub(crate) fn size(&self) -> u32 {
        self.size.load(Ordering::Relaxed)
    }

    /// From now on there are to be `workers`, at least one and at most as many as there is room for.
    pub(crate) fn resize(&self, workers: u32) -> Change {
        let _changes = self.changes.lock();
        self.change(workers)
    }

    /// Under the lock.
    fn change(&self, workers: u32) -> Change {
        let mut change = Change::default();
        for (post, state) in (0..).zip(&self.states) {
            let before = state.load(Ordering::Relaxed);
            let after = match (post < workers, before) {
                (true, VACANT) => {
                    change.start.push(post);
                    MANNED
                }
                (true, LEAVING) => MANNED,
                (true, GOING) => WANTED,
                (false, MANNED) => {
                    change.tell.push(post);
                    LEAVING
                }
                (false, WANTED) => GOING,
                _ => continue,
            };
            state.store(after, Ordering::Relaxed);
        }
        self.size.store(workers, Ordering::Relaxed);
        change
    }

    /// No thread could be had for the first of these posts, and none was asked for for the others: they
    /// are vacant, and the first and all above it are to be, unless the size has become less meanwhile.
    pub(crate) fn refused(&self, posts: &[u32]) -> Change {
        let _changes = self.changes.lock();
        for &post in posts {
            self.states[post as usize].store(VACANT, Ordering::Relaxed);
        }
        let first = posts.first().copied().unwrap_or(u32::MAX);
        self.change(first.min(self.size()).max(1))
    }

    /// Whether this post's worker is there to stay.
    pub(crate) fn is_manned(&self, post: u32) -> bool {
        self.states[post as usize].load(Ordering::Relaxed) == MANNED
    }

    /// Worker: whether it is to go.
    pub(crate) fn is_to_go(&self, post: u32) -> bool {
        self.states[post as usize].load(Ordering::Relaxed) > MANNED
    }

    /// Worker: goes, unless it is to stay after all.
    pub(crate) fn begin_going(&self, post: u32) -> bool {
        let _changes = self.changes.lock();
        let state = &self.states[post as usize];
        if state.load(Ordering::Relaxed) == LEAVING {
            state.store(GOING, Ordering::Relaxed);
        }
        state.load(Ordering::Relaxed) != MANNED
    }

    /// The post's worker has gone, and owns nothing any more; true when the caller is to start another.
    pub(crate) fn left(&self, post: u32) -> bool {
        let _changes = self.changes.lock();
        let state = &self.states[post as usize];
        let wanted = state.load(Ordering::Relaxed) == WANTED;
        state.store(if wanted { MANNED } else { VACANT }, Ordering::Relaxed);
        wanted
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests;
