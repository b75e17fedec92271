//! Threads on which blocking is harmless, in pools.
//!
//! Every runtime has a pool called `blocking`, which [`spawn_blocking`](crate::spawn_blocking) uses.
//! A builder can be given [others](crate::Builder::blocking_pool): for jobs that must not wait behind
//! those of the rest, or not take more than so many threads. A pool starts a thread when more jobs
//! wait than threads are idle, up to its most; above its least, a thread ends after having been idle
//! for a while.
//!
//! ```text
//!  closure ──▶ a task that parks ──▶ its waker waits at the pool's desk ──▶ a thread wakes it there,
//!                    │                                                     and runs it
//!                    └── aborted while it waits: dropped, and its place is free again
//! ```
//!
//! A job that runs cannot be stopped; it can ask whether it [should](is_cancelled).
//!
//! Left out: ordering between jobs, priorities, and pools that are made after the runtime. How jobs
//! wait and threads come and go is `desk`'s; what a job is, `job`'s.

use core::fmt;
use core::panic::Location;
use goro_context::Kind;
use goro_shim::Arc;
use goro_shim::time::Duration;
use goro_task::JoinHandle;

use crate::desk::Sizes;
use crate::ground::Ground;
use crate::handle::Handle;
use crate::job;
use crate::metrics::PoolMetrics;

mod refused;
mod staff;
mod stdin;
mod waits;

pub use crate::job::is_cancelled;
pub use refused::Refused;
pub(crate) use staff::Staff;
pub(crate) use stdin::is_read_by;

/// The pool that every runtime has, and its number.
pub(crate) const DEFAULT: (&str, usize) = ("blocking", 0);

/// How a pool of threads for blocking jobs is to be.
///
/// # Example
/// ```
/// use goro_runtime::{Builder, blocking::Config, time::Duration};
/// let dns = Config::new("dns").most(4).queue(100).keep_alive(Duration::from_secs(1));
/// let runtime = Builder::new().blocking_pool(dns).build()?;
/// let pool = runtime.handle().blocking_pool("dns").expect("it was just made");
/// let job = pool.spawn(|| 2 + 2);
/// assert_eq!(runtime.block_on(job).unwrap(), 4);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::blocking::Config;
/// use std::time::Duration;
///
/// let config = Config::new("disk")
///     .least(1)
///     .most(8)
///     .queue(1_000)
///     .keep_alive(Duration::from_secs(10))
///     .waited_for(false);
/// let runtime = goro_runtime::Builder::new().blocking_pool(config).build().unwrap();
/// assert!(runtime.handle().blocking_pool("disk").is_some());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until a builder has it"]
pub struct Config {
    pub(crate) name: Arc<str>,
    pub(crate) sizes: Sizes,
    pub(crate) waited_for: bool,
}

impl Config {
    /// A pool called so, with threads as they are needed, at most 512, each of which stays idle for
    /// 10 s, and as many waiting jobs as memory holds. Its threads are called `RUNTIME-NAME`.
    ///
    /// The name `blocking` stands for the pool that every runtime has.
    pub fn new(name: &str) -> Self {
        let keep_alive = Duration::from_secs(10);
        let sizes = Sizes { least: 0, most: 512, queue: usize::MAX, keep_alive };
        Self { name: name.into(), sizes, waited_for: true }
    }

    /// The least threads: started with the runtime, and never sent home. Default: 0.
    pub fn least(mut self, threads: usize) -> Self {
        self.sizes.least = threads;
        self
    }

    /// The most threads, 1 or more. Default: 512. At the limit jobs wait.
    pub fn most(mut self, threads: usize) -> Self {
        self.sizes.most = threads;
        self
    }

    /// How many jobs may wait, beyond those that an idle thread, or one that may yet be started, can
    /// take at once. Default: no bound. More than that are refused.
    pub fn queue(mut self, jobs: usize) -> Self {
        self.sizes.queue = jobs;
        self
    }

    /// How long a thread stays with nothing to do. Default: 10 s.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.sizes.keep_alive = keep_alive;
        self
    }

    /// Whether whoever ends the runtime waits for jobs that run. Default: yes.
    ///
    /// Say no for jobs that may never return, such as reads from a terminal or a device; they must
    /// have nothing to finish, since the process may end under them.
    pub fn waited_for(mut self, yes: bool) -> Self {
        self.waited_for = yes;
        self
    }
}

/// A pool of a runtime's; from [`Handle::blocking_pool`].
///
/// Like a handle, it does not keep the runtime running.
///
/// ```
/// use goro_runtime::Builder;
/// use goro_runtime::blocking::Config;
///
/// let runtime = Builder::new().blocking_pool(Config::new("disk").least(0).waited_for(true)).build().unwrap();
/// let disk = runtime.handle().blocking_pool("disk").unwrap();
/// let read = disk.spawn(|| "read");
/// assert_eq!(runtime.block_on(read).unwrap(), "read");
/// assert_eq!((disk.name(), disk.metrics().begun), ("disk", 1));
/// ```
#[derive(Clone)]
pub struct Pool {
    ground: Arc<Ground>,
    number: usize,
}

impl Pool {
    pub(crate) fn of(ground: &Arc<Ground>, number: usize) -> Self {
        Self { ground: Arc::clone(ground), number }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.ground.pools[self.number].name
    }

    /// Runs a closure on a thread of this pool; see [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// Where [`try_spawn`](Self::try_spawn) gives the closure back, this drops it, and the handle
    /// resolves to a cancellation that says why.
    #[track_caller]
    pub fn spawn<F, T>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        job::start(&self.ground, self.number, job, Kind::at(Location::caller()))
    }

    /// Runs a closure on a thread of this pool, or gives it back.
    ///
    /// # Errors
    /// [`Refused`], holding the closure, when as many jobs wait as may, when the system refuses the
    /// thread and there is no other, and when the runtime is shutting down.
    ///
    /// # Example
    /// ```
    /// use goro_runtime::{Builder, blocking::Config};
    /// let runtime = Builder::new().blocking_pool(Config::new("one").most(1).queue(0)).build()?;
    /// let one = runtime.handle().blocking_pool("one").expect("it was just made");
    /// let (release, wait) = std::sync::mpsc::channel::<()>();
    /// let first = one.try_spawn(move || wait.recv().is_err()).unwrap();
    /// let second = one.try_spawn(|| "not now").unwrap_err();
    /// assert!(second.is_full());
    /// assert_eq!(second.into_closure()(), "not now");
    /// drop(release);
    /// assert!(runtime.block_on(first).unwrap());
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[track_caller]
    pub fn try_spawn<F, T>(&self, job: F) -> Result<JoinHandle<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let kind = Kind::at(Location::caller());
        job::try_start(&self.ground, self.number, job, kind)
            .map_err(|(closure, refusal)| Refused::new(closure, refusal))
    }

    /// What it has done so far.
    #[must_use]
    pub fn metrics(&self) -> PoolMetrics {
        let all = self.ground.driver.pools();
        all.into_iter().nth(self.number).unwrap_or_default()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = self.metrics();
        f.debug_struct("Pool")
            .field("name", &self.name())
            .field("threads", &load.threads)
            .field("queued", &load.queued)
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// The pool called so, of those that the runtime was built with.
    #[must_use]
    pub fn blocking_pool(&self, name: &str) -> Option<Pool> {
        let ground = self.ground();
        let number = ground.pools.iter().position(|pool| *pool.name == *name)?;
        Some(Pool::of(ground, number))
    }
}
