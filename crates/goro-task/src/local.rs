//! Tasks whose future may not leave its thread.
//!
//! A local task differs from others in one thing: its runnable exists in two forms. A wake, on
//! whichever thread, makes a [`Parcel`], which may travel but not be opened; only the
//! [`LocalOwner`], which cannot leave its thread, turns a parcel of its own into a
//! [`LocalRunnable`], which cannot leave it either.
//!
//! Invariants:
//! 1. The future is made, polled and dropped on the owner's thread (pitfall 21).
//! 2. A parcel that is dropped leaks its future rather than dropping it on a wrong thread; its
//!    handle then never resolves. Whoever carries parcels keeps the way to the owner open until the
//!    owner's last task has ended.
#![allow(unsafe_code, reason = "parcels carry what only their owner may touch")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use goro_context::task::Identity;
use goro_context::{Cause, Kind, TaskId};
use goro_shim::global::{AtomicU64, Ordering};

use crate::cell::{self, Prefix, TableFor};
use crate::header::{Header, Heir, Ptr};
use crate::runnable::{Driven, Ending, cancel, cancel_quietly, drive};
use crate::spawn::home_of;
use crate::state::Word;
use crate::{Home, JoinHandle, Meta};

/// The thread's right to its local tasks. It cannot leave its thread.
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<goro_task::LocalOwner>();
/// ```
#[derive(Debug)]
pub struct LocalOwner {
    number: u64,
    _here: PhantomData<*const ()>,
}

/// Names a [`LocalOwner`] to other threads, which may make tasks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerId(u64);

impl OwnerId {
    /// As a number that is never zero, to be kept in a word.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The owner that this number names; if it names none, its parcels are opened by nobody.
    pub fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

/// The right to become a [`LocalOwner`], before it is known on which thread. There is one for each
/// owner.
#[derive(Debug)]
pub struct Deed {
    number: u64,
}

impl Deed {
    /// A deed unlike any other in this process.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// What the owner will be called.
    pub fn id(&self) -> OwnerId {
        OwnerId(self.number)
    }

    /// Makes the calling thread the owner's.
    pub fn take_up(self) -> LocalOwner {
        LocalOwner { number: self.number, _here: PhantomData }
    }
}

impl Default for Deed {
    fn default() -> Self {
        Self::new()
    }
}

/// A header, and whose the task is.
#[repr(C)]
struct LocalHeader {
    heir: Heir,
    owner: u64,
}

// SAFETY: the first field begins with the header, and the type is `repr(C)`.
unsafe impl Prefix for LocalHeader {}

/// Makes a local task of `future`; see [`spawn`](crate::spawn).
///
/// The handle may be sent if the output may: the output is read, and the memory freed, wherever the
/// handle is.
pub fn spawn_local<F, H>(
    future: F,
    home: &'static H,
    owner: &LocalOwner,
    meta: Meta,
) -> (LocalRunnable<H>, JoinHandle<F::Output>)
where
    F: Future + 'static,
    F::Output: 'static,
    H: Home,
{
    let (task, handle) = allocate(future, home, owner.number, meta);
    // SAFETY: the task was made with one wake, for the owner on this thread, and nobody else knows
    // it: its runnable is ours.
    (unsafe { LocalRunnable::from_ptr(task) }, handle)
}

/// Makes a local task of another thread's: `make` is called, and its future made, polled and dropped,
/// by the owner of this name, which opens the parcel.
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// use goro_task::{Deed, LocalRan, Meta};
/// let deed = Deed::new();
/// let make = || async { *std::rc::Rc::new(5) };
/// let (parcel, handle) = goro_task::spawn_remote(make, home, deed.id(), Meta::OTHER);
/// let owner = deed.take_up();
/// let task = owner.open(parcel).unwrap();
/// assert!(matches!(task.run(home), LocalRan::Finished(_)));
/// assert_eq!(home.block_on(handle).unwrap(), 5);
/// ```
pub fn spawn_remote<M, F, H>(
    make: M,
    home: &'static H,
    owner: OwnerId,
    meta: Meta,
) -> (Parcel<H>, JoinHandle<F::Output>)
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
    H: Home,
{
    // Until its first poll this future holds nothing but `make`, which may be sent.
    let (task, handle) = allocate(async move { make().await }, home, owner.0, meta);
    // SAFETY: the task was made with one wake, and nobody else knows it: its runnable is ours, to be
    // put in a parcel. What the future holds by now may be sent; what it will hold is made by whoever
    // polls it, which is the owner, on its thread, as is whoever drops it.
    (unsafe { Parcel::from_ptr(task) }, handle)
}

fn allocate<F, H>(
    future: F,
    home: &'static H,
    owner: u64,
    meta: Meta,
) -> (Ptr, JoinHandle<F::Output>)
where
    F: Future + 'static,
    F::Output: 'static,
    H: Home,
{
    let table = const { &TableFor::<LocalHeader, F>::table(schedule::<H>, true, true) };
    let header = Header::new(Word::spawned(), table, home.number(), meta.kind);
    let heir = Heir::new(header, meta.inherit);
    let task = cell::allocate(LocalHeader { heir, owner }, future);
    // SAFETY: the task was made with a `JOIN` hold for a handle, and has this output.
    (task, unsafe { JoinHandle::from_ptr(task) })
}

/// See [`crate::header::Table::schedule`].
unsafe fn schedule<H: Home>(task: Ptr) {
    // SAFETY: the caller possesses the runnable.
    let home = unsafe { home_of::<H>(task) };
    // SAFETY: the runnable is the caller's to give.
    home.schedule_local(unsafe { Parcel::from_ptr(task) });
}

impl LocalOwner {
    /// An owner unlike any other in this process.
    pub fn new() -> Self {
        Deed::new().take_up()
    }

    /// What other threads know it by.
    pub fn id(&self) -> OwnerId {
        OwnerId(self.number)
    }

    /// Opens a parcel.
    ///
    /// # Errors
    /// The parcel, if it is another owner's.
    pub fn open<H: Home>(&self, parcel: Parcel<H>) -> Result<LocalRunnable<H>, Parcel<H>> {
        // SAFETY: a parcel is of a local task, whose allocation begins with a `LocalHeader`, and
        // the runnable in it holds the memory.
        let owner = unsafe { &*parcel.task.as_ptr().cast::<LocalHeader>() }.owner;
        if owner != self.number {
            return Err(parcel);
        }
        let task = ManuallyDrop::new(parcel).task;
        // SAFETY: the runnable was in the parcel, and this is its owner's thread.
        Ok(unsafe { LocalRunnable::from_ptr(task) })
    }
}

impl Default for LocalOwner {
    fn default() -> Self {
        Self::new()
    }
}

/// The right to poll a local task once, on its way to the thread that may.
///
/// Dropping it leaks the task's future.
#[must_use = "dropping a parcel leaks its task"]
pub struct Parcel<H: Home> {
    task: Ptr,
    _home: PhantomData<&'static H>,
}

// SAFETY: a parcel gives no access to the future; `H: Home` is `Sync` and used through a shared
// reference; the header is made to be used from any thread.
unsafe impl<H: Home> Send for Parcel<H> {}
// SAFETY: a shared parcel gives the id, which does not change.
unsafe impl<H: Home> Sync for Parcel<H> {}

impl<H: Home> Parcel<H> {
    /// # Safety
    /// The caller owns the runnable of `task`, a local one whose table was made for `H`.
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task, _home: PhantomData }
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        // SAFETY: the runnable in the parcel holds the memory.
        unsafe { self.task.as_ref() }.id()
    }
}

impl<H: Home> fmt::Debug for Parcel<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel").field("id", &self.id()).finish()
    }
}

/// The right to poll a local task once. It cannot leave its thread; dropping it cancels the task.
///
/// ```compile_fail,E0277
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// fn sent<T: Send>() {}
/// sent::<goro_task::LocalRunnable<home::Line>>();
/// ```
#[must_use = "dropping a runnable cancels its task"]
pub struct LocalRunnable<H: Home> {
    task: Ptr,
    _home: PhantomData<(&'static H, *const ())>,
}

/// What became of a local runnable that was run; see [`Ran`](crate::Ran).
#[must_use = "a task that is to run again is in here"]
pub enum LocalRan<H: Home> {
    /// It waits. Its next wake makes a parcel.
    Parked,
    /// It was woken while it was polled.
    Again(LocalRunnable<H>),
    /// It ended.
    Finished(Ending),
}

impl<H: Home> LocalRunnable<H> {
    /// # Safety
    /// The caller owns the runnable of `task`, a local one whose table was made for `H`, and this
    /// is its owner's thread.
    unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task, _home: PhantomData }
    }

    fn header(&self) -> &Header {
        // SAFETY: a runnable exists, so `LIVE` holds the memory.
        unsafe { self.task.as_ref() }
    }

    /// Polls the task once, on behalf of `here`; see [`Runnable::run`](crate::Runnable::run).
    #[inline(never)]
    pub fn run(self, here: &'static H) -> LocalRan<H> {
        let task = ManuallyDrop::new(self).task;
        // SAFETY: `self` was the runnable, on the owner's thread, and it is given up.
        match unsafe { drive::<H>(task, here) } {
            Driven::Parked => LocalRan::Parked,
            // SAFETY: `drive` gives the runnable back.
            Driven::Again => LocalRan::Again(unsafe { Self::from_ptr(task) }),
            Driven::Finished(ending) => LocalRan::Finished(ending),
        }
    }

    /// Drops the task's future here and now; see [`Runnable::cancel`](crate::Runnable::cancel).
    pub fn cancel(self, cause: Cause) -> Ending {
        // SAFETY: `self` was the runnable, on the owner's thread, and it is given up.
        unsafe { cancel::<H>(ManuallyDrop::new(self).task, cause) }
    }

    /// The task's id and kind, in one word.
    pub fn identity(&self) -> Identity {
        self.header().identity()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// The kind the task belongs to.
    pub fn kind(&self) -> Kind {
        self.header().kind()
    }
}

impl<H: Home> Drop for LocalRunnable<H> {
    fn drop(&mut self) {
        // SAFETY: this is the runnable, on the owner's thread, and it is given up.
        unsafe { cancel_quietly::<H>(self.task) };
    }
}

impl<H: Home> fmt::Debug for LocalRunnable<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRunnable").field("id", &self.id()).field("kind", &self.kind()).finish()
    }
}

impl<H: Home> fmt::Debug for LocalRan<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalRan::Parked => f.write_str("Parked"),
            LocalRan::Again(task) => f.debug_tuple("Again").field(task).finish(),
            LocalRan::Finished(ending) => f.debug_tuple("Finished").field(ending).finish(),
        }
    }
}
