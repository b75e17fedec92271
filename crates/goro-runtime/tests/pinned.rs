//! Tasks that are sent to one worker: made, polled and dropped there.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, JoinHandle, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn_local};
use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

#[path = "support/places.rs"]
mod places;
use places::{Places, noted};

const LONG: Duration = Duration::from_secs(20);

fn pool(workers: usize) -> Runtime {
    Builder::new().workers(workers).build().unwrap()
}

fn cause<T>(handle: JoinHandle<T>) -> Option<Cause> {
    block_on(handle).err().and_then(|error| error.cause().cloned())
}

#[test]
fn a_task_stays_where_it_is_sent() {
    let runtime = pool(3);
    let threads: Vec<ThreadId> = (0..3)
        .map(|worker| {
            let task = runtime.handle().spawn_pinned(worker, || async {
                let first = Rc::new(thread::current().id());
                for n in 0..200 {
                    if n % 50 == 0 {
                        sleep(Duration::from_micros(50)).await;
                    } else {
                        yield_now().await;
                    }
                    assert_eq!(*first, thread::current().id());
                }
                *first
            });
            block_on(task).unwrap()
        })
        .collect();
    assert!(threads[0] != threads[1] && threads[1] != threads[2] && threads[0] != threads[2]);
}

#[test]
fn it_is_made_polled_and_dropped_there() {
    let runtime = pool(2);
    let there = block_on(runtime.handle().spawn_pinned(1, || async { thread::current().id() }));
    let there = there.unwrap();
    let places = Places::default();
    let (made, ready) = mpsc::channel();
    let noted_there = places.clone();
    let task = runtime.handle().spawn_pinned(1, move || {
        made.send(thread::current().id()).unwrap();
        noted(&noted_there)
    });
    assert_eq!(ready.recv_timeout(LONG).unwrap(), there);
    task.abort();
    assert_eq!(cause(task), Some(Cause::Aborted));
    places.are(&[there]);
    let noted_there = places.clone();
    let left = runtime.handle().spawn_pinned(1, move || noted(&noted_there));
    drop(runtime);
    assert_eq!(cause(left), Some(Cause::Shutdown));
    let places = places.0.lock().unwrap();
    // It may not have been made by then.
    assert!(places.iter().all(|&thread| thread == there) && places.len() <= 2);
}

#[test]
fn what_it_spawns_locally_stays_there_too() {
    let runtime = pool(2);
    let task = runtime.handle().spawn_pinned(0, || async {
        let here = Rc::new(thread::current().id());
        let mut same = true;
        for _ in 0..50 {
            let other = here.clone();
            let task = spawn_local(async move {
                yield_now().await;
                *other == thread::current().id()
            });
            same &= task.await.unwrap();
        }
        same
    });
    assert!(block_on(task).unwrap());
}

#[test]
fn a_worker_that_there_is_not_and_a_runtime_that_ends() {
    let runtime = pool(2);
    for worker in [2, 3, 1_000_000, usize::MAX] {
        let refused = cause(runtime.handle().spawn_pinned(worker, || async {
            Rc::new(());
        }));
        assert!(refused.unwrap().to_string().contains("count from 0"));
    }
    assert_eq!(runtime.metrics().tasks_live, 0);
    let handle = runtime.handle().clone();
    drop(runtime);
    assert_eq!(cause(handle.spawn_pinned(0, || async {})), Some(Cause::Shutdown));
    let limited = Builder::new().workers(1).max_tasks(1).build().unwrap();
    let one = limited.handle().spawn_pinned(0, pending::<()>);
    assert_eq!(cause(limited.handle().spawn_pinned(0, || async {})), Some(Cause::Limit));
    one.abort();
    assert!(block_on(one).is_err());
    assert_eq!(block_on(limited.handle().spawn_pinned(0, || async { 1 })).unwrap(), 1);
}

/// Sent while the runtime ends: each is answered.
#[test]
fn tasks_that_race_the_end_are_run_or_cancelled() {
    for round in 0..200 {
        let runtime = pool(2);
        let handle = runtime.handle().clone();
        let sender = thread::spawn(move || {
            let tasks: Vec<_> = (0..40)
                .map(|n| handle.spawn_pinned(n % 2, move || async move { *Rc::new(n) }))
                .collect();
            (0..).zip(tasks).all(|(n, task)| block_on(task).map_or(true, |found| found == n))
        });
        for _ in 0..round * 20 {
            std::hint::spin_loop();
        }
        drop(runtime);
        assert!(sender.join().unwrap());
    }
}

/// Busy with tasks that never wait, a worker opens its mail now and then.
#[test]
fn a_busy_worker_finds_its_mail() {
    let runtime = pool(1);
    let busy: Vec<_> = (0..10)
        .map(|_| {
            runtime.spawn(async {
                loop {
                    yield_now().await;
                }
            })
        })
        .collect();
    for n in 0..100 {
        assert_eq!(
            block_on(runtime.handle().spawn_pinned(0, move || async move { n })).unwrap(),
            n
        );
    }
    drop(busy);
}

/// A worker that sleeps is called for its own task, whoever wakes that.
#[test]
fn a_task_that_another_worker_wakes_runs_on_its_own() {
    for seed in 0..20 {
        let mut script = Builder::new().workers(2).build_scripted(Some(seed)).unwrap();
        let handle = script.handle();
        let woken = script.run(async move {
            let wakers = Arc::new(Mutex::new(Vec::new()));
            let tasks = [0, 1].map(|worker| {
                let wakers = wakers.clone();
                handle.spawn_pinned(worker, move || async move {
                    let mut waits = true;
                    poll_fn(|cx| match std::mem::take(&mut waits) {
                        true => {
                            wakers.lock().unwrap().push(cx.waker().clone());
                            Poll::Pending
                        }
                        false => Poll::Ready(()),
                    })
                    .await;
                })
            });
            // Both sleep, and one of them gets up.
            sleep(Duration::from_secs(1)).await;
            std::mem::take(&mut *wakers.lock().unwrap()).into_iter().for_each(Waker::wake);
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(woken, Ok(()), "seed {seed}");
    }
}

/// Under every order of a script.
#[test]
fn under_any_schedule_they_stay_and_end() {
    for seed in 0..300 {
        let mut script = Builder::new().workers(3).build_scripted(Some(seed)).unwrap();
        let handle = script.handle();
        let sum = script
            .run(async move {
                let tasks: Vec<_> = (0..30_u64)
                    .map(|n| {
                        handle.spawn_pinned(n as usize % 3, move || async move {
                            let own = Rc::new(Cell::new(n));
                            sleep(Duration::from_micros(n % 5)).await;
                            let other = own.clone();
                            let more = spawn_local(async move {
                                yield_now().await;
                                other.set(other.get() + 1);
                            });
                            more.await.unwrap();
                            own.get()
                        })
                    })
                    .collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.unwrap();
                }
                sum
            })
            .unwrap();
        assert_eq!(sum, 29 * 30 / 2 + 30, "seed {seed}");
        assert_eq!(script.handle().metrics().tasks_live, 0);
    }
}
