//! Many tasks that wait, and are woken in an order that no cache foresees.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::mailbox::Mailbox;
use crate::meter::{self, Meter};
use crate::rival::{Goro, Rival, Tokio, drive};
use crate::stats::curve;
use crate::workload::Sample;

const WORKERS: usize = 2;
/// Wakes of all tasks together, at least.
const WAKES: usize = 1_000_000;
/// Wakes of one task at a time.
const SINGLE: usize = 20_000;

/// What a task is sent where its answer is counted.
const COUNTED: u64 = 1;
/// Larger numbers are the time of the wake and this.
const STAMP: u64 = 2;

pub(super) fn sample(column: &str, tasks: usize) -> Option<Sample> {
    Some(match column {
        "goro" => measure(Goro::start(WORKERS), tasks),
        "tokio" => measure(Tokio::start(WORKERS), tasks),
        _ => return None,
    })
}

/// What all tasks answer through.
struct Answers {
    left: AtomicUsize,
    all: Arc<Mailbox>,
    one: Arc<Mailbox>,
    origin: Instant,
}

impl Answers {
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn counted(&self) {
        // Ordering: AcqRel, so that what the tasks did happened before the last one's send.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all.send(1);
        }
    }
}

async fn wait(inbox: Arc<Mailbox>, answers: Arc<Answers>) {
    answers.counted();
    loop {
        match inbox.receive().await {
            COUNTED => answers.counted(),
            stamp => answers.one.send(answers.now().saturating_sub(stamp - STAMP).max(1)),
        }
    }
}

fn measure<R: Rival>(rival: R, tasks: usize) -> Sample {
    let answers = Arc::new(Answers {
        left: AtomicUsize::new(0),
        all: Mailbox::shared(),
        one: Mailbox::shared(),
        origin: Instant::now(),
    });
    let rounds = (WAKES / tasks).max(1);
    let values = drive(rival, async move {
        let inboxes: Vec<_> = (0..tasks).map(|_| Mailbox::shared()).collect();
        let before = meter::resident();
        let meter = Meter::start();
        answers.left.store(tasks, Ordering::Relaxed);
        for inbox in &inboxes {
            rival.spawn_detached(wait(Arc::clone(inbox), Arc::clone(&answers)));
        }
        answers.all.receive().await;
        let spawned = meter.stop().wall;
        let bytes = meter::resident().saturating_sub(before);

        let mut at = 0;
        // Prime to every power of ten, and far: each step is to another page.
        let mut step = || {
            at = (at + 618_033_989) % tasks;
            at
        };
        let meter = Meter::start();
        for _ in 0..rounds {
            answers.left.store(tasks, Ordering::Relaxed);
            for _ in 0..tasks {
                inboxes[step()].send(COUNTED);
            }
            answers.all.receive().await;
        }
        let woken = meter.stop().wall;

        let mut late = Vec::with_capacity(SINGLE);
        for _ in 0..SINGLE {
            inboxes[step()].send(answers.now() + STAMP);
            late.push(answers.one.receive().await);
        }
        let [_, _, p99, ..] = curve(late);
        let each = |nanos: u128, of: usize| nanos as f64 / of as f64;
        vec![
            each(spawned.as_nanos(), tasks),
            each(woken.as_nanos(), tasks * rounds),
            p99 as f64 / 1e3,
            each(bytes.into(), tasks),
        ]
    });
    Sample { checksum: (tasks * rounds) as u64, values }
}
