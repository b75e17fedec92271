//! What goes wrong on request, and what it does not do.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::budget;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{BuildError, Handle, spawn, spawn_blocking, spawn_local};
use goro_sim::{Failure, Faults, Sim, explore};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn a_refused_thread_is_an_error_and_leaves_nothing_running() {
    let (mut built, mut refused) = (0, 0);
    for seed in 0..200 {
        let sim = Sim::new(seed).workers(4).faults(Faults::none().refused_threads(8));
        match sim.run(async { spawn(yield_now()).await.is_ok() }) {
            Ok(ran) => built += u32::from(ran),
            Err(Failure::Build(BuildError::Thread { started, .. })) => {
                assert!(started < 5, "a monitor and four workers");
                refused += 1;
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    assert!(built > 20 && refused > 20 && built + refused == 200, "{built}, {refused}");
}

/// A local task stands behind the wait of the one that has its worker's thread.
#[test]
fn who_stands_behind_a_wait_inside_a_poll_is_counted() {
    for (tasks, says) in [
        (1, "\n  1 task has never waited, and stands behind one of these"),
        (2, "\n  2 tasks have never waited, and stand behind these"),
    ] {
        let run = Sim::new(tasks).workers(2).run(async move {
            let waits = Handle::current().spawn_pinned(0, move || async move {
                let behind: Vec<_> = (0..tasks).map(|_| spawn_local(async {})).collect();
                for task in behind {
                    goro_runtime::block_on(task).unwrap();
                }
            });
            waits.await.unwrap();
        });
        let Err(Failure::Stalled(stall)) = run else { panic!("it has not stalled: {run:?}") };
        assert_eq!(stall.behind, tasks, "{stall}");
        assert!(stall.to_string().contains(says), "{stall}");
    }
}

#[test]
fn a_refused_job_is_cancelled_and_says_why() {
    let (mut ran, mut refused) = (0, 0);
    explore(20, |sim| {
        let results = sim.faults(Faults::none().refused_jobs(3)).run(async {
            let jobs: Vec<_> = (0..10).map(|n| spawn_blocking(move || n)).collect();
            let mut results = Vec::new();
            for job in jobs {
                results.push(job.await);
            }
            results
        });
        for (at, result) in results.unwrap().into_iter().enumerate() {
            match result {
                Ok(n) => {
                    assert_eq!(n, at);
                    ran += 1;
                }
                Err(error) => {
                    assert!(error.to_string().contains("refuses a thread"), "{error}");
                    refused += 1;
                }
            }
        }
    });
    assert!(ran > 50 && refused > 30, "{ran} ran, {refused} refused");
}

#[test]
fn jobs_take_their_time_and_others_go_on_meanwhile() {
    let mut took = Duration::ZERO;
    explore(20, |sim| {
        let both = sim.faults(Faults::none().slow_jobs(Duration::from_secs(3))).run(async {
            let began = now();
            let job = spawn_blocking(|| ());
            spawn(sleep(Duration::from_millis(1))).await.unwrap();
            let nap = now() - began;
            job.await.unwrap();
            (nap, now() - began)
        });
        let (nap, job) = both.unwrap();
        assert!(nap < Duration::from_millis(10), "{nap:?}");
        assert!(job < Duration::from_secs(4), "{job:?}");
        took += job;
    });
    assert!(took > Duration::from_secs(10), "twenty jobs of a second and a half: {took:?}");
}

#[test]
fn the_clock_jumps_and_no_sleep_is_early() {
    let mut late = Duration::ZERO;
    explore(50, |sim| {
        let jumps = Faults::none().clock_jumps(10, Duration::from_secs(2));
        let slept = sim.faults(jumps).run(async {
            let mut longest = Duration::ZERO;
            for nap in 1..20 {
                let nap = Duration::from_millis(nap);
                let began = now();
                sleep(nap).await;
                assert!(now() - began >= nap);
                longest = longest.max(now() - began - nap);
            }
            longest
        });
        late += slept.unwrap();
    });
    assert!(late > Duration::from_secs(20), "late by {late:?} in all");
}

/// An operation that is ready at once, as a leaf of goro's is.
async fn operation() {
    poll_fn(|cx| budget::poll_spend(cx).map(drop)).await;
}

/// Two that never wait for anything: only an operation that yields lets the one see the other.
#[test]
fn operations_that_yield_show_an_update_that_is_lost() {
    let lost = |faults: Faults| {
        let mut lost = 0;
        explore(100, |sim| {
            let count = sim.workers(1).faults(faults.clone()).run(async {
                let count = Arc::new(AtomicU32::new(0));
                let writers = [(); 2].map(|()| {
                    let count = count.clone();
                    spawn(async move {
                        for _ in 0..5 {
                            let read = count.load(Ordering::Relaxed);
                            operation().await;
                            count.store(read + 1, Ordering::Relaxed);
                        }
                    })
                });
                for writer in writers {
                    writer.await.unwrap();
                }
                count.load(Ordering::Relaxed)
            });
            lost += u32::from(count.unwrap() < 10);
        });
        lost
    };
    assert_eq!(lost(Faults::none()), 0);
    assert!(lost(Faults::none().yields(4)) > 20);
}

#[test]
fn what_is_bearable_changes_no_result() {
    explore(100, |sim| {
        let sum = sim.faults(Faults::bearable()).run(async {
            let tasks: Vec<_> = (0..20_u64)
                .map(|n| {
                    spawn(async move {
                        sleep(Duration::from_micros(n)).await;
                        operation().await;
                        spawn_blocking(move || n).await.unwrap()
                    })
                })
                .collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum.unwrap(), 190);
    });
}
