//! What a task is told at its spawn: where it belongs, and what it is one of many of.

use core::fmt;

use goro_context::Kind;
use goro_context::inherit::{self, Head};

use crate::{Ending, Parcel, Registry, Runnable};

/// Where tasks belong: who queues them when they are woken, and who lists them while they wait.
///
/// A home is never freed (`&'static self`), so that a waker which outlives everything still has
/// somewhere to go. Its methods are called on whichever thread wakes or aborts, possibly inside a
/// poll, a destructor or another thread-local's destructor; they must not panic.
pub trait Home: Sync + Sized + 'static {
    /// The registry that lists the tasks which first parked here.
    fn registry(&'static self) -> &'static Registry<Self>;

    /// Queues a task that was parked and has been woken or aborted.
    fn schedule(&'static self, task: Runnable<Self>);

    /// As [`schedule`](Self::schedule), for a local task: the parcel must reach the owner's thread.
    fn schedule_local(&'static self, parcel: Parcel<Self>);

    /// A cheap reading of some clock, below 2^56, in units of the home's choice: when a task
    /// parks, this is noted for dumps. A cached tick does; reading a real clock here would cost
    /// more than everything else that parking does.
    #[inline]
    fn coarse_now(&'static self) -> u64 {
        0
    }

    /// Counts a task that ends, on the thread where it ends, before its handle can tell: whoever
    /// has joined it finds it counted.
    #[inline]
    fn ended(&'static self, _ending: Ending) {}
}

/// What a task is told at its spawn, besides its future and its home.
#[derive(Clone)]
pub struct Meta {
    /// The kind it belongs to.
    pub kind: Kind,
    /// What it inherits: current ([`goro_context::inherit`]) while it is polled, dropped with it.
    pub inherit: Head,
}

impl Meta {
    /// A task of [`Kind::OTHER`] that inherits nothing.
    pub const OTHER: Self = Self { kind: Kind::OTHER, inherit: Head::EMPTY };

    /// A task of this kind that inherits what the current task has.
    #[inline]
    pub fn new(kind: Kind) -> Self {
        Self { kind, inherit: inherit::head() }
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").field("kind", &self.kind).field("inherit", &self.inherit).finish()
    }
}
