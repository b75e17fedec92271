//! Making tasks from anywhere.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use goro_context::{Cause, Kind};
use goro_task::JoinHandle;

use crate::blocking::{DEFAULT, Refused};
use crate::current;
use crate::default;
use crate::job;
use crate::refused;
use crate::shard::Shard;

/// What to do when there is no runtime here; every message about it ends with this.
pub(crate) const THREE_FIXES: &str = "either put #[goro::main] on your main function, \
     or call this inside Runtime::block_on, or enter a runtime first with Handle::enter";

/// Starts a task on the current runtime and returns a handle to its result.
///
/// The task runs whether or not the handle is kept: dropping it detaches the task. A task's kind,
/// by which it is counted and listed, is the place of this call; [`task::Builder`] gives it a name.
///
/// On a runtime that is shutting down, and on one that has as many tasks as its
/// [limit](crate::Builder::max_tasks) allows, the future is dropped at once and the handle resolves
/// to a cancellation.
///
/// With no runtime entered the task goes to the process's default one, which is started if there is none:
/// see [`Handle::try_default`](crate::Handle::try_default). Where that is refused, the future is dropped
/// and the handle resolves to a cancellation that says why. [`try_spawn`] starts nothing and returns the
/// future instead.
///
/// # Panics
/// On a thread that runs a simulation, but outside of it.
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// let sum = runtime.block_on(async {
///     let task = goro_runtime::spawn(async { 1 + 2 });
///     task.await
/// });
/// assert_eq!(sum.unwrap(), 3);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// [`task::Builder`]: crate::task::Builder
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_as(Kind::at(Location::caller()), Location::caller(), future)
}

#[inline]
pub(crate) fn spawn_as<F>(
    kind: Kind,
    site: &'static Location<'static>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match current::shard() {
        Some(shard) => shard.spawn(future, kind),
        None => spawn_on_default(kind, site, future),
    }
}

#[cold]
fn spawn_on_default<F>(
    kind: Kind,
    site: &'static Location<'static>,
    future: F,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match default::place(site) {
        Ok(place) => place.shard.spawn(future, kind),
        Err(cause) => refused::task(future, kind, cause),
    }
}

/// Like [`spawn`], but gives the future back where it cannot be a task.
///
/// # Errors
/// [`SpawnError`], holding the future, when no runtime is entered, or the one entered is shutting
/// down or at its limit of tasks.
///
/// # Example
/// ```
/// let refused = goro_runtime::try_spawn(async { 7 }).unwrap_err();
/// assert_eq!(goro_runtime::block_on(refused.into_future()), 7);
/// ```
#[track_caller]
pub fn try_spawn<F>(future: F) -> Result<JoinHandle<F::Output>, SpawnError<F>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let site = Location::caller();
    SpawnError::check(future).map(|(shard, future)| shard.spawn_admitted(future, Kind::at(site)))
}

/// A future that could not be spawned, given back.
///
/// ```
/// let refused = goro_runtime::try_spawn(async { 7 }).unwrap_err();
/// assert!(!refused.is_limit() && !refused.is_shutting_down(), "there is no runtime here");
/// assert_eq!(goro_runtime::block_on(refused.into_future()), 7);
/// ```
pub struct SpawnError<F> {
    future: F,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    NoRuntime,
    Draining,
    Closing,
    Limit,
    NoWorker,
}

impl<F> SpawnError<F> {
    /// The shard to spawn on, which has a place for the task, or why there is none.
    pub(crate) fn check(future: F) -> Result<(&'static Shard, F), Self> {
        match current::shard() {
            Some(shard) => Self::admit(shard, future).map(|future| (shard, future)),
            None => Err(Self { future, reason: Reason::NoRuntime }),
        }
    }

    /// The future, for which `shard`'s runtime has a place.
    pub(crate) fn admit(shard: &'static Shard, future: F) -> Result<F, Self> {
        let refusal = if shard.hub.gate.is_running() { None } else { shard.hub.spawn_refusal() };
        if let Some(cause) = refusal {
            let draining = cause == Cause::Draining;
            let reason = if draining { Reason::Draining } else { Reason::Closing };
            Err(Self { future, reason })
        } else if shard.hub.limit.admits() {
            Ok(future)
        } else {
            Err(Self { future, reason: Reason::Limit })
        }
    }

    /// A local task was to be made where no worker is.
    pub(crate) fn no_worker(future: F) -> Self {
        Self { future, reason: Reason::NoWorker }
    }

    /// As what a handle resolves with.
    pub(crate) fn cause(&self) -> Cause {
        match self.reason {
            Reason::Draining => Cause::Draining,
            Reason::Closing => Cause::Shutdown,
            Reason::Limit => Cause::Limit,
            Reason::NoRuntime | Reason::NoWorker => Cause::new(self.to_string()),
        }
    }

    /// The future, unpolled.
    pub fn into_future(self) -> F {
        self.future
    }

    /// Whether a runtime is entered, but shutting down; also while it [drains](crate::ShutdownHandle) and
    /// takes tasks of guarded work only.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        matches!(self.reason, Reason::Draining | Reason::Closing)
    }

    /// Whether the runtime has as many tasks as [`Builder::max_tasks`](crate::Builder::max_tasks)
    /// allows; when one of them ends there is room again.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.reason == Reason::Limit
    }
}

impl<F> fmt::Debug for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::NoRuntime => {
                write!(f, "spawning needs a runtime, and none is entered here: {THREE_FIXES}")
            }
            Reason::Closing => f.write_str("the runtime is shutting down and takes no more tasks"),
            Reason::Draining => f.write_str(
                "the runtime is draining and takes tasks of guarded work only: spawn through a guard \
                 that was taken before (Guard::spawn), or leave it",
            ),
            Reason::NoWorker => f.write_str(
                "a local task stays on its worker's thread, and no worker runs on this one: spawn \
                 it inside LocalRuntime::block_on, or inside a task, or send it to a worker with \
                 Handle::spawn_pinned",
            ),
            Reason::Limit => f.write_str(
                "the runtime has as many tasks as it may: try again when some have ended, or raise \
                 Builder::max_tasks",
            ),
        }
    }
}

impl<F> std::error::Error for SpawnError<F> {}

/// Runs a closure that blocks or computes for long on a thread of the blocking pool.
///
/// Aborting the handle cancels a closure that no thread has begun, and frees its place; one that
/// runs cannot be stopped, but can [ask](crate::blocking::is_cancelled). Where
/// [`try_spawn_blocking`] gives the closure back, this drops it, and the handle resolves to a
/// cancellation whose cause says why.
///
/// # Panics
/// As for [`spawn`].
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// let read = runtime.block_on(async {
///     goro_runtime::spawn_blocking(|| std::fs::read_to_string("Cargo.toml")).await
/// });
/// assert!(read.unwrap().is_ok());
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[track_caller]
pub fn spawn_blocking<F, T>(job: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_blocking_as(Kind::at(Location::caller()), Location::caller(), job)
}

/// Like [`spawn_blocking`], but gives the closure back where no thread will run it.
///
/// # Errors
/// [`Refused`], holding the closure, when no runtime is entered, when the pool is full (it has a
/// bound if [`Builder::blocking_pool`](crate::Builder::blocking_pool) gives it one), when the system
/// refuses the thread and there is no other, and when the runtime is shutting down.
///
/// # Example
/// ```
/// let refused = goro_runtime::try_spawn_blocking(|| 7).unwrap_err();
/// assert_eq!(refused.into_closure()(), 7);
/// ```
#[track_caller]
pub fn try_spawn_blocking<F, T>(job: F) -> Result<JoinHandle<T>, Refused<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let kind = Kind::at(Location::caller());
    match current::entered().and_then(|foreign| foreign.hub.ground()) {
        Some(ground) => job::try_start(&ground, DEFAULT.1, job, kind)
            .map_err(|(closure, refusal)| Refused::new(closure, refusal)),
        None => Err(Refused::without_runtime(job)),
    }
}

pub(crate) fn spawn_blocking_as<F, T>(
    kind: Kind,
    site: &'static Location<'static>,
    closure: F,
) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match default::ground(site) {
        Ok(ground) => job::start(&ground, DEFAULT.1, closure, kind),
        // Dropped unpolled, and so uncalled.
        Err(cause) => refused::task(async move { closure() }, kind, cause),
    }
}
