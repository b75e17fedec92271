//! Runtimes that are built and dropped.
use std::sync::{Arc, mpsc};

use super::Sample;
use super::parking::{Event, Wait};
use crate::meter::Meter;
use crate::rival::Stop;

/// So many runtimes, one after another, each of which runs one task.
pub fn cycle<S: Stop>(workers: usize, runtimes: usize) -> Sample {
    let run = |runtimes: usize| {
        let mut sum = 0;
        for number in 0..runtimes as u64 {
            let runtime = S::open(workers);
            let (answer, answered) = mpsc::channel();
            runtime.spawn(async move {
                let _ = answer.send(number + 1);
            });
            sum += answered.recv().expect("the task runs");
            runtime.stop();
        }
        sum
    };
    run(runtimes.div_ceil(10));
    let meter = Meter::start();
    let sum = run(runtimes);
    Sample::per_operation(sum, runtimes, meter.stop())
}

/// A runtime in which so many tasks wait is dropped. Their wakers stay with the event, as they do
/// with whatever tasks wait for, so that futures are dropped and headers are not.
pub fn hard<S: Stop>(workers: usize, tasks: usize) -> Sample {
    let run = |tasks: usize| {
        let runtime = S::open(workers);
        let event = Event::for_tasks(tasks);
        for _ in 0..tasks {
            runtime.spawn(Wait::<0>::new(&event));
        }
        smol::future::block_on(event.full());
        let meter = Meter::start();
        runtime.stop();
        let reading = meter.stop();
        // Each future has a share of the event.
        let left = Arc::strong_count(&event) - 1;
        (tasks - left, reading)
    };
    run(tasks.div_ceil(10));
    let (dropped, reading) = run(tasks);
    Sample::per_operation(dropped as u64, tasks, reading)
}
