//! One shard's timers: a wheel behind a lock, and the earliest deadline where anyone can read it.
//!
//! Invariants:
//! 1. `next` is the wheel's next deadline, written under the lock; a reader without the lock may
//!    be early or late by one change, and looks again after announcing that it sleeps.
//! 2. Wakers are cloned before the lock is taken, and woken and dropped after it is released.
//! 3. In a crowd, a worker sleeps a little past the earliest deadline (at most [`MOST_SLACK`]), so
//!    that it is woken for several timers at once; a lone timer is never held up.
//! 4. `done` never says more than the truth: what was armed for then or earlier, before it was
//!    written, has been taken out. (What is armed for a past time later is due, and soon taken.)
//! 5. Once closed, arming fails; what was armed has been woken, and finds that it is not armed.

use core::task::Waker;
use goro_context::host::{Gone, TimerKey};
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::lock::Lock;
use goro_shim::time::{Duration, Instant};
use goro_wait::{Key, TICK_NANOS, Wheel};

/// No deadline.
const NEVER: u64 = u64::MAX;

/// The most timers fired before other work gets a turn.
const BATCH: usize = 256;

/// How late a crowd's timers may be noticed, for each one armed and at most. Without it a hundred
/// thousand timers are tens of thousands of wake-ups a second, each a system call or two.
const SLACK_EACH: u64 = 250;
const MOST_SLACK: u64 = 250_000;

#[derive(Debug)]
struct Armed {
    wheel: Wheel<Waker>,
    open: bool,
}

/// One shard's timers; see the module.
#[derive(Debug)]
pub(crate) struct Timers {
    /// Where nanosecond zero of the wheel lies.
    base: Instant,
    next: AtomicU64,
    /// How many are armed, and when some were last taken out.
    crowd: AtomicU64,
    fired: AtomicU64,
    /// Up to when all that was armed has been taken out.
    done: AtomicU64,
    armed: Lock<Armed>,
}

impl Timers {
    pub(crate) fn new(base: Instant) -> Self {
        Self {
            base,
            next: AtomicU64::new(NEVER),
            crowd: AtomicU64::new(0),
            fired: AtomicU64::new(0),
            done: AtomicU64::new(0),
            armed: Lock::new(Armed { wheel: Wheel::new(), open: false }),
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.base).as_nanos();
        u64::try_from(since).unwrap_or(NEVER - 1).min(NEVER - 1)
    }

    /// Until when a worker may sleep: the earliest deadline, or shortly after it in a crowd; `None`
    /// when nothing is armed.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        match self.next.load(Ordering::Relaxed) {
            NEVER => None,
            next => {
                let crowd = self.crowd.load(Ordering::Relaxed);
                let slack = crowd.saturating_sub(1).saturating_mul(SLACK_EACH).min(MOST_SLACK);
                let again = self.fired.load(Ordering::Relaxed).saturating_add(slack);
                self.base.checked_add(Duration::from_nanos(next.max(again)))
            }
        }
    }

    /// Whether something is due at `now`.
    #[inline]
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        // First: a worker asks thrice whenever it sleeps, and turning `now` into a number takes longer.
        next != NEVER && next <= self.nanos(now)
    }

    /// Whether all that was armed for `at` or earlier has been taken out.
    pub(crate) fn has_fired(&self, at: Instant) -> bool {
        self.nanos(at) <= self.done.load(Ordering::Relaxed)
    }

    /// Wakes `waker` at `at`; true when that is now the earliest deadline of all.
    pub(crate) fn arm(&self, at: Instant, waker: &Waker) -> Result<(TimerKey, bool), Gone> {
        let nanos = self.nanos(at);
        // Panic: a waker's clone may; nothing is armed then and no lock is held.
        let waker = waker.clone();
        let mut armed = self.armed.lock();
        if !armed.open {
            drop(armed);
            return Err(Gone);
        }
        let before = self.next.load(Ordering::Relaxed);
        let key = armed.wheel.insert(nanos, waker);
        let after = self.publish(&armed.wheel);
        Ok((TimerKey(key.to_bits()), after < before))
    }

    /// Replaces the waker of an armed timer; false when it is not armed any more.
    pub(crate) fn rearm(&self, key: TimerKey, waker: &Waker) -> bool {
        // Panic: a waker's clone may; the old one stays armed then and no lock is held.
        let mut fresh = waker.clone();
        let mut armed = self.armed.lock();
        let found = match armed.wheel.get_mut(Key::from_bits(key.0)) {
            Some(place) => {
                core::mem::swap(place, &mut fresh);
                true
            }
            None => false,
        };
        drop(armed);
        drop(fresh);
        found
    }

    /// Forgets a timer; one that has fired or belongs to an earlier lease is none.
    pub(crate) fn disarm(&self, key: TimerKey) {
        let mut armed = self.armed.lock();
        let waker = armed.wheel.cancel(Key::from_bits(key.0));
        if waker.is_some() {
            self.publish(&armed.wheel);
        }
        drop(armed);
        drop(waker);
    }

    /// Takes the wakers of what is due at `now`, at most a batch of them. With `patient` false,
    /// leaves when the lock is taken: the monitor does not wait for a stuck thread.
    pub(crate) fn take_due(&self, now: Instant, patient: bool, wakers: &mut Vec<Waker>) {
        let nanos = self.nanos(now);
        let mut armed = if patient {
            self.armed.lock()
        } else {
            let Some(armed) = self.armed.try_lock() else { return };
            armed
        };
        let more = armed.wheel.advance(nanos, BATCH, wakers);
        let next = self.publish(&armed.wheel);
        // A deadline of the tick before the next one's is not among those that are left.
        let before = if more { next.saturating_sub(TICK_NANOS) } else { NEVER };
        self.done.store(armed.wheel.reached_nanos().min(before), Ordering::Relaxed);
        self.fired.store(nanos, Ordering::Relaxed);
    }

    /// Opens the wheel for a lease.
    pub(crate) fn open(&self) {
        self.armed.lock().open = true;
    }

    /// Closes it, and takes the wakers of all that was armed.
    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut armed = self.armed.lock();
        armed.open = false;
        armed.wheel.drain_into(wakers);
        self.publish(&armed.wheel);
    }

    /// Between two leases: gives the memory of a burst back, and forgets how far the clock had
    /// come, which a simulated one may have moved by years. Keys of before stay stale.
    pub(crate) fn restart(&self) {
        self.armed.lock().wheel.restart();
        self.fired.store(0, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    fn publish(&self, wheel: &Wheel<Waker>) -> u64 {
        let next = wheel.next_deadline().unwrap_or(NEVER);
        self.next.store(next, Ordering::Relaxed);
        self.crowd.store(wheel.len() as u64, Ordering::Relaxed);
        next
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
