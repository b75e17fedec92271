//! A runtime that is one thread: the caller's.
//!
//! The same hub, timers, reactor and blocking pools as any other runtime's, with one worker, which has
//! no thread of its own: [`LocalRuntime::block_on`] steps it on the caller's. There is no monitor, and
//! no thread at all but those of blocking pools.
//!
//! ```text
//!  block_on ──▶ woken? poll the future ──▶ done: return
//!      ▲            │
//!      │            ▼
//!      └── ran ── step the worker ── nothing to run ──▶ sleep, in the reactor
//! ```
//!
//! Inside one of its tasks, `block_on` goes round in the same way, with the task's context put aside:
//! its other tasks run meanwhile. (The task itself cannot, nor those that wait further down the stack.)
//!
//! Invariants:
//! 1. The worker is this thread's current one inside `block_on`, and as it ends; at no other time.
//! 2. What wakes the future gives the worker its token, so that it wakes from wherever it sleeps.
//! 3. Dropped, the runtime has dropped every future of its tasks, on this thread.
//!
//! Left out: running on after the thread has left `block_on`. Tasks wait for the next one.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use goro_context::{Kind, budget, note};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::thread::thread_local;
use goro_shim::time;
use goro_task::JoinHandle;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::task::Wake;

use crate::block_on::{Aside, SelfJoin, self_join, waits_for_itself};
use crate::builder::{BuildError, Builder};
use crate::current;
use crate::driver::os::OsDriver;
use crate::ground::{Ground, Leaving};
use crate::handle::{EnterGuard, Handle};
use crate::metrics::Metrics;
use crate::shard::Shard;
use crate::worker::{Step, Worker};

/// A runtime on the caller's thread, whose tasks need not be `Send`.
///
/// Tasks run while the thread is inside [`block_on`](Self::block_on), and only then. Timers and sockets
/// are the same as on other runtimes, and [`spawn`](crate::spawn) from any thread works as well.
///
/// Dropping it drops the futures of all its tasks, on this thread, and waits for blocking jobs that run
/// (not inside another runtime's task, where waiting would block a worker).
///
/// It stays on its thread:
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<goro_runtime::LocalRuntime>();
/// ```
///
/// # Example
/// ```
/// use goro_runtime::{LocalRuntime, time::{Duration, sleep}};
/// use std::rc::Rc;
/// let runtime = LocalRuntime::new()?;
/// let name = Rc::new(String::from("not sent"));
/// let task = runtime.spawn_local({
///     let name = name.clone();
///     async move {
///         sleep(Duration::from_millis(1)).await;
///         name.len()
///     }
/// });
/// assert_eq!(runtime.block_on(task).unwrap(), 8);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::{Builder, LocalRuntime};
///
/// let runtime: LocalRuntime = Builder::new().name("window").build_local().unwrap();
/// assert_eq!(runtime.handle().name(), "window");
/// let inside = runtime.enter();
/// let task = goro_runtime::spawn(async { 7 });
/// drop(inside);
/// assert_eq!(runtime.block_on(task).unwrap(), 7);
/// let task = runtime.spawn_local(async { std::rc::Rc::new(8) });
/// assert_eq!(*runtime.block_on(task).unwrap(), 8);
/// assert_eq!(runtime.metrics().tasks_live, 0);
/// ```
pub struct LocalRuntime {
    handle: Handle,
    carrier: Rc<Carrier>,
    #[expect(dead_code, reason = "its drop is what it is for, and comes last")]
    threads: Threads,
}

/// This thread, as the one that steps a local runtime's worker.
pub(crate) struct Carrier {
    shard: &'static Shard,
    worker: Worker,
    #[expect(dead_code, reason = "its drop is what it is for, and comes after the worker's")]
    leaving: Leaving,
}

/// The threads of the blocking pools, waited for at the end.
struct Threads(Arc<OsDriver>, Arc<Ground>);

thread_local! {
    /// The carriers whose thread this is.
    static CARRIERS: RefCell<Vec<Weak<Carrier>>> = const { RefCell::new(Vec::new()) };
}

impl LocalRuntime {
    /// A local runtime as [`Builder::new`] makes it.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn new() -> Result<Self, BuildError> {
        Builder::new().build_local()
    }

    pub(crate) fn of(ground: &Arc<Ground>, driver: Arc<OsDriver>, worker: Worker) -> Self {
        let leaving = Leaving::of(ground, worker.shard());
        let carrier = Rc::new(Carrier { shard: worker.shard(), worker, leaving });
        let _as_the_thread_ends = CARRIERS.try_with(|all| {
            let mut all = all.borrow_mut();
            all.retain(|carrier| carrier.strong_count() > 0);
            all.push(Rc::downgrade(&carrier));
        });
        Self { handle: Handle::of(ground), carrier, threads: Threads(driver, Arc::clone(ground)) }
    }

    /// A way in that can be kept and sent. What is spawned through it from other threads must be
    /// `Send`, and runs on this one.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a future to its end on this thread, and the runtime's tasks beside it.
    ///
    /// Also inside one of its own tasks: the others run meanwhile.
    ///
    /// # Panics
    /// When the future does, and when a task of its own waits here for its own end.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.carrier.drive(future, None).unwrap_or_else(|SelfJoin| self_join())
    }

    /// Starts a task whose future stays on this thread; see [`spawn_local`](crate::spawn_local). It
    /// runs when this thread is inside [`block_on`](Self::block_on).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let kind = Kind::at(Location::caller());
        super::start_at(self.carrier.worker.locals(), future, kind)
    }

    /// Makes this runtime the thread's current one until the guard is dropped, for
    /// [`spawn`](crate::spawn) and for what asks for timers or sockets.
    #[must_use = "the runtime is entered until the guard is dropped"]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Makes this the process's default runtime, as [`Runtime::set_default`](crate::Runtime::set_default)
    /// does: what threads that are in no runtime spawn runs while this one is inside
    /// [`block_on`](Self::block_on), and is cancelled once the runtime is dropped.
    pub fn set_default(&self) {
        crate::default::set(Arc::clone(self.handle.ground()));
    }

    /// What the runtime has done so far.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.handle.metrics()
    }
}

impl Carrier {
    /// The one that steps a worker on this thread just now.
    pub(crate) fn here() -> Option<Rc<Self>> {
        let own = current::own()?;
        let find = |all: &RefCell<Vec<Weak<Self>>>| {
            let all = all.borrow();
            let mut living = all.iter().filter_map(Weak::upgrade);
            living.find(|carrier| core::ptr::eq(carrier.shard, own))
        };
        CARRIERS.try_with(find).ok().flatten()
    }

    /// Drives `future` to its end, polled inside the runtime of `handle` if there is one.
    pub(crate) fn drive<F: Future>(
        &self,
        future: F,
        handle: Option<&Handle>,
    ) -> Result<F::Output, SelfJoin> {
        let nested = current::own().is_some_and(|own| core::ptr::eq(own, self.shard));
        // Another runtime's worker, which a task of its own is about to block.
        let others = current::own().is_some() && !nested && Self::here().is_none();
        let aside = if others { Aside::begin_anyway() } else { None };
        aside.iter().for_each(|aside| _ = aside.cover());
        let _here = (!nested).then(|| Mounted::on(self));
        let mut future = pin!(future);
        let root = Arc::new(Root { woken: AtomicBool::new(true), shard: self.shard });
        let waker = Waker::from(Arc::clone(&root));
        let mut cx = Context::from_waker(&waker);
        loop {
            if root.take() {
                let _inside = handle.map(Handle::enter);
                note::clear();
                // Panic: the future's own passes through; the guards put everything back.
                let polled = budget::with(budget::LIMIT, || future.as_mut().poll(&mut cx));
                if let Poll::Ready(output) = polled {
                    return Ok(output);
                }
                if waits_for_itself() {
                    return Err(SelfJoin);
                }
            }
            current::aside(|| self.turn(&root));
        }
    }

    /// Runs tasks until `root` is woken, and at least one if there is one.
    fn turn(&self, root: &Root) {
        loop {
            match self.worker.step() {
                Step::Ran => {}
                Step::Idle if root.is_woken() => {}
                Step::Idle => self.worker.rest(),
                // Inside a destructor, as the runtime ends: what is waited for may have to be cancelled.
                Step::Closing => self.worker.close_a_little(),
                // Spares leave, and workers that are sent home; this one is neither.
                Step::Leave => {}
            }
            if root.is_woken() {
                return;
            }
        }
    }

    /// Ends every task.
    fn close_down(&self) {
        let _here = Mounted::on(self);
        self.worker.close_down();
    }
}

/// The worker is its thread's current one until this is dropped.
struct Mounted<'a> {
    carrier: &'a Carrier,
    scope: Option<current::Scope>,
}

impl<'a> Mounted<'a> {
    fn on(carrier: &'a Carrier) -> Self {
        Self { carrier, scope: Some(current::work_for(carrier.shard)) }
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // What the worker has entered since, because a task had left something entered.
        self.carrier.worker.end();
        drop(self.scope.take());
    }
}

/// What wakes the future of one `block_on`.
struct Root {
    woken: AtomicBool,
    shard: &'static Shard,
}

impl Root {
    fn take(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `wake_by_ref`.
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::Acquire)
    }

    fn is_woken(&self) -> bool {
        // Whoever wakes sets this before it gives the token that ends a sleep.
        self.woken.load(Ordering::Relaxed)
    }
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: Release pairs with the Acquire in `take`: the poll sees what was written before.
        if !self.woken.swap(true, Ordering::AcqRel)
            && !current::own().is_some_and(|own| core::ptr::eq(own, self.shard))
        {
            self.shard.hub.nudge(self.shard.index);
        }
    }
}

impl Drop for LocalRuntime {
    fn drop(&mut self) {
        self.handle.ground().close();
        self.carrier.close_down();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A worker that waited here would be held up.
        if current::own().is_none() && !self.0.is_served_by_this_thread() {
            let conducted = self.1.patience();
            self.0.join(conducted.map(|patience| time::now() + patience));
        }
    }
}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime").field("handle", &self.handle).finish_non_exhaustive()
    }
}
