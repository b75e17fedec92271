//! The monitor: sees to what a worker that does not come round cannot.
//!
//! A value with `tick`; the driver gives it a thread that sleeps on the alarm, or steps it. It
//! looks once per period while any worker is awake, and not at all while all of them sleep. A poll is
//! long that it finds at two looks. So when something stands, or is soon due, behind a poll that it sees
//! for the first time, and that goes on when all else is done, it glances there once more before the next
//! period, and if the poll still goes on sees to what is behind it. All else is for the next look.
//!
//! (It goes on for [`QUIET`] looks after the last one fell asleep.)
//!
//! At each tick, for a worker that has begun no poll since the last one, and is inside one or has
//! something standing:
//! - what stands in its ring or next slot is offered to a sleeper (the wake rule leans on this: a
//!   worker shares between two polls, and here the second one does not come);
//! - its timers that are due are fired, unless its lock is taken;
//! - what has stood in the injector for a period is what it sees to first when its poll ends, since the
//!   next one may be as long.
//!
//! For a worker that comes round, but slowly: what has stood in its ring for a period is offered
//! (its polls were tiny a moment ago, and it does not know yet that they are not), and it is asked
//! to look round when timers are overdue, something has stood in the injector for a period, or the
//! runtime is closing.
//!
//! And for the runtime: when nobody has looked at the reactor since the last tick, it does; when every
//! worker is stuck, it adds a spare, and it asks spares to leave that are not needed any more
//! (`stalls`); and when the runtime is closing and everybody is stuck, it cancels what they cannot
//! come to.
//!
//! Invariant: it sleeps only while every worker does, one of them in the reactor, and no spare is
//! left. (A worker that runs dry while the monitor looks finds the reactor taken and sleeps on its
//! thread: then nobody would hear of sockets, nor of the deadlines of outsiders.)

use core::task::Waker;
use goro_context::CurrentTask;
use goro_queue::LocalQueue;
use goro_shim::Arc;
use goro_shim::time::{Duration, Instant};

use crate::alarm::{PERIOD, TurnIn};
use crate::ground::Ground;
use crate::shard::Shard;
use crate::stall::Stall;
use crate::watcher::NOBODY;
use crate::{closing, current};

mod keeping;
mod seen;
mod stalls;

use seen::{Found, Seen};
use stalls::{Round, Stalls};

/// What a tick came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Somebody is awake: tick again in a period.
    On,
    /// A poll may be a long one: [`glance`](Monitor::glance) there soon, and tick again in a period.
    Soon,
    /// Everybody sleeps: the alarm is disarmed until one wakes.
    Off,
    /// The runtime has stopped: the monitor may end.
    Over,
}

/// The monitor; see the module.
#[derive(Debug)]
pub struct Monitor {
    ground: Arc<Ground>,
    /// What it saw of each member of the crew: workers, then the places for spares.
    seen: Vec<Seen>,
    /// How many of them were workers.
    posts: u32,
    /// When the CPU quota was read last.
    asked: Instant,
    stalls: Stalls,
    /// When the last tick was, how often the reactor had been looked at by then, and whether
    /// something stood in the injector.
    before: Instant,
    turns: u64,
    /// Ticks in a row that found everybody asleep.
    quiet: u32,
    injected: bool,
    /// Ticks since memory was last given back.
    untrimmed: u32,
    wakers: Vec<Waker>,
}

/// Every so many ticks, which is every second or more seldom, memory that tasks have left behind and
/// nobody has needed since goes back to the system.
const TRIM: u32 = 1000;

/// So many ticks in a row find everybody asleep before the alarm is disarmed. Arming it again is a
/// system call on the way from a wake to its task, which a program with a little to do all the time
/// would pay for nearly every wake (one in ten wakes of a foreign thread is that much faster).
const QUIET: u32 = 16;

impl Monitor {
    pub(crate) fn new(ground: Arc<Ground>) -> Self {
        let before = ground.driver.now();
        let (seen, stalls) = (Vec::new(), Stalls::new(before));
        let (turns, quiet, injected, untrimmed) = (0, 0, false, 0);
        let wakers = Vec::new();
        let (posts, asked) = (0, before);
        Self {
            ground,
            seen,
            posts,
            asked,
            stalls,
            before,
            turns,
            quiet,
            injected,
            untrimmed,
            wakers,
        }
    }

    /// Looks once.
    pub fn tick(&mut self, now: Instant) -> Watch {
        let hub = self.ground.hub;
        if hub.is_stopped() {
            return Watch::Over;
        }
        self.untrimmed += 1;
        if self.untrimmed == TRIM {
            self.untrimmed = 0;
            goro_task::trim();
        }
        if self.ground.follows.is_due(self.asked, now) {
            self.asked = now;
            self.ground.follow_quota();
        }
        if !hub.all_asleep() {
            self.quiet = 0;
        } else if self.quiet < QUIET {
            self.quiet += 1;
        } else if !self.stalls.has_spares() && self.may_sleep() {
            return Watch::Off;
        }
        let injected = !hub.injector.is_empty();
        let round = self.look_at_crew(now, injected && self.injected);
        self.look_at_reactor(now);
        self.before = now;
        self.injected = injected;
        crate::observe::wake_each(&mut self.wakers);
        let waits = round.offer || injected || !hub.injector.is_empty();
        if waits && hub.idle.wanted() {
            hub.wake_one(&self.ground.driver);
        }
        self.stalls.see_to(&self.ground, &round, waits, now);
        if round.stuck >= round.members && hub.is_closing() {
            self.cancel_all();
        }
        if self.doubted().next().is_some() { Watch::Soon } else { Watch::On }
    }

    /// Whose poll, that something waits behind, the last look was the first to see, and goes on.
    fn doubted(&self) -> impl Iterator<Item = &'static Shard> {
        let hub = self.ground.hub;
        let doubted = (0..).zip(&self.seen).filter(|(_, seen)| seen.doubted);
        doubted.filter_map(|(number, seen)| {
            hub.crew_shard(number).filter(|shard| shard.published.sequence() == seen.sequence)
        })
    }

    /// Looks once more at polls that may be long ones, and at nothing else.
    pub fn glance(&mut self, now: Instant) {
        let hub = self.ground.hub;
        let (mut wakers, mut offer) = (core::mem::take(&mut self.wakers), false);
        for shard in self.doubted() {
            offer |= Self::see_to_what_is_behind(shard, now, &mut wakers);
        }
        crate::observe::wake_each(&mut wakers);
        self.wakers = wakers;
        if (offer || !hub.injector.is_empty()) && hub.idle.wanted() {
            hub.wake_one(&self.ground.driver);
        }
    }

    /// Its owner does not come round. True if something stands there that another may take.
    fn see_to_what_is_behind(shard: &Shard, now: Instant, wakers: &mut Vec<Waker>) -> bool {
        shard.published.set_stuck();
        if shard.timers.is_due(now) {
            shard.timers.take_due(now, false, wakers);
        }
        shard.has_work()
    }

    /// Looks at each member of the crew, and sees to what stands behind those that are stuck.
    fn look_at_crew(&mut self, now: Instant, waits_long: bool) -> Round {
        let hub = self.ground.hub;
        let mut round = Round::default();
        if core::mem::replace(&mut self.posts, hub.posts_used()) != hub.posts_used() {
            // Who is who among the members has changed.
            self.seen.clear();
        }
        for number in 0..hub.crew_size() {
            let Some(shard) = hub.crew_shard(number) else { continue };
            let number = number as usize;
            if number >= self.seen.len() {
                // As if the look before had been this one.
                self.seen.resize_with(number + 1, || Seen::of(shard, now));
            }
            self.look_at(shard, number, (now, waits_long), &mut round);
        }
        round
    }

    fn look_at(
        &mut self,
        shard: &'static Shard,
        number: usize,
        (now, waits_long): (Instant, bool),
        round: &mut Round,
    ) {
        let (hub, plan) = (self.ground.hub, &self.ground.stalls);
        let seen = &mut self.seen[number];
        let counts = hub.stays(shard.index);
        round.members += u32::from(counts);
        let declared = shard.published.is_blocked();
        let found = seen.look(shard, now);
        seen.doubted = found == Found::Well
            && seen.sequence % 2 == 1
            && (shard.has_work() || shard.timers.is_due(now + PERIOD));
        if declared || found != Found::Well {
            if waits_long {
                shard.published.ask_to_look();
            }
            round.offer |= Self::see_to_what_is_behind(shard, now, &mut self.wakers);
        } else if waits_long || shard.timers.is_due(self.before) || hub.is_closing() {
            shard.published.ask_to_look();
        }
        round.offer |= seen.has_stood(shard);
        let (lasted, in_poll) = match found {
            Found::Well if !declared => return,
            Found::Well => (Duration::ZERO, false),
            Found::Stuck { lasted, in_poll } => (lasted, in_poll),
        };
        if counts {
            round.add(lasted, declared);
        }
        if in_poll && !declared && !seen.reported && lasted >= plan.long() {
            seen.reported = true;
            // The poll that was found so long, or nobody: it may have ended meanwhile.
            round.long.extend(shard.published.in_hand_at(seen.sequence).map(|task| {
                let CurrentTask { id, kind } = task;
                Stall { id, kind, worker: shard.index, lasted }
            }));
        }
    }

    /// Cancels what is parked and queued: every worker may be inside a poll that waits for it.
    fn cancel_all(&self) {
        let hub = self.ground.hub;
        let _inside = current::enter(hub.foreign());
        let queue = LocalQueue::new();
        let Some(claim) = queue.claim() else { return };
        closing::cancel_all(hub, &claim, |task| closing::cancel(task, &self.ground));
    }

    fn look_at_reactor(&mut self, now: Instant) {
        let driver = &self.ground.driver;
        if driver.turns() == self.turns {
            driver.turn(&mut self.wakers);
            let foreign = &self.ground.hub.foreign().timers;
            if foreign.is_due(now) {
                foreign.take_due(now, false, &mut self.wakers);
            }
        }
        self.turns = driver.turns();
    }
}

impl TurnIn for Monitor {
    fn disarm(&self) {
        self.ground.driver.disarm();
    }

    fn arm(&self) {
        self.ground.driver.arm();
    }

    fn all_asleep(&self) -> bool {
        let hub = self.ground.hub;
        // A runtime that has stopped has nobody to arm the alarm for it again. Whether spares are there is
        // asked last: one that came for a block since the last look, and sleeps by now, is to be asked
        // to leave, which nobody else does.
        hub.all_asleep() && !hub.is_stopped() && hub.spares.count().present == 0
    }

    fn is_watched(&self) -> bool {
        self.ground.hub.watcher() != NOBODY
    }

    fn wake_one(&self) {
        self.ground.hub.wake_one(&self.ground.driver);
    }
}
