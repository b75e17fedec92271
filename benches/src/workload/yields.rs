//! Tasks that give up their turn.
use std::sync::Arc;
use std::time::Instant;

use super::Sample;
use super::waits::{Waits, nanos_since};
use crate::meter::Meter;
use crate::rival::{Rival, drive};

const TASKS: usize = 1000;

/// 1000 tasks yield so many times each.
pub fn yields<R: Rival>(rival: R, times: usize) -> Sample {
    async fn run<R: Rival>(rival: R, times: usize, waits: Option<&Arc<Waits>>) -> u64 {
        let task = |_| {
            let waits = waits.cloned();
            rival.spawn(async move {
                let (mut yielded, mut own) = (0_u64, Vec::new());
                for _ in 0..times {
                    let came = waits.is_some().then(Instant::now);
                    rival.yield_now().await;
                    own.extend(came.map(nanos_since));
                    yielded += 1;
                }
                if let Some(waits) = waits {
                    waits.end(own);
                }
                yielded
            })
        };
        let handles: Vec<_> = (0..TASKS).map(task).collect();
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    }
    let (sum, reading, told) = drive(rival, async move {
        run(rival, times.div_ceil(10), None).await;
        let meter = Meter::start();
        let sum = run(rival, times, None).await;
        let reading = meter.stop();
        let waits = Waits::shared();
        run(rival, times.div_ceil(4), Some(&waits)).await;
        (sum, reading, waits.figures())
    });
    Sample::per_operation(sum, TASKS * times, reading).with(told)
}
