//! A wake from a thread that is none of the runtime's, while all workers sleep.
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Sample;
use crate::mailbox::Mailbox;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// Between two wakes: long enough for the workers to go to sleep.
const PAUSE: Duration = Duration::from_micros(400);

/// So many wakes, each timed from before the wake until the task runs.
pub fn foreign<R: Rival>(rival: R, wakes: usize) -> Sample {
    let warm_up = wakes.div_ceil(10);
    let (sent, answered) = (Mailbox::shared(), Mailbox::shared());
    let origin = Instant::now();
    let clock = move || u64::try_from(origin.elapsed().as_nanos()).expect("less than 500 years");
    let (inbox, answer) = (Arc::clone(&sent), Arc::clone(&answered));
    let waker = thread::spawn(move || {
        for _ in 0..warm_up + wakes {
            thread::sleep(PAUSE);
            sent.send(clock());
            smol::future::block_on(answered.receive());
        }
    });
    let (nanos, reading) = drive(rival, async move {
        let mut nanos = Vec::with_capacity(wakes);
        let mut meter = Meter::start();
        for wake in 0..warm_up + wakes {
            if wake == warm_up {
                meter = Meter::start();
            }
            let sent = inbox.receive().await;
            let woken = clock() - sent;
            if wake >= warm_up {
                nanos.push(woken);
            }
            answer.send(1);
        }
        (nanos, meter.stop())
    });
    waker.join().expect("the waking thread does not panic");
    Sample::latencies(nanos.len() as u64, nanos, reading)
}
