//! Waiting for a direction in a place of one's own: the futures behind `readable` and `accept`.
//!
//! Invariants:
//! 1. A future holds at most one place, and gives it back when it is done or dropped: a
//!    `readable()` that lost a race leaves no waker behind.
//! 2. Dropping the waker of a place happens outside of all locks.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use goro_context::{Op, budget};

use crate::interest::Direction;
use crate::registration::{Registration, waiting_for};
use crate::watch::{Place, Ready};

/// A place that a future may come to hold.
#[derive(Debug)]
struct Seating<'a> {
    registration: &'a Registration,
    direction: Direction,
    key: Option<usize>,
}

impl Seating<'_> {
    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            self.registration.leave(self.direction, key);
        }
    }
}

impl Drop for Seating<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The future of [`Registration::readable`] and [`Registration::writable`].
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Readiness<'a>(Seating<'a>);

impl<'a> Readiness<'a> {
    pub(crate) fn new(registration: &'a Registration, direction: Direction) -> Self {
        Self(Seating { registration, direction, key: None })
    }
}

impl Future for Readiness<'_> {
    type Output = io::Result<Ready>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let spent = ready!(budget::poll_spend(cx));
        let Seating { registration, direction, key } = &mut self.0;
        let op = waiting_for(*direction);
        let polled = registration.poll_ready_in(cx, *direction, op, Place::Own(key));
        match polled {
            Poll::Pending => spent.refund(),
            Poll::Ready(_) => self.0.leave(),
        }
        polled
    }
}

/// The future of [`Registration::attempt`].
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Attempt<'a, F> {
    seating: Seating<'a>,
    op: Op,
    io: F,
}

impl<'a, F> Attempt<'a, F> {
    pub(crate) fn new(registration: &'a Registration, direction: Direction, op: Op, io: F) -> Self {
        Self { seating: Seating { registration, direction, key: None }, op, io }
    }
}

// Nothing points into the future; `io` is called through a plain reference.
impl<F> Unpin for Attempt<'_, F> {}

impl<R, F: FnMut() -> io::Result<R>> Future for Attempt<'_, F> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { seating, op, io } = &mut *self;
        let Seating { registration, direction, key } = seating;
        let polled = registration.poll_io_in(cx, *direction, *op, key, false, io);
        if polled.is_ready() {
            seating.leave();
        }
        polled
    }
}
