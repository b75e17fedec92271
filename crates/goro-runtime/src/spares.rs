//! Spares: workers that stand in for workers that do not come round.
//!
//! A spare is a worker like the others: a thread, a shard of its own, a place in the idle protocol. It
//! takes what stands in the injector and behind whoever is stuck, runs it, and sleeps among the
//! sleepers when there is nothing. What is special is how it comes and how it goes.
//!
//! ```text
//!           take               (its thread sits down)              retire
//!  VACANT ────────▶ PRESENT ─────────────────────────────▶ PRESENT ───────▶ LEAVING
//!    ▲                 │ refused: no thread could be had                       │
//!    └─────────────────┴────────────────────────────────── left ◀──────────────┘
//! ```
//!
//! **Why it comes.** For two reasons, each with a limit of its own:
//! - a *stall*: every member of the crew has been inside one poll for a while, and something waits.
//!   The monitor finds that out, and adds one spare at a time (`monitor/stalls.rs`);
//! - a *declared* block: a worker is about to sleep in `block_on` or `block_in_place`. It is entitled
//!   to a spare until that ends, and asks for it itself, before it sleeps.
//!
//! A spare belongs to no reason: as many are to be present as both together entitle to, so the one
//! that came for a stall serves the next block, and a loop of short blocks starts one thread.
//!
//! **How it goes.** More than were needed at once for a while: the monitor asks the surplus to leave
//! (with no monitor, whoever ends a block does). A spare that is asked finds out between two polls,
//! by its token if it sleeps. It moves what stands in its ring and its next slot to the injector,
//! wakes for that whom a push from outside would, and ends its thread. Only then is its place vacant,
//! so a place's next thread finds the shard's queue unclaimed.
//!
//! | what stands in a spare's shard | when it goes |
//! |---|---|
//! | runnables | moved to the injector, and announced |
//! | parked tasks | stay listed; a wake reaches them through the injector, as from any other thread |
//! | timers | none: a spare arms in the shard of threads that are no workers, minded by whoever sleeps in the reactor |
//! | counters | stay and are summed, for as long as the lease lasts |
//!
//! Invariants:
//! 1. Places change under the lock; their states may be read without it, and are old news then.
//! 2. A thread is asked for by whoever took the place, once, after unlocking; if it is refused the
//!    place is vacant again, and what waited waits on where it was: nothing is handed to a spare.
//! 3. A member is counted in the crew from before its thread is asked for until after its place is
//!    vacant; none joins once the crew is gone. A spare that comes up while the runtime closes finds
//!    that out at its first step, cancels along with the others, and leaves.
//! 4. Entitlements are counted up by whoever declares and down when its guard drops, unwinding
//!    included; never above the limit, so `present` is bounded.
//!
//! Left out: a thread kept for a retired spare. Spares stay a while as it is, and starting a thread
//! takes less time than finding out that one is needed.

use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::lock::Lock;

/// Nobody is here.
const VACANT: u32 = 0;
/// A spare is here, or its thread has been asked for.
const PRESENT: u32 = 1;
/// A spare that has been asked to leave.
const LEAVING: u32 = 2;

/// How many spares there may be, for either reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) stalls: u32,
    pub(crate) blocks: u32,
}

/// A runtime's places for spares; see the module.
#[derive(Debug)]
pub(crate) struct Spares {
    places: Box<[AtomicU32]>,
    roster: Lock<Roster>,
}

#[derive(Debug)]
struct Roster {
    limits: Limits,
    /// Places that are [`PRESENT`].
    present: u32,
    /// Declared blocks, and the most of them at once since the monitor's last look.
    blocks: u32,
    peak: u32,
    /// What the monitor has asked for last, for stalls.
    stalls: u32,
    /// Spares started so far.
    started: u64,
}

/// As many blocks have a spare as may have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtLimit(pub(crate) u32);

impl Spares {
    /// Room for so many; nobody is here.
    pub(crate) fn new(places: usize) -> Self {
        let limits = Limits { stalls: 0, blocks: 0 };
        Self {
            places: (0..places).map(|_| AtomicU32::new(VACANT)).collect(),
            roster: Lock::new(Roster {
                limits,
                present: 0,
                blocks: 0,
                peak: 0,
                stalls: 0,
                started: 0,
            }),
        }
    }

    /// A lease begins; nobody is here.
    pub(crate) fn open(&self, limits: Limits) {
        let mut roster = self.roster.lock();
        *roster = Roster { limits, present: 0, blocks: 0, peak: 0, stalls: 0, started: 0 };
    }

    /// A block begins that is entitled to a spare until [`release`](Self::release).
    pub(crate) fn declare(&self) -> Result<(), AtLimit> {
        let mut roster = self.roster.lock();
        if roster.blocks >= roster.limits.blocks {
            return Err(AtLimit(roster.limits.blocks));
        }
        roster.blocks += 1;
        roster.peak = roster.peak.max(roster.blocks);
        Ok(())
    }

    /// A declared block has ended.
    pub(crate) fn release(&self) {
        self.roster.lock().blocks -= 1;
    }

    /// Takes a place for a declared block, if there are fewer spares than are entitled to.
    pub(crate) fn cover(&self) -> Option<u32> {
        let mut roster = self.roster.lock();
        if roster.present >= roster.entitled() { None } else { self.take(&mut roster) }
    }

    /// Monitor: `stuck` members do not come round, blocks included. With `wanted`, takes a place for one
    /// more spare, unless there are `most` for stalls, or as many as the limit says.
    pub(crate) fn stalled(
        &self,
        stuck: u32,
        wanted: bool,
        most: u32,
    ) -> Result<Option<u32>, AtLimit> {
        let mut roster = self.roster.lock();
        let limit = roster.limits.stalls.min(most);
        roster.stalls = stuck.saturating_sub(roster.blocks).min(limit);
        if !wanted {
            return Ok(None);
        }
        if roster.present >= roster.entitled() {
            return Err(AtLimit(limit));
        }
        Ok(self.take(&mut roster))
    }

    fn take(&self, roster: &mut Roster) -> Option<u32> {
        let vacant = |place: &AtomicU32| place.load(Ordering::Relaxed) == VACANT;
        let place = self.places.iter().position(vacant)?;
        self.places[place].store(PRESENT, Ordering::Relaxed);
        roster.present += 1;
        roster.started += 1;
        Some(place as u32)
    }

    /// No thread could be had for the place.
    pub(crate) fn refused(&self, place: u32) {
        self.roster.lock().started -= 1;
        self.left(place);
    }

    /// Asks spares to leave until no more than `most` are present, and no fewer than declared blocks
    /// are entitled to; of those that `may` go. The caller gives each its token.
    pub(crate) fn retire(&self, most: u32, may: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut roster = self.roster.lock();
        let most = most.max(roster.blocks);
        let mut asked = Vec::new();
        // The last ones first: so the places in use stay few.
        for place in (0..self.places.len() as u32).rev() {
            if roster.present <= most {
                break;
            }
            let state = &self.places[place as usize];
            if state.load(Ordering::Relaxed) == PRESENT && may(place) {
                state.store(LEAVING, Ordering::Relaxed);
                roster.present -= 1;
                asked.push(place);
            }
        }
        asked
    }

    /// Whether the spare at `place` has been asked to leave.
    pub(crate) fn is_asked(&self, place: u32) -> bool {
        self.places[place as usize].load(Ordering::Relaxed) == LEAVING
    }

    /// Whether somebody is at `place` who has not been asked to leave.
    pub(crate) fn is_present(&self, place: u32) -> bool {
        self.places[place as usize].load(Ordering::Relaxed) == PRESENT
    }

    /// The spare at `place` has gone: asked to, with its runtime, or before it came.
    pub(crate) fn left(&self, place: u32) {
        let mut roster = self.roster.lock();
        let state = &self.places[place as usize];
        if state.load(Ordering::Relaxed) == PRESENT {
            roster.present -= 1;
        }
        state.store(VACANT, Ordering::Relaxed);
    }

    /// Monitor: how many there are, and how many blocks were declared at once since the last look.
    pub(crate) fn look(&self) -> (u32, u32) {
        let mut roster = self.roster.lock();
        let (peak, blocks) = (roster.peak, roster.blocks);
        roster.peak = blocks;
        (roster.present, peak)
    }

    /// How many there are, how many blocks are declared, and how many have come so far.
    pub(crate) fn count(&self) -> Count {
        let roster = self.roster.lock();
        Count { present: roster.present, blocks: roster.blocks, started: roster.started }
    }
}

/// How many there are; from [`Spares::count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) present: u32,
    pub(crate) blocks: u32,
    pub(crate) started: u64,
}

impl Roster {
    fn entitled(&self) -> u32 {
        self.blocks + self.stalls
    }
}

#[cfg(not(loom))]
mod start;
#[cfg(not(loom))]
pub(crate) use start::start;

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
