//! A worker: the owner of a shard, as a value that is stepped.
//!
//! One step runs one task, or finds none. The order of looking:
//!
//! 1. the next slot, at most three times in a row (the budget is shared, so a pair that wakes each
//!    other cannot hold the worker);
//! 2. every 61st step the injector, so that work from outside is not starved by local work;
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

use core::cell::{Cell, RefCell};
use core::task::Waker;
use goro_context::budget;
use goro_queue::Claim;
use goro_shim::Arc;
use goro_shim::atomic::fence_seqcst;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use goro_task::{Ending, Ran};

use crate::current;
use crate::driver::{Place, Rest};
use crate::ground::Ground;
use crate::hub::{Hub, NOBODY};
use crate::idle::GotUp;
use crate::parker::Parker;
use crate::shard::{Shard, Work};
use crate::worker::pace::Pace;

mod pace;
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
}

impl Seat {
    pub(crate) fn new(shard: &'static Shard, ground: Arc<Ground>) -> Self {
        Self { shard, ground }
    }

    /// Which of its runtime's workers this is, from zero.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.shard.index
    }

    /// Runs the worker on this thread until the runtime closes, and counts it as gone.
    pub(crate) fn work(self) {
        struct Leaving(Arc<Ground>);
        impl Drop for Leaving {
            fn drop(&mut self) {
                self.0.worker_left();
            }
        }
        let _leaving = Leaving(Arc::clone(&self.ground));
        if let Some(worker) = self.sit() {
            worker.work();
        }
    }

    /// Makes the calling thread the worker; `None` when the shard has an owner already.
    #[must_use]
    pub fn sit(self) -> Option<Worker> {
        let claim = self.shard.queue.claim()?;
        self.shard.parker.adopt();
        Some(Worker::new(self.shard, Arc::clone(&self.ground), claim))
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
}

/// The owner of a shard; see the module.
#[derive(Debug)]
pub struct Worker {
    shard: &'static Shard,
    hub: &'static Hub,
    claim: Claim<'static, Work>,
    ground: Arc<Ground>,
    steps: Cell<u32>,
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
}

impl Worker {
    fn new(shard: &'static Shard, ground: Arc<Ground>, claim: Claim<'static, Work>) -> Self {
        let now = ground.driver.now();
        let seed = ground.driver.seed() ^ (u64::from(shard.index) << 32);
        Self {
            shard,
            hub: shard.hub,
            claim,
            steps: Cell::new(0),
            slot_runs: Cell::new(0),
            fresh: Cell::new(true),
            searching: Cell::new(false),
            pace: Pace::new(now),
            random: Random::new(seed),
            wakers: RefCell::default(),
            woke_at: Cell::new(now),
            turned_at: Cell::new(now),
            scope: RefCell::new(None),
            ground,
        }
    }

    /// Runs one task if there is one.
    pub fn step(&self) -> Step {
        let step = self.steps.get().wrapping_add(1);
        self.steps.set(step);
        let outside = step % INTERVAL == 0;
        if outside {
            self.look_round();
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
            None => Step::Idle,
        }
    }

    /// The task to run, from wherever there is one.
    #[inline]
    fn next(&self, outside: bool) -> Option<Work> {
        if outside && self.hub.is_closing() {
            return None;
        }
        if self.slot_runs.get() < SLOT_RUNS {
            if let Some(task) = self.claim.take_next() {
                if self.fresh.get() {
                    budget::reset();
                }
                self.slot_runs.set(self.slot_runs.get() + 1);
                return Some(task);
            }
        }
        self.slot_runs.set(0);
        budget::reset();
        let injected = if outside { self.hub.injector.pop() } else { None };
        injected
            .or_else(|| self.claim.pop())
            .or_else(|| self.claim.take_next())
            .or_else(|| self.search())
    }

    #[inline]
    fn run(&self, task: Work) {
        let (id, kind) = (task.id(), task.kind());
        self.shard.counters.polls.add(1);
        self.fresh.set(false);
        self.shard.published.begin(id, kind);
        let ran = task.run(self.shard);
        self.shard.published.end();
        match ran {
            Ran::Parked => {}
            Ran::Again(task) => self.shard.push(task),
            Ran::Finished(Ending::Panicked) => {
                crate::observe::task_panicked(id, kind, &self.ground.name);
            }
            Ran::Finished(Ending::Done | Ending::Cancelled) => {}
        }
    }

    /// Between two polls: if something still stands here while somebody sleeps, wake one.
    #[inline]
    fn share(&self) {
        if self.hub.idle.sleeping() > 0 {
            let standing = self.shard.queue.len();
            if self.pace.should_share(standing, &*self.ground.driver)
                && self.hub.idle.wanted()
                && self.hub.wake_one(&*self.ground.driver)
            {
                self.shard.counters.wakes.add(1);
            }
        }
    }

    /// A searcher has found work. The last one out looks at the injector again: a push that saw
    /// it searching has woken nobody.
    fn found(&self) {
        self.searching.set(false);
        let more = || !self.hub.injector.is_empty();
        if let Some(next) = self.hub.idle.found(self.hub.watcher(), more) {
            self.hub.unpark(next, &*self.ground.driver);
        }
    }

    /// Now and then, also when the queue never runs dry: timers that are due, sockets that are
    /// ready. (The monitor does the same for a worker that does not come round.)
    fn look_round(&self) {
        self.with_wakers(|wakers| {
            let now = self.ground.driver.now();
            self.take_due(now, wakers);
            if now.saturating_duration_since(self.turned_at.get()) >= TURN_EVERY {
                self.turned_at.set(now);
                self.ground.driver.turn(wakers);
            }
        });
    }

    fn take_due(&self, now: Instant, wakers: &mut Vec<Waker>) {
        for timers in [&self.shard.timers, &self.hub.foreign().timers] {
            if timers.is_due(now) {
                timers.take_due(now, true, wakers);
            }
        }
    }

    /// Collects wakers, and wakes them when nothing is held any more.
    fn with_wakers(&self, collect: impl FnOnce(&mut Vec<Waker>)) -> usize {
        let mut wakers = core::mem::take(&mut *self.wakers.borrow_mut());
        collect(&mut wakers);
        let woken = wakers.len();
        crate::observe::wake_each(wakers.drain(..));
        *self.wakers.borrow_mut() = wakers;
        self.fresh.set(true);
        woken
    }

    /// Lies down and looks once more. `Some` when the worker is to sleep; `None` when there was
    /// something, and it is up again.
    #[must_use]
    pub fn lie_down(&self) -> Option<Bed<'_>> {
        let now = self.ground.driver.now();
        let (index, searching) = (self.shard.index, self.searching.take());
        // The fence inside is also the partner of the one in `Hub::close`, for the phase.
        if let Some(up) = self.hub.idle.settle(index, searching, || self.anything(now)) {
            self.resume(up, now);
            return None;
        }
        let busy = now.saturating_duration_since(self.woke_at.get());
        self.shard.counters.busy.add(u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX));
        self.shard.counters.parks.add(1);
        Some(Bed(self))
    }

    /// Sleeps, unless there is something after all.
    pub fn rest(&self) {
        if let Some(bed) = self.lie_down() {
            self.with_wakers(|wakers| self.ground.driver.park(&bed, wakers));
            self.wake_up();
        }
    }

    /// Takes the token that ends a sleep, if it has been given.
    pub fn take_token(&self) -> bool {
        self.shard.parker.take()
    }

    /// After a sleep: counts itself awake, and fires what is due.
    pub fn wake_up(&self) {
        let now = self.ground.driver.now();
        self.resume(self.hub.idle.get_up(self.shard.index), now);
        // Partner: the fence in `Monitor::tick` after disarming.
        fence_seqcst();
        self.ground.driver.arm();
        self.with_wakers(|wakers| self.take_due(now, wakers));
    }

    fn resume(&self, up: GotUp, now: Instant) {
        if up == GotUp::Woken {
            // The token is this waking's; left there it would end the next sleep at once.
            self.shard.parker.take();
            self.searching.set(true);
        }
        self.woke_at.set(now);
        self.turned_at.set(now);
        self.pace.awake(now);
    }

    /// Whether there is anything to do that nobody else will see to. Work in another's ring is not
    /// such a thing: its owner shares it between two polls, and behind a long poll the monitor does.
    fn anything(&self, now: Instant) -> bool {
        !self.hub.injector.is_empty() || self.hub.is_closing() || self.shard.timers.is_due(now)
    }

    /// Runs until the runtime closes, sleeping when there is nothing to do.
    pub fn work(&self) {
        self.begin();
        loop {
            match self.step() {
                Step::Ran => {}
                Step::Idle => self.rest(),
                Step::Closing => break self.close_down(),
            }
        }
        self.end();
    }

    /// Makes this worker its thread's current one.
    pub fn begin(&self) {
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
        self.shard.parker.release();
    }
}

/// A worker that has lain down; what the driver needs to put it to sleep.
#[derive(Debug)]
pub struct Bed<'a>(&'a Worker);

impl Rest for Bed<'_> {
    fn parker(&self) -> &Parker {
        &self.0.shard.parker
    }

    fn until(&self, place: Place) -> Option<Instant> {
        let own = self.0.shard.timers.wake_at();
        match place {
            Place::Thread => own,
            Place::Reactor => own.into_iter().chain(self.0.hub.foreign().timers.wake_at()).min(),
        }
    }

    fn watching(&self, yes: bool) {
        self.0.hub.set_watcher(if yes { self.0.shard.index } else { NOBODY });
        if yes {
            // Partner: the fence in `Shard::arm` on the foreign shard.
            fence_seqcst();
        }
    }
}
