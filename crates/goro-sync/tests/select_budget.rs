//! `select!` and a task's budget.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use goro_sync::select;
use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Polls once.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A task of an executor with a budget, around what a test does.
mod budgeted {
    use super::*;
    use goro_context::{CurrentTask, Kind, TaskId, budget, task};

    fn poll_with<T>(units: u32, future: impl Future<Output = T>) -> Poll<T> {
        let _turn = task::turn(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
        budget::with(units, || poll_once(future))
    }

    /// An operation of goro's that is ready.
    async fn leaf() -> u32 {
        poll_fn(|cx| budget::poll_spend(cx).map(|_paid| 1)).await
    }

    /// An operation of goro's that is not ready.
    async fn idle_leaf() {
        poll_fn(|cx| budget::poll_spend(cx).map(budget::Spent::refund)).await;
        pending::<()>().await;
    }

    /// Pitfall 125: whatever is ready at once yields in the end.
    #[test]
    fn a_loop_round_a_ready_select_yields() {
        let rounds = Cell::new(0);
        let count = || rounds.set(rounds.get() + 1);
        let spinning = async {
            loop {
                select! { () = ready(()) => count() }
            }
        };
        assert!(poll_with(100, spinning).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let asking = async {
            loop {
                select! { () = idle_leaf() => {}, default => count() }
            }
        };
        assert!(poll_with(100, asking).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let refused = async {
            loop {
                select! { Some(()) = ready(None) => {}, else => count() }
            }
        };
        assert!(poll_with(100, refused).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let late = async {
            loop {
                select! { () = pending() => {}, timeout(Duration::ZERO) => count() }
            }
        };
        assert!(poll_with(100, late).is_pending());
        assert_eq!(rounds.get(), 100);
    }

    #[test]
    fn an_arm_that_has_paid_pays_for_the_select() {
        let rounds = Cell::new(0);
        let looping = async {
            loop {
                select! { n = leaf() => rounds.set(rounds.get() + n), () = idle_leaf() => {} }
            }
        };
        assert!(poll_with(100, looping).is_pending());
        assert_eq!(rounds.get(), 100);
    }

    /// An arm that is `Pending` since the budget ended is not one that is not ready.
    #[test]
    fn default_does_not_run_for_want_of_budget() {
        let ask = || async {
            select! { n = leaf() => n, default => 0 }
        };
        assert_eq!(poll_with(1, ask()), Poll::Ready(1));
        assert_eq!(poll_with(0, ask()), Poll::Pending);
        // An arm that uses all of it up before another one is asked.
        let greedy = async {
            select! {
                biased;
                () = async { for _ in 0..5 { leaf().await; } pending().await } => 2,
                n = leaf() => n,
                default => 0,
            }
        };
        assert_eq!(poll_with(5, greedy), Poll::Pending);
    }

    /// Pitfall 123: a timeout is looked at whatever the arms have used up.
    #[test]
    fn a_timeout_comes_through_when_an_arm_eats_the_budget() {
        let eats = async {
            loop {
                leaf().await;
            }
        };
        let mut select = pin!(async {
            select! { n = eats => n, timeout(Duration::from_millis(1)) => 7 }
        });
        let mut outcome = Poll::Pending;
        for _ in 0..3 {
            if outcome.is_pending() {
                outcome = poll_with(100, select.as_mut());
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        assert_eq!(outcome, Poll::Ready(7));
    }
}
