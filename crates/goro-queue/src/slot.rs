//! The next slot: one word that its owner runs before anything in the ring.
//!
//! Invariants:
//! 1. Only the owner puts a word in, so an empty slot stays empty until the owner fills it: into
//!    an empty slot it puts with a plain store.
//! 2. A word leaves by a read-modify-write, and exactly once: the owner's swap, or the
//!    compare-and-swap of a thief.
//! 3. Nobody looks behind the pointer here, so it is harmless if a thief takes a word that has
//!    left and come back since it looked: the pointer *is* the right to the item.

use core::ptr::{NonNull, null_mut};

use goro_shim::atomic::{AtomicPtr, Ordering};

use crate::ring::Bits;

/// Whether no thief may take from it: for measuring what that costs, not for use, since a task then waits
/// behind a long poll for as long as that lasts.
const PRIVATE: bool = cfg!(goro_private_slot);

/// Room for one word. See the module.
pub(crate) struct Slot(AtomicPtr<()>);

impl Slot {
    pub(crate) fn empty() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Whether a word is in here, by a glance that may be out of date.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        !self.0.load(Ordering::Relaxed).is_null()
    }

    /// Puts `word` in, and hands back the one it displaced. Owner only.
    #[inline]
    pub(crate) fn put(&self, word: Bits) -> Option<Bits> {
        if self.is_full() {
            if PRIVATE {
                let before = NonNull::new(self.0.load(Ordering::Relaxed));
                self.0.store(word.as_ptr(), Ordering::Relaxed);
                return before;
            }
            // Ordering: Release publishes the item; pairs with the thief's Acquire. What comes
            // back the owner itself put in.
            return NonNull::new(self.0.swap(word.as_ptr(), Ordering::Release));
        }
        // Ordering: Release, as above.
        self.0.store(word.as_ptr(), Ordering::Release);
        None
    }

    /// Takes the word out. Owner only.
    #[inline]
    pub(crate) fn take(&self) -> Option<Bits> {
        if !self.is_full() {
            return None;
        }
        if PRIVATE {
            let word = NonNull::new(self.0.load(Ordering::Relaxed));
            self.0.store(null_mut(), Ordering::Relaxed);
            return word;
        }
        // Relaxed, since the owner itself put it in.
        NonNull::new(self.0.swap(null_mut(), Ordering::Relaxed))
    }

    /// Takes the word out from any thread. None also if the owner took or replaced it meanwhile:
    /// then the owner is not stuck, and nothing need be taken from it.
    pub(crate) fn steal(&self) -> Option<Bits> {
        if PRIVATE {
            return None;
        }
        let seen = NonNull::new(self.0.load(Ordering::Relaxed))?;
        self.0
            // Ordering: Acquire pairs with the Release in `put`.
            .compare_exchange(seen.as_ptr(), null_mut(), Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| seen)
    }
}
