//! The timer thread's heap, and the thread.
//!
//! Invariants:
//! 1. What is armed stands in `wakers` by its key; a heap entry whose key is not there was
//!    cancelled. Cancelled entries are at most half of the heap (beyond a small constant).
//! 2. Deadlines fire in their order, equal ones in the order of arming, never early.
//! 3. Wakers are cloned, woken and dropped outside the lock; one that panics holds nobody up.
//! 4. Whoever arms the earliest deadline unparks the thread after unlocking. The thread writes its
//!    handle under the lock before its first look, so an arm sees the handle or is seen.
//! 5. Whoever finds no thread starts one, outside the lock. Refused, it takes back its own
//!    deadline, and wakes the wakers of those who had relied on it: they arm again, and are told.

use core::cmp::Reverse;
use core::task::Waker;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;

use goro_shim::global::Lock;
use goro_shim::thread::{self, Thread};
use goro_shim::{fork, time};
use time::Instant;

use crate::contain;
use crate::host::{BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use crate::kind::Kind;
use crate::task::TaskId;

/// Wakers fired between two locks.
const BATCH: usize = 64;
/// Cancelled heap entries below which cleaning up is not worth it.
const SLACK: usize = 64;

/// Deadlines, and the thread that keeps them.
pub(super) struct Timers {
    state: Lock<State>,
    start: fn(&'static Timers) -> io::Result<()>,
}

struct State {
    heap: BinaryHeap<Reverse<(Instant, u64)>>,
    wakers: BTreeMap<u64, Waker>,
    last_key: u64,
    thread: Keeper,
    /// How often the thread has looked.
    #[cfg(test)]
    looks: usize,
}

/// The state of the thread's life, with the fork it was started after.
enum Keeper {
    None,
    Starting(u64),
    Running(u64, Thread),
}

/// What an arm must still do once the lock is given back.
enum Owed {
    Nothing,
    Unpark(Thread),
    Start,
}

impl Timers {
    pub(super) const fn new(start: fn(&'static Timers) -> io::Result<()>) -> Self {
        Self {
            state: Lock::new(State {
                heap: BinaryHeap::new(),
                wakers: BTreeMap::new(),
                last_key: 0,
                thread: Keeper::None,
                #[cfg(test)]
                looks: 0,
            }),
            start,
        }
    }

    pub(super) fn armed(&self) -> usize {
        self.state.lock().wakers.len()
    }

    /// The thread's life.
    pub(super) fn keep(&'static self) {
        self.state.lock().thread = Keeper::Running(fork::generation(), thread::current());
        let mut due = Vec::with_capacity(BATCH);
        loop {
            let next = self.state.lock().collect(time::now(), &mut due);
            if due.is_empty() {
                match next {
                    Some(at) => thread::park_timeout(at.saturating_duration_since(time::now())),
                    None => thread::park(),
                }
            }
            for waker in due.drain(..) {
                // Panic: the waker may, and its drop; the others are woken all the same.
                contain::quietly(move || waker.wake());
            }
        }
    }

    #[cold]
    fn begin(&'static self, key: u64) -> Result<(), Gone> {
        if (self.start)(self).is_ok() {
            return Ok(());
        }
        let mut stranded = {
            let mut state = self.state.lock();
            state.thread = Keeper::None;
            state.heap = BinaryHeap::new();
            core::mem::take(&mut state.wakers)
        };
        let own = stranded.remove(&key);
        for waker in stranded.into_values() {
            // Panic: as in `keep`.
            contain::quietly(move || waker.wake());
        }
        contain::quietly(move || drop(own));
        Err(Gone)
    }
}

impl State {
    /// Moves the wakers of a batch of due deadlines to `due`; the point in time to look again.
    fn collect(&mut self, now: Instant, due: &mut Vec<Waker>) -> Option<Instant> {
        #[cfg(test)]
        {
            self.looks += 1;
        }
        while let Some(&Reverse((at, key))) = self.heap.peek() {
            if !self.wakers.contains_key(&key) {
                self.heap.pop();
            } else if at <= now && due.len() < BATCH {
                self.heap.pop();
                due.extend(self.wakers.remove(&key));
            } else {
                return Some(at);
            }
        }
        // Nothing is left: memory of a burst goes back.
        self.heap = BinaryHeap::new();
        None
    }

    fn insert(&mut self, at: Instant, waker: Waker) -> (u64, Owed) {
        self.last_key += 1;
        let key = self.last_key;
        let earliest = self.heap.peek().is_none_or(|Reverse((first, _))| at < *first);
        self.heap.push(Reverse((at, key)));
        self.wakers.insert(key, waker);
        let fork = fork::generation();
        let owed = match &self.thread {
            Keeper::Running(of, thread) if *of == fork && earliest => Owed::Unpark(thread.clone()),
            Keeper::Running(of, _) | Keeper::Starting(of) if *of == fork => Owed::Nothing,
            // None yet, or it stayed behind in the parent of this process.
            _ => {
                self.thread = Keeper::Starting(fork);
                Owed::Start
            }
        };
        (key, owed)
    }

    /// Takes a waker out; its heap entry stays until it comes up, or too many have.
    fn remove(&mut self, key: u64) -> Option<Waker> {
        let waker = self.wakers.remove(&key)?;
        if self.heap.len() > 2 * self.wakers.len() + SLACK {
            let wakers = &self.wakers;
            self.heap.retain(|Reverse((_, key))| wakers.contains_key(key));
            self.heap.shrink_to_fit();
        }
        Some(waker)
    }
}

impl Host for Timers {
    fn now(&self) -> Instant {
        time::now()
    }

    fn arm(&'static self, at: Instant, waker: &Waker) -> Result<TimerKey, Gone> {
        // Panic: the clone may, before anything has changed.
        let waker = waker.clone();
        let (key, owed) = self.state.lock().insert(at, waker);
        match owed {
            Owed::Nothing => {}
            Owed::Unpark(thread) => thread.unpark(),
            Owed::Start => self.begin(key)?,
        }
        Ok(TimerKey(key))
    }

    fn rearm(&'static self, key: TimerKey, waker: &Waker) -> bool {
        match self.state.lock().wakers.get(&key.0) {
            None => return false,
            Some(armed) if armed.will_wake(waker) => return true,
            Some(_) => {}
        }
        // Panic: the clone may; the former waker stays.
        let waker = waker.clone();
        let former = match self.state.lock().wakers.get_mut(&key.0) {
            Some(armed) => Ok(core::mem::replace(armed, waker)),
            None => Err(waker),
        };
        // Dropped here, outside the lock, one or the other.
        former.is_ok()
    }

    fn disarm(&'static self, key: TimerKey) {
        let waker = self.state.lock().remove(key.0);
        drop(waker);
    }

    fn spawn(&'static self, future: BoxedFuture, _kind: Kind) -> Result<TaskId, BoxedFuture> {
        Err(future)
    }

    fn blocking(&'static self, job: &mut dyn FnMut()) {
        job();
    }

    fn spawn_blocking(&'static self, job: Job, _kind: Kind) -> Result<(), Refused> {
        let why = "the timer thread runs no jobs";
        Err(Refused(job, io::Error::new(io::ErrorKind::Unsupported, why)))
    }
}

/// Starts the thread that keeps `timers`.
pub(super) fn start(timers: &'static Timers) -> io::Result<()> {
    fork::watch();
    thread::start("goro-timer".into(), None, || timers.keep()).map(drop)
}

#[cfg(test)]
mod tests;
