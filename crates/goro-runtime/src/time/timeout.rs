//! A future that is given up on at a point in time.
//!
//! Invariants:
//! 1. The future is polled first: what is ready in time is never thrown away for the clock's sake,
//!    and a future that is ready costs no look at the clock.
//! 2. The deadline is looked at after every `Pending` of the future's, for whatever reason: also
//!    when it has used up the task's budget, which is why the look itself spends none (pitfall 123).
//! 3. A dump shows what the future waits for, not that it does so for a limited time.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use goro_context::Cause;
use goro_context::note::{self, Op};
use goro_context::time::{self, Deadline, Duration, Instant};
use goro_sync::select::CancelSafe;
use pin_project_lite::pin_project;

/// Gives `future` at most `duration`, counted from the end of its first poll.
///
/// A future that is ready at its first poll never times out, and costs neither a timer nor a look
/// at the clock. With a duration of zero that first poll is all the future gets; with one of more
/// than thirty years, `Duration::MAX` included, it gets thirty.
///
/// A future that is given up on stays where it is until the timeout is dropped (right after
/// `.await`, as a rule): [`Timeout::into_inner`] gets it back.
///
/// # Errors
/// [`Elapsed`] if the time is up and the future, polled once more, is still not ready.
///
/// # Cancel safety
/// That of `future`: the timeout drops it, when it is dropped itself and when the time is up.
///
/// ```
/// use core::future::{pending, ready};
/// use goro_runtime::time::{Duration, timeout};
///
/// goro_runtime::block_on(async {
///     let second = Duration::from_secs(1);
///     assert_eq!(timeout(second, ready(7)).await, Ok(7));
///
///     let moment = Duration::from_millis(1);
///     let elapsed = timeout(moment, pending::<()>()).await.unwrap_err();
///     assert_eq!(elapsed.allowed(), Some(moment));
/// });
/// ```
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), deadline: None, allowed: Some(duration) }
}

/// Gives `future` until the clock reaches `deadline`. It is polled at least once, also if that has
/// passed.
///
/// # Errors
/// [`Elapsed`], as for [`timeout`].
///
/// # Cancel safety
/// That of `future`.
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    let deadline = Some(Deadline::at(deadline));
    Timeout { future: future.into_future(), deadline, allowed: None }
}

pin_project! {
    /// A future that is given up on at a point in time; made by [`timeout`] and [`timeout_at`].
    ///
    /// Polled after it was ready, it does what its future does then.
    ///
    /// ```
    /// use goro_runtime::time::{Duration, now, timeout, timeout_at};
    /// use std::future::{pending, ready};
    ///
    /// goro_runtime::block_on(async {
    ///     let mut limited = timeout(Duration::from_secs(1), ready(1));
    ///     assert_eq!(format!("{:?}", limited.get_ref()), format!("{:?}", ready(1)));
    ///     *limited.get_mut() = ready(2);
    ///     assert_eq!(limited.into_inner().await, 2);
    ///     let late = timeout(Duration::ZERO, pending::<()>()).await.unwrap_err();
    ///     assert_eq!(late.allowed(), Some(Duration::ZERO));
    ///     assert!(timeout_at(now(), pending::<()>()).await.is_err());
    /// });
    /// ```
    #[derive(Debug)]
    #[must_use = "a timeout does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        // Made at the first `Pending`, unless the point in time was given.
        deadline: Option<Deadline>,
        allowed: Option<Duration>,
    }
}

impl<F> Timeout<F> {
    /// The future.
    pub const fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future, to be changed.
    pub const fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// The future, without a limit from now on.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Panic: the future may; the deadline is as it was.
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let waits_for = note::take();
        let up = match (&mut *this.deadline, *this.allowed) {
            (Some(deadline), _) => deadline.poll(cx).is_ready(),
            (None, allowed) => {
                let now = time::now();
                // Without a deadline there is a duration; were there none, it would be over.
                let at = time::later(now, allowed.unwrap_or_default());
                let deadline = this.deadline.insert(Deadline::at(at));
                deadline.poll_from(now, cx).is_ready()
            }
        };
        if up {
            return Poll::Ready(Err(Elapsed { allowed: *this.allowed }));
        }
        if waits_for.op != Op::Nothing {
            note::replace(waits_for);
        }
        Poll::Pending
    }
}

impl<F: CancelSafe> CancelSafe for Timeout<F> {}

/// The time that a [`timeout`] allowed was up.
///
/// ```
/// use goro_runtime::time::{Duration, Elapsed, timeout};
///
/// let limit = Duration::from_millis(1);
/// let late: Elapsed =
///     goro_runtime::block_on(timeout(limit, std::future::pending::<()>())).unwrap_err();
/// assert_eq!(late.allowed(), Some(limit));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed {
    allowed: Option<Duration>,
}

impl Elapsed {
    /// The duration given to [`timeout`]; `None` from [`timeout_at`].
    pub const fn allowed(&self) -> Option<Duration> {
        self.allowed
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.allowed {
            Some(duration) => write!(f, "timed out after {duration:?}"),
            None => f.write_str("timed out at its deadline"),
        }
    }
}

impl core::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}

impl From<Elapsed> for Cause {
    fn from(_: Elapsed) -> Self {
        Cause::Deadline
    }
}
