//! The state word of a task: one `AtomicU64`, and every transition it can make.
//!
//! ```text
//!  bit 0      1       2      3        4        5..8     8..36      36..64
//!    LIVE | ABORT | JOIN | DETACH | JWAKER | reason |  refs  |    wakes
//! ```
//!
//! | field | set means |
//! |---|---|
//! | `LIVE` | the stage holds the future; falls once, when the outcome stands there instead |
//! | `ABORT` | the next poll drops the future instead of polling it |
//! | `JOIN` | the join handle's hold on the memory |
//! | `DETACH` | the handle left while `LIVE`: the outcome and the `JOIN` hold are the completer's |
//! | `JWAKER` | the join slot is filled; once `LIVE` has fallen it is the completer's hold |
//! | reason | why it was aborted, as a small number ([`crate::causes`]); without `ABORT` and not 0: why it was asked to end by itself |
//! | refs | wakers and abort handles |
//! | wakes | wakes not yet taken by a poll; more than none while `LIVE`: a runnable exists |
//!
//! ```text
//! spawn          store LIVE|JOIN|1 wake                                    no RMW; a runnable exists
//! wake_by_ref    +WAKE            LIVE and no wake before -> the caller owns the runnable
//! wake           +WAKE-REF        the same; else, if nothing holds the memory, free it
//! clone / drop   +REF / -REF      the last hold gone -> free
//! begin_poll     load             seen = wakes; ABORT -> drop the future instead of polling
//!                                 at the limit of wakes: take all but one first
//! end_pending    -seen            none left -> parked (runnable given up); some left -> again
//! finish         DETACH seen      drop the outcome; no refs -> free with no RMW, else -(LIVE+JOIN)
//!                else -LIVE       old has JWAKER -> copy the slot, -JWAKER, (free?), wake it
//!                                 old has DETACH -> drop the outcome, -JOIN
//! join poll      LIVE             write the slot, +JWAKER (LIVE gone meanwhile: -JWAKER, take)
//!                not LIVE         take the outcome
//! handle drop    LIVE             +DETACH (registered: CAS -JWAKER+DETACH, drop the waker)
//!                not LIVE         drop the outcome; no refs, no JWAKER -> free with no RMW,
//!                                 else -JOIN
//! abort          CAS +ABORT+WAKE  no wake before -> the caller owns the runnable; a reason that
//!                                 is there stays
//! ask            CAS reason+WAKE  the same
//! ```
//!
//! Invariants:
//! 1. Possession of the runnable is the right to poll; there is no RUNNING bit. While a runnable
//!    exists, `wakes` is not zero, so nobody else can come to own one.
//! 2. `LIVE` falls once and never comes back. What is read as gone, with whatever ordering, is gone.
//! 3. The memory is freed by whoever makes `LIVE|JOIN|JWAKER|refs` zero, and nobody touches it
//!    after having given up its own hold.
//! 4. Every wake is a Release read-modify-write, also of a task that is already notified: the next
//!    poll sees what was written before each wake (pitfall 26).
//! 5. Wakes saturate at 2^27. A waker that spins while its task stands behind a stuck poll gets
//!    there in a second, so it must neither abort nor wrap. A poll begins below the limit, so that
//!    every wake which comes during it is counted, and ends it with `Again`.
//! 6. Flags known to be clear are set by addition, those known to be set are cleared by
//!    subtraction: one RMW where `fetch_or` with a used result is a compare-and-swap loop.
//!
//! Left out: undoing a wake after overshooting the limit (the poll may already have counted it),
//! and a saturating reference count (each reference costs memory; overflow aborts as `Arc` does).

use goro_shim::atomic::{AtomicU64, Ordering};

mod action;
mod bits;
mod snapshot;

pub(crate) use action::{Begin, End, Finish, Left, Progress, Reason, Seen, Wake, WakeOwned};
use bits::{
    ABORT, DETACH, HOLDS, JOIN, JWAKER, LIVE, MAX_REFS, MAX_WAKES, REASON, REASON_SHIFT, REF, REFS,
    WAKE, wakes,
};
pub(crate) use snapshot::Snapshot;

/// The state word; see the module.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Word(AtomicU64);

impl Word {
    /// A task that is about to be queued, with a handle.
    pub(crate) fn spawned() -> Self {
        Self(AtomicU64::new(LIVE | JOIN | WAKE))
    }

    /// A task that is about to be queued, and whose handle is as good as gone.
    pub(crate) fn detached() -> Self {
        Self(AtomicU64::new(LIVE | JOIN | DETACH | WAKE))
    }

    /// Tells the model that the word's memory ends here: every access must have happened before.
    #[cfg(loom)]
    pub(crate) fn retire(&mut self) {
        self.0.with_mut(|_| ());
    }

    /// Reads the word, to answer a question whose answer may be old by the time it is used.
    pub(crate) fn snapshot(&self) -> Snapshot {
        // Ordering: Acquire pairs with the Release of `finish`, so that who is told "finished"
        // also sees what the task did.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// Reads the word for the last time, before the memory is freed.
    #[inline]
    pub(crate) fn last_look(&self) -> Snapshot {
        // Ordering: Acquire pairs with the Release of every hold given up before, by whichever
        // transition: all that was done under them comes before the free.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    // ---- wakers and abort handles

    /// Counts one more reference.
    #[inline]
    pub(crate) fn clone_ref(&self) {
        let old = self.0.fetch_add(REF, Ordering::Relaxed);
        if old & REFS >= MAX_REFS {
            too_many_references();
        }
    }

    /// Gives up one reference.
    #[inline]
    pub(crate) fn drop_ref(&self) -> Left {
        self.leave(REF)
    }

    /// Wakes the task through a reference that stays.
    #[inline]
    pub(crate) fn wake_by_ref(&self) -> Wake {
        let now = self.0.load(Ordering::Relaxed);
        if now & LIVE == 0 {
            return Wake::Nothing;
        }
        if now >= MAX_WAKES && self.wake_saturated(now, 0).is_ok() {
            return Wake::Nothing;
        }
        // Ordering: Release publishes what the waker wrote to the poll that counts this wake
        // (`begin_poll`); Acquire, for the new owner of the runnable, pairs with `end_pending`.
        let old = self.0.fetch_add(WAKE, Ordering::AcqRel);
        wake_of(old)
    }

    /// Wakes the task through a reference that is given up.
    #[inline]
    pub(crate) fn wake_owned(&self) -> WakeOwned {
        let now = self.0.load(Ordering::Relaxed);
        if now & LIVE == 0 {
            return match self.drop_ref() {
                Left::Free => WakeOwned::Free,
                Left::Held => WakeOwned::Nothing,
            };
        }
        let old = if now >= MAX_WAKES { self.wake_saturated(now, REF) } else { Err(()) };
        let old = match old {
            Ok(old) => old,
            // Ordering: as in `wake_by_ref`. Release also keeps this reference's accesses before
            // the free of whoever leaves last (`last_look`).
            Err(()) => self.0.fetch_add(WAKE - REF, Ordering::AcqRel),
        };
        match wake_of(old) {
            Wake::Schedule => WakeOwned::Schedule,
            Wake::Nothing if (old - REF) & HOLDS == 0 => WakeOwned::Free,
            Wake::Nothing => WakeOwned::Nothing,
        }
    }

    /// Publishes without counting, and gives up `give_up`. Fails when the count has dropped below
    /// the limit or the task has ended meanwhile: an ordinary wake is due then.
    #[cold]
    fn wake_saturated(&self, mut now: u64, give_up: u64) -> Result<u64, ()> {
        while now >= MAX_WAKES && now & LIVE != 0 {
            let next = now - give_up;
            // Ordering: Release, although nothing is counted: the poll that takes the wakes
            // already there must see what this waker wrote.
            match self.0.compare_exchange_weak(now, next, Ordering::Release, Ordering::Relaxed) {
                Ok(old) => return Ok(old),
                Err(other) => now = other,
            }
        }
        Err(())
    }

    /// Asks that the task's future be dropped. `None`: it has ended, or was aborted before. If it was
    /// asked to end before, the reason of that stays.
    pub(crate) fn abort(&self, reason: Reason) -> Option<Wake> {
        self.give(ABORT, ABORT, reason)
    }

    /// Asks that the task end by itself. The reason is not 0. `None`: it has ended, or was asked or
    /// aborted before.
    pub(crate) fn ask(&self, reason: Reason) -> Option<Wake> {
        debug_assert!(reason.0 != 0, "a reason that nobody would find in the word");
        self.give(0, ABORT | REASON, reason)
    }

    /// Sets `flag`, the reason if there is none, and wakes; unless one of `before` is set.
    fn give(&self, flag: u64, before: u64, reason: Reason) -> Option<Wake> {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            if now & LIVE == 0 || now & before != 0 {
                return None;
            }
            let wake = if now < MAX_WAKES { WAKE } else { 0 };
            let reason =
                if now & REASON == 0 { u64::from(reason.0) << REASON_SHIFT & REASON } else { 0 };
            let next = (now + wake) | flag | reason;
            // Ordering: as in `wake_by_ref`.
            match self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(old) => return Some(wake_of(old)),
                Err(other) => now = other,
            }
        }
    }

    // ---- the owner of the runnable ------------------------------------------------------------

    /// Begins a poll. The caller owns the runnable.
    #[inline]
    pub(crate) fn begin_poll(&self) -> Begin {
        // Ordering: Acquire pairs with the Release of each wake counted in `seen`.
        let mut now = self.0.load(Ordering::Acquire);
        while now >= MAX_WAKES {
            now = self.desaturate(now);
        }
        if now & (ABORT | REASON) == 0 { Begin::Poll(Seen(wakes(now))) } else { begin_last(now) }
    }

    /// Takes all wakes but one before a poll begins at the limit: a poll that took as many wakes as
    /// there can be would not notice one that is not counted. One stays, as a runnable exists.
    #[cold]
    fn desaturate(&self, now: u64) -> u64 {
        let taken = wakes(now) - WAKE;
        // Ordering: Acquire pairs with the Release of each wake that was not counted; one that
        // comes after this finds the count below the limit, and is counted.
        self.0.fetch_sub(taken, Ordering::Acquire) - taken
    }

    /// Whether the poll that began with `seen` would park if it ended now.
    #[inline]
    pub(crate) fn would_park(&self, seen: Seen) -> bool {
        wakes(self.0.load(Ordering::Relaxed)) == seen.0
    }

    /// Ends a poll that returned `Pending`.
    #[inline]
    pub(crate) fn end_pending(&self, seen: Seen) -> End {
        // Ordering: Release publishes the future's state, the home and the registry key to the
        // next owner of the runnable (`wake_by_ref`, `wake_owned`, `abort`). Who goes on with
        // `Again` acquires in `begin_poll`.
        let old = self.0.fetch_sub(seen.0, Ordering::Release);
        if wakes(old) == seen.0 { End::Parked } else { End::Again }
    }

    /// Hands over the outcome. The caller owns the runnable, has dropped the future, written the
    /// outcome, and taken the task off its registry.
    #[inline]
    pub(crate) fn finish(&self) -> Finish {
        // Relaxed: all that the handle did must come before is the free, which sees to that itself.
        if self.0.load(Ordering::Relaxed) & DETACH != 0 {
            return Finish::Detached;
        }
        // Ordering: Release publishes the outcome to the handle; Acquire pairs with the Release of
        // `publish_slot`: the slot may be read.
        let old = self.0.fetch_sub(LIVE, Ordering::AcqRel);
        if old & JWAKER != 0 {
            Finish::WakeJoiner
        } else if old & DETACH != 0 {
            Finish::Late
        } else {
            Finish::Handed
        }
    }

    /// Gives up `LIVE` and the departed handle's `JOIN` after [`Finish::Detached`].
    #[inline]
    pub(crate) fn leave_detached(&self) -> Left {
        // Ordering: Acquire pairs with the Release of every reference dropped before: with none
        // left nobody else can reach this memory, and none can be made.
        if self.0.load(Ordering::Acquire) & REFS == 0 {
            Left::Free
        } else {
            self.leave(LIVE | JOIN)
        }
    }

    /// Gives up `JOIN` after [`Finish::Late`].
    #[inline]
    pub(crate) fn leave_join(&self) -> Left {
        self.leave(JOIN)
    }

    /// Gives up `JWAKER` after [`Finish::WakeJoiner`].
    #[inline]
    pub(crate) fn leave_slot(&self) -> Left {
        self.leave(JWAKER)
    }

    // ---- the join handle ----------------------------------------------------------------------

    /// Whether the outcome is there.
    #[inline]
    pub(crate) fn progress(&self) -> Progress {
        // Ordering: Acquire pairs with the Release of `finish`: the outcome may be read.
        progress_of(self.0.load(Ordering::Acquire))
    }

    /// Offers the slot, just written, to the completer. `Ended`: too late, the slot stays the
    /// handle's, and [`Word::retract_slot`] is due.
    #[inline]
    pub(crate) fn publish_slot(&self) -> Progress {
        // Ordering: Release publishes the slot to `finish`; Acquire pairs with the Release of
        // `finish` when that came first.
        progress_of(self.0.fetch_add(JWAKER, Ordering::AcqRel))
    }

    /// Takes back a slot that was offered after the task had ended.
    pub(crate) fn retract_slot(&self) {
        self.0.fetch_sub(JWAKER, Ordering::Relaxed);
    }

    /// Takes back a slot that was offered in time. `Ended`: the completer has it.
    pub(crate) fn reclaim_slot(&self) -> Progress {
        self.while_live(|now| now - JWAKER)
    }

    /// The handle leaves; `registered` says that the slot is offered, and `Live` then that the
    /// slot's contents are the caller's. `Ended`: the outcome is the handle's, to be dropped before
    /// [`Word::leave_ended`].
    #[inline]
    pub(crate) fn detach(&self, registered: bool) -> Progress {
        if registered {
            return self.while_live(|now| now - JWAKER + DETACH);
        }
        match self.progress() {
            // Ordering: Release keeps the handle's accesses before the completer's free
            // (`last_look`); Acquire pairs with the Release of `finish` when that came first.
            Progress::Live => progress_of(self.0.fetch_add(DETACH, Ordering::AcqRel)),
            Progress::Ended => Progress::Ended,
        }
    }

    /// Gives up `JOIN` after the task has ended and its outcome is gone from the stage.
    #[inline]
    pub(crate) fn leave_ended(&self) -> Left {
        // Relaxed: no hold can be made from none but this, so none is no old value; the free acquires.
        let now = self.0.load(Ordering::Relaxed);
        if now & (HOLDS & !JOIN) == 0 { Left::Free } else { self.leave(JOIN) }
    }

    fn while_live(&self, step: impl Fn(u64) -> u64) -> Progress {
        // Ordering: Acquire, of every load here, pairs with the Release of `finish`.
        let mut now = self.0.load(Ordering::Acquire);
        while now & LIVE != 0 {
            let next = step(now);
            // Ordering: Release keeps the handle's accesses before the completer's free
            // (`last_look`).
            match self.0.compare_exchange_weak(now, next, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return Progress::Live,
                Err(other) => now = other,
            }
        }
        Progress::Ended
    }

    /// Gives up `hold`, which the caller has.
    #[inline]
    fn leave(&self, hold: u64) -> Left {
        // Ordering: Release keeps this hold's accesses before the free of whoever leaves last
        // (`last_look`).
        let old = self.0.fetch_sub(hold, Ordering::Release);
        if (old - hold) & HOLDS == 0 { Left::Free } else { Left::Held }
    }
}

#[inline]
fn wake_of(old: u64) -> Wake {
    if old & LIVE != 0 && wakes(old) == 0 { Wake::Schedule } else { Wake::Nothing }
}

/// How the poll begins of a task that was aborted, or asked to end.
#[cold]
fn begin_last(now: u64) -> Begin {
    let reason = reason_of(now);
    if now & ABORT != 0 { Begin::Abort(reason) } else { Begin::Asked(Seen(wakes(now)), reason) }
}

#[inline]
fn progress_of(word: u64) -> Progress {
    if word & LIVE != 0 { Progress::Live } else { Progress::Ended }
}

#[inline]
fn reason_of(word: u64) -> Reason {
    Reason(((word & REASON) >> REASON_SHIFT) as u8)
}

#[cold]
fn too_many_references() -> ! {
    // Each costs its keeper memory, so this many are a leak in a loop; going on would wrap the count.
    std::process::abort();
}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
