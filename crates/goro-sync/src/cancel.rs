//! Cancellation: asking work to stop, and saying why.
//!
//! A [`CancellationToken`] is a handle that whoever works looks at or waits for, and that whoever wants
//! the work to end cancels, with a [`Cause`]. Tokens form a tree: what cancels a token cancels all that
//! were derived from it. Nothing is torn down by a token: work that does not look goes on.
//!
//! | you want | call |
//! |---|---|
//! | a part of the work that can be stopped alone | [`child_token`](CancellationToken::child_token) |
//! | an end at a point in time | [`with_deadline`](CancellationToken::with_deadline), [`with_timeout`](CancellationToken::with_timeout) |
//! | to stop for several reasons | [`any`](CancellationToken::any) |
//! | to look; to wait | [`is_cancelled`](CancellationToken::is_cancelled); [`cancelled`](CancellationToken::cancelled) |
//! | a future that is dropped when it is cancelled | [`run_until_cancelled`](CancellationToken::run_until_cancelled) |
//! | to be called | [`on_cancel`](CancellationToken::on_cancel) |
//! | an end when a scope does | [`drop_guard`](CancellationToken::drop_guard) |
//!
//! # The ambient token
//!
//! A token need not be handed from function to function: [`scope`](CancellationToken::scope) makes it the
//! *ambient* one, which all code below sees, and which the tasks inherit that are spawned there.
//!
//! - [`check`] says whether it was cancelled, and [`cancelled`] waits for that.
//! - An operation of goro's that would have to wait, and can answer with an error, does that instead: of
//!   channels, oneshots, watches, broadcasts, requests, semaphores and sockets. What can be had at once is had
//!   all the same. Locks, notifications, sleeps and streams wait on, as they have no error to give; so does
//!   whoever joins a task, which was asked to stop as well.
//! - A task that inherited it is polled once more, so that this happens at once. (Futures in a set that polls
//!   only those that were woken hear when they are polled next.)
//! - [`shield`] covers what must not be stopped.
//!
//! The names are tokio-util's where the behaviour is; causes and deadlines are Go's.

mod ambient;
mod deadline;
mod guards;
#[cfg(any(all(test, not(loom)), fuzzing))]
pub(crate) mod model;
#[cfg(all(test, loom))]
mod models;
mod node;
mod retinue;
#[cfg(all(test, not(loom)))]
mod tests;
mod waiting;

use core::fmt;
use core::future::Future;
use core::panic::{RefUnwindSafe, UnwindSafe};

pub use goro_context::Cause;
use goro_context::time::{self, Duration, Instant};
use goro_shim::global::Arc;

use crate::block::block;
use node::Node;

pub use ambient::{Cancelled, Scope, Shield, cancelled, cause_of, check, current, shield};
pub use guards::{DropGuard, OnCancel};
pub use waiting::{RunUntilCancelled, WaitForCancellation, WaitForCancellationOwned};

/// Asks work to stop, and says why.
///
/// Whoever holds a clone can cancel it and can wait for that. Cancelling a token cancels all that were
/// derived from it ([`child_token`](Self::child_token) and others), not those that it was derived from.
/// The first cause counts, for good.
///
/// # Example
/// ```
/// use goro_sync::{CancellationToken, Cause};
///
/// # futures::executor::block_on(async {
/// let server = CancellationToken::new();
/// let request = server.child_token();
///
/// assert!(server.cancel_with("the disk is full"));
/// assert_eq!(request.cancelled().await, Cause::new("the disk is full"));
/// assert!(!request.cancel(), "it was cancelled before, and keeps its cause");
/// # });
/// ```
///
/// ```
/// use goro_context::Cause;
///
/// let token = goro_sync::CancellationToken::new();
/// let cancelled = token.clone().cancelled_owned();
/// let past = goro_context::time::now();
/// assert_eq!(token.with_deadline(past).blocking_cancelled(), Cause::Deadline);
/// token.cancel();
/// assert_eq!(futures::executor::block_on(cancelled), Cause::Cancelled);
/// ```
#[derive(Clone)]
pub struct CancellationToken {
    node: Arc<Node>,
}

impl CancellationToken {
    /// A token that nothing but its own handles can cancel.
    pub fn new() -> Self {
        Self { node: Node::alone() }
    }

    /// A token that is cancelled with this one, for the same cause, or by itself before that. If this
    /// one has been cancelled, so is the child from the beginning.
    ///
    /// An inner token takes memory for as long as one derived from it exists, also when its own handles
    /// are gone.
    #[must_use = "dropping it does nothing: the work is to be given the child"]
    pub fn child_token(&self) -> Self {
        Self { node: self.node.child() }
    }

    /// A [child](Self::child_token) that is cancelled at this point in time, for
    /// [`Cause::Deadline`], if it has not been before. Of several deadlines on the way up the earliest
    /// counts; one that has passed cancels at once.
    ///
    /// The time is that of the runtime in which this is called, or else of the system's monotonic clock.
    /// Where nobody can keep the deadline (no runtime is entered, and the system refuses the thread that
    /// would do it instead) the child is cancelled at once, for [`Cause::Refused`].
    ///
    /// It looks at each token on the way up; and allocates once more than a child without a deadline.
    #[must_use = "dropping it does nothing: the work is to be given the child"]
    pub fn with_deadline(&self, at: Instant) -> Self {
        Self { node: self.node.child_until(at) }
    }

    /// [`with_deadline`](Self::with_deadline), so long from now; at most thirty years.
    ///
    /// ```
    /// use goro_sync::{CancellationToken, Cause};
    /// use std::time::Duration;
    ///
    /// let request = CancellationToken::new().with_timeout(Duration::from_millis(5));
    /// // The smaller deadline counts.
    /// let query = request.with_timeout(Duration::from_secs(60));
    /// assert_eq!(query.deadline(), request.deadline());
    /// assert_eq!(query.blocking_cancelled(), Cause::Deadline);
    /// ```
    #[must_use = "dropping it does nothing: the work is to be given the child"]
    pub fn with_timeout(&self, duration: Duration) -> Self {
        self.with_deadline(time::after(duration))
    }

    /// A token that is cancelled as soon as one of these is, for its cause. Of none, only by itself.
    ///
    /// ```
    /// use goro_sync::{CancellationToken, Cause};
    /// let (user, shutdown) = (CancellationToken::new(), CancellationToken::new());
    /// let either = CancellationToken::any([&user, &shutdown]);
    /// shutdown.cancel_with(Cause::Shutdown);
    /// assert_eq!(either.cause(), Some(Cause::Shutdown));
    /// assert!(!user.is_cancelled());
    /// ```
    #[must_use = "dropping it does nothing: the work is to be given the token"]
    pub fn any<'a>(tokens: impl IntoIterator<Item = &'a Self>) -> Self {
        Self { node: Node::below_all(tokens.into_iter().map(|token| &token.node)) }
    }

    /// Cancels it, and all that were derived from it, giving no reason: [`Cause::Cancelled`]. False if
    /// it had been cancelled.
    ///
    /// See [`cancel_with`](Self::cancel_with).
    pub fn cancel(&self) -> bool {
        self.node.cancel(&Cause::Cancelled)
    }

    /// Cancels it, and all that were derived from it, for this cause. False if it had been cancelled:
    /// the first cause counts.
    ///
    /// When this returns true, all that were derived from it are cancelled, but for those that another
    /// call is just cancelling. Wakers are woken, and then closures called, on this thread; what they
    /// panic with goes no further than the panic hook.
    pub fn cancel_with(&self, cause: impl Into<Cause>) -> bool {
        self.node.cancel(&cause.into())
    }

    /// Whether it has been cancelled. One load.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.node.is_cancelled()
    }

    /// Why it was cancelled; `None` if it was not.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.node.cause()
    }

    /// When it will be cancelled at the latest: the earliest deadline on the way up. `None` if there is
    /// none, and if it has been cancelled.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.node.deadline()
    }

    /// Waits until it is cancelled, and says why.
    ///
    /// Nothing is allocated for the first one who waits at a token.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    #[inline]
    pub fn cancelled(&self) -> WaitForCancellation<'_> {
        WaitForCancellation::new(self)
    }

    /// [`cancelled`](Self::cancelled) with a handle of its own, for what must not borrow.
    #[inline]
    pub fn cancelled_owned(self) -> WaitForCancellationOwned {
        WaitForCancellationOwned::new(self)
    }

    /// [`cancelled`](Self::cancelled), and lets this thread sleep until then. Legal anywhere; on a worker
    /// of goro's the runtime is told first.
    pub fn blocking_cancelled(&self) -> Cause {
        block(self.cancelled())
    }

    /// Runs `future` until this is cancelled: then the future is dropped, and the cause is the error.
    ///
    /// At each poll the token is asked first, so that a future that is always ready is cancelled, too,
    /// and one that has not begun does not begin.
    ///
    /// # Cancel safety
    /// As `future`: it is dropped with this.
    ///
    /// ```
    /// use goro_sync::{CancellationToken, Cause};
    /// # futures::executor::block_on(async {
    /// let token = CancellationToken::new();
    /// assert_eq!(token.run_until_cancelled(async { 1 }).await, Ok(1));
    /// token.cancel();
    /// assert_eq!(token.run_until_cancelled(async { 2 }).await, Err(Cause::Cancelled));
    /// # });
    /// ```
    pub fn run_until_cancelled<F: Future>(&self, future: F) -> RunUntilCancelled<'_, F> {
        RunUntilCancelled::new(self, future)
    }

    /// A guard that cancels the token when it is dropped, unless it is
    /// [disarmed](DropGuard::disarm).
    ///
    /// ```
    /// use goro_sync::CancellationToken;
    /// let token = CancellationToken::new();
    /// drop(token.clone().drop_guard());
    /// assert!(token.is_cancelled());
    /// ```
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self)
    }

    /// Has `f` called with the cause when this is cancelled; at once, here, if it has been.
    ///
    /// It is called on the thread that cancels, when all tokens derived from this one have been told,
    /// and must not block. Dropping the guard takes `f` back; one that is just being called goes on.
    /// What it panics with goes no further than the panic hook.
    ///
    /// ```
    /// use goro_sync::CancellationToken;
    /// let (tell, told) = std::sync::mpsc::channel();
    /// let token = CancellationToken::new();
    /// let guard = token.on_cancel(move |cause| tell.send(cause.to_string()).unwrap());
    /// token.cancel_with("enough");
    /// assert_eq!(told.recv().unwrap(), "enough");
    /// drop(guard);
    /// ```
    pub fn on_cancel(&self, f: impl FnOnce(Cause) + Send + 'static) -> OnCancel {
        OnCancel::new(&self.node, Box::new(f))
    }
}

// No panic leaves a tree half changed: nothing that can panic runs under a node's lock.
impl UnwindSafe for CancellationToken {}
impl RefUnwindSafe for CancellationToken {}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CancellationToken");
        shown.field("cause", &self.cause());
        if let Some(deadline) = self.deadline() {
            shown.field("left", &deadline.saturating_duration_since(goro_context::time::now()));
        }
        shown.finish_non_exhaustive()
    }
}
