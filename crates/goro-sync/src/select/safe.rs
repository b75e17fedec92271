//! Futures that may be dropped at any time: [`CancelSafe`] and the assertion [`cancel_safe`].
//!
//! Invariants:
//! 1. The marker says what dropping does, not what completing does: a future may be marked only if
//!    dropping it before it is ready loses nothing that somebody else relies on.
//!
//! Left out: an automatic rule. Whether an `async` block may be dropped half-way is known to whoever
//! wrote it, and to nobody else; hence the assertion, by name, at the place where it is relied on.

use core::future::{Future, Pending, Ready};
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::future::{Fuse, FusedFuture, OptionFuture};
use futures::stream::Next;
use pin_project_lite::pin_project;

use crate::channel;

/// A future that may be dropped before it is ready, and nothing is lost.
///
/// goro's operations are marked if their documentation says *Safe* (no effect that anybody sees),
/// *Returns* (nothing happened, and the argument can be had back) or *Place* (only a place in a
/// queue is lost). `select! { strict; .. }` accepts marked futures only, since it drops all arms
/// but one.
///
/// A reference to a future is safe whatever the future is: dropping it drops nothing.
///
/// ```
/// use goro_sync::select::CancelSafe;
/// fn may_be_dropped(_: &impl CancelSafe) {}
///
/// may_be_dropped(&std::future::ready(1));
/// let copying = std::pin::pin!(async { "half-way through a file" });
/// may_be_dropped(&copying);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` may lose something when it is dropped before it is ready",
    label = "not marked as cancel safe",
    note = "if dropping it loses nothing, say so: `cancel_safe(future)`"
)]
pub trait CancelSafe: Future {}

/// What may be an arm of a `strict;` select: the marker once more, so that the compiler says what to
/// do, and does not list all the types that are marked.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` may lose something when it is dropped before it is ready",
    label = "not marked as cancel safe, and this select is `strict;`",
    note = "if dropping it loses nothing, say so: `cancel_safe(future)`",
    note = "if it must go on, keep it outside of the select and wait for `&mut future`"
)]
pub trait StrictArm: Future {}

#[diagnostic::do_not_recommend]
impl<F: CancelSafe> StrictArm for F {}

impl<F: Future + Unpin + ?Sized> CancelSafe for &mut F {}
impl<F: Future + ?Sized> CancelSafe for Pin<&mut F> {}
impl<F: CancelSafe + Unpin + ?Sized> CancelSafe for Box<F> {}
impl<F: CancelSafe + ?Sized> CancelSafe for Pin<Box<F>> {}
impl<T> CancelSafe for Ready<T> {}
impl<T> CancelSafe for Pending<T> {}
impl<T> CancelSafe for futures::future::Ready<T> {}
impl<T> CancelSafe for futures::future::Pending<T> {}
impl<F: CancelSafe> CancelSafe for Fuse<F> {}
impl<F: CancelSafe> CancelSafe for OptionFuture<F> {}
// Waiting for a stream's next item holds nothing but the stream, by reference.
impl<S: futures::Stream + Unpin + ?Sized> CancelSafe for Next<'_, S> {}
impl<F: Future> CancelSafe for AssertCancelSafe<F> {}

// Safe, Returns and Place, by the table of `channel`.
impl<T> CancelSafe for channel::RecvFuture<'_, T> {}
impl<T> CancelSafe for channel::RecvTimeout<'_, T> {}
impl<T> CancelSafe for channel::RecvLease<'_, T> {}
impl<T> CancelSafe for channel::SendFuture<'_, T> {}
impl<T> CancelSafe for channel::SendTimeout<'_, T> {}
impl<T> CancelSafe for channel::Reserve<'_, T> {}
impl<T> CancelSafe for channel::ClosedFuture<'_, T> {}

/// Asserts that nothing is lost when `future` is dropped before it is ready.
///
/// ```
/// use goro_sync::select::cancel_safe;
/// # futures::executor::block_on(async {
/// let looks = async { "nothing happens here that could be lost half-way" };
/// goro_sync::select! {
///     strict;
///     text = cancel_safe(looks) => assert!(text.contains("half-way")),
/// }
/// # });
/// ```
pub const fn cancel_safe<F: Future>(future: F) -> AssertCancelSafe<F> {
    AssertCancelSafe { future }
}

pin_project! {
    /// A future that somebody has asserted to be cancel safe; made by [`cancel_safe`].
    #[derive(Clone, Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AssertCancelSafe<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for AssertCancelSafe<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F: FusedFuture> FusedFuture for AssertCancelSafe<F> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}
