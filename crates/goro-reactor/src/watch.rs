//! One source's readiness and who waits for it.
//!
//! ```text
//!  63             32 31      6   5     4      3       2       1     0
//! +-----------------+----------+-----+------+------+---------+-----+-----+
//! |      tick       |          | end | seat | seat | stopped |write|read |
//! +-----------------+----------+-----+------+------+---------+-----+-----+
//! ```
//!
//! `tick` counts the events this source has had, and wraps; `seat` says that a poll-style waker is
//! in place, so that a task knows before locking whether it will need a clone of its own.
//!
//! Invariants:
//! 1. The word is written under the lock of `lanes` only; it is read anywhere.
//! 2. No lost wake-up: an event sets its bits and then takes the wakers in one critical section, a
//!    waiter finds its bit unset and then leaves its waker in one; whichever comes second sees the
//!    other.
//! 3. A bit is cleared only if the tick is the one under which it was seen: an event that came
//!    between a would-block and the clearing stays.
//!    A read that has left nothing is as good as a would-block under the tick under which it was made
//!    (`drained`), but for an end: `end` stays set from the event on that told of one, since what a
//!    kernel counts as left need not include it.
//! 4. No waker is cloned, woken or dropped under the lock.
//! 5. A poll-style waker that another task's replaces is kept until the next event, up to
//!    [`DISPLACED`] of them; beyond that the oldest is woken, which makes its task come back. So
//!    two tasks that poll one direction both learn of it.
//!
//! Left out: one wake-up per event. All who wait in a direction are woken, since one readiness may
//! be worth many reads and nobody but the readers knows when it is used up.

use core::task::Waker;

use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::lock::Lock;
use slab::Slab;

use crate::interest::{Direction, Directions};

/// How many replaced poll-style wakers one direction keeps.
const DISPLACED: usize = 8;
/// A slab of parked waiters that has emptied is given back if it has room for more than this.
const KEPT_PLACES: usize = 32;

/// No tick: those have 32 bits.
const NO_TICK: u64 = u64::MAX;

const STOPPED: u64 = 1 << 2;
const SEATS: u32 = 3;
const TICKS: u32 = 32;
const LOW: u64 = (1 << TICKS) - 1;

/// The first tick: near the wrap in debug builds, so that tests cross it.
const FIRST_TICK: u64 = if cfg!(debug_assertions) { u32::MAX as u64 - 1 } else { 0 };

/// A direction seen ready; what [`clear`](crate::Registration::clear) needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    pub(crate) direction: Direction,
    pub(crate) tick: u32,
}

impl Ready {
    /// The direction that is ready.
    pub fn direction(self) -> Direction {
        self.direction
    }
}

/// What a look at the word found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Ready(Ready),
    /// No event will ever come again.
    Stopped,
    /// Not ready; where waiting was asked for, the waker is in its place.
    Waiting,
}

/// Where a waker waits.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// The direction's one fast place, for poll-style operations.
    Seat,
    /// A place of a future's own; the future keeps the key and gives the place back.
    Own(&'a mut Option<usize>),
}

impl Place<'_> {
    pub(crate) fn reborrow(&mut self) -> Place<'_> {
        match self {
            Self::Seat => Place::Seat,
            Self::Own(key) => Place::Own(key),
        }
    }
}

/// Who waits in one direction.
#[derive(Debug, Default)]
struct Lane {
    seat: Option<Waker>,
    displaced: Vec<Waker>,
    own: Slab<Option<Waker>>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Watch {
    word: AtomicU64,
    /// The tick under which a read has taken all there was, or [`NO_TICK`].
    drained: AtomicU64,
    lanes: Lock<[Lane; 2]>,
}

/// What became of a waker that was to be put in place.
enum Put {
    /// It, or one that wakes the same task, waits there.
    Done,
    /// A clone is needed first.
    Clone,
    /// It waits there, and this one must now be dropped.
    Replaced(Waker),
    /// It waits there, and this one, which found no room, must now be woken.
    Crowded(Waker),
}

impl Lane {
    /// Puts `fresh` in the fast place, or finds that `waker`'s task already waits there.
    fn sit(&mut self, waker: &Waker, fresh: &mut Option<Waker>) -> Put {
        if self.seat.as_ref().is_some_and(|seated| seated.will_wake(waker)) {
            return Put::Done;
        }
        let Some(clone) = fresh.take() else { return Put::Clone };
        let Some(old) = self.seat.replace(clone) else { return Put::Done };
        // The task that just sat down may be among the displaced, after taking turns with another;
        // so the one in the seat never is.
        let again = self.displaced.iter().position(|other| other.will_wake(waker));
        match again {
            Some(index) => Put::Replaced(core::mem::replace(&mut self.displaced[index], old)),
            None if self.displaced.len() < DISPLACED => {
                self.displaced.push(old);
                Put::Done
            }
            None => {
                let oldest = self.displaced.remove(0);
                self.displaced.push(old);
                Put::Crowded(oldest)
            }
        }
    }

    /// Puts `fresh` in the place `key` names, taking one first if there is none yet.
    fn park(&mut self, key: &mut Option<usize>, waker: &Waker, fresh: &mut Option<Waker>) -> Put {
        let Some(at) = *key else {
            let Some(clone) = fresh.take() else { return Put::Clone };
            *key = Some(self.own.insert(Some(clone)));
            return Put::Done;
        };
        let place = &mut self.own[at];
        if place.as_ref().is_some_and(|parked| parked.will_wake(waker)) {
            return Put::Done;
        }
        let Some(clone) = fresh.take() else { return Put::Clone };
        place.replace(clone).map_or(Put::Done, Put::Replaced)
    }

    fn take_all(&mut self, into: &mut Vec<Waker>) {
        if let Some(seated) = self.seat.take() {
            into.push(seated);
        }
        if !self.displaced.is_empty() {
            into.append(&mut self.displaced);
        }
        if !self.own.is_empty() {
            into.extend(self.own.iter_mut().filter_map(|(_, place)| place.take()));
        }
    }
}

impl Watch {
    /// Assumes both directions ready until a system call says otherwise.
    pub(crate) fn new() -> Self {
        let word = FIRST_TICK << TICKS | Directions::BOTH.bits();
        let lanes = Lock::new([Lane::default(), Lane::default()]);
        Self { word: AtomicU64::new(word), drained: AtomicU64::new(NO_TICK), lanes }
    }

    /// A read under `ready` has succeeded; `all` says that it has left nothing to be read.
    #[inline]
    pub(crate) fn has_read(&self, ready: Ready, all: bool) {
        self.drained.store(if all { u64::from(ready.tick) } else { NO_TICK }, Ordering::Relaxed);
    }

    /// Whether the last read has taken all there was, and no event has come since. Not if one has
    /// told of an end, which a read has yet to hear of from the kernel.
    #[inline]
    pub(crate) fn is_drained(&self, ready: Ready) -> bool {
        self.drained.load(Ordering::Relaxed) == u64::from(ready.tick)
            && self.word.load(Ordering::Relaxed) & Directions::END.bits() == 0
    }

    /// Looks without waiting.
    #[inline]
    pub(crate) fn look(&self, direction: Direction) -> Seen {
        // Ordering: Acquire pairs with the Release stores under the lock, for callers that go on
        // to read what the thread that turned the reactor wrote before it.
        Self::read(self.word.load(Ordering::Acquire), direction)
    }

    fn read(word: u64, direction: Direction) -> Seen {
        if word & Directions::from(direction).bits() != 0 {
            Seen::Ready(Ready { direction, tick: (word >> TICKS) as u32 })
        } else if word & STOPPED != 0 {
            Seen::Stopped
        } else {
            Seen::Waiting
        }
    }

    /// An event: readies `directions` and moves the wakers of all who wait for them to `into`.
    pub(crate) fn raise(&self, directions: Directions, into: &mut Vec<Waker>) {
        let mut lanes = self.lanes.lock();
        let word = self.word.load(Ordering::Relaxed);
        let tick = ((word >> TICKS) as u32).wrapping_add(1);
        let low = word & LOW | directions.bits();
        self.publish(u64::from(tick) << TICKS | low, &mut lanes, directions, into);
    }

    /// The end: whoever waits, or comes later and finds nothing ready, is told so.
    pub(crate) fn stop(&self, into: &mut Vec<Waker>) {
        let mut lanes = self.lanes.lock();
        let word = self.word.load(Ordering::Relaxed) | STOPPED;
        self.publish(word, &mut lanes, Directions::BOTH, into);
    }

    fn publish(
        &self,
        mut word: u64,
        lanes: &mut [Lane; 2],
        directions: Directions,
        into: &mut Vec<Waker>,
    ) {
        for direction in [Direction::Read, Direction::Write] {
            if directions.has(direction) {
                lanes[direction as usize].take_all(into);
                word &= !seat_bit(direction);
            }
        }
        // Ordering: Release pairs with the Acquire in `look`.
        self.word.store(word, Ordering::Release);
    }

    /// A system call found `ready` untrue: unsets it, unless an event has come since.
    pub(crate) fn clear(&self, ready: Ready) {
        let _lanes = self.lanes.lock();
        self.clear_locked(ready);
    }

    fn clear_locked(&self, ready: Ready) {
        let word = self.word.load(Ordering::Relaxed);
        if (word >> TICKS) as u32 == ready.tick {
            let word = word & !Directions::from(ready.direction).bits();
            // Ordering: Release pairs with the Acquire in `look`.
            self.word.store(word, Ordering::Release);
        }
    }

    /// Clears `stale` if given, and unless `direction` is then ready leaves `waker` in `place`.
    ///
    /// On `Ready` and `Stopped` nothing was left, and an own place may still be held.
    pub(crate) fn wait(
        &self,
        direction: Direction,
        mut place: Place<'_>,
        mut stale: Option<Ready>,
        waker: &Waker,
    ) -> Seen {
        let in_place = match &place {
            Place::Seat => self.word.load(Ordering::Relaxed) & seat_bit(direction) != 0,
            Place::Own(key) => key.is_some(),
        };
        // Panic: a clone that panics leaves nothing behind, here and below.
        let mut fresh = if in_place { None } else { Some(waker.clone()) };
        loop {
            let (seen, put) = self.try_wait(direction, &mut place, stale.take(), waker, &mut fresh);
            // Panic: the lock is released and the waker is in its place; a waker that panics when
            // dropped or woken ends this poll with everything else in order.
            match put {
                Put::Clone => fresh = Some(waker.clone()),
                Put::Crowded(other) => {
                    other.wake();
                    return seen;
                }
                Put::Replaced(old) => {
                    drop(old);
                    return seen;
                }
                Put::Done => return seen,
            }
        }
    }

    fn try_wait(
        &self,
        direction: Direction,
        place: &mut Place<'_>,
        stale: Option<Ready>,
        waker: &Waker,
        fresh: &mut Option<Waker>,
    ) -> (Seen, Put) {
        let mut lanes = self.lanes.lock();
        if let Some(ready) = stale {
            self.clear_locked(ready);
        }
        let word = self.word.load(Ordering::Relaxed);
        let seen = Self::read(word, direction);
        if seen != Seen::Waiting {
            return (seen, Put::Done);
        }
        let lane = &mut lanes[direction as usize];
        let put = match place {
            Place::Seat => lane.sit(waker, fresh),
            Place::Own(key) => lane.park(key, waker, fresh),
        };
        if lane.seat.is_some() && word & seat_bit(direction) == 0 {
            // Ordering: Release keeps every store to the word one that `look` may acquire from.
            self.word.store(word | seat_bit(direction), Ordering::Release);
        }
        (seen, put)
    }

    /// Gives an own place back.
    pub(crate) fn leave(&self, direction: Direction, key: usize) {
        let (waker, emptied) = {
            let mut lanes = self.lanes.lock();
            let lane = &mut lanes[direction as usize];
            let waker = lane.own.try_remove(key).flatten();
            let spare = lane.own.is_empty() && lane.own.capacity() > KEPT_PLACES;
            (waker, spare.then(|| core::mem::take(&mut lane.own)))
        };
        // Panic: the place is free already; a waker that panics when dropped changes nothing.
        drop(waker);
        drop(emptied);
    }

    /// How many wakers wait.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn waiting(&self) -> usize {
        let lanes = self.lanes.lock();
        lanes
            .iter()
            .map(|lane| {
                let parked = lane.own.iter().filter(|(_, place)| place.is_some()).count();
                usize::from(lane.seat.is_some()) + lane.displaced.len() + parked
            })
            .sum()
    }
}

const fn seat_bit(direction: Direction) -> u64 {
    1 << (SEATS + direction as u32)
}

#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(all(test, loom))]
mod model;
