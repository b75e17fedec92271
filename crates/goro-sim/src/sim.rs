//! One run: how it is to be, and running it.

use core::cell::Cell;
use core::future::Future;
use goro_context::random;
use goro_runtime::Builder;
use goro_runtime::driver::scripted::{Outsider, Script, Scripted};
use goro_shim::Arc;
use goro_shim::random::Random;
use goro_shim::time::Duration;
use std::panic::resume_unwind;
use std::rc::Rc;

use crate::failure::Failure;
use crate::faults::Faults;
use crate::here;
use crate::log::Log;
use crate::net::Conditions;
use crate::schedule::Schedule;
use crate::world::{Plan, World};

/// One run of a program on the production runtime, on one thread, with everything that is left to
/// chance drawn from a seed.
///
/// The future runs as it does under `#[goro::main]`: on a thread of its own beside the workers. It
/// need not be `Send`.
///
/// What is not set is drawn from the seed as well: one to four workers, a random schedule or one by
/// priorities.
///
/// # Example
/// ```
/// use goro_runtime::time::{Duration, sleep, timeout};
/// let late = goro_sim::Sim::new(42)
///     .workers(2)
///     .run(async { timeout(Duration::from_secs(5), sleep(Duration::from_secs(10))).await.is_err() });
/// assert!(late.unwrap());
/// ```
///
/// ```
/// use goro_sim::{Faults, Schedule, Sim, net::Conditions};
/// use std::time::Duration;
///
/// let sim = Sim::new(7)
///     .workers(2)
///     .schedule(Schedule::Pct { depth: 2 })
///     .step_time(Duration::from_micros(1))
///     .max_steps(100_000)
///     .monitor(true)
///     .network(Conditions::new())
///     .faults(Faults::none());
/// assert_eq!(sim.seed(), 7);
/// let (seven, log) = sim.trace(async { 7 });
/// assert_eq!(seven.unwrap(), 7);
/// assert_eq!(log.is_empty(), log.len() == 0);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a simulation does nothing until it is run"]
pub struct Sim {
    plan: Plan,
    workers: usize,
    monitor: bool,
}

/// The depth of a schedule by priorities that the seed chose.
const DEPTH: u32 = 3;

impl Sim {
    /// The run of this seed.
    pub fn new(seed: u64) -> Self {
        let drawn = Random::new(!seed);
        let workers = 1 + drawn.below(4) as usize;
        let schedule = match drawn.below(2) {
            0 => Schedule::Random,
            _ => Schedule::Pct { depth: DEPTH },
        };
        let step_time = Duration::from_micros(2);
        let (conditions, faults) = (Conditions::new(), Faults::none());
        let plan = Plan { seed, schedule, step_time, max_steps: 1_000_000, conditions, faults };
        Self { plan, workers, monitor: true }
    }

    /// How many workers, 1 to 1024.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How the next thread to go is chosen.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.plan.schedule = schedule;
        self
    }

    /// Whether the runtime has its monitor. Default: yes.
    pub fn monitor(mut self, yes: bool) -> Self {
        self.monitor = yes;
        self
    }

    /// How long the longest poll takes, up to 4 s; each takes anything below it. Default: 2 us.
    ///
    /// With zero the clock stands still while anything can run, and readings of it are exact. Then a
    /// task that waits for a deadline by yielding again and again waits for ever.
    pub fn step_time(mut self, longest: Duration) -> Self {
        self.plan.step_time = longest;
        self
    }

    /// After how many steps a run is given up. Default: a million.
    pub fn max_steps(mut self, steps: u64) -> Self {
        self.plan.max_steps = steps;
        self
    }

    /// How the network behaves.
    pub fn network(mut self, conditions: Conditions) -> Self {
        self.plan.conditions = conditions;
        self
    }

    /// What goes wrong. Default: nothing.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.plan.faults = faults;
        self
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.plan.seed
    }

    /// Runs `future` to its end; tasks that are live then are cancelled.
    ///
    /// # Errors
    /// [`Failure`], when it comes to none.
    ///
    /// # Panics
    /// When `future` does, and for a number of workers that no runtime can have.
    pub fn run<F>(self, future: F) -> Result<F::Output, Failure>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.play(future, false).0
    }

    /// As [`run`](Self::run), with the log of what happened.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn trace<F>(self, future: F) -> (Result<F::Output, Failure>, Log)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.play(future, true)
    }

    fn play<F>(self, future: F, traced: bool) -> (Result<F::Output, Failure>, Log)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let world = Arc::new(World::new(self.plan.clone(), traced));
        let _running = here::enter(&world);
        let _choices = Seeded::here(self.plan.seed);
        let builder = Builder::new().name("sim").workers(self.workers).monitor(self.monitor);
        let builder = match self.plan.faults.yields {
            0 => builder,
            once_in => builder.chaos(1.0 / f64::from(once_in), Duration::ZERO),
        };
        let mut script = match builder.build_on_script(world.clone()) {
            Ok(script) => script,
            Err(error) => return (Err(Failure::Build(error)), world.take_log()),
        };
        world.begin(script.now());
        let output = Rc::new(Cell::new(None));
        let place = Rc::clone(&output);
        let main = script.attend(async move { place.set(Some(future.await)) });
        let failure = drive(&world, &mut script, &main);
        // Before anything else is said: what is live is cancelled, whatever came of the future.
        drop(script);
        world.net().close();
        let log = world.take_log();
        if let Some(failure) = failure {
            // A panic that this has led to says less.
            return (Err(failure), log);
        }
        if let Some(payload) = main.take_panic() {
            resume_unwind(payload);
        }
        (Ok(output.take().expect("an outsider that is done has ended")), log)
    }
}

/// Steps until `main` is done; says why it will not be.
fn drive(world: &World, script: &mut Scripted, main: &Outsider) -> Option<Failure> {
    while !main.is_done() && !world.gives_up() {
        if !script.step() {
            world.stalled(script.stuck());
        }
    }
    world.failure(script.now(), main.wait().op)
}

/// This thread's generator gives what the seed says until this is dropped. What it gives afterwards
/// follows from what it gave before: a run inside a run is part of what the outer seed says.
struct Seeded {
    afterwards: u64,
}

impl Seeded {
    fn here(seed: u64) -> Self {
        let afterwards = random::next();
        random::seed(seed);
        Self { afterwards }
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        random::seed(self.afterwards);
    }
}
