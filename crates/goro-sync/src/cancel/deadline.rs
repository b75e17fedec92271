//! Deadlines of tokens: a timer whose waker cancels.
//!
//! Invariants:
//! 1. The timer knows the node weakly. A node that is dropped, or cancelled otherwise, takes its timer back.
//! 2. A host that stops wakes what is armed with it, before its time: the bell then looks at the clock, and
//!    is armed anew with whoever is there.
//! 3. Nothing is armed or disarmed under a node's lock. A bell that rings before its key is written down
//!    leaves a stale key behind, which disarms nothing.

use core::task::Waker;
use std::collections::BTreeSet;
use std::task::Wake;

use goro_context::time::{self, Instant};
use goro_context::{Cause, Host, TimerKey, fallback, host};
use goro_shim::global::{Arc, Weak};

use super::node::Node;

/// What cancels a node at its deadline; dropped, it does not.
pub(super) struct Alarm {
    at: Instant,
    timer: Option<Timer>,
}

#[derive(Clone, Copy)]
struct Timer {
    host: &'static dyn Host,
    key: TimerKey,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.host.disarm(timer.key);
        }
    }
}

/// What a timer wakes.
struct Bell {
    node: Weak<Node>,
    at: Instant,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(node) = self.node.upgrade() else { return };
        let timer = node.alarm(|alarm| alarm.timer).flatten();
        if timer.map_or_else(time::now, |timer| timer.host.now()) >= self.at {
            node.cancel(&Cause::Deadline);
        } else {
            node.arm(&Waker::from(Arc::clone(self)), self.at);
        }
    }
}

impl Node {
    /// A child that is cancelled at this time, if none above it is before.
    pub(super) fn child_until(self: &Arc<Self>, at: Instant) -> Arc<Self> {
        let child = self.child();
        if self.deadline().is_some_and(|earlier| earlier <= at) {
            return child;
        }
        if at <= time::now() {
            child.cancel(&Cause::Deadline);
            return child;
        }
        let alarm = Alarm { at, timer: None };
        let open = child.with_open(alarm, |open, alarm| open.retinue().alarm = Some(alarm));
        if open.is_ok() {
            let bell = Arc::new(Bell { node: Arc::downgrade(&child), at });
            child.arm(&Waker::from(bell), at);
        }
        child
    }

    fn arm(&self, bell: &Waker, at: Instant) {
        let arm = |host: &'static dyn Host| {
            let key = host.arm(at, bell).ok()?;
            Some(Timer { host, key })
        };
        let Some(timer) = host::current().and_then(arm).or_else(|| arm(fallback::host())) else {
            self.cancel(&Cause::Refused);
            return;
        };
        if self.alarm(|alarm| alarm.timer = Some(timer)).is_none() {
            // Cancelled meanwhile.
            timer.host.disarm(timer.key);
        }
    }

    /// Reads or changes its own alarm, if it has one and is open.
    fn alarm<R>(&self, with: impl FnOnce(&mut Alarm) -> R) -> Option<R> {
        let asked = self.with_open(with, |open, with| {
            open.retinue_mut().and_then(|retinue| retinue.alarm.as_mut()).map(with)
        });
        asked.ok().flatten()
    }

    /// The earliest deadline of this and all above it, unless it is cancelled.
    pub(super) fn deadline(self: &Arc<Self>) -> Option<Instant> {
        let mut earliest = None;
        let mut others = Vec::new();
        // Those that are reached from several below, once.
        let mut seen = BTreeSet::new();
        let mut next = (!self.is_cancelled()).then(|| Arc::clone(self));
        while let Some(node) = next {
            let found = node.with_open((), |open, ()| {
                let Some(retinue) = open.retinue_mut() else { return (None, Vec::new()) };
                let sources = retinue.sources.iter().map(|source| Arc::clone(&source.node));
                (retinue.alarm.as_ref().map(|alarm| alarm.at), sources.collect())
            });
            if let Ok((at, sources)) = found {
                earliest = earliest.into_iter().chain(at).min();
                others.extend(sources.into_iter().filter(|node| seen.insert(Arc::as_ptr(node))));
            }
            next = node.parent().map(Arc::clone).or_else(|| others.pop());
        }
        earliest
    }
}
