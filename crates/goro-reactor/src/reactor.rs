//! The poll itself: who turns it, how it is woken, how long it sleeps.
//!
//! Invariants:
//! 1. One thread at a time turns the reactor; nobody waits to become that thread.
//! 2. A turn wakes nobody: it collects wakers, and its caller wakes them when it has let go of
//!    everything, so that no task's code runs under the poll.
//! 3. A notice given before or during a turn ends that turn or the next. Notices given while one
//!    stands are one; it is taken down before the turn returns, so whoever saw it standing had
//!    written its work before the turner looks for work again.
//! 4. Signals end no turn: an interrupted poll is repeated with the time that is left.
//! 5. With no source registered the kernel is not asked; a turn that waits does so on its thread
//!    (`notice`).
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
use crate::notice::{Bed, Notice};
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

impl Wait {
    fn end(self) -> Option<Instant> {
        if let Self::Until(at) = self { Some(at) } else { None }
    }

    /// Whether its moment has passed.
    fn is_over(self) -> bool {
        self.end().is_some_and(|at| now() >= at)
    }
}

/// What a turn found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How many events were delivered to sources.
    pub events: usize,
    /// Whether a notice ended it: [`Reactor::notify`] was called since the turn before, or a first
    /// source registered.
    pub notified: bool,
    /// Whether the moment given as [`Wait::Until`] has passed.
    pub timer: bool,
}

/// Readiness from the kernel; see the crate.
pub struct Reactor {
    poller: Lock<Poller>,
    held: AtomicBool,
    turns: AtomicU64,
    notice: Notice,
    /// Interrupts the poll.
    bell: mio::Waker,
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
        let bell = mio::Waker::new(&registry, Token::NOTICE.into())?;
        let alarm = Alarm::new(&registry)?;
        let events = mio::Events::with_capacity(EVENTS);
        Ok(Self {
            poller: Lock::new(Poller { poll, events, alarm }),
            held: AtomicBool::new(false),
            turns: AtomicU64::new(0),
            notice: Notice::new(),
            bell,
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
    /// May be called from anywhere. Costs one read-modify-write, and a system call if somebody sleeps
    /// in a turn, repeated if a signal interrupts it. Should the kernel refuse it for another reason,
    /// the notice is lost and later ones try again.
    pub fn notify(&self) {
        if self.directory.is_forked() || !self.notice.give() {
            return;
        }
        loop {
            match self.bell.wake() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(()) => return,
                Err(_) => return self.notice.parker().take_back(),
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
        if self.notice.is_to_be_called() {
            self.notify();
        }
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
        let Reactor { directory, notice, .. } = self.reactor;
        if directory.is_forked() {
            return Err(error::forked());
        }
        let parker = notice.parker();
        if wait == Wait::No {
            let turn = self.poll(wait, wakers)?;
            let notified = parker.is_given() && parker.take();
            return Ok(Turn { notified: turn.notified || notified, ..turn });
        }
        match notice.lie_down(|| directory.is_empty()) {
            Bed::None => {
                let turn = self.poll(Wait::No, wakers)?;
                Ok(Turn { notified: true, timer: wait.is_over(), ..turn })
            }
            Bed::Poll => {
                let turn = self.poll(wait, wakers);
                let notified = parker.take();
                turn.map(|turn| Turn { notified: turn.notified || notified, ..turn })
            }
            Bed::Thread => {
                let notified = parker.sleep_on(wait.end());
                self.count();
                Ok(Turn { events: 0, notified, timer: wait.is_over() })
            }
        }
    }

    /// Asks the kernel, until there is something to tell or `wait` says.
    fn poll(&mut self, wait: Wait, wakers: &mut Vec<Waker>) -> io::Result<Turn> {
        if wait == Wait::No && self.reactor.directory.is_empty() {
            self.count();
            return Ok(Turn::default());
        }
        loop {
            let timeout = self.poller.alarm.prepare(wait);
            let Poller { poll, events, .. } = &mut *self.poller;
            let polled = poll.poll(events, timeout);
            self.count();
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

    /// One more turn: whoever holds the reactor is the only one to count.
    fn count(&self) {
        let turns = self.reactor.turns.load(Ordering::Relaxed);
        self.reactor.turns.store(turns.wrapping_add(1), Ordering::Relaxed);
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
        turn.timer = wait.is_over();
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
