//! What the last look saw of one member of the crew.

use goro_shim::time::{Duration, Instant};

use crate::shard::Shard;

/// What the last look saw of one worker or spare.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) sequence: u64,
    /// When it was first seen there.
    since: Instant,
    /// It had something to do.
    loaded: bool,
    /// Something stood in its ring.
    standing: bool,
    /// Its poll has been reported as a stall.
    pub(super) reported: bool,
}

/// How a member was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It sleeps, or comes round.
    Well,
    /// It has begun no poll since the last look, although there was one to end, or something to do and
    /// still is. (Between two polls it may be running wakers, which can be the user's.)
    Stuck {
        /// Since the first look that saw it there.
        lasted: Duration,
        /// It is inside a poll.
        in_poll: bool,
    },
}

impl Seen {
    pub(super) fn of(shard: &Shard, now: Instant) -> Self {
        let sequence = shard.published.sequence();
        Self { sequence, since: now, loaded: false, standing: false, reported: false }
    }

    /// Looks again.
    pub(super) fn look(&mut self, shard: &Shard, now: Instant) -> Found {
        let sequence = shard.published.sequence();
        let in_poll = sequence % 2 == 1;
        let loaded = in_poll || shard.has_work();
        let before = (self.sequence, self.loaded);
        (self.sequence, self.loaded) = (sequence, loaded);
        // A sleeper that has just been woken was not loaded at the last look.
        if before == (sequence, true) && loaded {
            let lasted = now.saturating_duration_since(self.since);
            return Found::Stuck { lasted, in_poll };
        }
        (self.since, self.reported) = (now, false);
        Found::Well
    }

    /// Whether something stood in the ring at the last look and at this one.
    pub(super) fn has_stood(&mut self, shard: &Shard) -> bool {
        let standing = !shard.queue.is_empty();
        let before = core::mem::replace(&mut self.standing, standing);
        standing && before
    }
}
