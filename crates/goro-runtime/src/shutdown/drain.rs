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
    /// Since when nothing was left, as far as looks have seen.
    quiet: Option<Duration>,
    warned: bool,
}

/// With queues, and by their rate, a drain is looked at so often. Whoever has just taken a value has so long for
/// its guard.
const LOOK: Duration = Duration::from_millis(5);

impl Drain {
    pub(super) fn new(queues: Vec<Arc<Tracked>>) -> Self {
        let look = |queue: Arc<Tracked>| {
            let before = queue.look();
            let report = QueueReport { name: queue.name.clone(), before, after: before };
            (queue, report)
        };
        let queues = queues.into_iter().map(look).collect();
        Self { running: Arc::default(), queues, quiet: None, warned: false }
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
    pub(super) fn progress(
        &mut self,
        elapsed: Duration,
        guards: usize,
        left: u64,
        no_hooks: bool,
    ) -> Progress {
        let (mut depth, mut done) = (guards as u64, left);
        for (queue, report) in &mut self.queues {
            report.after = queue.look();
            depth = depth.saturating_add(report.after as u64);
            done = done.saturating_add(report.before.saturating_sub(report.after) as u64);
        }
        let idle = depth == 0 && no_hooks && !self.hooks_run();
        self.quiet = idle.then(|| self.quiet.unwrap_or(elapsed));
        let moment = match self.quiet {
            Some(since) if !self.queues.is_empty() => {
                LOOK.saturating_sub(elapsed.saturating_sub(since))
            }
            _ => Duration::ZERO,
        };
        Progress { elapsed, depth, done, moment }
    }

    /// Whether nothing is left; with queues, for a moment, if there is time for that.
    pub(super) fn is_done(&self, progress: Progress, time_is_up: bool) -> bool {
        self.quiet.is_some() && (progress.moment.is_zero() || time_is_up)
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
            report.after = queue.look();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::DrainPolicy;

    /// However many looks there are meanwhile, and whatever the rate says.
    #[test]
    fn who_has_taken_the_last_value_has_a_moment_for_its_guard() {
        let ms = Duration::from_millis;
        let queue = Tracked { name: "queue".into(), depth: Box::new(|| 0) };
        let mut drain = Drain::new(vec![Arc::new(queue)]);
        let policy = DrainPolicy::adaptive(ms(0), ms(100), ms(0));
        let mut look = |at, guards| {
            let progress = drain.progress(ms(at), guards, 0, true);
            (drain.is_done(progress, false), policy.allows(progress) > ms(at))
        };
        assert_eq!([look(0, 0), look(0, 0), look(4, 0)], [(false, true); 3]);
        assert!(!look(5, 1).0, "there it is");
        assert_eq!([look(6, 0), look(10, 0)], [(false, true); 2]);
        assert!(look(11, 0).0);
        let progress = drain.progress(ms(12), 1, 0, true);
        assert!(!drain.is_done(progress, true));
        let progress = drain.progress(ms(13), 0, 0, true);
        assert!(drain.is_done(progress, true), "no time is left for a moment");
    }
}
