//! The joiner's waker, in one word: a task by its pointer, anything else in a box.
//!
//! Invariants:
//! 1. Bit 0 of the address is set for a task, whose reference the slot has. Headers and boxed
//!    wakers are both aligned to more than two bytes.
//! 2. A slot is `Copy` so that the completer can read it in place; of its copies exactly one is
//!    woken or discarded.
#![allow(unsafe_code, reason = "a waker in one word")]

use core::task::Waker;

use goro_context::contain;

use crate::header::{Header, Ptr};
use crate::waker;

/// A waker in one word; see the module.
#[derive(Clone, Copy)]
pub(crate) struct Slot(*const ());

const TASK: usize = 1;
const _: () = assert!(align_of::<Header>() > TASK && align_of::<Waker>() > TASK);

impl Slot {
    pub(crate) const EMPTY: Self = Self(core::ptr::null());

    /// A slot with a clone of `waker`.
    pub(crate) fn of(waker: &Waker) -> Self {
        match waker::task_of(waker) {
            Some(task) => {
                // SAFETY: the waker holds the memory, and is borrowed.
                unsafe { task.as_ref() }.word.clone_ref();
                Self(task.as_ptr().cast_const().cast::<()>().map_addr(|address| address | TASK))
            }
            // Panic: the waker's clone may; nothing has happened yet.
            None => Self(Box::into_raw(Box::new(waker.clone())).cast_const().cast()),
        }
    }

    fn task(self) -> Option<Ptr> {
        if self.0.addr() & TASK == 0 {
            return None;
        }
        Ptr::new(self.0.map_addr(|address| address & !TASK).cast_mut().cast())
    }

    /// The waker, taken out of its box.
    ///
    /// # Safety
    /// The slot was made by [`Slot::of`], holds no task, and no copy of it is used again.
    unsafe fn unbox(self) -> Waker {
        // SAFETY: the slot is the address of a leaked box, which nobody else takes back.
        *unsafe { Box::from_raw(self.0.cast_mut().cast::<Waker>()) }
    }

    /// Wakes what the slot holds; what panics there is contained.
    ///
    /// # Safety
    /// The slot was made by [`Slot::of`], and no copy of it is used again.
    pub(crate) unsafe fn wake(self) {
        match self.task() {
            // SAFETY: the slot has a reference to the task.
            Some(task) => unsafe { waker::wake_and_release(task) },
            None => {
                // SAFETY: as the caller promises, and there is no task.
                let waker = unsafe { self.unbox() };
                // Panic: the waker may; the task that is to be woken is lost then, this one not.
                contain::quietly(|| waker.wake());
            }
        }
    }

    /// Drops what the slot holds; what panics there is contained.
    ///
    /// # Safety
    /// As for [`Slot::wake`].
    pub(crate) unsafe fn discard(self) {
        match self.task() {
            // SAFETY: the slot has a reference to the task.
            Some(task) => unsafe { waker::drop_reference(task) },
            None => {
                // SAFETY: as the caller promises, and there is no task.
                let waker = unsafe { self.unbox() };
                // Panic: the waker's drop may; nothing else depends on it.
                contain::quietly(|| drop(waker));
            }
        }
    }
}
