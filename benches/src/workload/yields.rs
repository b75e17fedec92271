//! Tasks that give up their turn.
use super::Sample;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

const TASKS: usize = 1000;

/// 1000 tasks yield so many times each.
pub fn yields<R: Rival>(rival: R, times: usize) -> Sample {
    async fn run<R: Rival>(rival: R, times: usize) -> u64 {
        let task = |_| {
            rival.spawn(async move {
                let mut yielded = 0_u64;
                for _ in 0..times {
                    rival.yield_now().await;
                    yielded += 1;
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
    let (sum, reading) = drive(rival, async move {
        run(rival, times.div_ceil(10)).await;
        let meter = Meter::start();
        let sum = run(rival, times).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, TASKS * times, reading)
}
