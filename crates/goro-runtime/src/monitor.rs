//! The monitor: sees to what a worker inside a long poll cannot.
//!
//! A value with `tick`; the driver gives it a thread that sleeps on the alarm, or steps it. It
//! looks once per period while any worker is awake, and not at all while all of them sleep.
//!
//! At each tick, for a worker that has been in one poll since the last tick:
//! - what stands in its ring or next slot is offered to a sleeper (the wake rule leans on this: a
//!   worker shares between two polls, and here the second one does not come);
//! - its timers that are due are fired, unless its lock is taken.
//!
//! And for the runtime: when nobody has looked at the reactor since the last tick, it does.
//!
//! Left out: spare workers. With every worker inside a long poll, tasks wait; timers and sockets
//! are noticed, but what they wake is run by nobody until a poll ends.

use core::task::Waker;
use goro_shim::Arc;
use goro_shim::atomic::fence_seqcst;
use goro_shim::time::Instant;

use crate::ground::Ground;
use crate::hub::Hub;

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
    /// Each worker's sequence at the last tick.
    sequences: Vec<u64>,
    turns: u64,
    wakers: Vec<Waker>,
}

impl Monitor {
    pub(crate) fn new(ground: Arc<Ground>) -> Self {
        let sequences = vec![0; ground.hub.workers() as usize];
        Self { ground, sequences, turns: 0, wakers: Vec::new() }
    }

    /// Looks once.
    pub fn tick(&mut self, now: Instant) -> Watch {
        let hub = self.ground.hub;
        if hub.is_stopped() {
            return Watch::Over;
        }
        if Self::all_asleep(hub) {
            self.ground.driver.disarm();
            // Partner: the fence in `Worker::wake_up`: either it sees the alarm disarmed, or it is
            // seen awake here.
            fence_seqcst();
            if Self::all_asleep(hub) && !hub.is_stopped() {
                return Watch::Off;
            }
            self.ground.driver.arm();
        }
        let mut offer = false;
        for (shard, last) in hub.shards().zip(&mut self.sequences) {
            let sequence = shard.published.sequence();
            let same_poll = sequence % 2 == 1 && sequence == *last;
            *last = sequence;
            if same_poll {
                shard.published.set_stuck();
                offer |= !shard.queue.is_empty() || shard.queue.has_next();
                if shard.timers.is_due(now) {
                    shard.timers.take_due(now, false, &mut self.wakers);
                }
            }
        }
        let turns = self.ground.driver.turns();
        if turns == self.turns {
            self.ground.driver.turn(&mut self.wakers);
            let foreign = &hub.foreign().timers;
            if foreign.is_due(now) {
                foreign.take_due(now, false, &mut self.wakers);
            }
        }
        self.turns = self.ground.driver.turns();
        crate::observe::wake_each(self.wakers.drain(..));
        if (offer || !hub.injector.is_empty()) && hub.idle.wanted() {
            hub.wake_one(&*self.ground.driver);
        }
        Watch::On
    }

    fn all_asleep(hub: &Hub) -> bool {
        hub.idle.sleeping() == hub.workers()
    }
}
