//! How a worker sleeps: lying down, being put to sleep by the driver, and rising.
//!
//! Invariants:
//! 1. Whoever rises arms the alarm before it does anything else, also when it has not slept: for
//!    the moment it lay there, the monitor may have seen everybody asleep, and gone to sleep too.
//! 2. What made a worker rise is done with when it lies down again: due timers are fired here, not
//!    at the next look round, or it would rise and lie down in a circle until then.

use core::task::Waker;
use goro_context::task;
use goro_reactor::Parker;
use goro_shim::atomic::fence_seqcst;
use goro_shim::time::Instant;

use super::Worker;
use crate::driver::{Place, Rest};
use crate::idle::GotUp;

impl Worker {
    /// Lies down and looks once more. `Some` when the worker is to sleep; `None` when there was
    /// something, and it is up again.
    #[must_use]
    pub fn lie_down(&self) -> Option<Bed<'_>> {
        let now = self.ground.driver.now();
        let (index, searching) = (self.shard.index, self.searching.take());
        // The fence inside is also the partner of the one in `Hub::close`, for the phase.
        if let Some(up) = self.hub.idle.settle(index, searching, || self.anything(now)) {
            self.rise(up, now, self.wakers.take());
            return None;
        }
        let busy = now.saturating_duration_since(self.woke_at.get());
        self.shard.counters.busy.add(u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX));
        self.shard.counters.parks.add(1);
        Some(Bed(self))
    }

    /// Sleeps, unless there is something after all.
    pub fn rest(&self) {
        if let Some(bed) = self.lie_down() {
            let mut wakers = self.wakers.take();
            self.ground.driver.park(&bed, &mut wakers);
            self.wake_up(wakers);
        }
    }

    /// Takes the token that ends a sleep, if it has been given.
    pub fn take_token(&self) -> bool {
        self.shard.parker.take()
    }

    /// After a sleep: counts itself awake, and wakes `wakers` and what is due.
    #[inline]
    pub fn wake_up(&self, wakers: Vec<Waker>) {
        let now = self.ground.driver.now();
        self.woke_at.set(now);
        self.turned_at.set(now);
        self.rise(self.hub.idle.get_up(self.shard.index), now, wakers);
    }

    /// When the next timer of its own shard is due: the monitor's to fire, while it is in a poll.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.shard.timers.wake_at()
    }

    /// Says that nobody watches the reactor any more.
    pub(crate) fn leave_reactor(&self) {
        self.hub.watch.end();
    }

    fn rise(&self, up: GotUp, now: Instant, mut wakers: Vec<Waker>) {
        if up == GotUp::Woken && self.shard.parker.is_given() {
            // The token is this waking's; left there it would end the next sleep at once.
            self.shard.parker.take();
        }
        self.searching.set(up != GotUp::ByItself);
        self.pace.awake(self.polls(), now);
        task::redate_ids();
        // Partner: the fence in `TurnIn::may_sleep`.
        fence_seqcst();
        self.ground.driver.arm();
        self.take_due(now, &mut wakers);
        self.wake(wakers);
    }

    /// Whether there is anything to do that nobody else will see to. With a monitor, work in another's
    /// ring is not such a thing: its owner shares it between two polls, and behind a long poll the
    /// monitor does.
    fn anything(&self, now: Instant) -> bool {
        self.hub.has_untold() || self.hub.is_closing() || self.shard.timers.is_due(now)
    }
}

/// A worker that has lain down; what the driver needs to put it to sleep.
#[derive(Debug)]
pub struct Bed<'a>(&'a Worker);

impl Rest for Bed<'_> {
    fn parker(&self) -> &Parker {
        &self.0.shard.parker
    }

    fn until(&self, place: Place) -> Option<Instant> {
        let own = self.0.shard.timers.wake_at();
        match place {
            Place::Thread => own,
            Place::Reactor => own.into_iter().chain(self.0.hub.foreign().timers.wake_at()).min(),
        }
    }

    fn watching(&self, yes: bool) {
        if !yes {
            return self.0.leave_reactor();
        }
        self.0.hub.watch.begin(self.0.shard.index);
    }
}
