//! The handle that users have.

use core::fmt;
use core::future::Future;
use core::panic::Location;

use goro_context::Cause;
use goro_context::cause::Text;
use goro_shim::Arc;
use goro_shim::atomic::fence_seqcst;
use goro_shim::time::Duration;
use goro_sync::cancel::WaitForCancellation;
use goro_sync::watch;

use super::drain::Hook;
use super::guard::{Guard, Holder};
use super::phase::Phase;
use super::policy::DrainPolicy;
use super::queues::Queue;
use super::report::ShutdownReport;
use super::subject::WholeRuntime;
use super::unit::Unit;
use crate::ground::Ground;

/// Ends a runtime, or a group of tasks, in an orderly way: what was begun is finished, nothing else is taken,
/// and the report says what became of everybody.
///
/// From [`Handle::shutdown`](crate::Handle::shutdown). All clones are one.
///
/// | phase | who may spawn | what happens |
/// |---|---|---|
/// | [`Running`](Phase::Running) | all | |
/// | [`Draining`](Phase::Draining) | [guarded](Guard) work | hooks run; guards are waited for, as long as the [policy](DrainPolicy) allows |
/// | [`Terminating`](Phase::Terminating) | nobody | all tasks are asked to end, and after a [grace](Self::set_grace) of five seconds dropped |
/// | [`Stopped`](Phase::Stopped) | nobody | the report is there |
///
/// # Sources
/// tokio-graceful-shutdown for the idea that a runtime should have it; Go's `http.Server.Shutdown` for draining
/// before closing.
///
/// # Example
/// ```
/// use goro_runtime::{Runtime, spawn, time::{Duration, sleep}};
///
/// let runtime = Runtime::new()?;
/// let shutdown = runtime.handle().shutdown();
/// let answer = runtime.block_on(async {
///     let request = shutdown.guard().unwrap();
///     let answer = request.spawn(async {
///         sleep(Duration::from_millis(5)).await;
///         "answered"
///     });
///     drop(request); // The task has its own by now.
///     shutdown.initiate("SIGTERM");
///     assert!(spawn(async {}).await.is_err());
///     answer.await.unwrap()
/// });
/// assert_eq!(answer, "answered");
/// let report = runtime.block_on(shutdown.wait());
/// assert_eq!((report.drained, report.aborted, report.refused), (1, 0, 1));
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
///
/// ```
/// use goro_runtime::{Runtime, task};
///
/// let runtime = Runtime::new().unwrap();
/// let end = runtime.handle().shutdown();
/// // For a load balancer.
/// end.set_ready(true);
/// let ready = end.readiness();
/// assert!(end.is_ready() && *ready.borrow());
/// let work = runtime.spawn({
///     let end = end.clone();
///     async move {
///         let reason = end.draining().await;
///         end.terminating().await;
///         reason
///     }
/// });
/// end.initiate("enough");
/// assert!(!end.is_ready(), "who drains takes nothing else");
/// let report = runtime.block_on(end.wait());
/// assert!(report.is_clean(), "{report}");
/// drop(work);
/// ```
///
/// ```
/// use goro_runtime::{DrainPolicy, Held, Phase, Runtime};
/// use std::time::Duration;
///
/// let runtime = Runtime::new().unwrap();
/// let end = runtime.handle().shutdown();
/// end.set_policy(DrainPolicy::fixed(Duration::from_millis(1)));
/// end.set_grace(Duration::ZERO);
/// end.track_depth("orders", || 3);
/// let (_tx, queue) = goro_sync::channel::bounded::<u8>(8);
/// end.track_queue(&queue);
/// assert_eq!(end.phase(), Phase::Running);
/// let guard = end.guard().unwrap();
/// let _work = guard.spawn_named("work", std::future::pending::<()>());
/// end.initiate("enough");
/// let report = runtime.block_on(end.wait());
/// drop(guard);
/// assert!(report.timed_out && !report.is_clean());
/// assert!(report.held.iter().any(|holdup| holdup.what == Held::Guard));
/// assert_eq!(report.queues[0].after, 3);
/// println!("exit code {}", report.exit_code());
/// // Too late for that.
/// end.force("now");
/// ```
#[derive(Clone)]
pub struct ShutdownHandle {
    pub(super) unit: Arc<Unit>,
}

impl ShutdownHandle {
    pub(crate) fn of(ground: &Arc<Ground>) -> Self {
        let make = || {
            let ground = Arc::downgrade(ground);
            Unit::new(Box::new(WholeRuntime(ground.clone())), ground)
        };
        let unit = ground.ending.get_or_init(make);
        // Partner: the fence in `Gate::close`.
        fence_seqcst();
        if ground.hub.is_closing() {
            // Before anybody has asked for a handle, perhaps.
            unit.closes();
        }
        Self::new(unit)
    }

    pub(crate) fn new(unit: &Arc<Unit>) -> Self {
        Self { unit: Arc::clone(unit) }
    }

    /// Begins to drain, for this reason. False if that has begun; the first reason counts. Waits for nothing.
    ///
    /// Whoever waits for [`draining`](Self::draining) is woken here, on this thread.
    pub fn initiate(&self, reason: impl Into<Cause>) -> bool {
        self.unit.initiate(reason.into())
    }

    /// Ends it now: the drain has no more time, nor has anybody for ending by itself. Begins the end if
    /// nobody has.
    pub fn force(&self, reason: impl Into<Cause>) {
        self.unit.force(reason.into());
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.unit.phase()
    }

    /// Waits until it drains, or is further, and says why.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    pub fn draining(&self) -> WaitForCancellation<'_> {
        self.unit.draining.cancelled()
    }

    /// Waits until everybody is asked to end, and says why.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    pub fn terminating(&self) -> WaitForCancellation<'_> {
        self.unit.terminating.cancelled()
    }

    /// Whether new work is welcome: for the answer to a balancer's question. False once it drains, and while
    /// [`set_ready`](Self::set_ready) says so.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.unit.ready.borrow()
    }

    /// A watch of [`is_ready`](Self::is_ready).
    #[must_use]
    pub fn readiness(&self) -> watch::Receiver<bool> {
        self.unit.ready.subscribe()
    }

    /// Says whether new work is welcome. Nothing makes it so again once it drains.
    pub fn set_ready(&self, ready: bool) {
        self.unit.ready.send_if_modified(|now| {
            let ready = ready && self.phase() == Phase::Running;
            core::mem::replace(now, ready) != ready
        });
    }

    /// Says that there is work in hand: the drain waits until the guard is dropped.
    ///
    /// Also while it drains: a connection that stood in the kernel's queue is work that was begun. What spawns
    /// then does so through the guard.
    ///
    /// # Errors
    /// [`Cause::Shutdown`] once it is terminating: nobody waits any more.
    #[track_caller]
    pub fn guard(&self) -> Result<Guard, Cause> {
        self.unit.enter(Holder::here(Location::caller()))
    }

    /// Has `hook` run when it drains, as guarded work of its own; those with the highest priority first, and
    /// those of one priority beside each other. The next level begins when all of one have ended, by a panic
    /// too.
    ///
    /// While it drains, the hook still has its turn. After that it is dropped, and this is false.
    ///
    /// ```
    /// let runtime = goro_runtime::Runtime::new()?;
    /// let shutdown = runtime.handle().shutdown();
    /// let (tell, told) = std::sync::mpsc::channel();
    /// for (priority, name) in [(1, "flush"), (9, "stop accepting")] {
    ///     let tell = tell.clone();
    ///     shutdown.on_drain(priority, move || async move { tell.send(name).unwrap() });
    /// }
    /// shutdown.initiate("enough");
    /// runtime.block_on(shutdown.wait());
    /// assert_eq!(told.try_iter().collect::<Vec<_>>(), ["stop accepting", "flush"]);
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[track_caller]
    pub fn on_drain<F, W>(&self, priority: i32, hook: F) -> bool
    where
        F: FnOnce() -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let start = Box::new(move || Box::pin(hook()) as _);
        self.unit.add_hook(priority, Hook { site: Location::caller(), start })
    }

    /// Has the drain wait until nothing stands in this channel, and the report say how much stood there.
    ///
    /// A value that was taken from it is waited for by the guard that its taker has. Whoever takes one guards
    /// it before doing anything else: the drain goes on some milliseconds after the last value has gone.
    #[track_caller]
    pub fn track_queue(&self, queue: &impl Queue) {
        let name = queue.called().unwrap_or_else(|| Text::from(Location::caller().to_string()));
        self.unit.track(name, queue.gauge());
    }

    /// As [`track_queue`](Self::track_queue), for anything that can say how much stands in it. `depth` must not
    /// block; it is called by whoever conducts the drain. One that panics says that nothing stands there.
    pub fn track_depth(
        &self,
        name: impl Into<Text>,
        depth: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        self.unit.track(name.into(), Box::new(depth));
    }

    /// Chooses how long the drain may take; as long as it goes on, also for it.
    pub fn set_policy(&self, policy: DrainPolicy) {
        self.unit.plan.lock().policy = policy;
        self.unit.look();
    }

    /// Chooses how long tasks have for ending by themselves when they are asked to; default: five seconds, as
    /// for a task that is [cancelled](crate::task::JoinHandle::cancel). Counts from the next end of a drain on.
    ///
    /// Who ends in time is not waited for any longer: what takes all of it are tasks that wait for something
    /// that has no error to give, a sleep or a lock. A program with such tasks chooses less, or has them wait
    /// for [`terminating`](Self::terminating) as well.
    pub fn set_grace(&self, grace: Duration) {
        self.unit.set_grace(grace);
    }

    /// Waits until it has stopped, whoever has begun that. Begins nothing.
    ///
    /// Inside a task of the runtime that ends this never completes: the task is ended first. Wait in
    /// `block_on`, or in another runtime.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    pub async fn wait(&self) -> ShutdownReport {
        self.unit.stopped.wait().await;
        self.report().expect("what has stopped has a report")
    }

    /// The report, once it has stopped.
    #[must_use]
    pub fn report(&self) -> Option<ShutdownReport> {
        self.unit.report().cloned()
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownHandle").field("unit", &self.unit).finish()
    }
}
