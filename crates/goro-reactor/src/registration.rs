//! A source's place in the reactor, and waiting for it.
//!
//! Invariants:
//! 1. Operations try the system call first, as long as the source is assumed ready.
//! 2. Only a would-block unsets readiness. A short read or write does not: the kernel may cut any
//!    transfer short.
//! 3. An interrupted system call is repeated, never shown.
//!
//! Left out: the source itself. [`Watched`](crate::Watched) holds both.

use core::task::{Context, Poll};
use std::io;

use goro_shim::Arc;

use crate::directory::Directory;
use crate::error;
use crate::interest::Direction;
use crate::token::Token;
use crate::watch::{Place, Ready, Seen, Watch};

/// A source's place in the reactor.
///
/// Dropping it forgets the source; take the source out of the kernel's set first, with
/// [`deregister`](Self::deregister), or close it right after.
#[derive(Debug)]
pub struct Registration {
    token: Token,
    watch: Arc<Watch>,
    directory: Arc<Directory>,
}

impl Registration {
    pub(crate) fn new(token: Token, watch: Arc<Watch>, directory: Arc<Directory>) -> Self {
        Self { token, watch, directory }
    }

    /// This registration's number, which no other source of this reactor has while it lives.
    pub fn id(&self) -> u64 {
        self.token.number()
    }

    /// Waits, in the direction's one fast place, until `direction` is ready.
    ///
    /// Ready may be untrue: whoever then meets a would-block says so to [`clear`](Self::clear) and
    /// polls again. Spends no budget.
    ///
    /// # Errors
    /// When the source is not ready and the reactor was closed, or is a forked process's parent's.
    pub fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<Ready>> {
        match self.watch.look(direction) {
            Seen::Ready(ready) => Poll::Ready(Ok(ready)),
            Seen::Stopped => Poll::Ready(Err(error::stopped())),
            Seen::Waiting => self.wait(cx, direction, Place::Seat, None),
        }
    }

    /// Says that `ready` turned out untrue. An event that has come since is kept.
    pub fn clear(&self, ready: Ready) {
        self.watch.clear(ready);
    }

    pub(crate) fn wait(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        place: Place<'_>,
        stale: Option<Ready>,
    ) -> Poll<io::Result<Ready>> {
        if self.directory.is_forked() {
            return Poll::Ready(Err(error::forked()));
        }
        match self.watch.wait(direction, place, stale, cx.waker()) {
            Seen::Ready(ready) => Poll::Ready(Ok(ready)),
            Seen::Stopped => Poll::Ready(Err(error::stopped())),
            Seen::Waiting => Poll::Pending,
        }
    }

    /// Takes `source`, the one that was registered, out of the kernel's set and forgets it.
    ///
    /// # Errors
    /// What the kernel said; the source is forgotten here all the same.
    pub fn deregister(self, source: &mut impl mio::event::Source) -> io::Result<()> {
        self.directory.withdraw(source)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.directory.remove(self.token);
    }
}
