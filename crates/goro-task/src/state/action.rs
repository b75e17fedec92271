//! What the transitions of the state word tell their callers to do.

#[cfg(doc)]
use super::Word;

/// What is to be done after a wake by reference, or an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    /// The task was parked: the caller owns the runnable now, and routes it.
    Schedule,
    /// A runnable exists already, or the task has ended.
    Nothing,
}

/// What is to be done after a hold was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Left {
    /// Somebody else holds the memory; the caller must not touch it again.
    Held,
    /// That was the last hold: the caller frees the memory.
    Free,
}

/// What is to be done after a wake that gave up its own reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum WakeOwned {
    /// The task was parked: the caller owns the runnable now, and routes it.
    Schedule,
    /// Nothing, and the memory must not be touched again.
    Nothing,
    /// The reference was the last hold: the caller frees the memory.
    Free,
}

/// What the owner of a runnable is to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Begin {
    /// Poll the future, then hand `Seen` to [`Word::end_pending`].
    Poll(Seen),
    /// Drop the future: the task was aborted, for this reason.
    Abort(Reason),
    /// As `Poll`, telling the task that it was asked to end, for this reason.
    Asked(Seen, Reason),
}

/// The wakes that a poll takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(pub(super) u64);

/// Why a task was aborted, or asked to end: a number below 8 that [`crate::causes`] gives meaning to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) u8);

/// How a poll that returned `Pending` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum End {
    /// No wake came meanwhile: the runnable is given up, and the task must not be touched again.
    Parked,
    /// A wake came meanwhile: the caller still owns the runnable.
    Again,
}

/// How the outcome, now in the stage, is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Finish {
    /// The handle left long ago, `LIVE` still stands: drop the outcome, then
    /// [`Word::leave_detached`].
    Detached,
    /// The handle left just now, its hold is the caller's: drop the outcome, then
    /// [`Word::leave_join`].
    Late,
    /// The join slot is the caller's: copy it, [`Word::leave_slot`], then wake what it held.
    WakeJoiner,
    /// The handle has the outcome. The task must not be touched again.
    Handed,
}

/// Whether the task was still running when the handle asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Progress {
    /// It lives, and what was asked for is done.
    Live,
    /// It has ended: the outcome stands in the stage, and is the handle's.
    Ended,
}
