//! The scheduler under a seed: the same workers, queues, wake rule and monitor on one thread.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::{Event, Scripted};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, spawn, task::yield_now};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

/// A tree of tasks that yield, spawn and join, and note who went when.
fn busy_program(script: &mut Scripted) -> Vec<u32> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = order.clone();
    script
        .run(async move {
            let tasks: Vec<_> = (0..20)
                .map(|i| {
                    let order = noted.clone();
                    spawn(async move {
                        for step in 0..5 {
                            order.lock().unwrap().push(i * 10 + step);
                            yield_now().await;
                        }
                        let child = spawn(async move { i });
                        assert_eq!(child.await.unwrap(), i);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
    let order = order.lock().unwrap();
    order.clone()
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..20 {
        let runs: Vec<(Vec<u32>, Vec<Event>)> = (0..5)
            .map(|_| {
                let mut script = script(3, seed);
                let order = busy_program(&mut script);
                (order, script.log())
            })
            .collect();
        assert!(runs.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed} did not repeat");
    }
}

/// Pitfall 53: a generator that reached its zero state.
#[test]
fn the_least_and_the_greatest_seed_are_seeds_like_others() {
    let orders: std::collections::BTreeSet<_> =
        [0, 1, u64::MAX - 1, u64::MAX].map(|seed| busy_program(&mut script(3, seed))).into();
    assert_eq!(orders.len(), 4);
}

/// Clocks included: what a run does may not depend on when it is made.
#[test]
fn the_same_seed_sleeps_as_long() {
    let run = |seed| {
        let mut script = script(3, seed);
        script
            .run(async {
                let naps: Vec<_> = (0..50_u64)
                    .map(|n| spawn(sleep(Duration::from_nanos(n * 7_919 % 50_021))))
                    .collect();
                for nap in naps {
                    nap.await.unwrap();
                }
            })
            .unwrap();
        script.log()
    };
    for seed in 0..20 {
        let first = run(seed);
        assert!(first.iter().any(|event| matches!(event, Event::Jumped(_))));
        assert_eq!(first, run(seed), "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_runs() {
    let orders: std::collections::BTreeSet<_> =
        (0..20).map(|seed| busy_program(&mut script(3, seed))).collect();
    assert!(orders.len() > 10, "only {} orders in 20 seeds", orders.len());
}

#[test]
fn whatever_the_order_every_task_runs_once() {
    for seed in 0..300 {
        let mut script = script(1 + (seed % 8) as usize, seed);
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        script
            .run(async move {
                let tasks: Vec<_> = (0..600)
                    .map(|_| {
                        let count = counted.clone();
                        spawn(async move { count.fetch_add(1, Ordering::Relaxed) })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            })
            .unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 600, "seed {seed}");
        assert_eq!(script.handle().metrics().tasks_live, 0, "seed {seed}");
    }
}

#[test]
fn a_future_that_nothing_will_wake_is_reported_as_stalled() {
    let mut script = script(2, 1);
    let stalled = script.run(std::future::pending::<()>()).unwrap_err();
    assert_eq!(stalled.parked, 1);
}

#[test]
fn a_blocking_job_runs_and_its_result_comes_back() {
    let mut script = script(2, 1);
    let sum = script.run(async { goro_runtime::spawn_blocking(|| 40 + 2).await.unwrap() }).unwrap();
    assert_eq!(sum, 42);
    assert!(script.log().contains(&Event::Job));
}

#[test]
fn work_behind_others_is_shared_between_two_polls() {
    // Each poll takes 100 us, so that what stands is worth a wake-up: more than one worker runs.
    let mut script = script(4, 9);
    let handle = script.handle();
    script
        .run(async move {
            let tasks: Vec<_> = (0..64)
                .map(|_| {
                    let handle = handle.clone();
                    spawn(async move { handle.busy(std::time::Duration::from_micros(100)) })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
    let ran: std::collections::BTreeSet<_> = script
        .log()
        .iter()
        .filter_map(|event| if let Event::Ran(worker) = event { Some(*worker) } else { None })
        .collect();
    assert_eq!(ran.len(), 4, "all four workers had a share: {ran:?}");
}

#[test]
fn dropping_the_script_drops_every_future() {
    struct CountDrop(Arc<AtomicUsize>);
    impl Drop for CountDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut script = script(3, 5);
    for _ in 0..100 {
        let guard = CountDrop(dropped.clone());
        drop(script.handle().spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }));
    }
    script.run_until_stalled();
    assert_eq!(dropped.load(Ordering::Relaxed), 0);
    drop(script);
    assert_eq!(dropped.load(Ordering::Relaxed), 100);
}

/// A poll that takes long keeps neither other workers nor timers from going on.
#[test]
fn others_go_on_while_a_poll_is_busy() {
    for seed in 0..50 {
        let mut script = script(2, seed);
        let handle = script.handle();
        let ticks = script
            .run(async move {
                let ticks = Arc::new(AtomicUsize::new(0));
                let counted = ticks.clone();
                drop(spawn(async move {
                    loop {
                        sleep(Duration::from_millis(10)).await;
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }));
                handle.busy(Duration::from_secs(1));
                ticks.load(Ordering::Relaxed)
            })
            .unwrap();
        assert!((90..=100).contains(&ticks), "seed {seed}: {ticks} ticks in a second");
    }
}

/// As from threads of their own: it stands where any worker finds it, not in the queue of the one whose
/// poll is busy.
#[test]
fn what_others_wake_while_a_poll_is_busy_comes_from_outside() {
    for seed in 0..20 {
        let builder = Builder::new().workers(1).stall_spares(0);
        let mut script = builder.build_scripted(Some(seed)).unwrap();
        let handle = script.handle();
        let stands = script.run(async move {
            drop(spawn(sleep(Duration::from_millis(1))));
            yield_now().await;
            handle.busy(Duration::from_millis(5));
            let metrics = handle.metrics();
            (metrics.injected, metrics.workers[0].queued)
        });
        assert_eq!(stands, Ok((1, 0)), "seed {seed}: the monitor has fired the timer");
    }
}

#[test]
fn what_a_busy_poll_knows_of_itself_is_still_true_afterwards() {
    let mut script = script(3, 4);
    let handle = script.handle();
    let others = script
        .run(async move {
            let others: Vec<_> = (0..20).map(|_| spawn(yield_now())).collect();
            let before = (goro_runtime::task::try_id(), goro_context::budget::remaining());
            handle.busy(Duration::from_millis(5));
            let after = (goro_runtime::task::try_id(), goro_context::budget::remaining());
            assert_eq!(before, after);
            assert!(before.0.is_some());
            others.iter().filter(|other| other.is_finished()).count()
        })
        .unwrap();
    assert_eq!(others, 20, "they ran inside the poll");
}

#[test]
fn a_block_on_inside_a_task_lets_the_script_go_on() {
    for seed in 0..50 {
        let mut script = script(2, seed);
        let handle = script.handle();
        let sum = script.run(async move {
            let behind = spawn(async {
                sleep(Duration::from_secs(1)).await;
                20
            });
            let job = goro_runtime::spawn_blocking(|| 2);
            handle.block_on(async { behind.await.unwrap() + job.await.unwrap() })
        });
        assert_eq!(sum, Ok(22), "seed {seed}");
    }
}

#[test]
#[should_panic(expected = "a block_on inside a poll waits for ever")]
fn a_block_on_that_nothing_can_end_says_so() {
    let _never: Result<(), _> =
        script(2, 1).run(async { goro_runtime::block_on(std::future::pending()) });
}

#[test]
fn an_outsider_drives_a_future_that_is_bound_to_its_thread() {
    let mut script = script(2, 7);
    let seen = std::rc::Rc::new(std::cell::Cell::new(0));
    let inside = seen.clone();
    let outsider = script.attend(async move {
        let doubled = spawn(async {
            sleep(Duration::from_secs(1)).await;
            2 * 21
        });
        assert_eq!(goro_runtime::task::try_id(), None, "it is no task");
        inside.set(doubled.await.unwrap());
    });
    script.run_until_stalled();
    assert!(outsider.is_done() && outsider.take_panic().is_none());
    assert_eq!(seen.get(), 42);
}

#[test]
fn an_outsiders_panic_and_what_it_waits_for_are_its_owners_to_ask() {
    let mut script = script(1, 7);
    let panics = script.attend(async { panic!("outside") });
    let forever = script.handle().spawn(std::future::pending::<()>());
    let waits = script.attend(async move { forever.await.unwrap() });
    script.run_until_stalled();
    assert!(panics.is_done() && !waits.is_done());
    assert_eq!(panics.take_panic().unwrap().downcast_ref(), Some(&"outside"));
    assert_eq!(waits.wait().op, goro_context::Op::Join);
}
