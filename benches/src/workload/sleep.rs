//! Sleeps: how late one wakes, and what a million cost.
use std::time::{Duration, Instant};

use super::Sample;
use crate::meter::{self, Meter};
use crate::rival::{Rival, drive};

/// One task sleeps so long so many times. The checksum counts the sleeps that did not end early.
pub fn lateness<R: Rival>(rival: R, micros: u64, sleeps: usize) -> Sample {
    let length = Duration::from_micros(micros);
    let (on_time, nanos, reading) = drive(rival, async move {
        let (mut on_time, mut nanos) = (0, Vec::with_capacity(sleeps));
        rival.sleep(length).await;
        let meter = Meter::start();
        for _ in 0..sleeps {
            let start = Instant::now();
            rival.sleep(length).await;
            let slept = start.elapsed();
            on_time += u64::from(slept >= length);
            nanos.push(u64::try_from(slept.saturating_sub(length).as_nanos()).unwrap_or(u64::MAX));
        }
        (on_time, nanos, meter.stop())
    });
    Sample::latencies(on_time, nanos, reading)
}

/// So many tasks sleep once, 10 to 1000 ms.
///
/// With no warm-up of the same size: the peak counts what the sleeps take, not what a run before
/// them left.
pub fn storm<R: Rival>(rival: R, sleepers: usize) -> Sample {
    async fn run<R: Rival>(rival: R, sleepers: usize) -> u64 {
        let mut handles = Vec::with_capacity(sleepers);
        for sleeper in 0..sleepers as u64 {
            // 991 is prime, so that neighbours in time were not spawned one after another.
            let duration = Duration::from_millis(10 + sleeper * 7919 % 991);
            handles.push(rival.spawn(async move {
                rival.sleep(duration).await;
                sleeper
            }));
        }
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    }
    let (sum, peak, reading) = drive(rival, async move {
        run(rival, 100).await;
        meter::forget_peak();
        let before = meter::resident();
        let meter = Meter::start();
        let sum = run(rival, sleepers).await;
        let reading = meter.stop();
        (sum, meter::peak().saturating_sub(before), reading)
    });
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    let mebibytes = peak as f64 / f64::from(1 << 20);
    Sample { checksum: sum, values: vec![millis(reading.cpu), mebibytes, millis(reading.wall)] }
}
