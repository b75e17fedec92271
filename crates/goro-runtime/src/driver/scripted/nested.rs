//! Inside a poll: the other actors go on while time passes, or while this one waits.
//!
//! The poll that asks stays on the stack below; whoever is stepped here runs above it. So of two
//! nested waits only the upper one can return, whichever is woken first: a `block_on` that waits for
//! one further down the stack is reported as stalled, although threads would go on.
//!
//! Invariant: what this thread knows about the poll that asks (whose worker it is; task, note, budget,
//! inheritance) is put aside before anybody else moves, and is back afterwards. So what the monitor, a
//! job or an outsider wakes or spawns goes where it would from a thread of theirs, not into the queue of
//! the worker whose poll this is.

use core::cell::RefCell;
use goro_context::{CurrentTask, WaitNote, note, task};
use goro_shim::time::{Duration, Instant};

use super::cast::{Cast, Moved};
use super::script::Mover;
use super::{Driver, Event, Stalled};
use crate::current::{aside, stand_outside};

/// The most nanoseconds that pass at once inside a poll while others could move.
const SLICE: u32 = 100_000;

/// A poll, or a blocking job, that waits in a `block_on` inside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inside {
    /// Whose step it is; `None` for whoever steps the script.
    pub who: Option<Mover>,
    /// The task, or the job, if it is one.
    pub task: Option<CurrentTask>,
    /// What it waits for.
    pub wait: WaitNote,
}

/// A poll waits inside of itself until this is dropped.
struct Waits<'a>(&'a RefCell<Vec<Inside>>);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().pop();
    }
}

impl Cast {
    /// How far the clock goes while others could move: not so far that they would seem starved.
    fn slice(&self) -> Duration {
        Duration::from_nanos(u64::from(self.stage.script.below(SLICE)) + 1)
    }

    /// Lets `duration` pass inside a poll, in which others move and deadlines come.
    pub(super) fn busy(&self, duration: Duration) {
        let until = self.stage.now() + duration;
        self.elsewhere(|| {
            while self.stage.now() < until {
                if self.stage.script.gives_up() {
                    return self.move_clock(until);
                }
                match self.go_on(Some(Mover::Clock)) {
                    Moved::Extra => self.move_clock(until.min(self.stage.now() + self.slice())),
                    Moved::Nobody => {
                        self.move_clock(self.next_deadline().map_or(until, |at| at.min(until)));
                    }
                    Moved::Somebody => {}
                }
            }
        });
    }

    /// Waits inside a poll until `ready` says so, which is true, or the clock stands at `until`.
    ///
    /// # Panics
    /// When nothing can ever make it so, and when the script gives up.
    pub(super) fn wait(&self, ready: &mut dyn FnMut() -> bool, until: Option<Instant>) -> bool {
        let (who, task, left) = (self.moving.get(), task::current(), note::take());
        note::replace(left);
        self.inside.borrow_mut().push(Inside { who, task, wait: left.parked() });
        let _waits = Waits(&self.inside);
        self.elsewhere(|| self.let_others_go_on(ready, until))
    }

    /// Runs `others` as on a thread that is not the one whose poll asks.
    fn elsewhere<R>(&self, others: impl FnOnce() -> R) -> R {
        aside(|| {
            let _outside = stand_outside(self.ground.hub.foreign());
            others()
        })
    }

    fn let_others_go_on(&self, ready: &mut dyn FnMut() -> bool, until: Option<Instant>) -> bool {
        let mut woken = false;
        loop {
            if self.stage.script.gives_up() {
                panic!("a block_on inside a poll has not ended: the run is given up");
            }
            woken = woken || ready();
            let may_go_on = woken || until.is_some_and(|until| until <= self.stage.now());
            match self.go_on(may_go_on.then_some(Mover::Waiter)) {
                Moved::Extra => {
                    self.note(Event::Resumed);
                    self.take_time(Mover::Waiter);
                    return woken;
                }
                Moved::Somebody => {}
                Moved::Nobody if self.settle() || self.jump(until) => {}
                Moved::Nobody => {
                    let stuck = self.stuck();
                    let parked = stuck.parked.len();
                    self.stage.script.stalled(stuck);
                    panic!("a block_on inside a poll waits for ever: {}", Stalled { parked });
                }
            }
        }
    }
}
