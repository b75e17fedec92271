//! What a runtime does when there is nothing to do.
use std::thread;
use std::time::Duration;

use super::Sample;
use super::parking::{Event, Wait};
use crate::meter;
use crate::rival::{Rival, drive};

const TASKS: usize = 10_000;

/// How long the threads may take to fall asleep.
const SETTLE: Duration = Duration::from_millis(200);

/// Tasks wait for so many milliseconds, and the runtime's threads are watched from outside.
pub fn idle<R: Rival>(rival: R, millis: usize) -> Sample {
    let event = Event::for_tasks(TASKS);
    let parked = drive(rival, async move {
        for _ in 0..TASKS {
            rival.spawn_detached(Wait::<0>::new(&event));
        }
        event.full().await
    });
    thread::sleep(SETTLE);
    let span = Duration::from_millis(millis as u64);
    let before = meter::activity_of_others();
    thread::sleep(span);
    let after = meter::activity_of_others();
    let per_second = |count: f64| count / span.as_secs_f64();
    let switches = after.switches.saturating_sub(before.switches);
    let micros = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6;
    let values = vec![per_second(switches as f64), per_second(micros)];
    Sample { checksum: parked as u64, values }
}
