//! One worker's share of a runtime: its queue, its registry of parked tasks, its timers.
//!
//! Invariants:
//! 1. A shard is never freed, and never leaves its hub; hence `&'static`, and hence a task's home
//!    is a number of four bytes with no count.
//! 2. Only the thread that has claimed the queue pushes, pops or counts here. The foreign shard of
//!    a hub, where threads that are not workers spawn and arm timers, is never claimed.
//! 3. `published` is written by the owner at each poll and read by the monitor: it has its own
//!    lines, since two shards' words on one line cost each other three times the price.

use core::any::Any;
use core::future::Future;
use core::task::Waker;
use goro_context::host::{BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use goro_context::{Cause, Kind, TaskId};
use goro_queue::LocalQueue;
use goro_reactor::Parker;
use goro_shim::CachePadded;
use goro_shim::atomic::Ordering;
use goro_shim::time::Instant;
use goro_task::{Ending, Home, Homes, JoinHandle, Meta, Parcel, Registry, Runnable};

use crate::counters::Counters;
use crate::current;
use crate::hub::{Hub, MAX_WORKERS};
use crate::local::Mail;
use crate::mailbox::Mailbox;
use crate::published::Published;
use crate::timers::Timers;

/// A task that is ready to be polled.
pub(crate) type Work = Runnable<Shard>;

/// One worker's share; see the module.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) hub: &'static Hub,
    /// What tasks keep of this home.
    number: u32,
    pub(crate) index: u32,
    pub(crate) queue: LocalQueue<Work>,
    pub(crate) registry: Registry<Shard>,
    pub(crate) timers: Timers,
    pub(crate) parker: Parker,
    /// For local tasks, from threads that are not its worker's.
    pub(crate) mailbox: Mailbox<Mail>,
    pub(crate) published: CachePadded<Published>,
    pub(crate) counters: CachePadded<Counters>,
}

/// The index of a hub's foreign shard.
pub(crate) const FOREIGN: u32 = u32::MAX;

impl Shard {
    /// Makes a shard, for ever.
    pub(crate) fn leak(hub: &'static Hub, index: u32, base: Instant) -> &'static Self {
        SHARDS.leak(|number| Self {
            hub,
            number,
            index,
            queue: if hub.is_unwatched() {
                LocalQueue::with_open_slot()
            } else {
                LocalQueue::new()
            },
            registry: Registry::new(),
            timers: Timers::new(base),
            parker: Parker::new(),
            mailbox: Mailbox::new(),
            published: CachePadded::default(),
            counters: CachePadded::default(),
        })
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.index == FOREIGN
    }

    /// Whether its owners come and go: their timers are kept where nobody has to go to see to them.
    fn is_spare(&self) -> bool {
        self.index >= MAX_WORKERS as u32 && !self.is_foreign()
    }

    /// The shard whose wheel holds what is armed here.
    #[inline]
    fn timekeeper(&self) -> &Self {
        if self.is_spare() { self.hub.foreign() } else { self }
    }

    /// Whether something stands in its ring or its next slot.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.queue.has_next()
    }

    /// Makes a task whose home is here and queues it. On a runtime that is ending, and at its limit,
    /// the future is dropped at once and the handle resolves to a cancellation.
    pub(crate) fn spawn<F>(&'static self, future: F, kind: Kind) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if !self.hub.gate.is_running() {
            if let Some(cause) = self.hub.spawn_refusal() {
                return crate::refused::task(future, kind, cause);
            }
        }
        if !self.hub.limit.admits() {
            return crate::refused::task(future, kind, Cause::Limit);
        }
        self.spawn_admitted(future, kind)
    }

    /// As [`spawn`](Self::spawn), for a task that the hub's gate and its limit have let in.
    pub(crate) fn spawn_admitted<F>(&'static self, future: F, kind: Kind) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, handle) = goro_task::spawn(future, self, Meta::new(kind));
        self.admit(task);
        handle
    }

    /// Counts a task that was just made and queues it. From outside it is cancelled when the hub is
    /// closing by now.
    fn admit(&'static self, task: Work) {
        if !self.is_foreign() {
            // The spawner is itself live, or a worker that has yet to leave, and empties its queue then:
            // a shutdown that does not see the count waits for it all the same.
            self.counters.spawned.add(1);
            self.push(task);
            return;
        }
        let admitted = self.hub.gate.admit(&self.counters.spawned);
        match self.hub.refusal() {
            None if admitted => self.hub.inject(task),
            cause => {
                task.cancel(cause.unwrap_or(Cause::Shutdown));
            }
        }
    }

    /// Owner's thread: to the back of the queue. When the ring is full, half of it goes to the
    /// injector, and the task after it.
    pub(crate) fn push(&'static self, task: Work) {
        match self.queue.push_here(task) {
            Ok(()) => self.hub.pushed_locally(),
            Err(refused) => self.overflow(refused.into_inner()),
        }
    }

    #[cold]
    fn overflow(&'static self, task: Work) {
        match self.queue.overflow_here(task) {
            Ok(overflow) => {
                self.counters.overflows.add(1);
                self.hub.injector.push_overflow(overflow);
                self.hub.announce();
            }
            // Not this thread's queue.
            Err(task) => self.hub.inject(task),
        }
    }

    /// Owner's thread: a woken task, to be run next.
    fn put_next(&'static self, task: Work) {
        match self.queue.put_next_here(task) {
            Ok(None) => self.hub.pushed_locally(),
            Ok(Some(displaced)) => self.push(displaced),
            Err(task) => self.hub.inject(task),
        }
    }
}

static SHARDS: Homes<Shard> = Homes::new();

impl Home for Shard {
    #[inline]
    fn number(&'static self) -> u32 {
        self.number
    }

    #[inline]
    fn numbered(number: u32) -> &'static Self {
        // Mostly it is this very worker's.
        match current::worker() {
            Some(here) if here.number == number => here,
            _ => SHARDS.get(number),
        }
    }

    fn registry(&'static self) -> &'static Registry<Self> {
        &self.registry
    }

    fn schedule(&'static self, task: Work) {
        match current::worker() {
            // A joiner goes to the back: of a batch it would find the next one not yet done, and
            // lie down again for each.
            Some(here) if core::ptr::eq(here.hub, self.hub) => {
                if here.published.behind.load(Ordering::Relaxed) {
                    here.push(task);
                } else {
                    here.put_next(task);
                }
            }
            _ => self.hub.inject(task),
        }
    }

    fn ended(&'static self, ending: Ending) {
        self.hub.limit.leave();
        match current::worker() {
            Some(here) if core::ptr::eq(here.hub, self.hub) => {
                here.published.behind.store(true, Ordering::Relaxed);
                if ending != Ending::Done {
                    here.counters.unfinished(ending).add(1);
                }
                here.counters.finished.add(1);
            }
            _ => {
                let counters = &self.hub.foreign().counters;
                if ending != Ending::Done {
                    counters.unfinished(ending).add_shared(1);
                }
                counters.finished.add_shared(1);
            }
        }
    }

    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        crate::local::schedule(self, parcel);
    }
}

impl Host for Shard {
    fn now(&self) -> Instant {
        self.hub.now()
    }

    fn arm(&'static self, at: Instant, waker: &Waker) -> Result<TimerKey, Gone> {
        let keeper = self.timekeeper();
        let (key, earliest) = keeper.timers.arm(at, waker)?;
        if !earliest {
            return Ok(key);
        }
        if keeper.is_foreign() {
            // Whoever watches the reactor sleeps until this shard's deadline too.
            self.hub.foreign_deadline_moved();
        } else if !current::own().is_some_and(|own| core::ptr::eq(own, self)) {
            // By somebody who kept this host from a task. The token is enough: the owner has taken
            // it before it reads the deadline that it sleeps to, or is woken by it.
            self.hub.nudge(self.index);
        }
        Ok(key)
    }

    fn rearm(&'static self, key: TimerKey, waker: &Waker) -> bool {
        self.timekeeper().timers.rearm(key, waker)
    }

    fn disarm(&'static self, key: TimerKey) {
        self.timekeeper().timers.disarm(key);
    }

    #[inline]
    fn has_fired(&self, at: Instant) -> bool {
        self.timekeeper().timers.has_fired(at)
    }

    fn wake_behind(&'static self, waker: Waker) {
        match current::worker() {
            Some(here) => here.published.behind(move || waker.wake()),
            None => waker.wake(),
        }
    }

    fn spawn(&'static self, future: BoxedFuture, kind: Kind) -> Result<TaskId, BoxedFuture> {
        let refused = !self.hub.gate.is_running() && self.hub.spawn_refusal().is_some();
        if refused || !self.hub.limit.admits() {
            return Err(future);
        }
        // Not `self`, if the thread that asks does not own it: only its owner pushes and counts here.
        let shard = current::worker().filter(|own| core::ptr::eq(own.hub, self.hub));
        Ok(shard.unwrap_or(self.hub.foreign()).spawn_admitted(future, kind).id())
    }

    fn wait_until(&'static self, ready: &mut dyn FnMut() -> bool) -> bool {
        let scripted = self.hub.is_scripted().then(|| self.hub.ground()).flatten();
        scripted.is_some_and(|ground| ground.driver.wait_until(ready))
    }

    fn blocking(&'static self, job: &mut dyn FnMut()) {
        crate::block_on::blocking(job);
    }

    fn spawn_blocking(&'static self, job: Job, _kind: Kind) -> Result<(), Refused> {
        self.hub.job(job)
    }

    fn as_any(&'static self) -> &'static dyn Any {
        self
    }
}

#[cfg(test)]
mod tests;
