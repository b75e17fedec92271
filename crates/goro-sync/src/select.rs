//! Waiting for whichever of several comes first: [`select!`](crate::select!) for a fixed number of
//! different things, [`race`](crate::race()) for the same as a plain function, [`Select`] for a number
//! of like things that changes.
//!
//! | | arms | answer | losers |
//! |---|---|---|---|
//! | [`select!`](crate::select!) | up to 64 futures | the winner's handler runs | dropped before it |
//! | [`race`](crate::race()) | a tuple of futures | an enum to match on | dropped before it |
//! | [`Select`] | a set of streams | key and item | stay in the set |
//!
//! Arms are plain futures. The first two allocate nothing, and all run on any
//! executor.
//!
//! Invariants:
//! 1. One arm of a `select!` or a race wins, and only what it gave is taken; the other futures are dropped where they stand,
//!    as if they had been dropped by hand. What that means is each operation's own promise (see
//!    [`CancelSafe`]).
//! 2. No future of the select exists any more when a handler runs. A lock that a loser held, or a
//!    place that it had in a queue, is given back by then.
//! 3. Without `biased;` no arm is favoured, whichever of the others are ready.
//!
//! Left out: arms of `select!` that are kept over rounds in secret. Who wants a future to go on while another arm
//! wins keeps it outside, and waits for `&mut future`.

#[doc(hidden)]
pub mod glance;
#[doc(hidden)]
pub mod grammar;
#[doc(hidden)]
pub mod refused;
#[doc(hidden)]
pub mod round;
mod safe;
pub(crate) mod set;

pub use safe::{AssertCancelSafe, CancelSafe, cancel_safe};
pub use set::{Branch, Next, Select, Selected};

/// Waits for several futures, and runs the handler of the one that is ready first; the others are
/// dropped before it runs.
///
/// ```text
/// select! {
///     biased;                               // optional: ask the arms in the order they stand in
///     strict;                               // optional: only arms that are marked as cancel safe
///     pattern = future => handler,
///     pattern = future, if guard => handler,
///     default => handler,                   // no arm is ready now
///     timeout(duration) => handler,         // no arm was ready for so long
///     else => handler,                      // no arm can win any more
/// }
/// ```
///
/// A comma may be left out behind a handler that is a block. The value of the select is that of the
/// handler that ran, and a handler may use `?`, `break`, `continue`, `return` and `.await` as the
/// code around the select may.
///
/// # What happens
/// 1. Guards are asked, in order, and futures made, in order, those of arms whose guard is false
///    excepted.
/// 2. Arms are asked in an order drawn anew each time, each order being equally likely: no ready arm
///    is favoured over another. With `biased;` the order is that in which they stand. Operations of this
///    crate are first asked without waiting in line; only when no arm is ready do they stand in
///    line, all of them.
/// 3. An arm that is ready with a value that its pattern does not match is out for this select, and
///    the others go on.
/// 4. The first one that is ready wins. All futures are dropped, and then its handler runs: whatever
///    the other futures borrowed, or had locked, is free again.
/// 5. If none is ready, `default` runs at once; or else the task waits. `timeout(d)` runs when it has
///    waited for `d`; it costs no timer if an arm is ready at once, and an arm that is ready when the
///    time is up comes first.
/// 6. `else` runs when each arm is out, by its guard or its pattern. `default` excludes `timeout`
///    and `else`.
///
/// A future that is to go on when another arm wins stays outside, and is waited for by reference:
/// `x = &mut future`.
///
/// To send as an arm, wait for a permit, and send in the handler: the value is not touched before.
///
/// # Panics
/// When every arm is out and there is neither `else` nor `default` nor `timeout`.
///
/// # Cancel safety
/// That of the arms: dropping the select drops their futures, as losing does. `strict;` makes the
/// compiler ask for [`CancelSafe`](crate::select::CancelSafe) of each.
///
/// # Budget
/// A select that ends spends at least one unit of the task's budget, so that a loop round a select
/// that is always ready lets other tasks run.
///
/// # Sources
/// The syntax is tokio's. That losers are dropped first is Go's `select` seen from here, and spares
/// the deadlock that Oxide's RFD 609 describes; `default` is Go's.
///
/// # Example
/// ```
/// use goro_sync::select;
/// use std::future::{pending, ready};
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let mut log = Vec::new();
/// for attempt in 1.. {
///     select! {
///         Ok(n) = ready("no number".parse::<u32>()) => log.push(n),
///         word = ready("a word"), if attempt > 1 => {
///             log.clear(); // the futures are gone, and with them what they borrowed
///             assert_eq!(word, "a word");
///             break;
///         }
///         () = pending() => unreachable!(),
///         timeout(Duration::from_millis(1)) => log.push(attempt),
///     }
/// }
/// assert!(log.is_empty());
/// # });
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)*) => {
        $crate::__select! { @head {shuffled arm} $($arms)* }
    };
}
