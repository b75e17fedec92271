//! Everything that changes the crew at once: workers that come and go on request, spares that stand in
//! for polls that take long and for blocks that were declared, and threads that are refused.
//!
//! Programs are drawn from a seed, and run on a script drawn from the same. Whoever goes first, no task
//! is lost, a ready one is run in time while spares can be had, and in the end the crew is what was
//! asked for last. `GORO_SEED` runs one seed, `GORO_SEEDS` so many.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::driver::scripted::{Event, Mover, Script, Scripted, Seeded};
use goro_runtime::task::{JoinHandle, block_in_place, yield_now};
use goro_runtime::time::{Duration, Instant, now, sleep};
use goro_runtime::{Builder, Handle, ResizeError, block_on, spawn};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[path = "support/draw.rs"]
mod draw;
use draw::{Draw, seeds};

const PERIOD: Duration = Duration::from_millis(1);

/// The largest size that is asked for.
const MOST: u64 = 6;

/// How many generations of tasks a root has, at most.
const DEPTH: u64 = 3;

/// A script that refuses every so-many-th thread, once it is told to.
#[derive(Debug)]
struct Refusing {
    drawn: Seeded,
    one_in: u32,
    begun: AtomicBool,
    refused: AtomicUsize,
}

impl Script for Refusing {
    fn seed(&self) -> u64 {
        self.drawn.seed()
    }
    fn below(&self, bound: u32) -> u32 {
        self.drawn.below(bound)
    }
    fn choose(&self, movers: &[Mover]) -> usize {
        self.drawn.choose(movers)
    }
    fn refuses_thread(&self, _: &str) -> Option<std::io::Error> {
        let refuses = self.one_in > 0
            && self.begun.load(Ordering::Relaxed)
            && self.drawn.below(self.one_in) == 0;
        refuses.then(|| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            std::io::Error::other("refused")
        })
    }
}

/// What the tasks of a program share and count.
#[derive(Default)]
struct World {
    made: AtomicUsize,
    dropped: AtomicUsize,
    blocks: AtomicUsize,
    /// Those after which not as many counted as blocked as before.
    uneven: AtomicUsize,
    changes: AtomicUsize,
    /// Resizes for which there were not enough threads.
    too_few: AtomicUsize,
    /// The size that was come to last.
    size: AtomicUsize,
    /// The longest that a task which anybody may run has waited for its first poll, in nanoseconds.
    late: AtomicU64,
    /// Every block can have a spare, and stalls are seen to.
    helped: bool,
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
    }
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task that runs some steps, and notes how long it has waited until it was begun.
fn task(world: &Arc<World>, seed: u64, depth: u64) -> Body {
    let (world, alive, made) = (world.clone(), Alive::new(world), now());
    Box::pin(async move {
        let _alive = alive;
        let waited = u64::try_from((now() - made).as_nanos()).unwrap();
        world.late.fetch_max(waited, Ordering::Relaxed);
        run(&world, seed, depth).await;
    })
}

async fn run(world: &Arc<World>, seed: u64, depth: u64) {
    let (mut draw, here) = (Draw(seed), Handle::current());
    for _ in 0..draw.below(7) {
        let long = Duration::from_micros(draw.below(20_000));
        let short = Duration::from_micros(draw.below(3_000));
        match draw.below(16) {
            0 | 1 => yield_now().await,
            2 | 3 => sleep(short).await,
            4..=6 => here.busy(long),
            7 => blocks(world, || block_on(sleep(short))),
            8 => blocks(world, || block_in_place(|| here.busy(long))),
            9 if depth > 0 => block_until(world, task(world, draw.next(), depth - 1)),
            10 if depth > 0 => {
                let inner = task(world, draw.next(), depth - 1);
                blocks(world, || block_on(async { block_until(world, inner) }));
            }
            11 => {
                let unwinds = || block_in_place(|| resume_unwind(Box::new("out of the block")));
                let unwound = catch_unwind(AssertUnwindSafe(|| blocks(world, unwinds)));
                assert!(unwound.is_err());
            }
            12 | 13 => change_size(world, &here, 1 + draw.below(MOST) as usize),
            14 if depth > 0 => spawn(task(world, draw.next(), depth - 1)).await.unwrap(),
            15 if depth > 0 => drop(spawn(task(world, draw.next(), depth - 1))),
            // Not in what a block may wait for: its worker may be further down a script's stack.
            _ if depth == DEPTH => pinned(world, &here, draw.below(MOST) as usize, short).await,
            _ => {}
        }
    }
}

/// A block, however it ends: afterwards as many count as blocked as before. (What others have begun
/// meanwhile stands above it on the script's stack, and has ended too.)
fn blocks(world: &World, block: impl FnOnce()) {
    struct Even<'a>(&'a World, u32);
    impl Drop for Even<'_> {
        fn drop(&mut self) {
            if Handle::current().metrics().blocked != self.1 {
                self.0.uneven.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    world.blocks.fetch_add(1, Ordering::Relaxed);
    let _even = Even(world, Handle::current().metrics().blocked);
    block();
}

/// Blocks until the task that is spawned with `future` has ended: somebody always comes to run it.
fn block_until(world: &World, future: Body) {
    blocks(world, || {
        let other = spawn(future);
        block_on(other).unwrap();
    });
}

fn change_size(world: &World, runtime: &Handle, size: usize) {
    world.changes.fetch_add(1, Ordering::Relaxed);
    let size = match runtime.set_workers(size) {
        Ok(()) => size,
        Err(ResizeError::Thread { workers, .. }) => {
            world.too_few.fetch_add(1, Ordering::Relaxed);
            assert!((1..size).contains(&workers), "{workers} of {size}");
            workers
        }
        Err(ResizeError::Stopped(_)) => return,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(runtime.workers(), size);
    world.size.store(size, Ordering::Relaxed);
}

/// Something that stays on a worker which is there, or has just been told to go.
async fn pinned(world: &Arc<World>, runtime: &Handle, worker: usize, nap: Duration) {
    let alive = Alive::new(world);
    let pinned = runtime.spawn_pinned(worker, move || async move {
        let _alive = std::rc::Rc::new(alive);
        let thread = std::thread::current().id();
        sleep(nap).await;
        assert_eq!(thread, std::thread::current().id());
    });
    if let Err(error) = pinned.await {
        assert!(!error.is_panic(), "{error}");
    }
}

/// A runtime and its world, both drawn.
struct Play {
    script: Scripted,
    world: Arc<World>,
    roots: Vec<JoinHandle<()>>,
    refusing: Arc<Refusing>,
    seed: u64,
}

impl Play {
    /// Begins a program, with steps between its roots.
    fn begin(seed: u64) -> Self {
        let mut draw = Draw(seed);
        let workers = 1 + draw.below(4) as usize;
        let (monitor, one_in) = (draw.below(6) != 0, [0, 0, 0, 2, 5][draw.below(5) as usize]);
        let (stalls, blocks) = [(64, 512), (64, 512), (2, 1), (0, 0)][draw.below(4) as usize];
        let keep = Duration::from_millis([1, 7, 100][draw.below(3) as usize]);
        let refusing = Arc::new(Refusing {
            drawn: Seeded::new(seed),
            one_in,
            begun: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
        });
        let builder = Builder::new().workers(workers).monitor(monitor).spare_keep_alive(keep);
        let builder = builder.stall_spares(stalls).block_spares(blocks);
        let mut script = builder.build_on_script(refusing.clone()).unwrap();
        refusing.begun.store(true, Ordering::Relaxed);
        let helped = monitor && one_in == 0 && stalls > 8;
        let world = World { size: AtomicUsize::new(workers), helped, ..World::default() };
        let world = Arc::new(world);
        let handle = script.handle();
        let roots = (0..1 + draw.below(8)).map(|_| {
            let inside = handle.enter();
            let root = spawn(task(&world, draw.next(), DEPTH));
            drop(inside);
            for _ in 0..draw.below(30) {
                script.step();
            }
            root
        });
        let roots = roots.collect();
        Self { script, world, roots, refusing, seed }
    }

    fn assert_dropped(&self) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        let (world, seed) = (&self.world, self.seed);
        assert_eq!(count(&world.made), count(&world.dropped), "seed {seed}: futures");
    }

    /// All is quiet: the crew is what was asked for last, and nobody waits.
    fn assert_at_rest(&self) {
        let (seed, metrics) = (self.seed, self.script.handle().metrics());
        for root in &self.roots {
            assert!(self.script.is_done(root), "seed {seed}: a root waits for ever");
        }
        let left = (metrics.tasks_live, metrics.tasks_parked, metrics.injected);
        assert_eq!(left, (0, 0, 0), "seed {seed}: tasks left");
        assert_eq!((metrics.spares_present, metrics.blocked), (0, 0), "seed {seed}: spares");
        let size = self.script.handle().workers();
        assert_eq!(size, self.world.size.load(Ordering::Relaxed), "seed {seed}: size");
        assert_eq!(metrics.sleeping as usize, size, "seed {seed}: who is awake, or too many?");
        assert_eq!(metrics.tasks_panicked, 0, "seed {seed}");
        assert_eq!(self.world.uneven.load(Ordering::Relaxed), 0, "seed {seed}: blocks");
        self.assert_dropped();
    }

    /// While spares can be had, each poll that takes long, and each change of size, delays a ready task
    /// by two looks of the monitor at most, and a script lets time pass before it lets anybody move.
    fn assert_in_time(&self) {
        if self.world.helped {
            let late = Duration::from_nanos(self.world.late.load(Ordering::Relaxed));
            let events = self.world.made.load(Ordering::Relaxed)
                + self.world.changes.load(Ordering::Relaxed);
            let bound = 4 * PERIOD * (events as u32 + 1);
            assert!(late <= bound, "seed {}: {late:?} > {bound:?}", self.seed);
        }
    }
}

#[test]
fn whoever_comes_and_goes_nothing_is_lost() {
    let (mut started, mut changes, mut blocks, mut refused, mut too_few) = (0, 0, 0, 0, 0);
    for seed in seeds(250) {
        let mut play = Play::begin(seed);
        play.script.run_until_stalled();
        play.assert_at_rest();
        play.assert_in_time();
        started += play.script.handle().metrics().spares_started;
        changes += play.world.changes.load(Ordering::Relaxed);
        blocks += play.world.blocks.load(Ordering::Relaxed);
        refused += play.refusing.refused.load(Ordering::Relaxed);
        too_few += play.world.too_few.load(Ordering::Relaxed);
    }
    if std::env::var_os("GORO_SEED").is_none() {
        assert!(started > 500 && changes > 500 && blocks > 500, "dull programs");
        assert!(refused > 100 && too_few > 50, "all threads were to be had");
    }
}

#[test]
fn whoever_comes_and_goes_the_runtime_may_end() {
    for seed in seeds(250) {
        let mut play = Play::begin(seed);
        for _ in 0..Draw(!seed).below(600) {
            play.script.step();
        }
        let handle = play.script.handle();
        let Play { script, world, roots, .. } = play;
        drop(script);
        for root in roots {
            assert!(root.is_finished(), "seed {seed}: a handle is left");
        }
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert_eq!(count(&world.made), count(&world.dropped), "seed {seed}: futures");
        let metrics = handle.metrics();
        assert_eq!((metrics.spares_present, metrics.blocked), (0, 0), "seed {seed}");
    }
}

#[test]
fn whoever_comes_and_goes_it_does_the_same_again() {
    let run = |seed| -> (Vec<Event>, Instant) {
        let mut play = Play::begin(seed);
        play.script.run_until_stalled();
        (play.script.log(), play.script.now())
    };
    for seed in seeds(30) {
        assert!(run(seed) == run(seed), "seed {seed}");
    }
}
