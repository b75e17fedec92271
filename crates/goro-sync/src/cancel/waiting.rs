//! Futures that wait for a cancellation.
//!
//! Invariants:
//! 1. A standing other than nowhere is this future's alone while the node is open: the one waiter in the
//!    node itself, or a key to the list. When the node is cancelled, it stands for nothing.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op};
use goro_wait::Key;
use pin_project_lite::pin_project;

use super::CancellationToken;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation};

/// Where a future stands in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Nowhere,
    /// In the node.
    First,
    /// In the node's retinue.
    Listed(Key),
}

/// The future of [`CancellationToken::cancelled`]: why it was cancelled.
#[must_use = "futures do nothing unless polled"]
pub struct WaitForCancellation<'a> {
    token: &'a CancellationToken,
    standing: Standing,
}

impl<'a> WaitForCancellation<'a> {
    #[inline]
    pub(super) const fn new(token: &'a CancellationToken) -> Self {
        Self { token, standing: Standing::Nowhere }
    }
}

impl Operation for WaitForCancellation<'_> {
    type Output = Cause;
    const OP: Op = Op::Cancelled;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Cause> {
        self.token.node.attempt(&mut self.standing, offer)
    }

    #[inline]
    fn stands(&self) -> bool {
        self.standing != Standing::Nowhere
    }
}

impl Future for WaitForCancellation<'_> {
    type Output = Cause;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        wait::poll(&mut *self, cx)
    }
}

impl Drop for WaitForCancellation<'_> {
    #[inline]
    fn drop(&mut self) {
        self.token.node.leave(&mut self.standing);
    }
}

impl fmt::Debug for WaitForCancellation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellation").field("token", self.token).finish_non_exhaustive()
    }
}

/// The future of [`CancellationToken::cancelled_owned`]: why it was cancelled.
///
/// ```
/// use goro_context::Cause;
///
/// let token = goro_sync::CancellationToken::new();
/// let cancelled = token.clone().cancelled_owned();
/// let soon = goro_context::time::now() + std::time::Duration::from_millis(1);
/// assert_eq!(token.with_deadline(soon).blocking_cancelled(), Cause::Deadline);
/// token.cancel();
/// assert_eq!(futures::executor::block_on(cancelled), Cause::Cancelled);
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct WaitForCancellationOwned {
    token: CancellationToken,
    standing: Standing,
}

impl WaitForCancellationOwned {
    #[inline]
    pub(super) const fn new(token: CancellationToken) -> Self {
        Self { token, standing: Standing::Nowhere }
    }
}

impl Operation for WaitForCancellationOwned {
    type Output = Cause;
    const OP: Op = Op::Cancelled;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Cause> {
        self.token.node.attempt(&mut self.standing, offer)
    }

    #[inline]
    fn stands(&self) -> bool {
        self.standing != Standing::Nowhere
    }
}

impl Future for WaitForCancellationOwned {
    type Output = Cause;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        wait::poll(&mut *self, cx)
    }
}

impl Drop for WaitForCancellationOwned {
    #[inline]
    fn drop(&mut self) {
        self.token.node.leave(&mut self.standing);
    }
}

impl fmt::Debug for WaitForCancellationOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("WaitForCancellationOwned");
        debug.field("token", &self.token).finish_non_exhaustive()
    }
}

// Safe: waiting changes nothing.
impl CancelSafe for WaitForCancellation<'_> {}
impl CancelSafe for WaitForCancellationOwned {}
impl<F: CancelSafe> CancelSafe for RunUntilCancelled<'_, F> {}

pin_project! {
    /// The future of [`CancellationToken::run_until_cancelled`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RunUntilCancelled<'a, F> {
        cancelled: WaitForCancellation<'a>,
        #[pin]
        future: Option<F>,
    }
}

impl<'a, F> RunUntilCancelled<'a, F> {
    pub(super) const fn new(token: &'a CancellationToken, future: F) -> Self {
        Self { cancelled: WaitForCancellation::new(token), future: Some(future) }
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Result<F::Output, Cause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("polled again after it was cancelled: keep the result of its first end");
        };
        if !this.cancelled.token.is_cancelled() {
            // Panic: the future's own passes through; the waiter leaves when this is dropped.
            if let Poll::Ready(output) = future.poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let waits_for = goro_context::note::take();
            if Pin::new(&mut *this.cancelled).poll(cx).is_pending() {
                goro_context::note::replace(waits_for);
                return Poll::Pending;
            }
        }
        // Panic: the future's destructor may; it is gone then.
        this.future.set(None);
        Poll::Ready(Err(this.cancelled.token.cause().unwrap_or(Cause::Cancelled)))
    }
}

impl<F: fmt::Debug> fmt::Debug for RunUntilCancelled<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RunUntilCancelled");
        debug.field("future", &self.future).field("token", self.cancelled.token).finish()
    }
}
