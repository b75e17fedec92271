//! Waiting for a direction in a place of one's own: what `readable` and `accept` are made of.
//!
//! Invariants:
//! 1. A waiter holds at most one place, and gives it back when it is done or dropped: a
//!    `readable()` that lost a race leaves no waker behind.
//! 2. Dropping the waker of a place happens outside of all locks.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use goro_context::{Op, budget, cancel, note};

use crate::interest::Direction;
use crate::registration::{Registration, waiting_for};
use crate::watch::{Place, Ready};

/// One of any number that wait for one direction of a source at once; made by
/// [`Registration::waiter`].
///
/// For poll-style code that keeps state between polls anyway. Dropping it gives its place back.
#[derive(Debug)]
pub struct Waiter<'a> {
    registration: &'a Registration,
    direction: Direction,
    key: Option<usize>,
}

impl<'a> Waiter<'a> {
    pub(crate) fn new(registration: &'a Registration, direction: Direction) -> Self {
        Self { registration, direction, key: None }
    }

    /// As [`Registration::poll_ready`], in a place of its own, and spends one unit of budget.
    ///
    /// # Errors
    /// As [`Registration::poll_ready`]. Where it would have to wait, and the code that runs was asked to
    /// stop, [why](cancel::cause_of): readiness of which no event has told yet does not count.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        let spent = ready!(budget::poll_spend(cx));
        let op = waiting_for(self.direction);
        let place = Place::Own(&mut self.key);
        let polled = self.registration.poll_ready_in(cx, self.direction, op, place);
        if polled.is_ready() {
            self.leave();
        } else if let Some(cause) = cancel::cause() {
            self.leave();
            // It does not wait.
            let _op = note::take();
            return Poll::Ready(Err(cancel::io_error(cause)));
        } else {
            spent.refund();
        }
        polled
    }

    /// As [`Registration::poll_io`], in a place of its own.
    ///
    /// # Errors
    /// As [`Registration::poll_io`].
    pub fn poll_io<R>(
        &mut self,
        cx: &mut Context<'_>,
        op: Op,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let place = Place::Own(&mut self.key);
        let polled = self.registration.poll_io_in(cx, self.direction, op, place, &mut io);
        if polled.is_ready() {
            self.leave();
        }
        polled
    }

    fn leave(&mut self) {
        if let Some(key) = self.key.take() {
            self.registration.leave(self.direction, key);
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The future of [`Registration::readable`] and [`Registration::writable`].
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Readiness<'a>(pub(crate) Waiter<'a>);

impl Future for Readiness<'_> {
    type Output = io::Result<Ready>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_ready(cx)
    }
}

/// The future of [`Registration::attempt`].
#[derive(Debug)]
#[must_use = "a future does nothing unless awaited"]
pub struct Attempt<'a, F> {
    pub(crate) waiter: Waiter<'a>,
    pub(crate) op: Op,
    pub(crate) io: F,
}

// Nothing points into the future; `io` is called through a plain reference.
impl<F> Unpin for Attempt<'_, F> {}

impl<R, F: FnMut() -> io::Result<R>> Future for Attempt<'_, F> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { waiter, op, io } = &mut *self;
        waiter.poll_io(cx, *op, io)
    }
}
