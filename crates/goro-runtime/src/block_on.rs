//! Driving a future on the calling thread, which blocks in between.
//!
//! On a worker, others would wait for what it has in its queue, and there would be one worker less. So
//! it *stands aside* for as long:
//!
//! | when | what |
//! |---|---|
//! | it begins | what the thread spawns and wakes goes where others find it; thieves may take its next slot; it is entitled to a spare, if the limit is not reached |
//! | it is about to sleep, the first time | it starts the spare, unless enough are there |
//! | it sleeps, and no spare could be had | it looks after the runtime itself, if nobody else does (`alone`) |
//! | it ends, unwinding included | all of that ends; the spare stays for a while |
//!
//! A block inside a block counts once: the thread is blocked already.
//!
//! Invariants:
//! 1. While the future is polled the thread is what it was before the call; only on a worker it
//!    stands aside, so that nobody waits for what stands in its queue.
//! 2. The thread's waker is kept for the next call. A wake that comes late, meant for an earlier
//!    future, costs the next one a poll for nothing.
//! 3. Whatever [`Aside`] has begun it ends when it is dropped, on the thread that made it.
//!
//! Left out: running other tasks on this thread while anybody else can. Two blocks on one stack end in
//! the order of the stack, so the lower one would wait for the upper one, which may wait for the lower
//! one. (A local runtime, whose tasks nobody else can run, has to: `local/runtime.rs`.)

use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use goro_context::{Op, budget, note, task};
use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::thread::thread_local;
use std::task::Wake;

use crate::handle::Handle;
use crate::local::Carrier;
use crate::shard::Shard;
use crate::spares::{self, AtLimit};
use crate::{alone, current};

/// Wakes the thread that waits in [`block_on`].
#[derive(Debug)]
struct Unpark(Parker);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.0.give() == Nudge::Thread {
            self.0.wake_thread();
        }
    }
}

/// Runs a future to its end on this thread, which sleeps while the future waits.
///
/// Legal anywhere. Inside a task the worker is blocked until the future is done: what else stood in
/// its queue is offered to the other workers, and a spare worker takes its place (at most 512 at a time,
/// see [`Builder::block_spares`](crate::Builder::block_spares)). With nothing entered, the future runs
/// all the same: deadlines work, and what needs a runtime finds the process's default one.
///
/// # Panics
/// When the future does, and when a task waits here for its own end, which would be for ever;
/// [`try_block_on`] does not.
///
/// # Example
/// ```
/// assert_eq!(goro_runtime::block_on(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let ended = match on_local(future, None) {
        Ok(ended) => ended,
        Err(future) => drive(future, Aside::begin_anyway().as_ref()),
    };
    ended.unwrap_or_else(|SelfJoin| self_join())
}

/// Where this thread steps a local runtime, nobody else would run what the future waits for: its tasks
/// are run meanwhile. Elsewhere the future comes back.
fn on_local<F: Future>(
    future: F,
    handle: Option<&Handle>,
) -> Result<Result<F::Output, SelfJoin>, F> {
    match Carrier::here() {
        Some(carrier) => Ok(carrier.drive(future, handle)),
        None => Err(future),
    }
}

/// As [`block_on`], but refuses where it would leave the runtime with a worker less, or never return.
///
/// # Errors
/// [`BlockOnError`]: as many workers are inside `block_on` as may have a spare (the future comes back,
/// unpolled), or the task that calls waits for its own end (the future is dropped).
///
/// # Panics
/// When the future does.
///
/// # Example
/// ```
/// assert_eq!(goro_runtime::try_block_on(async { 6 * 7 }).unwrap(), 42);
/// ```
pub fn try_block_on<F: Future>(future: F) -> Result<F::Output, BlockOnError<F>> {
    let future = match on_local(future, None) {
        Ok(ended) => return ended.map_err(|SelfJoin| BlockOnError::Itself),
        Err(future) => future,
    };
    match Aside::begin() {
        Ok(aside) => drive(future, aside.as_ref()).map_err(|SelfJoin| BlockOnError::Itself),
        Err(AtLimit(limit)) => Err(BlockOnError::Limit { future, limit }),
    }
}

/// As [`block_on`], with the runtime of `handle` entered. A worker stands aside first: once inside
/// another runtime, the thread would not look like a worker.
#[track_caller]
pub(crate) fn inside<F: Future>(handle: &Handle, future: F) -> F::Output {
    let ended = match on_local(future, Some(handle)) {
        Ok(ended) => ended,
        Err(future) => {
            let aside = Aside::begin_anyway();
            let _inside = handle.enter();
            drive(future, aside.as_ref())
        }
    };
    ended.unwrap_or_else(|SelfJoin| self_join())
}

/// As [`try_block_on`], with the runtime of `handle` entered.
pub(crate) fn try_inside<F: Future>(
    handle: &Handle,
    future: F,
) -> Result<F::Output, BlockOnError<F>> {
    let future = match on_local(future, Some(handle)) {
        Ok(ended) => return ended.map_err(|SelfJoin| BlockOnError::Itself),
        Err(future) => future,
    };
    match Aside::begin() {
        Ok(aside) => {
            let _inside = handle.enter();
            drive(future, aside.as_ref()).map_err(|SelfJoin| BlockOnError::Itself)
        }
        Err(AtLimit(limit)) => Err(BlockOnError::Limit { future, limit }),
    }
}

/// Runs `job`, which will block, on this thread, having told the others.
pub(crate) fn blocking(job: &mut dyn FnMut()) {
    // A local runtime has nobody who could stand in.
    let aside = if Carrier::here().is_some() { None } else { Aside::begin_anyway() };
    aside.iter().for_each(|aside| _ = aside.cover());
    job();
}

/// Why [`try_block_on`] did not run a future.
#[non_exhaustive]
pub enum BlockOnError<F> {
    /// As many workers are inside `block_on` as may have a spare.
    Limit {
        /// The future, unpolled.
        future: F,
        /// How many may.
        limit: u32,
    },
    /// The task waits for its own end.
    Itself,
}

impl<F> fmt::Debug for BlockOnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { limit, .. } => {
                f.debug_struct("Limit").field("limit", limit).finish_non_exhaustive()
            }
            Self::Itself => f.write_str("Itself"),
        }
    }
}

impl<F> fmt::Display for BlockOnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { limit, .. } => write!(
                f,
                "{limit} workers are inside block_on, and no more may have a spare worker: await \
                 instead of blocking, or raise Builder::block_spares"
            ),
            Self::Itself => f.write_str(SELF_JOIN),
        }
    }
}

impl<F> std::error::Error for BlockOnError<F> {}

const SELF_JOIN: &str = "a task blocks until its own end, which cannot come while it blocks: have \
     another task wait for this one's JoinHandle, or drop the handle";

#[cold]
#[track_caller]
pub(crate) fn self_join() -> ! {
    panic!("block_on: {SELF_JOIN}")
}

/// The task that is polled here waits for its own end.
pub(crate) struct SelfJoin;

fn drive<F: Future>(future: F, aside: Option<&Aside>) -> Result<F::Output, SelfJoin> {
    let mut future = pin!(future);
    let seat = Seat::take();
    let mut cx = Context::from_waker(&seat.waker);
    loop {
        note::clear();
        // Panic: the future's own passes through; nothing is held, and the seat is not kept.
        let polled = budget::with(budget::LIMIT, || future.as_mut().poll(&mut cx));
        if let Poll::Ready(output) = polled {
            seat.keep();
            return Ok(output);
        }
        if waits_for_itself() {
            return Err(SelfJoin);
        }
        let alone = aside.filter(|aside| !aside.cover());
        match alone {
            Some(aside) => alone::wait(aside.shard, &seat.unpark.0),
            None => wait(&seat.unpark.0),
        }
        task::redate_ids();
    }
}

/// Whether the task that is polled here has asked last for its own end.
pub(crate) fn waits_for_itself() -> bool {
    let wait = note::take();
    // A script that reports who waits reads it too.
    note::replace(wait);
    wait.op == Op::Join && task::current().is_some_and(|task| task.id.get() == wait.object)
}

/// Sleeps until the token comes. Inside a script's runtime there is nobody else to give it: the
/// script goes on meanwhile.
fn wait(parker: &Parker) {
    let ground = current::entered()
        .filter(|foreign| foreign.hub.is_scripted())
        .and_then(|foreign| foreign.hub.ground());
    let _token = match ground {
        Some(ground) => ground.driver.wait(parker, None),
        None => parker.sleep(None),
    };
}

/// This thread's place to sleep, and what wakes it there.
struct Seat {
    unpark: Arc<Unpark>,
    waker: Waker,
}

thread_local! {
    static KEPT: Cell<Option<Seat>> = const { Cell::new(None) };
}

impl Seat {
    /// The one kept since the last call; a fresh one inside another call, or as the thread ends.
    fn take() -> Self {
        KEPT.try_with(Cell::take).ok().flatten().unwrap_or_else(|| {
            let unpark = Arc::new(Unpark(Parker::new()));
            unpark.0.adopt();
            Self { waker: Waker::from(Arc::clone(&unpark)), unpark }
        })
    }

    fn keep(self) {
        // As the thread ends there is no next call.
        let _ended = KEPT.try_with(|kept| kept.set(Some(self)));
    }
}

/// Which block's spare stands in for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Title {
    /// Its own, to which it is entitled until it ends.
    Own,
    /// That of the block it is inside of.
    Outer,
    /// As many blocks have a spare as may have one.
    Nobody,
}

/// A worker stands aside until this is dropped; see the module.
pub(crate) struct Aside {
    shard: &'static Shard,
    title: Title,
    /// Whether somebody stands in, once that is known.
    covered: Cell<Option<bool>>,
    _scope: Option<current::Scope>,
}

impl Aside {
    /// Nothing, on a thread that is no worker.
    ///
    /// # Errors
    /// As many have a spare as may have one; nothing was begun then.
    fn begin() -> Result<Option<Self>, AtLimit> {
        let Some(shard) = current::own() else { return Ok(None) };
        if shard.published.is_blocked() {
            return Ok(Some(Self::of(shard, Title::Outer)));
        }
        shard.hub.spares.declare()?;
        Ok(Some(Self::of(shard, Title::Own)))
    }

    /// As [`begin`](Self::begin); at the limit it is reported, and there will be no spare.
    pub(crate) fn begin_anyway() -> Option<Self> {
        Self::begin().unwrap_or_else(|AtLimit(limit)| {
            let shard = current::own()?;
            if let Some(ground) = shard.hub.ground() {
                ground.reports.block_limit(limit, ground.driver.now());
            }
            Some(Self::of(shard, Title::Nobody))
        })
    }

    fn of(shard: &'static Shard, title: Title) -> Self {
        shard.published.begin_block();
        let alone = title == Title::Nobody || shard.published.alone() > 0;
        if alone {
            shard.published.begin_alone();
        }
        let scope = current::worker().map(|_| current::step_aside(shard.hub.foreign()));
        if shard.has_work() {
            shard.hub.announce();
        }
        let covered = Cell::new(alone.then_some(false));
        Self { shard, title, covered, _scope: scope }
    }

    /// The thread is about to sleep: somebody is to work in its place; false when there is nobody. (A
    /// block inside a block does this for the outer one, which has not slept yet.)
    pub(crate) fn cover(&self) -> bool {
        if let Some(covered) = self.covered.get() {
            return covered;
        }
        let hub = self.shard.hub;
        let covered = match (hub.spares.cover(), hub.ground()) {
            (None, _) => true,
            (Some(place), Some(ground)) => spares::start(&ground, place),
            (Some(place), None) => {
                hub.spares.refused(place);
                false
            }
        };
        if !covered {
            self.shard.published.begin_alone();
        }
        self.covered.set(Some(covered));
        covered
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let (shard, hub) = (self.shard, self.shard.hub);
        shard.published.end_block();
        if self.covered.get() == Some(false) {
            shard.published.end_alone();
        }
        if self.title != Title::Own {
            return;
        }
        hub.spares.release();
        if hub.is_unwatched() {
            // Nobody else asks the spare to leave.
            if let Some(ground) = hub.ground() {
                for place in hub.spares.retire(0, |_| true) {
                    hub.unpark(crate::hub::MAX_WORKERS as u32 + place, &ground.driver);
                }
            }
        }
    }
}
