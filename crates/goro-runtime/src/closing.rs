//! What the end of a runtime cancels: whatever is parked or queued, wherever it is.
//!
//! Every worker that comes to the end cancels all that it can reach, not only its own: the future
//! whose destructor lets another worker's poll end may be in that worker's queue. When every worker
//! is inside a poll, the monitor does: the polls may wait for what stands behind them.
//!
//! Left out: waiting until nothing is live. Who cancels does so until it finds nothing, and comes
//! back.

use goro_context::Cause;
use goro_queue::Claim;
use goro_task::{Ending, Runnable};

use crate::ground::Ground;
use crate::hub::Hub;
use crate::job::Jobs;
use crate::panics;
use crate::shard::{Shard, Work};

/// The most tasks taken from a registry at once; the lock is released in between.
const ABORTS: usize = 64;

/// Hands `cancel` every task that is parked or queued; says how many there were. What is stolen
/// passes through the queue of `claim`, which is emptied, too.
pub(crate) fn cancel_all(
    hub: &'static Hub,
    claim: &Claim<'_, Work>,
    cancel: impl Fn(Work),
) -> usize {
    let mut cancelled: usize = hub.all_shards().map(|shard| cancel_parked(shard, &cancel)).sum();
    while let Some(task) = next(hub, claim) {
        cancelled += 1;
        cancel(task);
    }
    cancelled
}

/// Cancels a blocking job that nobody has begun.
pub(crate) fn cancel_job(job: Runnable<Jobs>, cause: &Cause, ground: &Ground) {
    let identity = job.identity();
    if job.cancel(cause.clone()) == Ending::Panicked {
        panics::of_job(ground, identity.current());
    }
}

/// Cancels one, and tells of its panic if its destructor does.
pub(crate) fn cancel(task: Work, ground: &Ground) {
    let identity = task.identity();
    if task.cancel(Cause::Shutdown) == Ending::Panicked {
        panics::of_task(ground, identity.current());
    }
}

fn cancel_parked(shard: &'static Shard, cancel: impl Fn(Work)) -> usize {
    let mut cancelled = 0;
    loop {
        let aborted = shard.registry.abort_some(ABORTS, &Cause::Shutdown);
        cancelled += aborted.runnables.len();
        aborted.runnables.into_iter().for_each(&cancel);
        cancelled += aborted.parcels.len();
        for parcel in aborted.parcels {
            // Its own worker drops its future.
            crate::local::schedule(shard, parcel);
        }
        if aborted.is_last {
            return cancelled;
        }
    }
}

/// A task that stands anywhere. What is stolen along with it is left in the queue of `claim`.
pub(crate) fn next(hub: &'static Hub, claim: &Claim<'_, Work>) -> Option<Work> {
    let own = claim.take_next().or_else(|| claim.pop());
    own.or_else(|| hub.injector.pop()).or_else(|| {
        let mut queues = hub.crew_shards().map(|victim| &victim.queue);
        queues.find_map(|queue| queue.steal_half(claim).or_else(|| queue.steal_next()))
    })
}
