//! The budget by hand: who takes part lets others run, and who does not wish to is let be.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::{Builder, block_on, coop, spawn};
use std::future::{poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

/// How many rounds of `busy` are done before a task that was spawned first thing gets to run.
fn rounds_before_another_runs<F: Future + Send + 'static>(
    busy: impl Fn(usize) -> F + Send + 'static,
) -> usize {
    let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
    let rounds = Arc::new(AtomicUsize::new(0));
    let seen = rounds.clone();
    script
        .run(async move {
            let other = spawn(async move { seen.load(Ordering::Relaxed) });
            for round in 0..1_000 {
                busy(round).await;
                rounds.fetch_add(1, Ordering::Relaxed);
            }
            other.await.unwrap()
        })
        .unwrap()
}

#[test]
fn a_loop_that_consumes_lets_others_run_every_128_rounds() {
    assert_eq!(rounds_before_another_runs(|_| coop::consume()), 128);
}

#[test]
fn an_operation_of_anothers_made_cooperative_lets_others_run() {
    assert_eq!(rounds_before_another_runs(|round| coop::cooperative(ready(round))), 128);
}

/// What is not ready has not used anything up.
#[test]
fn an_operation_that_waits_pays_once() {
    let waits_first = |_| {
        let mut polls = 0;
        coop::cooperative(poll_fn(move |cx| {
            polls += 1;
            if polls < 3 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        }))
    };
    assert!(rounds_before_another_runs(waits_first) == 0, "it waits in the first round");
    block_on(async {
        for _ in 0..300 {
            coop::cooperative(ready(())).await;
        }
    });
}

#[test]
fn an_unconstrained_future_is_never_cut_short() {
    assert_eq!(rounds_before_another_runs(|_| coop::unconstrained(coop::consume())), 1_000);
}

/// Pitfall 123: the inner future eats the budget, and the timeout round it never sees its deadline.
#[test]
fn a_timeout_round_a_busy_loop_ends_it() {
    use goro_runtime::time::{Duration, timeout};
    let runtime = Builder::new().workers(1).build().unwrap();
    let busy = async {
        loop {
            coop::consume().await;
        }
    };
    let task = runtime.spawn(timeout(Duration::from_millis(20), busy));
    assert!(block_on(task).unwrap().is_err());
}

#[test]
fn outside_of_tasks_nothing_yields() {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..1_000 {
        assert!(std::pin::pin!(coop::consume()).poll(&mut cx).is_ready());
    }
}
