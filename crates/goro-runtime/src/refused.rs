//! Handles to what never became a task of a runtime: they resolve to a cancellation that says why.
//!
//! Such a task is counted nowhere and has no home to go to. It is made only because a handle is a
//! reference to a task; it ends before anybody else knows of it.

use core::future::Future;
use goro_context::{Cause, Kind};
use goro_shim::global::OnceLock;
use goro_task::{Home, JoinHandle, LocalOwner, Meta, Parcel, Registry, Runnable};

/// The home of what has none.
struct Nowhere(Registry<Self>);

impl Nowhere {
    fn home() -> &'static Self {
        static HOME: OnceLock<Nowhere> = OnceLock::new();
        HOME.get_or_init(|| Self(Registry::new()))
    }
}

impl Home for Nowhere {
    fn number(&'static self) -> u32 {
        0
    }

    fn numbered(_: u32) -> &'static Self {
        Self::home()
    }

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

/// Drops `future`; the handle resolves to a cancellation for `cause`.
#[cold]
pub(crate) fn task<F>(future: F, kind: Kind, cause: Cause) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let (task, handle) = goro_task::spawn(future, Nowhere::home(), Meta::new(kind));
    let _ending = task.cancel(cause);
    handle
}

/// As [`task`], for a future that stays on this thread.
#[cold]
pub(crate) fn local<F>(future: F, kind: Kind, cause: Cause) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let (home, owner) = (Nowhere::home(), LocalOwner::new());
    let (task, handle) = goro_task::spawn_local(future, home, &owner, Meta::new(kind));
    let _ending = task.cancel(cause);
    handle
}
