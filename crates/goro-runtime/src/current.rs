//! Which shard this thread works for, if any.
//!
//! Two facts, both without a destructor, so that they can be asked for while the thread ends:
//! which shard's queue the thread *owns* stands here; which runtime has been entered is the
//! context's host. A thread *is* a worker (and may push to its queue) while its own shard is the
//! host: one that has entered another runtime, or is about to block inside a poll, stops being one
//! until that ends, and what it spawns and wakes meanwhile goes to an injector, where others find
//! it.
//!
//! Invariant: `WORKER` is `OWN` or nothing, and is found out anew whenever a [`Scope`] begins or
//! ends. Remembering what it was before would be wrong for scopes that end in another order than
//! they began (pitfall 63), and for one that outlives the worker.

use core::cell::Cell;
use goro_context::inherit::{self, Head};
use goro_context::{budget, host, note, task};
use goro_shim::thread::thread_local;

use crate::shard::Shard;

thread_local! {
    /// The shard whose queue this thread has claimed.
    static OWN: Cell<Option<&'static Shard>> = const { Cell::new(None) };
    /// The same, while nothing else is entered.
    static WORKER: Cell<Option<&'static Shard>> = const { Cell::new(None) };
}

/// The shard this thread owns and may push to.
#[inline]
pub(crate) fn worker() -> Option<&'static Shard> {
    WORKER.with(Cell::get)
}

/// The shard whose worker this thread is, also while it stands aside or has entered another
/// runtime.
pub(crate) fn own() -> Option<&'static Shard> {
    OWN.with(Cell::get)
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

/// Runs `others` as if the poll that is going on here were on another thread: with the task's context
/// put aside.
pub(crate) fn aside<R>(others: impl FnOnce() -> R) -> R {
    let left = note::take();
    let _nobody = task::nobody();
    let result = budget::with(budget::LIMIT, || inherit::with(&mut Head::EMPTY.clone(), others));
    note::replace(left);
    result
}

/// Ends what it stands for when dropped: being a worker, being inside a runtime, or standing aside.
#[derive(Debug)]
pub(crate) struct Scope {
    host: Option<host::Entered>,
    /// For a scope that made the thread a worker, or an outsider: what the thread owned before.
    owned: Option<Option<&'static Shard>>,
}

/// Makes this thread `shard`'s worker.
pub(crate) fn work_for(shard: &'static Shard) -> Scope {
    let owned = OWN.with(|own| own.replace(Some(shard)));
    scope(shard, Some(owned))
}

/// Enters the runtime of `foreign`. A worker of that runtime stays its worker.
pub(crate) fn enter(foreign: &'static Shard) -> Scope {
    match worker() {
        Some(own) if core::ptr::eq(own.hub, foreign.hub) => scope(own, None),
        _ => scope(foreign, None),
    }
}

/// Enters the runtime of `foreign` as an outsider: this thread is about to block, so whatever it
/// spawns, wakes and arms must be where others find it.
pub(crate) fn step_aside(foreign: &'static Shard) -> Scope {
    scope(foreign, None)
}

/// Makes this thread, whatever it is, a thread that is nobody's worker and has entered the runtime of
/// `foreign`.
pub(crate) fn stand_outside(foreign: &'static Shard) -> Scope {
    let owned = OWN.with(Cell::take);
    scope(foreign, Some(owned))
}

fn scope(entered: &'static Shard, owned: Option<Option<&'static Shard>>) -> Scope {
    let host = Some(host::enter(entered));
    find_out();
    Scope { host, owned }
}

fn find_out() {
    let own = own().filter(|&own| {
        host::current().is_some_and(|host| core::ptr::addr_eq(host, core::ptr::from_ref(own)))
    });
    WORKER.with(|worker| worker.set(own));
}

impl Drop for Scope {
    fn drop(&mut self) {
        drop(self.host.take());
        if let Some(owned) = self.owned {
            OWN.with(|own| own.set(owned));
        }
        find_out();
    }
}
