//! The clock, and waking at a point in time, whoever runs the code.
//!
//! Invariants:
//! 1. A deadline is compared with the clock before anything else, so it is never early, and one
//!    that has passed costs no timer. (One that was just [made](Deadline::after) from the clock lies
//!    ahead; its first poll does not look again.)
//! 2. It registers at its first `Pending`, with the host of the thread it is polled on, or else
//!    with the process's [`fallback`] timer thread.
//! 3. It outlives the host that it was armed with: it arms anew with whoever polls it next.
//! 4. Moving it later costs no lock: the armed timer stays, and at its turn arms the rest.
//!
//! The clock is `CLOCK_MONOTONIC` on Linux: it stands still while the machine is suspended.

use core::fmt;
use core::task::{Context, Poll};

pub use goro_shim::time::{Duration, Instant};

use crate::fallback;
use crate::host::{self, Gone, Host, TimerKey};
use crate::note::{self, Op};

/// The longest duration that [`after`] adds: thirty years of 365 days.
pub const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The time by this thread's host, or by the system's monotonic clock.
#[inline]
pub fn now() -> Instant {
    match host::current() {
        Some(host) => host.now(),
        None => goro_shim::time::now(),
    }
}

/// The point in time `duration` from [`now`]; at most [`FAR`] away, `Duration::MAX` included.
///
/// ```
/// use goro_context::time::{self, Duration};
/// let never = time::after(Duration::MAX);
/// assert!(never > time::now() + Duration::from_secs(29 * 365 * 24 * 60 * 60));
/// ```
pub fn after(duration: Duration) -> Instant {
    later(now(), duration)
}

/// The point in time `duration` after `start`; at most [`FAR`] after it.
pub fn later(start: Instant, duration: Duration) -> Instant {
    // A start so late that adding overflows is as good as never itself.
    start.checked_add(duration.min(FAR)).unwrap_or(start)
}

/// A point in time that a task can wait for; what sleeps, timeouts and intervals are made of.
///
/// It is no future, and spends no [budget](crate::budget): futures above it do. Dropped, or ready,
/// it holds no timer.
///
/// ```
/// use core::future::poll_fn;
/// use goro_context::time::{self, Deadline, Duration};
///
/// futures::executor::block_on(async {
///     let mut deadline = Deadline::at(time::after(Duration::from_millis(1)));
///     poll_fn(|cx| deadline.poll(cx)).await;
///     assert!(time::now() >= deadline.deadline());
/// });
/// ```
///
/// ```
/// use core::future::poll_fn;
/// use goro_context::time::{self, Deadline, Duration};
///
/// let mut deadline = Deadline::at(time::after(Duration::from_secs(10)));
/// assert!(!deadline.is_armed() && !deadline.is_past());
/// deadline.reset(time::after(Duration::from_millis(1)));
/// futures::executor::block_on(async {
///     assert!(poll_fn(|cx| deadline.try_poll(cx)).await.is_ok());
///     assert!(poll_fn(|cx| deadline.poll_clock(cx)).await >= deadline.deadline());
///     let now = time::now();
///     assert!(poll_fn(|cx| deadline.poll_from(now, cx)).await >= deadline.deadline());
/// });
/// assert!(deadline.is_past());
/// ```
pub struct Deadline {
    at: Instant,
    timer: Timer,
}

/// What has been done for a deadline.
#[derive(Clone, Copy)]
enum Timer {
    /// Nothing yet, and the clock has been looked at: the deadline lies ahead.
    Ahead,
    Unarmed,
    Armed(Armed),
}

/// A timer armed with a host, at the deadline or earlier, unless `late`.
#[derive(Clone, Copy)]
struct Armed {
    host: &'static dyn Host,
    key: TimerKey,
    /// The deadline was moved to before the point in time that the timer is armed for.
    late: bool,
}

const _: () = assert!(cfg!(not(target_pointer_width = "64")) || size_of::<Deadline>() <= 48);

impl Deadline {
    /// A deadline at this point in time; nothing is registered yet.
    pub const fn at(at: Instant) -> Self {
        Self { at, timer: Timer::Unarmed }
    }

    /// A deadline `duration` from [`now`], at most [`FAR`] away.
    pub fn after(duration: Duration) -> Self {
        let now = now();
        let at = later(now, duration);
        Self { at, timer: if at > now { Timer::Ahead } else { Timer::Unarmed } }
    }

    /// The point in time.
    pub const fn deadline(&self) -> Instant {
        self.at
    }

    /// Whether a timer is registered for it.
    pub const fn is_armed(&self) -> bool {
        self.armed().is_some()
    }

    #[inline]
    const fn armed(&self) -> Option<Armed> {
        if let Timer::Armed(armed) = self.timer { Some(armed) } else { None }
    }

    /// Moves the deadline. Poll it afterwards: a waker left behind earlier is woken no later than
    /// at the former point in time, but a task that never polls again learns nothing of the new.
    pub fn reset(&mut self, at: Instant) {
        match &mut self.timer {
            Timer::Armed(armed) => armed.late |= at < self.at,
            Timer::Ahead | Timer::Unarmed => self.timer = Timer::Unarmed,
        }
        self.at = at;
    }

    /// Ready once the clock has reached the deadline, and from then on; until then, wakes the task
    /// of the latest call when it is worth asking again.
    ///
    /// # Errors
    /// [`Gone`] if nobody can wake the task: no host is entered (or it has stopped), and the system
    /// refuses the fallback's thread. The next call tries again.
    pub fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.has_fired() {
            self.timer = Timer::Unarmed;
            return Poll::Ready(Ok(()));
        }
        self.try_poll_at(self.clock(), cx)
    }

    /// As [`try_poll`](Self::try_poll), for those who have no error to give: when nobody can wake
    /// the task, it is woken at once, so that it asks again and again. The deadline is kept at the
    /// price of a busy thread.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_fired() {
            self.timer = Timer::Unarmed;
            return Poll::Ready(());
        }
        if matches!(self.timer, Timer::Ahead) {
            note::leave(Op::Timer, 0);
            return match self.arm(cx) {
                Ok(()) => Poll::Pending,
                Err(Gone) => ask_again(cx).map(drop),
            };
        }
        self.poll_clock(cx).map(drop)
    }

    /// As [`poll`](Self::poll), ready with the clock's reading.
    pub fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        self.poll_at(self.clock(), cx)
    }

    /// As [`poll_clock`](Self::poll_clock), for those who have just read the clock ([`now`]) to make
    /// this deadline. One that is armed reads its own clock all the same.
    pub fn poll_from(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<Instant> {
        self.poll_at(self.armed().map_or(now, |armed| armed.host.now()), cx)
    }

    /// Whether the clock has reached the deadline: the clock of the host it is armed with, since
    /// that is the one its timer goes by.
    pub fn is_past(&self) -> bool {
        self.clock() >= self.at
    }

    /// Whether a timer was armed and has fired at this deadline, as far as its host can tell
    /// without looking at its clock.
    fn has_fired(&self) -> bool {
        self.armed().is_some_and(|armed| !armed.late && armed.host.has_fired(self.at))
    }

    fn clock(&self) -> Instant {
        self.armed().map_or_else(now, |armed| armed.host.now())
    }

    fn poll_at(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<Instant> {
        match self.try_poll_at(now, cx) {
            Poll::Ready(Ok(())) => Poll::Ready(now),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(Gone)) => ask_again(cx),
        }
    }

    fn try_poll_at(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if now >= self.at {
            self.disarm();
            return Poll::Ready(Ok(()));
        }
        note::leave(Op::Timer, 0);
        if let Some(armed) = self.armed() {
            if !armed.late && armed.host.rearm(armed.key, cx.waker()) {
                return Poll::Pending;
            }
            // Moved to an earlier time, or fired for an earlier time it was moved away from, or
            // fired just now, or its host has stopped: whichever it is, a timer that is armed anew
            // settles it.
            self.disarm();
        }
        match self.arm(cx) {
            Ok(()) => Poll::Pending,
            Err(gone) => Poll::Ready(Err(gone)),
        }
    }

    fn arm(&mut self, cx: &mut Context<'_>) -> Result<(), Gone> {
        // Panic: cloning the waker may; the deadline is then unarmed, and can be polled again.
        let armed = host::current()
            .and_then(|host| Some((host, host.arm(self.at, cx.waker()).ok()?)))
            .map_or_else(
                || {
                    let host = fallback::host();
                    host.arm(self.at, cx.waker()).map(|key| (host, key))
                },
                Ok,
            );
        let (host, key) = armed?;
        self.timer = Timer::Armed(Armed { host, key, late: false });
        Ok(())
    }

    fn disarm(&mut self) {
        if let Timer::Armed(armed) = core::mem::replace(&mut self.timer, Timer::Unarmed) {
            armed.host.disarm(armed.key);
        }
    }
}

/// What is left when nobody can wake the task later.
#[cold]
fn ask_again(cx: &mut Context<'_>) -> Poll<Instant> {
    goro_shim::thread::yield_now();
    cx.waker().wake_by_ref();
    Poll::Pending
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("at", &self.at).field("armed", &self.is_armed()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
