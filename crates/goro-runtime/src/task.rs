//! Tasks: naming them, yielding, and what comes back from them.

use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use goro_context::{Kind, Op, note};
use goro_sync::select::CancelSafe;

pub use goro_context::Cause;
pub use goro_context::TaskId as Id;
pub use goro_task::{AbortHandle, AbortOnDrop, Cancelling, JoinError, JoinHandle};

pub use crate::group::{ChildError, Group, GroupError, Policy, TaskGroup};
pub use crate::join_set::JoinSet;
pub use crate::panics::PanicPolicy;
pub use crate::scope::{LocalChild, LocalScope, Scope, ScopedChild, local_scope, scope_blocking};
pub use crate::wait_group::{Member, WaitGroup};

use crate::spawn::SpawnError;

/// Spawns a task that is known by a name instead of by its spawn site.
///
/// A name stands for a *kind* of task: everything with that name is counted together. There is
/// room for some thousands of kinds in a process, so a name is no place for a connection's number.
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// runtime.block_on(async {
///     let task = goro_runtime::task::Builder::new().name("billing").spawn(async { 5 });
///     assert_eq!(task.kind().name(), "billing");
///     assert_eq!(task.await.unwrap(), 5);
/// });
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::{Runtime, task};
///
/// let refused = task::Builder::new().try_spawn(async { 1 }).unwrap_err();
/// assert_eq!(goro_runtime::block_on(refused.into_future()), 1);
/// let runtime = Runtime::new().unwrap();
/// let _inside = runtime.enter();
/// let job = task::Builder::new().name("job").spawn_blocking(|| task::try_id().is_none());
/// println!("{}", goro_runtime::block_on(job).unwrap());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a builder does nothing until spawn is called"]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A task with no name yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task's kind.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    fn kind(self, site: &'static Location<'static>) -> Kind {
        self.name.map_or_else(|| Kind::at(site), |name| Kind::named(name, site))
    }

    /// Spawns the task on the current runtime, like [`spawn`](crate::spawn).
    ///
    /// # Panics
    /// As for [`spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> goro_task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let site = Location::caller();
        crate::spawn::spawn_as(self.kind(site), site, future)
    }

    /// Spawns the task, or gives the future back, like [`try_spawn`](crate::try_spawn).
    ///
    /// # Errors
    /// [`SpawnError`], holding the future.
    #[track_caller]
    pub fn try_spawn<F>(self, future: F) -> Result<goro_task::JoinHandle<F::Output>, SpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let kind = self.kind(Location::caller());
        SpawnError::check(future).map(|(shard, future)| shard.spawn_admitted(future, kind))
    }

    /// Runs a closure on the blocking pool, like [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// As for [`spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn_blocking<F, T>(self, job: F) -> goro_task::JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let site = Location::caller();
        crate::spawn::spawn_blocking_as(self.kind(site), site, job)
    }
}

/// Lets other tasks run first: the task goes to the back of its worker's queue.
///
/// # Cancel safety
/// Safe: nothing is lost when the future is dropped.
///
/// # Example
/// ```
/// goro_runtime::block_on(async {
///     goro_runtime::task::yield_now().await;
/// });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        note::leave(Op::Yield, 0);
        // Woken during its poll, a task goes to the back of the queue.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl CancelSafe for YieldNow {}

/// Runs a closure that blocks, here and now. On a worker, what else stood in its queue is offered to the
/// other workers, and a spare worker takes its place until the closure returns; elsewhere the closure
/// just runs.
///
/// For what cannot be moved to [`spawn_blocking`](crate::spawn_blocking) because it borrows. The task
/// does nothing else meanwhile: what it joins or selects between stands still. At most 512 workers can
/// have a spare at a time ([`Builder::block_spares`](crate::Builder::block_spares)); above that the closure
/// runs without one, which is reported.
///
/// # Panics
/// When the closure does.
///
/// # Example
/// ```
/// let runtime = goro_runtime::Builder::new().workers(1).build()?;
/// let task = runtime.spawn(async {
///     let other = goro_runtime::spawn(async { 7 });
///     let (send, receive) = std::sync::mpsc::channel();
///     drop(goro_runtime::spawn(async move { send.send(other.await.unwrap()).unwrap() }));
///     // With one worker, which is blocked here.
///     goro_runtime::task::block_in_place(|| receive.recv().unwrap())
/// });
/// assert_eq!(runtime.block_on(task).unwrap(), 7);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
pub fn block_in_place<T>(closure: impl FnOnce() -> T) -> T {
    let (mut closure, mut value) = (Some(closure), None);
    crate::block_on::blocking(&mut || value = closure.take().map(|closure| closure()));
    value.expect("the job is run once")
}

/// The id of the task that is being polled on this thread; `None` outside of tasks.
#[must_use]
pub fn try_id() -> Option<Id> {
    goro_context::task::current().map(|task| task.id)
}
