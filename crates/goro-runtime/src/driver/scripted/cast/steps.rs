//! One step of each actor, as its thread would take it between two system calls.

use std::rc::Rc;

use super::super::{Event, Place, Rest};
use super::{Actor, Cast, Sleep};
use crate::alarm::{PERIOD, SOON};
use crate::driver::Driver;
use crate::monitor::Watch;
use crate::worker::Step;

/// In so many times that a worker lies down, it once finds the reactor's place taken.
const TAKEN_ONCE_IN: u32 = 8;

impl Cast {
    /// Where a worker that lies down sleeps: the first in the reactor, the others on their threads.
    fn place(&self) -> Place {
        let in_reactor =
            |actor: &Rc<Actor>| actor.sleep.get().is_some_and(|s| s.place == Place::Reactor);
        let taken = self.actors.borrow().iter().any(in_reactor);
        let watched = self.ground.hub.has_monitor();
        let for_a_moment = watched && self.stage.script.below(TAKEN_ONCE_IN) == 0;
        if taken || for_a_moment { Place::Thread } else { Place::Reactor }
    }

    pub(super) fn step_worker(&self, index: u32) {
        let Some(actor) = self.actor(index) else { return };
        actor.busy.set(true);
        if let Some(sleep) = actor.sleep.get() {
            self.note(Event::Woke(index));
            let mut wakers = Vec::new();
            if sleep.place == Place::Reactor {
                self.stage.turn(&mut wakers);
            }
            actor.rise(sleep, wakers);
        } else {
            actor.worker.begin();
            match actor.worker.step() {
                Step::Ran => self.note(Event::Ran(index)),
                Step::Idle => self.lie_down(&actor),
                Step::Closing => self.close_once(&actor),
                Step::Leave => {
                    actor.worker.hand_over();
                    return self.part_with(actor);
                }
            }
            actor.worker.end();
        }
        actor.busy.set(false);
    }

    /// As the runtime ends: cancels what there is; finding nothing, it looks again later.
    fn close_once(&self, actor: &Actor) {
        self.note(Event::Closed(actor.index));
        let again = (!actor.worker.close_once()).then(|| self.stage.now() + PERIOD);
        actor.naps.set(again);
    }

    /// A thread of the crew's ends.
    fn part_with(&self, actor: Rc<Actor>) {
        self.note(Event::Left(actor.index));
        self.actors.borrow_mut().retain(|other| !Rc::ptr_eq(other, &actor));
        let index = actor.index;
        drop(actor);
        self.ground.left(index);
    }

    fn lie_down(&self, actor: &Actor) {
        let place = self.place();
        if let Some(bed) = actor.worker.lie_down() {
            if place == Place::Reactor {
                bed.watching(true);
            }
            actor.sleep.set(Some(Sleep { until: bed.until(place), place }));
            self.note(Event::Slept(actor.index));
        }
    }

    pub(super) fn run_job(&self) {
        let ready: Vec<usize> = {
            let state = self.stage.state.lock();
            (0..state.jobs.len()).filter(|&i| state.jobs[i].0 <= state.now).collect()
        };
        let chosen = match ready[..] {
            [only] => Some(only),
            _ => ready.get(self.stage.script.below(ready.len() as u32) as usize).copied(),
        };
        let Some(chosen) = chosen else { return };
        let job = {
            let mut state = self.stage.state.lock();
            (chosen < state.jobs.len()).then(|| state.jobs.remove(chosen).1)
        };
        if let Some(job) = job {
            self.note_of(Event::Job, job.task());
            job.run();
        }
    }

    pub(super) fn tick(&self) {
        let (now, glance) = {
            let mut state = self.stage.state.lock();
            let next = self.next_period.take();
            state.alarm = Some(next.unwrap_or(state.now + PERIOD));
            (state.now, next.is_some())
        };
        let monitor = self.monitor.borrow_mut().take();
        if let Some(mut monitor) = monitor {
            self.note(Event::Tick);
            let watch = if glance {
                monitor.glance(now);
                Watch::On
            } else {
                monitor.tick(now)
            };
            if watch == Watch::Soon {
                let soon = Some(now + SOON);
                self.next_period.set(core::mem::replace(&mut self.stage.state.lock().alarm, soon));
            }
            if watch != Watch::Over {
                self.monitor.borrow_mut().replace(monitor);
            }
        }
    }
}
