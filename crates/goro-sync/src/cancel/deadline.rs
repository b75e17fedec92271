//! Deadlines of tokens: an alarm that cancels.
//!
//! Invariants:
//! 1. The alarm knows the node weakly. A node that is dropped, or cancelled otherwise, takes it back.
//! 2. Nothing is set or taken back under a node's lock.

use std::collections::BTreeSet;

use goro_context::alarm::{Alarm, Ring};
use goro_context::time::{self, Instant};
use goro_context::{Cause, Gone};
use goro_shim::global::{Arc, Weak};

use super::node::Node;

/// What cancels a node at its deadline.
pub(super) struct Bell(Weak<Node>);

impl Ring for Bell {
    fn ring(&self, kept: Result<(), Gone>) {
        if let Some(node) = self.0.upgrade() {
            node.cancel(kept.map_or(&Cause::Refused, |()| &Cause::Deadline));
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
        match Alarm::set(at, Bell(Arc::downgrade(&child))) {
            Ok(alarm) => {
                let set = child.with_open(alarm, |open, alarm| open.retinue().alarm = Some(alarm));
                // Cancelled meanwhile, and so an alarm to be taken back.
                drop(set);
            }
            Err(Gone) => {
                child.cancel(&Cause::Refused);
            }
        }
        child
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
                (retinue.alarm.as_ref().map(Alarm::at), sources.collect())
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
