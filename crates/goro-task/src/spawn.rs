//! Making a task.
#![allow(unsafe_code, reason = "turns a fresh allocation into a runnable and a handle")]

use core::future::Future;

use crate::cell::{self, TableFor};
use crate::header::{Header, Heir, Ptr, Table};
use crate::state::Word;
use crate::{Home, JoinHandle, Meta, Runnable};

/// Makes a task of `future`: a runnable, to be queued by the caller, and a handle to wait for it.
///
/// One allocation; nothing runs yet. The task's wakes go to `home` until it first parks, then to
/// the home it parked at ([`Runnable::run`]).
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async { "done" }, home, goro_task::Meta::OTHER);
/// assert!(matches!(runnable.run(home), goro_task::Ran::Finished(goro_task::Ending::Done)));
/// assert_eq!(home.block_on(handle).unwrap(), "done");
/// ```
#[inline]
pub fn spawn<F, H>(future: F, home: &'static H, meta: Meta) -> (Runnable<H>, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    H: Home,
{
    let task = allocate(Word::spawned(), future, home, meta);
    // SAFETY: the task was made with one wake and nobody else knows it: its runnable is ours.
    let runnable = unsafe { Runnable::from_ptr(task) };
    // SAFETY: the task was made with a `JOIN` hold for a handle, and has this output.
    (runnable, unsafe { JoinHandle::from_ptr(task) })
}

/// As [`spawn`], without a handle: the output is dropped as soon as it is there.
#[inline]
pub fn spawn_detached<F, H>(future: F, home: &'static H, meta: Meta) -> Runnable<H>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    H: Home,
{
    let task = allocate(Word::detached(), future, home, meta);
    // SAFETY: the task was made with one wake and nobody else knows it: its runnable is ours.
    unsafe { Runnable::from_ptr(task) }
}

#[inline]
fn allocate<F: Future, H: Home>(word: Word, future: F, home: &'static H, meta: Meta) -> Ptr {
    if meta.inherit.is_empty() {
        let table = const { &TableFor::<Header, F>::table(schedule::<H>, false, false) };
        return cell::allocate(Header::new(word, table, home.number(), meta.kind), future);
    }
    let table = const { &TableFor::<Heir, F>::table(schedule::<H>, false, true) };
    let header = Header::new(word, table, home.number(), meta.kind);
    cell::allocate(Heir::new(header, meta.inherit), future)
}

/// The home whose number the header keeps.
///
/// # Safety
/// The caller possesses the runnable of `task`, whose table was made for `H`.
#[inline]
pub(crate) unsafe fn home_of<H: Home>(task: Ptr) -> &'static H {
    // SAFETY: the runnable holds the memory.
    let header = unsafe { task.as_ref() };
    // SAFETY: the runnable is possessed.
    H::numbered(unsafe { header.home() })
}

/// See [`Table::schedule`].
unsafe fn schedule<H: Home>(task: Ptr) {
    // SAFETY: the caller possesses the runnable.
    let home = unsafe { home_of::<H>(task) };
    // SAFETY: the runnable is the caller's to give.
    home.schedule(unsafe { Runnable::from_ptr(task) });
}

const _: () = {
    // The table is shared by all threads.
    const fn assert_sync<T: Sync>() {}
    assert_sync::<Table>();
};
