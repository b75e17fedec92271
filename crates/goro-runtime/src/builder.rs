//! How a runtime is to be: sizes, names, and what refuses to be built.

use core::fmt;
use goro_shim::Arc;
use goro_shim::time::Duration;
use goro_shim::{random, thread};
use std::io;

use crate::blocking::Limits;
use crate::driver::os::{OsDriver, ThreadPlan};
use crate::driver::scripted::{Script, Scripted, Seeded};
use crate::ground::Ground;
use crate::hub::{Lease, MAX_WORKERS};
use crate::runtime::Runtime;
use crate::worker::Chaos;

/// The variable that says how many workers a runtime has, when its builder does not.
const WORKERS_VARIABLE: &str = "GORO_WORKERS";

/// Makes a [`Runtime`].
///
/// # Example
/// ```
/// let runtime = goro_runtime::Builder::new().workers(2).name("billing").build()?;
/// assert_eq!(runtime.block_on(async { 1 + 1 }), 2);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build is called"]
pub struct Builder {
    workers: Option<usize>,
    name: String,
    stack_size: Option<usize>,
    blocking_threads: usize,
    blocking_keep_alive: Duration,
    monitor: bool,
    chaos: Option<Chaos>,
    max_tasks: Option<usize>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: None,
            name: "goro".to_owned(),
            stack_size: None,
            blocking_threads: 512,
            blocking_keep_alive: Duration::from_secs(10),
            monitor: true,
            chaos: None,
            max_tasks: None,
        }
    }
}

impl Builder {
    /// A runtime with one worker per processor this process may use.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many workers, 1 to 1024. Without this call: `GORO_WORKERS` if that is set, else what
    /// processor affinity and the CPU quota allow.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// What its threads are called: `NAME-worker-0`, `NAME-blocking`. Default: `goro`. The kernel
    /// shows 15 bytes of it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The stack of each of its threads, in bytes. Default: the platform's.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// The most threads the blocking pool may have. Default: 512. At the limit jobs wait.
    pub fn blocking_threads(mut self, threads: usize) -> Self {
        self.blocking_threads = threads;
        self
    }

    /// How long an idle thread of the blocking pool stays. Default: 10 s.
    pub fn blocking_keep_alive(mut self, keep_alive: Duration) -> Self {
        self.blocking_keep_alive = keep_alive;
        self
    }

    /// The most tasks that may be live at a time: made, and not ended. Default: no limit.
    ///
    /// At the limit [`spawn`](crate::spawn) drops the future at once, and its handle resolves to a
    /// cancellation for [`Cause::Limit`](crate::task::Cause::Limit);
    /// [`try_spawn`](crate::try_spawn) gives the future back. What `block_on` drives is no task, and
    /// blocking jobs are not counted: their pool has bounds of its own.
    ///
    /// ```
    /// use goro_runtime::{Builder, task::Cause};
    /// let runtime = Builder::new().workers(1).max_tasks(1).build()?;
    /// let first = runtime.spawn(std::future::pending::<()>());
    /// let second = runtime.block_on(runtime.spawn(async {})).unwrap_err();
    /// assert_eq!(second.cause(), Some(&Cause::Limit));
    /// first.abort();
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn max_tasks(mut self, tasks: usize) -> Self {
        self.max_tasks = Some(tasks);
        self
    }

    /// Whether there is a monitor thread, which sees to what a worker inside a long poll cannot.
    /// Default: yes.
    ///
    /// Without one, every push to a worker's own queue tells a sleeping worker, which costs a fence
    /// each time and more wake-ups; and timers, sockets and the runtime's end wait while every worker
    /// is inside a poll. For hosts where one thread more is one too many.
    pub fn monitor(mut self, yes: bool) -> Self {
        self.monitor = yes;
        self
    }

    /// Shakes the program, for tests: each operation of a task (of goro's own: a channel's, a timer's,
    /// a socket's) yields with this `probability` before it is done, and holds its worker up for a
    /// random time below `longest`, at most 4 s, before it does.
    ///
    /// A probability below 0 counts as 0, one above 1 as 1. Default: no chaos, at no cost.
    ///
    /// ```
    /// use goro_runtime::{Builder, time::Duration};
    /// let shaken = Builder::new().chaos(0.2, Duration::from_micros(50)).build()?;
    /// assert_eq!(shaken.block_on(async { goro_runtime::spawn(async { 3 }).await.unwrap() }), 3);
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn chaos(mut self, probability: f64, longest: Duration) -> Self {
        self.chaos = Some(Chaos::new(probability, longest));
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    /// [`BuildError`]; whatever had been started by then has ended, and nothing is left behind.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let workers = self.check_workers()?;
        if self.blocking_threads == 0 {
            return Err(BuildError::NoBlockingThreads);
        }
        if self.name.contains('\0') {
            return Err(BuildError::Name(self.name));
        }
        let lease = self.lease(workers, false)?;
        let name: Arc<str> = self.name.into();
        let plan = ThreadPlan { name: Arc::clone(&name), stack_size: self.stack_size };
        let limits =
            Limits { threads: self.blocking_threads, keep_alive: self.blocking_keep_alive };
        let driver = Arc::new(OsDriver::new(plan, limits).map_err(BuildError::Reactor)?);
        match Ground::start(driver.clone(), name, lease) {
            Ok(ground) => Ok(Runtime::of(ground, driver)),
            Err((ground, started, error)) => {
                driver.join(None);
                drop(ground);
                Err(BuildError::Thread { started, error })
            }
        }
    }

    fn check_workers(&self) -> Result<usize, BuildError> {
        let workers = match self.workers {
            Some(workers) => workers,
            None => match std::env::var_os(WORKERS_VARIABLE) {
                Some(value) => match value.to_str().and_then(|v| v.trim().parse().ok()) {
                    Some(workers) => workers,
                    None => {
                        return Err(BuildError::Variable(value.to_string_lossy().into_owned()));
                    }
                },
                None => thread::parallelism().unwrap_or(2).min(MAX_WORKERS),
            },
        };
        match workers {
            0 => Err(BuildError::NoWorkers),
            1..=MAX_WORKERS => Ok(workers),
            asked => Err(BuildError::TooManyWorkers { asked, limit: MAX_WORKERS }),
        }
    }

    fn lease(&self, workers: usize, scripted: bool) -> Result<Lease, BuildError> {
        if self.max_tasks == Some(0) {
            return Err(BuildError::NoTasks);
        }
        let (monitor, chaos, tasks) = (self.monitor, self.chaos, self.max_tasks);
        Ok(Lease { workers, monitor, scripted, chaos, tasks })
    }

    /// A runtime on one thread with virtual time; see [`Scripted`].
    ///
    /// # Errors
    /// [`BuildError`] for a number of workers that no runtime can have.
    pub fn build_scripted(self, seed: Option<u64>) -> Result<Scripted, BuildError> {
        let seed = seed.unwrap_or_else(random::entropy);
        self.build_on_script(Arc::new(Seeded::new(seed)))
    }

    /// As [`build_scripted`](Self::build_scripted), with `script` for whatever a run leaves open.
    ///
    /// # Errors
    /// [`BuildError`] for a number of workers that no runtime can have, and for a thread that the
    /// script refuses.
    pub fn build_on_script(self, script: Arc<dyn Script>) -> Result<Scripted, BuildError> {
        let workers = self.check_workers()?;
        let lease = self.lease(workers, true)?;
        Scripted::start(self.name.into(), lease, script)
    }
}

/// Why a runtime was not built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// Zero workers were asked for, by the builder or by `GORO_WORKERS`.
    NoWorkers,
    /// More workers were asked for than a runtime can have.
    TooManyWorkers {
        /// How many were asked for.
        asked: usize,
        /// How many there can be.
        limit: usize,
    },
    /// `GORO_WORKERS` is set to something that is not a number; its value.
    Variable(String),
    /// A blocking pool of no threads was asked for.
    NoBlockingThreads,
    /// A limit of no tasks was asked for.
    NoTasks,
    /// The name has a NUL byte in it, which no thread's name can have.
    Name(String),
    /// The descriptors of the reactor or of the monitor's timer were refused.
    Reactor(io::Error),
    /// A thread was refused.
    Thread {
        /// How many of the runtime's threads had started; they have ended again.
        started: usize,
        /// What the operating system said.
        error: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => {
                f.write_str("a runtime needs at least one worker: ask for 1 or more, or for none to get one per processor")
            }
            Self::TooManyWorkers { asked, limit } => {
                write!(f, "a runtime has at most {limit} workers, not {asked}: ask for fewer")
            }
            Self::Variable(value) => write!(
                f,
                "{WORKERS_VARIABLE}={value:?} is not a number of workers: set it to 1 or more, or unset it"
            ),
            Self::NoBlockingThreads => {
                f.write_str("the blocking pool needs at least one thread: ask for 1 or more")
            }
            Self::NoTasks => f.write_str(
                "a limit of 0 tasks lets nothing run: ask for 1 or more, or set no limit",
            ),
            Self::Name(name) => {
                write!(f, "a thread cannot be called {name:?}: take the NUL byte out of the name")
            }
            Self::Reactor(error) => write!(
                f,
                "the reactor's descriptors were refused ({error}): raise the limit on open files (ulimit -n), or close some"
            ),
            Self::Thread { started, error } => write!(
                f,
                "a thread was refused after {started} had started ({error}): raise the limit on processes (ulimit -u), or ask for fewer workers"
            ),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Reactor(error) | Self::Thread { error, .. } => Some(error),
            Self::NoWorkers
            | Self::TooManyWorkers { .. }
            | Self::Variable(_)
            | Self::NoBlockingThreads
            | Self::NoTasks
            | Self::Name(_) => None,
        }
    }
}

impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        let kind = match &error {
            BuildError::Reactor(source) | BuildError::Thread { error: source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
