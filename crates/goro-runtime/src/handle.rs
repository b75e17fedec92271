//! A way into a runtime that can be kept, cloned and sent.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use goro_context::Kind;
use goro_reactor::{Reactor, source::Network};
use goro_shim::Arc;
use goro_task::JoinHandle;

use crate::block_on::BlockOnError;
use crate::blocking::DEFAULT;
use crate::current::{self, Scope};
use crate::ground::Ground;
use crate::metrics::Metrics;
use crate::shard::Shard;
use crate::shutdown::ShutdownHandle;
use crate::spawn::THREE_FIXES;

/// A way into a runtime, for other threads and for libraries.
///
/// A handle does not keep the runtime running. Once the runtime has stopped, what is spawned
/// through it resolves to a cancellation.
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// let handle = runtime.handle().clone();
/// let thread = std::thread::spawn(move || {
///     let task = handle.spawn(async { "from a plain thread" });
///     handle.block_on(task).unwrap()
/// });
/// assert_eq!(thread.join().unwrap(), "from a plain thread");
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::{Handle, Runtime};
///
/// assert!(Handle::try_current().is_err() && Handle::try_default().is_err());
/// let runtime = Runtime::new().unwrap();
/// let handle = runtime.handle().clone();
/// let inside = handle.enter();
/// assert_eq!(Handle::try_current().unwrap().name(), Handle::or_default().unwrap().name());
/// drop(inside);
/// let tasks = handle.spawn_many((0..3).map(|number| async move { number }));
/// let jobs = [handle.spawn_blocking(|| 7)];
/// for task in tasks.into_iter().chain(jobs) {
///     assert!(handle.try_block_on(task).unwrap().is_ok());
/// }
/// assert!(handle.blocking_pool("disk").is_none());
/// drop(runtime);
/// assert!(handle.is_shutting_down());
/// ```
#[derive(Clone)]
pub struct Handle {
    ground: Arc<Ground>,
}

impl Handle {
    pub(crate) fn of(ground: &Arc<Ground>) -> Self {
        Self { ground: Arc::clone(ground) }
    }

    /// The runtime of the task that calls, the one entered last on this thread, or else the process's
    /// default one, which is started if there is none: where [`spawn`](crate::spawn) spawns.
    ///
    /// # Panics
    /// When there is none and none could be started; [`or_default`](Self::or_default) does not.
    #[must_use]
    #[track_caller]
    pub fn current() -> Self {
        match Self::or_default() {
            Ok(handle) => handle,
            Err(error) => panic!("Handle::current: {error}"),
        }
    }

    /// As [`current`](Self::current), but with an error where no runtime could be started.
    ///
    /// # Errors
    /// Why the default runtime was not started.
    ///
    /// # Panics
    /// On a thread that runs a simulation, but outside of it.
    #[track_caller]
    pub fn or_default() -> std::io::Result<Self> {
        let found = crate::default::ground(Location::caller());
        found.map(|ground| Self { ground }).map_err(std::io::Error::other)
    }

    /// The process's default runtime, if one was [set](crate::Runtime::set_default) or has started. Starts
    /// none: with [`try_current`](Self::try_current) it says where a spawn would go, and whether a
    /// program has two runtimes.
    ///
    /// # Errors
    /// [`NoRuntime`] when there is none.
    pub fn try_default() -> Result<Self, NoRuntime> {
        crate::default::get().map(|ground| Self { ground }).ok_or(NoRuntime(()))
    }

    /// The runtime of the task that calls, or the one entered last on this thread, and not the default
    /// one.
    ///
    /// # Errors
    /// [`NoRuntime`] when there is none.
    pub fn try_current() -> Result<Self, NoRuntime> {
        let ground = current::entered().and_then(|foreign| foreign.hub.ground());
        ground.map(|ground| Self { ground }).ok_or(NoRuntime(()))
    }

    pub(crate) fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }

    fn foreign(&self) -> &'static Shard {
        self.ground.hub.foreign()
    }

    /// Starts a task on this runtime; see [`spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shard().spawn(future, Kind::at(Location::caller()))
    }

    /// The shard to spawn on: the worker's own, if it is one of this runtime's.
    pub(crate) fn shard(&self) -> &'static Shard {
        let own = current::worker().filter(|own| core::ptr::eq(own.hub, self.ground.hub));
        own.unwrap_or(self.foreign())
    }

    /// Runs a closure on this runtime's blocking pool; see
    /// [`spawn_blocking`](crate::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let kind = Kind::at(Location::caller());
        crate::job::start(&self.ground, DEFAULT.1, job, kind)
    }

    /// Runs a future to its end on this thread, inside this runtime; see
    /// [`block_on`](crate::block_on).
    ///
    /// # Panics
    /// When the future does, and when a task waits here for its own end.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        crate::block_on::inside(self, future)
    }

    /// As [`block_on`](Self::block_on), but refuses where it would leave a worker's runtime with a
    /// worker less, or never return; see [`try_block_on`](crate::try_block_on).
    ///
    /// # Errors
    /// [`BlockOnError`].
    ///
    /// # Panics
    /// When the future does.
    pub fn try_block_on<F: Future>(&self, future: F) -> Result<F::Output, BlockOnError<F>> {
        crate::block_on::try_inside(self, future)
    }

    /// Makes this runtime the thread's current one until the guard is dropped. Guards may be
    /// dropped in any order; the youngest living one decides.
    #[must_use = "the runtime is entered until the guard is dropped"]
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard {
            scope: current::enter(self.foreign()),
            _ground: Arc::clone(&self.ground),
            _handle: PhantomData,
        }
    }

    /// What the runtime has done so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics::read(&self.ground)
    }

    /// The name its threads carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.ground.name
    }

    /// Whether the runtime has begun to shut down: it drains, or is further.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        !self.ground.hub.gate.is_running()
    }

    /// What ends this runtime in an orderly way, and says how far that has come. The same one for all who
    /// ask.
    ///
    /// ```
    /// let runtime = goro_runtime::Runtime::new()?;
    /// let shutdown = runtime.handle().shutdown();
    /// shutdown.initiate("no longer needed");
    /// assert!(runtime.block_on(shutdown.wait()).is_clean());
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[must_use = "this ends nothing yet: `initiate` does"]
    pub fn shutdown(&self) -> ShutdownHandle {
        ShutdownHandle::of(&self.ground)
    }

    /// Lets `duration` pass inside a poll: spins on real threads, moves the clock when scripted.
    /// For tests of what happens when a poll takes long.
    pub fn busy(&self, duration: goro_shim::time::Duration) {
        self.ground.driver.busy(duration);
    }

    /// The reactor, for those who make I/O types.
    ///
    /// # Errors
    /// `Unsupported` on a driver without a kernel behind it.
    pub fn reactor(&self) -> std::io::Result<Arc<Reactor>> {
        self.ground.driver.reactor().ok_or_else(|| {
            std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                "this runtime is simulated and watches no descriptors",
            )
        })
    }

    /// The network that sockets are made on; `None` is the kernel's.
    #[must_use]
    pub fn network(&self) -> Option<Arc<dyn Network>> {
        self.ground.driver.network()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("name", &self.ground.name)
            .field("workers", &self.ground.hub.workers())
            .field("shutting_down", &self.is_shutting_down())
            .finish()
    }
}

impl futures::task::Spawn for Handle {
    fn spawn_obj(
        &self,
        future: futures::task::FutureObj<'static, ()>,
    ) -> Result<(), futures::task::SpawnError> {
        self.status()?;
        drop(self.spawn(future));
        Ok(())
    }

    fn status(&self) -> Result<(), futures::task::SpawnError> {
        if self.is_shutting_down() { Err(futures::task::SpawnError::shutdown()) } else { Ok(()) }
    }
}

/// A runtime is this thread's current one until this is dropped; made by [`Handle::enter`].
#[must_use = "the runtime is entered until the guard is dropped"]
pub struct EnterGuard<'a> {
    #[expect(dead_code, reason = "its drop is what it is for")]
    scope: Scope,
    _ground: Arc<Ground>,
    _handle: PhantomData<&'a Handle>,
}

impl fmt::Debug for EnterGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}

/// No runtime is entered on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRuntime(());

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no runtime is entered on this thread: {THREE_FIXES}")
    }
}

impl std::error::Error for NoRuntime {}

impl From<NoRuntime> for std::io::Error {
    fn from(error: NoRuntime) -> Self {
        Self::other(error)
    }
}
