//! The wheel's geometry: which list a tick belongs to, which lists are occupied.
//!
//! A tick is a number of 55 bits, read as digits of six bits. Seen from the cursor, a later tick
//! belongs to the level of the highest digit in which the two differ, and there to the list of its
//! own digit:
//!
//! ```text
//! level      0        1         2        3        4        5         6        7       8      9
//! one list   1.02 us  65.5 us   4.19 ms  268 ms   17.2 s   18.3 min  19.5 h   52 d    9.1 y  585 y
//! ```
//!
//! Invariants:
//! 1. A sleeper at level L agrees with the cursor in all digits above L, and has a greater digit L.
//!    So the earliest sleepers are in the lowest occupied level's lowest occupied list, and no
//!    level ever wraps: ten of them reach the end of 64-bit nanoseconds.
//! 2. `earliest` of a list is never later than any of its sleepers. It is exact, unless the
//!    earliest one was cancelled out of a crowd: then the list is vague, until an earlier one
//!    comes or a cancellation finds no crowd any more.
//! 3. A list's bit is set while it is occupied, except for [`DUE`] and a list being emptied.

use super::chunks::NONE;

const DIGIT: u32 = 6;
const LEVELS: usize = 10;

/// The list of those whose tick the cursor has reached.
pub(super) const DUE: u16 = 9 * 64 + 2;
/// No list.
pub(super) const NOWHERE: u16 = u16::MAX;
/// Tick 2^54 and no later one is in the wheel: the highest list is digit 1 of level 9.
const LISTS: usize = DUE as usize + 1;

const VAGUE: u64 = 1 << 63;

/// The most sleepers of a list among whom the earliest is looked for; more are a crowd.
pub(super) const CROWD: u32 = 8;

/// A doubly linked list of sleepers.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
    len: u32,
    /// The earliest tick, with [`VAGUE`].
    earliest: u64,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE, len: 0, earliest: !VAGUE };

    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(super) fn earliest(&self) -> u64 {
        self.earliest & !VAGUE
    }

    pub(super) fn set_earliest(&mut self, tick: u64) {
        self.earliest = tick;
    }

    /// Takes note that a sleeper of `tick` was added; earlier than all, it ends vagueness.
    #[inline]
    pub(super) fn added(&mut self, tick: u64) {
        self.len += 1;
        if tick < self.earliest() {
            self.earliest = tick;
        }
    }

    /// Takes note that a sleeper was taken out, others being left.
    #[inline]
    pub(super) fn taken(&mut self) {
        self.len -= 1;
    }

    /// Takes note that a sleeper of `tick` was cancelled, others being left. True says that the
    /// earliest of them must be looked for.
    #[inline]
    pub(super) fn cancelled(&mut self, tick: u64) -> bool {
        if self.earliest == tick {
            self.earliest |= VAGUE;
        }
        self.earliest & VAGUE != 0 && self.len <= CROWD
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_exact(&self) -> bool {
        self.earliest & VAGUE == 0
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}

pub(super) struct Lists {
    occupied: [u64; LEVELS],
    /// None before the first sleeper comes: 14 KiB, and many a wheel never has one.
    lists: Box<[List]>,
}

impl Lists {
    pub(super) fn new() -> Self {
        Self { occupied: [0; LEVELS], lists: Box::default() }
    }

    #[inline]
    pub(super) fn get(&self, list: u16) -> &List {
        &self.lists[usize::from(list)]
    }

    #[inline]
    pub(super) fn at(&mut self, list: u16) -> &mut List {
        &mut self.lists[usize::from(list)]
    }

    /// The list that one more sleeper is about to be in.
    #[inline]
    pub(super) fn for_one_more(&mut self, list: u16) -> &mut List {
        if self.lists.is_empty() {
            self.make();
        }
        self.at(list)
    }

    /// Whether the cursor has reached nobody's tick; also before the first sleeper comes.
    #[inline]
    pub(super) fn none_is_due(&self) -> bool {
        self.lists.get(usize::from(DUE)).is_none_or(List::is_empty)
    }

    #[cold]
    fn make(&mut self) {
        self.lists = vec![List::EMPTY; LISTS].into_boxed_slice();
    }

    /// A list, empty before the first sleeper comes.
    #[cfg(any(test, fuzzing))]
    pub(super) fn as_it_is(&self, list: u16) -> List {
        self.lists.get(usize::from(list)).copied().unwrap_or(List::EMPTY)
    }

    /// Whether no sleeper has come yet.
    #[cfg(test)]
    pub(super) fn are_none(&self) -> bool {
        self.lists.is_empty()
    }

    /// Where a sleeper of `tick` belongs, seen from `cursor`.
    #[inline]
    pub(super) fn place(cursor: u64, tick: u64) -> u16 {
        if tick <= cursor {
            return DUE;
        }
        let level = (63 - (cursor ^ tick).leading_zeros()) / DIGIT;
        (level * 64) as u16 + (tick >> (level * DIGIT)) as u16 % 64
    }

    /// Whether sleepers leave the wheel from this list, but for those of a short list that are not due
    /// yet.
    #[inline]
    pub(super) fn is_last(list: u16) -> bool {
        Self::is_short(list) || list == DUE
    }

    /// Whether a list's sleepers are let go together, whatever their order.
    #[inline]
    fn is_short(list: u16) -> bool {
        list < 2 * 64
    }

    /// The last tick of a short list that begins with `start`.
    #[inline]
    pub(super) fn end_of_short(list: u16, start: u64) -> Option<u64> {
        Self::is_short(list).then(|| start + u64::from(list / 64) * 63)
    }

    #[inline]
    pub(super) fn set_occupied(&mut self, list: u16) {
        if list != DUE {
            self.occupied[usize::from(list / 64)] |= 1 << (list % 64);
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn is_occupied(&self, list: u16) -> bool {
        list != DUE && self.occupied[usize::from(list / 64)] & 1 << (list % 64) != 0
    }

    /// Takes note that `list` is empty, or about to be emptied.
    #[inline]
    pub(super) fn clear_occupied(&mut self, list: u16) {
        if list != DUE {
            self.occupied[usize::from(list / 64)] &= !(1 << (list % 64));
        }
    }

    /// Resets an emptied list.
    #[inline]
    pub(super) fn emptied(&mut self, list: u16) {
        *self.at(list) = List::EMPTY;
        self.clear_occupied(list);
    }

    /// The occupied list with the earliest sleepers, and the first tick that belongs to it.
    #[inline]
    pub(super) fn first(&self, cursor: u64) -> Option<(u16, u64)> {
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        let digit = self.occupied[level].trailing_zeros();
        let shift = level as u32 * DIGIT;
        let above = cursor >> (shift + DIGIT) << (shift + DIGIT);
        Some((level as u16 * 64 + digit as u16, above | u64::from(digit) << shift))
    }
}
