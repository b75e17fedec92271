//! A future that is ready at a point in time.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use goro_context::budget;
use goro_context::time::{Deadline, Duration, Instant};
use goro_sync::select::CancelSafe;

/// Waits until `duration` has passed, counted from this call. Never early.
///
/// Zero is ready at once; more than thirty years, `Duration::MAX` included, is thirty years.
///
/// # Cancel safety
/// Safe: a dropped sleep leaves nothing behind. A new one starts counting anew; to go on counting
/// from the former start, keep the sleep and wait for `&mut sleep`, or use [`sleep_until`].
///
/// ```
/// use goro_runtime::time::{Duration, sleep};
///
/// goro_runtime::block_on(async {
///     sleep(Duration::from_millis(1)).await;
/// });
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { deadline: Deadline::after(duration) }
}

/// Waits until the clock reaches `deadline`. Never early; one in the past is ready at once.
///
/// # Cancel safety
/// Safe: a dropped sleep leaves nothing behind, and another one until the same point in time takes
/// its place.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Deadline::at(deadline) }
}

/// Waits for a point in time; made by [`sleep`] and [`sleep_until`].
///
/// After it was ready it stays ready, until it is [`reset`](Self::reset).
///
/// ```
/// use goro_runtime::time::{Duration, now, sleep_until};
///
/// goro_runtime::block_on(async {
///     let soon = now() + Duration::from_millis(1);
///     let mut sleep = sleep_until(soon);
///     assert_eq!(sleep.deadline(), soon);
///     (&mut sleep).await;
///     assert!(sleep.is_elapsed() && now() >= soon);
/// });
/// ```
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    deadline: Deadline,
}

impl Sleep {
    /// The point in time it waits for.
    pub fn deadline(&self) -> Instant {
        self.deadline.deadline()
    }

    /// Whether the clock has reached the deadline. Looks at the clock.
    pub fn is_elapsed(&self) -> bool {
        self.deadline.is_past()
    }

    /// Waits for another point in time from now on, also if it was ready before. Moving it later
    /// costs no lock.
    ///
    /// Whoever waits for it must poll it again: awaiting `&mut sleep` anew does. (A task that had
    /// polled it and does not again is woken no later than at the former deadline.)
    ///
    /// ```
    /// use goro_runtime::time::{Duration, now, sleep};
    ///
    /// goro_runtime::block_on(async {
    ///     let mut idle = sleep(Duration::from_secs(3600));
    ///     // Nothing was received for an hour? Something was: start over, with less patience.
    ///     idle.reset(now() + Duration::from_millis(1));
    ///     (&mut idle).await;
    ///     assert!(idle.is_elapsed());
    /// });
    /// ```
    pub fn reset(&mut self, deadline: Instant) {
        self.deadline.reset(deadline);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(budget::poll_spend(cx));
        let polled = self.deadline.poll(cx);
        if polled.is_pending() {
            spent.refund();
        }
        polled
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.deadline().saturating_duration_since(goro_context::time::now());
        f.debug_struct("Sleep")
            .field("left", &left)
            .field("armed", &self.deadline.is_armed())
            .field("is_elapsed", &left.is_zero())
            .finish()
    }
}

impl CancelSafe for Sleep {}
