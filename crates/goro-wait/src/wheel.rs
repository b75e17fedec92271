//! Sleepers by deadline: a hierarchical timer wheel.
//!
//! Time is nanoseconds since a moment of the owner's choice, cut into ticks of 2^10 ns (1.02 us). A
//! deadline is rounded up to a tick, the clock down, so nobody is let go early, and at most one tick
//! late by rounding.
//!
//! Invariants:
//! 1. The cursor is a tick that the clock has reached. It only grows.
//! 2. Each sleeper is in the list where [`lists`] places its tick seen from the cursor, except
//!    those of the one list that is being emptied (`emptying`), whose bit is clear.
//! 3. One call touches a bounded number of sleepers: `advance` at most its `max`, so that a lock
//!    around the wheel is held briefly, however many sleepers wait in one list.
//! 4. What a list of the lowest two levels holds is let go without a move to a finer one, as far as it
//!    is due: in no order, but within 65 us of each other.
//! 5. Waiting costs no wake-ups: each list knows its earliest tick, so `next_deadline` names the
//!    true one, not the moment at which a list would have to be spread over the lower levels.
//!    Exception: if the earliest of a list was cancelled and more than 8 others are in it, the
//!    cancelled one's tick stands. Waking for nothing then, the owner calls `advance`, which moves
//!    that list at least one level down: it happens at most 9 times in the life of any sleeper.
//!
//! Left out: a lock, a clock, and moving a sleeper to another deadline (cancel and insert cost
//! the same). Order among sleepers within 65 us is deterministic but not promised. Lists kept as rows
//! of sleepers, not as links through them: a crowd's moves cost the same, a lone timer's row 25 ns.

#[cfg(test)]
mod cases;
mod chunks;
mod lists;
#[cfg(any(test, fuzzing))]
pub(crate) mod model;
#[cfg(test)]
mod tests;

use core::fmt;

use crate::key::Key;
use chunks::{Chunks, NONE};
use lists::{DUE, Lists, NOWHERE};

const TICK_BITS: u32 = 10;

/// The wheel's resolution in nanoseconds: deadlines are rounded up to a multiple of it.
pub const TICK_NANOS: u64 = 1 << TICK_BITS;

/// Sleepers by deadline; `T` is what is given back when the deadline has come, a waker say.
///
/// Times are nanoseconds since any moment that the owner sticks to. A deadline in the last microsecond
/// of the 584 years that 64 bits hold, `u64::MAX` above all, never comes.
///
/// An entry costs 24 bytes and the value (40 with a `Waker`), a wheel 13.9 KiB. Memory comes in
/// chunks of 256 entries and goes back to the allocator when the last sleeper of a chunk goes; one
/// vacant chunk is kept.
///
/// ```
/// # use goro_wait::Wheel;
/// let mut wheel = Wheel::new();
/// let late = wheel.insert(2_000_000, "late");
/// wheel.insert(1_000_000, "early");
///
/// let mut woken = Vec::new();
/// assert!(!wheel.advance(999_999, 64, &mut woken));
/// assert!(woken.is_empty());
///
/// let at = wheel.next_deadline().unwrap();
/// assert!((1_000_000..1_016_384).contains(&at));
/// assert!(!wheel.advance(at, 64, &mut woken));
/// assert_eq!(woken, ["early"]);
///
/// assert_eq!(wheel.cancel(late), Some("late"));
/// assert_eq!(wheel.cancel(late), None);
/// assert_eq!(wheel.next_deadline(), None);
/// ```
pub struct Wheel<T> {
    cursor: u64,
    /// The list whose sleepers are being let go or moved down, or [`NOWHERE`].
    emptying: u16,
    lists: Lists,
    chunks: Chunks<T>,
}

impl<T> Wheel<T> {
    /// An empty wheel at time 0.
    pub fn new() -> Self {
        Self::starting_at(0)
    }

    /// An empty wheel whose clock has reached `now_nanos`.
    pub fn starting_at(now_nanos: u64) -> Self {
        Self {
            cursor: now_nanos >> TICK_BITS,
            emptying: NOWHERE,
            lists: Lists::new(),
            chunks: Chunks::new(),
        }
    }

    /// Lays `value` to sleep until `at_nanos`. A deadline that is past comes at the next
    /// [`advance`](Wheel::advance).
    ///
    /// # Panics
    /// With 2^32 - 256 sleepers in the wheel (160 GiB of them).
    #[inline]
    pub fn insert(&mut self, at_nanos: u64, value: T) -> Key {
        let tick = tick_of_deadline(at_nanos);
        let key = self.chunks.insert(tick, value);
        self.link(key.index, tick);
        key
    }

    /// The value of a sleeper, to be changed in place; `None` if it is gone.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.chunks.value_mut(key)
    }

    /// Takes a sleeper out before its deadline; `None` if it is gone already.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        if !self.chunks.contains(key) {
            return None;
        }
        let (list, tick) = self.unlink(key.index);
        if !self.lists.get(list).is_empty() && self.lists.at(list).cancelled(tick) {
            self.look_for_earliest(list);
        }
        Some(self.chunks.remove(key.index))
    }

    /// Takes out those whose deadline has come by `now_nanos`, and puts their values at the end of
    /// `out`: of two deadlines more than 65.5 us apart, the earlier first.
    ///
    /// At most `max` sleepers are touched: let go, or moved down towards their deadline. `true`
    /// says that the limit stopped the call, and it must be repeated (it may have put fewer than
    /// `max` values out, even none); `false` that nobody whose deadline has come is left.
    /// A clock that runs backwards is read as one that stands.
    pub fn advance(&mut self, now_nanos: u64, max: usize, out: &mut Vec<T>) -> bool {
        let now = (now_nanos >> TICK_BITS).max(self.cursor);
        let mut left = max;
        loop {
            let list = self.first_to_empty(now);
            if list == NOWHERE {
                self.cursor = self.cursor.max(now);
                return false;
            }
            if left == 0 {
                return self.next_tick().is_some_and(|tick| tick <= now);
            }
            left -= 1;
            // From both ends in turn where sleepers only move on: one's memory arrives while the
            // other is moved, which a walk from neighbour to neighbour would wait for.
            let ends = self.lists.get(list);
            let index = if left % 2 == 0 || Lists::is_last(list) { ends.head } else { ends.tail };
            let (_, tick) = self.unlink(index);
            if tick <= self.cursor {
                out.push(self.chunks.remove(index));
            } else {
                self.link(index, tick);
            }
        }
    }

    /// When [`advance`](Wheel::advance) should be called next, in the same nanoseconds; `None` if
    /// nobody sleeps here.
    ///
    /// It is the earliest deadline, rounded up to its tick; 0 if somebody is due already. If the
    /// earliest sleeper of a crowd was cancelled it may be the deadline of that one: earlier, never
    /// later (at most 9 times in the life of any sleeper). After a call of `advance` that its limit
    /// stopped, it may be earlier as well.
    #[inline]
    pub fn next_deadline(&self) -> Option<u64> {
        self.next_tick().map(|tick| tick.saturating_mul(TICK_NANOS))
    }

    /// Takes everybody out, whatever their deadline, and puts their values at the end of `out`.
    pub fn drain_into(&mut self, out: &mut Vec<T>) {
        out.reserve(self.len());
        loop {
            let mut list = DUE;
            if self.lists.none_is_due() {
                list = self.emptying;
                if list == NOWHERE || self.lists.get(list).is_empty() {
                    let Some((first, _)) = self.lists.first(self.cursor) else { return };
                    list = first;
                }
            }
            let index = self.lists.get(list).head;
            self.unlink(index);
            out.push(self.chunks.remove(index));
        }
    }

    /// Starts over at time 0, giving all memory back, if nobody sleeps here; false if somebody does.
    /// Keys given out before stay stale.
    pub fn restart(&mut self) -> bool {
        if !self.is_empty() {
            return false;
        }
        self.cursor = 0;
        self.emptying = NOWHERE;
        self.lists = Lists::new();
        self.chunks.restart();
        true
    }

    /// How far the clock has come, as [`advance`](Self::advance) was told, rounded down to a tick.
    /// Once `advance` has said that nobody due is left, no deadline up to here is in the wheel.
    #[inline]
    pub fn reached_nanos(&self) -> u64 {
        self.cursor << TICK_BITS
    }

    /// How many sleep here, those that are due but not yet taken out included.
    #[inline]
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether nobody sleeps here.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For how many sleepers memory is held.
    pub fn capacity(&self) -> usize {
        self.chunks.capacity()
    }

    /// The list that is to be emptied next in order to reach the tick `now`, having moved the
    /// cursor into it; [`NOWHERE`] if every sleeper is later than `now`.
    #[inline]
    fn first_to_empty(&mut self, now: u64) -> u16 {
        if !self.lists.none_is_due() {
            return DUE;
        }
        if self.emptying != NOWHERE {
            if !self.lists.get(self.emptying).is_empty() {
                return self.emptying;
            }
            self.emptying = NOWHERE;
        }
        match self.lists.first(self.cursor) {
            Some((list, start)) if start <= now => {
                // Straight to the earliest sleeper, the levels in between being skipped; in a short
                // list straight to the last one that is due.
                let to = Lists::end_of_short(list, start);
                self.cursor = to.unwrap_or_else(|| self.lists.get(list).earliest()).min(now);
                self.lists.clear_occupied(list);
                self.emptying = list;
                list
            }
            _ => NOWHERE,
        }
    }

    /// The earliest tick, or an earlier one (invariant 4); 0 if somebody is due.
    // Always, like the others that are so: left to itself the compiler inlines them or not by what else a crate
    // above has next to its timers, and a sleep costs 7 % more.
    #[inline(always)]
    fn next_tick(&self) -> Option<u64> {
        if !self.lists.none_is_due() {
            return Some(0);
        }
        let first = self.lists.first(self.cursor).map(|(list, _)| self.lists.get(list).earliest());
        if self.emptying == NOWHERE || self.lists.get(self.emptying).is_empty() {
            return first;
        }
        let other = self.lists.get(self.emptying).earliest();
        Some(first.map_or(other, |tick| tick.min(other)))
    }

    /// Finds the earliest tick of a list that has few sleepers.
    fn look_for_earliest(&mut self, list: u16) {
        let mut index = self.lists.get(list).head;
        let mut earliest = u64::MAX;
        while index != NONE {
            let sleeper = self.chunks.at(index);
            earliest = earliest.min(sleeper.tick);
            index = sleeper.next;
        }
        self.lists.at(list).set_earliest(earliest);
    }

    /// Puts a sleeper at the end of the list where it belongs.
    #[inline(always)]
    fn link(&mut self, index: u32, tick: u64) {
        let place = Lists::place(self.cursor, tick);
        let list = self.lists.for_one_more(place);
        let tail = list.tail;
        list.tail = index;
        list.added(tick);
        if tail == NONE {
            list.head = index;
            self.lists.set_occupied(place);
        } else {
            self.chunks.at(tail).next = index;
        }
        let sleeper = self.chunks.at(index);
        sleeper.list = place;
        sleeper.prev = tail;
        sleeper.next = NONE;
    }

    /// Takes a sleeper out of its list; says which that was, and its tick.
    #[inline(always)]
    fn unlink(&mut self, index: u32) -> (u16, u64) {
        let sleeper = self.chunks.at(index);
        let (prev, next, list, tick) = (sleeper.prev, sleeper.next, sleeper.list, sleeper.tick);
        match prev {
            NONE => self.lists.at(list).head = next,
            _ => self.chunks.at(prev).next = next,
        }
        match next {
            NONE => self.lists.at(list).tail = prev,
            _ => self.chunks.at(next).prev = prev,
        }
        if self.lists.get(list).is_empty() {
            self.lists.emptied(list);
        } else {
            self.lists.at(list).taken();
        }
        (list, tick)
    }
}

/// The first tick that begins at or after `nanos`: up to 2^54, which no clock reaches.
#[inline]
fn tick_of_deadline(nanos: u64) -> u64 {
    nanos.div_ceil(TICK_NANOS)
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("len", &self.len())
            .field("reached_nanos", &(self.cursor << TICK_BITS))
            .finish_non_exhaustive()
    }
}
