//! A pool on real threads: a desk, and who serves at it.
//!
//! Invariants:
//! 1. A refused thread orphans nothing: what counted on it is run by another, given back, or
//!    cancelled for the system's reason.
//! 2. What a thread runs is contained: a job that panics costs no thread.
//! 3. Jobs are dropped and cancelled with no lock held.

use goro_context::Cause;
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::time::{self, Instant};
use std::io;

use super::Config;
use super::waits::Waited;
use crate::desk::{Desk, Lost, NoPlace, Reserved, Unfilled};
use crate::driver::os::{Threads, Tie};
use crate::driver::{Job, Refusal, RefusedJob};
use crate::metrics::PoolMetrics;
use crate::observe;

/// One pool's threads, and the desk they serve at.
#[derive(Debug)]
pub(crate) struct Staff {
    counter: Arc<Counter>,
    threads: Arc<Threads>,
    config: Config,
}

/// What the threads share with the pool.
#[derive(Debug)]
struct Counter {
    desk: Desk<Queued>,
    waited: Waited,
    refused: AtomicU64,
}

#[derive(Debug)]
struct Queued {
    job: Job,
    since: Instant,
}

impl Staff {
    pub(crate) fn new(threads: Arc<Threads>, config: Config) -> Self {
        let desk = Desk::new(config.sizes);
        let (waited, refused) = (Waited::default(), AtomicU64::new(0));
        Self { counter: Arc::new(Counter { desk, waited, refused }), threads, config }
    }

    /// Starts the threads that are to stay, before anybody has the pool.
    pub(crate) fn hire(&self) -> io::Result<()> {
        while self.counter.desk.hire() {
            if let Err(error) = self.start_thread() {
                self.counter.desk.dismiss();
                return Err(error);
            }
        }
        Ok(())
    }

    /// A place for a job.
    pub(crate) fn reserve(&self) -> Result<u64, Refusal> {
        let reserved = self.counter.desk.reserve();
        let taken = match reserved {
            Ok(Reserved { place, start: false }) => Ok(place),
            Ok(Reserved { place, start: true }) => self.start_for(place),
            Err(NoPlace::Full) => Err(Refusal::Full),
            Err(NoPlace::Closed) => Err(Refusal::Closed(Cause::Shutdown)),
        };
        if taken.is_err() {
            self.counter.refused.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    fn start_for(&self, place: u64) -> Result<u64, Refusal> {
        let Err(error) = self.start_thread() else { return Ok(place) };
        match self.counter.desk.lose() {
            Lost::Others(threads) => {
                observe::blocking_thread_refused(&error, threads);
                Ok(place)
            }
            Lost::Orphans(orphans) => {
                for orphan in orphans {
                    orphan.job.cancel(Cause::new(error.to_string()));
                }
                Err(Refusal::NoThread(error))
            }
        }
    }

    fn start_thread(&self) -> io::Result<()> {
        let counter = Arc::clone(&self.counter);
        let tie = if self.config.waited_for { Tie::WaitedFor } else { Tie::LetGo };
        self.threads.start(&self.config.name, tie, move || counter.serve())
    }

    /// Puts a job in its place.
    pub(crate) fn submit(&self, place: u64, job: Job) -> Result<(), RefusedJob> {
        let queued = Queued { job, since: time::now() };
        let unfilled = match self.counter.desk.fill(place, queued) {
            Ok(()) => return Ok(()),
            Err(unfilled) => unfilled,
        };
        self.counter.refused.fetch_add(1, Ordering::Relaxed);
        Err(match unfilled {
            Unfilled::Closed(Queued { job, .. }) => {
                RefusedJob { job, refusal: Refusal::Closed(Cause::Shutdown) }
            }
            Unfilled::Nobody(Queued { job, .. }) => {
                let error = io::Error::other("the thread that was to run it was refused");
                RefusedJob { job, refusal: Refusal::NoThread(error) }
            }
        })
    }

    /// A job will not be run: its place is free again, if no thread has it.
    pub(crate) fn withdraw(&self, place: u64) {
        // Dropped here, after the lock: its task has ended, and this is a reference to it.
        drop(self.counter.desk.withdraw(place));
    }

    /// Ends the pool: what no thread has begun is cancelled, idle threads go home.
    pub(crate) fn close(&self) {
        for queued in self.counter.desk.close() {
            queued.job.cancel(Cause::Shutdown);
        }
    }

    pub(crate) fn metrics(&self) -> PoolMetrics {
        let load = self.counter.desk.load();
        let waits = self.counter.waited.read();
        PoolMetrics {
            name: String::from(&*self.config.name),
            threads: load.threads,
            idle: load.free,
            queued: load.queued,
            begun: waits.count(),
            refused: self.counter.refused.load(Ordering::Relaxed),
            waits,
        }
    }
}

impl Counter {
    /// A pool thread's life.
    fn serve(&self) {
        let parker = Arc::new(Parker::new());
        parker.adopt();
        while let Some(Queued { job, since }) = self.desk.next(&parker) {
            self.waited.record(time::now().saturating_duration_since(since));
            job.run();
            self.desk.done();
        }
    }
}
