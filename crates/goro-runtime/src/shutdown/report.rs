//! What a shutdown came to.
//!
//! How it is made exact: tasks and blocking jobs are counted as they are made and as they end, by how. What
//! was counted when the end began is subtracted from what is counted when it is over, so that each task that
//! lived then, or was made since, is in exactly one of *drained*, *aborted* and *abandoned*. Refused spawns are
//! counted apart: no task is made for them.
//!
//! Left out: saying of a task that somebody else aborts meanwhile who did it. It counts as aborted.

use core::fmt;
use core::panic::Location;

use goro_context::{Cause, Kind, TaskId};
use goro_shim::time::Duration;

use super::guard::Holder;
use super::queues::QueueReport;

/// What a [shutdown](crate::ShutdownHandle) came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Why there was one.
    pub reason: Cause,
    /// Tasks and blocking jobs that came to their own end after it began: completed, or panicked.
    pub drained: u64,
    /// Tasks whose futures were dropped before they were done, and jobs that had not begun.
    pub aborted: u64,
    /// Tasks and jobs that were still there when nothing more could be done: inside a poll, a blocking
    /// closure, or a foreign thread's hand.
    pub abandoned: u64,
    /// Those of them that could be named.
    pub left: Vec<Holdup>,
    /// Spawns that were refused while it drained.
    pub refused: u64,
    /// Guards that were out when the time for the drain was over; the longest first, at most 64 of them.
    pub held: Vec<Holdup>,
    /// Who was waited for last.
    pub slowest: Option<Holdup>,
    /// The tracked queues.
    pub queues: Vec<QueueReport>,
    /// The drain ended because its time was over, not because all was done.
    pub timed_out: bool,
    /// Somebody has cut it short.
    pub forced: bool,
    /// How long the drain took.
    pub drain: Duration,
    /// How long all of it took.
    pub total: Duration,
}

/// Somebody who was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holdup {
    /// What it is.
    pub what: Held,
    /// The task's id; of a guard, the task's that took it.
    pub task: Option<TaskId>,
    /// What the task's kind is called; of a guard that was not taken in a task, where that was.
    pub name: &'static str,
    /// Where the task was spawned; where the guard was taken.
    pub site: &'static Location<'static>,
    /// How long it was waited for since the shutdown began.
    pub waited: Duration,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Held {
    /// A guard.
    Guard,
    /// A task that waits, or is on its way to or from a worker.
    Task,
    /// A task inside a poll.
    Poll,
    /// A blocking job that a thread has begun.
    Job,
}

impl Holdup {
    pub(crate) fn task(what: Held, id: TaskId, kind: Kind, waited: Duration) -> Self {
        Self { what, task: Some(id), name: kind.name(), site: kind.site(), waited }
    }

    pub(super) fn guard(holder: Holder, waited: Duration) -> Self {
        let Holder { site, task } = holder;
        let name = task.map_or(site.file(), |task| task.kind.name());
        Self { what: Held::Guard, task: task.map(|task| task.id), name, site, waited }
    }
}

impl ShutdownReport {
    /// Whether everybody came to an own end in time, or ended when asked to: nothing was cut short.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.timed_out && !self.forced && self.aborted == 0 && self.abandoned == 0
    }

    /// What a program may exit with: 0, or 1 if guarded work was cut short or somebody is left behind. (A
    /// background task that was dropped where it waited is no failure.)
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.timed_out || self.forced || self.abandoned > 0)
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, drained, aborted, abandoned, refused, total, drain, .. } = self;
        write!(
            f,
            "stopped after {total:.1?} ({reason}): {drained} drained in {drain:.1?}, {aborted} aborted, \
             {abandoned} abandoned, {refused} refused"
        )?;
        if self.timed_out {
            write!(f, "; time was up with {} guards out", self.held.len())?;
        }
        if self.forced {
            f.write_str("; cut short")?;
        }
        if let Some(slowest) = &self.slowest {
            write!(f, "; slowest: {slowest}")?;
        }
        for queue in &self.queues {
            write!(f, "; {queue}")?;
        }
        for left in &self.left {
            write!(f, "; left: {left}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Holdup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Held::Guard => "guard of",
            Held::Task => "task",
            Held::Poll => "task inside a poll",
            Held::Job => "blocking job",
        };
        write!(f, "{what} {} at {} ({:.1?})", self.name, self.site, self.waited)
    }
}
