//! Atomics and fences.
//!
//! Protocols in goro are written with sequentially consistent *fences*, never accesses: loom reads
//! a `SeqCst` access as `AcqRel`, so a proof that leans on one would not be checked.

mod uneven;
#[cfg(loom)]
mod watched;

pub use uneven::{fence_heavy, fence_light, has_heavy};

#[cfg(loom)]
pub use loom::sync::atomic::Ordering;
#[cfg(not(loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
#[cfg(loom)]
pub use watched::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};

/// A sequentially consistent fence: of two threads that each write, fence, then read what the
/// other wrote, at least one sees the other's write.
#[cfg(all(not(loom), not(goro_tsan)))]
#[inline]
pub fn fence_seqcst() {
    // Ordering: SeqCst is what the function is; its callers name their partners.
    std::sync::atomic::fence(Ordering::SeqCst);
}

/// As above, for models.
#[cfg(loom)]
pub fn fence_seqcst() {
    // Ordering: as above.
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// As above, in a form that ThreadSanitizer follows (it does not model fences): a read-modify-write
/// on one process-wide word orders everything before it with everything after the next one.
#[cfg(all(not(loom), goro_tsan))]
pub fn fence_seqcst() {
    static WORD: AtomicUsize = AtomicUsize::new(0);
    // Ordering: as for the fence it stands for; each one pairs with the next one.
    WORD.fetch_add(1, Ordering::SeqCst);
}

/// Tells the processor that this thread is spinning; in a model, lets another thread run.
#[inline]
pub fn spin_loop() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    core::hint::spin_loop();
}

#[cfg(all(test, loom))]
mod models;
