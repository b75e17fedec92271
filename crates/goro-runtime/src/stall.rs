//! Polls that go on for long: when they count as stalls, and who is told of them.
//!
//! Invariants:
//! 1. A kind of task is reported at most once in [`APART`], and so is each thing that could not be
//!    done about a stall: what happens a thousand times a second must not be said as often.
//! 2. Whoever is told (the hook, a subscriber) is called with nothing held, after all else that the
//!    monitor had to do; its panic goes no further.

use core::fmt;
use core::panic::Location;
use goro_context::contain::quietly;
use goro_context::{Kind, TaskId};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use std::collections::BTreeMap;
use std::io;

use crate::observe;

/// How long a poll may go on before its worker counts as stuck, if something waits for a worker.
pub(crate) const THRESHOLD: Duration = Duration::from_millis(1);

/// So many times as long with nothing waiting; from then on the poll is reported, too.
pub(crate) const LONG: u32 = 10;

/// How long spares stay that nobody has needed, where they are needed again and again.
pub(crate) const KEEP: Duration = Duration::from_millis(100);

/// The most spares for stalls, and for declared blocks.
pub(crate) const STALL_SPARES: u32 = 64;
pub(crate) const BLOCK_SPARES: u32 = 512;

/// How long one report stands for all that follow.
const APART: Duration = Duration::from_secs(60);

/// One poll that has gone on for long, and goes on; told to
/// [`Builder::on_stall`](crate::Builder::on_stall).
///
/// ```
/// use goro_runtime::Builder;
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// let (tell, told) = mpsc::channel();
/// let runtime = Builder::new()
///     .stall_threshold(Duration::from_millis(1))
///     .on_stall(move |stall| {
///         let _gone = tell.send(*stall);
///     })
///     .build()
///     .unwrap();
/// let task = runtime.spawn(async { std::thread::sleep(Duration::from_millis(50)) });
/// let stall = told.recv().unwrap();
/// assert_eq!((stall.task(), stall.name()), (task.id(), task.kind().name()));
/// println!("worker {}: {:?} at {}", stall.worker(), stall.lasted(), stall.site());
/// runtime.block_on(task).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    pub(crate) id: TaskId,
    pub(crate) kind: Kind,
    pub(crate) worker: u32,
    pub(crate) lasted: Duration,
}

impl Stall {
    /// The task that is being polled.
    #[must_use]
    pub fn task(&self) -> TaskId {
        self.id
    }

    /// What its kind is called: the name it was given, or its spawn site.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Where it was spawned.
    #[must_use]
    pub fn site(&self) -> &'static Location<'static> {
        self.kind.site()
    }

    /// Which worker is inside of the poll; 1024 and above are spares.
    #[must_use]
    pub fn worker(&self) -> u32 {
        self.worker
    }

    /// How long the poll has gone on, at least.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.lasted
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "task {} ({}, spawned at {}) has been in one poll for {:?} on worker {}",
            self.id.get(),
            self.name(),
            self.site(),
            self.lasted,
            self.worker
        )
    }
}

/// What is called for each stall.
type Hook = Arc<dyn Fn(&Stall) + Send + Sync>;

/// What a runtime does about stalls.
#[derive(Clone)]
pub(crate) struct StallPlan {
    pub(crate) threshold: Duration,
    pub(crate) keep: Duration,
    pub(crate) hook: Option<Hook>,
}

impl fmt::Debug for StallPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallPlan")
            .field("threshold", &self.threshold)
            .field("keep", &self.keep)
            .field("hook", &self.hook.is_some())
            .finish()
    }
}

impl Default for StallPlan {
    fn default() -> Self {
        Self { threshold: THRESHOLD, keep: KEEP, hook: None }
    }
}

impl StallPlan {
    /// How long a poll may go on before it is a stall whatever waits.
    pub(crate) fn long(&self) -> Duration {
        self.threshold.saturating_mul(LONG)
    }

    /// Tells the hook.
    pub(crate) fn tell(&self, stall: &Stall) {
        if let Some(hook) = &self.hook {
            // Panic: the hook's may come from here; the monitor goes on.
            quietly(|| hook(stall));
        }
    }
}

/// What has been reported, and when.
#[derive(Debug)]
pub(crate) struct Reports {
    runtime: Arc<str>,
    last: Lock<BTreeMap<Subject, Instant>>,
}

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Stall(u32),
    Refused,
    Exhausted,
    BlockLimit,
}

impl Reports {
    pub(crate) fn new(runtime: Arc<str>) -> Self {
        Self { runtime, last: Lock::default() }
    }

    /// Whether `subject` is to be reported now.
    fn is_news(&self, subject: Subject, now: Instant) -> bool {
        let mut last = self.last.lock();
        let old = last.get(&subject).is_some_and(|&at| now.saturating_duration_since(at) < APART);
        if !old {
            last.insert(subject, now);
        }
        !old
    }

    /// A poll has gone on for long.
    pub(crate) fn stall(&self, stall: &Stall, now: Instant) {
        if self.is_news(Subject::Stall(stall.kind.index()), now) {
            observe::stalled(stall, &self.runtime);
        }
    }

    /// The operating system refused a thread for a spare.
    pub(crate) fn spare_refused(&self, error: &io::Error, now: Instant) {
        if self.is_news(Subject::Refused, now) {
            observe::spare_refused(error, &self.runtime);
        }
    }

    /// As many spares as there may be are stuck, too.
    pub(crate) fn exhausted(&self, spares: u32, under_quota: bool, now: Instant) {
        if self.is_news(Subject::Exhausted, now) {
            observe::spares_exhausted(spares, under_quota, &self.runtime);
        }
    }

    /// As many declared blocks have a spare as may have one.
    pub(crate) fn block_limit(&self, limit: u32, now: Instant) {
        if self.is_news(Subject::BlockLimit, now) {
            observe::block_limit(limit, &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use goro_shim::time;

    #[test]
    fn each_subject_is_news_once_a_minute() {
        let (reports, now) = (Reports::new("a".into()), time::now());
        for subject in [Subject::Stall(1), Subject::Stall(2), Subject::Refused] {
            assert!(reports.is_news(subject, now));
            assert!(!reports.is_news(subject, now + APART - Duration::from_nanos(1)));
            assert!(reports.is_news(subject, now + APART));
        }
    }
}
