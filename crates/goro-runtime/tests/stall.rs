//! Long polls, and spare workers: when they come, what they see to, and when they go.
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

#[path = "support/no_spares.rs"]
mod no_spares;

use goro_runtime::driver::scripted::{Event, Mover, Script, Scripted, Seeded};
use goro_runtime::task::{self, block_in_place, yield_now};
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, Handle, Runtime, block_on, spawn};
use no_spares::NoSpares;
use std::future::{pending, poll_fn};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// How long a spare stayed after the last of so many long polls, by the script's clock, and who slept
/// then.
fn retirement(keep: Duration, polls: u32, seed: u64) -> (Duration, u32) {
    let mut script =
        Builder::new().workers(1).spare_keep_alive(keep).build_scripted(Some(seed)).unwrap();
    let handle = script.handle();
    let busy = handle.clone();
    let ended = script
        .run(async move {
            for _ in 0..polls {
                sleep(keep / 2).await;
                drop(spawn(async { sleep(PERIOD).await }));
                busy.busy(Duration::from_millis(30));
                assert_eq!(busy.metrics().spares_present, 1);
            }
            now()
        })
        .unwrap();
    while handle.metrics().spares_present > 0 {
        assert!(script.step(), "it is left for good");
    }
    let stayed = script.now() - ended;
    script.run_until_stalled();
    (stayed, handle.metrics().sleeping)
}

#[test]
fn a_spare_that_is_not_needed_leaves() {
    for (seed, keep) in [(1, 100), (2, 100), (3, 16), (4, 150)] {
        let keep = Duration::from_millis(keep);
        for (polls, least) in [(1, keep / 16), (2, keep), (4, keep)] {
            let (stayed, sleeping) = retirement(keep, polls, seed);
            // The task's own poll ended last, so the keeping time may have begun a period earlier.
            assert!(stayed + 2 * PERIOD >= least, "{polls} polls: it stayed for {stayed:?} only");
            assert!(stayed <= 2 * least + 3 * PERIOD, "{polls} polls: it stayed for {stayed:?}");
            assert_eq!(sleeping, 1, "the worker, and nobody else");
        }
    }
}

/// What a spare has taken on outlives it: parked tasks, armed timers, runnables in its ring.
#[test]
fn nothing_is_lost_when_a_spare_leaves() {
    for seed in 0..200 {
        let mut script = Builder::new()
            .workers(1)
            .spare_keep_alive(Duration::from_millis(2))
            .build_scripted(Some(seed))
            .unwrap();
        let handle = script.handle();
        let ran = Arc::new(AtomicUsize::new(0));
        let all = ran.clone();
        script
            .run(async move {
                for n in 0..40_u64 {
                    let ran = ran.clone();
                    drop(spawn(async move {
                        // Armed on a spare, due long after it has left, and in between.
                        for round in 0..4 {
                            sleep(Duration::from_micros(500 + n * 731 * (round + 1))).await;
                            yield_now().await;
                        }
                        ran.fetch_add(1, Ordering::Relaxed);
                    }));
                    if n % 10 == seed % 10 {
                        handle.busy(Duration::from_millis(3 + n % 5));
                        yield_now().await;
                    }
                }
                sleep(Duration::from_secs(1)).await;
            })
            .unwrap();
        assert_eq!(all.load(Ordering::Relaxed), 40, "seed {seed}");
        script.run_until_stalled();
        let metrics = script.handle().metrics();
        assert_eq!((metrics.tasks_live, metrics.spares_present), (0, 0), "seed {seed}");
        assert!(metrics.spares_started > 0, "seed {seed}: there was no spare");
    }
}

/// A script in which each step of a worker takes a while.
#[derive(Debug)]
struct Slow(Seeded);

impl Script for Slow {
    fn seed(&self) -> u64 {
        self.0.seed()
    }
    fn below(&self, bound: u32) -> u32 {
        self.0.below(bound)
    }
    fn choose(&self, movers: &[Mover]) -> usize {
        self.0.choose(movers)
    }
    fn took(&self, mover: Mover) -> Duration {
        let is_worker = matches!(mover, Mover::Worker(_));
        if is_worker { Duration::from_micros(20) } else { Duration::ZERO }
    }
}

/// Nor does it stand, with everybody asleep, until the monitor comes by.
#[test]
fn what_a_spare_hands_over_is_run_at_once() {
    let mut handed_over = 0;
    for seed in 0..100 {
        let mut script = Builder::new()
            .workers(1)
            .spare_keep_alive(Duration::from_millis(64))
            .build_on_script(Arc::new(Slow(Seeded::new(seed))))
            .unwrap();
        let handle = script.handle();
        let busy = handle.clone();
        script
            .run(async move {
                drop(spawn(async {}));
                busy.busy(Duration::from_millis(4));
            })
            .unwrap();
        while handle.metrics().sleeping < 2 {
            assert!(script.step());
        }
        let before = script.log().len();
        let runs = handle.spawn(async {
            for _ in 0..1_000 {
                yield_now().await;
            }
        });
        while !script.is_done(&runs) {
            assert!(script.step());
        }
        let log = &script.log()[before..];
        let jumped = log.iter().any(|event| matches!(event, Event::Jumped(_)));
        assert!(!jumped, "seed {seed}: a task was ready, and time went on");
        let of_spare = |event: &&Event| matches!(event, Event::Ran(1..) | Event::Woke(1..));
        if let Some(left) = log.iter().position(|event| matches!(event, Event::Left(_))) {
            handed_over +=
                usize::from(matches!(log[..left].iter().rfind(of_spare), Some(Event::Ran(_))));
        }
    }
    assert!(handed_over > 0, "it never had anything to hand over");
}

/// A runtime that ends with spares that are about to come, there, inside polls, or about to go.
#[test]
fn shutdown_meets_spares_at_every_moment() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for seed in 0..300_u64 {
        let mut script = Builder::new()
            .workers(1 + (seed % 2) as usize)
            .spare_keep_alive(Duration::from_millis(3))
            .build_scripted(Some(seed))
            .unwrap();
        let handle = script.handle();
        let dropped = Arc::new(AtomicUsize::new(0));
        for n in 0..12_u64 {
            let (busy, guard) = (handle.clone(), Dropped(dropped.clone()));
            drop(handle.spawn(async move {
                let _guard = guard;
                for round in 0..3 {
                    busy.busy(Duration::from_millis((n + round) % 4 * 3));
                    sleep(Duration::from_micros(n * 700)).await;
                }
                pending::<()>().await;
            }));
        }
        for _ in 0..seed * 3 {
            script.step();
        }
        drop(script);
        assert_eq!(dropped.load(Ordering::Relaxed), 12, "seed {seed}");
        assert_eq!(handle.metrics().tasks_live, 0, "seed {seed}");
        let metrics = handle.metrics();
        assert_eq!((metrics.spares_present, metrics.blocked), (0, 0), "seed {seed}");
    }
}

#[test]
fn a_refused_spare_leaves_the_work_where_it_is() {
    for seed in 0..20 {
        let refuse = Arc::new(NoSpares(Seeded::new(seed)));
        let mut script = Builder::new().workers(1).build_on_script(refuse).unwrap();
        let handle = script.handle();
        let busy = handle.clone();
        script
            .run(async move {
                let behind: Vec<_> = (0..10).map(|n| spawn(async move { n })).collect();
                busy.busy(Duration::from_millis(20));
                // One that is declared is refused, too.
                block_in_place(|| ());
                for (n, task) in behind.into_iter().enumerate() {
                    assert_eq!(task.await.unwrap(), n);
                }
            })
            .unwrap();
        let metrics = handle.metrics();
        assert_eq!((metrics.spares_started, metrics.spares_present), (0, 0));
    }
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

/// The real thing: a runtime that ends while spares come and go.
#[test]
fn runtimes_end_while_spares_come_and_go() {
    for round in 0..60_u64 {
        let runtime = Builder::new()
            .workers(1 + (round % 2) as usize)
            .spare_keep_alive(Duration::from_millis(2))
            .build()
            .unwrap();
        for n in 0..8_u64 {
            drop(runtime.spawn(async move {
                loop {
                    std::thread::sleep(Duration::from_micros(n * 400));
                    block_on(sleep(Duration::from_micros(n * 300)));
                    yield_now().await;
                }
            }));
        }
        std::thread::sleep(Duration::from_micros(round * 211));
        let handle = runtime.handle().clone();
        assert!(runtime.shutdown_timeout(LONG), "round {round}");
        let metrics = handle.metrics();
        assert_eq!((metrics.tasks_live, metrics.spares_present, metrics.blocked), (0, 0, 0));
    }
}
