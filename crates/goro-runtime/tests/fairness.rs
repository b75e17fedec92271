//! Who gets a turn: next slots behind blocked polls, pairs that wake each other, yields, budgets.
//!
//! A poll that blocks here ends only when what it waits for was run by another worker meanwhile.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::{budget, host};
use goro_runtime::driver::scripted::{Event, Scripted};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn, task::yield_now};
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};

const LONG: Duration = Duration::from_secs(20);

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

/// A token that is handed to and fro; whoever hands it on wakes the other.
#[derive(Default)]
struct Table(Mutex<(usize, [Option<Waker>; 2])>);

impl Table {
    /// Waits until the count of turns has this parity, and takes the turn.
    fn turn(&self, parity: usize) -> impl Future<Output = ()> + Send + '_ {
        poll_fn(move |cx| {
            let mut table = self.0.lock().unwrap();
            if table.0 % 2 != parity {
                table.1[parity] = Some(cx.waker().clone());
                return Poll::Pending;
            }
            table.0 += 1;
            let other = table.1[1 - parity].take();
            drop(table);
            if let Some(other) = other {
                other.wake();
            }
            Poll::Ready(())
        })
    }
}

/// Two tasks that wake each other until `over`; the number of turns they took.
fn ping_pong(over: &Arc<AtomicBool>) -> Arc<AtomicUsize> {
    let (table, turns) = (Arc::new(Table::default()), Arc::new(AtomicUsize::new(0)));
    for parity in [0, 1] {
        let (table, turns, over) = (table.clone(), turns.clone(), over.clone());
        drop(spawn(async move {
            while !over.load(Ordering::Relaxed) {
                table.turn(parity).await;
                turns.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    turns
}

/// What was just woken runs next where it was woken, and nobody takes it from a worker that comes
/// round: a pair that wakes each other stays together, whoever else looks for work.
#[test]
fn a_pair_that_wakes_each_other_is_not_torn_apart() {
    let mut steals = 0;
    for seed in 0..40 {
        let mut script = script(2, seed);
        let handle = script.handle();
        steals += script
            .run(async move {
                let table = Arc::new(Table::default());
                let players = [0, 1].map(|parity| {
                    let (table, handle) = (table.clone(), handle.clone());
                    spawn(async move {
                        for _ in 0..200 {
                            table.turn(parity).await;
                            handle.busy(Duration::from_micros(5));
                        }
                    })
                });
                // Another worker runs dry, and searches, again and again.
                for _ in 0..100 {
                    sleep(Duration::from_micros(20)).await;
                }
                for player in players {
                    player.await.unwrap();
                }
                handle.metrics().workers.iter().map(|worker| worker.steals).sum::<u64>()
            })
            .unwrap();
    }
    // Now and then another task is woken there, and one of the pair goes to the ring.
    assert!(steals < 40 * 400 / 40, "{steals} steals in {} turns", 40 * 400);
}

/// Pitfall 48: a task woken into the next slot by one that then blocks is run by another worker.
#[test]
fn what_stands_in_the_next_slot_of_a_blocked_worker_is_run_by_another() {
    let runtime = workers(2);
    for _ in 0..50 {
        let table = Arc::new(Table::default());
        let (ran, wait) = mpsc::channel();
        let other = table.clone();
        let woken = runtime.spawn(async move {
            other.turn(1).await;
            ran.send(()).unwrap();
        });
        while runtime.metrics().tasks_parked < 1 {
            std::thread::yield_now();
        }
        let blocks = runtime.spawn(async move {
            table.turn(0).await;
            wait.recv_timeout(LONG).is_ok()
        });
        assert!(block_on(blocks).unwrap(), "it ran before its waker's poll ended");
        block_on(woken).unwrap();
    }
}

/// Pitfall 46: the first task blocks its worker until the second has run.
#[test]
fn what_was_spawned_by_a_blocked_worker_is_run_by_another() {
    let runtime = workers(2);
    for _ in 0..100 {
        let (ran, wait) = mpsc::channel();
        let blocks = runtime.spawn(async move {
            drop(spawn(async move { ran.send(()).unwrap() }));
            wait.recv_timeout(LONG).is_ok()
        });
        assert!(block_on(blocks).unwrap());
    }
}

/// Pitfall 64: work from outside does not wait for the worker that is stuck.
#[test]
fn what_comes_from_outside_is_run_while_a_worker_is_stuck() {
    for count in [2, 3] {
        let runtime = workers(count);
        let stuck: Vec<_> = (1..count)
            .map(|_| {
                let (release, released) = mpsc::channel::<()>();
                let (began, begin) = mpsc::channel();
                let task = runtime.spawn(async move {
                    began.send(()).unwrap();
                    released.recv_timeout(LONG).is_ok()
                });
                begin.recv().unwrap();
                (release, task)
            })
            .collect();
        for n in 0..500 {
            assert_eq!(block_on(runtime.spawn(async move { n })).unwrap(), n);
        }
        for (release, task) in stuck {
            release.send(()).unwrap();
            assert!(block_on(task).unwrap(), "what came from outside was all run meanwhile");
        }
    }
}

/// Pitfall 49: two tasks ping-pong in the slot, a third starves.
#[test]
fn a_pair_that_wakes_each_other_keeps_no_third_from_running() {
    for seed in 0..50 {
        let mut script = script(1, seed);
        let over = Arc::new(AtomicBool::new(false));
        let waited = script
            .run(async move {
                let turns = ping_pong(&over);
                while turns.load(Ordering::Relaxed) < 100 {
                    yield_now().await;
                }
                let before = turns.load(Ordering::Relaxed);
                let seen = turns.clone();
                let third = spawn(async move { seen.load(Ordering::Relaxed) });
                let waited = third.await.unwrap() - before;
                over.store(true, Ordering::Relaxed);
                waited
            })
            .unwrap();
        assert!(waited <= 64, "seed {seed}: the third waited for {waited} polls");
    }
}

/// Pitfall 49 again: neither does the pair keep work from outside from running, whatever the step
/// at which it comes.
#[test]
fn a_pair_that_wakes_each_other_keeps_nothing_from_outside_waiting() {
    for offset in 0..61 {
        let mut script = script(1, 1);
        let over = Arc::new(AtomicBool::new(false));
        let (pair, handle) = (over.clone(), script.handle());
        drop(handle.spawn(async move { drop(ping_pong(&pair)) }));
        for _ in 0..200 + offset {
            script.step();
        }
        let outside = handle.spawn(async {});
        let mut steps = 0;
        while !outside.is_finished() {
            script.step();
            steps += 1;
        }
        assert!(steps <= 64, "offset {offset}: it waited for {steps} steps");
        over.store(true, Ordering::Relaxed);
        script.run_until_stalled();
    }
}

#[test]
fn who_yields_goes_behind_all_others() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = order.clone();
    script(1, 1)
        .run(async move {
            let tasks: Vec<_> = (0..10)
                .map(|n| {
                    let order = noted.clone();
                    spawn(async move {
                        for round in 0..5 {
                            order.lock().unwrap().push((round, n));
                            yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .unwrap();
    let order = order.lock().unwrap();
    assert!(order.is_sorted(), "each goes once before any goes twice: {order:?}");
}

/// The order in which three tasks run, of which the last is ready, and the others are then woken.
fn order_of_two_sleepers_and_one_that_is_ready(wake: [fn(Waker); 2]) -> Vec<&'static str> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let noted = order.clone();
    script(1, 1)
        .run(async move {
            let (wakers, ready) = (Arc::new(Mutex::new(Vec::new())), noted.clone());
            let sleepers = ["first", "second"].map(|name| {
                let (wakers, noted) = (wakers.clone(), noted.clone());
                spawn(async move {
                    let mut slept = false;
                    poll_fn(|cx| {
                        if slept {
                            return Poll::Ready(());
                        }
                        slept = true;
                        wakers.lock().unwrap().push(cx.waker().clone());
                        Poll::Pending
                    })
                    .await;
                    noted.lock().unwrap().push(name);
                })
            });
            yield_now().await;
            let ready = spawn(async move { ready.lock().unwrap().push("ready") });
            let wakers = core::mem::take(&mut *wakers.lock().unwrap());
            wake.into_iter().zip(wakers).for_each(|(wake, waker)| wake(waker));
            for task in sleepers.into_iter().chain([ready]) {
                task.await.unwrap();
            }
        })
        .unwrap();
    Arc::into_inner(order).unwrap().into_inner().unwrap()
}

/// In one poll, one after the other: each as it was woken.
#[test]
fn who_is_woken_runs_next_and_who_is_woken_behind_runs_last() {
    let order = order_of_two_sleepers_and_one_that_is_ready;
    assert_eq!(order([Waker::wake, host::wake_behind]), ["first", "ready", "second"]);
    assert_eq!(order([host::wake_behind, Waker::wake]), ["second", "ready", "first"]);
}

/// A leaf operation that is always ready, as an input that never runs dry.
async fn always_ready() {
    poll_fn(|cx| budget::poll_spend(cx).map(drop)).await;
}

/// Pitfall 125's kin: a loop of what is ready at once lets its sibling run.
#[test]
fn a_task_that_is_always_ready_lets_others_run() {
    let runtime = workers(1);
    let greedy = runtime.spawn(async {
        let over = Arc::new(AtomicBool::new(false));
        let flag = over.clone();
        let sibling = spawn(async move { flag.store(true, Ordering::Relaxed) });
        let mut rounds = 0_u64;
        while !over.load(Ordering::Relaxed) {
            always_ready().await;
            rounds += 1;
        }
        sibling.await.unwrap();
        rounds
    });
    let rounds = block_on(greedy).unwrap();
    assert!(rounds <= 2 * u64::from(budget::LIMIT), "the sibling waited for {rounds} operations");
}

/// The slot shares the budget: a pair of greedy tasks that wake each other is no way round it.
#[test]
fn the_next_slot_shares_the_budget() {
    let mut script = script(1, 1);
    let over = Arc::new(AtomicBool::new(false));
    let spent = Arc::new(AtomicUsize::new(0));
    let (table, most) = (Arc::new(Table::default()), Arc::new(AtomicUsize::new(0)));
    for parity in [0, 1] {
        let (table, over, spent) = (table.clone(), over.clone(), spent.clone());
        drop(script.handle().spawn(async move {
            while !over.load(Ordering::Relaxed) {
                table.turn(parity).await;
                for _ in 0..100 {
                    always_ready().await;
                    spent.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for _ in 0..20 {
        let (flag, spent, most) = (over.clone(), spent.clone(), most.clone());
        let sibling = script.handle().spawn(async move {
            for round in 0..20 {
                yield_now().await;
                let since = spent.swap(0, Ordering::Relaxed);
                if round > 5 {
                    most.fetch_max(since, Ordering::Relaxed);
                }
            }
            flag.store(true, Ordering::Relaxed);
        });
        while !sibling.is_finished() {
            script.step();
        }
    }
    script.run_until_stalled();
    let most = most.load(Ordering::Relaxed);
    // A full budget for what came from the queue, shared with up to three from the slot; and one
    // more for whoever was put off.
    assert!(most <= 3 * budget::LIMIT as usize, "{most} operations between two turns");
}

/// Pitfall 59: whenever nothing moves any more, nothing stands anywhere.
#[test]
fn nobody_sleeps_for_good_while_work_stands() {
    for seed in 0..300 {
        let mut script = script(1 + (seed % 4) as usize, seed);
        let handle = script.handle();
        let ran = Arc::new(AtomicUsize::new(0));
        for n in 0..40_usize {
            let (ran, busy) = (ran.clone(), handle.clone());
            drop(handle.spawn(async move {
                busy.busy(Duration::from_micros(n as u64 % 5 * 300));
                let child = ran.clone();
                drop(spawn(async move {
                    yield_now().await;
                    child.fetch_add(1, Ordering::Relaxed);
                }));
                if n % 3 == 0 {
                    sleep(Duration::from_micros(n as u64 * 40)).await;
                }
                ran.fetch_add(1, Ordering::Relaxed);
            }));
            for _ in 0..n % 7 {
                script.step();
            }
        }
        script.run_until_stalled();
        assert_eq!(ran.load(Ordering::Relaxed), 80, "seed {seed}");
        let metrics = handle.metrics();
        let queued: usize = metrics.workers.iter().map(|worker| worker.queued).sum();
        assert_eq!((metrics.tasks_live, metrics.injected, queued), (0, 0, 0), "seed {seed}");
        assert_eq!(metrics.sleeping as usize, metrics.workers.len(), "seed {seed}");
    }
}

/// Pitfall 65: a task is polled once for any number of wakes that came before.
#[test]
fn wakes_before_a_poll_are_one_poll() {
    let mut script = script(2, 1);
    let polls = Arc::new(AtomicUsize::new(0));
    let (kept, count) = (Arc::new(Mutex::new(None::<Waker>)), polls.clone());
    let keep = kept.clone();
    drop(script.handle().spawn(poll_fn(move |cx| {
        count.fetch_add(1, Ordering::Relaxed);
        *keep.lock().unwrap() = Some(cx.waker().clone());
        Poll::<()>::Pending
    })));
    for round in 1..100 {
        script.run_until_stalled();
        assert_eq!(polls.load(Ordering::Relaxed), round);
        let waker = kept.lock().unwrap().clone().unwrap();
        (0..round).for_each(|_| waker.wake_by_ref());
    }
    let woken = script.log().iter().filter(|event| matches!(event, Event::Woke(_))).count();
    assert!(woken <= 300, "{woken} wake-ups of workers for 100 of one task");
}
