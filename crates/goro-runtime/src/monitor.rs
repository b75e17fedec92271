//! The monitor: sees to what a worker that does not come round cannot.
//!
//! A value with `tick`; the driver gives it a thread that sleeps on the alarm, or steps it. It
//! looks once per period while any worker is awake, and not at all while all of them sleep.
//!
//! (It goes on for [`QUIET`] looks after the last one fell asleep.)
//!
//! At each tick, for a worker that has begun no poll since the last one, and is inside one or has
//! something standing:
//! - what stands in its ring or next slot is offered to a sleeper (the wake rule leans on this: a
//!   worker shares between two polls, and here the second one does not come);
//! - its timers that are due are fired, unless its lock is taken.
//!
//! For a worker that comes round, but slowly: what has stood in its ring for a period is offered
//! (its polls were tiny a moment ago, and it does not know yet that they are not), and it is asked
//! to look round when timers are overdue or something has stood in the injector for a period.
//!
//! And for the runtime: when nobody has looked at the reactor since the last tick, it does; and when
//! the runtime is closing and every worker is stuck, it cancels what they cannot come to.
//!
//! Invariant: it sleeps only while every worker does, and one of them in the reactor. (A worker
//! that runs dry while the monitor looks finds the reactor taken and sleeps on its thread: then
//! nobody would hear of sockets, nor of the deadlines of outsiders.)
//!
//! Left out: spare workers. With every worker inside a long poll, tasks wait; timers and sockets
//! are noticed, but what they wake is run by nobody until a poll ends.

use core::task::Waker;
use goro_queue::LocalQueue;
use goro_shim::Arc;
use goro_shim::time::Instant;

use crate::alarm::TurnIn;
use crate::ground::Ground;
use crate::shard::Shard;
use crate::watcher::NOBODY;
use crate::{closing, current};

/// What a tick came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Somebody is awake: tick again in a period.
    On,
    /// Everybody sleeps: the alarm is disarmed until one wakes.
    Off,
    /// The runtime has stopped: the monitor may end.
    Over,
}

/// The monitor; see the module.
#[derive(Debug)]
pub struct Monitor {
    ground: Arc<Ground>,
    seen: Vec<Seen>,
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

/// What the last tick saw of one worker.
#[derive(Debug)]
struct Seen {
    sequence: u64,
    standing: bool,
}

/// So many ticks in a row find everybody asleep before the alarm is disarmed. Arming it again is a
/// system call on the way from a wake to its task, which a program with a little to do all the time
/// would pay for nearly every wake (one in ten wakes of a foreign thread is that much faster).
const QUIET: u32 = 16;

impl Monitor {
    pub(crate) fn new(ground: Arc<Ground>) -> Self {
        let sequence = |shard: &Shard| shard.published.sequence();
        let shards = ground.hub.shards();
        let seen = shards.map(|s| Seen { sequence: sequence(s), standing: false }).collect();
        let before = ground.driver.now();
        let (turns, quiet, injected, untrimmed) = (0, 0, false, 0);
        Self { ground, seen, before, turns, quiet, injected, untrimmed, wakers: Vec::new() }
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
        if !hub.all_asleep() {
            self.quiet = 0;
        } else if self.quiet < QUIET {
            self.quiet += 1;
        } else if self.may_sleep() {
            return Watch::Off;
        }
        let injected = !hub.injector.is_empty();
        let waits_long = injected && self.injected;
        let mut offer = injected;
        let mut stuck = 0;
        for (shard, seen) in hub.shards().zip(&mut self.seen) {
            let overdue = shard.timers.is_due(self.before);
            if seen.is_stuck(shard) {
                stuck += 1;
                shard.published.set_stuck();
                offer |= shard.has_work();
                if shard.timers.is_due(now) {
                    shard.timers.take_due(now, false, &mut self.wakers);
                }
            } else if overdue || waits_long {
                shard.published.ask_to_look();
            }
            offer |= seen.has_stood(shard);
        }
        self.look_at_reactor(now);
        self.before = now;
        self.injected = injected;
        crate::observe::wake_each(&mut self.wakers);
        if (offer || !hub.injector.is_empty()) && hub.idle.wanted() {
            hub.wake_one(&*self.ground.driver);
        }
        if stuck == hub.workers() && hub.is_closing() {
            self.cancel_all();
        }
        Watch::On
    }

    /// Cancels what is parked and queued: every worker may be inside a poll that waits for it.
    fn cancel_all(&self) {
        let hub = self.ground.hub;
        let _inside = current::enter(hub.foreign());
        let queue = LocalQueue::new();
        let Some(claim) = queue.claim() else { return };
        closing::cancel_all(hub, &claim, |task| closing::cancel(task, &self.ground.name));
    }

    fn look_at_reactor(&mut self, now: Instant) {
        let driver = &*self.ground.driver;
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
        // A runtime that has stopped has nobody to arm the alarm for it again.
        self.ground.hub.all_asleep() && !self.ground.hub.is_stopped()
    }

    fn is_watched(&self) -> bool {
        self.ground.hub.watcher() != NOBODY
    }

    fn wake_one(&self) {
        self.ground.hub.wake_one(&*self.ground.driver);
    }
}

impl Seen {
    /// Whether the worker has begun no poll since the last look, although there is one to end or
    /// something to do. (Between two polls it may be running wakers, which can be the user's.)
    fn is_stuck(&mut self, shard: &Shard) -> bool {
        let sequence = shard.published.sequence();
        let unmoved = sequence == core::mem::replace(&mut self.sequence, sequence);
        unmoved && (sequence % 2 == 1 || shard.has_work())
    }

    /// Whether something stood in the ring at the last look and at this one.
    fn has_stood(&mut self, shard: &Shard) -> bool {
        let standing = !shard.queue.is_empty();
        let before = core::mem::replace(&mut self.standing, standing);
        standing && before
    }
}
