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
    /// How many stood in its ring, and how many had left it.
    standing: usize,
    left: u64,
    /// Its poll has been reported as a stall.
    pub(super) reported: bool,
    /// It had begun the poll that it was inside of since the look before, and something waited behind it.
    pub(super) doubted: bool,
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
        let (loaded, reported, doubted) = (false, false, false);
        Self { sequence, since: now, loaded, standing: 0, left: 0, reported, doubted }
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

    /// Whether something stands in the ring that stood there at the last look.
    pub(super) fn has_stood(&mut self, shard: &Shard) -> bool {
        let (standing, left) = (shard.queue.len(), shard.queue.left());
        let before = core::mem::replace(&mut self.standing, standing);
        let gone = left.wrapping_sub(core::mem::replace(&mut self.left, left));
        gone < before as u64
    }
}
