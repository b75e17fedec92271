//! Counts, against counts made by hand.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::{Event, Scripted};
use goro_runtime::task::{self, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn};
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::mpsc;

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

/// How often each kind of thing stands in the log of a script.
fn logged(script: &Scripted, what: impl Fn(&Event) -> bool) -> u64 {
    script.log().iter().filter(|event| what(event)).count() as u64
}

#[test]
fn polls_spawns_and_ends_are_those_of_the_program() {
    let mut script = script(1, 1);
    script
        .run(async {
            // 1 poll, and 3 for the yields.
            for _ in 0..3 {
                yield_now().await;
            }
            // 5 children, 2 polls each; joining costs this task at least one more.
            let children: Vec<_> = (0..5).map(|_| spawn(yield_now())).collect();
            for child in children {
                child.await.unwrap();
            }
        })
        .unwrap();
    let metrics = script.handle().metrics();
    assert_eq!((metrics.tasks_spawned, metrics.tasks_live, metrics.tasks_panicked), (6, 0, 0));
    assert!((4 + 10 + 1..=4 + 10 + 5).contains(&metrics.polls()), "{} polls", metrics.polls());
    assert_eq!(metrics.polls(), logged(&script, |event| matches!(event, Event::Ran(_))));
}

#[test]
fn parks_are_the_times_a_worker_went_to_sleep() {
    for seed in 0..50 {
        let mut script = script(3, seed);
        script
            .run(async {
                for n in 0..20_u64 {
                    spawn(sleep(Duration::from_millis(n))).await.unwrap();
                }
            })
            .unwrap();
        script.run_until_stalled();
        let metrics = script.handle().metrics();
        assert_eq!(metrics.parks(), logged(&script, |event| matches!(event, Event::Slept(_))));
        assert_eq!(metrics.sleeping, 3);
        for worker in &metrics.workers {
            assert!(worker.parks >= 1 && worker.current_task.is_none() && worker.queued == 0);
        }
    }
}

#[test]
fn time_awake_is_what_the_polls_took() {
    let mut script = script(1, 1);
    let handle = script.handle();
    script
        .run(async move {
            for _ in 0..10 {
                handle.busy(Duration::from_millis(3));
                sleep(Duration::from_secs(1)).await;
            }
        })
        .unwrap();
    script.run_until_stalled();
    assert_eq!(script.handle().metrics().busy(), Duration::from_millis(30));
}

#[test]
fn panics_and_cancellations_are_ends_of_their_own() {
    let runtime = workers(2);
    for n in 0..60 {
        let task = runtime.spawn(async move {
            match n % 3 {
                0 => resume_unwind(Box::new("quiet")),
                1 => pending::<()>().await,
                _ => {}
            }
        });
        task.abort_handle().abort_with(task::Cause::new("if it still waits"));
        let _ended = block_on(task);
    }
    let metrics = runtime.metrics();
    assert_eq!((metrics.tasks_spawned, metrics.tasks_live), (60, 0));
    assert!(metrics.tasks_panicked <= 20);
    for _ in 0..20 {
        let task = runtime.spawn(async { resume_unwind(Box::new("quiet")) });
        let ended: Result<(), _> = block_on(task);
        assert!(ended.unwrap_err().is_panic());
    }
    assert_eq!(runtime.metrics().tasks_panicked, metrics.tasks_panicked + 20);
}

#[test]
fn what_is_parked_queued_and_in_hand_is_seen_from_outside() {
    // No spare, which would run what stands behind a worker that the machine holds up.
    let runtime = Builder::new().workers(1).stall_spares(0).build().unwrap();
    let parked: Vec<_> = (0..30).map(|_| runtime.spawn(pending::<()>())).collect();
    while runtime.metrics().tasks_parked < 30 {
        std::thread::yield_now();
    }
    let (release, released) = mpsc::channel::<()>();
    let (began, begin) = mpsc::channel();
    let busy = runtime.spawn(async move {
        for _ in 0..7 {
            drop(spawn(async {}));
        }
        began.send(()).unwrap();
        released.recv().is_err()
    });
    begin.recv().unwrap();
    let outside: Vec<_> = (0..5).map(|_| runtime.spawn(async {})).collect();
    let metrics = runtime.metrics();
    assert_eq!(metrics.workers[0].current_task, Some(busy.id().get()));
    assert_eq!((metrics.workers[0].queued, metrics.injected), (7, 5));
    assert_eq!((metrics.tasks_live, metrics.tasks_parked, metrics.sleeping), (43, 30, 0));
    drop(release);
    assert!(block_on(busy).unwrap());
    for task in outside {
        block_on(task).unwrap();
    }
    for task in parked {
        task.abort();
        assert!(block_on(task).is_err());
    }
    let metrics = runtime.metrics();
    assert_eq!((metrics.tasks_spawned, metrics.tasks_live, metrics.tasks_parked), (43, 0, 0));
}

#[test]
fn overflows_and_steals_are_counted_where_they_happen() {
    // No spare, which would rob a worker that the machine holds up.
    let runtime = Builder::new().workers(1).stall_spares(0).build().unwrap();
    let task = runtime.spawn(async {
        // A ring holds 1024.
        for _ in 0..4_000 {
            drop(spawn(async {}));
        }
    });
    block_on(task).unwrap();
    while runtime.metrics().tasks_live > 0 {
        std::thread::yield_now();
    }
    let metrics = runtime.metrics();
    // Each overflow takes half a ring and the one too many: 513 of the 2976 that found no room.
    assert_eq!((metrics.workers[0].overflows, metrics.workers[0].steals), (6, 0));
    let mut script = script(4, 9);
    script.run_until_stalled();
    let handle = script.handle();
    script
        .run(async move {
            let tasks: Vec<_> = (0..64)
                .map(|_| {
                    let handle = handle.clone();
                    spawn(async move { handle.busy(Duration::from_micros(100)) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
    let metrics = script.handle().metrics();
    assert!(metrics.steals() >= 3, "each of the other three stole at least once");
    assert!(metrics.workers.iter().map(|worker| worker.wakes).sum::<u64>() >= 1);
}

/// Counts begin anew with each runtime, although its shards are those of one before.
#[test]
fn a_runtime_counts_its_own_only() {
    for round in 1..20 {
        let runtime = workers(1 + round % 3);
        for _ in 0..round {
            block_on(runtime.spawn(yield_now())).unwrap();
        }
        let metrics = runtime.metrics();
        assert_eq!(metrics.workers.len(), 1 + round % 3);
        assert_eq!((metrics.tasks_spawned, metrics.polls()), (round as u64, 2 * round as u64));
    }
}
