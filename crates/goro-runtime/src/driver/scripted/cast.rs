//! The actors of a script: who there is, who can move, and whose turn it is; the clock, where it is nobody's.
//!
//! Invariants:
//! 1. An actor that is inside a step is marked (`busy`, or taken out of its place): a nested loop
//!    passes it over.
//! 2. Nothing is borrowed across a step: a poll may come back here.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::task::Waker;
use goro_context::CurrentTask;
use goro_shim::Arc;
use goro_shim::thread::thread_local;
use goro_shim::time::Instant;
use std::rc::{Rc, Weak};

use super::nested::Inside;
use super::outsider::Outsider;
use super::script::{Mover, Stuck};
use super::stage::Stage;
use super::{Driver, Event, Place, Role};
use crate::ground::Ground;
use crate::monitor::Monitor;
use crate::worker::Worker;

mod steps;

/// So many looks of the monitor, with nobody else moving, and nothing will come of the next either.
/// (It would go on for ever where a worker is inside a poll that waits. With everybody asleep it ends
/// by itself, sooner than this, spares that stay for a while included.)
const IN_VAIN: u32 = 300;

#[derive(Clone, Copy, Debug)]
struct Sleep {
    until: Option<Instant>,
    place: Place,
}

/// A worker of the script, and until when it sleeps.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) worker: Worker,
    index: u32,
    sleep: Cell<Option<Sleep>>,
    /// Its token has come; it will rise.
    called: Cell<bool>,
    /// Inside a step of its own.
    busy: Cell<bool>,
    /// As the runtime ends: until when it waits for others to let go.
    naps: Cell<Option<Instant>>,
}

impl Actor {
    fn rise(&self, sleep: Sleep, wakers: Vec<Waker>) {
        self.sleep.set(None);
        self.called.set(false);
        self.worker.begin();
        if sleep.place == Place::Reactor {
            self.worker.leave_reactor();
        }
        self.worker.wake_up(wakers);
        self.worker.end();
    }
}

/// What a round of choosing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// An actor has moved.
    Somebody,
    /// What the caller had offered beside the actors was chosen.
    Extra,
    /// Nobody can move.
    Nobody,
}

/// The actors of a script; see the module.
pub(super) struct Cast {
    pub(super) stage: Arc<Stage>,
    pub(super) ground: Arc<Ground>,
    pub(super) actors: RefCell<Vec<Rc<Actor>>>,
    monitor: RefCell<Option<Monitor>>,
    /// When the monitor looks after the glance that is next.
    next_period: Cell<Option<Instant>>,
    pub(super) outsiders: RefCell<Vec<Outsider>>,
    pub(super) log: RefCell<Vec<Event>>,
    /// Whose step is under way; of several, the innermost.
    pub(super) moving: Cell<Option<Mover>>,
    /// The polls that wait inside of themselves, the innermost last.
    pub(super) inside: RefCell<Vec<Inside>>,
    /// How often the monitor has looked since anybody else has moved.
    in_vain: Cell<u32>,
    /// Spare room for a round's movers.
    movers: Cell<Vec<Mover>>,
}

thread_local! {
    /// The casts whose thread this is.
    static HERE: RefCell<Vec<Weak<Cast>>> = const { RefCell::new(Vec::new()) };
}

/// Whether this thread runs a script.
pub(crate) fn is_here() -> bool {
    let any = |here: &RefCell<Vec<Weak<Cast>>>| {
        here.try_borrow().is_ok_and(|casts| casts.iter().any(|cast| cast.strong_count() > 0))
    };
    HERE.try_with(any).unwrap_or(false)
}

impl Cast {
    pub(super) fn assemble(stage: Arc<Stage>, ground: Arc<Ground>) -> Rc<Self> {
        let cast = Rc::new(Self {
            stage,
            ground,
            actors: RefCell::default(),
            monitor: RefCell::default(),
            next_period: Cell::default(),
            outsiders: RefCell::default(),
            log: RefCell::default(),
            moving: Cell::default(),
            inside: RefCell::default(),
            in_vain: Cell::default(),
            movers: Cell::default(),
        });
        cast.admit();
        HERE.with(|here| here.borrow_mut().push(Rc::downgrade(&cast)));
        cast
    }

    /// The cast of this stage, if this is its thread.
    pub(super) fn here(stage: &Stage) -> Option<Rc<Self>> {
        let find = |here: &RefCell<Vec<Weak<Self>>>| {
            let mut casts = here.try_borrow().ok()?.clone().into_iter().filter_map(|c| c.upgrade());
            casts.find(|cast| core::ptr::eq(Arc::as_ptr(&cast.stage), stage))
        };
        // As the thread ends, no cast is left on it.
        HERE.try_with(find).ok().flatten()
    }

    /// Gives those who were launched their places.
    fn admit(&self) {
        let roles = {
            let mut state = self.stage.state.lock();
            if state.roles.is_empty() {
                return;
            }
            core::mem::take(&mut state.roles)
        };
        for role in roles {
            match role {
                Role::Monitor(monitor) => drop(self.monitor.borrow_mut().replace(monitor)),
                Role::Worker(seat) => {
                    let index = seat.index();
                    if let Some(worker) = seat.sit() {
                        self.actors.borrow_mut().push(Rc::new(Actor {
                            worker,
                            index,
                            sleep: Cell::new(None),
                            called: Cell::new(false),
                            busy: Cell::new(false),
                            naps: Cell::new(None),
                        }));
                    }
                }
            }
        }
    }

    pub(super) fn note(&self, event: Event) {
        let task = match event {
            Event::Ran(worker) => self.actor(worker).and_then(|actor| actor.worker.last_ran()),
            _ => None,
        };
        self.note_of(event, task);
    }

    fn note_of(&self, event: Event, task: Option<CurrentTask>) {
        self.log.borrow_mut().push(event);
        self.stage.script.note(self.stage.now(), event, task);
    }

    fn actor(&self, index: u32) -> Option<Rc<Actor>> {
        self.actors.borrow().iter().find(|actor| actor.index == index).cloned()
    }

    /// Lets one actor move, or the clock; false when neither can.
    pub(super) fn step(&self) -> bool {
        match self.go_on(None) {
            Moved::Somebody | Moved::Extra => true,
            Moved::Nobody => self.settle() || self.jump(None),
        }
    }

    /// Chooses among the actors that can move, and `extra`; the one chosen does.
    pub(super) fn go_on(&self, extra: Option<Mover>) -> Moved {
        let mut movers = self.movers.take();
        movers.clear();
        self.collect(&mut movers);
        if !movers.is_empty() || extra == Some(Mover::Waiter) {
            movers.extend(extra);
        }
        let chosen = match &movers[..] {
            [] => None,
            [only] => Some(*only),
            several => several.get(self.stage.script.choose(several)).copied(),
        };
        self.movers.set(movers);
        match chosen {
            None => Moved::Nobody,
            Some(Mover::Clock | Mover::Waiter) => Moved::Extra,
            Some(mover) => {
                let in_vain = if mover == Mover::Monitor { self.in_vain.get() + 1 } else { 0 };
                self.in_vain.set(in_vain);
                let around = self.moving.replace(Some(mover));
                match mover {
                    Mover::Worker(index) => self.step_worker(index),
                    Mover::Job => self.run_job(),
                    Mover::Monitor => self.tick(),
                    Mover::Outsider(index) => self.poll_outsider(index),
                    Mover::Clock | Mover::Waiter => {}
                }
                self.moving.set(around);
                self.take_time(mover);
                Moved::Somebody
            }
        }
    }

    /// The step of `mover` is over.
    pub(super) fn take_time(&self, mover: Mover) {
        let took = self.stage.script.took(mover);
        if !took.is_zero() {
            self.stage.pass(took);
        }
    }

    /// Who can move, in the order of who is who.
    fn collect(&self, movers: &mut Vec<Mover>) {
        self.admit();
        let event = self.stage.script.next_event();
        let (now, notified, jobs, alarm, launched) = {
            let mut state = self.stage.state.lock();
            let now = state.now;
            let jobs = state.jobs.iter().any(|(begins, ..)| *begins <= now);
            let launched = !state.roles.is_empty();
            (now, core::mem::take(&mut state.notified), jobs, state.alarm, launched)
        };
        if launched {
            self.admit();
        }
        let event = event.is_some_and(|at| at <= now);
        let mut heard = false;
        for actor in &*self.actors.borrow() {
            if actor.busy.get() || actor.naps.get().is_some_and(|until| until > now) {
                continue;
            }
            let Some(sleep) = actor.sleep.get() else {
                movers.push(Mover::Worker(actor.index));
                continue;
            };
            let in_reactor = sleep.place == Place::Reactor;
            let told = in_reactor && (notified || event);
            heard |= in_reactor;
            let called = actor.called.get() || actor.worker.take_token() || told;
            actor.called.set(called);
            if called || sleep.until.is_some_and(|until| until <= now) {
                movers.push(Mover::Worker(actor.index));
            }
        }
        if notified && !heard {
            // As in the kernel, the next one to sleep there hears of it.
            self.stage.state.lock().notified = true;
        }
        if jobs {
            movers.push(Mover::Job);
        }
        if alarm.is_some_and(|at| at <= now) && self.monitor.borrow().is_some() {
            movers.push(Mover::Monitor);
        }
        for (index, outsider) in self.outsiders.borrow().iter().enumerate() {
            if outsider.can_move() {
                movers.push(Mover::Outsider(index as u32));
            }
        }
    }

    /// Nobody can move: whoever waits for just that can.
    pub(super) fn settle(&self) -> bool {
        let mut wakers = Vec::new();
        self.stage.script.settled(&mut wakers);
        let any = !wakers.is_empty();
        crate::observe::wake_each(&mut wakers);
        any
    }

    /// When the next deadline after now is, of those that somebody minds.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let event = self.stage.script.next_event();
        let (now, alarm, job) = {
            let state = self.stage.state.lock();
            (state.now, state.alarm, state.jobs.iter().map(|job| job.0).min())
        };
        let actors = self.actors.borrow();
        let sleeps = || actors.iter().filter_map(|actor| actor.sleep.get());
        let minded = sleeps().any(|sleep| sleep.place == Place::Reactor);
        let looks = self.in_vain.get() < IN_VAIN && self.monitor.borrow().is_some();
        let alarm = alarm.filter(|_| looks);
        // Its looks in vain need not all be had, up to the timer of a worker that is inside a poll.
        let watched = self.monitor.borrow().is_some();
        let inside = actors.iter().filter(|actor| watched && actor.busy.get());
        let timers = inside.filter_map(|actor| actor.worker.due_at());
        let others = [alarm, job, event.filter(|_| minded)];
        let naps = actors.iter().filter_map(|actor| actor.naps.get());
        let all = sleeps()
            .filter_map(|sleep| sleep.until)
            .chain(others.into_iter().flatten())
            .chain(timers)
            .chain(naps);
        all.filter(|&at| at > now).min()
    }

    /// Everybody sleeps: moves the clock to the next deadline, `until` among them, if there is one.
    pub(super) fn jump(&self, until: Option<Instant>) -> bool {
        let Some(next) = self.next_deadline().into_iter().chain(until).min() else { return false };
        self.move_clock(next);
        true
    }

    pub(super) fn move_clock(&self, to: Instant) {
        let by = {
            let mut state = self.stage.state.lock();
            let by = to.saturating_duration_since(state.now);
            state.now += by;
            by
        };
        if !by.is_zero() {
            self.note(Event::Jumped(by));
        }
    }

    pub(super) fn stuck(&self) -> Stuck {
        let mut parked = Vec::new();
        for shard in self.ground.hub.all_shards() {
            shard.registry.for_each(|task| parked.push(*task));
        }
        parked.sort_by_key(|task| task.id);
        let inside = self.inside.borrow().clone();
        Stuck { at: self.stage.now(), inside, parked, live: self.ground.hub.live() }
    }

    /// Ends the run: outsiders first, as a program's threads end before its runtime is dropped.
    pub(super) fn dismiss(&self) {
        let outsiders = core::mem::take(&mut *self.outsiders.borrow_mut());
        outsiders.iter().for_each(|outsider| outsider.abandon(&self.ground));
        self.ground.close();
        self.admit();
        let actors = self.actors.borrow().clone();
        for actor in &actors {
            if let Some(sleep) = actor.sleep.get() {
                actor.rise(sleep, Vec::new());
            }
        }
        // Each drops its own local tasks; none may wait for that before the others have.
        let cancel = |actor: &Rc<Actor>| {
            actor.worker.begin();
            let cancelled = actor.worker.cancel_all();
            actor.worker.end();
            cancelled
        };
        while actors.iter().map(cancel).sum::<usize>() > 0 {}
        for actor in &actors {
            actor.worker.begin();
            actor.worker.close_down();
            actor.worker.end();
        }
        drop(actors);
        for actor in core::mem::take(&mut *self.actors.borrow_mut()) {
            let index = actor.index;
            drop(actor);
            self.ground.left(index);
        }
        let monitor = self.monitor.borrow_mut().take();
        drop(monitor);
        HERE.with(|here| here.borrow_mut().retain(|cast| !core::ptr::eq(cast.as_ptr(), self)));
    }
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actors = self.actors.borrow().len();
        f.debug_struct("Cast").field("actors", &actors).finish_non_exhaustive()
    }
}
