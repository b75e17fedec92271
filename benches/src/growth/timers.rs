//! Many sleeps that are all pending before the first one ends.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::mailbox::Countdown;
use crate::meter::{self, Meter};
use crate::rival::{Goro, Rival, Tokio, drive};
use crate::stats::curve;
use crate::workload::Sample;

const WORKERS: usize = 2;
/// The least sleep, and what is added for each sleeper: longer than any takes to be spawned here.
const BASE: Duration = Duration::from_millis(200);
const EACH: Duration = Duration::from_nanos(1500);
/// Over how many milliseconds their ends are spread.
const SPREAD: usize = 997;

pub(super) fn sample(column: &str, sleepers: usize) -> Option<Sample> {
    Some(match column {
        "goro" => measure(Goro::start(WORKERS), sleepers),
        "tokio" => measure(Tokio::start(WORKERS), sleepers),
        _ => return None,
    })
}

fn measure<R: Rival>(rival: R, sleepers: usize) -> Sample {
    let late: Arc<[AtomicU64]> = (0..sleepers).map(|_| AtomicU64::new(0)).collect();
    let told = Arc::clone(&late);
    let values = drive(rival, async move {
        let everyone = Countdown::of(sleepers);
        let shortest = BASE + EACH.saturating_mul(u32::try_from(sleepers).unwrap_or(u32::MAX));
        meter::forget_peak();
        let before = meter::resident();
        let meter = Meter::start();
        for sleeper in 0..sleepers {
            // 7919 is prime, so that neighbours in time were not spawned one after another.
            let spread = Duration::from_millis((sleeper * 7919 % SPREAD) as u64);
            let (late, everyone) = (Arc::clone(&late), Arc::clone(&everyone));
            rival.spawn_detached(async move {
                let (length, start) = (shortest + spread, Instant::now());
                rival.sleep(length).await;
                let over = start.elapsed().checked_sub(length);
                let over = over.map_or(u64::MAX, |over| over.as_nanos() as u64);
                late[sleeper].store(over, Ordering::Relaxed);
                everyone.finish();
            });
        }
        let spawned = meter.stop().wall;
        everyone.wait().await;
        let cpu = meter.stop().cpu;
        let peak = meter::peak().saturating_sub(before);
        let each = |total: u128| total as f64 / sleepers as f64;
        vec![each(spawned.as_nanos()), each(cpu.as_nanos()), each(peak.into())]
    });
    let nanos: Vec<_> = told.iter().map(|late| late.load(Ordering::Relaxed)).collect();
    // None may end early.
    let on_time = nanos.iter().filter(|late| **late < u64::MAX).count() as u64;
    let [p50, _, p99, ..] = curve(nanos);
    let [spawned, cpu, peak] = values[..] else { unreachable!("there are three") };
    let micros = |nanos: u64| nanos as f64 / 1e3;
    Sample { checksum: on_time, values: vec![spawned, cpu, micros(p50), micros(p99), peak] }
}
