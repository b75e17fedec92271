//! Aborting a task from elsewhere: [`AbortHandle`], [`AbortOnDrop`].
//!
//! Invariants:
//! 1. An abort never drops the future itself: it makes the task runnable, and whoever may poll it
//!    drops it (a local task's future is dropped on its own thread; pitfall 21).
//! 2. An abort finds at most one runnable to own, so a task is queued at most once (pitfall 24).
#![allow(unsafe_code, reason = "a counted pointer to the header")]

use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Kind, TaskId};

use crate::error::JoinError;
use crate::header::{Header, Ptr};
use crate::state::Wake;
use crate::{JoinHandle, causes, waker};

/// Aborts a task; kept and cloned independently of its [`JoinHandle`].
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async {}, home, goro_task::Meta::OTHER);
/// let abort = handle.abort_handle();
/// abort.abort_with("no longer needed".into());
/// let _ = runnable.run(home);
/// let error = home.block_on(handle).unwrap_err();
/// assert_eq!(error.cause(), Some(&"no longer needed".into()));
/// ```
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let pending = std::future::pending::<()>();
/// let (runnable, handle) = goro_task::spawn(pending, home, goro_task::Meta::OTHER);
/// let abort = handle.abort_handle();
/// assert_eq!((abort.id(), abort.kind()), (handle.id(), handle.kind()));
/// abort.ask("if you please".into());
/// assert!(abort.is_asked() && !abort.is_aborted() && !abort.is_finished());
/// abort.abort();
/// assert!(abort.is_aborted());
/// let _ = runnable.run(home);
/// assert!(abort.is_finished());
/// ```
pub struct AbortHandle {
    task: Ptr,
}

// SAFETY: the handle touches the state word and the immutable parts of the header only, and gives
// the runnable to a home that is made for it. Names no type parameter.
unsafe impl Send for AbortHandle {}
// SAFETY: as above.
unsafe impl Sync for AbortHandle {}

impl AbortHandle {
    /// # Safety
    /// The memory of `task` is held during this call.
    pub(crate) unsafe fn of(task: Ptr) -> Self {
        // SAFETY: the memory is held.
        unsafe { task.as_ref() }.word.clone_ref();
        Self { task }
    }

    fn header(&self) -> &Header {
        // SAFETY: the handle's reference holds the memory.
        unsafe { self.task.as_ref() }
    }

    /// As [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.abort_with(Cause::Aborted);
    }

    /// As [`JoinHandle::abort_with`].
    pub fn abort_with(&self, cause: Cause) {
        // SAFETY: the handle's reference holds the memory.
        unsafe { abort(self.task, cause) };
    }

    /// As [`JoinHandle::ask`].
    pub fn ask(&self, cause: Cause) {
        // SAFETY: the handle's reference holds the memory.
        unsafe { ask(self.task, cause) };
    }

    /// Aborts, but gives the caller the runnable that the abort made, if it made one.
    pub(crate) fn abort_and_own(&self, cause: Cause) -> Option<Ptr> {
        let header = self.header();
        match causes::abort(&header.word, header.id(), cause) {
            Some(Wake::Schedule) => Some(self.task),
            Some(Wake::Nothing) | None => None,
        }
    }

    /// As [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        !self.header().word.snapshot().is_live()
    }

    /// Whether the task was asked to end, by this handle or another, and has not ended since.
    pub fn is_aborted(&self) -> bool {
        let word = self.header().word.snapshot();
        word.is_live() && word.is_aborted()
    }

    /// Whether the task was asked to end ([`JoinHandle::ask`]) or aborted, and has not ended since.
    pub fn is_asked(&self) -> bool {
        let word = self.header().word.snapshot();
        word.is_live() && (word.is_aborted() || word.reason().0 != 0)
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

impl Clone for AbortHandle {
    fn clone(&self) -> Self {
        // SAFETY: this handle's reference holds the memory.
        unsafe { Self::of(self.task) }
    }
}

impl Drop for AbortHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is this handle's.
        unsafe { waker::drop_reference(self.task) };
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("asked", &self.is_asked())
            .field("aborted", &self.is_aborted())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// Asks `task` to end by itself and routes the runnable that this may make.
///
/// # Safety
/// The memory of `task` is held during this call.
pub(crate) unsafe fn ask(task: Ptr, cause: Cause) {
    // SAFETY: the memory is held.
    let header = unsafe { task.as_ref() };
    match causes::ask(&header.word, header.id(), cause) {
        // SAFETY: the state word made this caller the owner of the runnable.
        Some(Wake::Schedule) => unsafe { waker::schedule(task) },
        Some(Wake::Nothing) | None => {}
    }
}

/// Aborts `task` and routes the runnable that this may make.
///
/// # Safety
/// The memory of `task` is held during this call.
pub(crate) unsafe fn abort(task: Ptr, cause: Cause) {
    // SAFETY: the memory is held.
    let header = unsafe { task.as_ref() };
    match causes::abort(&header.word, header.id(), cause) {
        // SAFETY: the state word made this caller the owner of the runnable.
        Some(Wake::Schedule) => unsafe { waker::schedule(task) },
        Some(Wake::Nothing) | None => {}
    }
}

/// A [`JoinHandle`] whose drop aborts the task; made by [`JoinHandle::abort_on_drop`].
///
/// # Cancel safety
/// Awaited by value and then dropped, it cancels the task.
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async { 7 }, home, goro_task::Meta::OTHER);
/// let handle = handle.abort_on_drop();
/// assert!(!handle.handle().is_finished());
/// // From here on it goes on, whoever drops what.
/// let handle = handle.detach();
/// let _ = runnable.run(home);
/// assert_eq!(home.block_on(handle).unwrap(), 7);
/// ```
pub struct AbortOnDrop<T> {
    handle: JoinHandle<T>,
}

impl<T> AbortOnDrop<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self { handle }
    }

    /// The plain handle again, whose drop lets the task go on.
    pub fn detach(self) -> JoinHandle<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the handle is moved out once.
        unsafe { core::ptr::read(&raw const this.handle) }
    }

    /// The plain handle, to ask for id and state.
    pub fn handle(&self) -> &JoinHandle<T> {
        &self.handle
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl<T> fmt::Debug for AbortOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortOnDrop").field(&self.handle).finish()
    }
}
