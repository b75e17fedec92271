//! Where blocking jobs wait, and how the threads that run them come and go.
//!
//! A job first gets a *place*, which is where the limits are looked at and a thread is asked for;
//! then the place is *filled*. In between, the job is made, so that whoever is refused a place still
//! has its closure. Places are numbered, and jobs taken in the order of their places.
//!
//! ```text
//!  submitter                         thread
//!  reserve ──▶ Start: start one ─────▶ next ─┬─ a job ──▶ run it ──▶ done ─┐
//!     │           └─ refused: lost          │                            │
//!  fill ──▶ the longest-awake sleeper       ├─ none: lie down, sleep ◀────┘
//!     └──▶ Nobody: nobody is left to come   └─ slept for the keep-alive: leave
//! ```
//!
//! Invariants, under the lock:
//! 1. `free` counts the threads without a job: asleep, called, on their way, or being started. Each
//!    of them looks at the queue before it sleeps or leaves.
//! 2. A thread is asked for whenever more places are taken than threads are free, up to the most.
//! 3. No thread leaves that a reserved place may have counted on, and none below the least. Those
//!    that stay only for such places are no more than these, and are called first.
//! 4. A job is never left for nobody: a place is filled only while there are threads, and who learns
//!    that the last of them was refused takes out all that wait.
//! 5. Once closed, nothing is put in, and what stood there has been taken out.
//!
//! Nothing of the user's is called in here, and no job dropped: what is taken out is handed back.
//!
//! Left out: order between jobs that run, and ending one (nothing can).

use goro_reactor::{Nudge, Parker};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::time::{self, Duration};
use std::collections::BTreeMap;

/// How many threads, how many jobs, how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Threads that stay, with nothing to do.
    pub(crate) least: usize,
    /// Threads there can be; at least one.
    pub(crate) most: usize,
    /// Jobs that may wait beyond those that a thread can take at once.
    pub(crate) queue: usize,
    /// How long a thread stays with nothing to do.
    pub(crate) keep_alive: Duration,
}

/// Where jobs wait; see the module.
#[derive(Debug)]
pub(crate) struct Desk<T> {
    state: Lock<State<T>>,
    sizes: Sizes,
}

#[derive(Debug)]
struct State<T> {
    /// The number of the next place.
    next: u64,
    /// Places taken and not filled yet.
    reserved: usize,
    waiting: BTreeMap<u64, T>,
    /// Who sleeps; the one that lay down last is called first, so that the others' time runs out.
    asleep: Vec<Sleeper>,
    threads: usize,
    free: usize,
    closed: bool,
}

#[derive(Debug)]
struct Sleeper {
    parker: Arc<Parker>,
    /// Its time has run out, and it stays for a place that is reserved; it sleeps until it is called.
    stays: bool,
}

/// A place for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) place: u64,
    /// A thread is to be started before the place is filled.
    pub(crate) start: bool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// All threads are taken, and as many jobs wait as may.
    Full,
    /// Nothing is put in any more.
    Closed,
}

/// A job that was not put in.
#[derive(Debug)]
pub(crate) enum Unfilled<T> {
    /// Nothing is put in any more.
    Closed(T),
    /// The thread that was to come was refused, and there is no other.
    Nobody(T),
}

/// What a refused thread leaves.
#[derive(Debug)]
pub(crate) enum Lost<T> {
    /// So many other threads exist: the place stands.
    Others(usize),
    /// None: the place is given up, and these wait for nobody.
    Orphans(Vec<T>),
}

/// How many of what there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) threads: usize,
    pub(crate) free: usize,
    pub(crate) queued: usize,
}

impl<T> State<T> {
    /// Jobs that are there or about to be.
    fn places(&self) -> usize {
        self.reserved + self.waiting.len()
    }

    /// A thread that has no job goes for good.
    fn leave(&mut self) {
        self.free -= 1;
        self.threads -= 1;
    }
}

impl<T> Desk<T> {
    pub(crate) fn new(sizes: Sizes) -> Self {
        let state = State {
            next: 0,
            reserved: 0,
            waiting: BTreeMap::new(),
            asleep: Vec::new(),
            threads: 0,
            free: 0,
            closed: false,
        };
        Self { state: Lock::new(state), sizes }
    }

    /// How many threads there are, and how many jobs wait.
    pub(crate) fn load(&self) -> Load {
        let state = self.state.lock();
        let (threads, free) = (state.threads, state.free);
        Load { threads, free, queued: state.places() }
    }

    /// A place for a job.
    pub(crate) fn reserve(&self) -> Result<Reserved, NoPlace> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(NoPlace::Closed);
        }
        let takers = state.free + (self.sizes.most - state.threads);
        if state.places() >= takers.saturating_add(self.sizes.queue) {
            return Err(NoPlace::Full);
        }
        state.reserved += 1;
        let place = state.next;
        state.next += 1;
        let start = state.places() > state.free && state.threads < self.sizes.most;
        if start {
            state.threads += 1;
            state.free += 1;
        }
        Ok(Reserved { place, start })
    }

    /// Room for one of the threads that are to stay, if some are missing; it is to be started.
    pub(crate) fn hire(&self) -> bool {
        let mut state = self.state.lock();
        let missing = !state.closed && state.threads < self.sizes.least;
        if missing {
            state.threads += 1;
            state.free += 1;
        }
        missing
    }

    /// A thread from [`hire`](Self::hire) was refused.
    pub(crate) fn dismiss(&self) {
        self.state.lock().leave();
    }

    /// The thread that was to be started for a place was refused.
    pub(crate) fn lose(&self) -> Lost<T> {
        let mut state = self.state.lock();
        state.leave();
        if state.threads > 0 {
            return Lost::Others(state.threads);
        }
        state.reserved -= 1;
        let orphans = core::mem::take(&mut state.waiting);
        drop(state);
        Lost::Orphans(orphans.into_values().collect())
    }

    /// Puts a job in its place, and calls a thread for it.
    pub(crate) fn fill(&self, place: u64, job: T) -> Result<(), Unfilled<T>> {
        let sleeper = {
            let mut state = self.state.lock();
            state.reserved -= 1;
            if state.closed {
                return Err(Unfilled::Closed(job));
            }
            if state.threads == 0 {
                return Err(Unfilled::Nobody(job));
            }
            state.waiting.insert(place, job);
            let first = state.asleep.iter().rposition(|sleeper| sleeper.stays);
            let first = first.or(state.asleep.len().checked_sub(1));
            first.map(|at| state.asleep.remove(at))
        };
        if let Some(sleeper) = sleeper {
            sleeper.call();
        }
        Ok(())
    }

    /// Takes the job at `place` back, if no thread has it yet.
    pub(crate) fn withdraw(&self, place: u64) -> Option<T> {
        self.state.lock().waiting.remove(&place)
    }

    /// Thread: the next job to run; `None` when the thread is to end. Sleeps in between.
    pub(crate) fn next(&self, parker: &Arc<Parker>) -> Option<T> {
        let mut rested = false;
        loop {
            let until = {
                let mut state = self.state.lock();
                // Still there if the sleep ended by itself.
                state.asleep.retain(|sleeper| !Arc::ptr_eq(&sleeper.parker, parker));
                if let Some((_, job)) = state.waiting.pop_first() {
                    state.free -= 1;
                    return Some(job);
                }
                let (resident, counted_on) =
                    (state.threads <= self.sizes.least, state.free <= state.reserved);
                if state.closed || (rested && !resident && !counted_on) {
                    state.leave();
                    return None;
                }
                let stays = rested && counted_on;
                state.asleep.push(Sleeper { parker: Arc::clone(parker), stays });
                let limited = !resident && !stays;
                limited.then(|| time::now().checked_add(self.sizes.keep_alive)).flatten()
            };
            rested = !parker.sleep(until);
        }
    }

    /// Thread: the job is done, and the thread free again.
    pub(crate) fn done(&self) {
        self.state.lock().free += 1;
    }

    /// Sends all threads home as they become free; what no thread has begun comes back.
    pub(crate) fn close(&self) -> Vec<T> {
        let (waiting, asleep) = {
            let mut state = self.state.lock();
            state.closed = true;
            (core::mem::take(&mut state.waiting), core::mem::take(&mut state.asleep))
        };
        asleep.iter().for_each(Sleeper::call);
        waiting.into_values().collect()
    }
}

impl Sleeper {
    fn call(&self) {
        if self.parker.give() == Nudge::Thread {
            self.parker.wake_thread();
        }
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests;
