//! Which task is being polled on this thread.
//!
//! Invariants:
//! 1. A [`Scope`] costs a handful of loads and stores; it puts back task and wait note as they
//!    were, so a nested `block_on` leaves no trace in the task around it.
//! 2. Scopes may be dropped in any order: the youngest living one decides.
//!
//! Left out: the budget. Tasks run one after the other from the next slot share one, so the worker
//! resets it, not the scope.

use core::marker::PhantomData;
use core::num::NonZeroU64;

use crate::kind::{self, Kind};
use crate::layers::{Layers, Ticket};
use crate::note::{self, WaitNote};

mod id;

use id::ID_BITS;
pub use id::{TaskId, date_ids, redate_ids};

/// The task that is being polled on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentTask {
    /// Its id.
    pub id: TaskId,
    /// The kind it belongs to.
    pub kind: Kind,
}

const _: () = assert!(kind::CAP <= 1 << (u64::BITS - ID_BITS));

/// A new task's id and its kind, in one word.
///
/// ```
/// use goro_context::{Kind, task::Identity};
/// let identity = Identity::of_new(Kind::OTHER);
/// assert_eq!(identity.current().id, identity.id());
/// assert_eq!(identity.current().kind, Kind::OTHER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity(u64);

impl Identity {
    /// No task's.
    const NOBODY: Self = Self(0);

    /// The identity of a task of this kind, with an id that nobody has had.
    #[inline]
    pub fn of_new(kind: Kind) -> Self {
        Self(TaskId::next().get() | u64::from(kind.index()) << ID_BITS)
    }

    /// The id.
    #[inline]
    pub const fn id(self) -> TaskId {
        match NonZeroU64::new(self.0 % (1 << ID_BITS)) {
            Some(id) => TaskId(id),
            // No id is zero.
            None => TaskId(NonZeroU64::MIN),
        }
    }

    /// The kind.
    #[inline]
    pub const fn kind(self) -> Kind {
        Kind::numbered((self.0 >> ID_BITS) as u32)
    }

    /// The identity as a word, which is not zero; [`from_bits`](Self::from_bits) is the inverse.
    #[inline]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The identity that a word from [`to_bits`](Self::to_bits) stands for; `None` for zero.
    #[inline]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits == 0 { None } else { Some(Self(bits)) }
    }

    /// Both.
    #[inline]
    pub const fn current(self) -> CurrentTask {
        CurrentTask { id: self.id(), kind: self.kind() }
    }
}

impl From<CurrentTask> for Identity {
    /// Of an id that is not one of this process's, the low 52 bits count.
    #[inline]
    fn from(task: CurrentTask) -> Self {
        let kind = u64::from(task.kind.index()) << ID_BITS;
        Self((task.id.get() % (1 << ID_BITS)) | kind)
    }
}

local! {
    /// Zero where no task is polled.
    static CURRENT: Layers<Identity> = Layers::new(Identity::NOBODY)
}

/// The task being polled on this thread, if a goro runtime polls it.
///
/// `None` on plain threads and under other executors.
#[inline]
pub fn current() -> Option<CurrentTask> {
    let Identity(bits) = CURRENT.with(Layers::get);
    Identity::from_bits(bits).map(Identity::current)
}

/// Declares that `task` is polled on this thread until the scope is dropped.
///
/// The wait note starts empty; that of the code around comes back with the scope's end. The budget
/// is left alone (see [`budget::reset`](crate::budget::reset)).
///
/// ```
/// use goro_context::{CurrentTask, Kind, TaskId, task};
/// let this = CurrentTask { id: TaskId::next(), kind: Kind::OTHER };
/// let scope = task::enter(this);
/// assert_eq!(task::current(), Some(this));
/// drop(scope);
/// assert_eq!(task::current(), None);
/// ```
#[inline]
#[must_use = "the task is current until the scope is dropped"]
pub fn enter(task: CurrentTask) -> Scope {
    Scope {
        ticket: CURRENT.with(|layers| layers.enter(task.into())),
        note: note::replace(WaitNote::NOTHING),
        _here: PhantomData,
    }
}

/// Declares that `task` is polled on this thread until the turn is dropped: [`enter`] for whoever
/// drops its turns in order, as an executor's loop does, and needs no note from before kept. It
/// saves thirty instructions on each poll.
///
/// ```
/// use goro_context::{Kind, task};
/// let identity = task::Identity::of_new(Kind::OTHER);
/// let turn = task::turn(identity);
/// assert_eq!(task::current(), Some(identity.current()));
/// drop(turn);
/// assert_eq!(task::current(), None);
/// ```
#[inline]
#[must_use = "the task is current until the turn is dropped"]
pub fn turn(task: impl Into<Identity>) -> Turn {
    note::clear();
    Turn { before: CURRENT.with(|layers| layers.swap(task.into())), _here: PhantomData }
}

/// Declares that no task is polled on this thread until the turn is dropped: for whoever does
/// something else in the middle of a poll, as a nested loop does.
///
/// ```
/// use goro_context::{Kind, task};
/// let _polled = task::turn(task::Identity::of_new(Kind::OTHER));
/// let elsewhere = task::nobody();
/// assert_eq!(task::current(), None);
/// drop(elsewhere);
/// assert!(task::current().is_some());
/// ```
#[must_use = "no task is current until the turn is dropped"]
pub fn nobody() -> Turn {
    Turn { before: CURRENT.with(|layers| layers.swap(Identity::NOBODY)), _here: PhantomData }
}

/// A task is current on this thread until this is dropped; made by [`turn`] and [`nobody`].
#[derive(Debug)]
pub struct Turn {
    before: Identity,
    _here: PhantomData<*const ()>,
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|layers| layers.swap(self.before));
    }
}

/// A task is current on this thread until this is dropped; made by [`enter`].
#[derive(Debug)]
pub struct Scope {
    ticket: Ticket<Identity>,
    note: WaitNote,
    _here: PhantomData<*const ()>,
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|layers| layers.leave(&self.ticket));
        note::replace(self.note);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
