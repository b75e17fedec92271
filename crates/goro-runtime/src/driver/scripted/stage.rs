//! What the scheduler sees of a script: its clock, its alarm, and where it leaves threads and jobs.
//!
//! Invariant: nothing happens here; whatever is asked for is noted, and the script does it.

use core::task::Waker;
use goro_context::Cause;
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use std::collections::VecDeque;
use std::io;

use crate::alarm::PERIOD;
use crate::driver::{Driver, Job, RefusedJob, Rest, Role};
use crate::hub::epoch;
use crate::parker::Parker;

/// What the scheduler sees of the script.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) state: Lock<State>,
    pub(super) seed: u64,
}

/// What changes as the script goes on.
#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Instant,
    /// When the monitor looks next; `None` while its alarm is disarmed.
    pub(super) alarm: Option<Instant>,
    /// An outsider's deadline has moved: whoever minds them is to look again.
    pub(super) notified: bool,
    pub(super) roles: Vec<Role>,
    pub(super) jobs: VecDeque<Job>,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Self {
        let state = State {
            now: epoch(),
            alarm: None,
            notified: false,
            roles: Vec::new(),
            jobs: VecDeque::new(),
        };
        Self { state: Lock::new(state), seed }
    }
}

impl Driver for Stage {
    fn now(&self) -> Instant {
        self.state.lock().now
    }

    fn park(&self, _: &dyn Rest, _: &mut Vec<Waker>) {
        // Workers are put to sleep by the script; none ever sleeps in here.
    }

    fn unpark(&self, parker: &Parker) {
        let _ = parker.give();
    }

    fn turn(&self, _: &mut Vec<Waker>) {}

    fn notify(&self) {
        self.state.lock().notified = true;
    }

    fn turns(&self) -> u64 {
        0
    }

    fn launch(&self, role: Role) -> io::Result<()> {
        self.state.lock().roles.push(role);
        Ok(())
    }

    fn job(&self, job: Job) -> Result<(), RefusedJob> {
        self.state.lock().jobs.push_back(job);
        Ok(())
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
        self.state.lock().now += duration;
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn reactor(&self) -> Option<Arc<goro_reactor::Reactor>> {
        None
    }

    fn network(&self) -> Option<Arc<dyn goro_reactor::source::Network>> {
        None
    }

    fn close(&self) {
        let jobs = core::mem::take(&mut self.state.lock().jobs);
        for job in jobs {
            job.cancel(Cause::Shutdown);
        }
    }
}
