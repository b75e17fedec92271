//! What a scripted run leaves open: who goes first, how long it takes, what fails.

use core::fmt;
use core::task::Waker;
use goro_context::CurrentTask;
use goro_reactor::source::Network;
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use std::io;

use super::nested::Inside;
use super::{Event, TaskView};

/// An actor that can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mover {
    /// A worker, awake or about to rise.
    Worker(u32),
    /// A thread of the blocking pool with a job.
    Job,
    /// The monitor, whose alarm has rung.
    Monitor,
    /// An outsider that has been woken.
    Outsider(u32),
    /// Time, while some poll is busy.
    Clock,
    /// A `block_on` inside a poll whose future has been woken.
    Waiter,
}

/// Nothing can ever go on: who waits, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stuck {
    /// The time by the run's clock.
    pub at: Instant,
    /// Polls that wait in a `block_on` inside of them, the innermost last.
    pub inside: Vec<Inside>,
    /// Every task that has parked and has not ended, by its id.
    pub parked: Vec<TaskView>,
    /// How many tasks live: the parked, those that wait inside their polls, and those that stand
    /// in queues behind these.
    pub live: u64,
}

/// What a scripted run leaves open. Called with nothing held; a script's own lock is enough.
///
/// Only [`choose`](Self::choose) and [`below`](Self::below) have to be written; as provided, steps
/// take no time, nothing fails, and there is no network.
pub trait Script: fmt::Debug + Send + Sync + 'static {
    /// What the workers' own choices start from.
    fn seed(&self) -> u64;

    /// A choice of no great moment: a number below `bound`.
    fn below(&self, bound: u32) -> u32;

    /// Which of several actors moves, as an index.
    fn choose(&self, movers: &[Mover]) -> usize;

    /// Told of each thing that was done, and of the task that was run.
    fn note(&self, _at: Instant, _event: Event, _task: Option<CurrentTask>) {}

    /// How long the step of this actor took, now that it is over.
    fn took(&self, _mover: Mover) -> Duration {
        Duration::ZERO
    }

    /// Why a thread, called so, is refused, if it is.
    fn refuses_thread(&self, _suffix: &str) -> Option<io::Error> {
        None
    }

    /// How long a blocking job waits before it runs.
    ///
    /// # Errors
    /// Why the job is refused.
    fn admit_job(&self) -> io::Result<Duration> {
        Ok(Duration::ZERO)
    }

    /// When the reactor's next event comes.
    fn next_event(&self) -> Option<Instant> {
        None
    }

    /// The reactor is looked at: hands over the wakers of what has become ready by `now`.
    fn turn(&self, _now: Instant, _wakers: &mut Vec<Waker>) {}

    /// Nobody can move at this moment: whom to wake instead of moving the clock.
    fn settled(&self, _wakers: &mut Vec<Waker>) {}

    /// Nothing can ever go on, and polls wait inside of themselves: they are ended with a panic each,
    /// if [`gives_up`](Self::gives_up) is true from now on.
    fn stalled(&self, _stuck: Stuck) {}

    /// Whether enough is enough: waits inside polls then end with a panic, and busy polls at once.
    fn gives_up(&self) -> bool {
        false
    }

    /// The network that sockets are made on.
    fn network(&self) -> Option<Arc<dyn Network>> {
        None
    }
}

/// The plainest script: any actor may move, drawn from a seed.
#[derive(Debug)]
pub struct Seeded {
    seed: u64,
    random: Lock<Random>,
}

impl Seeded {
    /// A script that draws from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, random: Lock::new(Random::new(seed)) }
    }
}

impl Script for Seeded {
    fn seed(&self) -> u64 {
        self.seed
    }

    fn below(&self, bound: u32) -> u32 {
        self.random.lock().below(bound)
    }

    fn choose(&self, movers: &[Mover]) -> usize {
        self.below(u32::try_from(movers.len()).unwrap_or(u32::MAX)) as usize
    }
}
