//! Which shard this thread works for, if any.
//!
//! Two facts, both without a destructor, so that they can be asked for while the thread ends:
//! whether the thread *is* a worker (and may push to its shard's queue) stands here; which runtime
//! has been entered is the context's host. A worker that blocks inside a poll stops being one
//! until it returns: what it spawns and wakes meanwhile goes to the injector, where others find it.

use core::cell::Cell;
use goro_context::host;
use goro_shim::thread::thread_local;

use crate::hub::Hub;
use crate::shard::Shard;

thread_local! {
    static WORKER: Cell<Option<&'static Shard>> = const { Cell::new(None) };
    /// The runtime whose thread this is, worker or blocking pool.
    static OWNER: Cell<Option<&'static Hub>> = const { Cell::new(None) };
}

/// The shard this thread owns and may push to.
#[inline]
pub(crate) fn worker() -> Option<&'static Shard> {
    WORKER.with(Cell::get)
}

/// The foreign shard of the runtime this thread has entered or works for.
pub(crate) fn entered() -> Option<&'static Shard> {
    let shard = host::current()?.as_any().downcast_ref::<Shard>()?;
    Some(if shard.is_foreign() { shard } else { shard.hub.foreign() })
}

/// The shard to spawn on: the worker's own, or the foreign one of the runtime entered.
#[inline]
pub(crate) fn shard() -> Option<&'static Shard> {
    worker().or_else(entered)
}

/// Whether this is one of the threads of `hub`.
pub(crate) fn is_owned_by(hub: &'static Hub) -> bool {
    OWNER.with(Cell::get).is_some_and(|owner| core::ptr::eq(owner, hub))
}

/// Ends what it stands for when dropped: being a worker, being inside a runtime, or standing aside.
#[derive(Debug)]
pub(crate) struct Scope {
    worker: Option<&'static Shard>,
    owner: Option<&'static Hub>,
    _host: host::Entered,
}

/// Makes this thread `shard`'s worker.
pub(crate) fn work_for(shard: &'static Shard) -> Scope {
    scope(Some(shard), shard, Some(shard.hub))
}

/// Makes this thread one of the blocking pool of `foreign`'s runtime.
pub(crate) fn serve(foreign: &'static Shard) -> Scope {
    scope(None, foreign, Some(foreign.hub))
}

/// Enters the runtime of `foreign`. A worker of that runtime stays its worker.
pub(crate) fn enter(foreign: &'static Shard) -> Scope {
    match worker() {
        Some(own) if core::ptr::eq(own.hub, foreign.hub) => scope(Some(own), own, owner()),
        _ => scope(None, foreign, owner()),
    }
}

/// Enters the runtime of `foreign` as an outsider: this thread is about to block, so whatever it
/// spawns, wakes and arms must be where others find it.
pub(crate) fn step_aside(foreign: &'static Shard) -> Scope {
    scope(None, foreign, owner())
}

fn owner() -> Option<&'static Hub> {
    OWNER.with(Cell::get)
}

fn scope(
    worker: Option<&'static Shard>,
    entered: &'static Shard,
    owner: Option<&'static Hub>,
) -> Scope {
    Scope {
        _host: host::enter(entered),
        worker: WORKER.with(|cell| cell.replace(worker)),
        owner: OWNER.with(|cell| cell.replace(owner)),
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        WORKER.with(|cell| cell.set(self.worker));
        OWNER.with(|cell| cell.set(self.owner));
    }
}
