//! Dropping nested values one after the other instead of one inside the other.
//!
//! A task's output may be the handle of a finished task, whose output is the handle of another
//! one: a million of them overflow any stack when they drop each other (pitfall 42). A destructor
//! that may be a link of such a chain defers what it owns; while one deferred value is being
//! dropped on this thread, others are queued behind it.
//!
//! Invariants:
//! 1. When the outermost [`defer`] or [`scope`] returns, all that was deferred in it is dropped, in
//!    the order of deferral.
//! 2. A destructor that panics is contained; the rest is dropped all the same. (Nothing that
//!    [`defer`] drops unwinds out of it.)
//! 3. Between outermost calls no memory is held.

use core::any::Any;
use core::cell::{Cell, RefCell};
use core::mem::ManuallyDrop;
use std::collections::VecDeque;

use crate::contain;

/// A value that waits for its drop on this thread. It never leaves the thread, `Send` or not.
enum Deferred {
    Sent(#[expect(dead_code, reason = "kept to be dropped")] Box<dyn Send>),
    Local(#[expect(dead_code, reason = "kept to be dropped")] Box<dyn Any>),
}

struct Queue {
    /// Whether someone further out on this thread's stack drops what is queued.
    drained: Cell<bool>,
    /// Whether anything waits.
    any: Cell<bool>,
    waiting: ManuallyDrop<RefCell<VecDeque<Deferred>>>,
}

local! {
    static QUEUE: Queue = Queue {
        drained: Cell::new(false),
        any: Cell::new(false),
        waiting: ManuallyDrop::new(RefCell::new(VecDeque::new())),
    }
}

/// Drops `value`: now, or after the deferred value that is being dropped on this thread.
///
/// # Panics
/// Never: a panicking destructor is contained.
///
/// ```
/// use goro_context::drops;
///
/// struct Link(Option<Box<Link>>);
/// impl Drop for Link {
///     fn drop(&mut self) {
///         if let Some(next) = self.0.take() {
///             drops::defer(next);
///         }
///     }
/// }
/// let chain = (0..1_000_000).fold(Link(None), |next, _| Link(Some(Box::new(next))));
/// drop(chain); // no recursion
/// ```
pub fn defer(value: Box<dyn Send>) {
    enqueue(Deferred::Sent(value));
}

/// As [`defer`], for values that may not be sent to other threads; they are dropped on this one.
pub fn defer_local(value: Box<dyn Any>) {
    enqueue(Deferred::Local(value));
}

/// Whether a deferred value would be queued: a deferred drop, or a [`scope`], is under way.
///
/// A destructor may drop in place, sparing the box, when this is false:
///
/// ```
/// use goro_context::drops;
/// fn release(value: Vec<String>) {
///     if drops::is_active() {
///         drops::defer(Box::new(value));
///     } else {
///         drops::scope(move || drop(value));
///     }
/// }
/// # release(vec![]);
/// ```
#[inline]
pub fn is_active() -> bool {
    QUEUE.with(|queue| queue.drained.get())
}

/// Calls `f`; what is deferred meanwhile on this thread is dropped after it (and, within an outer
/// scope, after that one). A panic of `f`'s goes on after those drops.
#[inline]
pub fn scope<R>(f: impl FnOnce() -> R) -> R {
    let _drain = Drain::begin();
    f()
}

fn enqueue(value: Deferred) {
    match Drain::begin() {
        None => QUEUE.with(|queue| {
            queue.any.set(true);
            queue.waiting.borrow_mut().push_back(value);
        }),
        Some(_drain) => drop_one(value),
    }
}

fn drop_one(value: Deferred) {
    // Panic: the destructor may; it is contained, and the queue goes on.
    contain::quietly(move || drop(value));
}

/// The obligation to drop what is queued; one per thread at a time.
struct Drain;

impl Drain {
    #[inline]
    fn begin() -> Option<Self> {
        QUEUE.with(|queue| (!queue.drained.replace(true)).then(|| Self))
    }
}

impl Drop for Drain {
    #[inline]
    fn drop(&mut self) {
        QUEUE.with(|queue| {
            if queue.any.get() {
                queue.drain();
            }
            queue.drained.set(false);
        });
    }
}

impl Queue {
    #[cold]
    fn drain(&self) {
        loop {
            // The borrow ends before the value is dropped: its destructor defers others.
            let next = self.waiting.borrow_mut().pop_front();
            let Some(value) = next else { break };
            drop_one(value);
        }
        // No destructor will run for this thread-local, so the buffer is given back here.
        self.any.set(false);
        drop(self.waiting.take());
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
