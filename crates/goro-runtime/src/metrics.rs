//! What a runtime has done, as plain numbers read at one moment.
//!
//! Counts grow for as long as the runtime runs and are exact up to what is being counted just now;
//! each is the sum of words that one thread writes, so reading costs the workers nothing.

use goro_shim::time::Duration;

pub use waits::Waits;

mod waits;

use crate::ground::Ground;
use crate::shard::Shard;

/// One worker's share of [`Metrics`].
///
/// ```
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// let metrics = runtime.metrics();
/// let worker: &goro_runtime::metrics::WorkerMetrics = &metrics.workers[0];
/// println!("{} polls, {} queued", worker.polls, worker.queued);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Polls begun.
    pub polls: u64,
    /// Times it went to sleep.
    pub parks: u64,
    /// Times it took work from another worker.
    pub steals: u64,
    /// Times its queue was full and half of it went to the shared one.
    pub overflows: u64,
    /// Times it woke another worker for what stood in its queue.
    pub wakes: u64,
    /// Time spent awake, up to the last time it went to sleep.
    pub busy: Duration,
    /// Tasks in its queue.
    pub queued: usize,
    /// The id of the task that it is polling.
    pub current_task: Option<u64>,
}

/// One blocking pool's share of [`Metrics`].
///
/// ```
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// let metrics = runtime.metrics();
/// let pool: &goro_runtime::metrics::PoolMetrics = &metrics.pools[0];
/// assert_eq!((pool.name.as_str(), pool.begun), ("blocking", 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolMetrics {
    /// What it is called.
    pub name: String,
    /// Its threads.
    pub threads: usize,
    /// Those of them that have no job.
    pub idle: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// Jobs that a thread has begun, those that were found aborted included.
    pub begun: u64,
    /// Jobs that were not taken.
    pub refused: u64,
    /// How long jobs have waited before they were begun.
    pub waits: Waits,
}

/// What a runtime has done; from [`Handle::metrics`](crate::Handle::metrics).
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// runtime.block_on(async { goro_runtime::spawn(async {}).await.unwrap() });
/// let metrics = runtime.metrics();
/// assert_eq!(metrics.tasks_spawned, 1);
/// assert_eq!(metrics.workers.len(), metrics.workers.iter().count());
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::Runtime;
///
/// let runtime = Runtime::new().unwrap();
/// let task = runtime.spawn(async { 1 });
/// assert_eq!(runtime.block_on(task).unwrap(), 1);
/// let metrics = runtime.metrics();
/// assert_eq!(metrics.tasks_spawned, 1);
/// println!(
///     "{} polls in {:?}, {} parks, {} steals",
///     metrics.polls(),
///     metrics.busy(),
///     metrics.parks(),
///     metrics.steals()
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Each worker.
    pub workers: Vec<WorkerMetrics>,
    /// Each place that has had a spare worker, whether one is there now or not.
    pub spares: Vec<WorkerMetrics>,
    /// Spare workers that are there now.
    pub spares_present: u32,
    /// Spare workers started so far.
    pub spares_started: u64,
    /// Workers inside `block_on` or `block_in_place`; one inside another counts once.
    pub blocked: u32,
    /// Tasks made.
    pub tasks_spawned: u64,
    /// Tasks that were not made because the runtime had as many as it may.
    pub tasks_refused: u64,
    /// Tasks made that have not ended.
    pub tasks_live: u64,
    /// Tasks that ended by a panic.
    pub tasks_panicked: u64,
    /// Tasks that have parked and wait to be woken.
    pub tasks_parked: usize,
    /// Tasks in the shared queue.
    pub injected: usize,
    /// Workers asleep.
    pub sleeping: u32,
    /// Each blocking pool, the one called `blocking` first.
    pub pools: Vec<PoolMetrics>,
    /// Threads of all blocking pools.
    pub blocking_threads: usize,
    /// Jobs that wait for one of them.
    pub blocking_queued: usize,
}

impl WorkerMetrics {
    fn read(shard: &Shard) -> Self {
        let counters = &shard.counters;
        Self {
            polls: counters.polls.get(),
            parks: counters.parks.get(),
            steals: counters.steals.get(),
            overflows: counters.overflows.get(),
            wakes: counters.wakes.get(),
            busy: Duration::from_nanos(counters.busy.get()),
            queued: shard.queue.len(),
            current_task: shard.published.in_hand().map(|task| task.id.get()),
        }
    }
}

impl Metrics {
    pub(crate) fn read(ground: &Ground) -> Self {
        let (hub, pools) = (ground.hub, ground.driver.pools());
        let spares = hub.spares.count();
        Self {
            workers: hub.shards().take(hub.workers() as usize).map(WorkerMetrics::read).collect(),
            spares: hub.spare_shards().map(WorkerMetrics::read).collect(),
            spares_present: spares.present,
            spares_started: spares.started,
            blocked: spares.blocks,
            tasks_spawned: hub.sum(|counters| counters.spawned.get()),
            tasks_refused: hub.limit.refused(),
            tasks_live: hub.live(),
            tasks_panicked: hub.sum(|counters| counters.panicked.get()),
            tasks_parked: hub.all_shards().map(|shard| shard.registry.len()).sum(),
            injected: hub.injector.len(),
            sleeping: hub.idle.sleeping(),
            blocking_threads: pools.iter().map(|pool| pool.threads).sum(),
            blocking_queued: pools.iter().map(|pool| pool.queued).sum(),
            pools,
        }
    }

    fn crew(&self) -> impl Iterator<Item = &WorkerMetrics> {
        self.workers.iter().chain(&self.spares)
    }

    /// Polls begun by all workers and spares.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.crew().map(|worker| worker.polls).sum()
    }

    /// Times any worker or spare went to sleep.
    #[must_use]
    pub fn parks(&self) -> u64 {
        self.crew().map(|worker| worker.parks).sum()
    }

    /// Times any worker or spare took work from another.
    #[must_use]
    pub fn steals(&self) -> u64 {
        self.crew().map(|worker| worker.steals).sum()
    }

    /// Time that all workers and spares together were awake.
    #[must_use]
    pub fn busy(&self) -> Duration {
        self.crew().map(|worker| worker.busy).sum()
    }
}
