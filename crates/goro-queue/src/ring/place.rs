//! One slot of a ring.
//!
//! The ring's protocol keeps a slot's readers and its writer apart, so a plain cell would do; an
//! atomic pointer with relaxed accesses costs the same and keeps the ring in safe code. In a model
//! the slot is watched as if it were that plain cell: an unordered pair of accesses is reported.

use core::ptr::{NonNull, null_mut};

use goro_shim::atomic::{AtomicPtr, Ordering};
#[cfg(loom)]
use goro_shim::cell::UnsafeCell;

use super::Bits;

/// One slot: holds a word from when it was first filled.
pub(super) struct Place {
    word: AtomicPtr<()>,
    #[cfg(loom)]
    watch: UnsafeCell<()>,
}

impl Place {
    pub(super) fn vacant() -> Self {
        Self {
            word: AtomicPtr::new(null_mut()),
            #[cfg(loom)]
            watch: UnsafeCell::new(()),
        }
    }

    #[inline]
    pub(super) fn fill(&self, word: Bits) {
        #[cfg(loom)]
        self.watch.with_mut(|_| {});
        self.word.store(word.as_ptr(), Ordering::Relaxed);
    }

    /// The word in here. The slot does not change: whoever moved `head` past it owns the word now.
    #[inline]
    pub(super) fn read(&self) -> Bits {
        #[cfg(loom)]
        self.watch.with(|_| {});
        NonNull::new(self.word.load(Ordering::Relaxed))
            .expect("a position is taken after it was filled")
    }
}
