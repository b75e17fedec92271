//! A timeout that is never needed.
use std::future::ready;
use std::hint::black_box;
use std::time::Duration;

use super::Sample;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// So many timeouts of 10 ms round a ready future.
pub fn ready_in_time<R: Rival>(rival: R, times: usize) -> Sample {
    async fn run<R: Rival>(rival: R, times: usize) -> u64 {
        const LIMIT: Duration = Duration::from_millis(10);
        let mut sum = 0;
        for value in 0..times as u64 {
            let answer = rival.timeout(black_box(LIMIT), ready(black_box(value))).await;
            sum += answer.expect("it was ready");
        }
        sum
    }
    let (sum, reading) = drive(rival, async move {
        run(rival, times.div_ceil(10)).await;
        let meter = Meter::start();
        let sum = run(rival, times).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, times, reading)
}
