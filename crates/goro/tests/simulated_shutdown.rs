//! Shutdown at a random step of a busy program, under many seeds: whatever goes on then, every task, value and
//! job is accounted for, and the report says what happened.
//!
//! Each future counts what becomes of it as it goes, so the truth is known without asking the runtime.
#![cfg(feature = "sim")]
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;

use draw::Draw;
use goro::runtime::{DrainPolicy, Guard, Handle, Phase, ShutdownHandle, ShutdownReport};
use goro::task::{JoinHandle, yield_now};
use goro::time::{Duration, sleep, timeout};
use goro::{channel, spawn, spawn_blocking};
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest pause, in microseconds.
const LONGEST: u64 = 2_000;

/// What has become of everybody since the end began.
#[derive(Default)]
struct Truth {
    ending: AtomicU64,
    done: AtomicU64,
    dropped: AtomicU64,
    live: AtomicU64,
    /// Futures that never became tasks.
    refused: AtomicU64,
    unrun: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    undelivered: AtomicU64,
    given_back: AtomicU64,
}

impl Truth {
    fn add(&self, to: &AtomicU64) {
        if self.ending.load(Ordering::Relaxed) > 0 {
            to.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// Lives as long as a task's future.
struct Alive {
    truth: Arc<Truth>,
    done: bool,
}

impl Alive {
    fn new(truth: &Arc<Truth>) -> Self {
        one(&truth.live);
        Self { truth: truth.clone(), done: false }
    }
}

impl Alive {
    /// Called, so that all of it is captured.
    fn end(&mut self) {
        self.done = true;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let truth = &self.truth;
        truth.live.fetch_sub(1, Ordering::Relaxed);
        truth.add(if self.done { &truth.done } else { &truth.dropped });
    }
}

/// A hook that has not been called.
struct Unrun(Option<Arc<Truth>>);

impl Unrun {
    fn runs(mut self) {
        self.0 = None;
    }
}

impl Drop for Unrun {
    fn drop(&mut self) {
        self.0.iter().for_each(|truth| one(&truth.unrun));
    }
}

#[derive(Clone)]
struct Program {
    truth: Arc<Truth>,
    shutdown: ShutdownHandle,
    tx: channel::Sender<Value>,
    rx: channel::Receiver<Value>,
}

struct Value;

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Program {
    fn task(&self, seed: u64, depth: u64) -> Body {
        let mut alive = Alive::new(&self.truth);
        let program = self.clone();
        Box::pin(async move {
            let mut draw = Draw(seed);
            let mut children = Vec::new();
            for _ in 0..draw.below(8) {
                program.step(&mut draw, depth, &mut children).await;
            }
            for child in children {
                // Whatever has become of it.
                let _ = child.await;
            }
            alive.end();
        })
    }

    async fn step(&self, draw: &mut Draw, depth: u64, children: &mut Vec<JoinHandle<()>>) {
        match draw.below(16) {
            0..=3 => yield_now().await,
            4..=5 => sleep(Duration::from_micros(draw.below(2_000))).await,
            6 => Handle::current().busy(Duration::from_micros(draw.below(1_500))),
            7..=8 if depth > 0 => children.push(self.spawn(draw.below(1 << 31), depth - 1)),
            9 if depth > 0 => drop(self.spawn(draw.below(1 << 31), depth - 1)),
            10..=11 => match self.tx.send(Value).await {
                Ok(()) => one(&self.truth.sent),
                Err(_back) => one(&self.truth.given_back),
            },
            12..=13 => {
                let received = timeout(Duration::from_millis(3), self.rx.recv()).await;
                if let Ok(Ok(_value)) = received {
                    one(&self.truth.received);
                }
            }
            14 => {
                let alive = Alive::new(&self.truth);
                let job = spawn_blocking(move || {
                    let mut alive = alive;
                    alive.end();
                });
                if job.is_finished() {
                    self.count_refused();
                }
                // Cancelled or done.
                let _ = job.await;
            }
            15 if draw.below(6) == 0 => pending().await,
            _ => {}
        }
    }

    fn spawn(&self, seed: u64, depth: u64) -> JoinHandle<()> {
        let task = spawn(self.task(seed, depth));
        if task.is_finished() {
            self.count_refused();
        }
        task
    }

    /// It was dropped where it was made, and counted as dropped.
    fn count_refused(&self) {
        if self.truth.ending.load(Ordering::Relaxed) > 0 {
            one(&self.truth.refused);
        }
    }

    fn root(&self, draw: &mut Draw) {
        let (seed, depth) = (draw.below(1 << 31), draw.below(4));
        match self.shutdown.guard() {
            Ok(guard) if draw.below(2) == 0 => self.spawn_through(&guard, seed, depth),
            _ => drop(self.spawn(seed, depth)),
        }
    }

    fn spawn_through(&self, guard: &Guard, seed: u64, depth: u64) {
        if guard.spawn(self.task(seed, depth)).is_finished() {
            self.count_refused();
        }
    }
}

fn policy(draw: &mut Draw) -> DrainPolicy {
    let ms = Duration::from_millis;
    match draw.below(4) {
        0 => DrainPolicy::none(),
        1 => DrainPolicy::fixed(ms(draw.below(20))),
        2 => DrainPolicy::adaptive(ms(1), ms(30), ms(1)),
        _ => DrainPolicy::fixed(Duration::from_secs(10)),
    }
}

async fn run(program: Program, draw: &mut Draw) -> ShutdownReport {
    let shutdown = program.shutdown.clone();
    shutdown.set_policy(policy(draw));
    shutdown.set_grace(Duration::from_millis(draw.below(3) * 5));
    if draw.below(2) == 0 {
        shutdown.track_queue(&program.tx);
    }
    for priority in 0..draw.below(3) {
        let (program, seed) = (program.clone(), draw.below(1 << 31));
        let unrun = Unrun(Some(program.truth.clone()));
        shutdown.on_drain(priority as i32, move || {
            unrun.runs();
            program.task(seed, 1)
        });
    }
    for _ in 0..4 + draw.below(12) {
        program.root(draw);
        if draw.below(3) == 0 {
            sleep(Duration::from_micros(draw.below(500))).await;
        }
    }
    for _ in 0..draw.below(40) {
        yield_now().await;
    }
    // Nothing moves between these two.
    program.truth.ending.store(1, Ordering::Relaxed);
    shutdown.initiate("a random step");
    for _ in 0..draw.below(4) {
        program.root(draw);
        sleep(Duration::from_micros(draw.below(2_000))).await;
    }
    if draw.below(4) == 0 {
        shutdown.force("another");
    }
    let report = shutdown.wait().await;
    assert_eq!(shutdown.phase(), Phase::Stopped);
    report
}

/// Pitfalls 25, 27, 68, 69 and 73 at any step: a task is done, or dropped, or refused; nobody hangs, no value is
/// lost.
#[test]
fn an_end_at_a_random_step_accounts_for_everybody() {
    goro::sim::explore(300, |sim| {
        let truth = Arc::new(Truth::default());
        let (seen, mut draw) = (truth.clone(), Draw(sim.seed()));
        let outcome = sim.run(async move {
            let undelivered = seen.clone();
            let (tx, rx) = channel::Builder::new()
                .on_undelivered(move |_value| one(&undelivered.undelivered))
                .name("values")
                .bounded(1 + draw.below(8) as usize);
            let shutdown = Handle::current().shutdown();
            run(Program { truth: seen, shutdown, tx, rx }, &mut draw).await
        });
        let report = outcome.unwrap_or_else(|failure| panic!("{failure}"));
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!(count(&truth.live), 0, "a future is left: {report}");
        assert_eq!(report.abandoned, 0, "{report}");
        assert_eq!(report.drained, count(&truth.done), "{report}");
        // Who was refused was dropped as well; a hook may have been aborted before it was called.
        let (refused, dropped) = (count(&truth.refused), count(&truth.dropped));
        let ended = report.aborted + refused;
        assert!((dropped..=dropped + count(&truth.unrun)).contains(&ended), "{dropped}: {report}");
        assert!(report.refused <= refused, "{report}");
        let sent = count(&truth.sent);
        let arrived = count(&truth.received) + count(&truth.undelivered);
        // A send whose future was dropped after its value had its place, or before: nobody knows.
        assert!(arrived >= sent, "{arrived} of {sent} values: {report}");
    });
}
