//! A drain as it goes: hooks level by level, and how much is left.
//!
//! Hooks run by priority, the highest first; those of one priority beside each other, as guarded tasks. A level
//! begins when the one before it is done, also if that has panicked.

use core::cmp::Reverse;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use std::collections::BTreeMap;

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::Weak;
use goro_shim::time::Duration;

use super::policy::Progress;
use super::queues::{QueueReport, Tracked};
use super::unit::Unit;

/// What is done while it drains.
pub(super) struct Hook {
    pub(super) site: &'static Location<'static>,
    pub(super) start: Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>,
}

/// Hooks that have not been started, the highest priority first.
pub(super) struct Levels(BTreeMap<Reverse<i32>, Vec<Hook>>);

impl Levels {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn add(&mut self, priority: i32, hook: Hook) {
        self.0.entry(Reverse(priority)).or_default().push(hook);
    }

    pub(super) fn next(&mut self) -> Option<Vec<Hook>> {
        self.0.pop_first().map(|(_, level)| level)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A drain; see the module.
pub(super) struct Drain {
    /// Hooks that run.
    running: Arc<AtomicUsize>,
    queues: Vec<(Arc<Tracked>, QueueReport)>,
    /// The queues were found empty, with nobody at work, by the look before.
    quiet: bool,
    warned: bool,
}

/// With queues, and by their rate, a drain is looked at so often.
const LOOK: Duration = Duration::from_millis(5);

impl Drain {
    pub(super) fn new(queues: Vec<Arc<Tracked>>) -> Self {
        let look = |queue: Arc<Tracked>| {
            let before = (queue.depth)();
            let report = QueueReport { name: queue.name.clone(), before, after: before };
            (queue, report)
        };
        let queues = queues.into_iter().map(look).collect();
        Self { running: Arc::default(), queues, quiet: false, warned: false }
    }

    pub(super) fn hooks_run(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `Part`: the next level sees what this one did.
        self.running.load(Ordering::Acquire) > 0
    }

    /// Starts hooks that run beside each other.
    pub(super) fn start(&self, unit: &Arc<Unit>, level: Vec<Hook>) {
        self.running.fetch_add(level.len(), Ordering::Relaxed);
        for hook in level {
            let part = Part { running: Arc::clone(&self.running), unit: Arc::downgrade(unit) };
            unit.run_hook(hook, part);
        }
    }

    /// How it goes, now.
    pub(super) fn progress(&mut self, elapsed: Duration, guards: usize, left: u64) -> Progress {
        let mut gone = 0;
        let mut standing = 0;
        for (queue, report) in &mut self.queues {
            report.after = (queue.depth)();
            standing += report.after;
            gone += report.before.saturating_sub(report.after);
        }
        Progress { elapsed, depth: (guards + standing) as u64, done: left + gone as u64 }
    }

    /// Whether nothing is left; with queues, for the second time.
    pub(super) fn is_done(&mut self, progress: Progress, no_hooks: bool) -> bool {
        let idle = progress.depth == 0 && no_hooks && !self.hooks_run();
        let before = core::mem::replace(&mut self.quiet, idle);
        idle && (before || self.queues.is_empty())
    }

    /// How long what is left will take, if that is too long and has not been said.
    pub(super) fn warns(&mut self, progress: Progress, left: Duration) -> Option<Duration> {
        let needed = progress.falls_short(left).filter(|_| !self.warned)?;
        self.warned = true;
        Some(needed)
    }

    /// When to look again if nobody says anything.
    pub(super) fn patience(&self, rate: bool, allowed: Duration) -> Duration {
        if rate || !self.queues.is_empty() { LOOK } else { (allowed / 20).max(LOOK) }
    }

    /// It is over: how much stands where.
    pub(super) fn end(&mut self) {
        for (queue, report) in &mut self.queues {
            report.after = (queue.depth)();
        }
    }

    pub(super) fn queues(&self) -> Vec<QueueReport> {
        self.queues.iter().map(|(_, report)| report.clone()).collect()
    }
}

/// A hook that runs; dropped with its task, however that ends.
struct Part {
    running: Arc<AtomicUsize>,
    unit: Weak<Unit>,
}

impl Drop for Part {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire in `hooks_run`.
        if self.running.fetch_sub(1, Ordering::Release) == 1 {
            if let Some(unit) = self.unit.upgrade() {
                unit.look();
            }
        }
    }
}
