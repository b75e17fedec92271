//! Threads on which blocking is harmless.
//!
//! A job goes through one unbounded queue to whichever thread of the pool is idle. A thread is
//! started when more jobs wait than threads are idle, up to a limit, and ends after having been
//! idle for a while.
//!
//! Invariants:
//! 1. `idle` counts threads that wait or have been asked for and will wait; `queued` counts jobs
//!    sent or about to be sent. Both change under the lock, sending happens outside of it.
//! 2. A job is never queued for nobody: when a thread is refused and no other exists, it comes
//!    back to the caller with the error. When others exist, it waits for one of them; and whoever
//!    learns that the last of them was refused, too, cancels what waits.
//! 3. A thread does not end while `queued` is not zero.
//! 4. Closing drops the jobs that no thread has begun, which cancels their handles; who sends one
//!    as the pool closes looks afterwards whether it still has to.
//!
//! Left out: ordering between jobs, and ending a job that runs (nothing can).

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use goro_context::Cause;
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_shim::thread;
use goro_shim::time::Duration;
use std::io;

use crate::driver::os::Threads;
use crate::driver::{Job, RefusedJob};

/// How large the pool may grow and how long an idle thread stays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) threads: usize,
    pub(crate) keep_alive: Duration,
}

#[derive(Debug, Default)]
struct Load {
    threads: usize,
    idle: usize,
    queued: usize,
    closed: bool,
}

#[derive(Debug)]
struct Shared {
    load: Lock<Load>,
    jobs: Receiver<Job>,
    limits: Limits,
}

/// The blocking pool; see the module.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    sender: Lock<Option<Sender<Job>>>,
    threads: Arc<Threads>,
}

/// What submitting a job calls for.
enum Plan {
    /// A thread is idle, or the pool is as large as it may be.
    Queue,
    /// Start a thread first.
    Start,
    /// The pool is closed.
    Refuse,
}

impl Pool {
    pub(crate) fn new(threads: Arc<Threads>, limits: Limits) -> Self {
        let (sender, jobs) = crossbeam_channel::unbounded();
        let shared = Arc::new(Shared { load: Lock::default(), jobs, limits });
        Self { shared, sender: Lock::new(Some(sender)), threads }
    }

    /// How many threads there are, and how many jobs wait.
    pub(crate) fn load(&self) -> (usize, usize) {
        let load = self.shared.load.lock();
        (load.threads, load.queued)
    }

    /// Has `job` run on a thread of the pool.
    pub(crate) fn submit(&self, job: Job) -> Result<(), RefusedJob> {
        match self.shared.plan() {
            Plan::Queue => self.send(job),
            Plan::Refuse => Err(closed(job)),
            Plan::Start => match self.start_thread() {
                Ok(()) => self.send(job),
                Err(error) => self.without_thread(job, error),
            },
        }
    }

    /// No thread could be had: the job waits for another one, if there is another one.
    fn without_thread(&self, job: Job, error: io::Error) -> Result<(), RefusedJob> {
        let left = {
            let mut load = self.shared.load.lock();
            load.threads -= 1;
            load.idle -= 1;
            if load.threads == 0 {
                load.queued -= 1;
            }
            load.threads
        };
        if left == 0 {
            self.shared.cancel_orphans(&error);
            return Err(RefusedJob { job, error });
        }
        crate::observe::blocking_thread_refused(&error, left);
        self.send(job)
    }

    fn start_thread(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        self.threads.start("blocking", move || shared.serve())
    }

    fn send(&self, job: Job) -> Result<(), RefusedJob> {
        let sender = self.sender.lock().clone();
        let sent = match sender {
            Some(sender) => sender.send(job).map_err(crossbeam_channel::SendError::into_inner),
            None => Err(job),
        };
        match sent {
            Ok(()) => {
                if self.shared.load.lock().closed {
                    self.shared.cancel_queued();
                }
                Ok(())
            }
            Err(job) => {
                self.shared.load.lock().queued -= 1;
                Err(closed(job))
            }
        }
    }

    /// Ends the pool: what no thread has begun is dropped, idle threads go home.
    pub(crate) fn close(&self) {
        self.shared.load.lock().closed = true;
        let sender = self.sender.lock().take();
        drop(sender);
        self.shared.cancel_queued();
    }
}

fn closed(job: Job) -> RefusedJob {
    RefusedJob { job, error: io::Error::other("the runtime has stopped; its blocking pool too") }
}

impl Shared {
    fn plan(&self) -> Plan {
        let mut load = self.load.lock();
        if load.closed {
            return Plan::Refuse;
        }
        load.queued += 1;
        if load.queued <= load.idle || load.threads >= self.limits.threads {
            return Plan::Queue;
        }
        load.threads += 1;
        load.idle += 1;
        Plan::Start
    }

    /// Cancels what no thread has begun.
    fn cancel_queued(&self) {
        while let Ok(job) = self.jobs.try_recv() {
            self.load.lock().queued -= 1;
            job.cancel(Cause::Shutdown);
        }
    }

    /// The last thread there was to be has been refused: cancels what others have queued for it,
    /// and waits for what they are about to, unless somebody can have a thread after all.
    fn cancel_orphans(&self, error: &io::Error) {
        loop {
            {
                let load = self.load.lock();
                if load.threads > 0 || load.queued == 0 || load.closed {
                    return;
                }
            }
            match self.jobs.try_recv() {
                Ok(job) => {
                    self.load.lock().queued -= 1;
                    job.cancel(Cause::new(error.to_string()));
                }
                Err(_) => thread::yield_now(),
            }
        }
    }

    /// A pool thread's life.
    fn serve(&self) {
        loop {
            match self.jobs.recv_timeout(self.limits.keep_alive) {
                Ok(job) => {
                    let closed = {
                        let mut load = self.load.lock();
                        load.idle -= 1;
                        load.queued -= 1;
                        load.closed
                    };
                    if closed {
                        job.cancel(Cause::Shutdown);
                    } else {
                        job.run();
                    }
                    self.load.lock().idle += 1;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let mut load = self.load.lock();
                    if load.queued == 0 {
                        load.idle -= 1;
                        load.threads -= 1;
                        return;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let mut load = self.load.lock();
                    load.idle -= 1;
                    load.threads -= 1;
                    return;
                }
            }
        }
    }
}
