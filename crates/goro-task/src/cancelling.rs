//! Ending a task from elsewhere, gently at first: [`Cancelling`].
//!
//! ```text
//!   cancel ──▶ asked: polled once more, told so by its operations ──grace is over──▶ aborted: dropped
//!                  │                                                                    │
//!                  └──────────────── ends by itself ──▶ outcome ◀─────────────────────┘
//! ```
//!
//! Invariants:
//! 1. What was begun goes on, whether or not anybody waits for it: the grace is an alarm of its own.
//! 2. The cause is that of the first who asked or aborted, however the task ends.
//!
//! Left out: telling those whom the task has spawned. They have heard if they share a token with it; a
//! group is what ends tasks together.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::alarm::{Alarm, Ring};
use goro_context::time::{self, Duration};
use goro_context::{Cause, Gone};

use crate::error::JoinError;
use crate::{AbortHandle, JoinHandle};

/// How long a task has for ending by itself when it was asked to, unless somebody says otherwise.
pub const GRACE: Duration = Duration::from_secs(5);

/// Aborts the task when the grace is over.
struct Reaper {
    abort: AbortHandle,
    cause: Cause,
}

impl Ring for Reaper {
    fn ring(&self, _kept: Result<(), Gone>) {
        self.abort.abort_with(self.cause.clone());
    }
}

/// The future of [`JoinHandle::cancel`]: waits for the task that was asked to end.
///
/// # Cancel safety
/// Safe: the cancellation goes on without it.
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let pending = std::future::pending::<()>();
/// let (runnable, handle) = goro_task::spawn(pending, home, goro_task::Meta::OTHER);
/// let _ = runnable.run(home);
/// // Nothing is waited for: it is dropped.
/// let cancelling = handle.cancel("enough").grace(std::time::Duration::ZERO);
/// assert!(home.block_on(cancelling).is_err());
/// ```
#[must_use = "the cancellation goes on without it; await it to have the outcome"]
pub struct Cancelling<T> {
    handle: JoinHandle<T>,
    cause: Cause,
    /// None where nobody can keep the time: the task was aborted.
    grace: Option<Alarm<Reaper>>,
}

impl<T> Cancelling<T> {
    pub(crate) fn new(handle: JoinHandle<T>, cause: Cause) -> Self {
        handle.ask(cause.clone());
        Self { handle, cause, grace: None }.grace(GRACE)
    }

    /// Gives the task so long from now for ending by itself; zero drops it where it waits, as
    /// [`JoinHandle::abort`] does.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = None;
        let (abort, cause) = (self.handle.abort_handle(), self.cause.clone());
        if !grace.is_zero() && !self.handle.is_finished() {
            let reaper = Reaper { abort: abort.clone(), cause: cause.clone() };
            self.grace = Alarm::set(time::after(grace), reaper).ok();
        }
        if self.grace.is_none() {
            abort.abort_with(cause);
        }
        self
    }
}

impl<T> Future for Cancelling<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.handle).poll(cx);
        if polled.is_ready() {
            self.grace = None;
        }
        polled
    }
}

impl<T> Drop for Cancelling<T> {
    fn drop(&mut self) {
        if let Some(grace) = self.grace.take() {
            if !self.handle.is_finished() {
                grace.keep();
            }
        }
    }
}

impl<T> fmt::Debug for Cancelling<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Cancelling");
        debug.field("handle", &self.handle).field("cause", &self.cause).finish_non_exhaustive()
    }
}
