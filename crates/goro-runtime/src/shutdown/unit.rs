//! What ends by itself, and how its end is conducted: a look at a time, by whoever has news.
//!
//! Nobody waits in here, no thread and no task is for this alone. A look ([`Unit::look`]) reads the clock, the
//! guards and the queues, takes the one step that is due, and sets an alarm for the next one. Whoever has
//! changed something asks for a look: who begins the end or forces it, the last guard to leave, a level of
//! hooks that is done, the last worker to go; and the alarm.
//!
//! What the steps are is told in `course`.
//!
//! Invariants:
//! 1. The course is in the hands of whoever looks, and of nobody else meanwhile.
//! 2. No lock is held while something is called that is not ours: gauges of queues, tokens, hooks (which run
//!    as tasks).

mod course;

use core::fmt;

use goro_context::alarm::{Alarm, Ring};
use goro_context::cause::Text;
use goro_context::{Cause, Gone, Kind, time};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, AtomicU64, Ordering};
use goro_shim::global::{OnceLock, Weak};
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use goro_sync::{CancellationToken, Event, watch};
use goro_task::GRACE;
use goro_wait::Key;

use super::drain::{Hook, Levels};
use super::guard::{self, Guard, Holder};
use super::phase::{Books, Phase, Turns};
use super::policy::DrainPolicy;
use super::queues::Tracked;
use super::report::ShutdownReport;
use super::signals::Told;
use super::subject::Subject;
use crate::current;
use crate::ground::Ground;
use crate::handle::Handle;
use course::{Course, LAST, Next, Step};

/// How it is to be.
pub(super) struct Plan {
    pub(super) policy: DrainPolicy,
    pub(super) grace: Duration,
    pub(super) hooks: Levels,
    /// No more hooks are taken.
    pub(super) is_over: bool,
}

/// One end; see the module.
pub(crate) struct Unit {
    pub(super) books: Books<Holder>,
    turns: Turns,
    subject: Box<dyn Subject>,
    ground: Weak<Ground>,
    pub(super) draining: CancellationToken,
    pub(super) terminating: CancellationToken,
    pub(super) stopped: Event,
    pub(super) ready: watch::Sender<bool>,
    pub(super) plan: Lock<Plan>,
    pub(super) queues: Lock<Vec<Arc<Tracked>>>,
    /// By signals.
    pub(super) told: Arc<Told>,
    refused: AtomicU64,
    /// How much of it is to be cut short: 1 the drain, 2 the grace, too.
    forced: AtomicU32,
    /// The last guard that has left as the last one.
    last_out: Lock<Option<(Holder, Instant)>>,
    course: Lock<Option<Box<Course>>>,
    report: OnceLock<ShutdownReport>,
}

/// Looks when it is time.
struct Tick(Weak<Unit>);

impl Ring for Tick {
    fn ring(&self, _kept: Result<(), Gone>) {
        if let Some(unit) = self.0.upgrade() {
            unit.look();
        }
    }
}

impl Unit {
    pub(crate) fn new(subject: Box<dyn Subject>, ground: Weak<Ground>) -> Arc<Self> {
        Arc::new(Self {
            books: Books::new(),
            turns: Turns::new(),
            subject,
            ground,
            draining: CancellationToken::new(),
            terminating: CancellationToken::new(),
            stopped: Event::new(),
            ready: watch::channel(true).0,
            plan: Lock::new(Plan {
                policy: DrainPolicy::default(),
                // As for a task, or a group, that is cancelled.
                grace: GRACE,
                hooks: Levels::new(),
                is_over: false,
            }),
            queues: Lock::new(Vec::new()),
            told: Arc::default(),
            refused: AtomicU64::new(0),
            forced: AtomicU32::new(0),
            last_out: Lock::new(None),
            course: Lock::new(None),
            report: OnceLock::new(),
        })
    }

    pub(crate) fn phase(&self) -> Phase {
        self.books.phase()
    }

    /// The runtime it is on, while that is there.
    pub(super) fn handle(&self) -> Option<Handle> {
        self.ground.upgrade().as_ref().map(Handle::of)
    }

    pub(super) fn report(&self) -> Option<&ShutdownReport> {
        self.report.get()
    }

    /// How long the threads of a runtime are waited for that has been asked to end: not at all, if some
    /// are known not to come. Nothing before that.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self.report.get() {
            Some(report) if report.abandoned > 0 => Some(Duration::ZERO),
            Some(_) => Some(LAST),
            None => (self.phase() > Phase::Running).then_some(LAST),
        }
    }

    /// Why the code that runs may not begin anything here while this drains, if it may not; counts that.
    pub(crate) fn refusal(&self) -> Option<Cause> {
        if self.phase() < Phase::Draining || guard::covers(self) {
            return None;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Some(Cause::Draining)
    }

    pub(super) fn enter(self: &Arc<Self>, holder: Holder) -> Result<Guard, Cause> {
        match self.books.enter(holder) {
            Ok(key) => Ok(Guard::new(self, key, holder)),
            Err(_late) => Err(Cause::Shutdown),
        }
    }

    pub(super) fn leave(self: &Arc<Self>, key: Key) {
        let gone = self.books.leave(key);
        if gone.last {
            let now = self.now();
            *self.last_out.lock() = gone.holder.map(|holder| (holder, now));
            self.look();
        }
    }

    /// Begins the end; false if it has begun.
    pub(super) fn initiate(self: &Arc<Self>, reason: Cause) -> bool {
        if !self.books.begin() {
            return false;
        }
        self.subject.drain();
        let (began, before) = (self.now(), self.subject.census());
        let queues = self.queues.lock().clone();
        let course = Course::new(reason.clone(), began, before, queues);
        *self.course.lock() = Some(Box::new(course));
        crate::observe::draining(&self.name(), &reason);
        let _seen = self.ready.send_replace(false);
        self.draining.cancel_with(reason);
        self.look();
        true
    }

    /// Cuts short what goes on.
    pub(super) fn force(self: &Arc<Self>, reason: Cause) {
        self.forced.store(2, Ordering::Relaxed);
        if !self.initiate(reason) {
            self.look();
        }
    }

    /// The runtime closes, whoever has closed it.
    pub(crate) fn closes(self: &Arc<Self>) {
        if self.phase() < Phase::Terminating {
            self.force(Cause::Shutdown);
        } else {
            self.look();
        }
    }

    /// Something has changed, or it is time.
    pub(crate) fn look(self: &Arc<Self>) {
        // Hooks are begun in here: they inherit nothing from whoever happens to look.
        self.turns.take(|| current::aside(|| self.look_once()));
    }

    fn look_once(self: &Arc<Self>) {
        let course = self.course.lock().take();
        // None before the end has begun, and after it.
        let Some(mut course) = course else { return };
        let ground = self.ground.upgrade();
        let _inside = ground.as_ref().map(|ground| current::enter(ground.hub.foreign()));
        loop {
            match self.step(&mut course) {
                Next::Look => {}
                Next::Over => return,
                Next::At(at) => {
                    // Dropped first: a look has one alarm.
                    course.alarm = None;
                    course.alarm = Alarm::set(at, Tick(Arc::downgrade(self))).ok();
                    if course.alarm.is_some() {
                        break;
                    }
                    // Nobody keeps the time any more, so nothing is to be gained by it.
                    self.forced.store(2, Ordering::Relaxed);
                    if let Step::Dropping(_) = course.step {
                        self.finish(&mut course);
                        return;
                    }
                }
            }
        }
        *self.course.lock() = Some(course);
    }

    /// Has `hook` run in its turn; false if that is over.
    pub(super) fn add_hook(self: &Arc<Self>, priority: i32, hook: Hook) -> bool {
        let refused = {
            let mut plan = self.plan.lock();
            if plan.is_over {
                Some(hook)
            } else {
                plan.hooks.add(priority, hook);
                None
            }
        };
        // Panic: what the closure has captured may, as it is dropped; it is the caller's.
        let taken = refused.is_none();
        drop(refused);
        self.look();
        taken
    }

    pub(crate) fn set_grace(&self, grace: Duration) {
        self.plan.lock().grace = grace;
    }

    pub(super) fn track(&self, name: Text, depth: Box<dyn Fn() -> usize + Send + Sync>) {
        self.queues.lock().push(Arc::new(Tracked { name, depth }));
    }

    /// Starts `hook` as guarded work, on the runtime.
    pub(super) fn run_hook(self: &Arc<Self>, hook: Hook, done: impl Send + 'static) {
        let Hook { site, start } = hook;
        let Ok(guard) = self.enter(Holder { site, task: None }) else { return };
        let hook = async move {
            let _done = done;
            start().await;
        };
        drop(guard.spawn_as(Kind::at(site), hook));
    }

    fn now(&self) -> Instant {
        // The clock of the runtime that ends, whoever looks.
        self.ground.upgrade().map_or_else(time::now, |ground| ground.driver.now())
    }

    fn name(&self) -> Arc<str> {
        self.ground.upgrade().map_or_else(|| "".into(), |ground| Arc::clone(&ground.name))
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guards = self.books.out().0;
        f.debug_struct("Unit")
            .field("phase", &self.phase())
            .field("guards", &guards)
            .finish_non_exhaustive()
    }
}
