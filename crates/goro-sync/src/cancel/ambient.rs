//! The token of the code that runs: inherited by the tasks that it spawns, asked by operations that would
//! wait.
//!
//! Where it stands, and who learns of it, is told in [`goro_context::cancel`]; this is the token's side.
//!
//! Left out: operations that have no error to give (locks, notifications, sleeps, streams). They wait on;
//! [`run_until_cancelled`](super::CancellationToken::run_until_cancelled) ends them from outside.

use core::any::Any;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use goro_context::cancel::{self as ambient, Ambient, CancelSource};
use goro_context::inherit::{self, Head};
use goro_context::{Cause, Op, note};
use goro_shim::global::Arc;
use goro_wait::Key;
use pin_project_lite::pin_project;

use super::node::{Node, Open};
use super::{CancellationToken, WaitForCancellationOwned};
use crate::wait;

pub use goro_context::cancel::{cause_of, check};

/// The key of a waker that was woken instead of being kept: stale, and not zero.
const NOT_KEPT: u64 = 1;

impl CancelSource for Node {
    fn cause(&self) -> Option<Cause> {
        if self.is_cancelled() { Node::cause(self) } else { None }
    }

    fn register(&self, waker: &Waker) -> u64 {
        let join = |open: &mut Open, waker| open.retinue().waiters.push_back(waker);
        match self.with_open(waker.clone(), join) {
            Ok(key) => key.to_bits(),
            Err((_, waker)) => {
                wait::wake(waker);
                NOT_KEPT
            }
        }
    }

    fn unregister(&self, key: u64) {
        let leave = |open: &mut Open, key| {
            open.retinue_mut().and_then(|retinue| retinue.waiters.remove(key))
        };
        let left = self.with_open(Key::from_bits(key), leave);
        wait::let_go(left.ok().flatten());
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A child of the token that the code which runs has inherited: cancelled with it, and by itself. Where
/// nothing was inherited, a token that nobody else knows.
///
/// Cancelling it does not reach those who were given the same token: code that was asked to work may stop
/// its own work, not that of whoever asked.
///
/// A task that is asked to end through its handle hears by [`check`] and [`cancelled`]; a token that it got
/// here before that does not.
///
/// ```
/// use goro_sync::cancel::{self, CancellationToken};
/// # futures::executor::block_on(async {
/// let request = CancellationToken::new();
/// let inner = request.scope(async { cancel::current() }).await;
/// request.cancel_with("the client is gone");
/// assert_eq!(inner.cause(), request.cause());
/// # });
/// ```
#[must_use = "dropping it does nothing: the work is to be given the token"]
pub fn current() -> CancellationToken {
    let Some(inherited) = ambient::current() else { return CancellationToken::new() };
    if let Some(node) = inherited.downcast::<Node>() {
        return CancellationToken { node: node.child() };
    }
    let token = CancellationToken::new();
    if let Some(cause) = inherited.cause() {
        token.cancel_with(cause);
    }
    token
}

/// Waits until the code that runs is asked to stop, and says why: through the token that it inherited, or
/// through the handle of its task.
///
/// # Cancel safety
/// Safe: waiting changes nothing.
pub const fn cancelled() -> Cancelled {
    Cancelled { wait: None }
}

/// The future of [`cancelled`].
///
/// ```
/// use goro_context::Cause;
/// use goro_sync::{CancellationToken, cancel};
///
/// let token = CancellationToken::new();
/// token.cancel();
/// let cause = futures::executor::block_on(token.scope(async { cancel::cancelled().await }));
/// assert_eq!(cause, Cause::Cancelled);
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Cancelled {
    wait: Option<WaitForCancellationOwned>,
}

impl Future for Cancelled {
    type Output = Cause;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        if let Some(cause) = ambient::cause() {
            return Poll::Ready(cause);
        }
        if self.wait.is_none() {
            let node = ambient::current().and_then(|token| token.downcast::<Node>());
            self.wait = node.map(|node| CancellationToken { node }.cancelled_owned());
        }
        match &mut self.wait {
            Some(wait) => Pin::new(wait).poll(cx),
            // Woken by whoever asks the task.
            None => {
                note::leave(Op::Cancelled, 0);
                Poll::Pending
            }
        }
    }
}

impl crate::select::CancelSafe for Cancelled {}

/// Runs `future` as if nobody could ask it to stop: for what must be done to its end. The tasks that it
/// spawns are not asked either. It is dropped all the same if it is awaited by somebody who is dropped.
///
/// # Cancel safety
/// As `future`.
///
/// ```
/// use goro_sync::cancel::{self, CancellationToken};
/// # futures::executor::block_on(async {
/// let request = CancellationToken::new();
/// request.cancel();
/// request
///     .scope(async {
///         assert!(cancel::check().is_err());
///         cancel::shield(async { assert!(cancel::check().is_ok()) }).await;
///     })
///     .await;
/// # });
/// ```
pub fn shield<F: Future>(future: F) -> Shield<F> {
    Shield { future, inherited: Head::EMPTY }
}

pin_project! {
    /// The future of [`shield`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Shield<F> {
        #[pin]
        future: F,
        // Empty before the first poll.
        inherited: Head,
    }
}

impl<F: Future> Future for Shield<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if this.inherited.is_empty() {
            *this.inherited = inherit::head().push(Ambient::never());
        }
        inherit::with(this.inherited, || this.future.poll(cx))
    }
}

pin_project! {
    /// The future of [`CancellationToken::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Scope<F> {
        #[pin]
        future: F,
        // Empty before the first poll.
        inherited: Head,
        // None once it was cancelled, which the future is polled for once.
        wait: Option<WaitForCancellationOwned>,
        token: CancellationToken,
    }
}

impl<F: Future> Scope<F> {
    pub(super) fn new(token: CancellationToken, future: F) -> Self {
        let wait = Some(token.clone().cancelled_owned());
        Self { future, inherited: Head::EMPTY, wait, token }
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if this.inherited.is_empty() {
            *this.inherited = inherit::head().push(this.token.ambient());
        }
        // Panic: the future's own passes through; the list is put back, and the waiter leaves later.
        let polled = match ambient::asked() {
            None => inherit::with(this.inherited, || this.future.poll(cx)),
            Some(cause) => {
                let mut asked = this.inherited.clone().push(Ambient::cancelled(cause));
                inherit::with(&mut asked, || this.future.poll(cx))
            }
        };
        if polled.is_ready() {
            return polled;
        }
        let waits_for = note::take();
        if let Some(wait) = this.wait {
            if Pin::new(wait).poll(cx).is_ready() {
                // Whatever the future waits for may want to answer now.
                *this.wait = None;
                cx.waker().wake_by_ref();
            }
        }
        note::replace(waits_for);
        Poll::Pending
    }
}

impl<F: fmt::Debug> fmt::Debug for Scope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Scope");
        debug.field("future", &self.future).field("token", &self.token).finish_non_exhaustive()
    }
}

impl CancellationToken {
    /// Runs `future` with this as its ambient token, in place of the one that it has inherited:
    /// [`check`], [`current`], operations that would wait, and the tasks that it spawns see this one. That the
    /// task which runs it is asked to end, by its handle or at the runtime's end, they see as well.
    ///
    /// The future is not dropped when the token is cancelled: it is polled once more, and may end as it
    /// likes. To have it dropped, [run it until then](Self::run_until_cancelled).
    ///
    /// # Cancel safety
    /// As `future`.
    ///
    /// ```
    /// use goro_sync::{cancel, CancellationToken, channel};
    /// # futures::executor::block_on(async {
    /// let (_tx, rx) = channel::bounded::<u8>(1);
    /// let token = CancellationToken::new();
    /// token.cancel_with("enough");
    /// let error = token.scope(rx.recv()).await.unwrap_err();
    /// assert_eq!(error.to_string(), "nothing was received: cancelled: enough");
    /// # });
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scope<F> {
        Scope::new(self.clone(), future)
    }

    /// The token as what tasks inherit, for a crate that spawns.
    #[doc(hidden)]
    pub fn ambient(&self) -> Ambient {
        Ambient::from_shared(Arc::clone(&self.node) as Arc<dyn CancelSource>)
    }
}
