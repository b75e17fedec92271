//! Races: [`select!`](crate::select!) as a function, whose answer is an enum to match on.
//!
//! Invariants:
//! 1. Every order in which the runners are asked is equally likely, at each poll.
//! 2. A race that is over holds no future: the losers are dropped before its answer is given.
//!
//! Left out: races of more than 8 (there is `select!`), and of a number that only shows at run time.
//!
//! ```
//! use goro_sync::race::{Attempts, FirstOk2, OneOf2, Race2, Runners};
//! use std::future::ready;
//!
//! # futures::executor::block_on(async {
//! let race: Race2<_, _> = (ready(1), std::future::pending::<()>()).race();
//! assert_eq!(race.await, OneOf2::A(1));
//! let attempts: FirstOk2<_, _, _> = (ready(Err(1)), ready(Ok(2))).race_ok();
//! assert_eq!(attempts.await, Ok::<_, [i32; 2]>(2));
//! # });
//! ```

mod first_ok;
mod tuples;

use core::future::Future;

pub use first_ok::*;
pub use tuples::*;

/// What can race: a tuple of 2 to 8 futures (for more there is `select!`).
pub trait Runners {
    /// Which one has won, and with what: `OneOf2::A(..)` for the first of two, and so on.
    type Winner;
    /// The race.
    type Race: Future<Output = Self::Winner>;

    /// Starts it; nothing is polled yet.
    fn race(self) -> Self::Race;
}

/// Waits for whichever of several futures is ready first, and drops the others.
///
/// The same as [`select!`](crate::select!) where no guard, refutable pattern or `default` is needed:
/// an ordinary `match`, which rustfmt formats and an editor completes.
///
/// # Cancel safety
/// That of the runners: losers are dropped, and dropping the race drops them all. A race of futures
/// that are all [`CancelSafe`](crate::select::CancelSafe) is so itself.
///
/// # Sources
/// futures-concurrency's `Race` over tuples; the enum is goro's.
///
/// # Example
/// ```
/// use goro_sync::race::{OneOf3, race};
/// use std::future::{pending, ready};
///
/// # futures::executor::block_on(async {
/// match race((pending::<u32>(), ready("text"), pending::<()>())).await {
///     OneOf3::A(number) => println!("{number}"),
///     OneOf3::B(text) => assert_eq!(text, "text"),
///     OneOf3::C(()) => unreachable!(),
/// }
/// # });
/// ```
pub fn race<R: Runners>(runners: R) -> R::Race {
    runners.race()
}

#[cfg(all(test, not(loom)))]
mod tests;
