//! How much a task may do before it must let others run.
//!
//! A future whose every operation is ready at once would never return to its executor. Each leaf
//! operation of goro's therefore spends one unit, errors included, and at zero pretends not to be
//! ready: it wakes its own task and returns `Pending`.
//!
//! Invariants:
//! 1. Nothing is ever `Pending` for its budget on a thread where no task is entered.
//! 2. A leaf that turns out not to be ready pays nothing ([`Spent::refund`]).
//! 3. A `Pending` for the budget's sake is preceded by a wake of the task.
//!
//! The leaf's part, in order: spend; try; refund if it was not ready.
//!
//! ```
//! use core::task::{Context, Poll, ready};
//! use goro_context::budget;
//!
//! fn poll_take(queue: &mut Vec<u8>, cx: &mut Context<'_>) -> Poll<u8> {
//!     let spent = ready!(budget::poll_spend(cx));
//!     match queue.pop() {
//!         Some(byte) => Poll::Ready(byte), // paid for
//!         None => {
//!             spent.refund();
//!             Poll::Pending // after registering the waker somewhere
//!         }
//!     }
//! }
//! # let mut cx = Context::from_waker(core::task::Waker::noop());
//! # assert_eq!(poll_take(&mut vec![9], &mut cx), Poll::Ready(9));
//! # assert!(poll_take(&mut vec![], &mut cx).is_pending());
//! ```

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::pin::pin;
use core::task::{Context, Poll};

use goro_shim::time::Duration;

use crate::note::{self, Op};
use crate::{random, task};

/// Units that a poll starts with: operations that may be ready at once, one after the other.
pub const LIMIT: u32 = 128;

/// No limit at all; see [`with`].
pub const UNLIMITED: u32 = u32::MAX;

local! {
    static REMAINING: Cell<u32> = Cell::new(LIMIT)
}

local! {
    /// The longest that a task is held up when its budget is spent, in nanoseconds.
    static HOLD_UP: Cell<u32> = Cell::new(0)
}

/// Fills this thread's budget up to [`LIMIT`]. Called by whoever polls tasks, before each task that
/// did not come from another one's next slot.
#[inline]
pub fn reset() {
    REMAINING.with(|remaining| remaining.set(LIMIT));
}

/// Fills this thread's budget with `units`, for whoever wants tasks to yield sooner than they must.
#[inline]
pub fn reset_to(units: u32) {
    REMAINING.with(|remaining| remaining.set(units));
}

/// Holds every task up, on this thread and from now on, when its budget is spent: for a random time
/// below `longest` (at most four seconds). Zero ends that. For programs that are to be shaken.
pub fn hold_up(longest: Duration) {
    let nanos = u32::try_from(longest.as_nanos()).unwrap_or(u32::MAX);
    HOLD_UP.with(|hold_up| hold_up.set(nanos));
}

/// Units left on this thread. [`UNLIMITED`] inside [`unconstrained`].
#[inline]
pub fn remaining() -> u32 {
    REMAINING.with(Cell::get)
}

/// Spends one unit for an operation that may be ready at once.
///
/// `Pending` when none is left: the task is then already woken and noted as yielding, and the
/// operation must do nothing but return `Pending` itself. Never `Pending` where no task is entered:
/// plain threads and other executors have their own means, or none.
#[inline]
pub fn poll_spend(cx: &mut Context<'_>) -> Poll<Spent> {
    REMAINING.with(|remaining| match remaining.get() {
        0 => at_zero(cx),
        UNLIMITED => Poll::Ready(Spent::of(0)),
        units => {
            remaining.set(units - 1);
            Poll::Ready(Spent::of(1))
        }
    })
}

#[cold]
fn at_zero(cx: &mut Context<'_>) -> Poll<Spent> {
    if task::current().is_none() {
        return Poll::Ready(Spent::of(0));
    }
    let longest = HOLD_UP.with(Cell::get);
    if longest > 0 {
        goro_shim::thread::sleep(Duration::from_nanos(random::below(longest).into()));
    }
    note::leave(Op::Yield, 0);
    // Panic: the waker may; nothing has been changed that would need to be undone.
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// One unit was spent. Dropped, it stays spent.
#[derive(Debug)]
#[must_use = "refund it if the operation turns out not to be ready; drop it otherwise"]
pub struct Spent {
    units: u32,
    /// The unit belongs to this thread's budget, and to this poll.
    _here: PhantomData<*const ()>,
}

impl Spent {
    #[inline]
    fn of(units: u32) -> Self {
        Self { units, _here: PhantomData }
    }

    /// Gives the unit back: the operation was not ready.
    #[inline]
    pub fn refund(self) {
        REMAINING.with(|remaining| {
            remaining.set(remaining.get().saturating_add(self.units));
        });
    }
}

/// Calls `f` with a budget of `limit` units, and puts back what was left before, also when `f`
/// panics.
///
/// For whoever polls a task inside another one's poll (`block_on` on a worker), and for futures
/// that must not be cut short: [`UNLIMITED`].
#[inline]
pub fn with<R>(limit: u32, f: impl FnOnce() -> R) -> R {
    struct PutBack(u32);
    impl Drop for PutBack {
        fn drop(&mut self) {
            REMAINING.with(|remaining| remaining.set(self.0));
        }
    }
    let _put_back = PutBack(REMAINING.with(|remaining| remaining.replace(limit)));
    f()
}

/// Polls `future` with no budget: its operations are never cut short, and spend nothing of the
/// task's.
///
/// Such a future can keep its worker from everything else for as long as it is ready.
///
/// # Cancel safety
/// That of `future`.
///
/// # Example
/// ```
/// # let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
/// use goro_context::budget::{UNLIMITED, remaining, unconstrained};
/// let inside = core::pin::pin!(unconstrained(async { remaining() }));
/// assert_eq!(inside.poll(&mut cx), core::task::Poll::Ready(UNLIMITED));
/// ```
pub async fn unconstrained<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(move |cx| with(UNLIMITED, || future.as_mut().poll(cx))).await
}

#[cfg(all(test, not(loom)))]
mod tests;
