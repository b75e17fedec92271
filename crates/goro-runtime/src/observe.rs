//! What the runtime tells the outside: `tracing` events. The only module that names `tracing`.
//!
//! Subscribers are user code: nothing here is called while a lock is held, and no panic of theirs
//! leaves here. It would end the thread that had something to tell: a worker, the monitor, a thread
//! of the blocking pool.

use core::fmt;
use core::task::Waker;
use goro_context::contain::quietly;
use goro_context::{Cause, CurrentTask, Kind};
use goro_shim::time::Duration;

use crate::shutdown::{Holdup, ShutdownReport};
use crate::stall::Stall;

fn tell(event: impl FnOnce()) {
    // Panic: the subscriber may. Its panic has reached the hook, and nobody here can use it.
    quietly(event);
}

/// A task's poll or destructor panicked; the panic is in its handle.
#[cold]
pub(crate) fn task_panicked(task: CurrentTask, runtime: &str) {
    let (site, age) = (task.kind.site(), task.id.age());
    tell(|| {
        tracing::error!(
            target: "goro::task",
            runtime,
            task.id = task.id.get(),
            task.name = task.kind.name(),
            task.age_ms = age.as_millis() as u64,
            loc.file = site.file(),
            loc.line = site.line(),
            "task panicked"
        );
    });
}

/// Wakes each; one that panics does not keep the rest from being woken.
pub(crate) fn wake_each(wakers: &mut Vec<Waker>) {
    if wakers.is_empty() {
        return;
    }
    goro_task::expect_wakes(wakers);
    for waker in wakers.drain(..) {
        // Panic: a foreign waker may; it was the user's, its task is not ours, the rest go on.
        if !quietly(|| waker.wake()) {
            tell(|| {
                tracing::error!(target: "goro::waker", "a waker panicked while being woken");
            });
        }
    }
}

/// A group's run was dropped with tasks in it, which nobody waits for.
#[cold]
pub(crate) fn group_dropped(tasks: usize, deferred: usize) {
    tell(|| {
        tracing::warn!(
            target: "goro::group",
            tasks,
            deferred,
            "a group was dropped while it ran: its tasks are asked to end and not waited for, and what \
             was deferred does not run"
        );
    });
}

/// A runtime begins to stop by itself.
#[cold]
pub(crate) fn stops_by_itself(runtime: &str, cause: &Cause) {
    tell(|| {
        tracing::error!(target: "goro::runtime", runtime, cause = %cause, "the runtime stops");
    });
}

/// A runtime ended with tasks that nothing could end; its hub is not used again.
#[cold]
pub(crate) fn hub_kept(runtime: &str, live: u64) {
    tell(
        || tracing::warn!(target: "goro::runtime", runtime, live, "runtime ended with live tasks"),
    );
}

/// The operating system refused a thread for the blocking pool; the job waits for another.
#[cold]
pub(crate) fn blocking_thread_refused(error: &std::io::Error, threads: usize) {
    tell(|| {
        tracing::warn!(
            target: "goro::blocking",
            error = %error,
            threads,
            "the operating system refused a thread for the blocking pool"
        );
    });
}

/// A closure given to `spawn_blocking` panicked; the panic is in its handle.
#[cold]
pub(crate) fn blocking_panicked(job: CurrentTask, runtime: &str) {
    let (site, age) = (job.kind.site(), job.id.age());
    tell(|| {
        tracing::error!(
            target: "goro::blocking",
            runtime,
            task.id = job.id.get(),
            task.name = job.kind.name(),
            task.age_ms = age.as_millis() as u64,
            loc.file = site.file(),
            loc.line = site.line(),
            "blocking job panicked"
        );
    });
}

/// A runtime ends without waiting for threads that read standard input.
#[cold]
pub(crate) fn readers_left(runtime: &str, threads: usize) {
    tell(|| {
        tracing::warn!(
            target: "goro::blocking",
            runtime,
            threads,
            "not waited for: blocking jobs that read standard input"
        );
    });
}

/// The number of workers has followed the CPU quota.
#[cold]
pub(crate) fn resized(runtime: &str, before: u32, workers: u32, allowance: &dyn fmt::Display) {
    tell(|| {
        tracing::info!(
            target: "goro::runtime",
            runtime,
            before,
            workers,
            allowance = %allowance,
            "the number of workers follows what the process may use"
        );
    });
}

/// It could not follow it.
#[cold]
pub(crate) fn resize_refused(runtime: &str, error: &dyn fmt::Display) {
    tell(|| {
        tracing::warn!(
            target: "goro::runtime",
            runtime,
            error = %error,
            "the number of workers does not follow what the process may use"
        );
    });
}

/// A worker that was wanted again as it went has no successor: the system refused the thread.
#[cold]
pub(crate) fn worker_refused(runtime: &str, error: &std::io::Error) {
    tell(|| {
        tracing::warn!(
            target: "goro::runtime",
            runtime,
            error = %error,
            "the operating system refused a worker's thread; the runtime is smaller"
        );
    });
}

/// No thread could be had for a job, and none was there; its handle resolves to a cancellation.
#[cold]
pub(crate) fn job_refused(kind: Kind, error: &std::io::Error) {
    tell(|| {
        tracing::error!(
            target: "goro::blocking",
            error = %error,
            task.name = kind.name(),
            "blocking job refused: no thread could be started"
        );
    });
}

/// A closure on the blocking pool panicked outside of its task.
#[cold]
pub(crate) fn job_panicked() {
    tell(|| {
        tracing::error!(target: "goro::blocking", "a blocking job panicked");
    });
}

/// The reactor's poll failed; the worker goes on without its events until the next turn.
#[cold]
pub(crate) fn turn_failed(error: &std::io::Error) {
    tell(
        || tracing::error!(target: "goro::reactor", error = %error, "polling for readiness failed"),
    );
}

/// A task has been in one poll for long, and still is.
#[cold]
pub(crate) fn stalled(stall: &Stall, runtime: &str) {
    let site = stall.site();
    tell(|| {
        tracing::warn!(
            target: "goro::stall",
            runtime,
            task.id = stall.task().get(),
            task.name = stall.name(),
            loc.file = site.file(),
            loc.line = site.line(),
            worker = stall.worker(),
            busy_ms = stall.lasted().as_millis() as u64,
            "a task has been in one poll for long; what computes or blocks for long belongs on \
             spawn_blocking"
        );
    });
}

/// No thread could be had for a spare; what waits stays where it is.
#[cold]
pub(crate) fn spare_refused(error: &std::io::Error, runtime: &str) {
    tell(|| {
        tracing::warn!(
            target: "goro::stall",
            runtime,
            error = %error,
            "the operating system refused a thread for a spare worker: tasks wait for a stuck worker"
        );
    });
}

/// Every spare there may be is stuck, too.
#[cold]
pub(crate) fn spares_exhausted(spares: u32, under_quota: bool, runtime: &str) {
    tell(|| {
        tracing::warn!(
            target: "goro::stall",
            runtime,
            spares,
            under_quota,
            "every worker and every spare is inside a long poll: tasks wait until one of these ends"
        );
    });
}

/// Too many workers are inside `block_on` for this one to have a spare.
#[cold]
pub(crate) fn block_limit(limit: u32, runtime: &str) {
    tell(|| {
        tracing::warn!(
            target: "goro::stall",
            runtime,
            limit,
            "block_on on a worker runs without a spare: as many block as may have one"
        );
    });
}

/// The default runtime was started by itself and then another one was set: tasks are on both.
#[cold]
pub(crate) fn default_replaced(runtime: &str) {
    tell(|| {
        tracing::warn!(
            target: "goro::runtime",
            runtime,
            "a default runtime had been started before this one was set: what was spawned by then stays \
             on the first; set the default before anything is spawned"
        );
    });
}

/// `GORO_WORKERS` is of no use to the default runtime, whose start has nobody to give an error to.
#[cold]
pub(crate) fn variable_ignored(error: &crate::BuildError) {
    tell(|| tracing::warn!(target: "goro::runtime", error = %error, "not obeyed"));
}

/// A runtime, or a group, begins to end.
#[cold]
pub(crate) fn draining(runtime: &str, reason: &Cause) {
    tell(|| {
        tracing::info!(target: "goro::shutdown", runtime, reason = %reason, "draining");
    });
}

/// At the rate so far the drain will not be done in time.
#[cold]
pub(crate) fn drain_falls_short(runtime: &str, left: u64, needed: Duration, remaining: Duration) {
    tell(|| {
        tracing::warn!(
            target: "goro::shutdown",
            runtime,
            left,
            needed_ms = u64::try_from(needed.as_millis()).unwrap_or(u64::MAX),
            remaining_ms = remaining.as_millis() as u64,
            "the drain will not be done in time at this rate: what is left then is cut short"
        );
    });
}

/// The drain is over, and everybody is asked to end.
#[cold]
pub(crate) fn terminating(runtime: &str, reason: &Cause, drain: Duration, held: &[Holdup]) {
    let drain_ms = drain.as_millis() as u64;
    tell(|| match held.first() {
        None => tracing::info!(
            target: "goro::shutdown", runtime, reason = %reason, drain_ms, "drained; terminating"
        ),
        Some(first) => tracing::warn!(
            target: "goro::shutdown",
            runtime,
            reason = %reason,
            drain_ms,
            guards = held.len(),
            longest = %first,
            "the drain was cut short; terminating"
        ),
    });
}

/// It has ended.
#[cold]
pub(crate) fn stopped(runtime: &str, report: &ShutdownReport) {
    tell(|| {
        if report.abandoned > 0 {
            tracing::warn!(target: "goro::shutdown", runtime, report = %report, "stopped");
        } else {
            tracing::info!(target: "goro::shutdown", runtime, report = %report, "stopped");
        }
    });
}
