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
//!                 regions of the class            all threads, one short lock per page
//!                  v       |
//!                 system                          256 KiB at a time, or what is large
//! ```
//!
//! Invariants:
//! 1. A block with a class comes from a region of that class, so any thread may give it back,
//!    whichever way it came.
//! 2. Nothing here calls out. A depot that is busy is passed by; who needs or has too many blocks waits
//!    for the regions' lock, under which blocks are linked and nothing else is done.
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

use class::Class;

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
#[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
mod region;

use class::Shape;

/// Memory of this shape; uninitialised. Does not return if there is none.
#[inline]
pub(crate) fn allocate(shape: &Shape) -> NonNull<()> {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    if let Some(class) = shape.class() {
        return magazine::take(class).into_ptr();
    }
    from_system(shape.layout(), None)
}

/// Frees memory.
///
/// # Safety
/// It came from [`allocate`] with this shape, and is not used again.
#[inline]
pub(crate) unsafe fn free(place: NonNull<()>, shape: &Shape) {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    if let Some(class) = shape.class() {
        // SAFETY: the memory is a block of the class and the caller's to give.
        magazine::give(class, unsafe { chain::Block::new(place) });
        return;
    }
    // SAFETY: without a class, the memory came from the system with this layout.
    unsafe { to_system(place, shape.layout(), None) };
}

/// Gives memory back to the system that depots have kept and not needed since the last call, and
/// says how many bytes. What threads keep themselves stays with them until they end.
///
/// For a runtime's monitor: once a second or more seldom. It takes each depot's lock in turn, and
/// frees after it has given it back.
pub fn trim() -> usize {
    #[cfg(not(any(loom, goro_tsan, goro_no_magazines)))]
    return Class::all().map(|class| depot::trim(class) + region::trim(class)).sum();
    #[cfg(any(loom, goro_tsan, goro_no_magazines))]
    0
}

/// Memory for a region of a class, or for one task.
fn from_system(layout: Layout, class: Option<Class>) -> NonNull<()> {
    #[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
    tests::REGIONS.count(class, 1);
    #[cfg(not(all(test, not(any(loom, goro_tsan, goro_no_magazines)))))]
    let _ = class;
    // SAFETY: every layout here has the size of at least a header.
    let place = unsafe { alloc(layout) };
    match NonNull::new(place) {
        Some(place) => place.cast(),
        None => std::alloc::handle_alloc_error(layout),
    }
}

/// # Safety
/// The memory came from [`from_system`] with this layout, and is not used again.
unsafe fn to_system(place: NonNull<()>, layout: Layout, class: Option<Class>) {
    #[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
    tests::REGIONS.count(class, -1);
    #[cfg(not(all(test, not(any(loom, goro_tsan, goro_no_magazines)))))]
    let _ = class;
    // SAFETY: says the caller.
    unsafe { dealloc(place.as_ptr().cast(), layout) };
}

#[cfg(all(test, not(any(loom, goro_tsan, goro_no_magazines))))]
mod tests;
