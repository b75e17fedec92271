//! The driver that steps a runtime on one thread: a [`Script`] chooses who goes next, and the clock
//! moves only when nobody can.
//!
//! The workers, queues, wake rule, timers and monitor are the ones that real programs run on; only
//! what is behind the [`Driver`] seam differs. The same choices give the same run.
//!
//! **Threads.** Each becomes an actor: the workers, the monitor, the blocking pool (one actor, with
//! as many jobs under way as there are), and outsiders (threads that are not the runtime's, inside
//! `block_on`). An actor's step is what its thread does between two system calls: a worker runs one
//! task, lies down, or rises; the monitor looks once; a job runs to its end; an outsider's future is
//! polled once.
//!
//! **Choice points.** Between two steps, and nowhere else: which of the actors that can move does.
//! Who has been woken, or whose deadline has come, *can* rise; when it does is a choice like any
//! other. Inside a poll time stands still, but for [`Driver::busy`] and for a nested `block_on`:
//! these step the other actors from inside the poll (`nested`), with this thread's context put
//! aside meanwhile.
//!
//! **Who may touch what.** Actors are reached through the cast by the script's own thread alone. The
//! stage is what the scheduler sees; it may be called from anywhere, and only takes notes.
//!
//! **What makes it deterministic.** Actors are asked in the order of their index. Nothing is drawn
//! but from the script; the clock starts at the one epoch of all wheels. No address, thread id or
//! hashed order is looked at on the way (task ids differ between runs of one process, so nothing is
//! ordered by them but reports).
//!
//! One sleeper minds the deadlines of outsiders and the network, as the one in the reactor does on
//! threads; and as there, a worker that lies down may find the place taken for a moment by the
//! monitor.
//!
//! Invariants:
//! 1. One actor moves at a time, for one step; between steps nothing is held, and no actor is
//!    stepped while it is inside a step of its own.
//! 2. The clock jumps to the next deadline only when no actor can move. Otherwise it moves by what
//!    the script says that a step took, and inside [`Driver::busy`].
//! 3. Nothing is drawn from the system: not the order, not the clock, not the seed.
//!
//! Left out: order within what one thread does between two system calls (the models explore that,
//! weak memory included), and real threads that wake somebody from outside.

use core::future::Future;
use goro_shim::Arc;
use goro_shim::time::{Duration, Instant};
use goro_task::{JoinError, JoinHandle};
use std::rc::Rc;

pub use goro_task::{Activity, TaskView};

use super::{Chosen, Driver, Place, Rest, Role};
use crate::builder::BuildError;
use crate::ground::{Ground, Plan};
use crate::handle::Handle;

mod cast;
mod nested;
mod outsider;
mod script;
mod stage;

use cast::Cast;
pub(crate) use cast::is_here;
pub use nested::Inside;
pub use outsider::Outsider;
pub use script::{Mover, Script, Seeded, Stuck};
pub(crate) use stage::Stage;

#[cfg(test)]
mod tests;

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
    /// A spare was needed no more, and has left.
    Left(u32),
    /// As the runtime ends, a worker cancelled what it found.
    Closed(u32),
    /// A blocking job ran.
    Job,
    /// The monitor looked.
    Tick,
    /// An outsider's future was polled.
    Outsider(u32),
    /// A `block_on` inside a poll went on.
    Resumed,
    /// Nothing could run, or somebody was busy; the clock moved by this much.
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
    cast: Rc<Cast>,
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
    pub(crate) fn start(plan: Plan, script: Arc<dyn Script>) -> Result<Self, BuildError> {
        let stage = Arc::new(Stage::new(script));
        let (ground, refused) = match Ground::start(Chosen::Scripted(stage.clone()), plan) {
            Ok(ground) => (ground, None),
            Err((ground, started, error)) => (ground, Some((started, error))),
        };
        // Those that were launched by then have to come, and go, all the same.
        let script = Self { cast: Cast::assemble(stage, ground) };
        match refused {
            None => Ok(script),
            Some((started, error)) => Err(BuildError::Thread { started, error }),
        }
    }

    /// A way into the runtime, for spawning before or between runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::of(&self.cast.ground)
    }

    /// What has been done so far, step by step.
    #[must_use]
    pub fn log(&self) -> Vec<Event> {
        self.cast.log.borrow().clone()
    }

    /// The runtime's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.cast.stage.now()
    }

    /// Who waits.
    #[must_use]
    pub fn stuck(&self) -> Stuck {
        self.cast.stuck()
    }

    /// Has `future` driven by a thread that is not the runtime's, inside `block_on`.
    pub fn attend(&mut self, future: impl Future<Output = ()> + 'static) -> Outsider {
        self.cast.attend(Box::pin(future))
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
        self.cast.step()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.cast.dismiss();
    }
}
