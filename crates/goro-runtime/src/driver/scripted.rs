//! The driver that steps a runtime on one thread: a seed chooses who goes next, and the clock
//! moves only when nobody can.
//!
//! The workers, queues, wake rule, timers and monitor are the ones that real programs run on; only
//! what is behind the [`Driver`] seam differs. The same seed gives the same run.
//!
//! One sleeper minds the deadlines of outsiders, as the one in the reactor does on threads; and as
//! there, a worker that lies down may find the place taken for a moment by the monitor.
//!
//! Invariants:
//! 1. One actor moves at a time, for one step; between steps nothing is held.
//! 2. The clock jumps to the next deadline only when every worker sleeps and no job waits. Inside a
//!    poll it moves only by [`Driver::busy`].
//! 3. Nothing is drawn from the system: not the order, not the clock, not the seed.
//!
//! Left out: a network and faults.

use core::future::Future;
use goro_shim::Arc;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use goro_task::{JoinError, JoinHandle};

use super::{Driver, Place, Rest, Role};
use crate::alarm::PERIOD;
use crate::ground::Ground;
use crate::handle::Handle;
use crate::hub::Lease;
use crate::monitor::{Monitor, Watch};
use crate::worker::{Step, Worker};

mod stage;
use stage::Stage;

#[cfg(test)]
mod tests;

/// A worker of the script, and until when it sleeps.
#[derive(Debug)]
struct Actor {
    worker: Worker,
    index: u32,
    sleep: Option<Sleep>,
}

/// In so many times that a worker lies down, it once finds the reactor's place taken.
const TAKEN_ONCE_IN: u32 = 8;

#[derive(Clone, Copy, Debug)]
struct Sleep {
    until: Option<Instant>,
    place: Place,
}

impl Actor {
    fn rise(&mut self, sleep: Sleep) {
        self.sleep = None;
        self.worker.begin();
        if sleep.place == Place::Reactor {
            self.worker.leave_reactor();
        }
        self.worker.wake_up(Vec::new());
        self.worker.end();
    }
}

/// One thing the script did, for comparing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A worker ran a task.
    Ran(u32),
    /// A worker found nothing and went to sleep.
    Slept(u32),
    /// A worker woke up.
    Woke(u32),
    /// A blocking job ran.
    Job,
    /// The monitor looked.
    Tick,
    /// Nothing could run; the clock moved by this much.
    Jumped(Duration),
}

/// A runtime on one thread, with a clock of its own.
///
/// # Example
/// ```
/// use goro_runtime::time::{Duration, sleep};
/// let mut script = goro_runtime::Builder::new().workers(2).build_scripted(Some(7))?;
/// let began = std::time::Instant::now();
/// script.run(sleep(Duration::from_secs(3600))).unwrap();
/// assert!(began.elapsed() < Duration::from_secs(60), "an hour passed in no time");
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[derive(Debug)]
pub struct Scripted {
    stage: Arc<Stage>,
    actors: Vec<Actor>,
    monitor: Option<Monitor>,
    random: Random,
    log: Vec<Event>,
    ground: Arc<Ground>,
}

/// Nothing can ever run again, and the future is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// How many tasks wait for ever.
    pub parked: usize,
}

impl core::fmt::Display for Stalled {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "stalled: {} tasks wait and nothing is left that could wake them", self.parked)
    }
}

impl std::error::Error for Stalled {}

impl Scripted {
    pub(crate) fn start(name: Arc<str>, lease: Lease, seed: u64) -> Self {
        let stage = Arc::new(Stage::new(seed));
        let ground = match Ground::start(stage.clone(), name, lease) {
            Ok(ground) => ground,
            // The stage refuses nobody.
            Err((ground, ..)) => ground,
        };
        let mut script = Self {
            stage,
            actors: Vec::new(),
            monitor: None,
            random: Random::new(seed),
            log: Vec::new(),
            ground,
        };
        script.admit();
        script
    }

    fn admit(&mut self) {
        let roles = core::mem::take(&mut self.stage.state.lock().roles);
        for role in roles {
            match role {
                Role::Monitor(monitor) => self.monitor = Some(monitor),
                Role::Worker(seat) => {
                    let index = seat.index();
                    if let Some(worker) = seat.sit() {
                        self.actors.push(Actor { worker, index, sleep: None });
                    }
                }
            }
        }
    }

    /// A way into the runtime, for spawning before or between runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::of(&self.ground)
    }

    /// What has been done so far, step by step.
    #[must_use]
    pub fn log(&self) -> &[Event] {
        &self.log
    }

    /// The runtime's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.stage.now()
    }

    /// Spawns `future` and steps the runtime until it is done.
    ///
    /// # Errors
    /// [`Stalled`] when nothing can ever run again and the future is not done.
    ///
    /// # Panics
    /// When the future does.
    #[track_caller]
    pub fn run<F>(&mut self, future: F) -> Result<F::Output, Stalled>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = self.handle().spawn(future);
        while !task.is_finished() {
            if !self.step() {
                let parked = self.handle().metrics().tasks_parked;
                return Err(Stalled { parked });
            }
        }
        match crate::block_on(task) {
            Ok(output) => Ok(output),
            Err(error) => Self::pass_on(error),
        }
    }

    fn pass_on<T>(error: JoinError) -> T {
        match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(error) => panic!("the scripted future was cancelled: {error}"),
        }
    }

    /// Steps until nothing can run and no deadline is left.
    pub fn run_until_stalled(&mut self) {
        while self.step() {}
    }

    /// Whether a task is done, without stepping.
    #[must_use]
    pub fn is_done<T>(&self, task: &JoinHandle<T>) -> bool {
        task.is_finished()
    }

    /// Lets one actor move, or the clock; false when neither can.
    pub fn step(&mut self) -> bool {
        self.rouse();
        let awake: Vec<usize> =
            (0..self.actors.len()).filter(|&i| self.actors[i].sleep.is_none()).collect();
        let jobs = usize::from(!self.stage.state.lock().jobs.is_empty());
        let ticking = usize::from(self.monitor_is_due());
        let choices = awake.len() + jobs + ticking;
        if choices == 0 {
            return self.jump();
        }
        let choice = self.random.below(choices as u32) as usize;
        if let Some(&actor) = awake.get(choice) {
            self.step_worker(actor);
        } else if choice - awake.len() < jobs {
            self.run_job();
        } else {
            self.tick();
        }
        true
    }

    /// Wakes the sleepers that have their token or whose deadline has come, and the one that minds
    /// outsiders if it is told to.
    fn rouse(&mut self) {
        let now = self.stage.now();
        let notified = core::mem::take(&mut self.stage.state.lock().notified);
        for actor in &mut self.actors {
            let Some(sleep) = actor.sleep else { continue };
            let due = sleep.until.is_some_and(|until| until <= now);
            let told = notified && sleep.place == Place::Reactor;
            if actor.worker.take_token() || due || told {
                self.log.push(Event::Woke(actor.index));
                actor.rise(sleep);
            }
        }
    }

    /// Where a worker that lies down sleeps: the first in the reactor, the others on their threads.
    fn place(&self) -> Place {
        let in_reactor = |actor: &Actor| actor.sleep.is_some_and(|s| s.place == Place::Reactor);
        let taken = self.actors.iter().any(in_reactor);
        let for_a_moment = self.monitor.is_some() && self.random.below(TAKEN_ONCE_IN) == 0;
        if taken || for_a_moment { Place::Thread } else { Place::Reactor }
    }

    fn monitor_is_due(&self) -> bool {
        let state = self.stage.state.lock();
        self.monitor.is_some() && state.alarm.is_some_and(|at| at <= state.now)
    }

    fn step_worker(&mut self, index: usize) {
        let place = self.place();
        let actor = &mut self.actors[index];
        actor.worker.begin();
        match actor.worker.step() {
            Step::Ran => self.log.push(Event::Ran(actor.index)),
            Step::Idle => {
                if let Some(bed) = actor.worker.lie_down() {
                    if place == Place::Reactor {
                        bed.watching(true);
                    }
                    actor.sleep = Some(Sleep { until: bed.until(place), place });
                    self.log.push(Event::Slept(actor.index));
                }
            }
            Step::Closing => actor.worker.close_down(),
        }
        actor.worker.end();
    }

    fn run_job(&mut self) {
        let job = self.stage.state.lock().jobs.pop_front();
        if let Some(job) = job {
            self.log.push(Event::Job);
            job.run();
        }
    }

    fn tick(&mut self) {
        let now = self.stage.now();
        self.stage.state.lock().alarm = Some(now + PERIOD);
        if let Some(monitor) = &mut self.monitor {
            self.log.push(Event::Tick);
            if monitor.tick(now) == Watch::Over {
                self.monitor = None;
            }
        }
    }

    /// Everybody sleeps: moves the clock to the next deadline, if there is one.
    fn jump(&mut self) -> bool {
        let sleeps = self.actors.iter().filter_map(|actor| actor.sleep?.until);
        let alarm = self.stage.state.lock().alarm.filter(|_| self.monitor.is_some());
        // An alarm alone is no reason to go on: the monitor has nobody to look after but sleepers,
        // and its next look disarms it.
        let Some(next) = sleeps.chain(alarm).min() else { return false };
        let mut state = self.stage.state.lock();
        let by = next.saturating_duration_since(state.now);
        state.now = next;
        drop(state);
        self.log.push(Event::Jumped(by));
        true
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.ground.close();
        for actor in &mut self.actors {
            if let Some(sleep) = actor.sleep.take() {
                actor.rise(sleep);
            }
            actor.worker.begin();
            actor.worker.close_down();
            actor.worker.end();
        }
        for actor in self.actors.drain(..) {
            drop(actor);
            self.ground.worker_left();
        }
    }
}
