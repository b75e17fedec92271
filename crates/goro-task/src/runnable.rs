//! The right to poll a task once: [`Runnable`].
//!
//! Invariants:
//! 1. At most one runnable of a task exists, and it exists exactly while the task is live and has
//!    wakes in its state word, or is being polled.
//! 2. A runnable is one pointer, so it can wait in an atomic word; dropped, it cancels the task.
//! 3. `run` never unwinds because of the task: a panic becomes the task's outcome.
//! 4. A task is listed in a registry when it first parks, before the read-modify-write that gives
//!    up the runnable (after it another thread may be running the task), and taken off before
//!    `LIVE` falls.
#![allow(unsafe_code, reason = "the right to poll, as one pointer")]

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;
use core::task::Context;

use goro_context::cancel::Ambient;
use goro_context::task::Identity;
use goro_context::{Cause, Kind, TaskId, inherit, note, task};
use goro_shim::word::Word;

use crate::error::Failure;
use crate::header::{self, Header, Ptr};
use crate::registry::Listing;
use crate::spawn::home_of;
use crate::state::{Begin, End, Finish, Left, Reason, Seen};
use crate::{Home, causes, waker};

/// The right to poll a task once.
///
/// Made by [`spawn`](crate::spawn), and by each wake of a parked task, which hands it to
/// [`Home::schedule`]. Dropping it cancels the task: its future is dropped here and now, and its
/// handle resolves to an error. It is one non-null pointer.
#[must_use = "dropping a runnable cancels its task"]
pub struct Runnable<H: Home> {
    task: Ptr,
    _home: PhantomData<&'static H>,
}

// SAFETY: `spawn` demands a future and an output that may be sent, `H: Home` is `Sync` and is used
// through a shared reference; the header is made to be used from any thread.
unsafe impl<H: Home> Send for Runnable<H> {}
// SAFETY: a shared runnable gives id and kind, which do not change.
unsafe impl<H: Home> Sync for Runnable<H> {}

/// What became of a runnable that was run.
#[must_use = "a task that is to run again is in here"]
pub enum Ran<H: Home> {
    /// It waits. Its next wake makes another runnable.
    Parked,
    /// It was woken while it was polled: it belongs at the back of a queue, not in the next slot.
    Again(Runnable<H>),
    /// It ended.
    Finished(Ending),
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a value.
    Done,
    /// With a panic.
    Panicked,
    /// With its future dropped before it was done.
    Cancelled,
}

/// What became of a task that was driven; [`Ran`] without the runnable.
#[must_use]
pub(crate) enum Driven {
    Parked,
    Again,
    Finished(Ending),
}

impl<H: Home> Runnable<H> {
    /// # Safety
    /// The caller owns the runnable of `task`, whose table was made for `H` and is not local.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task, _home: PhantomData }
    }

    #[inline]
    fn into_ptr(self) -> Ptr {
        core::mem::ManuallyDrop::new(self).task
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: a runnable exists, so `LIVE` holds the memory.
        unsafe { self.task.as_ref() }
    }

    /// Polls the task once, on behalf of `here`.
    ///
    /// The task is the current one ([`goro_context::task::current`]) meanwhile. The first time it
    /// parks, it is listed in the registry of `here`, and its wakes go to `here` from then on. If
    /// that registry is closed, the task is cancelled instead of being parked.
    ///
    /// Panics of the task are its outcome; this never panics because of them.
    #[inline]
    pub fn run(self, here: &'static H) -> Ran<H> {
        let task = self.into_ptr();
        // SAFETY: `self` was the runnable, and it is given up.
        match unsafe { drive::<H>(task, here) } {
            Driven::Parked => Ran::Parked,
            // SAFETY: `drive` gives the runnable back.
            Driven::Again => Ran::Again(unsafe { Self::from_ptr(task) }),
            Driven::Finished(ending) => Ran::Finished(ending),
        }
    }

    /// Drops the task's future here and now; its handle resolves to an error with `cause`.
    ///
    /// Returns [`Ending::Panicked`] if the future's destructor panicked.
    pub fn cancel(self, cause: Cause) -> Ending {
        // SAFETY: `self` was the runnable, and it is given up.
        unsafe { cancel::<H>(self.into_ptr(), cause) }
    }

    /// The task's id and kind, in one word.
    #[inline]
    pub fn identity(&self) -> Identity {
        self.header().identity()
    }

    /// The task's id.
    #[inline]
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// The kind the task belongs to.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.header().kind()
    }
}

impl<H: Home> Drop for Runnable<H> {
    fn drop(&mut self) {
        // SAFETY: this is the runnable, and it is given up.
        unsafe { cancel_quietly::<H>(self.task) };
    }
}

impl<H: Home> fmt::Debug for Runnable<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable").field("id", &self.id()).field("kind", &self.kind()).finish()
    }
}

impl<H: Home> fmt::Debug for Ran<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ran::Parked => f.write_str("Parked"),
            Ran::Again(task) => f.debug_tuple("Again").field(task).finish(),
            Ran::Finished(ending) => f.debug_tuple("Finished").field(ending).finish(),
        }
    }
}

// SAFETY: a runnable is nothing but the pointer to its task, of which at most one runnable exists;
// `into_word` gives it up without dropping it, and `from_word` makes the same one again.
unsafe impl<H: Home> Word for Runnable<H> {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        self.into_ptr().cast()
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: the word came from `into_word`, hence from a runnable of this type.
        unsafe { Self::from_ptr(word.cast()) }
    }
}

/// Polls a task once.
///
/// # Safety
/// The caller possesses the runnable, of a task whose table was made for `H`, on a thread that may
/// poll it, and gives it up unless the answer is `Again`.
// Always: there are two loops that poll, and the one for local tasks asks for it out of line.
#[inline(always)]
pub(crate) unsafe fn drive<H: Home>(task: Ptr, here: &'static H) -> Driven {
    // SAFETY: the runnable holds the memory, until it is given up below.
    let header = unsafe { task.as_ref() };
    let scope = task::turn(header.identity());
    let seen = match header.word.begin_poll() {
        Begin::Poll(seen) => seen,
        Begin::Abort(reason) => {
            let cause = causes::take(header.id(), reason);
            // SAFETY: the runnable is possessed.
            return Driven::Finished(unsafe { cancel_here::<H>(task, cause) });
        }
        // SAFETY: as for this function.
        Begin::Asked(seen, reason) => return unsafe { drive_asked::<H>(task, here, seen, reason) },
    };
    // SAFETY: the waker is lent for this poll only, during which the runnable is possessed.
    let waker = unsafe { waker::lend(task) };
    // SAFETY: the runnable is possessed, and `LIVE` says that the stage holds the future.
    let poll = || unsafe { (header.table.poll)(task, &mut Context::from_waker(&waker)) };
    // SAFETY: the runnable is possessed.
    let ended = unsafe { Header::with_inherited(task, poll) };
    match ended {
        // SAFETY: the runnable is possessed.
        None => unsafe { park::<H>(task, here, seen) },
        Some(ending) => {
            // SAFETY: the runnable is possessed, and the stage holds the outcome.
            unsafe { finish::<H>(task, ending) };
            drop(scope);
            Driven::Finished(ending)
        }
    }
}

/// Polls a task that was asked to end: a token that is cancelled covers what it inherited.
///
/// # Safety
/// As for [`drive`]; the poll has begun with `seen`.
#[cold]
unsafe fn drive_asked<H: Home>(task: Ptr, here: &'static H, seen: Seen, reason: Reason) -> Driven {
    // SAFETY: the runnable holds the memory, until it is given up below.
    let header = unsafe { task.as_ref() };
    let cause = causes::look(header.id(), reason);
    // SAFETY: the waker is lent for this poll only, during which the runnable is possessed.
    let waker = unsafe { waker::lend(task) };
    let poll = || {
        let mut asked = inherit::head().push(Ambient::cancelled(cause));
        // SAFETY: the runnable is possessed, and `LIVE` says that the stage holds the future.
        let poll = || unsafe { (header.table.poll)(task, &mut Context::from_waker(&waker)) };
        inherit::with(&mut asked, poll)
    };
    // SAFETY: the runnable is possessed.
    let ended = unsafe { Header::with_inherited(task, poll) };
    match ended {
        // SAFETY: the runnable is possessed.
        None => unsafe { park::<H>(task, here, seen) },
        Some(ending) => {
            // SAFETY: the runnable is possessed, and the stage holds the outcome.
            unsafe { finish::<H>(task, ending) };
            Driven::Finished(ending)
        }
    }
}

/// Ends a poll that returned `Pending`.
///
/// # Safety
/// As for [`drive`].
#[inline]
unsafe fn park<H: Home>(task: Ptr, here: &'static H, seen: Seen) -> Driven {
    // SAFETY: the runnable holds the memory, until it is given up below.
    let header = unsafe { task.as_ref() };
    if header.word.would_park(seen) {
        header.note_wait(note::take().parked(), here.coarse_now());
        // SAFETY: the runnable is possessed.
        if unsafe { header.key() }.is_none() {
            match here.registry().list(task) {
                Listing::Listed(key) => {
                    // SAFETY: the runnable is possessed, and `here` is of the table's home type.
                    unsafe { header.settle(here.number(), key) };
                    if H::FOLLOWS {
                        // SAFETY: the waker is lent for this call only, and the runnable is possessed.
                        let waker = unsafe { waker::lend(task) };
                        // SAFETY: the runnable is possessed.
                        unsafe { Header::follow(task, &waker) };
                    }
                }
                Listing::Closed(cause) => {
                    // SAFETY: the runnable is possessed.
                    return Driven::Finished(unsafe { cancel_here::<H>(task, cause) });
                }
            }
        }
    }
    match header.word.end_pending(seen) {
        End::Parked => Driven::Parked,
        End::Again => Driven::Again,
    }
}

/// Cancels a task.
///
/// # Safety
/// As for [`drive`]; the runnable is given up.
pub(crate) unsafe fn cancel<H: Home>(task: Ptr, cause: Cause) -> Ending {
    // SAFETY: the runnable holds the memory, until it is given up below.
    let current = unsafe { task.as_ref() }.identity().current();
    let _scope = task::enter(current);
    // SAFETY: the runnable is possessed.
    unsafe { cancel_here::<H>(task, cause) }
}

/// Cancels a task whose runnable was dropped, for the reason it was aborted with, if it was.
///
/// # Safety
/// As for [`drive`]; the runnable is given up.
#[cold]
pub(crate) unsafe fn cancel_quietly<H: Home>(task: Ptr) {
    // SAFETY: the runnable holds the memory.
    let header = unsafe { task.as_ref() };
    let cause = match header.word.begin_poll() {
        Begin::Abort(reason) => causes::take(header.id(), reason),
        Begin::Asked(_, reason) => causes::take(header.id(), reason),
        Begin::Poll(_) => Cause::Cancelled,
    };
    // SAFETY: the runnable is possessed.
    unsafe { cancel::<H>(task, cause) };
}

/// Drops the future in the task's scope, and finishes.
///
/// # Safety
/// As for [`drive`]; the runnable is given up.
unsafe fn cancel_here<H: Home>(task: Ptr, cause: Cause) -> Ending {
    // SAFETY: the runnable holds the memory.
    let header = unsafe { task.as_ref() };
    // SAFETY: the runnable is possessed, and `LIVE` says that the stage holds the future.
    let cancel = || unsafe { (header.table.cancel)(task, Failure::Cancelled(cause)) };
    // SAFETY: the runnable is possessed.
    let ending = unsafe { Header::with_inherited(task, cancel) };
    // SAFETY: the runnable is possessed, and the stage holds the outcome.
    unsafe { finish::<H>(task, ending) };
    ending
}

/// Takes the task off its registry and hands over its outcome.
///
/// # Safety
/// The caller possesses the runnable, which ends here; the stage holds the outcome.
// Called from two places, one of them rare: left to itself the compiler inlines it into neither as soon
// as a crate above has two loops that poll, which costs 2 % of a spawn.
#[inline(always)]
unsafe fn finish<H: Home>(task: Ptr, ending: Ending) {
    // SAFETY: the runnable holds the memory, until the holds are given up below.
    let header = unsafe { task.as_ref() };
    // SAFETY: the runnable is possessed.
    unsafe { Header::disinherit(task) };
    // SAFETY: the runnable is possessed, and the table was made for `H`.
    let home = unsafe { home_of::<H>(task) };
    // SAFETY: the runnable is possessed.
    if let Some(key) = unsafe { header.key() } {
        home.registry().unlist(key);
    }
    home.ended(ending);
    let left = match header.word.finish() {
        Finish::Handed => return,
        Finish::WakeJoiner => {
            // SAFETY: the slot is offered, and `LIVE` has fallen, so it stays as it is.
            let slot = unsafe { header.slot() };
            let left = header.word.leave_slot();
            if left == Left::Free {
                // SAFETY: that was the last hold, and the handle has taken or dropped the outcome.
                unsafe { header::free(task) };
            }
            // SAFETY: the slot was the completer's, and its copy in the header is not used again.
            unsafe { slot.wake() };
            return;
        }
        Finish::Detached => {
            // SAFETY: the outcome is the completer's, the handle having left.
            unsafe { (header.table.drop_outcome)(task) };
            header.word.leave_detached()
        }
        Finish::Late => {
            // SAFETY: as above.
            unsafe { (header.table.drop_outcome)(task) };
            header.word.leave_join()
        }
    };
    if left == Left::Free {
        // SAFETY: that was the last hold, and the outcome is gone.
        unsafe { header::free(task) };
    }
}
