//! Tasks that want the same lock, permits, or each other's notifications.
//!
//! The timed part reads no clock but at its ends. How long each had to wait is measured in a second
//! part of the same shape, which is not timed: two readings of a clock are as long as a critical
//! section.
use std::hint::black_box;
use std::mem::size_of;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::Sample;
use super::waits::Waits;
use crate::meter::{self, Meter};
use crate::rival::{Kit, Rival, drive};
use crate::stats::percentile;

/// Tasks at a lock.
const TASKS: usize = 8;
/// Tasks at a semaphore.
const CROWD: usize = 1000;
/// Its permits.
const PERMITS: usize = 10;

/// What a task does again and again, and how many there are of it.
trait Shape<R: Rival>: Send + Sync + 'static {
    const TASKS: usize;

    /// Once; `times` is how often this task has done it before. Gives when it was served, if it is
    /// asked to.
    fn once(
        &self,
        rival: R,
        times: usize,
        timed: bool,
    ) -> impl Future<Output = Option<Instant>> + Send;

    /// What all of that has come to.
    fn sum(&self) -> impl Future<Output = u64> + Send;
}

fn served(timed: bool) -> Option<Instant> {
    timed.then(Instant::now)
}

/// One lock round a number.
struct OneAtATime<R: Rival, const YIELD: bool>(<R::Kit as Kit>::Mutex);

impl<R: Rival, const YIELD: bool> Shape<R> for OneAtATime<R, YIELD> {
    const TASKS: usize = TASKS;

    #[inline]
    async fn once(&self, rival: R, _: usize, timed: bool) -> Option<Instant> {
        let mut number = R::Kit::lock(&self.0).await;
        let served = served(timed);
        *number += 1;
        if YIELD {
            rival.yield_now().await;
        }
        served
    }

    async fn sum(&self) -> u64 {
        *R::Kit::lock(&self.0).await
    }
}

/// A lock that is taken to write once in `WRITES` times, and otherwise to read.
struct Shared<R: Rival, const WRITES: usize, const YIELD: bool>(<R::Kit as Kit>::RwLock);

impl<R: Rival, const WRITES: usize, const YIELD: bool> Shape<R> for Shared<R, WRITES, YIELD> {
    const TASKS: usize = TASKS;

    #[inline]
    async fn once(&self, rival: R, times: usize, timed: bool) -> Option<Instant> {
        if times % WRITES == 0 {
            let mut number = R::Kit::write(&self.0).await;
            let served = served(timed);
            *number += 1;
            if YIELD {
                rival.yield_now().await;
            }
            served
        } else {
            let number = R::Kit::read(&self.0).await;
            let served = served(timed);
            black_box(*number);
            if YIELD {
                rival.yield_now().await;
            }
            served
        }
    }

    async fn sum(&self) -> u64 {
        *R::Kit::read(&self.0).await
    }
}

/// Few permits for many tasks, each of which lets others run while it has one.
struct Few<R: Rival>(<R::Kit as Kit>::Semaphore);

impl<R: Rival> Shape<R> for Few<R> {
    const TASKS: usize = CROWD;

    #[inline]
    async fn once(&self, rival: R, _: usize, timed: bool) -> Option<Instant> {
        let permit = R::Kit::acquire(&self.0).await;
        let served = served(timed);
        rival.yield_now().await;
        drop(permit);
        served
    }

    async fn sum(&self) -> u64 {
        PERMITS as u64
    }
}

async fn run<R: Rival, S: Shape<R>>(
    rival: R,
    shape: &Arc<S>,
    times: usize,
    waits: Option<&Arc<Waits>>,
) {
    let task = |_| {
        let (shape, waits) = (Arc::clone(shape), waits.cloned());
        rival.spawn(async move {
            let mut own = Vec::with_capacity(if waits.is_some() { times } else { 0 });
            for time in 0..times {
                let came = served(waits.is_some());
                let served = shape.once(rival, time, waits.is_some()).await;
                if let (Some(came), Some(served)) = (came, served) {
                    own.push((served - came).as_nanos() as u64);
                }
            }
            if let Some(waits) = waits {
                waits.end(own);
            }
        })
    };
    let handles: Vec<_> = (0..S::TASKS).map(task).collect();
    for handle in handles {
        handle.await;
    }
}

fn measure<R: Rival, S: Shape<R>>(rival: R, shape: S, operations: usize) -> Sample {
    let times = operations.div_ceil(S::TASKS);
    let (sum, reading, told) = drive(rival, async move {
        let shape = Arc::new(shape);
        run(rival, &shape, times.div_ceil(10), None).await;
        let meter = Meter::start();
        run(rival, &shape, times, None).await;
        let reading = meter.stop();
        let waits = Waits::shared();
        run(rival, &shape, times.div_ceil(4), Some(&waits)).await;
        (shape.sum().await, reading, waits.figures())
    });
    Sample::per_operation(sum, times * S::TASKS, reading).with(told)
}

/// 8 tasks add to a number under a lock.
pub fn mutex<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, OneAtATime::<R, false>(R::Kit::mutex()), operations)
}

/// The same, and let others run while they hold the lock.
pub fn mutex_yield<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, OneAtATime::<R, true>(R::Kit::mutex()), operations)
}

/// 8 tasks look at a number, and change it once in 16 times.
pub fn read_mostly<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, Shared::<R, 16, false>(R::Kit::rw_lock()), operations)
}

/// The same, and let others run while they hold the lock.
pub fn read_mostly_yield<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, Shared::<R, 16, true>(R::Kit::rw_lock()), operations)
}

/// 8 tasks look at a number every second time, and otherwise change it.
pub fn write_heavy<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, Shared::<R, 2, false>(R::Kit::rw_lock()), operations)
}

/// The same, and let others run while they hold the lock.
pub fn write_heavy_yield<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, Shared::<R, 2, true>(R::Kit::rw_lock()), operations)
}

/// 1000 tasks want one of 10 permits, and let others run while they have it.
pub fn semaphore<R: Rival>(rival: R, operations: usize) -> Sample {
    measure(rival, Few::<R>(R::Kit::semaphore(PERMITS)), operations)
}

/// Two tasks notify each other in turn.
pub fn notify<R: Rival>(rival: R, trips: usize) -> Sample {
    type Pair<R> = (<<R as Rival>::Kit as Kit>::Notify, <<R as Rival>::Kit as Kit>::Notify);
    async fn run<R: Rival>(rival: R, pair: &Arc<Pair<R>>, trips: usize) -> u64 {
        let other = Arc::clone(pair);
        let answers = rival.spawn(async move {
            for _ in 0..trips {
                R::Kit::notified(&other.0).await;
                R::Kit::notify_one(&other.1);
            }
        });
        let own = Arc::clone(pair);
        let asks = rival.spawn(async move {
            let mut answered = 0;
            for _ in 0..trips {
                R::Kit::notify_one(&own.0);
                R::Kit::notified(&own.1).await;
                answered += 1;
            }
            answered
        });
        answers.await;
        asks.await
    }
    let (answered, reading) = drive(rival, async move {
        let pair: Arc<Pair<R>> = Arc::new((R::Kit::notify(), R::Kit::notify()));
        run(rival, &pair, trips.div_ceil(10)).await;
        let meter = Meter::start();
        let answered = run(rival, &pair, trips).await;
        (answered, meter.stop())
    });
    Sample::per_operation(answered, trips, reading)
}

/// One task locks and unlocks what nobody else wants; beside it the same with std's mutex.
pub fn alone<R: Rival>(rival: R, operations: usize) -> Sample {
    const PART: usize = 1000;
    let (sum, own, std) = drive(rival, async move {
        let (mutex, plain) = (R::Kit::mutex(), black_box(Mutex::new(0_u64)));
        let (mut own, mut std) = (Vec::new(), Vec::new());
        for part in 0..operations / PART {
            let began = Instant::now();
            for _ in 0..PART {
                *R::Kit::lock(black_box(&mutex)).await += 1;
            }
            let between = Instant::now();
            for _ in 0..PART {
                *black_box(&plain).lock().expect("nobody panics") += 1;
            }
            if part > 10 {
                own.push((between - began).as_nanos() as u64);
                std.push(between.elapsed().as_nanos() as u64);
            }
            rival.yield_now().await;
        }
        (*R::Kit::lock(&mutex).await, own, std)
    });
    let median = |mut nanos: Vec<u64>| {
        nanos.sort_unstable();
        percentile(&nanos, 50) as f64 / PART as f64
    };
    let (own, std) = (median(own), median(std));
    Sample { checksum: sum, values: vec![own, own / std] }
}

/// What primitives take that nobody uses: their size, and what they have on the heap.
pub fn bytes<R: Rival>(_: R, count: usize) -> Sample {
    fn each<T>(count: usize, make: impl Fn() -> T) -> f64 {
        let mut all = Vec::with_capacity(count);
        let before = meter::resident();
        all.extend((0..count).map(|_| make()));
        let grown = meter::resident().saturating_sub(before);
        // What is smaller than the memory's grain is known by its size.
        (grown as f64 / count as f64).max(size_of::<T>() as f64)
    }
    let values = vec![
        each(count, R::Kit::mutex),
        each(count, R::Kit::rw_lock),
        each(count, || R::Kit::semaphore(1)),
        each(count, R::Kit::notify),
        each(count, R::Kit::once_cell),
        each(count, || R::Kit::barrier(2)),
    ];
    Sample { checksum: count as u64, values }
}
