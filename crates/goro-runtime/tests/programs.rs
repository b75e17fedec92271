//! Programs drawn from a seed, on a script drawn from the same: whatever they do and whoever goes
//! first, nothing is lost, nothing is run twice, and nothing is left when all is quiet.
//!
//! A program is a tree of tasks, each with a list of steps: yield, sleep, take long, spawn, join,
//! abort, wake a stranger, panic, have a job run. `GORO_SEED` runs one seed, `GORO_SEEDS` so many.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::{Event, Scripted};
use goro_runtime::task::{AbortHandle, JoinHandle, yield_now};
use goro_runtime::time::{Duration, sleep, timeout};
use goro_runtime::{Builder, Handle, spawn, spawn_blocking};
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

#[path = "support/draw.rs"]
mod draw;
use draw::{Draw, seeds};

/// What all tasks of a program share and count.
#[derive(Default)]
struct World {
    /// Futures made and dropped; the same, and none twice, when all is over.
    made: AtomicUsize,
    dropped: AtomicUsize,
    /// Tasks that came to the end of their steps.
    ended: AtomicUsize,
    jobs_made: AtomicUsize,
    jobs_dropped: AtomicUsize,
    /// Wakers of those who wait for a stranger, and handles to abort somebody by.
    strangers: Mutex<Vec<Waker>>,
    aborts: Mutex<Vec<AbortHandle>>,
    /// Results of joins.
    joined: AtomicUsize,
    done: AtomicUsize,
    panicked: AtomicUsize,
    cancelled: AtomicUsize,
}

struct Alive(Arc<World>);

impl Alive {
    fn new(world: &Arc<World>) -> Self {
        world.made.fetch_add(1, Ordering::Relaxed);
        Self(world.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
        // Now and then a destructor wakes, spawns and aborts.
        let count = self.0.dropped.load(Ordering::Relaxed);
        if count % 7 == 0 {
            let stranger = self.0.strangers.lock().unwrap().pop();
            stranger.into_iter().for_each(Waker::wake);
        }
        if count % 11 == 0 {
            let abort = self.0.aborts.lock().unwrap().pop();
            abort.iter().for_each(AbortHandle::abort);
        }
        if count % 13 == 0 && Handle::try_current().is_ok() {
            drop(spawn(yield_now()));
        }
    }
}

struct Job(Arc<World>);
impl Drop for Job {
    fn drop(&mut self) {
        self.0.jobs_dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn record(world: &World, result: &Result<(), goro_runtime::task::JoinError>) {
    world.joined.fetch_add(1, Ordering::Relaxed);
    let count = match result {
        Ok(()) => &world.done,
        Err(error) if error.is_panic() => &world.panicked,
        Err(_) => &world.cancelled,
    };
    count.fetch_add(1, Ordering::Relaxed);
}

/// Leaves a waker for whoever comes by; goes on when somebody has, or after a while.
async fn wait_for_a_stranger(world: &World, patience: Duration) {
    let mut left = false;
    let stranger = poll_fn(|cx| {
        if left {
            return Poll::Ready(());
        }
        left = true;
        world.strangers.lock().unwrap().push(cx.waker().clone());
        Poll::Pending
    });
    let _either = timeout(patience, stranger).await;
}

async fn job(world: &Arc<World>, panics: bool) {
    world.jobs_made.fetch_add(1, Ordering::Relaxed);
    let job = Job(world.clone());
    let result = spawn_blocking(move || {
        let _job = job;
        if panics {
            resume_unwind(Box::new("a job"));
        }
    });
    let _result = result.await;
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

fn task(world: Arc<World>, seed: u64, depth: u64) -> Body {
    let alive = Alive::new(&world);
    Box::pin(async move {
        let _alive = alive;
        let mut draw = Draw(seed);
        let mut children: Vec<JoinHandle<()>> = Vec::new();
        for _ in 0..draw.below(12) {
            match draw.below(20) {
                0..=4 => yield_now().await,
                5..=6 => sleep(Duration::from_nanos(draw.below(5_000_000))).await,
                7 => Handle::current().busy(Duration::from_micros(draw.below(3_000))),
                8..=11 if depth > 0 => {
                    let child = spawn(task(world.clone(), draw.next(), depth - 1));
                    if draw.below(3) == 0 {
                        world.aborts.lock().unwrap().push(child.abort_handle());
                    }
                    children.push(child);
                }
                12 => {
                    if let Some(child) = children.pop() {
                        record(&world, &child.await);
                    }
                }
                13 => drop(children.pop()),
                14 => {
                    if let Some(child) = children.pop() {
                        let _ended = timeout(Duration::from_millis(1), child.abort_on_drop()).await;
                    }
                }
                15 => {
                    let abort = world.aborts.lock().unwrap().pop();
                    abort.iter().for_each(AbortHandle::abort);
                }
                16 => {
                    let patience = Duration::from_nanos(draw.below(20_000_000));
                    wait_for_a_stranger(&world, patience).await;
                }
                17 => {
                    let strangers = std::mem::take(&mut *world.strangers.lock().unwrap());
                    strangers.into_iter().for_each(Waker::wake);
                }
                18 => job(&world, draw.below(4) == 0).await,
                _ if draw.below(10) == 0 => resume_unwind(Box::new("a task")),
                _ => {}
            }
        }
        for child in children {
            record(&world, &child.await);
        }
        world.ended.fetch_add(1, Ordering::Relaxed);
    })
}

fn script(seed: u64) -> Scripted {
    let workers = 1 + (seed % 5) as usize;
    let monitor = seed % 3 != 0;
    Builder::new().workers(workers).monitor(monitor).build_scripted(Some(seed)).unwrap()
}

/// Spawns the roots of a program from outside, with steps in between.
fn begin(script: &mut Scripted, world: &Arc<World>, seed: u64) -> Vec<JoinHandle<()>> {
    let mut draw = Draw(seed);
    (0..1 + draw.below(6))
        .map(|_| {
            let root = script.handle().spawn(task(world.clone(), draw.next(), 4));
            for _ in 0..draw.below(20) {
                script.step();
            }
            root
        })
        .collect()
}

fn assert_nothing_is_left(script: &Scripted, world: &World, seed: u64) {
    let metrics = script.handle().metrics();
    let queued: usize = metrics.workers.iter().map(|worker| worker.queued).sum();
    assert_eq!((metrics.tasks_live, metrics.tasks_parked), (0, 0), "seed {seed}: tasks left");
    assert_eq!((metrics.injected, queued), (0, 0), "seed {seed}: something stands");
    assert_eq!(metrics.sleeping as usize, metrics.workers.len(), "seed {seed}: who is awake?");
    let polls = script.log().iter().filter(|event| matches!(event, Event::Ran(_))).count();
    assert_eq!(metrics.polls(), polls as u64, "seed {seed}: polls");
    assert_dropped(world, seed);
}

fn assert_dropped(world: &World, seed: u64) {
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    assert_eq!(count(&world.made), count(&world.dropped), "seed {seed}: futures");
    assert_eq!(count(&world.jobs_made), count(&world.jobs_dropped), "seed {seed}: jobs");
    assert!(count(&world.ended) <= count(&world.made), "seed {seed}: a task ended twice");
    let results = count(&world.done) + count(&world.panicked) + count(&world.cancelled);
    assert_eq!(results, count(&world.joined), "seed {seed}: results");
}

#[test]
fn every_program_comes_to_rest_with_nothing_left() {
    let (mut made, mut panicked, mut cancelled) = (0, 0, 0);
    for seed in seeds(1_500) {
        let world = Arc::new(World::default());
        let mut script = script(seed);
        let roots = begin(&mut script, &world, seed);
        script.run_until_stalled();
        for root in &roots {
            assert!(script.is_done(root), "seed {seed}: a root waits for ever");
        }
        assert_nothing_is_left(&script, &world, seed);
        made += world.made.load(Ordering::Relaxed);
        panicked += world.panicked.load(Ordering::Relaxed);
        cancelled += world.cancelled.load(Ordering::Relaxed);
    }
    if std::env::var_os("GORO_SEED").is_none() {
        assert!(made > 10_000 && panicked > 100 && cancelled > 100, "dull programs");
    }
}

/// Pitfalls 25 and 27: the runtime ends at any step of a program.
#[test]
fn every_program_may_be_ended_at_any_step() {
    for seed in seeds(1_500) {
        let world = Arc::new(World::default());
        let mut script = script(seed);
        let roots = begin(&mut script, &world, seed);
        let steps = Draw(!seed).below(400);
        for _ in 0..steps {
            script.step();
        }
        drop(script);
        assert_dropped(&world, seed);
        for root in roots {
            assert!(root.is_finished(), "seed {seed}: ended after {steps} steps");
        }
    }
}

/// Also in shards that another program has used before: what a monitor had to say about one lease's
/// worker is nothing to the next one (seed 12469).
#[test]
fn a_program_does_the_same_again() {
    for seed in seeds(100).chain([12_469]) {
        let run = || {
            let world = Arc::new(World::default());
            let mut script = script(seed);
            drop(begin(&mut script, &world, seed));
            script.run_until_stalled();
            script.log()
        };
        assert_eq!(run(), run(), "seed {seed}");
    }
}

/// The same programs on threads: two hundred of them one after another, ended as they please.
#[test]
fn programs_on_threads_leave_nothing_either() {
    for seed in seeds(200) {
        let world = Arc::new(World::default());
        let runtime = Builder::new()
            .workers(1 + (seed % 3) as usize)
            .monitor(seed % 3 != 0)
            .blocking_threads(2)
            .build()
            .unwrap();
        let mut draw = Draw(seed);
        let roots: Vec<_> = (0..1 + draw.below(6))
            .map(|_| runtime.spawn(task(world.clone(), draw.next(), 3)))
            .collect();
        if seed % 2 == 0 {
            for root in roots {
                let _ended = goro_runtime::block_on(root);
            }
        }
        drop(runtime);
        assert_dropped(&world, seed);
    }
}
