//! What a shard's owner says about itself, for the monitor and for dumps; and what they answer.
//!
//! ```text
//!  owner                              monitor, dump
//!  task in hand                       sequence: odd?
//!  sequence += 1 (odd: in a poll)     task in hand
//!  polls                              sequence: the same?
//!  sequence += 1 (even)
//! ```
//!
//! Invariants:
//! 1. Only the owner writes, but for the hints.
//! 2. Who finds a poll going on, and the same one after it has read the task, has read whose poll it
//!    is: what is published of a later one is so after this one's end.
//!
//! Left out: read-modify-writes on the owner's side, which would cost more at each poll than all the
//! rest of this. So a hint that is given just as the owner takes them may be lost, and is given again
//! at the next tick.

use goro_context::CurrentTask;
use goro_context::task::Identity;
use goro_shim::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// What the owner says about itself; see the module.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// Odd while a poll is going on; moves by two with each.
    sequence: AtomicU64,
    /// The task in hand, as the word of its identity; stands from its poll's begin to the next one's.
    hand: AtomicU64,
    /// What is woken now goes behind what is ready: the task in hand has ended, and this is its
    /// joiner; or whoever wakes it said so. The owner alone looks.
    pub(crate) behind: AtomicBool,
    /// What others have to say to thieves and to the owner: [`STUCK`], [`LOOK`], [`SHAKE`].
    hints: AtomicU32,
    /// How many blocks the owner is inside of, one in the other.
    blocks: AtomicU32,
    /// How many of them have nobody in their place. The owner alone looks.
    alone: AtomicU32,
}

/// The owner does not come round: thieves may take the next slot too.
const STUCK: u32 = 1;

/// The owner is to look round between two polls.
const LOOK: u32 = 2;

/// The owner's next poll gets another budget (`worker::chaos`).
const SHAKE: u32 = 4;

/// What the owner finds that it was asked for, when a poll ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the asking is over with this"]
pub(crate) struct Hints(u32);

impl Hints {
    /// Whether there is anything for the owner among them.
    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.0 & (LOOK | SHAKE) != 0
    }

    /// Whether it is to look round.
    pub(crate) fn look(self) -> bool {
        self.0 & LOOK != 0
    }
}

/// Where sequences start: close to where they wrap, unless in a release.
const START: u64 = if cfg!(debug_assertions) { u64::MAX - 41 } else { 0 };

impl Published {
    /// Forgets what an earlier lease has left here; nobody owns it meanwhile.
    pub(crate) fn reset(&self) {
        let Self { sequence, hand, behind, hints, blocks, alone } = self;
        sequence.store(START, Ordering::Relaxed);
        hand.store(0, Ordering::Relaxed);
        behind.store(false, Ordering::Relaxed);
        hints.store(0, Ordering::Relaxed);
        blocks.store(0, Ordering::Relaxed);
        alone.store(0, Ordering::Relaxed);
    }

    /// Owner: a poll begins.
    #[inline]
    pub(crate) fn begin(&self, task: Identity) {
        // Ordering: Release pairs with the Acquire in `in_hand`: who sees this sees the poll before
        // this one ended.
        self.hand.store(task.to_bits(), Ordering::Release);
        let sequence = self.sequence.load(Ordering::Relaxed);
        // Ordering: Release pairs with the Acquire in `sequence`: who sees this poll begun sees
        // whose it is.
        self.sequence.store(sequence.wrapping_add(1), Ordering::Release);
    }

    /// Owner: it has ended.
    #[inline]
    pub(crate) fn end(&self) -> Hints {
        let sequence = self.sequence.load(Ordering::Relaxed);
        // Ordering: as in `begin`.
        self.sequence.store(sequence.wrapping_add(1), Ordering::Release);
        self.behind.store(false, Ordering::Relaxed);
        let hints = self.hints.load(Ordering::Relaxed);
        if hints != 0 {
            self.hints.store(0, Ordering::Relaxed);
        }
        Hints(hints)
    }

    /// Owner: what `wake` wakes goes behind what is ready.
    pub(crate) fn behind(&self, wake: impl FnOnce()) {
        let before = self.behind.load(Ordering::Relaxed);
        self.behind.store(true, Ordering::Relaxed);
        // Panic: the waker may; it then stays so until the poll has ended.
        wake();
        self.behind.store(before, Ordering::Relaxed);
    }

    /// Where the owner is: odd in a poll.
    pub(crate) fn sequence(&self) -> u64 {
        // Ordering: Acquire pairs with the Release in `begin` and `end`.
        self.sequence.load(Ordering::Acquire)
    }

    /// The task of the poll that goes on, if one does.
    pub(crate) fn in_hand(&self) -> Option<CurrentTask> {
        self.in_hand_at(self.sequence())
    }

    /// The task of the poll at this `sequence`, if that is the one that goes on.
    pub(crate) fn in_hand_at(&self, sequence: u64) -> Option<CurrentTask> {
        // Ordering: Acquire pairs with the Release in `begin`: had this come from a later poll, the
        // look at the sequence below would find that the one asked for has ended.
        let hand = Identity::from_bits(self.hand.load(Ordering::Acquire))?;
        (sequence % 2 == 1 && self.sequence() == sequence).then_some(hand.current())
    }

    /// Owner: the task in hand, or the last one that was.
    pub(crate) fn last(&self) -> Option<CurrentTask> {
        Identity::from_bits(self.hand.load(Ordering::Relaxed)).map(Identity::current)
    }

    /// Whether the owner is known not to come round: it was found so, or has said so.
    pub(crate) fn is_stuck(&self) -> bool {
        self.hints.load(Ordering::Relaxed) & STUCK != 0 || self.is_blocked()
    }

    /// Whether the owner has said that it is about to block.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocks.load(Ordering::Relaxed) != 0
    }

    /// Owner: it is about to block; true if it had not said so before.
    pub(crate) fn begin_block(&self) -> bool {
        let outer = self.blocks.load(Ordering::Relaxed);
        self.blocks.store(outer + 1, Ordering::Relaxed);
        outer == 0
    }

    /// Owner: that has ended.
    pub(crate) fn end_block(&self) {
        let blocks = self.blocks.load(Ordering::Relaxed);
        self.blocks.store(blocks - 1, Ordering::Relaxed);
    }

    /// Owner: nobody stands in for its block; that is over.
    pub(crate) fn begin_alone(&self) {
        self.alone.store(self.alone() + 1, Ordering::Relaxed);
    }

    pub(crate) fn end_alone(&self) {
        self.alone.store(self.alone() - 1, Ordering::Relaxed);
    }

    /// Owner: how many blocks it is inside of for which nobody stands in.
    pub(crate) fn alone(&self) -> u32 {
        self.alone.load(Ordering::Relaxed)
    }

    /// Says that the owner does not come round, until its poll ends.
    pub(crate) fn set_stuck(&self) {
        self.hints.fetch_or(STUCK, Ordering::Relaxed);
    }

    /// Has the owner draw another budget when its poll ends.
    pub(crate) fn ask_to_shake(&self) {
        self.hints.fetch_or(SHAKE, Ordering::Relaxed);
    }

    /// Asks the owner to look round when its poll ends.
    pub(crate) fn ask_to_look(&self) {
        self.hints.fetch_or(LOOK, Ordering::Relaxed);
    }
}

#[cfg(all(test, loom))]
mod models;
