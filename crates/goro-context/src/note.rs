//! What the current task is about to wait for, for whoever asks why it does not run.
//!
//! A leaf future that returns `Pending` leaves a note; whoever polls the task copies it when the
//! task parks. Two thread-local stores per wait, and the leaf needs to know nothing of tasks.
//!
//! Invariants:
//! 1. The last note left in a poll counts: the leaf that was asked last is what a `select` shows.
//! 2. A note is data, and reading it never runs the code of the thing waited for.

use core::cell::Cell;
use core::fmt;

/// The operation a task waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[non_exhaustive]
pub enum Op {
    /// No note was left.
    #[default]
    Nothing = 0,
    /// Something that is not goro's.
    External = 1,
    /// Its turn: it has yielded, or used up its budget.
    Yield = 2,
    /// Another task's end.
    Join = 3,
    /// A point in time.
    Timer = 4,
    /// Bytes or a message to read from a source.
    Readable = 5,
    /// Room to write to a source.
    Writable = 6,
    /// A connection to accept.
    Accept = 7,
    /// A connection to be established.
    Connect = 8,
    /// A name to be looked up.
    Resolve = 9,
    /// A job on the blocking pool.
    Blocking = 10,
    /// Room in a channel.
    Send = 11,
    /// A message from a channel.
    Recv = 12,
    /// A lock.
    Lock = 13,
    /// A permit.
    Acquire = 14,
    /// A notification.
    Notified = 15,
    /// A cancellation.
    Cancelled = 16,
    /// A signal of the operating system.
    Signal = 17,
    /// A value to change.
    Changed = 18,
    /// A value to be set once.
    Once = 19,
    /// Others to arrive at a barrier.
    Barrier = 20,
    /// A group of tasks to end.
    Group = 21,
    /// A child process.
    Process = 22,
    /// A file operation.
    File = 23,
    /// Whichever of several comes first.
    Select = 24,
    /// The runtime's end.
    Shutdown = 25,
}

impl Op {
    /// Every operation, at the index of its number.
    pub const ALL: [Op; 26] = [
        Op::Nothing,
        Op::External,
        Op::Yield,
        Op::Join,
        Op::Timer,
        Op::Readable,
        Op::Writable,
        Op::Accept,
        Op::Connect,
        Op::Resolve,
        Op::Blocking,
        Op::Send,
        Op::Recv,
        Op::Lock,
        Op::Acquire,
        Op::Notified,
        Op::Cancelled,
        Op::Signal,
        Op::Changed,
        Op::Once,
        Op::Barrier,
        Op::Group,
        Op::Process,
        Op::File,
        Op::Select,
        Op::Shutdown,
    ];

    /// The operation with this number; unknown numbers are [`Op::External`].
    ///
    /// ```
    /// use goro_context::Op;
    /// assert_eq!(Op::from_u8(Op::Recv as u8), Op::Recv);
    /// assert_eq!(Op::from_u8(250), Op::External);
    /// ```
    pub const fn from_u8(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() {
            Self::ALL[number as usize]
        } else {
            Self::External
        }
    }

    /// One lower-case word, stable between releases: dumps and metrics are read by machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Op::Nothing => "nothing",
            Op::External => "external",
            Op::Yield => "yield",
            Op::Join => "join",
            Op::Timer => "timer",
            Op::Readable => "readable",
            Op::Writable => "writable",
            Op::Accept => "accept",
            Op::Connect => "connect",
            Op::Resolve => "resolve",
            Op::Blocking => "blocking",
            Op::Send => "send",
            Op::Recv => "recv",
            Op::Lock => "lock",
            Op::Acquire => "acquire",
            Op::Notified => "notified",
            Op::Cancelled => "cancelled",
            Op::Signal => "signal",
            Op::Changed => "changed",
            Op::Once => "once",
            Op::Barrier => "barrier",
            Op::Group => "group",
            Op::Process => "process",
            Op::File => "file",
            Op::Select => "select",
            Op::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a task waits for: the operation, and which object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct WaitNote {
    /// The operation.
    pub op: Op,
    /// Which object: a task's id, a channel's number; zero when there is none to name.
    pub object: u64,
}

impl WaitNote {
    /// No note.
    pub const NOTHING: Self = Self { op: Op::Nothing, object: 0 };

    /// What a task that parks with this note waits for: something [`Op::External`] if no leaf of
    /// goro's has left one.
    #[inline]
    #[must_use]
    pub const fn parked(self) -> Self {
        match self.op {
            Op::Nothing => Self { op: Op::External, object: self.object },
            _ => self,
        }
    }
}

local! {
    static NOTE: Cell<WaitNote> = Cell::new(WaitNote::NOTHING)
}

/// Notes that the current task is about to wait in `op` for `object`. Replaces an earlier note.
///
/// ```
/// use goro_context::{Op, WaitNote, note};
/// note::leave(Op::Recv, 7);
/// assert_eq!(note::take(), WaitNote { op: Op::Recv, object: 7 });
/// assert_eq!(note::take(), WaitNote::NOTHING);
/// ```
#[inline]
pub fn leave(op: Op, object: u64) {
    NOTE.with(|note| note.set(WaitNote { op, object }));
}

/// Takes the last note left, leaving none.
#[inline]
pub fn take() -> WaitNote {
    replace(WaitNote::NOTHING)
}

/// Drops the last note left.
#[inline]
pub fn clear() {
    NOTE.with(|note| note.set(WaitNote::NOTHING));
}

/// Puts `note` in the place of the last one left, and returns that one.
#[inline]
pub fn replace(note: WaitNote) -> WaitNote {
    NOTE.with(|cell| cell.replace(note))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_operation_survives_the_way_through_its_number() {
        for (number, op) in Op::ALL.iter().enumerate() {
            assert_eq!(*op as usize, number);
            assert_eq!(Op::from_u8(number as u8), *op);
        }
        for number in Op::ALL.len()..=255 {
            assert_eq!(Op::from_u8(number as u8), Op::External);
        }
    }

    #[test]
    fn words_are_distinct_and_lower_case() {
        let mut words: Vec<_> = Op::ALL.iter().map(ToString::to_string).collect();
        assert!(words.iter().all(|w| w.chars().all(|c| c.is_ascii_lowercase())), "{words:?}");
        words.sort();
        words.dedup();
        assert_eq!(words.len(), Op::ALL.len());
    }

    #[test]
    fn the_last_note_counts_and_is_taken_once() {
        leave(Op::Recv, 1);
        leave(Op::Timer, 2);
        assert_eq!(take(), WaitNote { op: Op::Timer, object: 2 });
        assert_eq!(take(), WaitNote::NOTHING);
    }

    #[test]
    fn parking_without_a_note_is_waiting_for_something_external() {
        assert_eq!(WaitNote::NOTHING.parked().op, Op::External);
        let note = WaitNote { op: Op::Join, object: 3 };
        assert_eq!(note.parked(), note);
    }
}
