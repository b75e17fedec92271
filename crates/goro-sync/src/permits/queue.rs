//! The line of those who wait for permits, and its watch.
//!
//! Invariants: those of [`permits`](super), which [`Waiting::settle`] restores at the end of every
//! critical section; and
//! 1. `CALL` and `FIRST` are changed with the lock held, and by nobody else.
//! 2. While a turn is out and somebody stands in line, a watch is kept.

use core::task::{Context, Waker};
use std::task::Wake;

use goro_context::note;
use goro_context::time::{self, Deadline, Duration};
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::Arc;
use goro_shim::lock::{Guard, Lock};

use super::{CALL, CLOSED, FIRST, SHIFT};
use crate::names::Name;
use crate::wait::{Line, Waiter};

/// How long a turn may be out before it is overdue, up to twice this.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1);

/// Those who wait for permits; shared with the timer that watches it.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Lock<Waiting>,
    name: Option<Name>,
}

/// What stands behind the lock.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) line: Line<Wants>,
    /// The waiter that was given the last turn keeps newcomers back.
    reserved: bool,
    /// Turns given so far; it wraps.
    given: u32,
    watch: Watch,
}

/// What somebody in line waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wants {
    pub(super) count: usize,
    /// Newcomers are to keep behind it.
    pub(super) first: bool,
    /// There are other permits than those it waits for.
    pub(super) sharing: bool,
}

impl Waiter<Wants> {
    /// Tells it that it has a turn, with the lock given back.
    ///
    /// Where there are several permits, others with one are about to give theirs back and to take
    /// them again. One who tries before they have run loses to whoever woke it; when they have run,
    /// one loss stands for a round of theirs.
    #[inline]
    fn tell(self) {
        match self.extra {
            Wants { sharing: true, first: false, .. } => self.wake_behind(),
            _ => self.wake(),
        }
    }
}

#[derive(Debug)]
enum Watch {
    Nobody,
    /// About to be armed by a thread that has given the lock back.
    Begun,
    /// Its timer was faster than that thread.
    Missed,
    /// A timer is armed; it was the turn of this number then.
    Kept {
        #[expect(dead_code, reason = "kept to be dropped, which disarms it")]
        timer: Deadline,
        turn: u32,
    },
}

/// What is to be done once the lock is given back.
#[derive(Debug)]
#[must_use = "give it to Queue::act once the lock is given back"]
pub(super) struct Settled {
    turn: Option<Waiter<Wants>>,
    watch: bool,
    /// The permits were closed: whoever has just stood in line leaves it again.
    pub(super) closed: bool,
}

impl Waiting {
    /// Restores the invariants: gives a turn if one is due, and says in the word what whoever gives
    /// permits back, and whoever comes, needs to know.
    pub(super) fn settle(&mut self, word: &AtomicUsize) -> Settled {
        let turned = self.line.turned() > 0;
        let held_back = turned && self.reserved;
        let front = self.line.front_mut().map(|waiter| waiter.extra);
        let mut now = word.load(Ordering::Relaxed);
        let due = loop {
            if now & CLOSED != 0 {
                return Settled { turn: None, watch: false, closed: true };
            }
            let free = now >> SHIFT;
            let (due, call, first) = match front {
                None => (false, false, held_back),
                Some(Wants { count, first, .. }) => {
                    let fits = free >= count;
                    let adds_up = !fits && free > 0;
                    (fits && !turned, !fits && !turned, first || adds_up || held_back)
                }
            };
            let flags = if call { CALL } else { 0 } | if first { FIRST } else { 0 };
            let next = (now & !(CALL | FIRST)) | flags;
            if next == now {
                break due;
            }
            // Ordering: Release pairs with the Acquire in `close`. For the rest the lock orders what
            // stands behind it, and the word is one: who gives back sees CALL, or was seen here.
            match word.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break due,
                Err(seen) => now = seen,
            }
        };
        let turn = if due { self.give_turn() } else { None };
        Settled { turn, watch: self.begin_watch(), closed: false }
    }

    fn give_turn(&mut self) -> Option<Waiter<Wants>> {
        let waiter = self.line.turn()?;
        self.reserved = waiter.extra.first;
        self.given = self.given.wrapping_add(1);
        Some(waiter)
    }

    /// Gives up on a turn that is out, and gives the next in line one. `FIRST` stays as it is until
    /// that one comes.
    fn give_another_turn(&mut self) -> Option<Waiter<Wants>> {
        if self.line.turned() == 0 {
            return None;
        }
        self.line.settle(0);
        self.give_turn()
    }

    /// Whether a watch is needed and not kept.
    fn begin_watch(&mut self) -> bool {
        let needed = self.line.turned() > 0 && self.line.waiting() > 0;
        let begins = needed && matches!(self.watch, Watch::Nobody);
        if begins {
            self.watch = Watch::Begun;
        }
        begins
    }
}

impl Queue {
    pub(super) fn unnamed() -> Self {
        Self::with(None)
    }

    pub(super) fn named(name: Name) -> Self {
        Self::with(Some(name))
    }

    fn with(name: Option<Name>) -> Self {
        let (line, watch) = (Line::new(), Watch::Nobody);
        Self { waiting: Lock::new(Waiting { line, reserved: false, given: 0, watch }), name }
    }

    #[inline]
    pub(super) fn waiting(&self) -> Guard<'_, Waiting> {
        self.waiting.lock()
    }

    pub(super) fn number(&self) -> u64 {
        self.name.as_ref().map_or(0, Name::number)
    }

    /// Does what was found to be done, with the lock given back.
    #[inline]
    pub(super) fn act(self: &Arc<Self>, settled: Settled) {
        if settled.watch {
            self.keep_watch();
        }
        if let Some(waiter) = settled.turn {
            waiter.tell();
        }
    }

    /// Arms the watch that was begun.
    #[cold]
    fn keep_watch(self: &Arc<Self>) {
        if cfg!(loom) {
            // A model has no clock: it looks by itself.
            return;
        }
        loop {
            let mut timer = Deadline::at(time::after(PATIENCE));
            let waker = Waker::from(Arc::clone(self));
            let before = note::take();
            let polled = timer.try_poll(&mut Context::from_waker(&waker));
            note::replace(before);
            let mut waiting = self.waiting();
            let turn = waiting.given;
            let fired = matches!(waiting.watch, Watch::Missed);
            // Where no timer can be had, whoever settles next tries again.
            waiting.watch = Watch::Nobody;
            if polled.is_pending() && !fired {
                waiting.watch = Watch::Kept { timer, turn };
                return;
            }
            let again = fired && waiting.begin_watch();
            drop(waiting);
            drop(timer);
            if !again {
                return;
            }
        }
    }

    /// Ends the watch: the permits are gone.
    pub(super) fn end_watch(&self) {
        let watch = core::mem::replace(&mut self.waiting().watch, Watch::Nobody);
        // Disarms its timer, with the lock given back.
        drop(watch);
    }

    /// Looks, a while after the last time: a turn that was out then and still is, is overdue.
    fn look(self: &Arc<Self>) {
        let (settled, watch);
        {
            let mut waiting = self.waiting();
            if matches!(waiting.watch, Watch::Begun) {
                waiting.watch = Watch::Missed;
                return;
            }
            watch = core::mem::replace(&mut waiting.watch, Watch::Nobody);
            let same = matches!(watch, Watch::Kept { turn, .. } if turn == waiting.given);
            let turn = if same { waiting.give_another_turn() } else { None };
            settled = Settled { turn, watch: waiting.begin_watch(), closed: false };
        }
        drop(watch);
        self.act(settled);
    }

    /// What [`look`](Self::look) does about a turn that is overdue.
    #[cfg(test)]
    pub(super) fn overdue(self: &Arc<Self>) {
        let turn = self.waiting().give_another_turn();
        self.act(Settled { turn, watch: false, closed: false });
    }
}

impl Wake for Queue {
    fn wake(self: Arc<Self>) {
        self.look();
    }
}
