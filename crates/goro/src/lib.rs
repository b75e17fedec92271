//! goro: an async executor with the working comfort of goroutines.
//!
//! ```
//! #[goro::main]
//! async fn main() {
//!     let hello = goro::spawn(async { "hello" });
//!     println!("{}", hello.await.unwrap());
//! }
//! ```
//!
//! # Three ways of use
//!
//! - **A program** puts [`#[goro::main]`](macro@main) on its main function.
//! - **A library** only spawns ([`spawn`]) and leaves the choice of runtime to the program.
//! - **An existing program** holds a [`runtime::Runtime`] and enters it where it likes
//!   ([`runtime::Handle`]).
//!
//! # Futures that are not `Send`
//!
//! With `flavor = "local"` the program is one thread, and what it spawns with [`spawn_local`] stays there:
//!
//! ```
//! use std::rc::Rc;
//!
//! #[goro::main(flavor = "local")]
//! async fn main() {
//!     let shared = Rc::new(String::from("never sent"));
//!     let length = goro::spawn_local({
//!         let shared = shared.clone();
//!         async move { shared.len() }
//!     });
//!     assert_eq!(length.await.unwrap(), shared.len());
//! }
//! ```
//!
//! Beside other threads it is a [`runtime::LocalRuntime`], and a pinned task
//! ([`Handle::spawn_pinned`](runtime::Handle::spawn_pinned)) on one worker of many.
//!
//! # Which runtime
//!
//! Code inside a task, a blocking job, `block_on` of a runtime or its `enter` is in that runtime. Any
//! other thread finds the process's *default* runtime: the one that [`main`](macro@main) made or
//! [`set_default`](runtime::Runtime::set_default) named, else one that is started by the first call
//! that needs it. [`try_spawn`] starts none, and gives the future back.
//!
//! A program has two when something was spawned before the default was set, which is reported, or when
//! it builds its own and enters it on some threads only. `runtime::Handle::try_current` says which one
//! this thread is in, [`try_default`](runtime::Handle::try_default) which one others find; a handle's
//! name tells them apart. Tests: [`test`](macro@test) sets no default, and a simulated test that reaches
//! for it fails and names the call.
//!
//! # What it promises
//!
//! - A task's panic stays in its handle. A dropped handle detaches the task.
//! - Nothing is lost at shutdown: each task's future is dropped, each handle resolves. With a
//!   [`ShutdownHandle`] what was begun is finished first, and a report says what became of everybody.
//! - Every leaf operation spends from a budget, so that a task that is always ready does not keep
//!   others from running.
//!
//! # What it cannot do
//!
//! Take a worker away from a future that does not return from its poll, offer a sound parallel
//! scope that borrows, or stop a blocking closure that runs.
#![forbid(unsafe_code)]

pub use goro_runtime::{
    BlockOnError, SpawnError, block_on, spawn, spawn_blocking, spawn_local, spawn_many,
    try_block_on, try_spawn, try_spawn_blocking, try_spawn_local,
};

/// Pools of threads on which blocking is harmless.
pub mod blocking {
    pub use goro_runtime::blocking::*;
}

/// Letting others run: a task's budget, by hand.
pub mod coop {
    pub use goro_runtime::coop::*;
}

/// Tasks: handles to them, names for them, and yielding.
///
/// ```
/// use goro::task::{ChildError, PanicPolicy, Policy, TaskGroup, try_id};
///
/// # #[goro::main]
/// # async fn main() {
/// let group = TaskGroup::<u32, &str>::new().policy(Policy::Collect);
/// let group = group.panic_policy(PanicPolicy::Log);
/// let outcome = group.run(async |group| {
///     group.spawn(async { Err("it failed") }).await.expect("the group runs");
///     Ok(())
/// });
/// assert_eq!(outcome.await.unwrap_err().first, ChildError::Failed("it failed"));
/// let inside = goro::spawn(async { try_id().expect("a task has a number").get() });
/// assert!(inside.await.unwrap() > 0);
/// # }
/// ```
pub mod task {
    pub use goro_runtime::task::*;
}

/// Runtimes: building, entering and stopping them.
///
/// ```
/// use goro::runtime::{DrainPolicy, Held, Holdup, LocalRuntime, QueueReport, Runtime};
///
/// let runtime = Runtime::new().unwrap();
/// let end = runtime.handle().shutdown();
/// end.listen_signals().unwrap();
/// end.on_quit(|| println!("asked for a dump")).unwrap();
/// end.set_policy(DrainPolicy::none());
/// end.set_grace(goro::time::Duration::ZERO);
/// end.track_depth("orders", || 3);
/// let guard = end.guard().unwrap();
/// drop(guard.spawn_named("work", std::future::pending::<()>()));
/// end.initiate("enough");
/// let report = runtime.block_on(end.wait());
/// drop(guard);
/// let slow: &Holdup = report.slowest.as_ref().unwrap();
/// assert!(matches!(slow.what, Held::Guard | Held::Task));
/// let queue: &QueueReport = &report.queues[0];
/// assert_eq!((&*queue.name, queue.after), ("orders", 3));
/// println!("exit code {}, clean: {}", report.exit_code(), report.is_clean());
///
/// // What is spawned on other threads goes there, while it is driven.
/// LocalRuntime::new().unwrap().set_default();
/// ```
pub mod runtime {
    pub use goro_runtime::metrics::{Metrics, PoolMetrics, Waits, WorkerMetrics};
    pub use goro_runtime::{
        BuildError, Builder, DrainPolicy, EnterGuard, Guard, Guarded, Handle, Held, Holdup,
        LocalRuntime, NoRuntime, Phase, Queue, QueueReport, ResizeError, Runtime, ShutdownHandle,
        ShutdownReport, Stall,
    };
}

/// Locks, permits, signals: what tasks share, and how they wait for each other.
///
/// All of it works without a runtime, too, and has variants for threads that would rather block.
pub mod sync {
    pub use goro_sync::{
        AcquireError, Barrier, BarrierWait, Event, FairMutex, LazyCell, Mutex, MutexGuard,
        Notified, Notify, OnceCell, OwnedMutexGuard, OwnedPermit, OwnedRwLockReadGuard,
        OwnedRwLockWriteGuard, Permit, Pool, PoolStats, Pooled, RwLock, RwLockReadGuard,
        RwLockWriteGuard, Semaphore, SetError, SingleFlight, TooManyPermits, TryAcquireError,
        TryLockError, WaitAtBarrier, WaitForEvent,
    };
}

/// Asking work to stop: tokens in a tree, with causes and deadlines.
pub mod cancel {
    pub use goro_sync::cancel::*;
}

/// Time: sleeping, deadlines, intervals.
///
/// ```
/// use goro::time::{Duration, Elapsed, interval_at, now, sleep_until, timeout_at};
///
/// # #[goro::main]
/// # async fn main() {
/// let soon = now() + Duration::from_millis(1);
/// sleep_until(soon).await;
/// assert!(now() >= soon);
/// let late: Result<(), Elapsed> = timeout_at(soon, std::future::pending()).await;
/// assert!(late.is_err());
/// assert!(interval_at(soon, Duration::from_secs(1)).tick().await >= soon);
/// # }
/// ```
pub mod time {
    pub use goro_runtime::time::*;
}

/// Channels: values from any number of senders to any number of receivers.
///
/// ```
/// use goro::channel::bounded;
///
/// let (tx, rx) = bounded(1);
/// let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
/// assert!(weak_tx.upgrade().is_some() && weak_rx.upgrade().is_some());
/// rx.close();
/// let error = tx.blocking_send(String::from("kept")).unwrap_err();
/// assert_eq!(error.into_inner(), "kept", "what is not sent comes back, by whatever way");
/// ```
pub mod channel {
    pub use goro_sync::channel::*;
}

/// Sockets.
#[cfg(feature = "net")]
pub mod net {
    pub use goro_net::*;
}

// `race` and `select` are a function and a macro, and modules of the same names.
pub use goro_runtime::ShutdownHandle;
pub use goro_runtime::task::{JoinSet, TaskGroup, local_scope, scope_blocking};
pub use goro_sync::{CancellationToken, broadcast, oneshot, race, race_ok, request, select, watch};

/// Signals of the operating system.
///
/// ```
/// use goro::signal::{SignalKind, ctrl_c, signal};
///
/// # #[goro::main]
/// # async fn main() {
/// let mut hangups = signal(SignalKind::hangup()).expect("it can be listened to");
/// goro::select! {
///     ended = ctrl_c() => ended.expect("it can be listened to"),
///     () = hangups.recv() => println!("read the configuration again"),
///     default => println!("neither has come"),
/// }
/// # }
/// ```
pub mod signal {
    pub use goro_runtime::signal::{Signal, SignalKind, ctrl_c, signal};
}

/// The production runtime under a seed, for tests: seeded order, virtual time.
///
/// ```
/// use goro::sim::Kind;
///
/// let kind = Kind::named("job", std::panic::Location::caller());
/// assert_eq!(Kind::from_index(kind.index()), kind);
/// assert!(Kind::all().any(|known| known == kind));
/// ```
///
/// A run that comes to no end says who waits for what:
///
/// ```
/// use goro::sim::{Failure, Schedule, Sim, Stall, Waiting};
///
/// let outcome = Sim::new(1).schedule(Schedule::Random).run(async {
///     drop(goro::spawn(std::future::pending::<()>()));
///     std::future::pending::<()>().await
/// });
/// let Err(Failure::Stalled(stall)) = outcome else { panic!("it stalls") };
/// let Stall { tasks, .. } = &stall;
/// let task: &Waiting = &tasks[0];
/// println!("{} waits: {}", task.kind.name(), task.op.as_str());
/// ```
#[cfg(feature = "sim")]
pub mod sim {
    pub use goro_sim::*;
}

#[cfg(feature = "macros")]
pub use goro_macros::{main, test};

/// Spawns a block as a task: `go! { .. }` is `goro::spawn(async move { .. })`.
///
/// # Example
/// ```
/// # #[goro::main]
/// # async fn main() {
/// let name = String::from("goro");
/// let task = goro::go! { name.len() };
/// assert_eq!(task.await.unwrap(), 4);
/// # }
/// ```
#[macro_export]
macro_rules! go {
    ($($body:tt)*) => {
        $crate::spawn(async move { $($body)* })
    };
}

/// What the attributes expand to; not for anyone else.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    use crate::ShutdownHandle;
    use crate::runtime::{BuildError, Builder, Guard, LocalRuntime, Runtime};
    use core::future::Future;
    use core::pin::pin;
    use futures::future::{Either, select};

    fn build(workers: Option<usize>) -> Result<Runtime, BuildError> {
        let builder = Builder::new();
        match workers {
            Some(workers) => builder.workers(workers).build(),
            None => builder.build(),
        }
    }

    /// Runs a program's main future; a runtime that cannot be built ends the program with an
    /// error on standard error and exit code 1.
    pub fn main<F: Future>(workers: Option<usize>, main: F) -> F::Output {
        let runtime = build(workers).unwrap_or_else(|error| give_up(&error));
        runtime.set_default();
        runtime.block_on(main)
    }

    /// As [`main`](fn@main), on this thread alone.
    pub fn local_main<F: Future>(main: F) -> F::Output {
        let runtime = LocalRuntime::new().unwrap_or_else(|error| give_up(&error));
        runtime.set_default();
        runtime.block_on(main)
    }

    /// As [`main`](fn@main), and signals end it in an orderly way, which waits for `main` if it is `guarded`.
    pub fn shutdown_main<F: Future>(
        workers: Option<usize>,
        guarded: bool,
        main: impl FnOnce(ShutdownHandle) -> F,
    ) -> F::Output {
        let runtime = build(workers).unwrap_or_else(|error| give_up(&error));
        runtime.set_default();
        let end = listens(runtime.handle().shutdown());
        runtime.block_on(conducted(end, guarded, main))
    }

    /// As [`shutdown_main`], on this thread alone.
    pub fn local_shutdown_main<F: Future>(
        guarded: bool,
        main: impl FnOnce(ShutdownHandle) -> F,
    ) -> F::Output {
        let runtime = LocalRuntime::new().unwrap_or_else(|error| give_up(&error));
        runtime.set_default();
        let end = listens(runtime.handle().shutdown());
        runtime.block_on(conducted(end, guarded, main))
    }

    fn listens(end: ShutdownHandle) -> ShutdownHandle {
        if let Err(error) = end.listen_signals() {
            give_up(&error)
        }
        end
    }

    /// Runs `main` until it is done, and then everything to its end; or until everything has ended.
    async fn conducted<F: Future>(
        end: ShutdownHandle,
        guarded: bool,
        main: impl FnOnce(ShutdownHandle) -> F,
    ) -> F::Output {
        // Not its scope: what it has spawned is guarded if it says so.
        let guard: Option<Guard> = if guarded { end.guard().ok() } else { None };
        let main = main(end.clone());
        let (report, output) = match select(pin!(main), pin!(end.wait())).await {
            Either::Left((output, stopped)) => {
                drop(guard);
                end.initiate("main has returned");
                (stopped.await, Some(output))
            }
            Either::Right((report, _main)) => (report, None),
        };
        if !report.is_clean() {
            eprintln!("goro: {report}");
        }
        match output {
            Some(output) => output,
            None => std::process::exit(report.exit_code().into()),
        }
    }

    fn give_up(error: &dyn core::fmt::Display) -> ! {
        eprintln!("error: the goro runtime was not started: {error}");
        std::process::exit(1)
    }

    /// Runs a test's future.
    ///
    /// # Panics
    /// When the runtime cannot be built.
    pub fn test<F: Future>(workers: Option<usize>, test: F) -> F::Output {
        match build(workers) {
            Ok(runtime) => runtime.block_on(test),
            Err(error) => panic!("the goro runtime was not started: {error}"),
        }
    }

    /// Runs a test's future on this thread alone.
    ///
    /// # Panics
    /// When the runtime cannot be built.
    pub fn local_test<F: Future>(test: F) -> F::Output {
        match LocalRuntime::new() {
            Ok(runtime) => runtime.block_on(test),
            Err(error) => panic!("the goro runtime was not started: {error}"),
        }
    }

    /// Runs a test's future under each seed, until one gives an error.
    ///
    /// # Panics
    /// When the future does, and when a run comes to no end.
    #[cfg(feature = "sim")]
    pub fn simulate<F>(workers: Option<usize>, seeds: u64, test: impl Fn() -> F) -> F::Output
    where
        F: Future + 'static,
        F::Output: Verdict + 'static,
    {
        let mut last = None;
        crate::sim::explore_while(seeds, |sim| {
            let sim = workers.into_iter().fold(sim, crate::sim::Sim::workers);
            let verdict = sim.run(test()).unwrap_or_else(|failure| panic!("{failure}"));
            let passed = !verdict.is_failure();
            last = Some(verdict);
            passed
        });
        last.expect("there is a seed: the attribute refuses none")
    }

    /// What a test may return: whether that is a failure.
    #[cfg(feature = "sim")]
    #[diagnostic::on_unimplemented(
        message = "a simulated test returns `()` or a `Result`, not `{Self}`"
    )]
    pub trait Verdict {
        /// Whether the test has failed.
        fn is_failure(&self) -> bool;
    }

    #[cfg(feature = "sim")]
    impl Verdict for () {
        fn is_failure(&self) -> bool {
            false
        }
    }

    #[cfg(feature = "sim")]
    impl<T, E> Verdict for Result<T, E> {
        fn is_failure(&self) -> bool {
            self.is_err()
        }
    }
}

/// The programs of the page on cancellation, kept running.
#[cfg(all(doctest, feature = "macros", feature = "net"))]
#[doc = include_str!("../../../docs/cancellation.md")]
pub struct Cancellation;

/// The programs of the page on simulation, kept running.
#[cfg(all(doctest, feature = "macros", feature = "net", feature = "sim"))]
#[doc = include_str!("../../../docs/simulation.md")]
pub struct Simulation;

/// The programs of the page on shutdown, kept running.
#[cfg(all(doctest, feature = "macros", feature = "net"))]
#[doc = include_str!("../../../docs/shutdown.md")]
pub struct Shutdown;

/// The README's program, kept compiling.
#[cfg(all(doctest, feature = "macros", feature = "net"))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
