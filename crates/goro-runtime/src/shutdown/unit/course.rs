//! Where an end has come to, and the step that is due. See [`unit`](super) for when, and for the rules.
//!
//! | phase | a step | goes on when |
//! |---|---|---|
//! | Draining | starts the next level of hooks | no guard is out, no hook is left, the queues are empty (for some milliseconds: who has just taken a value has a moment for its guard); or the policy's time is over; or forced |
//! | Terminating, asking | asks whoever has not been asked | nobody is live; or the grace is over; or forced |
//! | Terminating, dropping | drops whoever waits, once | no task is live; or [`LAST`] is over: who is left is named |
//!
//! Left out: the clock, the alarm and the lock. Whoever looks has them, and the course is in its hands.

use goro_context::Cause;
use goro_context::alarm::Alarm;
use goro_shim::Arc;
use goro_shim::atomic::Ordering;
use goro_shim::time::{Duration, Instant};

use super::super::drain::{Drain, Levels};
use super::super::policy;
use super::super::queues::Tracked;
use super::super::report::{Holdup, ShutdownReport};
use super::super::subject::Census;
use super::{Tick, Unit};

/// How long whoever cannot be dropped (in a poll, in a foreign hand) is waited for.
pub(super) const LAST: Duration = Duration::from_secs(1);

/// The most that a report names of each.
const NAMED: usize = 64;

/// Between two looks at who is live: at first, and at most.
const PAUSE: Duration = Duration::from_millis(1);
const LONG_PAUSE: Duration = Duration::from_millis(20);

/// Where an end has come to.
pub(super) struct Course {
    pub(super) reason: Cause,
    began: Instant,
    before: Census,
    /// What is done just now.
    pub(super) step: Step,
    drain: Drain,
    drained: Duration,
    timed_out: bool,
    held: Vec<Holdup>,
    slowest: Option<Holdup>,
    pause: Duration,
    pub(super) alarm: Option<Alarm<Tick>>,
}

impl Course {
    pub(super) fn new(
        reason: Cause,
        began: Instant,
        before: Census,
        queues: Vec<Arc<Tracked>>,
    ) -> Self {
        Self {
            reason,
            began,
            before,
            step: Step::Draining,
            drain: Drain::new(queues),
            drained: Duration::ZERO,
            timed_out: false,
            held: Vec::new(),
            slowest: None,
            pause: PAUSE,
            alarm: None,
        }
    }

    /// Another look soon, and later each time.
    fn pause(&mut self, now: Instant, until: Instant) -> Next {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONG_PAUSE);
        Next::At(until.min(now + pause))
    }
}

#[derive(Clone, Copy)]
pub(super) enum Step {
    Draining,
    Asking(Instant),
    Dropping(Instant),
}

/// What a step leaves to do.
pub(super) enum Next {
    /// Another look, at once.
    Look,
    /// Another look then.
    At(Instant),
    Over,
}

impl Unit {
    /// Takes the step that is due.
    pub(super) fn step(self: &Arc<Self>, course: &mut Course) -> Next {
        let now = self.now();
        match course.step {
            Step::Draining => self.drain(course, now),
            Step::Asking(until) => self.ask(course, now, until),
            Step::Dropping(until) => {
                let census = self.subject.census();
                if census.live() > census.jobs && now < until {
                    self.note(course, now);
                    return course.pause(now, until);
                }
                self.finish(course);
                Next::Over
            }
        }
    }

    fn drain(self: &Arc<Self>, course: &mut Course, now: Instant) -> Next {
        let elapsed = now.saturating_duration_since(course.began);
        let level = {
            let mut plan = self.plan.lock();
            if course.drain.hooks_run() { None } else { plan.hooks.next() }
        };
        if let Some(level) = level {
            course.drain.start(self, level);
            return Next::Look;
        }
        let (policy, no_hooks) = {
            let plan = self.plan.lock();
            (plan.policy, plan.hooks.is_empty())
        };
        let (out, left) = self.books.out();
        let progress = course.drain.progress(elapsed, out, left, no_hooks);
        let allowed = policy.allows(progress);
        let time_is_up = elapsed >= allowed || self.forced.load(Ordering::Relaxed) > 0;
        let done = course.drain.is_done(progress, time_is_up);
        if !done && !time_is_up {
            if let Some(needed) = course.drain.warns(progress, allowed - elapsed) {
                crate::observe::drain_falls_short(
                    &self.name(),
                    progress.depth,
                    needed,
                    allowed - elapsed,
                );
            }
            let until = policy::after(course.began, allowed);
            let patience = course.drain.patience(policy.watches(), allowed);
            return Next::At(until.min(policy::after(now, patience)));
        }
        if !done {
            let holders = self.books.holders(NAMED);
            course.held = holders.into_iter().map(|who| Holdup::guard(who, elapsed)).collect();
        }
        if !self.close_hooks(!done) {
            return Next::Look;
        }
        if !self.books.terminate(!done) {
            // Somebody was let in meanwhile.
            self.plan.lock().is_over = false;
            return Next::Look;
        }
        self.terminate(course, now, done);
        Next::Look
    }

    /// Takes no more hooks, unless there are some to be run; if `forced`, all the same.
    fn close_hooks(&self, forced: bool) -> bool {
        let mut plan = self.plan.lock();
        plan.is_over = forced || plan.hooks.is_empty();
        plan.is_over
    }

    fn terminate(&self, course: &mut Course, now: Instant, done: bool) {
        course.drained = now.saturating_duration_since(course.began);
        course.timed_out = !done && self.forced.load(Ordering::Relaxed) == 0;
        course.drain.end();
        let last_out = self.last_out.lock().take();
        course.slowest = course.held.first().copied().or_else(|| {
            let (who, at) = last_out?;
            Some(Holdup::guard(who, at.saturating_duration_since(course.began)))
        });
        self.subject.terminate();
        crate::observe::terminating(&self.name(), &course.reason, course.drained, &course.held);
        let (grace, unused) = {
            let mut plan = self.plan.lock();
            (plan.grace, core::mem::replace(&mut plan.hooks, Levels::new()))
        };
        // They may hold handles to this very unit. Panic: what they have captured may.
        goro_context::contain::quietly(|| drop(unused));
        course.step = Step::Asking(policy::after(now, grace));
        self.terminating.cancel_with(course.reason.clone());
    }

    fn ask(&self, course: &mut Course, now: Instant, until: Instant) -> Next {
        let forced = self.forced.load(Ordering::Relaxed) > 1;
        if self.subject.census().live() > 0 && now < until && !forced {
            self.subject.ask(&course.reason);
            self.note(course, now);
            return course.pause(now, until);
        }
        self.subject.abort(&course.reason);
        course.step = Step::Dropping(policy::after(now, LAST));
        course.pause = PAUSE;
        Next::Look
    }

    /// Who is there is the slowest so far.
    fn note(&self, course: &mut Course, now: Instant) {
        let waited = now.saturating_duration_since(course.began);
        if let Some(first) = self.subject.some(1, waited).first() {
            course.slowest = Some(*first);
        }
    }

    /// The end has come: who has ended how, and who is left.
    pub(super) fn finish(&self, course: &mut Course) {
        course.alarm = None;
        let total = self.now().saturating_duration_since(course.began);
        let census = self.subject.census();
        let (drained, aborted) = census.since(course.before);
        let left = if census.live() > 0 { self.subject.some(NAMED, total) } else { Vec::new() };
        let report = ShutdownReport {
            reason: course.reason.clone(),
            drained,
            aborted,
            abandoned: census.live(),
            slowest: left.first().copied().or(course.slowest),
            left,
            refused: self.refused.load(Ordering::Relaxed),
            held: core::mem::take(&mut course.held),
            queues: course.drain.queues(),
            timed_out: course.timed_out,
            forced: self.forced.load(Ordering::Relaxed) > 0,
            drain: course.drained,
            total,
        };
        crate::observe::stopped(&self.name(), &report);
        // The course is over, so this is the only report.
        let _first = self.report.set(report);
        self.books.finish();
        self.stopped.set();
    }
}
