//! A source's place in the reactor, and waiting for it.
//!
//! Invariants:
//! 1. Operations try the system call first, as long as the source is assumed ready.
//! 2. Only a would-block unsets readiness. A short read or write does not: the kernel may cut any
//!    transfer short.
//! 3. An interrupted system call is repeated, never shown.
//! 4. Each try spends budget, errors included; waiting does not.
//! 5. Who would have to wait, and was asked to stop, tries once more, with or without readiness, and gives
//!    up: bytes of which no event has told yet are had before that.
//!
//! Left out: the source itself. [`Watched`](crate::Watched) holds both.

use core::task::{Context, Poll, ready};
use std::io;

use goro_context::budget::{self, Spent};
use goro_context::{Cause, Op, cancel, note};
use goro_shim::Arc;

use crate::directory::Directory;
use crate::error;
use crate::interest::Direction;
use crate::token::Token;
use crate::waiter::{Attempt, Readiness, Waiter};
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

    /// This registration's number, which no other source of this reactor has while it lives; the
    /// object of the wait notes left here.
    pub fn id(&self) -> u64 {
        self.token.number()
    }

    /// Waits, in the direction's one fast place, until `direction` is ready.
    ///
    /// Ready may be untrue: whoever then meets a would-block says so to [`clear`](Self::clear) and
    /// polls again. Spends no budget, and does not ask whether to stop. Several tasks may poll one direction; all learn of the next
    /// event, but past eight of them it costs extra wake-ups, which
    /// [`readable`](Self::readable) and its kin do not.
    ///
    /// # Errors
    /// When the source is not ready and the reactor was closed, or is a forked process's parent's.
    pub fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<Ready>> {
        let op = waiting_for(direction);
        self.poll_ready_in(cx, direction, op, Place::Seat)
    }

    /// Says that `ready` turned out untrue. An event that has come since is kept.
    pub fn clear(&self, ready: Ready) {
        self.watch.clear(ready);
    }

    /// Calls `io` until it says something else than "would block" or "interrupted", waiting in the
    /// direction's fast place whenever it would block.
    ///
    /// Spends one unit of the task's budget for each call of `io`. `op` is what a dump says the
    /// task waits for.
    ///
    /// # Errors
    /// What `io` returns, and as [`poll_ready`](Self::poll_ready). Where it would have to wait, and the
    /// code that runs was asked to stop, [why](cancel::cause_of).
    pub fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: Op,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_io_in(cx, direction, op, Place::Seat, &mut io)
    }

    /// As [`poll_io`](Self::poll_io) for reading, where `read` says beside its result whether it has
    /// left nothing to be read. The next call then waits for an event before it calls `read`.
    ///
    /// # Errors
    /// As [`poll_io`](Self::poll_io).
    pub fn poll_read<R>(
        &self,
        cx: &mut Context<'_>,
        op: Op,
        mut read: impl FnMut() -> io::Result<(R, Left)>,
    ) -> Poll<io::Result<R>> {
        loop {
            let spent = ready!(budget::poll_spend(cx));
            let ready = match self.poll_ready_in(cx, Direction::Read, op, Place::Seat) {
                Poll::Pending => return waits(spent, || read().map(|(result, _)| result)),
                Poll::Ready(result) => result?,
            };
            if !self.watch.is_drained(ready) {
                match read() {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    Err(e) => return Poll::Ready(Err(e)),
                    Ok((result, left)) => {
                        self.watch.has_read(ready, left == Left::Nothing);
                        return Poll::Ready(Ok(result));
                    }
                }
            }
            match self.wait(cx, Direction::Read, op, Place::Seat, Some(ready)) {
                Poll::Pending => return waits(spent, || read().map(|(result, _)| result)),
                Poll::Ready(result) => drop(result?),
            }
        }
    }

    /// As [`poll_io`](Self::poll_io), once and without waiting.
    ///
    /// Spends no budget: there is no task to put off.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if `direction` is not ready or `io` says so;
    /// otherwise what `io` returns, and as [`poll_ready`](Self::poll_ready).
    pub fn try_io<R>(
        &self,
        direction: Direction,
        mut io: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        let ready = match self.watch.look(direction) {
            Seen::Ready(ready) => ready,
            Seen::Stopped => return Err(error::stopped()),
            Seen::Waiting => return Err(io::ErrorKind::WouldBlock.into()),
        };
        loop {
            match io() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    self.watch.clear(ready);
                    return Err(e);
                }
                result => return result,
            }
        }
    }

    /// As [`poll_io`](Self::poll_io) in a place of its own, so that any number of tasks may do so
    /// at once.
    ///
    /// # Cancel safety
    /// As safe as `io`: it is called within polls only, and the place is given back on drop.
    pub fn attempt<R, F: FnMut() -> io::Result<R>>(
        &self,
        direction: Direction,
        op: Op,
        io: F,
    ) -> Attempt<'_, F> {
        Attempt { waiter: self.waiter(direction), op, io }
    }

    /// For polling with a place of one's own.
    pub fn waiter(&self, direction: Direction) -> Waiter<'_> {
        Waiter::new(self, direction)
    }

    /// Waits until reading is worth a try. Any number of tasks may do so at once.
    ///
    /// # Cancel safety
    /// Safe: nothing is consumed, and the place is given back on drop.
    pub fn readable(&self) -> Readiness<'_> {
        Readiness(self.waiter(Direction::Read))
    }

    /// Waits until writing is worth a try. Any number of tasks may do so at once.
    ///
    /// # Cancel safety
    /// Safe: nothing is consumed, and the place is given back on drop.
    pub fn writable(&self) -> Readiness<'_> {
        Readiness(self.waiter(Direction::Write))
    }

    /// Takes `source`, the one that was registered, out of the kernel's set and forgets it.
    ///
    /// # Errors
    /// What the kernel said; the source is forgotten here all the same.
    pub fn deregister(self, source: &mut impl mio::event::Source) -> io::Result<()> {
        self.withdraw(source)
    }

    pub(crate) fn withdraw(&self, source: &mut impl mio::event::Source) -> io::Result<()> {
        self.directory.withdraw(source)
    }

    pub(crate) fn poll_ready_in(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: Op,
        place: Place<'_>,
    ) -> Poll<io::Result<Ready>> {
        match self.watch.look(direction) {
            Seen::Ready(ready) => Poll::Ready(Ok(ready)),
            Seen::Stopped => Poll::Ready(Err(error::stopped())),
            Seen::Waiting => self.wait(cx, direction, op, place, None),
        }
    }

    /// The loop of [`poll_io`](Self::poll_io), waiting in `place`.
    pub(crate) fn poll_io_in<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: Op,
        mut place: Place<'_>,
        io: &mut impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let spent = ready!(budget::poll_spend(cx));
            let ready = match self.poll_ready_in(cx, direction, op, place.reborrow()) {
                Poll::Pending => return waits(spent, io),
                Poll::Ready(result) => result?,
            };
            let refused = match io() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => ready,
                result => return Poll::Ready(result),
            };
            match self.wait(cx, direction, op, place.reborrow(), Some(refused)) {
                Poll::Pending => return waits(spent, io),
                Poll::Ready(result) => drop(result?),
            }
        }
    }

    fn wait(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: Op,
        place: Place<'_>,
        stale: Option<Ready>,
    ) -> Poll<io::Result<Ready>> {
        if self.directory.is_forked() {
            return Poll::Ready(Err(error::forked()));
        }
        match self.watch.wait(direction, place, stale, cx.waker()) {
            Seen::Ready(ready) => Poll::Ready(Ok(ready)),
            Seen::Stopped => Poll::Ready(Err(error::stopped())),
            Seen::Waiting => {
                note::leave(op, self.id());
                Poll::Pending
            }
        }
    }

    pub(crate) fn leave(&self, direction: Direction, key: usize) {
        self.watch.leave(direction, key);
    }
}

/// What a read has left to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: whatever comes now makes an event.
    Nothing,
    /// Something, or the reader cannot tell.
    Perhaps,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.directory.remove(self.token);
    }
}

/// What waiting for readiness alone is called in a dump.
pub(crate) fn waiting_for(direction: Direction) -> Op {
    match direction {
        Direction::Read => Op::Readable,
        Direction::Write => Op::Writable,
    }
}

/// What a poll says whose waker is in place.
#[inline]
fn waits<R>(spent: Spent, io: impl FnMut() -> io::Result<R>) -> Poll<io::Result<R>> {
    if let Some(cause) = cancel::cause() {
        return Poll::Ready(give_up(cause, io));
    }
    spent.refund();
    Poll::Pending
}

/// The last try. The waker stays where it is, as one of a future that is dropped would: at worst the task
/// is woken once for nothing.
#[cold]
fn give_up<R>(cause: Cause, mut io: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    // It does not wait.
    let _op = note::take();
    loop {
        match io() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(cancel::io_error(cause)),
            result => return result,
        }
    }
}
