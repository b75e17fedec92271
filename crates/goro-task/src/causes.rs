//! Why a task was aborted, between the abort and the drop of its future.
//!
//! The causes without words fit the reason field of the state word. One with words waits in a
//! process-wide map under the task's id: an abort in one's own words is rare, and eight bytes in
//! every header for it are not to be had.
//!
//! Protocol: deposit, then abort; if the abort came second, withdraw. Whoever cancels takes what is
//! there; two concurrent deposits for one task are two aborts at the same time, and either will do.
//!
//! Invariants:
//! 1. An abort whose reason is [`DEPOSITED`] made its deposit before it marked the word.
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

/// The cause waits in the map.
const DEPOSITED: Reason = Reason(7);

/// Aborts the task with this word and id. What [`Word::abort`] says comes back.
pub(crate) fn abort(word: &Word, id: TaskId, cause: Cause) -> Option<Wake> {
    let reason = match &cause {
        Cause::Aborted => Reason(0),
        Cause::Cancelled => Reason(1),
        Cause::Deadline => Reason(2),
        Cause::Shutdown => Reason(3),
        Cause::Refused => Reason(4),
        Cause::Limit => Reason(5),
        _ => return abort_in_words(word, id, cause),
    };
    word.abort(reason)
}

#[cold]
fn abort_in_words(word: &Word, id: TaskId, cause: Cause) -> Option<Wake> {
    let number = {
        let mut waiting = WAITING.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.causes.insert((id, number), cause);
        number
    };
    let aborted = word.abort(DEPOSITED);
    if aborted.is_none() {
        // The removed cause is dropped after the lock is given back.
        let _withdrawn = WAITING.lock().causes.remove(&(id, number));
    }
    aborted
}

/// The cause that goes with the reason found in the word of the task with this id.
pub(crate) fn take(id: TaskId, reason: Reason) -> Cause {
    match reason {
        Reason(0) => Cause::Aborted,
        Reason(1) => Cause::Cancelled,
        Reason(2) => Cause::Deadline,
        Reason(3) => Cause::Shutdown,
        Reason(4) => Cause::Refused,
        Reason(5) => Cause::Limit,
        _ => take_words(id).unwrap_or(Cause::Aborted),
    }
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
