//! The state word's atomic in models: every access comes after one to a shadow.
//!
//! loom reorders two accesses when it sees that they depend on each other, and it compares each one
//! with the last access only. A thread's load hides in this way another thread's load before it
//! from the read-modify-write after it: `load; fetch_sub` here and `load` there are explored in one
//! order. A relaxed read-modify-write on the shadow before each access makes all of them dependent,
//! and orders nothing else.

use goro_shim::atomic::{AtomicU64 as Plain, Ordering};

#[derive(Debug)]
pub(super) struct AtomicU64 {
    shadow: Plain,
    word: Plain,
}

impl AtomicU64 {
    pub(super) fn new(value: u64) -> Self {
        Self { shadow: Plain::new(0), word: Plain::new(value) }
    }

    fn word(&self) -> &Plain {
        self.shadow.fetch_add(1, Ordering::Relaxed);
        &self.word
    }

    pub(super) fn load(&self, ordering: Ordering) -> u64 {
        self.word().load(ordering)
    }

    pub(super) fn fetch_add(&self, value: u64, ordering: Ordering) -> u64 {
        self.word().fetch_add(value, ordering)
    }

    pub(super) fn fetch_sub(&self, value: u64, ordering: Ordering) -> u64 {
        self.word().fetch_sub(value, ordering)
    }

    pub(super) fn compare_exchange_weak(
        &self,
        now: u64,
        next: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.word().compare_exchange_weak(now, next, success, failure)
    }

    pub(super) fn with_mut(&mut self, f: impl FnOnce(&mut u64)) {
        self.word.with_mut(f);
    }
}
