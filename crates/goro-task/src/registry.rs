//! Who waits: the tasks that have parked at a home, for dumps and for shutdown.
//!
//! A task is listed when it first parks and unlisted when it ends, so a task that never parks costs
//! nothing here. One short lock round a table of pointers.
//!
//! Invariants:
//! 1. A listed task is live, so under the lock its header may be read and referenced.
//! 2. Under the lock nothing is called that could call out: wakers, destructors, homes.
//! 3. Once closed, nothing more is listed; who would park is cancelled instead. With what
//!    [`Registry::abort_some`] then finds, every task that ever parks here is reached.
//!
//! Left out: lists that only their owner writes. A dump must be able to read the list of a worker
//! that is stuck, which then needs type-stable memory under it.
#![allow(unsafe_code, reason = "pointers to tasks, which are live while they are listed")]

use core::fmt;
use core::marker::PhantomData;

use goro_context::{Cause, Kind, TaskId, WaitNote};
use goro_shim::lock::Lock;

use crate::abort::AbortHandle;
use crate::header::{Header, Ptr};
use crate::{Home, Parcel, Runnable};

mod places;
#[cfg(all(test, not(loom)))]
mod tests;

use places::Places;

/// The tasks that have first parked at one home and have not ended.
pub struct Registry<H> {
    listed: Lock<Listed>,
    _home: PhantomData<fn(H)>,
}

struct Listed {
    tasks: Places,
    /// Where the next [`Registry::abort_some`] goes on.
    cursor: usize,
    closed: Option<Cause>,
}

// SAFETY: the pointers are used under the registry's lock, to reach headers, which are made to be
// used from any thread. Names no type parameter.
unsafe impl Send for Listed {}

impl Listed {
    fn headers(&self) -> impl Iterator<Item = &Header> {
        // SAFETY: a listed task is live, and is unlisted under the lock before that ends.
        self.tasks.iter().map(|task| unsafe { task.as_ref() })
    }
}

/// What became of a task that was to be listed.
pub(crate) enum Listing {
    /// It has this key.
    Listed(u32),
    /// It is to be cancelled for this cause.
    Closed(Cause),
}

impl<H: Home> Registry<H> {
    /// An empty registry.
    pub fn new() -> Self {
        let listed = Listed { tasks: Places::new(), cursor: 0, closed: None };
        Self { listed: Lock::new(listed), _home: PhantomData }
    }

    /// How many tasks are listed: parked, or on their way to or from a worker after having parked.
    pub fn len(&self) -> usize {
        self.listed.lock().tasks.len()
    }

    /// Whether no task is listed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `f` with each listed task, under the registry's lock.
    ///
    /// `f` must only move data: it must not wake, abort, run or drop a task, nor call into code
    /// that might. Tasks that park or end meanwhile wait for it.
    pub fn for_each(&self, mut f: impl FnMut(&TaskView)) {
        let listed = self.listed.lock();
        for header in listed.headers() {
            f(&TaskView::of(header));
        }
    }

    /// Some of the listed tasks, `most` at most.
    pub fn some(&self, most: usize) -> Vec<TaskView> {
        let mut some = Vec::with_capacity(most);
        let listed = self.listed.lock();
        some.extend(listed.headers().take(most).map(TaskView::of));
        drop(listed);
        some
    }

    /// Handles to up to `most` listed tasks that have been neither asked to end nor aborted, going on at
    /// `cursor`, which begins at 0; none when the end is reached.
    pub fn unasked(&self, cursor: &mut usize, most: usize) -> Vec<AbortHandle> {
        let mut handles = Vec::new();
        let listed = self.listed.lock();
        while *cursor < listed.tasks.capacity() && handles.len() < most {
            if let Some(task) = listed.tasks.get(*cursor) {
                // SAFETY: a listed task is live, and is unlisted under the lock before that ends.
                let word = unsafe { task.as_ref() }.word.snapshot();
                if !word.is_aborted() && word.reason().0 == 0 {
                    // SAFETY: a listed task is live.
                    handles.push(unsafe { AbortHandle::of(task) });
                }
            }
            *cursor += 1;
        }
        drop(listed);
        handles
    }

    /// From now on, a task that would be listed is cancelled for `cause`. Listed ones stay.
    pub fn close(&self, cause: Cause) {
        let mut listed = self.listed.lock();
        let _before = listed.closed.replace(cause);
        listed.cursor = 0;
        drop(listed);
    }

    /// Lists tasks again.
    ///
    /// For the next runtime that uses this home; there must be no task of the last one.
    pub fn reopen(&self) {
        let mut listed = self.listed.lock();
        let _before = listed.closed.take();
        listed.cursor = 0;
        drop(listed);
    }

    /// Aborts up to `max` tasks that are not aborted yet, going on where the last call stopped.
    ///
    /// Those that are parked come back, to be run or cancelled by the caller; the others find the
    /// abort at their next poll. Once [`Aborted::is_last`], all that were listed have been aborted.
    pub fn abort_some(&self, max: usize, cause: &Cause) -> Aborted<H> {
        let (handles, is_last) = self.next_unaborted(max);
        let mut aborted = Aborted { runnables: Vec::new(), parcels: Vec::new(), is_last };
        for handle in handles {
            if let Some(task) = handle.abort_and_own(cause.clone()) {
                // SAFETY: the handle's reference holds the memory.
                if unsafe { task.as_ref() }.table.local {
                    // SAFETY: the abort made us the owner of the runnable, of a local task.
                    aborted.parcels.push(unsafe { Parcel::from_ptr(task) });
                } else {
                    // SAFETY: the abort made us the owner of the runnable, of a task that is sent.
                    aborted.runnables.push(unsafe { Runnable::from_ptr(task) });
                }
            }
        }
        aborted
    }

    /// References to the next tasks, so that they can be aborted after the lock is given back, and
    /// whether those are the last.
    fn next_unaborted(&self, max: usize) -> (Vec<AbortHandle>, bool) {
        let mut handles = Vec::new();
        let mut guard = self.listed.lock();
        let listed = &mut *guard;
        // Keys run up to the capacity at most; vacant ones are skipped.
        let end = listed.tasks.capacity();
        while listed.cursor < end && handles.len() < max {
            if let Some(task) = listed.tasks.get(listed.cursor) {
                // SAFETY: a listed task is live, and is unlisted under the lock before that ends.
                if !unsafe { task.as_ref() }.word.snapshot().is_aborted() {
                    // SAFETY: a listed task is live.
                    handles.push(unsafe { AbortHandle::of(task) });
                }
            }
            listed.cursor += 1;
        }
        let is_last = listed.cursor >= end;
        if is_last {
            listed.cursor = 0;
        }
        drop(guard);
        (handles, is_last)
    }

    /// Gives back the memory of a burst: what is vacant at the end of the table. Looks at every
    /// place under the registry's lock.
    pub fn trim(&self) {
        self.listed.lock().tasks.trim();
    }

    /// Lists `task`, whose runnable the caller possesses.
    pub(crate) fn list(&self, task: Ptr) -> Listing {
        let mut listed = self.listed.lock();
        if let Some(cause) = &listed.closed {
            return Listing::Closed(cause.clone());
        }
        Listing::Listed(listed.tasks.insert(task))
    }

    /// Takes the task listed under `key` off.
    pub(crate) fn unlist(&self, key: u32) {
        self.listed.lock().tasks.remove(key);
    }
}

impl<H: Home> Default for Registry<H> {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`Registry::abort_some`] found.
#[must_use = "the tasks in here are to be run or cancelled; dropped, they are cancelled"]
pub struct Aborted<H: Home> {
    /// Tasks that were parked, to be run or cancelled.
    pub runnables: Vec<Runnable<H>>,
    /// Local tasks that were parked, to be sent to their owner.
    pub parcels: Vec<Parcel<H>>,
    /// Whether the end of the list was reached; the next call begins anew.
    pub is_last: bool,
}

impl<H: Home> fmt::Debug for Aborted<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aborted")
            .field("runnables", &self.runnables)
            .field("parcels", &self.parcels)
            .field("is_last", &self.is_last)
            .finish()
    }
}

/// One listed task, as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// Its id.
    pub id: TaskId,
    /// The kind it belongs to.
    pub kind: Kind,
    /// What it last parked for; of the object's number the low 38 bits.
    pub wait: WaitNote,
    /// When it last parked, on the clock of its home ([`Home::coarse_now`]): the low 20 bits.
    pub since: u32,
    /// What it was doing.
    pub activity: Activity,
    /// Whether it has a join handle.
    pub joinable: bool,
}

/// What a listed task was doing when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// It waits to be woken.
    Parked,
    /// It waits, and nobody has a waker to wake it with: only an abort can reach it.
    Stuck,
    /// It is queued or being polled.
    Runnable,
    /// It is aborted, and its future about to be dropped.
    Aborted,
}

impl TaskView {
    fn of(header: &Header) -> Self {
        let word = header.word.snapshot();
        let (wait, since) = header.wait();
        let activity = if word.is_aborted() {
            Activity::Aborted
        } else if !word.is_parked() {
            Activity::Runnable
        } else if word.is_unreferenced() {
            Activity::Stuck
        } else {
            Activity::Parked
        };
        Self {
            id: header.id(),
            kind: header.kind(),
            wait,
            since,
            activity,
            joinable: word.has_handle(),
        }
    }
}

impl<H> fmt::Debug for Registry<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
