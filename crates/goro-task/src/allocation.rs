//! Where tasks' memory comes from. The only place that allocates and frees it.
#![allow(unsafe_code, reason = "the one place that takes and gives back memory")]

use core::alloc::Layout;
use core::ptr::NonNull;

#[cfg(loom)]
use loom::alloc::{alloc, dealloc};
#[cfg(not(loom))]
use std::alloc::{alloc, dealloc};

/// Memory of this layout, which is not empty; uninitialised. Does not return if there is none.
#[inline]
pub(crate) fn allocate(layout: Layout) -> NonNull<()> {
    // SAFETY: the layout has the size of at least a header.
    let place = unsafe { alloc(layout) };
    match NonNull::new(place) {
        Some(place) => place.cast(),
        None => std::alloc::handle_alloc_error(layout),
    }
}

/// Frees memory.
///
/// # Safety
/// It came from [`allocate`] with this layout, and is not used again.
#[inline]
pub(crate) unsafe fn free(place: NonNull<()>, layout: Layout) {
    // SAFETY: says the caller.
    unsafe { dealloc(place.as_ptr().cast(), layout) };
}
