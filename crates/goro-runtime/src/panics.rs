//! What a panic in a task leads to: [`PanicPolicy`].
//!
//! ```text
//!  a poll, a destructor or a blocking job panics ──▶ that is the task's outcome
//!        │ in a group: the group hears of it, and leaves its own policy here
//!        ▼
//!  whoever ran it ──▶ `of_task`, `of_job`: a record, unless it is to be ignored; the runtime's end, if that is
//!                     what it leads to
//! ```
//!
//! Invariants:
//! 1. A task that a panic ends is told of once, by whoever ran it, whether or not anybody joins it.
//! 2. A policy that was left counts for the task that it was left for, and for no other.
//! 3. A task that does not panic comes by nothing of this.
//!
//! Left out: what the panic said. The process's panic hook has said it, with the place; the payload is the
//! joiner's.

use core::cell::Cell;

use goro_context::{Cause, CurrentTask, TaskId, task};
use goro_shim::thread::thread_local;

use crate::ground::Ground;
use crate::{current, observe};

/// What a panic in a task leads to, besides being what whoever joins the task gets.
///
/// A record is one `tracing` event of the level error, with the runtime's name and the task's id, name (its
/// kind), spawn site and age. It needs nobody who joins the task, or looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// Nothing. It is counted all the same, in [`Metrics`](crate::metrics::Metrics).
    Ignore,
    /// A record.
    #[default]
    Log,
    /// A record, and the task's [group](crate::task::TaskGroup) is cancelled, whatever its policy is. (A
    /// group that fails fast is in any case.) Where there is no group, as [`Log`](Self::Log).
    CancelGroup,
    /// A record, and the runtime begins to stop, in the background: what is spawned from then on is refused, and
    /// all tasks are cancelled; in good order if somebody has its [`ShutdownHandle`](crate::ShutdownHandle),
    /// else at once. Whoever is inside the runtime's `block_on` goes on.
    Shutdown,
}

thread_local! {
    /// The policy of the group whose task has panicked here last.
    static LEFT: Cell<Option<(TaskId, PanicPolicy)>> = const { Cell::new(None) };
}

/// Has `policy` count for the task that is being polled or dropped here, which has panicked.
#[cold]
pub(crate) fn leave(policy: PanicPolicy) {
    if let Some(task) = task::current() {
        LEFT.with(|left| left.set(Some((task.id, policy))));
    }
}

/// The policy of the runtime that this thread is in.
pub(crate) fn here() -> PanicPolicy {
    let ground = current::entered().and_then(|foreign| foreign.hub.ground());
    ground.map(|ground| ground.panics).unwrap_or_default()
}

/// `task`, which was run or dropped here, has panicked.
#[cold]
pub(crate) fn of_task(ground: &Ground, task: CurrentTask) {
    tell(ground, task, observe::task_panicked);
}

/// `job`, which was run here, on the blocking pool, has panicked.
#[cold]
pub(crate) fn of_job(ground: &Ground, job: CurrentTask) {
    tell(ground, job, observe::blocking_panicked);
}

fn tell(ground: &Ground, task: CurrentTask, record: fn(CurrentTask, &str)) {
    let left = LEFT.with(Cell::take).filter(|(id, _)| *id == task.id);
    let policy = left.map_or(ground.panics, |(_, policy)| policy);
    if policy == PanicPolicy::Ignore {
        return;
    }
    record(task, &ground.name);
    if policy == PanicPolicy::Shutdown {
        let (id, name) = (task.id, task.kind.name());
        ground.stop_because(&Cause::new(format!("task {id} ({name}) panicked")));
    }
}
