//! The one allocation of a task: prefix, then the stage with the future or, later, its outcome.
//!
//! Invariants:
//! 1. The stage holds the future while `LIVE` stands and the outcome is not yet written, then the
//!    outcome, until whom the state word names takes or drops it. No discriminant says which.
//! 2. The future is never moved between the spawn and its drop in place: it is pinned.
//! 3. The future is dropped before `LIVE` falls, so whoever has joined a task sees what its
//!    destructors did (pitfall 22).
//! 4. Nothing that panics in a poll or a destructor passes through here: it becomes the outcome.
#![allow(
    unsafe_code,
    reason = "future and outcome share a place; the state word says which stands there"
)]

use core::alloc::Layout;
use core::any::Any;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::panic::{AssertUnwindSafe, catch_unwind};

use goro_context::contain;

use crate::allocation::{self, class::Shape};
use crate::error::{Failure, Outcome, Payload};
use crate::header::{Header, Heir, Ptr, Table};
use crate::runnable::Ending;

/// What may stand before the stage: something that begins with a header.
///
/// # Safety
/// The type is `repr(C)` and its first field is a [`Header`].
pub(crate) unsafe trait Prefix {}

// SAFETY: a header begins with itself.
unsafe impl Prefix for Header {}
// SAFETY: the first field is the header, and the type is `repr(C)`.
unsafe impl Prefix for Heir {}

/// The layout of a task; all access is through casts of addresses within it.
#[repr(C)]
struct Cell<P, F: Future> {
    _prefix: P,
    stage: Stage<F>,
}

/// Room for either.
#[repr(C)]
union Stage<F: Future> {
    _future: ManuallyDrop<F>,
    _outcome: ManuallyDrop<Outcome<F::Output>>,
}

/// The table of one kind of cell; `schedule`, `local` and `inherits` are as in [`Table`].
pub(crate) struct TableFor<P, F>(PhantomData<fn(P, F)>);

impl<P: Prefix, F: Future> TableFor<P, F> {
    pub(crate) const fn table(schedule: unsafe fn(Ptr), local: bool, inherits: bool) -> Table {
        Table {
            shape: Shape::of(Layout::new::<Cell<P, F>>()),
            stage: offset_of!(Cell<P, F>, stage),
            poll: poll::<F>,
            cancel: cancel::<F>,
            drop_outcome: drop_outcome::<F::Output>,
            schedule,
            local,
            inherits,
        }
    }
}

/// Allocates a task.
///
/// Prefix and future are written where they will stay, one by one: a cell put together on the stack
/// would be one more copy of a future that may be a mebibyte (pitfall 43).
#[inline]
pub(crate) fn allocate<P: Prefix, F: Future>(prefix: P, future: F) -> Ptr {
    let place = allocation::allocate(const { &Shape::of(Layout::new::<Cell<P, F>>()) });
    // SAFETY: the place was just allocated with the cell's layout, whose first field this is.
    unsafe { place.cast::<P>().write(prefix) };
    // SAFETY: the stage is at this offset within the allocation.
    let stage = unsafe { place.byte_add(offset_of!(Cell<P, F>, stage)) };
    // SAFETY: the stage has room for the future, aligned.
    unsafe { stage.cast::<F>().write(future) };
    place.cast()
}

/// See [`Table::poll`].
unsafe fn poll<F: Future>(task: Ptr, cx: &mut Context<'_>) -> Option<Ending> {
    let body = |stage: *mut ()| {
        // SAFETY: the stage holds the future, and it is this caller's alone.
        let future = unsafe { &mut *stage.cast::<F>() };
        // SAFETY: the future stays in this allocation until it is dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        // Panic: the future may; it is then in whatever state its own code left, is not polled
        // again, and is dropped.
        let outcome = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return None,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(payload) => Err(Box::new(Failure::Panicked(Payload(payload)))),
        };
        // SAFETY: the stage still holds the future, which is used no more.
        Some(unsafe { replace::<F>(stage, outcome) })
    };
    // SAFETY: the caller possesses the runnable, so the stage is its own.
    unsafe { Header::with_stage(task, body) }
}

/// See [`Table::cancel`].
unsafe fn cancel<F: Future>(task: Ptr, failure: Failure) -> Ending {
    // SAFETY: the stage holds the future, says the caller.
    let body = |stage: *mut ()| unsafe { replace::<F>(stage, Err(Box::new(failure))) };
    // SAFETY: the caller possesses the runnable, so the stage is its own.
    unsafe { Header::with_stage(task, body) }
}

/// Drops the future and writes what became of it.
///
/// # Safety
/// `stage` holds a future of type `F`, exclusively the caller's.
unsafe fn replace<F: Future>(stage: *mut (), outcome: Outcome<F::Output>) -> Ending {
    // Panic: the future's destructor may; the fields it did not reach are dropped by the unwinding
    // itself, and the panic becomes the outcome.
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller says that the future is here, and nobody uses it afterwards.
        unsafe { stage.cast::<F>().drop_in_place() }
    }));
    let outcome = match dropped {
        Ok(()) => outcome,
        Err(payload) => panicked_in_drop(outcome, payload),
    };
    let ending = match &outcome {
        Ok(_) => Ending::Done,
        Err(failure) => match **failure {
            Failure::Panicked(_) => Ending::Panicked,
            Failure::Cancelled(_) => Ending::Cancelled,
        },
    };
    // SAFETY: the stage has room for the outcome, aligned, and holds nothing that needs dropping.
    unsafe { stage.cast::<Outcome<F::Output>>().write(outcome) };
    ending
}

/// The first panic counts; a value whose future could not be dropped is dropped too.
#[cold]
fn panicked_in_drop<T>(outcome: Outcome<T>, payload: Box<dyn Any + Send>) -> Outcome<T> {
    let payload = Payload(payload);
    match outcome {
        Err(first) if matches!(*first, Failure::Panicked(_)) => {
            payload.discard();
            Err(first)
        }
        other => {
            // Panic: the value's destructor may.
            contain::quietly(|| drop(other));
            Err(Box::new(Failure::Panicked(payload)))
        }
    }
}

/// See [`Table::drop_outcome`].
unsafe fn drop_outcome<T>(task: Ptr) {
    let body = |stage: *mut ()| {
        // Panic: the destructor of value or payload may.
        contain::quietly(|| {
            // SAFETY: the outcome is here and the caller's, and nobody uses it afterwards.
            unsafe { stage.cast::<Outcome<T>>().drop_in_place() }
        });
    };
    // SAFETY: the outcome is the caller's, so the stage is.
    unsafe { Header::with_stage(task, body) }
}
