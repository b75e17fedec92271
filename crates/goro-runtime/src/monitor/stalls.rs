//! When the crew gets one more spare, when it is to lose some, and what is reported.
//!
//! A spare is added when *nobody is free*: every member of the crew is inside one poll since the last
//! look or longer, or has declared that it blocks. While one is free, work is its, and a wake-up is
//! what is needed, if anything. With nobody free, one is added at each look
//! - if something waits that could run, and each of the polls has gone on for the threshold;
//! - or, whatever waits, if each has gone on for ten times as long: what comes next finds one ready.
//!
//! As many spares stay as members were stuck at once, or blocks declared, a while ago (`keeping`).
//! The rest are asked to leave, whoever is inside a poll excepted.
//!
//! Left out: telling apart a poll that computes from one that blocks. A spare beside a poll that
//! computes shares its processor; that is the price of the others' going on.

use goro_shim::Arc;
use goro_shim::time::{Duration, Instant};

use super::keeping::Keeping;
use crate::alarm::PERIOD;
use crate::ground::Ground;
use crate::hub::MAX_WORKERS;
use crate::spares::{self, AtLimit};
use crate::stall::Stall;

/// What one look at the crew came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// How many there are that have not been asked to leave.
    pub(super) members: u32,
    /// How many of them are inside one poll since the last look, or have declared a block.
    pub(super) stuck: u32,
    /// The shortest time that one of them has been that has not declared it.
    shortest: Option<Duration>,
    /// Something stands behind one that does not come round, or has stood for a period.
    pub(super) offer: bool,
    /// Polls that have become long since the last look.
    pub(super) long: Vec<Stall>,
}

impl Round {
    /// One is stuck since then, having declared it or not.
    pub(super) fn add(&mut self, lasted: Duration, declared: bool) {
        self.stuck += 1;
        if !declared {
            // A look comes a little before or after its time; half a period decides.
            let lasted = lasted + PERIOD / 2;
            self.shortest = Some(self.shortest.map_or(lasted, |shortest| shortest.min(lasted)));
        }
    }

    fn lasts(&self, at_least: Duration) -> bool {
        self.shortest.is_none_or(|shortest| shortest >= at_least)
    }
}

/// Who is here because of stalls.
#[derive(Debug)]
pub(super) struct Stalls {
    keeping: Keeping,
    /// Spares that are there, at the last look.
    present: u32,
}

impl Stalls {
    pub(super) fn new(now: Instant) -> Self {
        Self { keeping: Keeping::new(now), present: 0 }
    }

    /// Whether spares are there that are to be asked to leave in time.
    pub(super) fn has_spares(&self) -> bool {
        self.present > 0
    }

    /// Sees to the spares after a look at the crew; `waits` says whether something could run.
    pub(super) fn see_to(
        &mut self,
        ground: &Arc<Ground>,
        round: &Round,
        waits: bool,
        now: Instant,
    ) {
        let (hub, plan) = (ground.hub, &ground.stalls);
        let nobody_free = round.stuck >= round.members && !hub.is_closing();
        let enough = if waits { plan.threshold } else { plan.long() };
        let wanted = nobody_free && round.lasts(enough);
        if wanted || self.present > 0 {
            let quota = ground.follows.spares(hub.workers());
            let most = quota.unwrap_or(u32::MAX);
            match hub.spares.stalled(round.stuck, wanted, most) {
                // Refused, it is reported, and asked for again at the next look.
                Ok(Some(place)) => _ = spares::start(ground, place),
                Ok(None) => {}
                Err(AtLimit(limit)) if waits => {
                    ground.reports.exhausted(limit, quota == Some(limit), now);
                }
                Err(_) => {}
            }
        }
        self.keep(ground, round.stuck, now);
        for stall in &round.long {
            plan.tell(stall);
            ground.reports.stall(stall, now);
        }
    }

    /// Asks those to leave who are not needed any more.
    fn keep(&mut self, ground: &Arc<Ground>, needed: u32, now: Instant) {
        let hub = ground.hub;
        // A spare may have come since the last look without a stall, for a block that has ended.
        let (present, blocks) = hub.spares.look();
        self.present = present;
        let most = self.keeping.most(needed.max(blocks), now, ground.stalls.keep);
        if self.present <= most {
            return;
        }
        let is_free = |place| {
            let shard = hub.shard(MAX_WORKERS as u32 + place);
            shard.is_none_or(|shard| shard.published.sequence() % 2 == 0)
        };
        for place in hub.spares.retire(most, is_free) {
            hub.unpark(MAX_WORKERS as u32 + place, &ground.driver);
        }
    }
}
