//! Directions, and what one event of the kernel says about them.
//!
//! Invariants:
//! 1. A hang-up or an error readies both directions: whoever waits in either learns of it from the
//!    system call it then makes.
//! 2. Bits this file does not know are dropped; an event with none of the known ones is nothing.
//!
//! Left out: priority data. Its only users are out-of-band bytes, which goro has no way to read.

use core::ops::{BitOr, BitOrAssign};

/// One of the two ways bytes, or connections, go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards this process: reading, accepting, peeking.
    Read,
    /// Away from it: writing, finishing a connect.
    Write,
}

/// A set of directions: those one event readies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Directions(u64);

impl Directions {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const BOTH: Self = Self(0b11);

    /// What `event` readies.
    pub(crate) fn of(event: &mio::event::Event) -> Self {
        let gone = event.is_error() || (event.is_read_closed() && event.is_write_closed());
        if gone {
            return Self::BOTH;
        }
        let mut set = Self::NONE;
        if event.is_readable() || event.is_read_closed() {
            set |= Direction::Read.into();
        }
        if event.is_writable() || event.is_write_closed() {
            set |= Direction::Write.into();
        }
        set
    }

    /// As bits 0 and 1 of a word.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn has(self, direction: Direction) -> bool {
        self.0 & Self::from(direction).0 != 0
    }
}

impl From<Direction> for Directions {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Read => Self(0b01),
            Direction::Write => Self(0b10),
        }
    }
}

impl BitOr for Directions {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Directions {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}
