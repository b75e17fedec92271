//! One reading of the state word, for dumps and questions. It may be old by the time it is used.

use super::bits::{ABORT, DETACH, JOIN, LIVE, REFS, wakes};
use super::{Reason, reason_of};

/// One reading of the word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot(pub(super) u64);

impl Snapshot {
    /// Whether the task has not ended.
    pub(crate) fn is_live(self) -> bool {
        self.0 & LIVE != 0
    }

    /// Whether an abort is under way.
    pub(crate) fn is_aborted(self) -> bool {
        self.0 & ABORT != 0
    }

    /// The number of the reason for which it was aborted, or asked to end.
    pub(crate) fn reason(self) -> Reason {
        reason_of(self.0)
    }

    /// Whether the task is parked: it lives, and no runnable exists.
    pub(crate) fn is_parked(self) -> bool {
        self.is_live() && wakes(self.0) == 0
    }

    /// Whether nobody has a waker or an abort handle.
    pub(crate) fn is_unreferenced(self) -> bool {
        self.0 & REFS == 0
    }

    /// Whether the join handle exists.
    pub(crate) fn has_handle(self) -> bool {
        self.0 & JOIN != 0 && self.0 & DETACH == 0
    }
}
