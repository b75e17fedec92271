//! Where a worker looks when its own queue is empty, and how it ends.
//!
//! # What a thief leaves
//!
//! A few tiny tasks that stand in a ring are most often about to be run, and wake each other:
//! whoever takes one has their next words cross over from core to core. So a worker that has had tiny
//! tasks and runs dry watches such a ring for a moment, and takes from it if it does not move. It does not
//! come back to it either: the ring's owner wakes somebody when there is more than it can do
//! (`pace`), and who was woken takes what it finds.

use goro_shim::atomic::fence_seqcst;
use goro_shim::time::{self, Duration};

use super::Worker;
use super::pace::{FEW, TINY};
use crate::closing;
use crate::shard::{Shard, Work};

/// The most tasks taken from the injector at once.
const BATCH: usize = 64;

/// Tiny tasks that a ring's owner must get through, one in each tiny time, while a thief watches.
const MOVES: u64 = 4;

impl Worker {
    /// Looks everywhere once. Counts as a searcher from here on, until something is found or the
    /// worker lies down.
    pub(super) fn search(&self) -> Option<Work> {
        if let Some(task) = self.share_of_injector() {
            return Some(task);
        }
        if self.hub.is_closing() {
            return None;
        }
        let woken = self.searching.get();
        if !woken {
            // More searchers than half the workers only shuffle the same lines. (With no monitor
            // whoever finds no place among them would see the work and not lie down either.)
            let enough = self.hub.idle.searching() * 2 >= self.hub.workers().max(2);
            if enough && !self.hub.is_unwatched() {
                return None;
            }
            self.hub.idle.begin_search();
            self.searching.set(true);
        }
        // With no monitor nobody would come back to what was left.
        self.steal(woken || self.hub.is_unwatched())
    }

    /// A fair share of what came from outside.
    pub(super) fn share_of_injector(&self) -> Option<Work> {
        let waiting = self.hub.injector.len();
        if waiting == 0 {
            return None;
        }
        let share = waiting / self.hub.workers().max(1) as usize + 1;
        let task = self.hub.injector.pop_batch(&self.claim, share.min(BATCH))?;
        if !self.searching.get() {
            // What came along was for a moment neither there nor here; whoever looked then has to be
            // told. (A searcher tells by being one no more.)
            self.hub.pushed_locally();
        }
        Some(task)
    }

    fn had_tiny_polls(&self) -> bool {
        self.pace.is_tiny(self.polls(), self.ground.driver.now())
    }

    fn was_crowded(&self) -> bool {
        self.pace.is_crowded(self.ground.driver.now())
    }

    /// Half of somebody's ring, or the next slot of somebody stuck; begins at a random worker. Unless
    /// `anything` will do, or this worker's last polls were not tiny, a few tasks are left where they
    /// stand while they move.
    fn steal(&self, anything: bool) -> Option<Work> {
        // Asked of the clock, so only when it matters.
        let (mut crowded, mut tiny) = (None, None);
        let crew = self.hub.crew_size();
        let first = self.random.below(crew);
        let victims = (0..crew).map(|i| (first + i) % crew);
        let victims = victims.filter_map(|i| self.hub.crew_shard(i));
        let mut may_watch = true;
        for victim in victims.filter(|v| v.index != self.shard.index) {
            let few = (1..=FEW).contains(&victim.queue.len());
            let left_alone = few && !anything && !victim.published.is_stuck();
            if left_alone && *crowded.get_or_insert_with(|| self.was_crowded()) {
                continue;
            }
            if left_alone && *tiny.get_or_insert_with(|| self.had_tiny_polls()) {
                // One ring in each search: the time is the injector's, too.
                if !core::mem::take(&mut may_watch) || self.sees_moving(victim) {
                    continue;
                }
            }
            if let Some(task) = self.steal_from(victim) {
                self.shard.counters.steals.add(1);
                return Some(task);
            }
        }
        None
    }

    /// Whether the owner gets through what stands in its ring, one tiny task after the other.
    fn sees_moving(&self, victim: &'static Shard) -> bool {
        let left = || victim.queue.left();
        let before = left();
        let mut moved = 0;
        self.ground.driver.linger(TINY * MOVES as u32, &mut || {
            moved = left().wrapping_sub(before);
            moved < MOVES && !victim.queue.is_empty()
        });
        moved >= MOVES
    }

    fn steal_from(&self, victim: &'static Shard) -> Option<Work> {
        if !victim.queue.is_empty() {
            if let Some(task) = victim.queue.steal_half(&self.claim) {
                return Some(task);
            }
        }
        // With no monitor nobody would find out that the victim is stuck.
        let may_take_next = victim.published.is_stuck() || self.hub.is_unwatched();
        if may_take_next { victim.queue.steal_next() } else { None }
    }

    /// Whether this is a spare that has been asked to leave, or a worker of which there are to be fewer,
    /// and nothing keeps it here.
    pub(super) fn is_to_leave(&self) -> bool {
        match self.place {
            Some(place) => self.hub.spares.is_asked(place) && self.locals.may_leave(),
            None => self.hub.posts.is_to_go(self.shard.index) && self.may_go(),
        }
    }

    #[cold]
    fn may_go(&self) -> bool {
        let posts = &self.hub.posts;
        self.locals.are_none() && posts.begin_going(self.shard.index) && self.locals.may_leave()
    }

    /// A spare's end, or a worker's: what stands here goes where others find it, and whoever is to see to it is
    /// woken. Nothing is put in here any more: this thread is no worker from now on.
    pub fn hand_over(&self) {
        self.end();
        while let Some(task) = self.claim.take_next().or_else(|| self.claim.pop()) {
            self.hub.injector.push(task);
        }
        if self.searching.get() {
            self.found();
        }
        self.hub.announce();
        if self.hub.is_unminded() {
            // Others may sleep on their threads because this one had the reactor.
            self.hub.wake_one(&self.ground.driver);
        }
        // A worker's timers are its shard's: who still waits arms anew, where it is polled.
        let mut wakers = Vec::new();
        self.shard.timers.close(&mut wakers);
        crate::observe::wake_each(&mut wakers);
    }

    /// Cancels everything there is, and returns when no task of the runtime is live.
    ///
    /// Every worker cancels whatever it can reach, not only its own: the future whose destructor
    /// lets another worker's poll end may be in that worker's queue. A runnable in a foreign
    /// thread's hand arrives in the injector, so the wait goes on until nothing is live.
    pub fn close_down(&self) {
        let mut nap = Duration::from_micros(50);
        loop {
            let cancelled = self.cancel_all();
            // Partner: the fence in `Shard::admit`. Who was let in has counted its task by now, and
            // who has not will find the runtime closing.
            fence_seqcst();
            if self.hub.live() == 0 {
                self.nobody_is_left();
                break;
            }
            if cancelled > 0 {
                nap = Duration::from_micros(50);
                continue;
            }
            // Somebody is inside a poll, or a waker stands between its wake and its push. The poll
            // may wait for a timer or a socket that nobody else looks at any more.
            self.look_after_all();
            self.shard.parker.sleep(Some(time::now() + nap));
            nap = (nap * 2).min(Duration::from_millis(5));
        }
        // Whoever still naps may leave, too.
        for shard in self.hub.crew_shards() {
            self.ground.driver.unpark(&shard.parker);
        }
    }

    pub(super) fn look_after_all(&self) {
        let (now, mut wakers) = (self.ground.driver.now(), Vec::new());
        for shard in self.hub.all_shards().filter(|shard| shard.timers.is_due(now)) {
            shard.timers.take_due(now, true, &mut wakers);
        }
        self.ground.driver.turn(&mut wakers);
        self.wake(wakers);
    }

    pub(super) fn cancel(&self, task: Work) {
        self.shard.published.begin(task.identity());
        closing::cancel(task, &self.ground);
        let _at_the_end_anyway = self.shard.published.end();
    }
}
