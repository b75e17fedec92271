//! A worker: the owner of a shard, as a value that is stepped.
//!
//! One step runs one task, or finds none. The order of looking:
//!
//! 1. the next slot, at most three times in a row (the budget is shared, so a pair that wakes each
//!    other cannot hold the worker);
//! 2. every 61st step, and when the monitor asks for it, the injector before all others, so that
//!    work from outside is not starved by local work;
//! 3. the ring;
//! 4. the search: a batch from the injector, half of another's ring, and the next slot of a worker
//!    that the monitor has found stuck. (Not the reactor: who finds nothing lies down in it, and a
//!    look with a zero timeout would be a second system call.)
//!
//! Invariants:
//! 1. `step(&self)`: cells inside, and no borrow is held across a poll, so that a poll may run a
//!    nested loop on this thread.
//! 2. Between two steps the worker owes the others one thing: when something still stands in its
//!    ring, somebody sleeps and nobody searches, it wakes one (`pace` says how soon).
//! 3. What it counts as a searcher it gives up in exactly one place: `found` or `Idle::lie_down`.
//! 4. A spare that is asked to leave finds out here, between two polls, when it has run dry or looks
//!    outside, and hands over what stands in its queue (`spares`).
//! 5. Wakers run while the worker counts as awake and not as searching (`rest`): they may be the
//!    user's, and take their time.

use core::cell::{Cell, RefCell};
use core::task::Waker;
use goro_context::{CurrentTask, budget, task};
use goro_queue::Claim;
use goro_shim::Arc;
use goro_shim::atomic::fence_seqcst;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use goro_task::{Deed, Ending, LocalOwner, Ran};
use std::rc::Rc;

use crate::current;
use crate::ground::{Ground, Leaving};
use crate::hub::Hub;
use crate::local::Locals;
use crate::published::Hints;
use crate::shard::{Shard, Work};
pub(crate) use crate::worker::chaos::Chaos;
use crate::worker::pace::Pace;

mod chaos;
mod locals;
mod pace;
mod rest;
mod search;

/// Steps between two looks at the injector, the timers and the reactor. Prime, so that it does not
/// keep step with a workload's own period.
const INTERVAL: u32 = 61;

/// How long a busy worker leaves the reactor to others. A look is a system call, which between tiny
/// tasks would cost a tenth of the time.
const TURN_EVERY: Duration = Duration::from_micros(100);

/// The most tasks run from the next slot in a row.
const SLOT_RUNS: u32 = 3;

/// A worker without a thread: what is sent to the thread that will be one.
#[derive(Debug)]
pub struct Seat {
    shard: &'static Shard,
    ground: Arc<Ground>,
    /// The place it is for, if it is a spare's.
    place: Option<u32>,
    /// To the local tasks that are sent here.
    deed: Deed,
}

impl Seat {
    pub(crate) fn new(shard: &'static Shard, ground: Arc<Ground>) -> Self {
        Self::at(shard, ground, None)
    }

    /// As the spare at `place`, whose shard this is.
    pub(crate) fn spare(shard: &'static Shard, place: u32, ground: Arc<Ground>) -> Self {
        Self::at(shard, ground, Some(place))
    }

    fn at(shard: &'static Shard, ground: Arc<Ground>, place: Option<u32>) -> Self {
        let deed = Deed::new();
        shard.mailbox.open(deed.id().get());
        Self { shard, ground, place, deed }
    }

    /// What its thread is called, after the runtime's own name.
    pub(crate) fn suffix(&self) -> String {
        match self.place {
            None => format!("worker-{}", self.index()),
            Some(place) => format!("spare-{place}"),
        }
    }

    /// Which of its runtime's workers this is, from zero; spares come after the most workers there
    /// can be.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.shard.index
    }

    /// Runs the worker on this thread until the runtime closes, and counts it as gone.
    pub(crate) fn work(self) {
        let _leaving = Leaving::of(&self.ground, self.shard);
        if let Some(worker) = self.sit() {
            worker.work();
        }
    }

    /// Makes the calling thread the worker; `None` when the shard has an owner already.
    #[must_use]
    pub fn sit(self) -> Option<Worker> {
        let claim = self.shard.queue.claim()?;
        self.shard.parker.adopt();
        let owner = self.deed.take_up();
        Some(Worker::new(self.shard, self.ground, claim, self.place, owner))
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A task was polled.
    Ran,
    /// There is nothing to run: lie down.
    Idle,
    /// The runtime is closing: call [`Worker::close_down`].
    Closing,
    /// It is needed no more: call [`Worker::hand_over`].
    Leave,
}

/// The owner of a shard; see the module.
#[derive(Debug)]
pub struct Worker {
    shard: &'static Shard,
    hub: &'static Hub,
    /// The place it has as a spare.
    place: Option<u32>,
    claim: Claim<'static, Work>,
    ground: Arc<Ground>,
    /// Steps until the next look outside; the monitor's asking makes it the next one.
    steps: Cell<u32>,
    /// Somebody has asked for the next look outside.
    asked: Cell<bool>,
    slot_runs: Cell<u32>,
    /// No task has run since the worker last looked outside: the slot has nobody to share a
    /// budget with.
    fresh: Cell<bool>,
    searching: Cell<bool>,
    pace: Pace,
    random: Random,
    /// Spare room for wakers; taken while in use.
    wakers: RefCell<Vec<Waker>>,
    woke_at: Cell<Instant>,
    /// When it last looked at the reactor, awake.
    turned_at: Cell<Instant>,
    scope: RefCell<Option<current::Scope>>,
    /// What a full budget is.
    units: Cell<u32>,
    chaos: Option<Chaos>,
    locals: Rc<Locals>,
}

impl Worker {
    fn new(
        shard: &'static Shard,
        ground: Arc<Ground>,
        claim: Claim<'static, Work>,
        place: Option<u32>,
        owner: LocalOwner,
    ) -> Self {
        let now = ground.driver.now();
        let seed = ground.driver.seed() ^ (u64::from(shard.index) << 32);
        let random = Random::new(seed);
        let units = ground.chaos.map_or(budget::LIMIT, |chaos| {
            shard.published.ask_to_shake();
            chaos.units(&random)
        });
        Self {
            shard,
            hub: shard.hub,
            place,
            claim,
            steps: Cell::new(INTERVAL - 1),
            asked: Cell::new(false),
            slot_runs: Cell::new(0),
            fresh: Cell::new(true),
            searching: Cell::new(false),
            pace: Pace::new(shard.counters.polls.get(), now),
            random,
            wakers: RefCell::default(),
            woke_at: Cell::new(now),
            turned_at: Cell::new(now),
            scope: RefCell::new(None),
            units: Cell::new(units),
            chaos: ground.chaos,
            locals: Locals::of(shard, owner),
            ground,
        }
    }

    /// Runs one task if there is one.
    #[inline]
    pub fn step(&self) -> Step {
        let left = self.steps.get();
        let outside = left == 0;
        self.steps.set(if outside { INTERVAL - 1 } else { left - 1 });
        if outside {
            self.look_round();
            if self.is_to_leave() {
                return Step::Leave;
            }
        }
        if !outside && self.locals.are_due() {
            if let Some(step) = self.run_local() {
                return step;
            }
        }
        match self.next(outside) {
            Some(task) => {
                if self.searching.get() {
                    self.found();
                }
                self.share();
                self.run(task);
                Step::Ran
            }
            None if self.hub.is_closing() => Step::Closing,
            None if self.locals.open_mail() => self.run_local().unwrap_or(Step::Ran),
            None if self.is_to_leave() => Step::Leave,
            None => Step::Idle,
        }
    }

    /// The task to run, from wherever there is one.
    #[inline]
    fn next(&self, outside: bool) -> Option<Work> {
        if outside {
            if self.hub.is_closing() {
                return None;
            }
            // Before the slot, or a pair that wakes each other could be in step with the interval. Who was
            // asked has had a long poll, and may be about to begin the next one: it takes its share,
            // or a task would get through for each poll.
            let asked = self.asked.take();
            let task = if asked { self.share_of_injector() } else { self.hub.injector.pop() };
            if let Some(task) = task {
                self.refill();
                return Some(task);
            }
        }
        if self.slot_runs.get() < SLOT_RUNS {
            if let Some(task) = self.claim.take_next() {
                if self.fresh.get() {
                    self.refill();
                }
                self.slot_runs.set(self.slot_runs.get() + 1);
                return Some(task);
            }
        }
        self.slot_runs.set(0);
        self.refill();
        self.claim.pop().or_else(|| self.claim.take_next()).or_else(|| self.search())
    }

    /// A full budget for the task that comes next.
    #[inline]
    fn refill(&self) {
        budget::reset_to(self.units.get());
    }

    #[inline]
    fn run(&self, task: Work) {
        let identity = task.identity();
        self.shard.counters.polls.add(1);
        self.fresh.set(false);
        self.shard.published.begin(identity);
        let ran = task.run(self.shard);
        let hints = self.shard.published.end();
        if hints.is_some() {
            self.take_hints(hints);
        }
        match ran {
            Ran::Parked => {}
            Ran::Again(task) => {
                self.pace.returned();
                self.shard.push(task);
            }
            Ran::Finished(Ending::Panicked) => {
                crate::panics::of_task(&self.ground, identity.current());
            }
            Ran::Finished(Ending::Done | Ending::Cancelled) => {}
        }
    }

    /// Somebody has asked for something to be done between two polls.
    #[cold]
    fn take_hints(&self, hints: Hints) {
        if hints.look() {
            self.steps.set(0);
            self.asked.set(true);
        }
        if let Some(chaos) = &self.chaos {
            self.units.set(chaos.units(&self.random));
            self.shard.published.ask_to_shake();
        }
    }

    /// Between two polls: if something still stands here while somebody sleeps, wake one. (With no
    /// monitor also if nobody minds the reactor, which the woken one then does.)
    #[inline]
    fn share(&self) {
        if self.hub.idle.sleeping() > 0 {
            self.share_with_sleepers();
        }
    }

    fn share_with_sleepers(&self) {
        let standing = self.shard.queue.len();
        let worth_it = self.pace.should_share(standing, self.polls(), || self.ground.driver.now());
        if (worth_it || self.hub.is_unminded())
            && self.hub.idle.wanted()
            && self.hub.wake_one(&self.ground.driver)
        {
            self.shard.counters.wakes.add(1);
        }
    }

    /// A searcher has found work. The last one out looks again: a push that saw it searching has
    /// woken nobody.
    fn found(&self) {
        self.searching.set(false);
        let more = || self.hub.has_untold();
        if let Some(next) = self.hub.idle.found(self.hub.watcher(), more) {
            self.hub.unpark(next, &self.ground.driver);
        }
    }

    /// Now and then, also when the queue never runs dry: timers that are due, sockets that are
    /// ready. (The monitor does the same for a worker that does not come round.)
    fn look_round(&self) {
        if current::worker().is_none() {
            // A task has entered another runtime and lost the guard: not the next one's affair.
            self.begin();
        }
        self.locals.open_mail();
        let mut wakers = self.wakers.take();
        let now = self.ground.driver.now();
        if !self.hub.is_scripted() {
            // They go by the system's clock.
            task::date_ids(now);
        }
        self.take_due(now, &mut wakers);
        if now.saturating_duration_since(self.turned_at.get()) >= TURN_EVERY {
            self.turned_at.set(now);
            self.ground.driver.turn(&mut wakers);
            // Partner: the fence in `Idle::settle`. Who found the reactor taken by this look, and
            // sleeps elsewhere, is seen asleep by `share`.
            fence_seqcst();
        }
        self.wake(wakers);
    }

    fn take_due(&self, now: Instant, wakers: &mut Vec<Waker>) {
        if self.shard.timers.is_due(now) {
            self.shard.timers.take_due(now, true, wakers);
        }
        let outsiders = &self.hub.foreign().timers;
        if outsiders.is_due(now) {
            // Whoever has the lock takes what is due, or sees to it that it is looked at again.
            outsiders.take_due(now, false, wakers);
        }
    }

    /// Wakes what was collected; nothing is held any more.
    fn wake(&self, mut wakers: Vec<Waker>) {
        if !wakers.is_empty() && self.searching.get() {
            self.found();
        }
        crate::observe::wake_each(&mut wakers);
        self.wakers.replace(wakers);
        self.fresh.set(true);
    }

    /// Runs until the runtime closes, sleeping when there is nothing to do.
    pub fn work(&self) {
        self.begin();
        let _shaken = self.chaos.map(Chaos::begin);
        loop {
            match self.step() {
                Step::Ran => {}
                Step::Idle => self.rest(),
                Step::Closing => break self.close_down(),
                Step::Leave => break self.hand_over(),
            }
        }
        self.end();
    }

    /// How many polls there have been on this shard.
    #[inline]
    fn polls(&self) -> u64 {
        self.shard.counters.polls.get()
    }

    /// The task that it has run last.
    #[must_use]
    pub fn last_ran(&self) -> Option<CurrentTask> {
        self.shard.published.last()
    }

    /// Makes this worker its thread's current one, whatever is entered there.
    pub fn begin(&self) {
        self.end();
        *self.scope.borrow_mut() = Some(current::work_for(self.shard));
    }

    /// Ends that.
    pub fn end(&self) {
        self.scope.borrow_mut().take();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
        if self.searching.take() {
            self.hub.idle.abandon_search();
        }
        self.locals.leave();
        self.shard.mailbox.shut();
        self.shard.parker.release();
    }
}
