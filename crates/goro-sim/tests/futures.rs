//! Tools for those who write futures: dropping one at each point, and the rules of polling.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::channel::oneshot;
use goro_context::budget;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{spawn, spawn_blocking};
use goro_sim::{Sim, cancel_at_every_point, explore, poll_contract};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// An operation that is ready at once, as a leaf of goro's is.
async fn operation() {
    poll_fn(|cx| budget::poll_spend(cx).map(drop)).await;
}

#[test]
fn every_await_is_a_point_also_one_that_is_ready() {
    explore(20, |sim| {
        let points = sim.run(async {
            let mut seen = Vec::new();
            let start = || async {
                operation().await;
                yield_now().await;
                operation().await;
                sleep(Duration::from_secs(1)).await;
            };
            let points = cancel_at_every_point(start, |point| seen.push(point)).await;
            (points, seen)
        });
        let (points, seen) = points.unwrap();
        assert_eq!(seen, (0..=points).collect::<Vec<_>>());
        assert_eq!(points, 3, "yielding, the second operation, the sleep");
    });
}

#[test]
fn what_is_done_at_once_has_no_point() {
    let points = Sim::new(1).run(cancel_at_every_point(|| async { 3 }, |at| assert_eq!(at, 0)));
    assert_eq!(points.unwrap(), 0);
}

/// Planted: between taking and giving back it is lost when dropped.
#[test]
fn a_value_that_is_lost_when_dropped_is_found() {
    let lost = |gives_back: bool| {
        let found = Cell::new(None);
        let found = std::rc::Rc::new(found);
        let at = found.clone();
        let run = Sim::new(3).run(async move {
            let purse = Arc::new(Mutex::new(vec![7]));
            struct Guard(Arc<Mutex<Vec<u32>>>, Option<u32>, bool);
            impl Drop for Guard {
                fn drop(&mut self) {
                    if self.2 {
                        self.0.lock().unwrap().extend(self.1.take());
                    }
                }
            }
            let start = || {
                let purse = purse.clone();
                async move {
                    yield_now().await;
                    let coin = purse.lock().unwrap().pop();
                    let mut guard = Guard(purse.clone(), coin, gives_back);
                    sleep(Duration::from_millis(1)).await;
                    purse.lock().unwrap().extend(guard.1.take());
                }
            };
            let check = |point| {
                if purse.lock().unwrap().is_empty() && at.get().is_none() {
                    at.set(Some(point));
                }
            };
            cancel_at_every_point(start, check).await
        });
        assert_eq!(run.unwrap(), 2);
        found.get()
    };
    assert_eq!(lost(false), Some(1), "dropped in its sleep");
    assert_eq!(lost(true), None);
}

#[test]
fn it_works_inside_a_task_and_outside_of_simulations() {
    let runtime = goro_runtime::Runtime::new().unwrap();
    let points = || {
        cancel_at_every_point(
            || async {
                operation().await;
                operation().await;
            },
            |_| (),
        )
    };
    let inside = runtime.block_on(async { spawn(points()).await.unwrap() });
    assert_eq!((inside, runtime.block_on(points())), (1, 1));
}

#[test]
fn goros_own_futures_keep_the_rules() {
    explore(200, |sim| {
        let kept = sim.run(async {
            poll_contract(sleep(Duration::from_millis(5))).await;
            poll_contract(yield_now()).await;
            let task = spawn(async {
                sleep(Duration::from_millis(1)).await;
                1
            });
            let joined = poll_contract(task).await.unwrap();
            let job = poll_contract(spawn_blocking(|| 2)).await.unwrap();
            let mut kept = Vec::new();
            let never = poll_fn(move |cx| {
                kept.push(cx.waker().clone());
                if kept.is_empty() { Poll::Ready(()) } else { Poll::Pending }
            });
            let late = poll_contract(timeout(Duration::from_millis(3), never)).await;
            let (sender, receiver) = oneshot::channel();
            let sent = spawn(async move {
                sleep(Duration::from_millis(1)).await;
                sender.send(3).unwrap();
            });
            let received = poll_contract(receiver).await.unwrap();
            sent.await.unwrap();
            (joined, job, late.is_err(), received)
        });
        assert_eq!(kept.unwrap(), (1, 2, true, 3));
    });
}

/// What a run under the rules panics with, under the first of the seeds that shows it.
fn complaint<F: Future + 'static>(make: impl Fn() -> F) -> String
where
    F::Output: 'static,
{
    let complaints = (0..200).find_map(|seed| {
        let run = AssertUnwindSafe(|| Sim::new(seed).run(poll_contract(make())).map(drop));
        let payload = catch_unwind(run).err()?;
        Some(payload.downcast_ref::<String>().cloned().unwrap_or_default())
    });
    complaints.expect("no rule was found broken")
}

#[test]
fn a_future_that_forgets_its_waker_is_found() {
    let told = complaint(std::future::pending::<()>);
    assert!(told.contains("neither kept") && told.contains("tests/futures.rs"), "{told}");
}

/// Keeps the first waker and no later one.
struct FirstWaker(Option<Waker>, Pin<Box<dyn Future<Output = ()>>>);

impl Future for FirstWaker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = self.0.get_or_insert_with(|| cx.waker().clone()).clone();
        self.1.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[test]
fn a_future_that_keeps_its_first_waker_is_found() {
    let told = complaint(|| FirstWaker(None, Box::pin(sleep(Duration::from_millis(1)))));
    assert!(told.contains("has neither kept that poll's waker"), "{told}");
}

/// Keeps all wakers and has the first one woken.
struct WakesTheFirst(Vec<Waker>, Pin<Box<dyn Future<Output = ()>>>);

impl Future for WakesTheFirst {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.push(cx.waker().clone());
        let first = self.0[0].clone();
        self.1.as_mut().poll(&mut Context::from_waker(&first))
    }
}

#[test]
fn a_future_that_wakes_an_earlier_waker_is_found() {
    let told = complaint(|| WakesTheFirst(Vec::new(), Box::pin(sleep(Duration::from_millis(1)))));
    assert!(told.contains("woke a waker of an earlier poll"), "{told}");
}
