//! The poll itself: who turns it, how it is woken, how long it sleeps.
//!
//! Invariants:
//! 1. One thread at a time turns the reactor; nobody waits to become that thread.
//! 2. A turn wakes nobody: it collects wakers, and its caller wakes them when it has let go of
//!    everything, so that no task's code runs under the poll.
//! 3. A notice given before or during a turn ends that turn or the next. Notices given while one
//!    stands are one; the flag is taken down before the turn returns, so whoever saw it standing
//!    had written its work before the turner looks for work again.
//! 4. Signals end no turn: an interrupted poll is repeated with the time that is left.
//!
//! Left out: one reactor per shard. `Hold` is the seam: whoever owns a shard would hold its own.

use core::fmt;
use core::task::Waker;
use std::io;

use goro_context::contain::quietly;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicU64, Ordering};
use goro_shim::lock::{Guard, Lock};
use goro_shim::time::{Instant, now};

use crate::alarm::Alarm;
use crate::directory::Directory;
use crate::error;
use crate::interest::Directions;
use crate::registration::Registration;
use crate::token::Token;

/// How many events one turn takes from the kernel at most; the rest wait for the next.
const EVENTS: usize = 256;

/// How long a turn may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    No,
    /// Until an event or a notice comes.
    Forever,
    /// As [`Forever`](Wait::Forever), but no longer than to this moment.
    Until(Instant),
}

/// What a turn found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How many events were delivered to sources.
    pub events: usize,
    /// Whether [`Reactor::notify`] was called since the turn before.
    pub notified: bool,
    /// Whether the moment given as [`Wait::Until`] has passed.
    pub timer: bool,
}

/// Readiness from the kernel; see the crate.
pub struct Reactor {
    poller: Lock<Poller>,
    held: AtomicBool,
    turns: AtomicU64,
    notice: mio::Waker,
    noticed: AtomicBool,
    directory: Arc<Directory>,
}

struct Poller {
    poll: mio::Poll,
    events: mio::Events,
    alarm: Alarm,
}

/// The right to turn a [`Reactor`], until dropped.
///
/// Taking it and turning are two steps so that a worker can, between them, announce where it is
/// about to sleep and look for work once more.
pub struct Hold<'a> {
    reactor: &'a Reactor,
    poller: Guard<'a, Poller>,
}

impl Reactor {
    /// Opens a poll, a notice and, on Linux, a timer descriptor.
    ///
    /// # Errors
    /// What the kernel said when it refused one of them; nothing is left open then.
    pub fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let notice = mio::Waker::new(&registry, Token::NOTICE.into())?;
        let alarm = Alarm::new(&registry)?;
        let events = mio::Events::with_capacity(EVENTS);
        Ok(Self {
            poller: Lock::new(Poller { poll, events, alarm }),
            held: AtomicBool::new(false),
            turns: AtomicU64::new(0),
            notice,
            noticed: AtomicBool::new(false),
            directory: Arc::new(Directory::new(registry)),
        })
    }

    /// Takes the right to turn, unless another thread has it.
    #[inline]
    pub fn try_hold(&self) -> Option<Hold<'_>> {
        let poller = self.poller.try_lock()?;
        self.held.store(true, Ordering::Relaxed);
        Some(Hold { reactor: self, poller })
    }

    /// Takes the right to turn and turns once; `None` if another thread has the right.
    ///
    /// The caller wakes what was added to `wakers`.
    ///
    /// # Errors
    /// As [`Hold::turn`].
    pub fn try_turn(&self, wait: Wait, wakers: &mut Vec<Waker>) -> Option<io::Result<Turn>> {
        let mut hold = self.try_hold()?;
        Some(hold.turn(wait, wakers))
    }

    /// Whether some thread has the right to turn at this moment. A hint: it may change at once.
    pub fn is_turning(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// How many turns have ended, wrapping: two equal answers with nobody
    /// [turning](Self::is_turning) mean that nobody has looked for events between them.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Ends the turn that is under way, or else the next one.
    ///
    /// May be called from anywhere. While a notice stands that no turn has taken, a call costs one
    /// read-modify-write; otherwise a system call, repeated if a signal interrupts it. Should the
    /// kernel refuse it for another reason, the notice is lost and later ones try again.
    pub fn notify(&self) {
        // Ordering: AcqRel. Release hands what the caller wrote before to the turn that takes the
        // notice down, also if another caller put it up; Acquire keeps the chain of such callers.
        if self.noticed.swap(true, Ordering::AcqRel) || self.directory.is_forked() {
            return;
        }
        loop {
            match self.notice.wake() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(()) => return,
                Err(_) => {
                    // Ordering: Release pairs with the swaps above and in `Hold::turn`.
                    self.noticed.store(false, Ordering::Release);
                    return;
                }
            }
        }
    }

    /// Makes `source`'s readiness known here, for both directions, and assumes both ready until a
    /// system call says otherwise.
    ///
    /// The source must be non-blocking. [`Watched`](crate::Watched) keeps a source and its
    /// registration together.
    ///
    /// # Errors
    /// What the kernel said; or that the reactor was [closed](Self::close), or belongs to the
    /// process this one was forked from.
    pub fn register(&self, source: &mut impl mio::event::Source) -> io::Result<Registration> {
        let (token, watch) = self.directory.enter(source)?;
        Ok(Registration::new(token, watch, Arc::clone(&self.directory)))
    }

    /// How many sources are registered.
    pub fn sources(&self) -> usize {
        self.directory.len()
    }

    /// Ends readiness: whoever waits for a source is woken and told by an error that the runtime
    /// has stopped, and so is whoever waits later; no source can be registered any more.
    ///
    /// Closing twice is closing once. Turning a closed reactor is of no use but legal.
    pub fn close(&self) {
        let mut wakers = Vec::new();
        self.directory.stop(&mut wakers);
        wake_all(&mut wakers);
    }
}

impl Hold<'_> {
    /// Polls the kernel once, sleeping as `wait` says, and hands out what it reports.
    ///
    /// The caller wakes what was added to `wakers`, after dropping the hold and whatever else it
    /// has locked. A turn may end with nothing found.
    ///
    /// # Errors
    /// What the kernel said, except that a signal came; or that the reactor belongs to the process
    /// this one was forked from.
    pub fn turn(&mut self, wait: Wait, wakers: &mut Vec<Waker>) -> io::Result<Turn> {
        loop {
            if self.reactor.directory.is_forked() {
                return Err(error::forked());
            }
            let timeout = self.poller.alarm.prepare(wait);
            let Poller { poll, events, .. } = &mut *self.poller;
            let polled = poll.poll(events, timeout);
            // Only the holder counts.
            let turns = self.reactor.turns.load(Ordering::Relaxed).wrapping_add(1);
            self.reactor.turns.store(turns, Ordering::Relaxed);
            match polled {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(()) => {
                    if let Some(turn) = self.hand_out(wait, wakers) {
                        return Ok(turn);
                    }
                }
            }
        }
    }

    /// Delivers what the poll brought; `None` if it brought only the expiry of an earlier turn's
    /// deadline, or of nothing, so that the poll should go on.
    fn hand_out(&mut self, wait: Wait, wakers: &mut Vec<Waker>) -> Option<Turn> {
        let Poller { events, alarm, .. } = &mut *self.poller;
        let mut turn = Turn::default();
        let mut others = false;
        let sources = events.iter().filter_map(|event| match Token::from(event.token()) {
            Token::NOTICE => {
                turn.notified = true;
                None
            }
            Token::ALARM => {
                alarm.fired();
                None
            }
            token => {
                others = true;
                Some((token, Directions::of(event)))
            }
        });
        turn.events = self.reactor.directory.deliver(sources, wakers);
        if turn.notified {
            // Ordering: AcqRel pairs with the swap in `notify`: what was written before any call
            // that found the notice standing is seen by what follows this turn.
            self.reactor.noticed.swap(false, Ordering::AcqRel);
        }
        turn.timer = matches!(wait, Wait::Until(at) if now() >= at);
        let ends = turn.notified || turn.timer || others || wait == Wait::No;
        ends.then_some(turn)
    }
}

impl Drop for Reactor {
    /// Closes: sources that outlive their reactor are told.
    fn drop(&mut self) {
        self.close();
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.reactor.held.store(false, Ordering::Relaxed);
    }
}

/// Wakes and removes all of `wakers`; one that panics does not keep the rest from being woken.
pub fn wake_all(wakers: &mut Vec<Waker>) {
    for waker in wakers.drain(..) {
        // Panic: a waker is the task's code. Nothing is locked, and the others are still owed
        // their wake-up; the panic itself has reached the hook and nobody here can use it.
        quietly(|| waker.wake());
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("sources", &self.sources())
            .field("turns", &self.turns())
            .field("is_turning", &self.is_turning())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Hold<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("reactor", self.reactor).finish_non_exhaustive()
    }
}
