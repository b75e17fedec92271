//! Spawning many tasks with one queue operation and one wake-up.
//!
//! Invariants:
//! 1. The caller's iterator runs before anything is counted or queued, under no lock. If it panics,
//!    none of its tasks starts: each is dropped, its future unpolled, and nothing else changes.
//! 2. All tasks of a batch are counted before the phase is looked at, as single ones are (`gate`),
//!    and as many as were not queued are cancelled, which counts them as ended.
//!
//! Left out: an order between the tasks of a batch; they stand in the queue as the iterator gave
//! them, and several workers take from there.

use core::future::Future;
use core::panic::Location;
use goro_context::{Cause, Kind};
use goro_task::{JoinHandle, Meta};

use crate::default;
use crate::handle::Handle;
use crate::shard::{Shard, Work};

/// What still goes into a worker's own ring; more goes to the injector, where all can take from it.
const INTO_RING: usize = 64;

/// The most places made ready on the word of an iterator's size hint.
const BELIEVED: usize = 4096;

/// Starts a task for each future of `futures`, with one queue operation and one wake-up for all.
///
/// The handles come in the order of the futures. If the iterator panics, none of the tasks starts.
/// Where a single [`spawn`](crate::spawn) would be refused (the runtime is shutting down, or at its
/// limit of tasks), the future is dropped and its handle resolves to a cancellation; the limit may
/// be reached in the middle of a batch.
///
/// # Panics
/// When the iterator does, and as for [`spawn`](crate::spawn).
///
/// # Example
/// ```
/// # let runtime = goro_runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let squares = goro_runtime::spawn_many((1..=100_u64).map(|n| async move { n * n }));
/// let mut sum = 0;
/// for square in squares {
///     sum += square.await.unwrap();
/// }
/// assert_eq!(sum, 338_350);
/// # });
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[track_caller]
pub fn spawn_many<I>(futures: I) -> Vec<JoinHandle<<I::Item as Future>::Output>>
where
    I: IntoIterator,
    I::Item: Future + Send + 'static,
    <I::Item as Future>::Output: Send + 'static,
{
    let site = Location::caller();
    let kind = Kind::at(site);
    match default::place(site) {
        Ok(place) => start(place.shard, futures, kind),
        Err(cause) => {
            let refuse = |future| crate::refused::task(future, kind, cause.clone());
            futures.into_iter().map(refuse).collect()
        }
    }
}

impl Handle {
    /// Starts many tasks on this runtime; see [`spawn_many`](crate::spawn_many).
    ///
    /// # Panics
    /// When the iterator does.
    #[track_caller]
    pub fn spawn_many<I>(&self, futures: I) -> Vec<JoinHandle<<I::Item as Future>::Output>>
    where
        I: IntoIterator,
        I::Item: Future + Send + 'static,
        <I::Item as Future>::Output: Send + 'static,
    {
        start(self.shard(), futures, Kind::at(Location::caller()))
    }
}

/// Tasks that nobody has counted yet.
struct Batch {
    shard: &'static Shard,
    tasks: Vec<Work>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.tasks.is_empty() {
            // The iterator has panicked. Ending counts them as ended, so they have to be counted.
            self.shard.count(self.tasks.len());
            self.tasks.clear();
        }
    }
}

fn start<I>(
    shard: &'static Shard,
    futures: I,
    kind: Kind,
) -> Vec<JoinHandle<<I::Item as Future>::Output>>
where
    I: IntoIterator,
    I::Item: Future + Send + 'static,
    <I::Item as Future>::Output: Send + 'static,
{
    // Panic: the iterator's own, here and in the loop; `Batch` says what becomes of its tasks.
    let futures = futures.into_iter();
    let expected = futures.size_hint().0.min(BELIEVED);
    let mut batch = Batch { shard, tasks: Vec::with_capacity(expected) };
    let mut handles = Vec::with_capacity(expected);
    for future in futures {
        let refusal = if shard.hub.gate.is_running() { None } else { shard.hub.spawn_refusal() };
        if let Some(cause) = refusal {
            handles.push(crate::refused::task(future, kind, cause));
        } else if shard.hub.limit.admits() {
            let (task, handle) = goro_task::spawn(future, shard, Meta::new(kind));
            batch.tasks.push(task);
            handles.push(handle);
        } else {
            handles.push(crate::refused::task(future, kind, Cause::Limit));
        }
    }
    shard.admit_all(core::mem::take(&mut batch.tasks));
    handles
}

impl Shard {
    /// Counts tasks that were made here; says whether they may be queued.
    fn count(&'static self, tasks: usize) -> bool {
        if self.is_foreign() {
            self.hub.gate.admit_all(&self.counters.spawned, tasks as u64)
        } else {
            self.counters.spawned.add(tasks as u64);
            !self.hub.is_closing()
        }
    }

    /// Counts tasks that were just made and queues them, or cancels them when the hub is closing.
    fn admit_all(&'static self, tasks: Vec<Work>) {
        let admitted = self.count(tasks.len());
        let refusal = if self.is_foreign() { self.hub.refusal() } else { None };
        if !admitted || refusal.is_some() {
            let cause = refusal.unwrap_or(Cause::Shutdown);
            for task in tasks {
                task.cancel(cause.clone());
            }
        } else if !self.is_foreign() && tasks.len() <= INTO_RING {
            for task in tasks {
                self.push(task);
            }
        } else if !tasks.is_empty() {
            self.hub.injector.push_batch(tasks);
            self.hub.announce();
        }
    }
}
