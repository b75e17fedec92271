//! Guards: who has work in hand that an end is to wait for, and whose spawns it lets through.
//!
//! ```text
//!   guard() ──▶ Guard ──scope, spawn──▶ Covering, an inherited entry ──▶ children, and theirs
//!                 │                        │
//!                 └────────── dropped, and the last heir ended ──▶ left
//! ```
//!
//! Invariants:
//! 1. A guard leaves its unit's books once: when it, its scope and every task that has inherited it are gone.
//!    So a tree of tasks is waited for to its last leaf, and may spawn until then.
//! 2. Guarded is what runs in a guard's scope, not the task that happened to take one: a guard may be moved
//!    to another.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::inherit::{self, Head};
use goro_context::{Cause, CurrentTask, Kind, task};
use goro_shim::Arc;
use goro_task::JoinHandle;
use goro_wait::Key;
use pin_project_lite::pin_project;

use super::unit::Unit;

/// Who has taken a guard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    pub(super) site: &'static Location<'static>,
    pub(super) task: Option<CurrentTask>,
}

impl Holder {
    pub(super) fn here(site: &'static Location<'static>) -> Self {
        Self { site, task: task::current() }
    }
}

/// Work in hand: a [shutdown](crate::ShutdownHandle) waits until it is dropped; from
/// [`ShutdownHandle::guard`](crate::ShutdownHandle::guard).
///
/// Work that is to spawn while the runtime drains runs in the guard's [`scope`](Self::scope), or is
/// [spawned](Self::spawn) through it. The tasks that it spawns are guarded, too: the shutdown waits for the
/// whole tree.
///
/// A clone is another guard, and is had in every phase.
#[must_use = "the shutdown waits only for as long as the guard is there"]
pub struct Guard {
    unit: Arc<Unit>,
    key: Key,
    holder: Holder,
}

impl Guard {
    pub(super) fn new(unit: &Arc<Unit>, key: Key, holder: Holder) -> Self {
        Self { unit: Arc::clone(unit), key, holder }
    }

    /// Runs `future` as guarded work. The guard is dropped after it.
    ///
    /// # Cancel safety
    /// As `future`.
    ///
    /// ```
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let shutdown = goro_runtime::Handle::current().shutdown();
    /// let guard = shutdown.guard().unwrap();
    /// shutdown.initiate("enough");
    /// assert!(goro_runtime::spawn(async {}).await.is_err());
    /// guard
    ///     .scope(async { assert!(goro_runtime::spawn(async {}).await.is_ok()) })
    ///     .await;
    /// # });
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn scope<F: Future>(self, future: F) -> Guarded<F> {
        let (seen, inherited) = (Head::EMPTY, Head::EMPTY);
        Guarded { future, seen, inherited, covering: Covering::new(self) }
    }

    /// Spawns `future` as guarded work on the guard's runtime, also while that drains. Once the runtime is
    /// terminating, the future is dropped and the handle resolves to a cancellation.
    ///
    /// ```
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let shutdown = goro_runtime::Handle::current().shutdown();
    /// let guard = shutdown.guard().unwrap();
    /// shutdown.initiate("enough");
    /// assert_eq!(guard.spawn(async { 7 }).await.unwrap(), 7);
    /// # });
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(Kind::at(Location::caller()), future)
    }

    /// As [`spawn`](Self::spawn), for a task of this name; see
    /// [`task::Builder`](crate::task::Builder::name).
    #[track_caller]
    pub fn spawn_named<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(Kind::named(name, Location::caller()), future)
    }

    pub(super) fn spawn_as<F>(&self, kind: Kind, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let Some(handle) = self.unit.handle() else {
            return crate::refused::task(future, kind, Cause::Shutdown);
        };
        let mut head = inherit::head().push(Covering::new(self.clone()));
        inherit::with(&mut head, || handle.shard().spawn(future, kind))
    }
}

impl Clone for Guard {
    fn clone(&self) -> Self {
        Self::new(&self.unit, self.unit.books.join(self.holder), self.holder)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.unit.leave(self.key);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("site", &self.holder.site).finish_non_exhaustive()
    }
}

/// What guarded work hands on to the tasks that it spawns.
#[derive(Clone)]
struct Covering(Arc<Cover>);

struct Cover {
    guard: Guard,
    /// Of another unit: a group's inside of a runtime's, say.
    outer: Option<Covering>,
}

impl Covering {
    fn new(guard: Guard) -> Self {
        Self(Arc::new(Cover { guard, outer: inherit::find() }))
    }
}

/// Whether the code that runs is guarded by `unit`.
pub(super) fn covers(unit: &Unit) -> bool {
    let mut covering: Option<Covering> = inherit::find();
    while let Some(Covering(cover)) = covering {
        if core::ptr::eq(Arc::as_ptr(&cover.guard.unit), unit) {
            return true;
        }
        covering = cover.outer.clone();
    }
    false
}

pin_project! {
    /// The future of [`Guard::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F> {
        #[pin]
        future: F,
        // What was inherited at the last poll, and that with the cover before it.
        seen: Head,
        inherited: Head,
        covering: Covering,
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Another list than the last time, if the task has been asked to end since: that is not to be hidden.
        let same = inherit::look(|now| !this.inherited.is_empty() && now.is(this.seen));
        if !same {
            *this.seen = inherit::head();
            *this.inherited = this.seen.clone().push(this.covering.clone());
        }
        inherit::with(this.inherited, || this.future.poll(cx))
    }
}

impl<F: fmt::Debug> fmt::Debug for Guarded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("future", &self.future).finish_non_exhaustive()
    }
}
