//! The script of a simulation: all that a run leaves open, drawn from its seed.
//!
//! Invariant: one lock, held for the length of one draw or note; nothing of the user's runs under it.

use core::task::Waker;
use goro_context::{CurrentTask, Op, TaskId};
use goro_reactor::source::Network;
use goro_runtime::driver::scripted::{Event, Mover, Script, Stuck};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::lock::Lock;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use crate::failure::{self, Failure};
use crate::faults::Faults;
use crate::log::Log;
use crate::net::{Conditions, Net, Shared};
use crate::schedule::{Chooser, Schedule};

/// How a run is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) schedule: Schedule,
    pub(crate) step_time: Duration,
    pub(crate) max_steps: u64,
    pub(crate) conditions: Conditions,
    pub(crate) faults: Faults,
}

/// The script of a simulation; see the module.
#[derive(Debug)]
pub(crate) struct World {
    plan: Plan,
    net: Arc<Net>,
    state: Lock<State>,
}

#[derive(Debug)]
struct State {
    chooser: Chooser,
    /// For everything but the schedule, so that one draw more elsewhere leaves the order alone.
    random: Random,
    steps: u64,
    /// Somebody has been told that the run has taken too many steps.
    gave_up: bool,
    /// The first time that nothing could ever go on.
    stuck: Option<Stuck>,
    began: Option<Instant>,
    /// What has happened, if anybody wants to know.
    log: Option<Log>,
    /// Each task's number, by the low bits of its id: the order in which they first ran.
    numbers: BTreeMap<u64, u32>,
    /// Those who wait until nobody can move.
    quiet: Vec<(Arc<AtomicBool>, Waker)>,
}

impl World {
    pub(crate) fn new(plan: Plan, traced: bool) -> Self {
        let own = Random::new(plan.seed);
        let state = State {
            chooser: Chooser::new(plan.schedule, own.next()),
            random: Random::new(own.next()),
            steps: 0,
            gave_up: false,
            stuck: None,
            began: None,
            log: traced.then(Log::default),
            numbers: BTreeMap::new(),
            quiet: Vec::new(),
        };
        let net = Net::new(plan.conditions.clone(), &plan.faults, own.next());
        let net = Arc::new(net);
        Self { plan, net, state: Lock::new(state) }
    }

    pub(crate) fn net(&self) -> &Arc<Net> {
        &self.net
    }

    /// The run begins, at this point of its clock.
    pub(crate) fn begin(&self, now: Instant) {
        self.state.lock().began = Some(now);
    }

    /// Whether one in so many is due; never for zero.
    fn once_in(&self, many: u32) -> bool {
        many > 0 && self.below(many) == 0
    }

    /// Any time below `longest`.
    fn within(&self, longest: Duration) -> Duration {
        match u32::try_from(longest.as_nanos()).unwrap_or(u32::MAX) {
            0 => Duration::ZERO,
            nanos => Duration::from_nanos(self.below(nanos).into()),
        }
    }

    pub(crate) fn take_log(&self) -> Log {
        self.state.lock().log.take().unwrap_or_default()
    }

    /// Why the run is given up at `now`, if it is; `main` is what its future waits for.
    pub(crate) fn failure(&self, now: Instant, main: Op) -> Option<Failure> {
        let mut state = self.state.lock();
        if let Some(stuck) = state.stuck.take() {
            let at = state.since(stuck.at);
            return Some(Failure::Stalled(failure::stall(
                self.plan.seed,
                at,
                main,
                &stuck,
                |id| state.numbers.get(&low_bits(id)).copied(),
            )));
        }
        let (seed, steps, at) = (self.plan.seed, state.steps, state.since(now));
        state.gave_up.then_some(Failure::Endless { seed, steps, at })
    }

    /// Wakes `waker` when nobody can move, having set `reached`.
    pub(crate) fn when_quiet(&self, reached: &Arc<AtomicBool>, waker: &Waker) {
        // Panic: cloning the waker may; nothing has been changed then.
        let waker = waker.clone();
        let mut state = self.state.lock();
        let known = state.quiet.iter_mut().find(|(who, _)| Arc::ptr_eq(who, reached));
        let before = match known {
            Some((_, place)) => Some(core::mem::replace(place, waker)),
            None => {
                state.quiet.push((Arc::clone(reached), waker));
                None
            }
        };
        drop(state);
        drop(before);
    }
}

/// What a parked task's note says of the id of one that it waits for.
fn low_bits(id: TaskId) -> u64 {
    id.get() % (1 << 38)
}

impl State {
    fn number(&mut self, id: TaskId) -> u32 {
        let next = self.numbers.len() as u32 + 1;
        *self.numbers.entry(low_bits(id)).or_insert(next)
    }

    /// How long after the run began.
    fn since(&self, at: Instant) -> Duration {
        self.began.map_or(Duration::ZERO, |began| at.saturating_duration_since(began))
    }
}

impl Script for World {
    fn seed(&self) -> u64 {
        self.plan.seed
    }

    fn below(&self, bound: u32) -> u32 {
        self.state.lock().random.below(bound)
    }

    fn choose(&self, movers: &[Mover]) -> usize {
        self.state.lock().chooser.choose(movers)
    }

    fn note(&self, at: Instant, event: Event, task: Option<CurrentTask>) {
        let mut state = self.state.lock();
        state.steps += 1;
        let at = state.since(at);
        let task = task.map(|task| (state.number(task.id), task.kind));
        if let Some(log) = &mut state.log {
            log.push(at, event, task);
        }
    }

    fn took(&self, _: Mover) -> Duration {
        let (once_in, longest) = self.plan.faults.clock_jumps;
        let jump = if self.once_in(once_in) { self.within(longest) } else { Duration::ZERO };
        self.within(self.plan.step_time) + jump
    }

    fn refuses_thread(&self, suffix: &str) -> Option<io::Error> {
        self.once_in(self.plan.faults.refused_threads).then(|| {
            let message = format!("the simulation refuses the thread {suffix}");
            io::Error::new(ErrorKind::WouldBlock, message)
        })
    }

    fn admit_job(&self) -> io::Result<Duration> {
        if self.once_in(self.plan.faults.refused_jobs) {
            return Err(io::Error::other("the simulation refuses a thread for a blocking job"));
        }
        Ok(self.within(self.plan.faults.slow_jobs))
    }

    fn gives_up(&self) -> bool {
        let mut state = self.state.lock();
        state.gave_up |= state.steps >= self.plan.max_steps;
        state.gave_up || state.stuck.is_some()
    }

    fn stalled(&self, stuck: Stuck) {
        self.state.lock().stuck.get_or_insert(stuck);
    }

    fn next_event(&self) -> Option<Instant> {
        self.net.next_event()
    }

    fn turn(&self, now: Instant, wakers: &mut Vec<Waker>) {
        self.net.turn(now, wakers);
    }

    fn network(&self) -> Option<Arc<dyn Network>> {
        Some(Arc::new(Shared(Arc::clone(&self.net))))
    }

    fn settled(&self, wakers: &mut Vec<Waker>) {
        let quiet = core::mem::take(&mut self.state.lock().quiet);
        for (reached, waker) in quiet {
            reached.store(true, Ordering::Relaxed);
            wakers.push(waker);
        }
    }
}
