//! Why a task was aborted, or asked to end, until its future is dropped.
//!
//! The causes without words fit the reason field of the state word. One with words waits in a
//! process-wide map under the task's id: an abort in one's own words is rare, and eight bytes in
//! every header for it are not to be had.
//!
//! Protocol: deposit, then abort; if the abort came second, or found a reason, withdraw. Whoever cancels
//! takes what is there; two concurrent deposits for one task are two aborts at the same time, and either
//! will do. Asking a task to end is the same, but that a poll looks at the cause and leaves it there.
//!
//! Invariants:
//! 1. An abort, or a question, whose reason is [`DEPOSITED`] made its deposit before it marked the word.
//! 2. Nothing is left behind: `take`, `withdraw` and `forget` (at the free of a task that ended
//!    before the abort reached it) cover the ways a deposit can end.

use std::collections::BTreeMap;

use goro_context::{Cause, TaskId};
use goro_shim::global::Lock;

use crate::state::{Reason, Wake, Word};

/// What is waiting: by task, then by the deposit's own number.
static WAITING: Lock<Waiting> = Lock::new(Waiting { next: 0, causes: BTreeMap::new() });

struct Waiting {
    next: u64,
    causes: BTreeMap<(TaskId, u64), Cause>,
}

/// As an abort for no reason, from whoever asks: a reason of 0 would not show in the word.
const ASKED: Reason = Reason(6);
/// The cause waits in the map.
const DEPOSITED: Reason = Reason(7);

/// Aborts the task with this word and id. What [`Word::abort`] says comes back.
pub(crate) fn abort(word: &Word, id: TaskId, cause: Cause) -> Option<Wake> {
    match number_of(&cause) {
        Some(reason) => word.abort(reason),
        None => in_words(word, id, cause, Word::abort),
    }
}

/// Asks the task with this word and id to end by itself. What [`Word::ask`] says comes back.
pub(crate) fn ask(word: &Word, id: TaskId, cause: Cause) -> Option<Wake> {
    match number_of(&cause) {
        Some(Reason(0)) => word.ask(ASKED),
        Some(reason) => word.ask(reason),
        None => in_words(word, id, cause, Word::ask),
    }
}

/// The number of a cause that needs no words.
fn number_of(cause: &Cause) -> Option<Reason> {
    Some(Reason(match cause {
        Cause::Aborted => 0,
        Cause::Cancelled => 1,
        Cause::Deadline => 2,
        Cause::Shutdown => 3,
        Cause::Refused => 4,
        Cause::Limit => 5,
        _ => return None,
    }))
}

#[cold]
fn in_words(
    word: &Word,
    id: TaskId,
    cause: Cause,
    mark: fn(&Word, Reason) -> Option<Wake>,
) -> Option<Wake> {
    let number = {
        let mut waiting = WAITING.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.causes.insert((id, number), cause);
        number
    };
    let marked = mark(word, DEPOSITED);
    // Another reason was there, and stays.
    if marked.is_none() || word.snapshot().reason() != DEPOSITED {
        // The removed cause is dropped after the lock is given back.
        let _withdrawn = WAITING.lock().causes.remove(&(id, number));
    }
    marked
}

/// The cause that goes with the reason found in the word of the task with this id.
pub(crate) fn take(id: TaskId, reason: Reason) -> Cause {
    without_words(reason).unwrap_or_else(|| take_words(id).unwrap_or(Cause::Aborted))
}

/// As [`take`], and leaves it there.
pub(crate) fn look(id: TaskId, reason: Reason) -> Cause {
    let words = || {
        let waiting = WAITING.lock();
        waiting.causes.range((id, 0)..=(id, u64::MAX)).next().map(|(_, cause)| cause.clone())
    };
    without_words(reason).unwrap_or_else(|| words().unwrap_or(Cause::Aborted))
}

fn without_words(reason: Reason) -> Option<Cause> {
    Some(match reason {
        Reason(0) | ASKED => Cause::Aborted,
        Reason(1) => Cause::Cancelled,
        Reason(2) => Cause::Deadline,
        Reason(3) => Cause::Shutdown,
        Reason(4) => Cause::Refused,
        Reason(5) => Cause::Limit,
        _ => return None,
    })
}

/// Removes what an abort left that came too late.
#[inline]
pub(crate) fn forget(id: TaskId, reason: Reason) {
    if reason == DEPOSITED {
        take_words(id);
    }
}

#[cold]
fn take_words(id: TaskId) -> Option<Cause> {
    let mut waiting = WAITING.lock();
    let mut taken = None;
    while let Some((&key, _)) = waiting.causes.range((id, 0)..=(id, u64::MAX)).next() {
        taken = taken.or(waiting.causes.remove(&key));
    }
    taken
}

#[cfg(all(test, not(loom)))]
mod tests;
