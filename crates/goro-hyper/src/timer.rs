//! hyper's timeouts, by the clock and the timers of whoever polls them.
//!
//! Invariants:
//! 1. A sleep is never early, and registers a timer only if it has to wait.
//! 2. Resetting a sleep keeps its allocation and, when it moves later, its timer.
//!
//! Left out: a public sleep type. hyper asks for a boxed one and compares it by type.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use goro_context::{Deadline, budget, time};
use hyper::rt::{Sleep, Timer};

/// Gives hyper goro's clock and timers: header read timeouts, HTTP/2 keep-alive, connection age.
///
/// It needs no runtime to be entered when it is made or given to hyper; its sleeps wait with the
/// runtime on which they are polled, or on a plain thread with goro's fallback timer thread.
///
/// ```
/// use std::time::Duration;
/// use goro_hyper::GoroTimer;
///
/// let mut http = hyper::server::conn::http1::Builder::new();
/// http.timer(GoroTimer).header_read_timeout(Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoroTimer;

impl Timer for GoroTimer {
    /// A sleep of at most thirty years, so that `Duration::MAX` stands for "never".
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(time::after(duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(UntilDeadline { deadline: Deadline::at(deadline) })
    }

    fn now(&self) -> Instant {
        time::now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<UntilDeadline>() {
            Some(own) => own.get_mut().deadline.reset(new_deadline),
            // A sleep of another timer's: it cannot be moved, so it is replaced.
            None => *sleep = self.sleep_until(new_deadline),
        }
    }
}

/// The future behind hyper's sleeps. Fused: once ready, it stays so until it is reset.
#[derive(Debug)]
struct UntilDeadline {
    deadline: Deadline,
}

impl Sleep for UntilDeadline {}

impl Future for UntilDeadline {
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
