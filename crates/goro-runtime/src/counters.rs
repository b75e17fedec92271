//! Counters that one thread writes and any thread sums.
//!
//! An owner-only counter costs a load and a store (3 ns) where a shared one costs a
//! read-modify-write (9 ns alone, a cache line's travel when contended).
//!
//! Invariant: only the thread that owns the shard calls [`Counter::add`]; a foreign shard, which
//! has no owner, calls [`Counter::add_shared`].

use goro_shim::atomic::{AtomicU64, Ordering};
use goro_task::Ending;

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Owner only.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        let value = self.0.load(Ordering::Relaxed).wrapping_add(n);
        // Ordering: Release pairs with the Acquire in `get`, so that whoever sums "finished" and
        // then "spawned" never sees a task finished that it does not see spawned.
        self.0.store(value, Ordering::Release);
    }

    /// Adds `n` from any thread.
    #[inline]
    pub(crate) fn add_shared(&self, n: u64) {
        // Ordering: as in `add`.
        self.0.fetch_add(n, Ordering::Release);
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The count.
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // Ordering: Acquire pairs with the Release in `add` and `add_shared`.
        self.0.load(Ordering::Acquire)
    }
}

/// What one shard has done in this lease of its hub.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Tasks made here.
    pub(crate) spawned: Counter,
    /// Tasks that ended here: completed, panicked or cancelled.
    pub(crate) finished: Counter,
    /// Of those, the ones that panicked.
    pub(crate) panicked: Counter,
    /// Of those, the ones whose futures were dropped before they were done; counted before they are
    /// counted as finished.
    pub(crate) cancelled: Counter,
    /// Polls begun.
    pub(crate) polls: Counter,
    /// Times the worker went to sleep.
    pub(crate) parks: Counter,
    /// Times it took work from another shard.
    pub(crate) steals: Counter,
    /// Times its ring was full and half of it went to the injector.
    pub(crate) overflows: Counter,
    /// Times it woke another worker.
    pub(crate) wakes: Counter,
    /// Nanoseconds between waking and going to sleep.
    pub(crate) busy: Counter,
}

/// How many tasks live, by the counters of all shards; exact once spawning has stopped.
pub(crate) fn live<'a, All: Iterator<Item = &'a Counters>>(all: impl Fn() -> All) -> u64 {
    // Finished first: a task is counted as made before it can end, so equal sums mean that at the
    // moment between the two nothing was live.
    let finished = all().fold(0, |sum: u64, counters| sum.wrapping_add(counters.finished.get()));
    let spawned = all().fold(0, |sum: u64, counters| sum.wrapping_add(counters.spawned.get()));
    spawned.wrapping_sub(finished)
}

impl Counters {
    /// Of the counters of tasks that did not end as they meant to: the one for this ending.
    #[cold]
    pub(crate) fn unfinished(&self, ending: Ending) -> &Counter {
        if ending == Ending::Panicked { &self.panicked } else { &self.cancelled }
    }

    /// Starts over for another lease; nobody counts here meanwhile.
    pub(crate) fn reset(&self) {
        let Self { spawned, finished, panicked, cancelled, .. } = self;
        let Self { polls, parks, steals, overflows, wakes, busy, .. } = self;
        for counter in [spawned, finished, panicked, cancelled] {
            counter.reset();
        }
        for counter in [polls, parks, steals, overflows, wakes, busy] {
            counter.reset();
        }
    }
}
