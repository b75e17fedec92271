//! Something that is done at a point in time, whoever runs the code then: what deadlines of tokens, and
//! of tasks that were asked to end, are made of.
//!
//! A [`Deadline`](crate::time::Deadline) wakes a task that polls it. An alarm needs nobody to poll.
//!
//! ```text
//!   unarmed ──arm──▶ armed ──due, or nobody can keep it──▶ over: rung once
//!                    │   ▲ host stopped: armed anew
//!                    └───┴──────────────── dropped ───────▶ over: never rung
//! ```
//!
//! Invariants:
//! 1. It rings once, on the thread that fires timers, and not early by the clock of the host that it was
//!    armed with; early only if nobody is left to keep it, and then it says so.
//! 2. Dropped, it does not ring, and its timer is taken back; what is just ringing goes on.
//! 3. Nothing is armed, disarmed or rung under its lock.

use core::fmt;
use core::task::Waker;
use std::task::Wake;

use goro_shim::global::{Arc, Lock};

use crate::fallback;
use crate::host::{self, Gone, Host, TimerKey};
use crate::time::{self, Instant};

/// What is done when an [`Alarm`] is due.
pub trait Ring: Send + Sync + 'static {
    /// Does it. It must not block; what it panics with is the firing thread's to contain.
    ///
    /// `kept` is an error if it is early, since nobody can keep the time any more.
    fn ring(&self, kept: Result<(), Gone>);
}

/// Does something at a point in time, unless it is dropped before.
///
/// ```
/// use goro_context::alarm::{Alarm, Ring};
/// use goro_context::{Gone, time};
/// use std::sync::mpsc::{Sender, channel};
///
/// struct Tell(Sender<bool>);
/// impl Ring for Tell {
///     fn ring(&self, kept: Result<(), Gone>) {
///         self.0.send(kept.is_ok()).unwrap();
///     }
/// }
/// let (tell, told) = channel();
/// let alarm = Alarm::set(time::after(time::Duration::from_millis(2)), Tell(tell)).unwrap();
/// assert_eq!(told.recv(), Ok(true));
/// drop(alarm);
/// ```
#[must_use = "dropping it takes it back: `keep` leaves it set"]
pub struct Alarm<R: Ring> {
    /// None once it is kept.
    bell: Option<Arc<Bell<R>>>,
    at: Instant,
}

/// What a timer wakes.
struct Bell<R> {
    at: Instant,
    ring: R,
    timer: Lock<Timer>,
}

#[derive(Clone, Copy)]
enum Timer {
    /// Not yet, or its key is not written down yet.
    Unarmed,
    Armed(&'static dyn Host, TimerKey),
    Over,
}

impl<R: Ring> Alarm<R> {
    /// Sets an alarm, with the host of this thread, or else with the [`fallback`]. A time that is past
    /// rings as soon as may be.
    ///
    /// # Errors
    /// [`Gone`] if nobody can keep the time: no host is entered (or it has stopped), and the system
    /// refuses the fallback's thread.
    pub fn set(at: Instant, ring: R) -> Result<Self, Gone> {
        let bell = Arc::new(Bell { at, ring, timer: Lock::new(Timer::Unarmed) });
        bell.arm()?;
        Ok(Self { bell: Some(bell), at })
    }

    /// When it is due.
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Leaves it set: nobody can take it back any more.
    pub fn keep(mut self) {
        self.bell = None;
    }
}

impl<R: Ring> Drop for Alarm<R> {
    fn drop(&mut self) {
        let Some(bell) = &self.bell else { return };
        if let Timer::Armed(host, key) = bell.end() {
            host.disarm(key);
        }
    }
}

impl<R: Ring> fmt::Debug for Alarm<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<R: Ring> Bell<R> {
    fn arm(self: &Arc<Self>) -> Result<(), Gone> {
        let waker = Waker::from(Arc::clone(self));
        let arm = |host: &'static dyn Host| Some((host, host.arm(self.at, &waker).ok()?));
        let armed = host::current().and_then(arm).or_else(|| arm(fallback::host()));
        let (host, key) = armed.ok_or(Gone)?;
        let is_over = {
            let mut timer = self.timer.lock();
            let is_over = matches!(*timer, Timer::Over);
            if !is_over {
                *timer = Timer::Armed(host, key);
            }
            is_over
        };
        if is_over {
            host.disarm(key);
        }
        Ok(())
    }

    /// Has it over; how it was before.
    fn end(&self) -> Timer {
        core::mem::replace(&mut *self.timer.lock(), Timer::Over)
    }

    fn is_due(&self) -> bool {
        let timer = *self.timer.lock();
        let now = match timer {
            Timer::Armed(host, _) => host.now(),
            Timer::Unarmed | Timer::Over => time::now(),
        };
        now >= self.at
    }
}

impl<R: Ring> Wake for Bell<R> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut kept = Ok(());
        // A host that stops wakes all, whether they are due or not.
        if !self.is_due() {
            kept = self.arm();
            if kept.is_ok() {
                return;
            }
        }
        if !matches!(self.end(), Timer::Over) {
            self.ring.ring(kept);
        }
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::disallowed_types, reason = "a test waits for another thread as a program does")]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use goro_shim::time::Duration;

    use super::*;

    struct Tell(Sender<Result<(), Gone>>);

    impl Ring for Tell {
        fn ring(&self, kept: Result<(), Gone>) {
            self.0.send(kept).unwrap();
        }
    }

    fn alarm(wait: Duration) -> (Alarm<Tell>, Receiver<Result<(), Gone>>) {
        let (tell, told) = channel();
        (Alarm::set(time::after(wait), Tell(tell)).unwrap(), told)
    }

    #[test]
    fn it_rings_once_and_not_early() {
        let start = time::now();
        let (alarm, told) = alarm(Duration::from_millis(20));
        assert_eq!(told.recv(), Ok(Ok(())));
        assert!(time::now() >= start + Duration::from_millis(20));
        drop(alarm);
        assert!(told.recv().is_err(), "it is gone, and has not rung again");
    }

    #[test]
    fn one_that_is_dropped_does_not_ring_and_one_that_is_kept_does() {
        let due = time::now() + Duration::from_millis(1);
        let (dropped, silent) = alarm(Duration::from_millis(1));
        drop(dropped);
        let in_time = time::now() < due;
        let (kept, told) = alarm(Duration::from_millis(2));
        kept.keep();
        assert_eq!(told.recv(), Ok(Ok(())));
        assert!(silent.recv().is_err() || !in_time);
    }

    /// What a host does to its timers when it stops.
    #[test]
    fn one_that_is_woken_early_waits_on() {
        let start = time::now();
        let (alarm, told) = alarm(Duration::from_millis(50));
        let bell = alarm.bell.clone().unwrap();
        for _ in 0..3 {
            Waker::from(Arc::clone(&bell)).wake();
        }
        assert_eq!(told.recv(), Ok(Ok(())));
        assert!(time::now() >= start + Duration::from_millis(50));
    }
}
