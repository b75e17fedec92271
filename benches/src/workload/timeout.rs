//! Timeouts that are not needed, and some that are.
use std::future::{self, Future};
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Sample;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// So many timeouts of 10 ms round a ready future.
pub fn ready_in_time<R: Rival>(rival: R, times: usize) -> Sample {
    round(rival, times, Duration::from_millis(10), future::ready)
}

/// So many timeouts of a second round a future that is ready at its second poll: each inserts a
/// timer and takes it out again.
pub fn pending_once<R: Rival>(rival: R, times: usize) -> Sample {
    round(rival, times, Duration::from_secs(1), |value| Second { value, polled: false })
}

fn round<R, F>(rival: R, times: usize, limit: Duration, make: fn(u64) -> F) -> Sample
where
    R: Rival,
    F: Future<Output = u64> + Send + 'static,
{
    let run = async move |times: usize| {
        let mut sum = 0;
        for value in 0..times as u64 {
            let answer = rival.timeout(black_box(limit), make(black_box(value))).await;
            sum += answer.expect("it came in time");
        }
        sum
    };
    let (sum, reading) = drive(rival, async move {
        run(times.div_ceil(10)).await;
        let meter = Meter::start();
        let sum = run(times).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, times, reading)
}

/// 1000 tasks, each with so many timeouts of a millisecond round what never comes.
pub fn fires<R: Rival>(rival: R, times: usize) -> Sample {
    const TASKS: usize = 1000;
    const LIMIT: Duration = Duration::from_millis(1);
    let run = async move |times: usize| {
        let task = |_| {
            rival.spawn(async move {
                let mut fired = 0;
                for _ in 0..times {
                    fired +=
                        u64::from(rival.timeout(LIMIT, future::pending::<()>()).await.is_none());
                }
                fired
            })
        };
        let handles: Vec<_> = (0..TASKS).map(task).collect();
        let mut fired = 0;
        for handle in handles {
            fired += handle.await;
        }
        fired
    };
    let (fired, reading) = drive(rival, async move {
        run(times.div_ceil(10)).await;
        let meter = Meter::start();
        let fired = run(times).await;
        (fired, meter.stop())
    });
    let cpu = reading.cpu.as_nanos() as f64 / fired as f64;
    // Of one task: the others' timeouts go by at the same time.
    let wall = reading.wall.as_nanos() as f64 / 1e3 / times as f64;
    Sample { checksum: fired, values: vec![cpu, wall] }
}

/// Gives its value at its second poll, which it asks for at the first.
struct Second {
    value: u64,
    polled: bool,
}

impl Future for Second {
    type Output = u64;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        if self.polled {
            return Poll::Ready(self.value);
        }
        self.polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
