//! A ready task runs within the number of steps that `docs/scheduling.md` states: under scripts, and on
//! threads, with many more workers than processors.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::metrics::{Metrics, WorkerMetrics};
use goro_runtime::task::{self, yield_now};
use goro_runtime::{Builder, Handle, spawn, spawn_many};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// The claim: steps of the worker that runs a task, from when it was ready until it is run, with at
/// most so many ready tasks.
const fn bound(ready: u64) -> u64 {
    61 * (ready + 2) + 6200
}

/// Tasks that are ready again and again, pairs that wake each other, bursts that overflow a ring.
const YIELDERS: u64 = 150;
const PAIRS: u64 = 40;
const BURST: u64 = 1_500;

/// No more are ever ready than are live.
const MOST: u64 = YIELDERS + 2 * PAIRS + BURST + 3;

#[derive(Default)]
struct Baton {
    waker: Mutex<Option<Waker>>,
    held: AtomicBool,
}

impl Baton {
    fn give(&self) {
        self.held.store(true, Ordering::SeqCst);
        let waker = self.waker.lock().unwrap().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn take(&self) {
        poll_fn(|cx| {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            if self.held.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Some work, so that polls are neither all alike nor for nothing.
fn work(n: u64) {
    for _ in 0..n % 7 * 20 {
        std::hint::spin_loop();
    }
}

fn load(stop: &Arc<AtomicBool>) {
    for n in 0..YIELDERS {
        let stop = stop.clone();
        drop(spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                work(n);
                yield_now().await;
            }
        }));
    }
    for n in 0..PAIRS {
        let batons = [Arc::new(Baton::default()), Arc::new(Baton::default())];
        batons[0].give();
        for own in 0..2 {
            let (stop, batons) = (stop.clone(), batons.clone());
            drop(spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    batons[own].take().await;
                    work(n);
                    batons[1 - own].give();
                }
                batons[1 - own].give();
            }));
        }
    }
    let stop = stop.clone();
    drop(spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            for task in spawn_many((0..BURST).map(|n| async move { work(n) })) {
                let _ended = task.await;
            }
        }
    }));
}

fn crew(metrics: &Metrics) -> impl Iterator<Item = &WorkerMetrics> {
    metrics.workers.iter().chain(&metrics.spares)
}

/// Wakes a task that waits, over and over, from a task that is busy itself; returns the most steps
/// that the worker which ran it had made meanwhile.
async fn probe(handle: Handle, rounds: u64) -> u64 {
    let baton = Arc::new(Baton::default());
    let answered = Arc::new(Baton::default());
    let before = Arc::new(Mutex::new(Metrics::default()));
    let worst = Arc::new(AtomicU64::new(0));
    let probed = {
        let (baton, answered) = (baton.clone(), answered.clone());
        let (before, worst, handle) = (before.clone(), worst.clone(), handle.clone());
        spawn(async move {
            for _ in 0..rounds {
                baton.take().await;
                let now = handle.metrics();
                let own = task::try_id().map(task::Id::get);
                let place = crew(&now).position(|member| member.current_task == own);
                let place = place.expect("somebody runs this task");
                let polls = crew(&now).nth(place).map_or(0, |member| member.polls);
                let before = before.lock().unwrap().clone();
                let then = crew(&before).nth(place).map_or(0, |member| member.polls);
                worst.fetch_max(polls - then, Ordering::Relaxed);
                answered.give();
            }
        })
    };
    for round in 0..rounds {
        for _ in 0..round % 3 {
            yield_now().await;
        }
        *before.lock().unwrap() = handle.metrics();
        baton.give();
        answered.take().await;
    }
    probed.await.unwrap();
    worst.load(Ordering::Relaxed)
}

async fn probed(handle: Handle, rounds: u64) -> u64 {
    let stop = Arc::new(AtomicBool::new(false));
    load(&stop);
    let worst = spawn(probe(handle, rounds)).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    worst
}

#[test]
fn under_any_schedule_a_ready_task_runs_within_the_bound() {
    for (workers, seeds) in [(1, 3), (2, 3), (16, 3), (64, 1)] {
        for seed in 0..seeds {
            let mut script = Builder::new().workers(workers).build_scripted(Some(seed)).unwrap();
            let handle = script.handle();
            let worst = script.run(probed(handle, 60)).unwrap();
            let bound = bound(MOST);
            assert!(
                worst > 0 && worst <= bound,
                "{workers} workers, seed {seed}: {worst} > {bound}"
            );
        }
    }
}

/// More workers than any machine of ours has processors.
#[test]
fn with_many_workers_on_few_processors_too() {
    for workers in [16, 64] {
        let runtime = Builder::new().workers(workers).build().unwrap();
        let handle = runtime.handle().clone();
        let worst = runtime.block_on(probed(handle, 300));
        let bound = bound(MOST);
        assert!(worst <= bound, "{workers} workers: {worst} steps, not {bound}");
    }
}
