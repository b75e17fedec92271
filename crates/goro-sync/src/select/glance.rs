//! Asking an arm without making it stand in line.
//!
//! A task that waits for several things at once finds one of them most of the time, and then all it did at
//! the others was for nothing: a waker cloned, a place in a line, and both taken back. So a `select!`
//! first *glances*: it asks whether anything is there, and only when nothing is does it ask again in
//! earnest.
//!
//! ```text
//!   glance at each arm, in a random order ──▶ one is ready: it wins, and the others were not touched
//!          │ none is
//!          ▼
//!   poll each arm that was glanced at, in another random order ──▶ all stand in line
//! ```
//!
//! Invariants:
//! 1. A glance leaves nothing behind. So an arm whose glance said `Pending` is polled before the select
//!    says `Pending`, in the same poll: nothing is missed in between, as it is what the poll finds
//!    that counts.
//! 2. Only futures of this crate are glanced at, where they are arms themselves. What is around them could
//!    take a `Pending` for a promise to wake, and not ask again.
//! 3. All others are polled, once, in the first pass: each order of all arms is equally likely, and a
//!    future such as `yield_now` is asked once a poll as ever.
//! 4. A future that stands in line keeps its place: its glance is a poll, unless nothing seems to have come,
//!    which is for the second pass to find out.
//!
//! Which of both is done is known when the select is compiled: a method of [`Arm`] itself is
//! found before one of a trait, if its bounds hold.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::round::Round;
use crate::wait::{Attempt, Operation};
use crate::{broadcast, cancel, channel, notify, watch};

/// A future that can say whether it is ready without standing in line.
pub trait Glance: Future {
    /// Whether a glance seems to be of no use.
    fn seems_idle(&self) -> bool;

    /// `Pending` says that it was not ready, and promises nothing.
    fn glance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

macro_rules! glanced_at {
    ($([$($generics:tt)*] $future:ty;)*) => { $(
        impl<$($generics)*> Glance for $future {
            #[inline]
            fn seems_idle(&self) -> bool {
                Operation::seems_idle(self)
            }

            #[inline]
            fn glance(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                if self.stands() {
                    return self.poll(cx);
                }
                // The select pays for the round, and begins none with nothing left to pay with.
                match self.attempt(None) {
                    Attempt::Done(output) => Poll::Ready(output),
                    Attempt::Waits | Attempt::Unprepared => Poll::Pending,
                }
            }
        }
    )* };
}

// Those that are made anew for each select.
glanced_at! {
    [T] channel::RecvFuture<'_, T>;
    [T] channel::SendFuture<'_, T>;
    [T] channel::Reserve<'_, T>;
    [T: Clone] broadcast::RecvFuture<'_, T>;
    [T] watch::Changed<'_, T>;
    [] notify::Notified<'_>;
    [] cancel::WaitForCancellation<'_>;
    [] cancel::WaitForCancellationOwned;
}

/// An arm of a select, to be asked.
#[derive(Debug)]
pub struct Arm<'a, F>(pub Pin<&'a mut F>);

impl<F: Glance> Arm<'_, F> {
    /// Glances or polls, as the round says.
    // Always: most of the time this is one look at a hint, for which no call is made.
    #[inline(always)]
    pub fn ask(self, round: &mut Round, index: u32, cx: &mut Context<'_>) -> Poll<F::Output> {
        match round.glances_at(index) {
            true if self.0.seems_idle() => Poll::Pending,
            true => self.0.glance(cx),
            false => self.0.poll(cx),
        }
    }
}

/// How all other arms are asked.
pub trait Ask {
    /// What the arm gives.
    type Output;

    /// Polls.
    fn ask(self, round: &mut Round, index: u32, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

impl<F: Future> Ask for Arm<'_, F> {
    type Output = F::Output;

    #[inline]
    fn ask(self, _: &mut Round, _: u32, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.poll(cx)
    }
}
