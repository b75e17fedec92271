//! A task's wakers: one table for all tasks, data = the header.
//!
//! Invariants:
//! 1. Every goro waker has the same table, so `will_wake` between a waker and its clones holds, and
//!    a waker can be known as a task's by its table (pitfall 31).
//! 2. A waker holds one reference, except the one a poll lends out, which possession of the
//!    runnable keeps alive.
//! 3. Nothing here touches a thread-local: waking works on any thread, at any time (pitfall 62).
#![allow(unsafe_code, reason = "std's interface to wakers is unsafe")]

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{RawWaker, RawWakerVTable, Waker};

use crate::header::{self, Ptr};
use crate::state::{Left, Wake, WakeOwned};

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// Lends out a waker of `task`, for one poll; it must not be dropped.
///
/// # Safety
/// The memory of `task` is held for as long as the waker is lent.
#[inline]
pub(crate) unsafe fn lend(task: Ptr) -> ManuallyDrop<Waker> {
    // SAFETY: the table keeps the contract of wakers for every header that is held.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().cast_const().cast(), &TABLE) })
}

/// Lets leaf futures clone and drop tasks' wakers under their locks ([`goro_context::trust`]).
///
/// Cloning counts; dropping counts and may free memory, for which it waits for nobody's lock. A
/// runtime calls this once when it starts; later calls do nothing.
pub fn trust_wakers() {
    goro_context::trust::trust(&TABLE);
}

/// The task behind `waker`, if it is one's.
pub(crate) fn task_of(waker: &Waker) -> Option<Ptr> {
    if core::ptr::eq(waker.vtable(), &raw const TABLE) {
        NonNull::new(waker.data().cast_mut().cast())
    } else {
        None
    }
}

/// Asks the processor for the memory of the tasks that are about to be woken: far ones then arrive
/// together, not one after another.
pub fn expect_wakes(wakers: &[Waker]) {
    for waker in wakers {
        if let Some(task) = task_of(waker) {
            prefetch(task.as_ptr().cast());
        }
    }
}

#[inline]
fn prefetch(place: *const i8) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..3 {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing that the program could see, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.wrapping_add(64 * line)) };
    }
}

/// # Safety
/// `data` is that of a waker made here, which lives.
unsafe fn task(data: *const ()) -> Ptr {
    // SAFETY: the data of every waker made here is the address of a header.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker lives.
    let task = unsafe { task(data) };
    // SAFETY: the waker holds the memory.
    let header = unsafe { task.as_ref() };
    header.word.clone_ref();
    RawWaker::new(data, &TABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker lives, until this call.
    let task = unsafe { task(data) };
    // SAFETY: the waker's reference is given up here.
    unsafe { wake_and_release(task) };
}

/// Wakes `task` and gives up one reference to it.
///
/// # Safety
/// The caller has the reference.
#[inline]
pub(crate) unsafe fn wake_and_release(task: Ptr) {
    // SAFETY: the reference holds the memory.
    match unsafe { task.as_ref() }.word.wake_owned() {
        // SAFETY: the state word made this caller the owner of the runnable.
        WakeOwned::Schedule => unsafe { schedule(task) },
        WakeOwned::Nothing => {}
        // SAFETY: the state word says that this was the last hold.
        WakeOwned::Free => unsafe { header::free(task) },
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker lives.
    let task = unsafe { task(data) };
    // SAFETY: the waker holds the memory.
    match unsafe { task.as_ref() }.word.wake_by_ref() {
        // SAFETY: the state word made this caller the owner of the runnable.
        Wake::Schedule => unsafe { schedule(task) },
        Wake::Nothing => {}
    }
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker lives, until this call.
    let task = unsafe { task(data) };
    // SAFETY: the waker's reference is given up here.
    unsafe { drop_reference(task) };
}

/// Gives up one reference to `task`.
///
/// # Safety
/// The caller has the reference.
#[inline]
pub(crate) unsafe fn drop_reference(task: Ptr) {
    // SAFETY: the reference holds the memory.
    match unsafe { task.as_ref() }.word.drop_ref() {
        Left::Held => {}
        // SAFETY: the state word says that this was the last hold.
        Left::Free => unsafe { header::free(task) },
    }
}

/// Gives the runnable to its home.
///
/// # Safety
/// The caller owns the runnable, and gives it up. If it has no reference of its own, the memory may
/// be gone when this returns.
#[inline]
pub(crate) unsafe fn schedule(task: Ptr) {
    // SAFETY: owning the runnable implies that `LIVE` holds the memory.
    let schedule = unsafe { task.as_ref() }.table.schedule;
    // SAFETY: the runnable is the caller's to give.
    unsafe { schedule(task) };
}
