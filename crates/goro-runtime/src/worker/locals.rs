//! A worker's local tasks: running them in turn with the others, and ending them.

use goro_context::Cause;
use goro_shim::time::{self, Duration};
use goro_task::{Ending, LocalRan, LocalRunnable};

use super::{Step, Worker};
use crate::closing;
use crate::local::Locals;
use crate::shard::Shard;

/// How long a worker naps that waits for others as the runtime ends, inside a `block_on`.
const NAP: Duration = Duration::from_micros(200);

impl Worker {
    /// Those that stay on this worker.
    pub(crate) fn locals(&self) -> &Locals {
        &self.locals
    }

    /// The shard it owns.
    pub(crate) fn shard(&self) -> &'static Shard {
        self.shard
    }

    /// Runs the local task whose turn it is.
    #[cold]
    pub(super) fn run_local(&self) -> Option<Step> {
        let task = self.locals.pop()?;
        if self.searching.get() {
            self.found();
        }
        self.share();
        self.refill();
        self.poll_local(task);
        Some(Step::Ran)
    }

    fn poll_local(&self, task: LocalRunnable<Shard>) {
        let identity = task.identity();
        self.shard.counters.polls.add(1);
        self.fresh.set(false);
        self.shard.published.begin(identity);
        let ran = task.run(self.shard);
        let hints = self.shard.published.end();
        if hints.is_some() {
            self.take_hints(hints);
        }
        match ran {
            LocalRan::Parked => {}
            LocalRan::Again(task) => self.locals.push(task),
            LocalRan::Finished(ending) => {
                self.locals.ended();
                if ending == Ending::Panicked {
                    crate::panics::of_task(&self.ground, identity.current());
                }
            }
        }
    }

    /// Cancels the local tasks that are ready, and says how many there were.
    fn cancel_locals(&self) -> usize {
        self.locals.open_mail();
        let mut cancelled = 0;
        while let Some(task) = self.locals.pop() {
            let identity = task.identity();
            self.shard.published.begin(identity);
            if task.cancel(Cause::Shutdown) == Ending::Panicked {
                crate::panics::of_task(&self.ground, identity.current());
            }
            let _at_the_end_anyway = self.shard.published.end();
            self.locals.ended();
            cancelled += 1;
            self.locals.open_mail();
        }
        cancelled
    }

    /// Cancels all that can be reached, and says how much that was.
    pub(crate) fn cancel_all(&self) -> usize {
        let others = closing::cancel_all(self.hub, &self.claim, |task| self.cancel(task));
        others + self.cancel_locals()
    }

    /// As the runtime ends: one round of closing down. Whether there was anything to cancel.
    pub(crate) fn close_once(&self) -> bool {
        let any = self.cancel_all() > 0;
        if !any {
            self.look_after_all();
            if self.hub.live() == 0 {
                self.nobody_is_left();
            }
        }
        any
    }

    /// As the runtime ends, inside a `block_on` on this very thread.
    pub(crate) fn close_a_little(&self) {
        if !self.close_once() {
            self.shard.parker.sleep(Some(time::now() + NAP));
        }
    }

    /// The runtime's end may be over by this.
    pub(super) fn nobody_is_left(&self) {
        if let Some(unit) = self.ground.ending.get() {
            unit.look();
        }
    }
}
