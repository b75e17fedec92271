//! Tasks that are sent to a worker of one's choice.

use core::future::{Future, pending};
use core::panic::Location;
use goro_context::{Cause, Kind};
use goro_task::{JoinHandle, Meta, OwnerId};

use super::{Mail, call};
use crate::handle::Handle;
use crate::hub::Hub;
use crate::shard::Shard;

impl Handle {
    /// Starts a task on one worker of this runtime, where it stays: `make` is called there, and the
    /// future that it makes is polled and dropped there, so that need not be `Send`.
    ///
    /// Workers count from 0; which there are, [`metrics`](Self::metrics) says. With one that there is
    /// not, on a runtime that is shutting down, and at the limit of tasks, `make` is dropped at once
    /// and the handle resolves to a cancellation that says why.
    ///
    /// A pinned task waits while its worker is inside a long poll; nobody can take it over.
    ///
    /// # Example
    /// ```
    /// use std::rc::Rc;
    /// let runtime = goro_runtime::Builder::new().workers(2).build()?;
    /// let task = runtime.handle().spawn_pinned(1, || async {
    ///     let here = Rc::new(std::thread::current().id());
    ///     goro_runtime::task::yield_now().await;
    ///     *here == std::thread::current().id()
    /// });
    /// assert!(runtime.block_on(task).unwrap());
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[track_caller]
    pub fn spawn_pinned<M, F>(&self, worker: usize, make: M) -> JoinHandle<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let kind = Kind::at(Location::caller());
        let hub = self.ground().hub;
        match promise(hub, worker) {
            Ok((shard, owner)) => {
                let (parcel, handle) = goro_task::spawn_remote(make, shard, owner, Meta::new(kind));
                shard.mailbox.keep_promise(Mail::New(parcel));
                call(shard);
                handle
            }
            Err(cause) => {
                let never = async move {
                    let _make = make;
                    pending().await
                };
                crate::refused::task(never, kind, cause)
            }
        }
    }
}

/// A place on a worker for a task, which is counted from here on.
fn promise(hub: &'static Hub, worker: usize) -> Result<(&'static Shard, OwnerId), Cause> {
    let workers = hub.workers();
    let shard = u32::try_from(worker).ok().filter(|&index| index < workers);
    let Some(shard) = shard.and_then(|index| hub.shard(index)) else {
        return Err(Cause::new(format!(
            "there is no worker {worker} among the {workers} of this runtime: they count from 0"
        )));
    };
    if let Some(cause) = hub.spawn_refusal() {
        return Err(cause);
    }
    if !hub.limit.admits() {
        return Err(Cause::Limit);
    }
    let Some(owner) = shard.mailbox.promise() else {
        hub.limit.leave();
        return Err(hub.refusal().unwrap_or_else(|| {
            Cause::new(format!("worker {worker} is being sent home: choose another"))
        }));
    };
    let foreign = &hub.foreign().counters;
    let admitted = hub.gate.admit(&foreign.spawned);
    match hub.refusal() {
        None if admitted => Ok((shard, OwnerId::from_u64(owner))),
        cause => {
            shard.mailbox.break_promise();
            hub.limit.leave();
            foreign.finished.add_shared(1);
            Err(cause.unwrap_or(Cause::Shutdown))
        }
    }
}
