//! Asking this thread's host to run something: a task, a job, or blocking code right here.
//!
//! For crates that must not know the runtime. With no host entered, nothing is started in secret:
//! the value comes back.

use core::future::Future;
use std::io;

use crate::host::{self, BoxedFuture, Job, Refused};
use crate::kind::Kind;
use crate::task::TaskId;

/// Runs `future` as a task of this thread's host.
///
/// # Errors
/// The future back, boxed, if no host is entered or it accepts no task.
pub fn spawn(
    future: impl Future<Output = ()> + Send + 'static,
    kind: Kind,
) -> Result<TaskId, BoxedFuture> {
    let future: BoxedFuture = Box::pin(future);
    match host::current() {
        Some(host) => host.spawn(future, kind),
        None => Err(future),
    }
}

/// Runs `job` on a thread of this thread's host that may block.
///
/// # Errors
/// The job back, with the reason: no host is entered, or it accepts no job.
pub fn spawn_blocking(job: impl FnOnce() + Send + 'static, kind: Kind) -> Result<(), Refused> {
    let job: Job = Box::new(job);
    match host::current() {
        Some(host) => host.spawn_blocking(job, kind),
        None => Err(Refused(
            job,
            io::Error::new(io::ErrorKind::Unsupported, "no runtime is entered on this thread"),
        )),
    }
}

/// Runs `f` here, having told the host (if there is one) that this thread is about to block, so
/// that others can take over its work.
///
/// ```
/// let line = goro_context::spawn::blocking(|| "read without holding anybody up");
/// assert_eq!(line.len(), 31);
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    let Some(host) = host::current() else { return f() };
    let mut job = Some(f);
    let mut answer = None;
    host.blocking(&mut || {
        if let Some(f) = job.take() {
            answer = Some(f());
        }
    });
    match (answer, job) {
        (Some(answer), _) => answer,
        // The host did not run it, against its contract: it has to be done all the same.
        (None, Some(f)) => f(),
        (None, None) => {
            unreachable!("the host swallowed a panic of the job's; let it pass through")
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
