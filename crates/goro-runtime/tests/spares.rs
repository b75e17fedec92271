//! Spares that come, stay for a while and go: nothing is lost with them, and an end meets them wherever they are.
//!
//! Most of this is scripted: time is virtual, and `Handle::busy` is a poll that computes.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/no_spares.rs"]
mod no_spares;

use goro_runtime::driver::scripted::{Event, Mover, Script, Seeded};
use goro_runtime::task::{block_in_place, yield_now};
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, block_on, spawn};
use no_spares::NoSpares;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LONG: Duration = Duration::from_secs(20);
const PERIOD: Duration = Duration::from_millis(1);

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
