//! What ends: a runtime. (A group of tasks, too: `group::ending`.)

use goro_context::Cause;
use goro_shim::global::Weak;
use goro_shim::time::Duration;
use goro_task::{Activity, TaskView};

use super::report::{Held, Holdup};
use crate::closing;
use crate::counters::Counters;
use crate::ground::Ground;
use crate::hub::Hub;

/// How many tasks there have been, and how they have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) made: u64,
    pub(crate) ended: u64,
    /// Of those, the ones whose futures were dropped before they were done.
    pub(crate) cancelled: u64,
    /// Of those who are live, the blocking jobs that have begun: nothing can end them.
    pub(crate) jobs: u64,
}

impl Census {
    pub(crate) fn live(self) -> u64 {
        self.made.saturating_sub(self.ended)
    }

    /// What has happened since `before`: drained, aborted.
    pub(crate) fn since(self, before: Self) -> (u64, u64) {
        let aborted = self.cancelled.saturating_sub(before.cancelled);
        let ended = self.ended.saturating_sub(before.ended);
        (ended.saturating_sub(aborted), aborted)
    }
}

/// What an end is of.
pub(crate) trait Subject: Send + Sync + 'static {
    /// The phase has become Draining: new work is refused, but for guarded work.
    fn drain(&self);

    /// It has become Terminating: all new work is.
    fn terminate(&self);

    /// Asks everybody to end who has not been asked yet. Called again and again.
    fn ask(&self, cause: &Cause);

    /// Drops whoever is left, as far as nobody holds them. Called once.
    fn abort(&self, cause: &Cause);

    /// How many there are and have been. Those who are live are never underestimated.
    fn census(&self) -> Census;

    /// Some of those who are live.
    fn some(&self, most: usize, waited: Duration) -> Vec<Holdup>;
}

/// A runtime as what ends.
pub(crate) struct WholeRuntime(pub(crate) Weak<Ground>);

/// Tasks that are asked at once; their handles stand in memory meanwhile.
const ASKED: usize = 256;

impl WholeRuntime {
    fn hub(&self) -> Option<&'static Hub> {
        // The ground is there, or the hub may be another's by now.
        self.0.upgrade().map(|ground| ground.hub)
    }
}

impl Subject for WholeRuntime {
    fn drain(&self) {
        if let Some(hub) = self.hub() {
            hub.gate.drain();
        }
    }

    fn terminate(&self) {
        if let Some(hub) = self.hub() {
            hub.gate.terminate();
        }
    }

    fn ask(&self, cause: &Cause) {
        let Some(ground) = self.0.upgrade() else { return };
        for shard in ground.hub.all_shards() {
            let mut cursor = 0;
            loop {
                let handles = shard.registry.unasked(&mut cursor, ASKED);
                if handles.is_empty() {
                    break;
                }
                handles.iter().for_each(|handle| handle.ask(cause.clone()));
            }
        }
    }

    fn abort(&self, cause: &Cause) {
        let Some(ground) = self.0.upgrade() else { return };
        ground.close();
        // Jobs that no thread has begun. Those that run are told by `blocking::is_cancelled`.
        loop {
            let waiting = ground.hub.jobs().listed().abort_some(ASKED, cause);
            for job in waiting.runnables {
                closing::cancel_job(job, cause, &ground);
            }
            if waiting.is_last {
                break;
            }
        }
    }

    fn census(&self) -> Census {
        let Some(hub) = self.hub() else { return Census::default() };
        let jobs = &hub.jobs().counters;
        let all = || hub.all_shards().map(|shard| &*shard.counters).chain([jobs]);
        let sum = |of: fn(&Counters) -> u64| all().map(of).fold(0, u64::wrapping_add);
        // As in `counters::live`: what has ended before what was made.
        let ended = sum(|counters| counters.finished.get());
        let cancelled = sum(|counters| counters.cancelled.get());
        let made = sum(|counters| counters.spawned.get());
        let jobs = jobs.spawned.get().saturating_sub(jobs.finished.get());
        Census { made, ended, cancelled, jobs }
    }

    fn some(&self, most: usize, waited: Duration) -> Vec<Holdup> {
        let Some(hub) = self.hub() else { return Vec::new() };
        let held = |what, id, kind| Holdup::task(what, id, kind, waited);
        let polled = hub.crew_shards().filter_map(|shard| shard.published.in_hand());
        let mut some: Vec<_> =
            polled.map(|task| held(Held::Poll, task.id, task.kind)).take(most).collect();
        // Those that wait have parked.
        let begun = |job: &TaskView| !matches!(job.activity, Activity::Parked | Activity::Stuck);
        let jobs = hub.jobs().listed().some(most).into_iter().filter(begun);
        some.extend(jobs.map(|job| held(Held::Job, job.id, job.kind)));
        for shard in hub.all_shards() {
            let more = shard.registry.some(most);
            for task in more {
                if !some.iter().any(|other| other.task == Some(task.id)) {
                    some.push(held(Held::Task, task.id, task.kind));
                }
            }
        }
        some.truncate(most);
        some
    }
}
