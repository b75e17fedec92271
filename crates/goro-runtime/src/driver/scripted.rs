//! The driver that steps a runtime on one thread: a seed chooses who goes next, and the clock
//! moves only when nobody can.
//!
//! The workers, queues, wake rule, timers and monitor are the ones that real programs run on; only
//! what is behind the [`Driver`] seam differs. The same seed gives the same run.
//!
//! Invariants:
//! 1. One actor moves at a time, for one step; between steps nothing is held.
//! 2. The clock jumps to the next deadline only when every worker sleeps and no job waits. Inside a
//!    poll it moves only by [`Driver::busy`].
//! 3. Nothing is drawn from the system: not the order, not the clock, not the seed.
//!
//! Left out: a network and faults.

use core::future::Future;
use core::task::Waker;
use goro_context::Cause;
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use goro_task::{JoinError, JoinHandle};
use std::collections::VecDeque;
use std::io;

use super::{Driver, Job, Place, RefusedJob, Rest, Role};
use crate::alarm::PERIOD;
use crate::ground::Ground;
use crate::handle::Handle;
use crate::hub::{Lease, epoch};
use crate::monitor::{Monitor, Watch};
use crate::parker::Parker;
use crate::worker::{Step, Worker};

/// What the scheduler sees of the script.
#[derive(Debug)]
struct Stage {
    state: Lock<State>,
    seed: u64,
}

#[derive(Debug)]
struct State {
    now: Instant,
    /// When the monitor looks next; `None` while its alarm is disarmed.
    alarm: Option<Instant>,
    roles: Vec<Role>,
    jobs: VecDeque<Job>,
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

    fn notify(&self) {}

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

/// A worker of the script, and until when it sleeps.
#[derive(Debug)]
struct Actor {
    worker: Worker,
    index: u32,
    sleep: Option<Sleep>,
}

#[derive(Clone, Copy, Debug)]
struct Sleep {
    until: Option<Instant>,
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
        let state = State { now: epoch(), alarm: None, roles: Vec::new(), jobs: VecDeque::new() };
        let stage = Arc::new(Stage { state: Lock::new(state), seed });
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

    /// Wakes the sleepers that have their token or whose deadline has come.
    fn rouse(&mut self) {
        let now = self.stage.now();
        for actor in &mut self.actors {
            let Some(sleep) = actor.sleep else { continue };
            let due = sleep.until.is_some_and(|until| until <= now);
            if actor.worker.take_token() || due {
                actor.sleep = None;
                self.log.push(Event::Woke(actor.index));
                actor.worker.begin();
                actor.worker.wake_up();
                actor.worker.end();
            }
        }
    }

    fn monitor_is_due(&self) -> bool {
        let state = self.stage.state.lock();
        self.monitor.is_some() && state.alarm.is_some_and(|at| at <= state.now)
    }

    fn step_worker(&mut self, index: usize) {
        let actor = &mut self.actors[index];
        actor.worker.begin();
        match actor.worker.step() {
            Step::Ran => self.log.push(Event::Ran(actor.index)),
            Step::Idle => {
                if let Some(bed) = actor.worker.lie_down() {
                    // Nobody is in a reactor here, so everybody minds the deadlines of outsiders.
                    actor.sleep = Some(Sleep { until: bed.until(Place::Reactor) });
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
        for actor in &self.actors {
            actor.worker.begin();
            if actor.sleep.is_some() {
                actor.worker.wake_up();
            }
            actor.worker.close_down();
            actor.worker.end();
        }
        for actor in self.actors.drain(..) {
            drop(actor);
            self.ground.worker_left();
        }
    }
}
