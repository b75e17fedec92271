//! What the scheduler sees of a script: its clock, its alarm, and where it leaves threads and jobs.
//!
//! Invariant: nothing happens here; whatever is asked for is noted, and the cast does it. (Time
//! inside a poll and a nested wait are the exceptions: they step the cast, if it is this thread's.)

use core::task::Waker;
use goro_context::Cause;
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use std::io;

use super::cast::Cast;
use super::script::Script;
use crate::alarm::PERIOD;
use crate::driver::{Driver, Job, Refusal, RefusedJob, Rest, Role, Ticket};
use crate::hub::epoch;

/// What the scheduler sees of the script.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(super) state: Lock<State>,
    pub(super) script: Arc<dyn Script>,
}

/// What changes as the script goes on.
#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Instant,
    /// When the monitor looks next; `None` while its alarm is disarmed.
    pub(super) alarm: Option<Instant>,
    /// An outsider's deadline has moved: whoever minds them is to look again.
    pub(super) notified: bool,
    pub(super) turns: u64,
    pub(super) roles: Vec<Role>,
    /// Jobs, when each begins, and the number of its place.
    pub(super) jobs: Vec<(Instant, Job, u64)>,
    /// Places that are to be filled, and when their jobs begin.
    places: Vec<(u64, Instant)>,
    next_place: u64,
}

impl Stage {
    pub(super) fn new(script: Arc<dyn Script>) -> Self {
        let state = State {
            now: epoch(),
            alarm: None,
            notified: false,
            turns: 0,
            roles: Vec::new(),
            jobs: Vec::new(),
            places: Vec::new(),
            next_place: 0,
        };
        Self { state: Lock::new(state), script }
    }

    /// Moves the clock.
    pub(super) fn pass(&self, duration: Duration) {
        self.state.lock().now += duration;
    }
}

impl Driver for Stage {
    fn now(&self) -> Instant {
        self.state.lock().now
    }

    fn park(&self, _: &dyn Rest, _: &mut Vec<Waker>) {
        // Workers are put to sleep by the cast; none ever sleeps in here.
    }

    fn unpark(&self, parker: &Parker) {
        let _ = parker.give();
    }

    fn wait(&self, parker: &Parker, until: Option<Instant>) -> bool {
        match Cast::here(self) {
            Some(cast) => cast.wait(&mut || parker.take(), until),
            // A real thread waits for what the script's does.
            None => parker.sleep(None),
        }
    }

    fn wait_until(&self, ready: &mut dyn FnMut() -> bool) -> bool {
        let cast = Cast::here(self);
        cast.is_some_and(|cast| cast.wait(ready, None))
    }

    fn turn(&self, wakers: &mut Vec<Waker>) {
        let now = {
            let mut state = self.state.lock();
            state.turns += 1;
            state.now
        };
        self.script.turn(now, wakers);
    }

    fn notify(&self) {
        self.state.lock().notified = true;
    }

    fn turns(&self) -> u64 {
        self.state.lock().turns
    }

    fn launch(&self, role: Role) -> io::Result<()> {
        match self.script.refuses_thread(&role.suffix()) {
            Some(error) => Err(error),
            None => {
                self.state.lock().roles.push(role);
                Ok(())
            }
        }
    }

    fn reserve(&self, pool: usize) -> Result<Ticket, Refusal> {
        let delay = self.script.admit_job().map_err(Refusal::NoThread)?;
        let mut state = self.state.lock();
        let (place, begins) = (state.next_place, state.now + delay);
        state.next_place += 1;
        state.places.push((place, begins));
        Ok(Ticket { pool, place })
    }

    fn job(&self, Ticket { place, .. }: Ticket, job: Job) -> Result<(), RefusedJob> {
        let mut state = self.state.lock();
        let reserved = state.places.iter().position(|&(number, _)| number == place);
        let begins = reserved.map_or(state.now, |at| state.places.swap_remove(at).1);
        state.jobs.push((begins, job, place));
        Ok(())
    }

    fn withdraw(&self, Ticket { place, .. }: Ticket) {
        let withdrawn = {
            let mut state = self.state.lock();
            let at = state.jobs.iter().position(|&(.., number)| number == place);
            at.map(|at| state.jobs.remove(at))
        };
        drop(withdrawn);
    }

    fn arm(&self) {
        let mut state = self.state.lock();
        let due = state.now + PERIOD;
        state.alarm.get_or_insert(due);
    }

    fn disarm(&self) {
        self.state.lock().alarm = None;
    }

    fn busy(&self, duration: Duration) {
        match Cast::here(self) {
            Some(cast) => cast.busy(duration),
            None => self.pass(duration),
        }
    }

    fn seed(&self) -> u64 {
        self.script.seed()
    }

    fn reactor(&self) -> Option<Arc<goro_reactor::Reactor>> {
        None
    }

    fn network(&self) -> Option<Arc<dyn goro_reactor::source::Network>> {
        self.script.network()
    }

    fn close(&self) {
        let jobs = core::mem::take(&mut self.state.lock().jobs);
        for (_, job, _) in jobs {
            job.cancel(Cause::Shutdown);
        }
    }
}
