//! Full magazines on their way between threads: one depot per class.
//!
//! Invariants:
//! 1. Every magazine in a depot is full, so a thread that takes one is served for a while.
//! 2. The lock covers two pointer moves, is never waited for on behalf of a task, and nothing is
//!    freed under it.

use goro_shim::CachePadded;
use goro_shim::global::{AtomicU32, Lock, Ordering};

use super::chain::{Chain, Stack};
use super::class::{CLASSES, Class};
use super::region;

struct Depot {
    /// How many magazines are here. Written under the lock, read without it: who finds none, or no
    /// room, need not lock to be told so.
    count: AtomicU32,
    full: Lock<Full>,
}

struct Full {
    magazines: Stack,
    /// The least `count` since the last [`trim`]: what was not needed.
    least: u32,
}

static DEPOTS: [CachePadded<Depot>; CLASSES] = [const {
    CachePadded(Depot {
        count: AtomicU32::new(0),
        full: Lock::new(Full { magazines: Stack::new(), least: 0 }),
    })
}; CLASSES];

/// A full magazine, unless there is none or another thread is at the depot.
pub(super) fn take(class: Class) -> Option<Chain> {
    let depot = &DEPOTS[class.index()];
    if depot.count.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let mut full = depot.full.try_lock()?;
    let magazine = full.magazines.pop()?;
    let left = depot.count.load(Ordering::Relaxed) - 1;
    depot.count.store(left, Ordering::Relaxed);
    full.least = full.least.min(left);
    Some(magazine)
}

/// Leaves a full magazine here, unless there are enough or another thread is at the depot; says
/// whether it did.
pub(super) fn give(class: Class, magazine: &Chain) -> bool {
    let depot = &DEPOTS[class.index()];
    if depot.count.load(Ordering::Relaxed) >= class.depot_capacity() {
        return false;
    }
    let Some(mut full) = depot.full.try_lock() else { return false };
    full.magazines.push(magazine);
    depot.count.store(depot.count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    true
}

/// Gives the magazines that were not needed since the last call back to their regions; says how many bytes
/// went to the system for it. A depot that is busy is passed by.
pub(super) fn trim(class: Class) -> usize {
    let depot = &DEPOTS[class.index()];
    if depot.count.load(Ordering::Relaxed) == 0 {
        return 0;
    }
    let Some(mut full) = depot.full.try_lock() else { return 0 };
    let mut surplus = Stack::new();
    let idle = full.least;
    for magazine in (0..idle).map_while(|_| full.magazines.pop()) {
        surplus.push(&magazine);
    }
    let left = depot.count.load(Ordering::Relaxed) - idle;
    depot.count.store(left, Ordering::Relaxed);
    full.least = left;
    drop(full);
    let mut bytes = 0;
    while let Some(magazine) = surplus.pop() {
        bytes += region::give(class, &magazine);
    }
    bytes
}

/// How many magazines are here.
#[cfg(test)]
pub(super) fn count(class: Class) -> u32 {
    DEPOTS[class.index()].count.load(Ordering::Relaxed)
}
