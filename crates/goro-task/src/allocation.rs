//! Where tasks' memory comes from. The only place that allocates and frees it.
//!
//! Small blocks are kept and used again: each thread has two magazines per size class, and full ones
//! go through a depot that all threads share. A spawn then costs a few loads and stores where the
//! system's allocator takes 40 to 300 ns with a thousand tasks alive; so does the free on another
//! thread than the one that spawned.
//!
//! ```text
//!   allocate <--- hot magazine ---> free          this thread, no lock
//!                  |       ^
//!                 spare magazine                  this thread, no lock
//!                  v       |
//!                 depot of the class              all threads, one short lock per magazine
//!                  v       |
//!                 system                          what is large, or too much
//! ```
//!
//! Invariants:
//! 1. A block is allocated from the system with its class's layout, so any thread may give it back,
//!    whichever way it came.
//! 2. Nothing here calls out, and nobody's lock is waited for: a depot that is busy is passed by.
//! 3. What threads and depots keep is bounded, per class; [`trim`] gives back what depots have not
//!    needed.
//! 4. Under loom, `goro_tsan` and `goro_no_magazines` every block comes from and goes to the system:
//!    a pool would hide from the tools who uses what after it was freed.
//!
//! Left out: an owner for each block and lists of remote frees. The owner would have to be found,
//! and one that sleeps would keep what others freed.
#![allow(unsafe_code, reason = "the one place that takes and gives back memory")]

use core::alloc::Layout;
use core::ptr::NonNull;

#[cfg(loom)]
use loom::alloc::{alloc, dealloc};
#[cfg(not(loom))]
use std::alloc::{alloc, dealloc};

pub(crate) mod class;

#[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
mod chain;
#[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
mod depot;
#[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
mod magazine;

use class::Shape;

/// Memory of this shape; uninitialised. Does not return if there is none.
#[inline]
pub(crate) fn allocate(shape: &Shape) -> NonNull<()> {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    if let Some(class) = shape.class() {
        return match magazine::take(class) {
            Some(block) => block.into_ptr(),
            None => from_system(class.layout()),
        };
    }
    from_system(shape.layout())
}

/// Frees memory.
///
/// # Safety
/// It came from [`allocate`] with this shape, and is not used again.
#[inline]
pub(crate) unsafe fn free(place: NonNull<()>, shape: &Shape) {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    if let Some(class) = shape.class() {
        // SAFETY: the memory has the class's layout and is the caller's to give.
        let block = unsafe { chain::Block::new(place) };
        if let Err(block) = magazine::give(class, block) {
            // SAFETY: the block came from the system with this layout.
            unsafe { to_system(block.into_ptr(), class.layout()) };
        }
        return;
    }
    // SAFETY: without a class, the memory came from the system with this layout.
    unsafe { to_system(place, shape.layout()) };
}

/// Gives memory back to the system that depots have kept and not needed since the last call, and
/// says how many bytes. What threads keep themselves stays with them until they end.
///
/// For a runtime's monitor: once a second or more seldom. It takes each depot's lock in turn, and
/// frees after it has given it back.
pub fn trim() -> usize {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    return class::Class::all().map(depot::trim).sum();
    #[cfg(any(loom, goro_tsan, goro_no_magazines))]
    0
}

fn from_system(layout: Layout) -> NonNull<()> {
    #[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
    tests::SYSTEM.count(layout, 1);
    // SAFETY: every layout here has the size of at least a header.
    let place = unsafe { alloc(layout) };
    match NonNull::new(place) {
        Some(place) => place.cast(),
        None => std::alloc::handle_alloc_error(layout),
    }
}

/// # Safety
/// The memory came from [`from_system`] with this layout, and is not used again.
unsafe fn to_system(place: NonNull<()>, layout: Layout) {
    #[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
    tests::SYSTEM.count(layout, -1);
    // SAFETY: says the caller.
    unsafe { dealloc(place.as_ptr().cast(), layout) };
}

/// Gives a whole magazine back to the system, and says how many bytes.
#[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
fn scrap(class: class::Class, chain: &chain::Chain) -> usize {
    let mut bytes = 0;
    while let Some(block) = chain.pop() {
        bytes += class.layout().size();
        // SAFETY: blocks in a chain of this class came from the system with its layout.
        unsafe { to_system(block.into_ptr(), class.layout()) };
    }
    bytes
}

#[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
mod tests;
