//! Permits: the protocol under every lock of this crate.
//!
//! A mutex is one permit, a semaphore any number of them, and an [`RwLock`](crate::RwLock) so many
//! that each reader takes one and a writer takes all. Taking and giving back cost one
//! read-modify-write each, while nobody waits. Those who wait stand in a line behind a short lock,
//! which is made when somebody waits for the first time: a lock that nobody ever waited for has no
//! memory of its own.
//!
//! # The word
//!
//! | bits | what | changed by |
//! |---|---|---|
//! | 0 `CALL` | somebody in line is to be told of the next permit given back | the line's lock |
//! | 1 `FIRST` | newcomers go behind the line, even if there are permits | the line's lock |
//! | 2 `CLOSED` | nobody gets anything any more | [`Permits::close`], once |
//! | 3.. | permits that are free | everybody |
//!
//! # How a permit goes from one to the next
//!
//! ```text
//!  give back ── CALL unset ──▶ done, in one addition
//!      │
//!      └─ CALL set ──▶ settle: one waiter is given a turn, CALL goes ──▶ wake it, without the lock
//!                                      │
//!        newcomers take permits        ▼ its poll
//!        meanwhile (barging)   enough are free: takes them, settles for the next in line
//!                              too few: it has lost; back to the front of the line, CALL again
//!                              dropped instead: settles for the next in line
//! ```
//!
//! Invariants, each at the end of a critical section of the line's lock ([`queue`]):
//! 1. If somebody stands in line and no turn is out, `CALL` is set, and was set at a moment when
//!    there were too few permits for the first in line: so whoever gives permits back sees it.
//! 2. At most one turn is out, but for those that have been overdue (see below). A waiter that has
//!    a turn and takes its permits gives the next turn, if there are permits left.
//! 3. Permits belong to the word until a poll takes them: a turn is no ownership. A future that is
//!    dropped has nothing to give back but its turn.
//!
//! # Who may pass whom
//!
//! A newcomer takes what is free, in front of all who wait: a task that gives back and takes again
//! in one poll then costs no switch at all, and handing over would cost one each time. The price is
//! bounded. `FIRST` holds newcomers back
//! - when the first in line has lost [`MOST_LOSSES`](acquire::MOST_LOSSES) times, or is still losing
//!   [1 ms](acquire::LONGEST) after its first loss;
//! - when there are permits but too few for the first in line, so that they add up (a writer among
//!   readers, a big request among small ones);
//! - always, in a line that is [fair](acquire::Manner).
//!
//! # A waiter that is not polled
//!
//! A turn, with or without `FIRST`, means nothing if its future is kept but not polled (a branch of
//! a `select` whose handler runs; a future in a struct): everybody behind would wait for ever. So
//! while a turn is out and others stand behind it, the line is watched: a turn that is still out
//! [a millisecond](queue::PATIENCE) later is overdue. The next in line is then given one, and the
//! overdue waiter is on its own: whenever it is polled it may try, and stand at the front again.
//! The watch is one timer per contended lock, not per wait, and none where nobody waits.
//!
//! # Who runs when
//!
//! A waiter with a turn is woken behind what is ready if others have permits of the same lock: see
//! [`Wants`](queue::Wants). One that is first comes next, as everybody is kept waiting for it.
//!
//! Left out: handing the permit to the waiter (it makes a convoy: each critical section waits for a
//! switch; and a waiter that is not polled keeps the lock for ever), and a lock-free line (the line's
//! lock is held for some ten instructions).

use core::fmt;

use goro_context::cause::Text;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::{Arc, OnceLock};

use crate::names::Name;

pub(crate) mod acquire;
pub(crate) mod queue;

pub(crate) use acquire::{Acquire, Barging, Closed, Fair, Held, Manner, Sharing};
use queue::Queue;

const CALL: usize = 1;
const FIRST: usize = 2;
const CLOSED: usize = 4;
const SHIFT: u32 = 3;

/// The most permits there can be, free and taken together.
pub(crate) const MOST: usize = usize::MAX >> (SHIFT + 1);

/// For how long to leave the word to a core that was faster: at first, and in the end. Some 0.2 and
/// 0.7 us.
const FEWEST_PAUSES: u32 = 4;
const MOST_PAUSES: u32 = 16;

/// Permits, and those who wait for some.
pub(crate) struct Permits {
    word: AtomicUsize,
    queue: OnceLock<Arc<Queue>>,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too few are free, or others are first.
    TooFew,
    Closed,
}

/// How much of the line somebody respects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    /// Goes behind the line if that is first.
    Newcomer,
    /// Has been given a turn.
    Turned,
}

impl Permits {
    constant! {
        /// So many permits, at most [`MOST`], all of them free.
        pub(crate) fn new(free: usize) -> Self {
            Self { word: AtomicUsize::new(free << SHIFT), queue: OnceLock::new() }
        }
    }

    /// The same, with a name for those who look at who waits.
    pub(crate) fn named(free: usize, name: impl Into<Text>) -> Self {
        let permits = Self::new(free);
        permits.queue.get_or_init(|| Arc::new(Queue::named(Name::new(name))));
        permits
    }

    /// How many are free.
    pub(crate) fn free(&self) -> usize {
        self.word.load(Ordering::Relaxed) >> SHIFT
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Takes `count`, if they are free and nobody is first.
    #[inline]
    pub(crate) fn try_take<const QUORUM: usize>(
        &self,
        count: usize,
    ) -> Result<Held<'_, QUORUM>, Refusal> {
        self.take(count, Rank::Newcomer)?;
        Ok(Held::new(self, count))
    }

    /// Takes the only permit there is: if it is free, without looking first.
    #[inline]
    pub(crate) fn try_take_only<const QUORUM: usize>(&self) -> Result<Held<'_, QUORUM>, Refusal> {
        const FREE: usize = 1 << SHIFT;
        // Ordering: Acquire pairs with the Release of whoever gave the permit back.
        match self.word.compare_exchange(FREE, 0, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(Held::new(self, 1)),
            Err(_) => self.try_take(1),
        }
    }

    #[inline]
    fn take(&self, count: usize, rank: Rank) -> Result<(), Refusal> {
        let mut now = self.word.load(Ordering::Relaxed);
        let mut pauses = FEWEST_PAUSES;
        loop {
            if now & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            let behind = now & FIRST != 0 && rank == Rank::Newcomer;
            if behind || now >> SHIFT < count {
                return Err(Refusal::TooFew);
            }
            let next = now - (count << SHIFT);
            // Ordering: Acquire pairs with the Release of whoever gave the permits back.
            match self.word.compare_exchange_weak(now, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(_) => now = self.look_again(&mut pauses),
            }
        }
    }

    /// The word, after a pause: another core is at it. Two that never pause fetch it from each other
    /// at every step; one that does leaves the other many steps for the price of one.
    #[cold]
    fn look_again(&self, pauses: &mut u32) -> usize {
        for _ in 0..*pauses {
            core::hint::spin_loop();
        }
        *pauses = MOST_PAUSES.min(*pauses * 2);
        self.word.load(Ordering::Relaxed)
    }

    /// Takes away what is free, up to `most`, in front of everybody; says how many it were.
    pub(crate) fn take_at_most(&self, most: usize) -> usize {
        let mut now = self.word.load(Ordering::Relaxed);
        loop {
            let count = most.min(now >> SHIFT);
            let next = now - (count << SHIFT);
            // Ordering: Acquire pairs with the Release of whoever gave the permits back.
            match self.word.compare_exchange_weak(now, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return count,
                Err(seen) => now = seen,
            }
        }
    }

    /// Gives `count` back. Nobody is told if fewer than `quorum` are free then: for permits of which
    /// those who wait need so many.
    #[inline]
    pub(crate) fn give(&self, count: usize, quorum: usize) {
        // Ordering: Release pairs with the Acquire of whoever takes them next.
        let before = self.word.fetch_add(count << SHIFT, Ordering::Release);
        if before & CALL != 0 && (before >> SHIFT) + count >= quorum {
            self.call();
        }
    }

    #[cold]
    fn call(&self) {
        let queue = self.queue();
        let settled = queue.waiting().settle(&self.word);
        queue.act(settled);
    }

    /// Ends it: everybody in line is told, nobody gets anything any more. False if it was over.
    pub(crate) fn close(&self) -> bool {
        // Ordering: Release, so that who finds it closed sees what was written before; Acquire pairs
        // with the Release in `settle`, so that a line which was ever called for is seen here.
        let before = self.word.fetch_or(CLOSED, Ordering::AcqRel);
        if before & CLOSED != 0 {
            return false;
        }
        if let Some(queue) = self.queue.get() {
            let all = queue.waiting().line.turn_all();
            all.for_each(crate::wait::Waiter::wake);
        }
        true
    }

    /// The line; made here if nobody has waited before.
    fn queue(&self) -> &Arc<Queue> {
        self.queue.get_or_init(|| Arc::new(Queue::unnamed()))
    }

    /// The number under which its name is listed; 0 without one.
    fn number(&self) -> u64 {
        self.queue.get().map_or(0, |queue| queue.number())
    }

    /// How many stand in line, and how many have a turn.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> [usize; 2] {
        self.queue.get().map_or([0, 0], |queue| {
            let waiting = queue.waiting();
            [waiting.line.waiting(), waiting.line.turned()]
        })
    }

    /// As the watch does when it finds the same turn out for the second time.
    #[cfg(test)]
    pub(crate) fn overdue(&self) {
        if let Some(queue) = self.queue.get() {
            queue.overdue();
        }
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            queue.end_watch();
        }
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").field("free", &self.free()).finish_non_exhaustive()
    }
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
