//! Workers that block and have said so: what stands in for them, at the limit and beyond it.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/no_spares.rs"]
mod no_spares;

use goro_runtime::driver::scripted::{Scripted, Seeded};
use goro_runtime::task::{self, block_in_place};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{BlockOnError, Builder, block_on, spawn, try_block_on};
use no_spares::NoSpares;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, mpsc};

const PERIOD: Duration = Duration::from_millis(1);

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

/// With one worker, which blocks until another task has run, and one in the other.
#[test]
fn a_block_in_a_block_is_one_block() {
    for monitor in [true, false] {
        for seed in 0..50 {
            let build = Builder::new().workers(1).monitor(monitor);
            let mut script = build.build_scripted(Some(seed)).unwrap();
            let handle = script.handle();
            script
                .run(async move {
                    let sum = block_on(async {
                        let inner = block_on(async {
                            assert_eq!(handle.metrics().blocked, 1);
                            spawn(async { sleep(PERIOD).await }).await.unwrap();
                            3
                        });
                        assert_eq!(handle.metrics().blocked, 1, "the outer one goes on");
                        inner + spawn(async { 4 }).await.unwrap()
                    });
                    assert_eq!(sum, 7);
                    let metrics = handle.metrics();
                    assert_eq!((metrics.blocked, metrics.spares_started), (0, 1));
                })
                .unwrap();
            if !monitor {
                script.run_until_stalled();
                assert_eq!(script.handle().metrics().spares_present, 0, "nobody else asks it to");
            }
        }
    }
}

#[test]
fn blocks_that_follow_each_other_share_a_spare() {
    let mut script = script(1, 5);
    let handle = script.handle();
    script
        .run(async move {
            for _ in 0..50 {
                block_on(spawn(async {})).unwrap();
            }
            assert_eq!(handle.metrics().spares_started, 1);
        })
        .unwrap();
}

#[test]
fn a_block_that_need_not_wait_starts_nobody() {
    let mut script = script(1, 5);
    let handle = script.handle();
    script
        .run(async move {
            assert_eq!(block_on(async { 1 }), 1);
            assert_eq!(handle.metrics().spares_started, 0);
        })
        .unwrap();
}

#[test]
fn unwinding_ends_a_block() {
    let mut script = script(1, 5);
    let handle = script.handle();
    script
        .run(async move {
            for _ in 0..3 {
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    block_in_place(|| -> () { resume_unwind(Box::new("quiet")) });
                }));
                assert!(panicked.is_err());
                assert_eq!(handle.metrics().blocked, 0);
            }
            // A worker again: what it spawns stands in its own queue.
            let task = spawn(async {});
            assert_eq!(handle.metrics().workers[0].queued + handle.metrics().spares[0].queued, 1);
            task.await.unwrap();
        })
        .unwrap();
}

/// A spare is a worker like any other: it may block, too, and is then stood in for.
#[test]
fn blocks_pile_up_to_as_many_spares() {
    fn down(depth: u32) -> u32 {
        if depth == 0 {
            return 0;
        }
        block_on(async move { spawn(async move { down(depth - 1) }).await.unwrap() + 1 })
    }
    let runtime = Builder::new().workers(1).build().unwrap();
    let depth = block_on(runtime.spawn(async { down(40) })).unwrap();
    assert_eq!(depth, 40);
    // Each of them was on a member of the crew of its own.
    assert!(runtime.metrics().spares_started >= 40);
    assert_eq!(runtime.metrics().blocked, 0);
}

/// A task that is given its own handle, and blocks on it.
#[test]
fn a_task_that_blocks_until_its_own_end_is_told() {
    for refused in [true, false] {
        let mut script = script(1, 1);
        let (give, given) = mpsc::channel();
        let task = script.handle().spawn(async move {
            let own: task::JoinHandle<()> = given.recv().unwrap();
            if refused {
                let error = try_block_on(own).unwrap_err();
                assert!(matches!(error, BlockOnError::Itself), "{error:?}");
                return;
            }
            let panicked = catch_unwind(AssertUnwindSafe(|| block_on(own))).unwrap_err();
            let text = panicked.downcast_ref::<String>().unwrap();
            assert!(text.contains("another task wait for this one's JoinHandle"), "{text}");
        });
        give.send(task).unwrap();
        script.run_until_stalled();
        let metrics = script.handle().metrics();
        assert_eq!((metrics.tasks_live, metrics.tasks_panicked), (0, 0));
    }
}

#[test]
fn beyond_the_limit_a_block_is_refused_or_runs_without_a_spare() {
    let runtime = Builder::new().workers(1).stall_spares(0).block_spares(1).build().unwrap();
    let inner = || async {
        // The spare is blocked now, and nobody may stand in for it.
        let Err(error) = try_block_on(async { 5 }) else { panic!("it was let in") };
        let text = error.to_string();
        assert!(text.contains("Builder::block_spares"), "{text}");
        let BlockOnError::Limit { future, limit: 1 } = error else { panic!("{text}") };
        block_on(future)
    };
    let task = runtime.spawn(async move { block_on(async { spawn(inner()).await.unwrap() }) });
    assert_eq!(block_on(task).unwrap(), 5);
    let metrics = runtime.metrics();
    assert_eq!((metrics.blocked, metrics.spares_started), (0, 1));
}

/// One worker, and nobody who may stand in for it.
fn nobody_else(monitor: bool) -> Builder {
    Builder::new().workers(1).stall_spares(0).block_spares(0).monitor(monitor)
}

/// What it blocks on it runs itself: another task, a timer, and what these spawn.
#[test]
fn the_last_one_that_blocks_runs_the_others() {
    let program = || async {
        let nap = || async { sleep(PERIOD).await };
        let sum = block_on(async {
            let one = spawn(async move {
                nap().await;
                block_on(spawn(async move {
                    block_on(nap());
                    1
                }))
            });
            one.await.unwrap().unwrap() + spawn(async { 2 }).await.unwrap()
        });
        block_on(sleep(PERIOD));
        sum
    };
    for monitor in [true, false] {
        let runtime = nobody_else(monitor).build().unwrap();
        assert_eq!(block_on(runtime.spawn(program())).unwrap(), 3);
        assert_eq!(runtime.metrics().spares_started, 0);
        for seed in 0..50 {
            let mut script = nobody_else(monitor).build_scripted(Some(seed)).unwrap();
            assert_eq!(script.run(program()), Ok(3), "seed {seed}");
            script.run_until_stalled();
            assert_eq!(script.handle().metrics().tasks_live, 0);
        }
    }
}

/// Many more tasks than there may be threads, each waiting for one that it has started.
#[test]
fn more_blocks_than_spares_all_end() {
    for monitor in [true, false] {
        let builder = Builder::new().workers(2).stall_spares(2).block_spares(3).monitor(monitor);
        let runtime = builder.build().unwrap();
        let tasks: Vec<_> = (0..300_u32)
            .map(|n| runtime.spawn(async move { block_on(spawn(async move { n })).unwrap() }))
            .collect();
        for (n, task) in (0..).zip(tasks) {
            assert_eq!(block_on(task).unwrap(), n);
        }
        assert_eq!(runtime.metrics().blocked, 0);
    }
}

/// As the monitor is about to sleep, having found everybody asleep for long enough.
#[test]
fn a_spare_that_comes_as_the_monitor_turns_in_leaves_all_the_same() {
    for quiet in (10_000..25_000).step_by(100) {
        let mut script = script(1, quiet);
        let ended = script.run(async move {
            sleep(Duration::from_micros(quiet)).await;
            block_on(spawn(async {}))
        });
        assert_eq!(ended.map_err(|error| error.to_string()).map(|end| end.is_ok()), Ok(true));
        script.run_until_stalled();
        let metrics = script.handle().metrics();
        assert_eq!((metrics.spares_started, metrics.spares_present), (1, 0), "{quiet} us");
    }
}

#[test]
fn a_block_whose_spare_is_refused_ends_all_the_same() {
    for (seed, monitor) in (0..40).zip([true, false].into_iter().cycle()) {
        let builder = Builder::new().workers(1).monitor(monitor);
        let mut script = builder.build_on_script(Arc::new(NoSpares(Seeded::new(seed)))).unwrap();
        let sum = script.run(async {
            let behind = spawn(async { 4 });
            block_on(async {
                sleep(PERIOD).await;
                behind.await.unwrap() + spawn(async { 5 }).await.unwrap()
            })
        });
        assert_eq!(sum, Ok(9), "seed {seed}");
        assert_eq!(script.handle().metrics().spares_started, 0);
    }
}

/// As the runtime ends, the last one is not left waiting for what cannot come any more.
#[test]
fn the_end_reaches_the_last_one_that_blocks() {
    for monitor in [true, false] {
        let runtime = nobody_else(monitor).build().unwrap();
        let (tell, told) = mpsc::channel();
        let task = runtime.spawn(async move {
            let never = spawn(std::future::pending::<()>());
            tell.send(()).unwrap();
            block_on(never).unwrap_err().cause().cloned()
        });
        told.recv().unwrap();
        drop(runtime);
        assert_eq!(block_on(task).unwrap(), Some(task::Cause::Shutdown));
    }
}
