//! Tasks that do nothing but exist: joined, detached, in a chain, from outside.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::Sample;
use super::waits::{Waits, nanos_since};
use crate::mailbox::{Countdown, Mailbox};
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// Tasks in a batch, links in a chain.
const BATCH: usize = 1000;

/// Batches of joined tasks, each spawned by itself, or all of a batch at once where the rival can.
pub fn join<R: Rival>(rival: R, at_once: bool, batches: usize) -> Sample {
    async fn run<R: Rival>(rival: R, at_once: bool, batches: usize) -> u64 {
        let mut handles = Vec::with_capacity(BATCH);
        let mut sum = 0_u64;
        for batch in 0..batches {
            let futures = (0..BATCH).map(|task| async move { (batch ^ task) as u64 });
            if at_once {
                handles.extend(rival.spawn_many(futures));
            } else {
                handles.extend(futures.map(|future| rival.spawn(future)));
            }
            for handle in handles.drain(..) {
                sum = sum.wrapping_add(handle.await);
            }
        }
        sum
    }
    /// How long each waited for its turn.
    async fn waits<R: Rival>(rival: R, at_once: bool, batches: usize) -> [f64; 3] {
        let mut own = Vec::with_capacity(batches * BATCH);
        for _ in 0..batches {
            let futures = (0..BATCH).map(|_| {
                let born = Instant::now();
                async move { nanos_since(born) }
            });
            let handles: Vec<_> = match at_once {
                true => rival.spawn_many(futures).collect(),
                false => futures.map(|future| rival.spawn(future)).collect(),
            };
            for handle in handles {
                own.push(handle.await);
            }
        }
        let waits = Waits::shared();
        waits.end(own);
        waits.figures()
    }
    let (sum, reading, [p99, ..]) = drive(rival, async move {
        run(rival, at_once, batches.div_ceil(5)).await;
        let meter = Meter::start();
        let sum = run(rival, at_once, batches).await;
        let reading = meter.stop();
        (sum, reading, waits(rival, at_once, batches.div_ceil(4)).await)
    });
    Sample::per_operation(sum, batches * BATCH, reading).with([p99])
}

/// Batches of detached tasks.
pub fn detached<R: Rival>(rival: R, batches: usize) -> Sample {
    async fn run<R: Rival>(rival: R, batches: usize) -> u64 {
        let mut finished = 0;
        for _ in 0..batches {
            let countdown = Countdown::of(BATCH);
            for _ in 0..BATCH {
                let countdown = Arc::clone(&countdown);
                rival.spawn_detached(async move { countdown.finish() });
            }
            countdown.wait().await;
            finished += BATCH;
        }
        finished as u64
    }
    let (sum, reading) = drive(rival, async move {
        run(rival, batches.div_ceil(5)).await;
        let meter = Meter::start();
        let sum = run(rival, batches).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, batches * BATCH, reading)
}

/// Chains in which each task spawns the next one.
pub fn chained<R: Rival>(rival: R, chains: usize) -> Sample {
    fn link<R: Rival>(rival: R, at: usize, end: Arc<Mailbox>) {
        rival.spawn_detached(async move {
            match at {
                BATCH => end.send(at as u64),
                _ => link(rival, at + 1, end),
            }
        });
    }
    async fn run<R: Rival>(rival: R, chains: usize) -> u64 {
        let end = Mailbox::shared();
        let mut sum = 0;
        for _ in 0..chains {
            link(rival, 1, Arc::clone(&end));
            sum += end.receive().await;
        }
        sum
    }
    let (sum, reading) = drive(rival, async move {
        run(rival, chains.div_ceil(5)).await;
        let meter = Meter::start();
        let sum = run(rival, chains).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, chains * BATCH, reading)
}

/// Two threads outside of the runtime spawn; the section ends when all tasks have run.
pub fn foreign<R: Rival>(rival: R, tasks: usize) -> Sample {
    const THREADS: usize = 2;
    fn run<R: Rival>(rival: R, tasks: usize) -> u64 {
        let countdown = Countdown::of(THREADS * tasks);
        let sum = Arc::new(AtomicU64::new(0));
        for _ in 0..THREADS {
            let (countdown, sum) = (Arc::clone(&countdown), Arc::clone(&sum));
            thread::spawn(move || {
                for task in 0..tasks {
                    let (countdown, sum) = (Arc::clone(&countdown), Arc::clone(&sum));
                    rival.spawn_foreign(async move {
                        sum.fetch_add(task as u64, Ordering::Relaxed);
                        countdown.finish();
                    });
                }
            });
        }
        drive(rival, async move { countdown.wait().await });
        sum.load(Ordering::Relaxed)
    }
    let each = tasks / THREADS;
    run(rival, each.div_ceil(5));
    let meter = Meter::start();
    let sum = run(rival, each);
    Sample::per_operation(sum, each * THREADS, meter.stop())
}
