//! How a runtime is to be: sizes, names, and what refuses to be built.

use goro_shim::Arc;
use goro_shim::time::Duration;
use goro_shim::{random, thread};
use std::path::PathBuf;

use crate::blocking::{Config, DEFAULT};
use crate::driver::Chosen;
use crate::driver::os::{OsDriver, ThreadPlan};
use crate::driver::scripted::{Script, Scripted, Seeded};
use crate::ground::{Ground, Plan};
use crate::hub::{Lease, MAX_SPARES, MAX_WORKERS};
use crate::local::LocalRuntime;
use crate::panics::PanicPolicy;
use crate::quota::{Allowance, Follows};
use crate::runtime::Runtime;
use crate::spares::Limits as SpareLimits;
use crate::stall::{self, Stall, StallPlan};
use crate::worker::Chaos;

mod error;

pub use error::BuildError;

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
///
/// ```
/// use goro_runtime::Builder;
/// use goro_runtime::blocking::Config;
/// use std::time::Duration;
///
/// let runtime = Builder::new()
///     .workers(2)
///     .stack_size(512 * 1024)
///     .stall_threshold(Duration::from_millis(5))
///     .stall_spares(4)
///     .block_spares(100)
///     .spare_keep_alive(Duration::from_secs(1))
///     .blocking_threads(16)
///     .blocking_keep_alive(Duration::from_secs(1))
///     .blocking_pool(Config::new("disk"))
///     .follow_quota(Duration::from_secs(60))
///     .monitor(true)
///     .build()
///     .unwrap();
/// assert_eq!(runtime.handle().workers(), 2);
/// let local = Builder::new().build_local().unwrap();
/// assert_eq!(local.block_on(async { 1 }), 1);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build is called"]
pub struct Builder {
    workers: Option<usize>,
    name: String,
    stack_size: Option<usize>,
    /// The blocking pools, the one that every runtime has first.
    pools: Vec<Config>,
    monitor: bool,
    chaos: Option<Chaos>,
    max_tasks: Option<usize>,
    system_root: PathBuf,
    follow_quota: Duration,
    spares: SpareLimits,
    stalls: StallPlan,
    panics: PanicPolicy,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            workers: None,
            name: "goro".to_owned(),
            stack_size: None,
            pools: vec![Config::new(DEFAULT.0)],
            monitor: true,
            chaos: None,
            max_tasks: None,
            system_root: PathBuf::from("/"),
            follow_quota: Duration::from_secs(10),
            spares: SpareLimits { stalls: stall::STALL_SPARES, blocks: stall::BLOCK_SPARES },
            stalls: StallPlan::default(),
            panics: PanicPolicy::default(),
        }
    }
}

impl Builder {
    /// A runtime with one worker per processor this process may use.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many workers, 1 to 1024. Without this call: `GORO_WORKERS` if that is set, else what
    /// processor affinity and the CPU quota allow (rounded up), followed
    /// [while the runtime runs](Self::follow_quota).
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
        self.pools[DEFAULT.1].sizes.most = threads;
        self
    }

    /// How long an idle thread of the blocking pool stays. Default: 10 s.
    pub fn blocking_keep_alive(mut self, keep_alive: Duration) -> Self {
        self.pools[DEFAULT.1].sizes.keep_alive = keep_alive;
        self
    }

    /// Another pool of threads for blocking jobs, or, if it is called `blocking`, how the one is to be
    /// that every runtime has. Got at by [`Handle::blocking_pool`](crate::Handle::blocking_pool).
    pub fn blocking_pool(mut self, pool: Config) -> Self {
        if *pool.name == *DEFAULT.0 {
            self.pools[DEFAULT.1] = pool;
        } else {
            self.pools.push(pool);
        }
        self
    }

    /// How often the CPU quota is read again while the runtime runs. Default: 10 s, while any worker is
    /// awake; zero for never.
    ///
    /// A runtime whose number of workers nobody has chosen (here, by `GORO_WORKERS` or with
    /// [`Handle::set_workers`](crate::Handle::set_workers)) then changes it to what the quota and the
    /// affinity allow; the quota's limit on [spares](Self::stall_spares) changes in any case. The
    /// monitor does this, so without one nobody does.
    pub fn follow_quota(mut self, every: Duration) -> Self {
        self.follow_quota = every;
        self
    }

    /// The folder below which `proc` and `sys` tell the CPU quota. Default: `/`. For tests of how a
    /// program behaves under a quota.
    pub fn system_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.system_root = root.into();
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

    /// How long a poll may go on before its worker counts as stuck. When all of them are and something
    /// waits, a spare worker is started; after ten times as long it is started whatever waits, and the
    /// task is reported: one `tracing` warning for each kind and minute, and
    /// [`on_stall`](Self::on_stall). Default: 1 ms, which is also how often there is a look.
    pub fn stall_threshold(mut self, threshold: Duration) -> Self {
        self.stalls.threshold = threshold;
        self
    }

    /// How long spare workers stay that nobody has needed, where they are needed again and again; up to
    /// twice as long, if more had been needed before. After a need with none in such a time before it,
    /// a sixteenth of that. Default: 100 ms.
    pub fn spare_keep_alive(mut self, keep_alive: Duration) -> Self {
        self.stalls.keep = keep_alive;
        self
    }

    /// The most spare workers for polls that go on for long; 0 turns them off. Default: 64. Under a CPU
    /// quota so small that they would use it up the sooner, twice the quota's processors: more threads that
    /// compute would only use the quota up sooner, and then everything stands still.
    pub fn stall_spares(mut self, most: u32) -> Self {
        self.spares.stalls = most;
        self
    }

    /// The most spare workers for workers inside [`block_on`](crate::block_on) or
    /// [`block_in_place`](crate::task::block_in_place), counted apart; 0 turns them off. Default: 512. At
    /// the limit `block_on` runs without one and [`try_block_on`](crate::try_block_on) is refused.
    pub fn block_spares(mut self, most: u32) -> Self {
        self.spares.blocks = most;
        self
    }

    /// Has `hook` called for each poll that has gone on for ten times the
    /// [threshold](Self::stall_threshold), while it goes on.
    ///
    /// It is called on the monitor's thread and holds up what that sees to: send what it is told on
    /// to somebody else. What it panics with is dropped.
    ///
    /// ```
    /// use goro_runtime::time::Duration;
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let runtime = goro_runtime::Builder::new()
    ///     .workers(1)
    ///     .on_stall(move |stall| drop(tell.send(stall.to_string())))
    ///     .build()?;
    /// let slow = runtime.spawn(async { std::thread::sleep(Duration::from_millis(100)) });
    /// assert!(told.recv().unwrap().contains("in one poll"));
    /// runtime.block_on(slow).unwrap();
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn on_stall(mut self, hook: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        self.stalls.hook = Some(Arc::new(hook));
        self
    }

    /// What a panic in a task or a blocking job leads to; by default, to a record. A
    /// [group](crate::task::TaskGroup::panic_policy) may have a policy of its own for its tasks.
    ///
    /// ```
    /// use goro_runtime::{Builder, task::{Cause, PanicPolicy}};
    /// let runtime = Builder::new().workers(2).panic_policy(PanicPolicy::Shutdown).build()?;
    /// let other = runtime.spawn(std::future::pending::<()>());
    /// drop(runtime.spawn(async { panic!("nobody joins this") }));
    /// let stopped = goro_runtime::block_on(other).unwrap_err();
    /// assert_eq!(stopped.cause(), Some(&Cause::Shutdown));
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn panic_policy(mut self, policy: PanicPolicy) -> Self {
        self.panics = policy;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    /// [`BuildError`]; whatever had been started by then has ended, and nothing is left behind.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let workers = self.check_workers()?;
        let stack_size = self.stack_size;
        let plan = self.plan(workers, false)?;
        let threads = ThreadPlan { name: Arc::clone(&plan.name), stack_size };
        let driver = Arc::new(OsDriver::new(threads, &plan.pools).map_err(BuildError::Reactor)?);
        let (ground, started, error) = match Ground::start(Chosen::Os(driver.clone()), plan) {
            Ok(ground) => match driver.staff() {
                Ok(()) => return Ok(Runtime::of(ground, driver)),
                Err(error) => (ground, workers, error),
            },
            Err(refused) => refused,
        };
        ground.close();
        driver.join(None);
        drop(ground);
        Err(BuildError::Thread { started, error })
    }

    /// Makes a runtime on the calling thread, whose tasks need not be `Send`; see [`LocalRuntime`].
    ///
    /// It has one worker, no monitor and no spares, whatever is said of these here.
    ///
    /// # Errors
    /// [`BuildError`], also when several workers were asked for; nothing is left behind.
    pub fn build_local(self) -> Result<LocalRuntime, BuildError> {
        if let Some(asked) = self.workers.filter(|&asked| asked != 1) {
            return Err(BuildError::LocalWorkers(asked));
        }
        let stack_size = self.stack_size;
        let spares = SpareLimits { stalls: 0, blocks: 0 };
        let plan = Self { monitor: false, spares, ..self }.plan(1, false)?;
        let plan = Plan { local: true, ..plan };
        let threads = ThreadPlan { name: Arc::clone(&plan.name), stack_size };
        let driver = Arc::new(OsDriver::local(threads, &plan.pools).map_err(BuildError::Reactor)?);
        let ground = match Ground::start(Chosen::Os(driver.clone()), plan) {
            Ok(ground) => ground,
            Err((_, started, error)) => return Err(BuildError::Thread { started, error }),
        };
        let seat = driver.take_seat().expect("a driver that keeps its workers' seats has one");
        let worker = seat.sit().expect("nobody else owns a shard that was just leased");
        let runtime = LocalRuntime::of(&ground, driver.clone(), worker);
        // Dropped with what has started, if the rest is refused.
        match driver.staff() {
            Ok(()) => Ok(runtime),
            Err(error) => Err(BuildError::Thread { started: 0, error }),
        }
    }

    fn allowance(&self) -> Allowance {
        Allowance::read(&self.system_root)
    }

    /// As many workers as processor affinity and the CPU quota allow.
    fn allowed(&self) -> usize {
        let allowed = self.allowance().workers().map(|workers| workers as usize);
        allowed.or(thread::parallelism().ok()).unwrap_or(2).min(MAX_WORKERS)
    }

    /// As [`build`](Self::build), but where `GORO_WORKERS` says nothing that can be used, it is reported
    /// and not obeyed: for whoever has nobody to give the error to.
    pub(crate) fn build_whatever_the_variable_says(self) -> Result<Runtime, BuildError> {
        let Err(unusable) = self.check_workers() else { return self.build() };
        crate::observe::variable_ignored(&unusable);
        let allowed = self.allowed();
        self.workers(allowed).build()
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
                None => self.allowed(),
            },
        };
        match workers {
            0 => Err(BuildError::NoWorkers),
            1..=MAX_WORKERS => Ok(workers),
            asked => Err(BuildError::TooManyWorkers { asked, limit: MAX_WORKERS }),
        }
    }

    fn plan(self, workers: usize, scripted: bool) -> Result<Plan, BuildError> {
        self.check_pools()?;
        if self.name.contains('\0') {
            return Err(BuildError::Name(self.name));
        }
        if self.max_tasks == Some(0) {
            return Err(BuildError::NoTasks);
        }
        let SpareLimits { stalls, blocks } = self.spares;
        let asked = stalls as usize + blocks as usize;
        if asked > MAX_SPARES {
            return Err(BuildError::TooManySpares { asked, limit: MAX_SPARES });
        }
        let (monitor, chaos, tasks) = (self.monitor, self.chaos, self.max_tasks);
        let lease = Lease { workers, monitor, scripted, chaos, tasks, spares: self.spares };
        // What a script says that time is, no quota limits.
        let every = if scripted { Duration::ZERO } else { self.follow_quota };
        let allowance = if scripted { Allowance::UNKNOWN } else { self.allowance() };
        let chosen = self.workers.is_some() || std::env::var_os(WORKERS_VARIABLE).is_some();
        let follows = Follows::new(self.system_root, every, !chosen, allowance);
        let (name, pools) = (self.name.into(), self.pools.into());
        let (stalls, panics) = (self.stalls, self.panics);
        Ok(Plan { name, lease, pools, stalls, panics, follows, local: false })
    }

    fn check_pools(&self) -> Result<(), BuildError> {
        for (number, pool) in self.pools.iter().enumerate() {
            let name = String::from(&*pool.name);
            let (least, most) = (pool.sizes.least, pool.sizes.most);
            if most == 0 {
                return Err(BuildError::NoBlockingThreads);
            }
            if least > most {
                return Err(BuildError::PoolSize { name, least, most });
            }
            if name.contains('\0') {
                return Err(BuildError::Name(name));
            }
            if self.pools[..number].iter().any(|other| other.name == pool.name) {
                return Err(BuildError::PoolTwice(name));
            }
        }
        Ok(())
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
        Scripted::start(self.plan(workers, true)?, script)
    }
}
