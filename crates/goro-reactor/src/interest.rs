//! Directions, and what one event of the kernel says about them.
//!
//! Invariants:
//! 1. A hang-up or an error readies both directions: whoever waits in either learns of it from the
//!    system call it then makes.
//!    An end is a bit of its own beside them.
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
    /// Beside a direction: no more will come from there, or the source has failed.
    pub(crate) const END: Self = Self(1 << 5);

    /// What `event` readies.
    pub(crate) fn of(event: &mio::event::Event) -> Self {
        let report = Report {
            readable: event.is_readable(),
            writable: event.is_writable(),
            read_closed: event.is_read_closed(),
            write_closed: event.is_write_closed(),
            error: event.is_error(),
        };
        report.readies()
    }

    /// As bits 0, 1 and 5 of a word.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn has(self, direction: Direction) -> bool {
        self.0 & Self::from(direction).0 != 0
    }
}

/// What an event says, in mio's words. Kernels differ in which of them come together.
#[derive(Clone, Copy, Debug, Default)]
struct Report {
    readable: bool,
    writable: bool,
    read_closed: bool,
    write_closed: bool,
    error: bool,
}

impl Report {
    fn readies(self) -> Directions {
        if self.error || (self.read_closed && self.write_closed) {
            return Directions::BOTH | Directions::END;
        }
        let mut set = Directions::NONE;
        if self.readable || self.read_closed {
            set |= Direction::Read.into();
        }
        if self.read_closed {
            set |= Directions::END;
        }
        if self.writable || self.write_closed {
            set |= Direction::Write.into();
        }
        set
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Pitfall 147: whatever a kernel reports of an end, nobody who waits for it sleeps on.
    #[test]
    fn each_word_readies_whom_it_concerns() {
        let none = Report::default();
        let (read, write) = (Direction::Read.into(), Direction::Write.into());
        let ended = Directions::BOTH | Directions::END;
        for (report, set) in [
            (none, Directions::NONE),
            (Report { readable: true, ..none }, read),
            (Report { writable: true, ..none }, write),
            (Report { readable: true, writable: true, ..none }, Directions::BOTH),
            (Report { read_closed: true, ..none }, read | Directions::END),
            (Report { write_closed: true, ..none }, write),
            (Report { error: true, ..none }, ended),
            (Report { error: true, readable: true, ..none }, ended),
            (Report { read_closed: true, write_closed: true, ..none }, ended),
        ] {
            assert_eq!(report.readies(), set, "{report:?}");
        }
    }
}
