//! The owner of a running runtime: dropping it stops it.
//!
//! Stopping: spawning ends, every task's future is dropped (its handle resolves to a cancellation
//! whose cause is the shutdown), blocking jobs that have not begun are cancelled, the threads end.
//! What a thread is inside of — a poll, a blocking job — is waited for, since nothing can end it; after an
//! end that was asked for ([`shutdown`](Handle::shutdown)) not for long: that has waited, and has said who is
//! left.

use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use goro_shim::Arc;
use goro_shim::time::{self, Duration, Instant};
use goro_task::JoinHandle;

use crate::block_on::BlockOnError;
use crate::builder::{BuildError, Builder};
use crate::current;
use crate::driver::os::OsDriver;
use crate::ground::Ground;
use crate::handle::{EnterGuard, Handle};
use crate::metrics::Metrics;

/// A running runtime.
///
/// Dropping it stops it and waits for its threads. Inside a task, or on one of its own threads,
/// where waiting would block a worker or never end, it stops in the background instead. To end it in an
/// orderly way first, use its [`shutdown`](Handle::shutdown) handle.
///
/// # Example
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// let answer = runtime.block_on(async { goro_runtime::spawn(async { 42 }).await });
/// assert_eq!(answer.unwrap(), 42);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::Runtime;
/// use std::time::Duration;
///
/// let runtime = Runtime::new().unwrap();
/// let job = runtime.spawn_blocking(|| 1);
/// assert_eq!(runtime.block_on(job).unwrap(), 1);
/// assert_eq!(runtime.try_block_on(async { 2 }).unwrap(), 2);
/// println!("{}: {} tasks", runtime.handle().name(), runtime.metrics().tasks_live);
/// let inside = runtime.enter();
/// drop(goro_runtime::spawn(async {}));
/// drop(inside);
/// assert!(runtime.shutdown_timeout(Duration::from_secs(10)));
/// Runtime::new().unwrap().shutdown_background();
/// ```
pub struct Runtime {
    handle: Handle,
    ground: Arc<Ground>,
    driver: Arc<OsDriver>,
    /// Somebody has waited already, or has said not to.
    waited: bool,
}

impl Runtime {
    /// A runtime as [`Builder::new`] makes it.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn new() -> Result<Self, BuildError> {
        Builder::new().build()
    }

    pub(crate) fn of(ground: Arc<Ground>, driver: Arc<OsDriver>) -> Self {
        Self { handle: Handle::of(&ground), ground, driver, waited: false }
    }

    /// Nobody will stop it.
    pub(crate) fn run_on(self) -> Arc<Ground> {
        ManuallyDrop::new(self).ground()
    }

    pub(crate) fn ground(&self) -> Arc<Ground> {
        Arc::clone(&self.ground)
    }

    /// Makes this the process's default runtime: where threads that are in no runtime find one. What
    /// they have started on another one stays there.
    ///
    /// `#[goro::main]` does it for its own. Without any, the first call that needs a runtime starts one.
    ///
    /// # Example
    /// ```
    /// let runtime = goro_runtime::Builder::new().workers(1).name("chosen").build()?;
    /// runtime.set_default();
    /// let task = goro_runtime::spawn(async { goro_runtime::Handle::current().name().to_owned() });
    /// assert_eq!(goro_runtime::block_on(task).unwrap(), "chosen");
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn set_default(&self) {
        crate::default::set(self.ground());
    }

    /// A way in that can be kept and sent.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts a task; see [`spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure on the blocking pool; see [`spawn_blocking`](crate::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.handle.spawn_blocking(job)
    }

    /// Runs a future to its end on this thread, inside the runtime.
    ///
    /// # Panics
    /// When the future does, and when a task waits here for its own end.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
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
        self.handle.try_block_on(future)
    }

    /// Makes this runtime the thread's current one until the guard is dropped.
    #[must_use = "the runtime is entered until the guard is dropped"]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// What the runtime has done so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }

    /// Stops the runtime and waits at most `timeout` for its threads. True when all of them have
    /// ended; otherwise those inside a poll or a blocking job go on until that ends.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> bool {
        self.waited = true;
        self.ground.close();
        !self.must_not_wait() && self.driver.join(Some(deadline(timeout)))
    }

    /// Stops the runtime and waits for nothing.
    pub fn shutdown_background(mut self) {
        self.waited = true;
        self.ground.close();
    }

    /// Waiting here would wait for this very thread, or hold up somebody's worker.
    fn must_not_wait(&self) -> bool {
        // In a fork's child there are no threads to wait for.
        self.ground.hub.is_forked()
            || current::own().is_some()
            || self.driver.is_served_by_this_thread()
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = time::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400 * 365))
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let conducted = self.ground.patience();
        self.ground.close();
        if !self.waited && !self.must_not_wait() {
            self.driver.join(conducted.map(deadline));
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("handle", &self.handle).finish_non_exhaustive()
    }
}
