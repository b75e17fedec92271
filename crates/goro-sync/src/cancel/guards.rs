//! What cancels, or takes back, when it is dropped.

use core::fmt;

use goro_context::contain;
use goro_shim::global::Arc;
use goro_wait::Key;

use super::CancellationToken;
use super::node::{Node, Open};
use super::retinue::Closure;

/// Cancels its token when it is dropped; made by [`CancellationToken::drop_guard`].
///
/// ```
/// let token = goro_sync::CancellationToken::new();
/// let guard = token.clone().drop_guard();
/// let token_again = guard.disarm();
/// assert!(!token_again.is_cancelled());
/// drop(token.clone().drop_guard());
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "dropping it cancels the token"]
pub struct DropGuard {
    token: Option<CancellationToken>,
}

impl DropGuard {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self { token: Some(token) }
    }

    /// The token, not cancelled.
    #[must_use = "it is not cancelled any more by being dropped"]
    pub fn disarm(mut self) -> CancellationToken {
        match self.token.take() {
            Some(token) => token,
            None => unreachable!("only this and the destructor take it out"),
        }
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel();
        }
    }
}

/// Takes a closure back when it is dropped, unless it is [kept](Self::keep); made by
/// [`CancellationToken::on_cancel`].
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let (token, called) = (goro_sync::CancellationToken::new(), Arc::new(AtomicBool::new(false)));
/// let of_closure = called.clone();
/// token.on_cancel(move |_cause| of_closure.store(true, Ordering::Relaxed)).keep();
/// token.cancel();
/// assert!(called.load(Ordering::Relaxed));
/// ```
#[must_use = "dropping it takes the closure back: `keep` leaves it where it is"]
pub struct OnCancel {
    node: Arc<Node>,
    /// None if there is nothing to take back.
    key: Option<Key>,
}

impl OnCancel {
    pub(super) fn new(node: &Arc<Node>, closure: Closure) -> Self {
        let add = |open: &mut Open, closure| open.retinue().closures.push_back(closure);
        let key = match node.with_open(closure, add) {
            Ok(key) => Some(key),
            Err((cause, closure)) => {
                // Panic: the closure's own goes no further, as when it is called by who cancels.
                contain::quietly(move || closure(cause));
                None
            }
        };
        Self { node: Arc::clone(node), key }
    }

    /// Leaves the closure where it is. It is dropped with the token if that is never cancelled.
    pub fn keep(mut self) {
        self.key = None;
    }

    fn take(&mut self) -> Option<Closure> {
        let key = self.key.take()?;
        let taken = self.node.with_open(key, |open, key| open.retinue().closures.remove(key));
        taken.ok().flatten()
    }
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        // Panic: the closure's destructor may; it has left the token.
        drop(self.take());
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCancel").field("cause", &self.node.cause()).finish_non_exhaustive()
    }
}
