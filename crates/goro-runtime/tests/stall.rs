//! Long polls, and spare workers: when they come, and what they see to. (`spares.rs`: when they go.)
//!
//! Most of this is scripted: time is virtual, `Handle::busy` is a poll that computes, and whoever else
//! could move does meanwhile. So bounds on lateness are asserted in the script's time, where they are
//! the scheduler's own.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::Scripted;
use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, Handle, Runtime, block_on, spawn, task};
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};

const LONG: Duration = Duration::from_secs(20);
const PERIOD: Duration = Duration::from_millis(1);

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

/// Tasks that are in one poll for 50 ms, again and again, until told to stop.
fn hogs(handle: &Handle, count: usize, over: &Arc<AtomicBool>) {
    for _ in 0..count {
        let (busy, over) = (handle.clone(), over.clone());
        drop(handle.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                busy.busy(Duration::from_millis(50));
                yield_now().await;
            }
        }));
    }
}

/// How late a task that sleeps a millisecond at a time is, at worst, in `rounds` of them.
async fn lateness(rounds: usize) -> Duration {
    let mut worst = Duration::ZERO;
    for _ in 0..rounds {
        let due = now() + PERIOD;
        sleep(PERIOD).await;
        worst = worst.max(now() - due);
    }
    worst
}

/// A look finds the poll, the next one finds it again: a spare is there within two periods, and the
/// script lets a tenth of one pass at a time before it lets the spare move.
#[test]
fn while_spares_outnumber_hogs_others_run_on() {
    for seed in 0..24 {
        for (workers, count) in [(1, 1), (1, 4), (2, 2), (2, 8)] {
            let mut script = script(workers, seed);
            let over = Arc::new(AtomicBool::new(false));
            hogs(&script.handle(), count, &over);
            // Each hog takes one more member of the crew at first.
            let (first, later) = script
                .run(async {
                    let first = lateness(20).await;
                    (first, lateness(100).await)
                })
                .unwrap();
            over.store(true, Ordering::Relaxed);
            let each = 4 * PERIOD;
            assert!(first <= each * (count as u32 + 1), "{workers}, {count}, {seed}: {first:?}");
            assert!(later <= each, "{workers} workers, {count} hogs, seed {seed}: {later:?}");
            let metrics = script.handle().metrics();
            assert!(metrics.spares_present as usize <= count, "{metrics:?}");
        }
    }
}

#[test]
fn with_somebody_free_no_spare_comes() {
    for seed in 0..20 {
        let mut script = script(3, seed);
        let over = Arc::new(AtomicBool::new(false));
        hogs(&script.handle(), 2, &over);
        let late = script.run(lateness(50)).unwrap();
        over.store(true, Ordering::Relaxed);
        assert!(late <= 4 * PERIOD, "seed {seed}: {late:?}");
        assert_eq!(script.handle().metrics().spares_started, 0, "seed {seed}");
    }
}

/// With nothing waiting there is time: what comes next finds a spare ready after ten thresholds.
#[test]
fn with_nothing_waiting_a_spare_comes_later() {
    let mut script = script(1, 1);
    let handle = script.handle();
    let counts = script.run(async move {
        let started = |handle: &Handle| handle.metrics().spares_started;
        handle.busy(Duration::from_millis(8));
        let early = started(&handle);
        handle.busy(Duration::from_millis(8));
        (early, started(&handle))
    });
    assert_eq!(counts, Ok((0, 1)));
}

#[test]
fn the_limit_on_spares_holds_and_work_waits_beyond_it() {
    for seed in 0..10 {
        let mut script =
            Builder::new().workers(1).stall_spares(3).build_scripted(Some(seed)).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        hogs(&script.handle(), 8, &over);
        let late = script.run(lateness(5)).unwrap();
        let metrics = script.handle().metrics();
        over.store(true, Ordering::Relaxed);
        assert_eq!((metrics.spares_present, metrics.spares.len()), (3, 3), "seed {seed}");
        assert!(late >= Duration::from_millis(5), "seed {seed}: who ran it within {late:?}?");
        script.run_until_stalled();
        assert_eq!(script.handle().metrics().tasks_live, 0);
    }
}

/// With no spare to be had, what has become due goes in between two long polls, all of it: not one task
/// for each of the polls.
#[test]
fn what_waits_for_a_poll_to_end_does_not_wait_for_as_many_as_it_is() {
    for seed in 0..10 {
        let build = Builder::new().workers(1).stall_spares(0);
        let mut script = build.build_scripted(Some(seed)).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        hogs(&script.handle(), 3, &over);
        let late = script
            .run(async {
                let sleepers: Vec<_> = (0..40).map(|_| spawn(lateness(5))).collect();
                let mut worst = Duration::ZERO;
                for sleeper in sleepers {
                    worst = worst.max(sleeper.await.unwrap());
                }
                worst
            })
            .unwrap();
        over.store(true, Ordering::Relaxed);
        // The poll that goes on, and those of the three that stand in the ring.
        assert!(late <= Duration::from_millis(6 * 50), "seed {seed}: {late:?}");
    }
}

#[test]
fn without_spares_and_without_a_monitor_nobody_comes() {
    for build in [Builder::new().stall_spares(0), Builder::new().monitor(false)] {
        let mut script = build.workers(1).build_scripted(Some(1)).unwrap();
        let handle = script.handle();
        script
            .run(async move {
                let task = spawn(async {});
                handle.busy(Duration::from_millis(40));
                assert_eq!(handle.metrics().spares_started, 0);
                task.await.unwrap();
            })
            .unwrap();
    }
}

fn one_worker() -> Runtime {
    Builder::new().workers(1).build().unwrap()
}

/// What a task wakes and then blocks on, with one worker: the next slot is taken from it.
#[test]
fn a_task_woken_by_one_that_then_blocks_runs() {
    let runtime = one_worker();
    for _ in 0..10 {
        let (tell, told) = mpsc::channel();
        let task = runtime.spawn(async move {
            let waits = spawn(async move { tell.send(()).unwrap() });
            // Undeclared: the monitor finds out.
            let heard = told.recv_timeout(LONG).is_ok();
            waits.await.unwrap();
            heard
        });
        assert!(block_on(task).unwrap());
    }
}

/// How long what a task wakes before it computes for five periods waits to run, by the script's clock.
async fn wait_behind(busy: Handle) -> Duration {
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let kept = waker.clone();
    let mut woken = false;
    let sleeper = spawn(poll_fn(move |cx| {
        if core::mem::replace(&mut woken, true) {
            return Poll::Ready(now());
        }
        *kept.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }));
    while waker.lock().unwrap().is_none() {
        yield_now().await;
    }
    let blocker = spawn(async move {
        let (waker, wakes) = (waker.lock().unwrap().take(), now());
        waker.unwrap().wake();
        busy.busy(5 * PERIOD);
        wakes
    });
    let ran = sleeper.await.unwrap();
    ran - blocker.await.unwrap()
}

/// The second look, which gives it away, comes sooner than a period after the first, which comes a period after
/// the worker rose. (In the mean, since the script lets half a period pass before it moves who was woken.)
#[test]
fn what_a_task_wakes_before_a_long_poll_waits_for_less_than_two_periods() {
    for seed in 0..8 {
        for workers in [1, 2, 3] {
            let mut script = script(workers, seed);
            let handle = script.handle();
            let sum = script.run(async move {
                let mut sum = Duration::ZERO;
                for _ in 0..30 {
                    // The monitor sleeps by then, and begins to look when the worker rises.
                    sleep(20 * PERIOD).await;
                    sum += wait_behind(handle.clone()).await;
                }
                sum
            });
            let mean = sum.unwrap() / 30;
            assert!(mean < 2 * PERIOD, "{workers} workers, seed {seed}: {mean:?}");
        }
    }
}

/// What comes to stand behind a poll that has been found twice is offered at the second look: it has not stood
/// for a period yet.
#[test]
fn what_comes_to_stand_behind_a_long_poll_is_offered_at_once() {
    for seed in 0..8 {
        let mut script = script(2, seed);
        let handle = script.handle();
        let sum = script.run(async move {
            let mut sum = Duration::ZERO;
            for _ in 0..30 {
                sleep(20 * PERIOD).await;
                let (busy, (told, hear)) = (handle.clone(), mpsc::channel());
                let poll = handle.spawn(async move {
                    busy.busy(PERIOD * 13 / 10);
                    let begun = now();
                    drop(spawn(async move { told.send(now() - begun).unwrap() }));
                    busy.busy(20 * PERIOD);
                });
                poll.await.unwrap();
                sum += hear.try_recv().unwrap();
            }
            sum
        });
        let mean = sum.unwrap() / 30;
        assert!(mean < PERIOD, "seed {seed}: {mean:?}");
    }
}

#[test]
fn sockets_timers_and_tasks_go_on_beside_a_poll_that_sleeps() {
    let runtime = one_worker();
    let (release, released) = mpsc::channel::<()>();
    let stuck = runtime.spawn(async move { released.recv_timeout(LONG).is_ok() });
    let beside = runtime.spawn(async {
        sleep(Duration::from_millis(3)).await;
        spawn(async { 5 }).await.unwrap()
    });
    assert_eq!(block_on(beside).unwrap(), 5);
    release.send(()).unwrap();
    assert!(block_on(stuck).unwrap());
}

#[test]
fn the_hook_is_told_of_each_long_poll_once() {
    let stalls = Arc::new(Mutex::new(Vec::new()));
    let told = stalls.clone();
    let mut script = Builder::new()
        .workers(1)
        .on_stall(move |stall| {
            told.lock().unwrap().push((stall.task(), stall.name(), stall.worker()));
            assert!(stall.lasted() >= Duration::from_millis(9), "{stall}");
            assert!(stall.site().file().ends_with("stall.rs"));
            resume_unwind(Box::new("the hook's own"));
        })
        .build_scripted(Some(1))
        .unwrap();
    let handle = script.handle();
    let busy = handle.clone();
    let slow = handle.spawn(async {});
    drop(slow);
    let _inside = handle.enter();
    let slow = task::Builder::new().name("slow").spawn(async move {
        for _ in 0..3 {
            busy.busy(Duration::from_millis(30));
            yield_now().await;
        }
        busy.busy(Duration::from_millis(5));
        // A declared block is no stall.
        block_on(sleep(Duration::from_millis(50)));
    });
    let id = slow.id();
    script.run_until_stalled();
    let stalls = stalls.lock().unwrap();
    assert_eq!(stalls.len(), 3, "{stalls:?}");
    assert!(stalls.iter().all(|&(task, name, _)| task == id && name == "slow"), "{stalls:?}");
}
