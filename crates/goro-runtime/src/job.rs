//! A closure on its way to the blocking pool.
//!
//! Invariant: a job is run or cancelled, and its handle learns which; dropped unrun it counts as
//! cancelled.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use goro_context::contain::quietly;
use goro_context::{Cause, CurrentTask, Kind, budget};
use goro_shim::Arc;
use goro_shim::global::OnceLock;
use goro_task::{Ending, Home, JoinHandle, Meta, Parcel, Ran, Registry, Runnable};

use crate::current;
use crate::ground::Ground;
use crate::observe;
use crate::shard::Shard;

/// A closure on its way to the blocking pool; see the module.
pub struct Job(Body);

enum Body {
    /// One that somebody has a handle of.
    Task {
        task: Runnable<Pool>,
        foreign: &'static Shard,
        /// Held while it waits and runs, so that the hub is not handed on meanwhile.
        ground: Arc<Ground>,
    },
    /// One that nobody has.
    Plain(goro_context::host::Job, Arc<Ground>),
}

impl Job {
    /// A closure that nobody has a handle of.
    pub(crate) fn plain(job: goro_context::host::Job, ground: Arc<Ground>) -> Self {
        Self(Body::Plain(job, ground))
    }

    /// The closure as somebody's handle knows it, if there is one.
    #[must_use]
    pub fn task(&self) -> Option<CurrentTask> {
        match &self.0 {
            Body::Task { task, .. } => Some(CurrentTask { id: task.id(), kind: task.kind() }),
            Body::Plain(..) => None,
        }
    }

    /// Runs the closure on this thread.
    pub fn run(self) {
        match self.0 {
            Body::Task { task, foreign, ground } => {
                let kind = task.kind();
                let _inside = current::enter(foreign);
                if let Ran::Finished(Ending::Panicked) = task.run(Pool::home()) {
                    observe::blocking_panicked(kind, &ground.name);
                }
            }
            Body::Plain(job, ground) => {
                let _inside = current::enter(ground.hub.foreign());
                // Panic: nobody has its handle, so nobody but the log can be told.
                if !quietly(job) {
                    observe::job_panicked();
                }
            }
        }
    }

    /// Drops the closure; its handle resolves to a cancellation for `cause`.
    pub fn cancel(self, cause: Cause) {
        match self.0 {
            Body::Task { task, .. } => {
                let _ending = task.cancel(cause);
            }
            // Panic: dropping what the closure has captured may.
            Body::Plain(job, _) => {
                quietly(|| drop(job));
            }
        }
    }

    /// The closure back, if nobody has a handle of it.
    pub(crate) fn into_plain(self) -> Option<goro_context::host::Job> {
        match self.0 {
            Body::Plain(job, _) => Some(job),
            Body::Task { .. } => None,
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Body::Task { task, .. } => f.debug_tuple("Job").field(task).finish(),
            Body::Plain(..) => f.debug_struct("Job").finish_non_exhaustive(),
        }
    }
}

/// A closure as a future that is done at its first poll.
struct Blocking<F>(Option<F>);

// The closure is moved out to be called, never pinned.
impl<F> Unpin for Blocking<F> {}

impl<F: FnOnce() -> T, T> Future for Blocking<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let job = self.0.take().expect("a blocking job is polled once");
        Poll::Ready(budget::with(budget::LIMIT, job))
    }
}

/// The home of blocking jobs. They are polled once, so nothing ever parks here or is woken.
struct Pool(Registry<Self>);

impl Pool {
    fn home() -> &'static Self {
        static HOME: OnceLock<Pool> = OnceLock::new();
        HOME.get_or_init(|| Self(Registry::new()))
    }
}

impl Home for Pool {
    fn registry(&'static self) -> &'static Registry<Self> {
        &self.0
    }

    fn schedule(&'static self, task: Runnable<Self>) {
        drop(task);
    }

    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        drop(parcel);
    }
}

/// Queues a closure on the blocking pool of `ground`.
pub(crate) fn start<F, T>(ground: Arc<Ground>, job: F, kind: Kind) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (task, handle) = goro_task::spawn(Blocking(Some(job)), Pool::home(), Meta::new(kind));
    let driver = Arc::clone(&ground.driver);
    let foreign = ground.hub.foreign();
    if let Some(cause) = ground.hub.refusal() {
        let _ending = task.cancel(cause);
        return handle;
    }
    if let Err(refused) = driver.job(Job(Body::Task { task, foreign, ground })) {
        let cause = foreign.hub.refusal().unwrap_or_else(|| {
            observe::job_refused(kind, &refused.error);
            Cause::new(refused.error.to_string())
        });
        refused.job.cancel(cause);
    }
    handle
}
