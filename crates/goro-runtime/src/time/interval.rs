//! Ticks at a regular distance.
//!
//! | behaviour | missed ticks | the next tick after a late one |
//! |---|---|---|
//! | `Burst` | are made up for at once | start + n x period, however late |
//! | `Delay` | move the rest | one period after the late one was taken |
//! | `Skip` | are left out | start + n x period, the first that lies ahead |
//!
//! Invariants:
//! 1. A tick is never early, and comes once.
//! 2. A tick is taken in the poll that returns it: a dropped [`Interval::tick`] has lost none.
//! 3. After a reset no tick comes before the new point in time, due before or not (pitfall 139).

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::Stream;
use goro_context::budget;
use goro_context::time::{self, Deadline, Duration, Instant};

/// Ticks every `period`, the first time at once.
///
/// # Panics
/// If `period` is zero: such an interval would always be due. Call `task::yield_now` in a loop
/// instead.
///
/// # Cancel safety
/// [`tick`](Interval::tick) is safe: a tick is only taken by the poll that returns it.
///
/// ```
/// use goro_runtime::time::{Duration, interval};
///
/// goro_runtime::block_on(async {
///     let period = Duration::from_millis(2);
///     let mut interval = interval(period);
///     let first = interval.tick().await; // at once
///     assert_eq!(interval.tick().await, first + period);
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(time::now(), period)
}

/// Ticks at `start` and every `period` after it. A start in the past has missed its ticks.
///
/// # Panics
/// If `period` is zero, as [`interval`].
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval's period must be above zero; to let others run in a loop, use yield_now"
    );
    Interval { next: Deadline::at(start), period, missed: MissedTickBehavior::Burst }
}

/// What becomes of ticks that nobody took in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MissedTickBehavior {
    /// They are made up for, one right after the other: on the whole there are as many ticks as
    /// periods.
    #[default]
    Burst,
    /// They put off the rest: between two ticks lies a period. (A tick late by less than a tenth of
    /// the period, 5 ms at most, counts as on time, so that an interval does not drift for the
    /// sake of a timer's ordinary lateness.)
    Delay,
    /// They are left out: each tick lies at a multiple of the period after the start.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after the one that was due at `due` and is taken at `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        let late = now.saturating_duration_since(due);
        match self {
            Self::Delay if late > Self::tolerance(period) => time::later(now, period),
            Self::Skip => time::later(now, period.saturating_sub(remainder(late, period))),
            Self::Burst | Self::Delay => time::later(due, period),
        }
    }

    fn tolerance(period: Duration) -> Duration {
        (period / 10).min(Duration::from_millis(5))
    }
}

/// What is left of `of` after as many whole periods as fit.
fn remainder(of: Duration, period: Duration) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let nanos = of.as_nanos() % period.as_nanos();
    // Smaller than `of`, so its seconds fit as those of `of` did.
    Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32)
}

/// Ticks at a regular distance; made by [`interval`] and [`interval_at`].
///
/// It is a [`Stream`] without an end, too.
///
/// ```
/// use goro_runtime::time::{Duration, MissedTickBehavior, interval, interval_at, now};
///
/// goro_runtime::block_on(async {
///     let mut ticks = interval(Duration::from_millis(1));
///     assert_eq!(ticks.period(), Duration::from_millis(1));
///     assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::Burst);
///     ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
///     let first = ticks.tick().await;
///     assert!(ticks.tick().await > first);
///     ticks.reset();
///     ticks.reset_immediately();
///     assert!(std::future::poll_fn(|cx| ticks.poll_tick(cx)).await <= now());
///     ticks.reset_after(Duration::from_millis(2));
///     let soon = now() + Duration::from_millis(2);
///     ticks.reset_at(soon);
///     assert!(ticks.tick().await >= soon);
///     let mut later = interval_at(soon, Duration::from_secs(1));
///     assert!(later.tick().await >= soon);
/// });
/// ```
#[derive(Debug)]
#[must_use = "an interval does nothing unless its ticks are awaited"]
pub struct Interval {
    next: Deadline,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick, and returns the point in time that it was due at. Never early.
    ///
    /// # Cancel safety
    /// Safe: dropped before it was ready, it has taken no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Self::tick), for futures made by hand: the task of the latest call is woken.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let spent = ready!(budget::poll_spend(cx));
        let Poll::Ready(now) = self.next.poll_clock(cx) else {
            spent.refund();
            return Poll::Pending;
        };
        let due = self.next.deadline();
        self.next.reset(self.missed.next(due, now, self.period));
        Poll::Ready(due)
    }

    /// Puts off the next tick to one period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Makes the next tick due now.
    pub fn reset_immediately(&mut self) {
        self.reset_after(Duration::ZERO);
    }

    /// Moves the next tick to `after` from now, sooner or later than it would have come.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(time::after(after));
    }

    /// Moves the next tick to this point in time.
    pub fn reset_at(&mut self, at: Instant) {
        self.next.reset(at);
    }

    /// The distance between two ticks.
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// What becomes of missed ticks; [`Burst`](MissedTickBehavior::Burst) unless it was set.
    pub const fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets what becomes of missed ticks.
    pub const fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }
}

impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}
