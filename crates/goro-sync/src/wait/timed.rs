//! Operations with a limit of time.
//!
//! Invariants:
//! 1. No clock is read for what is ready at once.

use core::task::{Context, Poll};

use goro_context::note;
use goro_context::time::{self, Deadline, Duration, Instant};

use super::{Attempt, Operation, poll};

/// An operation that is given up on at a point in time.
///
/// The deadline decides nothing: at that time the operation makes a last attempt, and what it says
/// under its lock counts. Elapsed means that it did not happen and will not.
#[derive(Debug)]
pub(crate) struct Timed<O> {
    /// The operation, which still owns what it was given.
    pub(crate) operation: O,
    pub(super) limit: Limit,
}

#[derive(Debug)]
pub(super) enum Limit {
    /// So long from the first poll that waits: no clock is read for what is ready.
    After(Duration),
    At(Deadline),
}

/// The time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elapsed;

impl<O: Operation> Timed<O> {
    pub(crate) fn after(duration: Duration, operation: O) -> Self {
        Self { operation, limit: Limit::After(duration) }
    }

    pub(crate) fn at(instant: Instant, operation: O) -> Self {
        Self { operation, limit: Limit::At(Deadline::at(instant)) }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<O::Output, Elapsed>> {
        if let Poll::Ready(output) = poll(&mut self.operation, cx) {
            return Poll::Ready(Ok(output));
        }
        let waits_for = note::take();
        if self.poll_limit(cx).is_pending() {
            note::replace(waits_for);
            return Poll::Pending;
        }
        Poll::Ready(match self.operation.attempt(None) {
            Attempt::Done(output) => Ok(output),
            Attempt::Waits | Attempt::Unprepared => Err(Elapsed),
        })
    }

    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        match &mut self.limit {
            Limit::At(deadline) => deadline.poll_clock(cx),
            Limit::After(duration) => {
                let now = time::now();
                let mut deadline = Deadline::at(time::later(now, *duration));
                let polled = deadline.poll_from(now, cx);
                self.limit = Limit::At(deadline);
                polled
            }
        }
    }
}
