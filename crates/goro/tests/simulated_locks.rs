//! Locks and signals under the production scheduler, in an order drawn from a seed: programs of tasks
//! that take, give back, wait, are aborted and panic. `GORO_SEEDS` runs so many seeds; 10,000 each
//! are what a release is run with.
#![cfg(feature = "sim")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;

use draw::Draw;
use goro::sim::{Sim, explore};
use goro::sync::{
    Barrier, Event, FairMutex, Mutex, Notify, OnceCell, Pool, RwLock, Semaphore, SingleFlight,
};
use goro::task::{WaitGroup, yield_now};
use goro::time::{sleep, timeout};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SEEDS: u64 = 100;
/// The longest pause, in microseconds.
const LONGEST: u64 = 3_000;
/// What a task says that panics by plan.
const BY_PLAN: &str = "by plan";

/// Runs tasks made of `each` under many seeds: each has its own generator, and may be aborted at some
/// time; then what they have left is looked at.
fn explore_tasks<S, F>(
    make: impl Fn() -> S,
    each: impl Fn(Arc<S>, Draw) -> F + Copy + Send + 'static,
    after: impl AsyncFn(&S) + Copy + 'static,
) where
    S: Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    explore(SEEDS, |sim| {
        let (seed, shared) = (sim.seed(), Arc::new(make()));
        let ended = sim.run(async move {
            let (group, mut draw) = (WaitGroup::new(), Draw(seed));
            let mut tasks = Vec::new();
            for task in 0..2 + draw.below(6) {
                let handle = group.go(each(shared.clone(), Draw(seed ^ (task << 32))));
                if draw.below(3) == 0 {
                    draw.pause().await;
                    handle.abort();
                }
                tasks.push(handle);
            }
            group.wait().await;
            for task in tasks {
                // They are aborted, and panic by plan; what they assert is to be heard.
                if let Err(error) = task.await {
                    let planned = error.is_cancelled() || error.to_string().contains(BY_PLAN);
                    assert!(planned, "{error}");
                }
            }
            after(&shared).await;
        });
        ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// Raises a count for as long as it lives, and checks that nobody else does.
struct Alone<'a>(&'a AtomicUsize, usize);

impl<'a> Alone<'a> {
    fn among(count: &'a AtomicUsize, most: usize) -> Self {
        Self::weighing(count, 1, most)
    }

    fn weighing(count: &'a AtomicUsize, weight: usize, most: usize) -> Self {
        assert!(count.fetch_add(weight, Ordering::Relaxed) + weight <= most);
        Self(count, weight)
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

#[test]
fn a_mutex_lets_one_in_at_a_time() {
    explore_tasks(
        || (Mutex::new(0), AtomicUsize::new(0)),
        async |shared, mut draw| {
            for _ in 0..4 {
                let locked =
                    timeout(Duration::from_millis(1 + draw.below(9)), shared.0.lock()).await;
                if let Ok(mut number) = locked {
                    let _alone = Alone::among(&shared.1, 1);
                    *number += 1;
                    draw.pause().await;
                    assert!(draw.below(40) > 0, "{BY_PLAN}");
                }
                draw.pause().await;
            }
        },
        async |shared| {
            *shared.0.try_lock().unwrap() += 1;
        },
    );
}

#[test]
fn a_fair_mutex_lets_one_in_at_a_time() {
    explore_tasks(
        || (FairMutex::new(0), AtomicUsize::new(0)),
        async |shared, mut draw| {
            for _ in 0..4 {
                let mut number = shared.0.lock().await;
                let _alone = Alone::among(&shared.1, 1);
                *number += 1;
                draw.pause().await;
            }
        },
        async |shared| {
            *shared.0.try_lock().unwrap() += 1;
        },
    );
}

#[test]
fn a_lock_of_readers_keeps_writers_alone() {
    const MANY: usize = 1_000;
    explore_tasks(
        || (RwLock::new(0), AtomicUsize::new(0)),
        async |shared, mut draw| {
            for _ in 0..5 {
                if draw.below(3) == 0 {
                    let mut number = shared.0.write().await;
                    let _alone = Alone::weighing(&shared.1, MANY, MANY);
                    *number += 1;
                    draw.pause().await;
                } else {
                    let read = timeout(Duration::from_millis(1 + draw.below(9)), shared.0.read());
                    if read.await.is_ok_and(|_guard| true) {
                        let guard = shared.0.read().await;
                        let _among = Alone::among(&shared.1, MANY - 1);
                        let before = *guard;
                        draw.pause().await;
                        assert_eq!(*guard, before);
                    }
                }
                draw.pause().await;
            }
        },
        async |shared| {
            *shared.0.try_write().unwrap() += 1;
        },
    );
}

/// Pitfall 113: what was taken and what is free add up, whoever is cancelled.
#[test]
fn a_semaphore_keeps_its_permits() {
    explore_tasks(
        || (Semaphore::new(3), AtomicUsize::new(0)),
        async |shared, mut draw| {
            for _ in 0..4 {
                let count = 1 + draw.below(3) as usize;
                let wait = Duration::from_millis(1 + draw.below(9));
                if let Ok(permit) = timeout(wait, shared.0.acquire_many(count)).await {
                    let permit = permit.unwrap();
                    let _among = Alone::weighing(&shared.1, permit.count(), 3);
                    draw.pause().await;
                    assert!(draw.below(40) > 0, "{BY_PLAN}");
                }
            }
        },
        async |shared| {
            assert_eq!((shared.0.available(), shared.0.total()), (3, 3));
            drop(shared.0.try_acquire_many(3).unwrap());
        },
    );
}

/// Pitfall 116: while others lock and unlock without end, one that waits gets in.
#[test]
fn nobody_is_passed_by_for_ever() {
    explore(SEEDS / 4, |sim| {
        let ended = sim.run(async {
            let (lock, stop) = (Arc::new(Mutex::new(0_u32)), Arc::new(Event::new()));
            let greedy: Vec<_> = (0..3)
                .map(|_| {
                    let (lock, stop) = (lock.clone(), stop.clone());
                    goro::spawn(async move {
                        while !stop.is_set() {
                            let mut number = lock.lock().await;
                            *number += 1;
                            yield_now().await;
                        }
                    })
                })
                .collect();
            for _ in 0..20 {
                let before = goro::time::now();
                drop(lock.lock().await);
                assert!(goro::time::now() - before < Duration::from_millis(20));
                sleep(Duration::from_micros(50)).await;
            }
            stop.set();
            for task in greedy {
                task.await.unwrap();
            }
        });
        ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// Polls of a future, counted.
async fn counted<F: Future>(future: F, polls: &AtomicUsize) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        future.as_mut().poll(cx)
    })
    .await
}

/// One of many who passes by those that wait costs them nothing: who waits tries once in a round of
/// those who hold permits, and is served after a few.
#[test]
fn who_waits_for_a_permit_tries_once_a_round() {
    const HOLDERS: usize = 10;
    let ended = Sim::new(1).workers(1).run(async {
        let semaphore = Arc::new(Semaphore::new(HOLDERS));
        let (rounds, polls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let stop = Arc::new(Event::new());
        let holders: Vec<_> = (0..HOLDERS)
            .map(|_| {
                let (semaphore, rounds, stop) = (semaphore.clone(), rounds.clone(), stop.clone());
                goro::spawn(async move {
                    while !stop.is_set() {
                        let _permit = semaphore.acquire().await.unwrap();
                        rounds.fetch_add(1, Ordering::Relaxed);
                        yield_now().await;
                    }
                })
            })
            .collect();
        yield_now().await;
        rounds.store(0, Ordering::Relaxed);
        let tried = polls.clone();
        let waiter = async move { drop(counted(semaphore.acquire(), &tried).await.unwrap()) };
        goro::spawn(waiter).await.unwrap();
        let (rounds, polls) = (rounds.load(Ordering::Relaxed), polls.load(Ordering::Relaxed));
        stop.set();
        for holder in holders {
            holder.await.unwrap();
        }
        (rounds, polls)
    });
    let (rounds, polls) = ended.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(polls <= 6, "it was passed by too often: {polls} polls");
    assert!(rounds >= (polls - 2) * HOLDERS / 2, "{polls} polls in {rounds} turns of the holders");
}

/// Pitfall 115: behind one that is never polled, everybody gets in all the same.
#[test]
fn nobody_waits_for_one_that_is_not_polled() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let ended = sim.run(async move {
            let (lock, permits) = (Arc::new(FairMutex::new(0)), Arc::new(Semaphore::new(1)));
            let held = (lock.lock().await, permits.acquire().await.unwrap());
            // Polled once, then kept.
            let mut kept = (Box::pin(lock.lock()), Box::pin(permits.acquire()));
            assert!(timeout(Duration::ZERO, &mut kept.0).await.is_err());
            assert!(timeout(Duration::ZERO, &mut kept.1).await.is_err());
            let group = WaitGroup::new();
            for task in 0..5 {
                let (lock, permits, mut draw) = (lock.clone(), permits.clone(), Draw(seed ^ task));
                group.go(async move {
                    draw.pause().await;
                    *lock.lock().await += 1;
                    draw.pause().await;
                    drop(permits.acquire().await.unwrap());
                });
            }
            Draw(seed).pause().await;
            drop(held);
            group.wait().await;
            assert_eq!(*kept.0.await, 5);
            drop(kept.1.await.unwrap());
        });
        ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// Pitfall 110: as many are told as there were notifications, whoever is cancelled meanwhile.
#[test]
fn notifications_reach_those_who_stay() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let ended = sim.run(async move {
            let (notify, told) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
            let mut draw = Draw(seed);
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let (notify, told) = (notify.clone(), told.clone());
                    goro::spawn(async move {
                        notify.notified().await;
                        told.fetch_add(1, Ordering::Relaxed);
                    })
                })
                .collect();
            sleep(Duration::from_millis(1)).await;
            for (at, task) in tasks.iter().enumerate() {
                match draw.below(2) {
                    0 => task.abort(),
                    _ => notify.notify_one(),
                }
                if at % 2 == 0 {
                    draw.pause().await;
                }
            }
            notify.notify_waiters();
            for task in tasks {
                let _ended = task.await;
            }
            let before = told.load(Ordering::Relaxed);
            notify.notify_one();
            notify.notified().await;
            assert_eq!(told.load(Ordering::Relaxed), before);
        });
        ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

#[test]
fn a_barrier_lets_whole_rounds_through() {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let ended = sim.run(async move {
            let (barrier, passed) = (Arc::new(Barrier::new(3)), Arc::new(AtomicUsize::new(0)));
            let group = WaitGroup::new();
            // Those who give up are no help, and no harm.
            for task in 0..4 {
                let (barrier, mut draw) = (barrier.clone(), Draw(seed ^ task));
                let gives_up = goro::spawn(async move {
                    draw.pause().await;
                    std::future::poll_fn(|cx| {
                        let mut wait = Box::pin(barrier.wait());
                        let _polled = wait.as_mut().poll(cx);
                        std::task::Poll::Ready(())
                    })
                    .await;
                });
                gives_up.await.unwrap();
            }
            for task in 0..6 {
                let (barrier, passed, mut draw) =
                    (barrier.clone(), passed.clone(), Draw(seed ^ task));
                group.go(async move {
                    draw.pause().await;
                    barrier.wait().await;
                    passed.fetch_add(1, Ordering::Relaxed);
                });
            }
            group.wait().await;
            assert_eq!(passed.load(Ordering::Relaxed), 6);
        });
        ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
}

#[test]
fn a_value_is_made_once_whoever_is_cancelled() {
    explore_tasks(
        || (OnceCell::new(), AtomicUsize::new(0), SingleFlight::new()),
        async |shared, mut draw| {
            let (cell, made, flights) = (&shared.0, &shared.1, &shared.2);
            let wait = Duration::from_millis(1 + draw.below(4));
            let pause = draw.below(5_000);
            let make = cell.get_or_try_init(|| async {
                sleep(Duration::from_micros(pause)).await;
                match pause % 3 {
                    0 => Err("failed"),
                    _ => Ok(made.fetch_add(1, Ordering::Relaxed)),
                }
            });
            if let Ok(Ok(value)) = timeout(wait, make).await {
                assert_eq!(*value, 0);
            }
            let fly = flights.run(draw.below(2), || async {
                sleep(Duration::from_micros(pause)).await;
                assert!(pause % 7 > 0, "{BY_PLAN}");
                pause
            });
            let _flown = timeout(wait, fly).await;
        },
        async |shared| {
            assert!(shared.1.load(Ordering::Relaxed) <= 1);
            assert_eq!(shared.2.under_way(), 0);
            let value =
                shared.0.get_or_init(async || shared.1.fetch_add(1, Ordering::Relaxed)).await;
            assert_eq!((*value, shared.1.load(Ordering::Relaxed)), (0, 1));
        },
    );
}

#[test]
fn events_and_pools_serve_everybody() {
    explore_tasks(
        || (Event::new(), Pool::new(4, Vec::<u8>::new), AtomicUsize::new(0)),
        async |shared, mut draw| {
            if shared.2.fetch_add(1, Ordering::Relaxed) == 0 {
                // The first one sets it, whatever becomes of it.
                draw.pause().await;
                shared.0.set();
            }
            let _set_or_late = timeout(Duration::from_secs(1), shared.0.wait()).await;
            let mut buffer = shared.1.get();
            buffer.push(1);
            draw.pause().await;
        },
        async |shared| {
            let stats = shared.1.stats();
            assert!(stats.idle <= shared.1.capacity());
            assert!(stats.misses as usize >= stats.idle);
        },
    );
}
