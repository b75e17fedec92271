//! A closure on its way to a thread of a blocking pool.
//!
//! A job that somebody has a handle of is a task that is done at its second poll. The first, where
//! it is spawned, parks it: it then waits as any task does, listed and reached by aborts, and what
//! waits at the pool is its waker. A thread of the pool wakes it, gets the runnable for that, and
//! runs it; an abort gets the runnable first.
//!
//! ```text
//!  spawned ──parks──▶ waits at the pool ──woken by a pool thread──▶ runs there ──▶ done
//!                           │
//!                           └──aborted──▶ dropped by a worker, and its place is free
//! ```
//!
//! Invariants:
//! 1. A job is run or cancelled, and its handle learns which; dropped unrun it counts as cancelled.
//! 2. Its place at the pool is given up when its closure is called or dropped, whichever comes.
//! 3. An abort runs no destructor of the closure's: who aborts may hold anything. A worker does.
//! 4. The thread-locals here have no destructor: jobs may be spawned while a thread ends.

use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use goro_context::contain::quietly;
use goro_context::{Cause, CurrentTask, Kind, Op, budget, note};
use goro_shim::Arc;
use goro_shim::thread::thread_local;
use goro_task::{
    AbortHandle, Ending, Home, Homes, JoinHandle, Meta, Parcel, Ran, Registry, Runnable,
};

use crate::counters::Counters;
use crate::current;
use crate::driver::{Refusal, Ticket};
use crate::ground::Ground;
use crate::hub::Hub;
use crate::{observe, panics};

/// A closure on its way to the blocking pool; see the module.
pub struct Job(Body);

enum Body {
    /// One that somebody has a handle of.
    Task {
        waker: Waker,
        abort: AbortHandle,
        /// Held while it waits and runs, so that the hub is not handed on meanwhile.
        ground: Arc<Ground>,
    },
    /// One that nobody has.
    Plain(goro_context::host::Job, Arc<Ground>),
}

impl Job {
    /// A closure that nobody has a handle of.
    pub(crate) fn plain(job: goro_context::host::Job, ground: Arc<Ground>) -> Self {
        Self(Body::Plain(job, ground))
    }

    /// The closure as somebody's handle knows it, if there is one.
    #[must_use]
    pub fn task(&self) -> Option<CurrentTask> {
        match &self.0 {
            Body::Task { abort, .. } => Some(CurrentTask { id: abort.id(), kind: abort.kind() }),
            Body::Plain(..) => None,
        }
    }

    /// Runs the closure on this thread, unless it was aborted while it waited.
    pub fn run(self) {
        match self.0 {
            Body::Task { waker, abort, ground } => {
                let Some(task) = collect(waker) else { return };
                let job = task.identity().current();
                let _inside = current::enter(ground.hub.foreign());
                let _running = Running::begin(Some(abort), ground.hub);
                if let Ran::Finished(Ending::Panicked) = task.run(ground.hub.jobs()) {
                    panics::of_job(&ground, job);
                }
            }
            Body::Plain(job, ground) => {
                let _inside = current::enter(ground.hub.foreign());
                let _running = Running::begin(None, ground.hub);
                // Panic: nobody has its handle, so nobody but the log can be told.
                if !quietly(job) {
                    observe::job_panicked();
                }
            }
        }
    }

    /// Drops the closure; its handle resolves to a cancellation for `cause`.
    pub fn cancel(self, cause: Cause) {
        match self.0 {
            Body::Task { waker, .. } => {
                if let Some(task) = collect(waker) {
                    let _ending = task.cancel(cause);
                }
            }
            // Panic: dropping what the closure has captured may.
            Body::Plain(job, _) => {
                quietly(|| drop(job));
            }
        }
    }

    /// The closure back, if nobody has a handle of it.
    pub(crate) fn into_plain(self) -> Option<goro_context::host::Job> {
        match self.0 {
            Body::Plain(job, _) => Some(job),
            Body::Task { .. } => None,
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Body::Task { abort, .. } => f.debug_tuple("Job").field(abort).finish(),
            Body::Plain(..) => f.debug_struct("Job").finish_non_exhaustive(),
        }
    }
}

/// A closure as a future that parks at its first poll and is done at its second.
struct Blocking<F> {
    closure: Option<F>,
    place: Held,
}

// The closure is moved out to be called, never pinned.
impl<F> Unpin for Blocking<F> {}

impl<F: FnOnce() -> T, T> Future for Blocking<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.place.stage {
            Stage::New => {
                self.place.stage = Stage::Waits;
                LEFT.with(|left| left.set(Some(cx.waker().clone())));
                note::leave(Op::Blocking, 0);
                Poll::Pending
            }
            Stage::Waits => {
                self.place.stage = Stage::Begun;
                let closure = self.closure.take().expect("a job that waits has its closure");
                Poll::Ready(budget::with(budget::LIMIT, closure))
            }
            Stage::Begun => unreachable!("a blocking job was polled after it was done"),
        }
    }
}

/// A job's place at its pool.
struct Held {
    ground: Arc<Ground>,
    ticket: Ticket,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Waits,
    Begun,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.stage == Stage::Waits {
            self.ground.driver.withdraw(self.ticket);
        }
    }
}

/// What a wake on this thread is to do with the job that it makes runnable.
#[derive(Default)]
enum Woken {
    /// It is an abort's: see that the job is dropped.
    #[default]
    Aborted,
    /// The pool's: leave it here.
    Wanted,
    Here(Runnable<Jobs>),
}

thread_local! {
    /// The waker of the job that was just spawned here.
    static LEFT: ManuallyDrop<Cell<Option<Waker>>> = const { ManuallyDrop::new(Cell::new(None)) };
    static WOKEN: ManuallyDrop<Cell<Woken>> = const { ManuallyDrop::new(Cell::new(Woken::Aborted)) };
    static RUNNING: ManuallyDrop<Cell<Option<Running>>> = const { ManuallyDrop::new(Cell::new(None)) };
}

/// Wakes a job that waits, and takes the runnable; `None` when it was aborted.
fn collect(waker: Waker) -> Option<Runnable<Jobs>> {
    let before = WOKEN.with(|woken| woken.replace(Woken::Wanted));
    // One of this crate's tasks: its wake goes to `Jobs::schedule`, or nowhere.
    waker.wake();
    match WOKEN.with(|woken| woken.replace(before)) {
        Woken::Here(task) => Some(task),
        Woken::Wanted | Woken::Aborted => None,
    }
}

/// The home of a hub's blocking jobs.
pub(crate) struct Jobs {
    number: u32,
    registry: Registry<Self>,
    hub: &'static Hub,
    pub(crate) counters: Counters,
}

impl Jobs {
    /// Makes the home of this hub's jobs, for ever.
    pub(crate) fn leak(hub: &'static Hub) -> &'static Self {
        ALL_JOBS.leak(|number| {
            let (registry, counters) = (Registry::new(), Counters::default());
            Self { number, registry, hub, counters }
        })
    }

    /// Those that have begun, and those that wait.
    pub(crate) fn listed(&self) -> &Registry<Self> {
        &self.registry
    }

    /// Gives the memory of a burst back.
    pub(crate) fn trim(&self) {
        self.registry.trim();
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").field("waiting", &self.registry.len()).finish_non_exhaustive()
    }
}

static ALL_JOBS: Homes<Jobs> = Homes::new();

impl Home for Jobs {
    // The wake of a job that waits says that it was aborted.
    const FOLLOWS: bool = false;

    fn number(&'static self) -> u32 {
        self.number
    }

    fn numbered(number: u32) -> &'static Self {
        ALL_JOBS.get(number)
    }

    fn registry(&'static self) -> &'static Registry<Self> {
        &self.registry
    }

    fn schedule(&'static self, task: Runnable<Self>) {
        match WOKEN.with(|woken| woken.replace(Woken::Aborted)) {
            Woken::Wanted => WOKEN.with(|woken| woken.set(Woken::Here(task))),
            other => {
                WOKEN.with(|woken| woken.set(other));
                let kind = task.kind();
                // Also while the hub drains: what ends is no new work.
                if self.hub.is_closing() || !self.hub.limit.admits() {
                    return drop(task);
                }
                drop(self.hub.foreign().spawn_admitted(async move { drop(task) }, kind));
            }
        }
    }

    fn ended(&'static self, ending: Ending) {
        if ending != Ending::Done {
            self.counters.unfinished(ending).add_shared(1);
        }
        self.counters.finished.add_shared(1);
    }

    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        // No local job is ever made.
        drop(parcel);
    }
}

/// The job that this thread runs.
struct Running {
    abort: Option<AbortHandle>,
    hub: &'static Hub,
}

/// Puts back what ran before: a script runs jobs inside of jobs.
struct Before(Option<Running>);

impl Running {
    fn begin(abort: Option<AbortHandle>, hub: &'static Hub) -> Before {
        Before(RUNNING.with(|running| running.replace(Some(Self { abort, hub }))))
    }

    fn is_cancelled(&self) -> bool {
        self.hub.gate.is_ending() || self.abort.as_ref().is_some_and(AbortHandle::is_asked)
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        let before = self.0.take();
        // The handle that goes here may be the last reference to its task; nothing of the user's
        // is left in it.
        drop(RUNNING.with(|running| running.replace(before)));
    }
}

/// Whether the blocking job that this thread runs should stop: its handle was aborted, the task that
/// spawned it is cancelled, or the runtime is shutting down. For jobs that take long, to ask now and
/// then; nothing else can stop them.
///
/// Outside of blocking jobs: whether the current task has been asked to stop.
///
/// # Example
/// ```
/// # let runtime = goro_runtime::Runtime::new()?;
/// let job = runtime.spawn_blocking(|| {
///     let mut rounds = 0_u64;
///     while !goro_runtime::blocking::is_cancelled() {
///         rounds += 1;
///     }
///     rounds
/// });
/// job.abort();
/// // It has stopped; whether it had begun by then decides what the handle says.
/// assert!(runtime.block_on(job).map_or(true, |rounds| rounds < u64::MAX));
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[must_use]
pub fn is_cancelled() -> bool {
    let running = RUNNING.with(|running| {
        let job = running.take();
        let cancelled = job.as_ref().is_some_and(Running::is_cancelled);
        running.set(job);
        cancelled
    });
    running || goro_context::cancel::cause().is_some()
}

/// Queues a closure on a blocking pool of `ground`; refused, it is dropped.
pub(crate) fn start<F, T>(ground: &Arc<Ground>, pool: usize, job: F, kind: Kind) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    try_start(ground, pool, job, kind).unwrap_or_else(|(closure, refusal)| {
        if let Refusal::NoThread(error) = &refusal {
            observe::job_refused(kind, error);
        }
        let never = async move { closure() };
        crate::refused::task(never, kind, refusal.into_cause())
    })
}

/// Queues a closure on a blocking pool of `ground`, or gives it back.
pub(crate) fn try_start<F, T>(
    ground: &Arc<Ground>,
    pool: usize,
    closure: F,
    kind: Kind,
) -> Result<JoinHandle<T>, (F, Refusal)>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if let Some(cause) = ground.hub.refusal().or_else(|| ground.hub.spawn_refusal()) {
        return Err((closure, Refusal::Closed(cause)));
    }
    let ticket = match ground.driver.reserve(pool) {
        Ok(ticket) => ticket,
        Err(refusal) => return Err((closure, refusal)),
    };
    let place = Held { ground: Arc::clone(ground), ticket, stage: Stage::New };
    let future = Blocking { closure: Some(closure), place };
    let jobs = ground.hub.jobs();
    jobs.counters.spawned.add_shared(1);
    let (task, handle) = goro_task::spawn(future, jobs, Meta::new(kind));
    let ran = task.run(jobs);
    debug_assert!(matches!(ran, Ran::Parked), "nobody else has the handle");
    let waker = LEFT.with(|left| left.take()).expect("the first poll leaves its waker");
    let abort = handle.abort_handle();
    let job = Job(Body::Task { waker, abort, ground: Arc::clone(ground) });
    if let Err(refused) = ground.driver.job(ticket, job) {
        // The runtime has begun to end meanwhile, or the thread that was counted on was refused.
        refused.job.cancel(refused.refusal.into_cause());
    }
    Ok(handle)
}
