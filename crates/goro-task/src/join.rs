//! Waiting for a task's end: [`JoinHandle`].
//!
//! Invariants:
//! 1. The handle holds `JOIN` until it is dropped, so id, kind and the state word can be asked for
//!    at any time.
//! 2. What the handle has registered it remembers itself, as the waker's two words. Reading the
//!    slot to compare would race with the completer.
//! 3. The outcome is taken by the handle, or dropped by whoever the state word names, once
//!    (pitfalls 28, 41).
//! 4. Outcomes that hold handles of ended tasks are dropped one after the other, however deep they
//!    nest (pitfall 42).
#![allow(
    unsafe_code,
    reason = "takes the outcome out of the stage when the state word says that it is there"
)]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::needs_drop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, RawWakerVTable, Waker, ready};

use goro_context::{Cause, Kind, Op, TaskId, budget, drops, note};

use crate::abort::{self, AbortHandle, AbortOnDrop};
use crate::cancelling::Cancelling;
use crate::error::{JoinError, Outcome};
use crate::header::{self, Header, Ptr};
use crate::state::{Left, Progress};

pub(crate) mod slot;

use slot::Slot;

/// Waits for a task's end and gives its value.
///
/// Dropped, it detaches the task, which goes on; see [`abort_on_drop`](Self::abort_on_drop) for the
/// opposite.
///
/// # Errors
/// [`JoinError`] if the task panicked or was cancelled.
///
/// # Cancel safety
/// Safe through `&mut handle`: nothing is lost if the wait is given up. Awaited by value and then
/// dropped, it detaches the task.
///
/// # Panics
/// If polled again after it has given its result.
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async { 6 * 7 }, home, goro_task::Meta::OTHER);
/// assert!(!handle.is_finished());
/// let _ = runnable.run(home);
/// assert_eq!(home.block_on(handle).unwrap(), 42);
/// ```
///
/// It may be sent to other threads if the output may:
///
/// ```compile_fail,E0277
/// fn sent<T: Send>() {}
/// sent::<goro_task::JoinHandle<std::rc::Rc<u8>>>();
/// ```
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let pending = std::future::pending::<()>();
/// let (runnable, handle) = goro_task::spawn(pending, home, goro_task::Meta::OTHER);
/// println!("task {:?} of {}", handle.id(), handle.kind().name());
/// let abort = handle.abort_handle();
/// handle.ask("if you please".into());
/// assert!(abort.is_asked() && !abort.is_aborted());
/// // Aborted when nobody wants the result any more.
/// let handle = handle.abort_on_drop();
/// handle.handle().abort();
/// drop(handle);
/// assert!(abort.is_aborted());
/// drop(runnable);
/// ```
///
/// ```
/// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
/// # let home = home::Line::leak();
/// let (runnable, handle) = goro_task::spawn(async {}, home, goro_task::Meta::OTHER);
/// handle.abort_with("enough".into());
/// let _ = runnable.run(home);
/// assert_eq!(home.block_on(handle).unwrap_err().cause(), Some(&"enough".into()));
/// ```
pub struct JoinHandle<T> {
    task: Ptr,
    registered: Registered,
    _outcome: PhantomData<Outcome<T>>,
}

/// What stands in the join slot by this handle's doing.
///
/// Two words instead of an enum of three: `table` is `None` when nothing is registered, and `data`
/// then says whether the outcome was taken.
struct Registered {
    data: *const (),
    table: Option<&'static RawWakerVTable>,
}

static TAKEN: u8 = 0;

impl Registered {
    const NOTHING: Self = Self { data: ptr::null(), table: None };

    fn taken() -> Self {
        Self { data: (&raw const TAKEN).cast(), table: None }
    }

    fn of(waker: &Waker) -> Self {
        Self { data: waker.data(), table: Some(waker.vtable()) }
    }

    fn is_taken(&self) -> bool {
        self.table.is_none() && !self.data.is_null()
    }

    fn is_some(&self) -> bool {
        self.table.is_some()
    }

    /// Whether waking what is registered wakes what `waker` wakes.
    fn is(&self, waker: &Waker) -> bool {
        self.data == waker.data() && self.table.is_some_and(|table| ptr::eq(table, waker.vtable()))
    }
}

// SAFETY: the handle reads or drops the outcome on the thread that has it, hence `T: Send`; the
// rest of the task is made to be used from any thread.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives no access to the outcome; `T: Send` because nothing needs it to be
// weaker.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// The caller gives the handle the `JOIN` hold of `task`, whose output is `T`.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: Ptr) -> Self {
        Self { task, registered: Registered::NOTHING, _outcome: PhantomData }
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the handle's `JOIN` holds the memory.
        unsafe { self.task.as_ref() }
    }

    /// Asks that the task be aborted: its future is dropped instead of being polled again, and the
    /// handle resolves to an error with [`Cause::Aborted`]. A task that ends first has ended.
    pub fn abort(&self) {
        self.abort_with(Cause::Aborted);
    }

    /// As [`abort`](Self::abort), giving a cause. The first abort's cause counts.
    pub fn abort_with(&self, cause: Cause) {
        // SAFETY: the handle's `JOIN` holds the memory.
        unsafe { abort::abort(self.task, cause) };
    }

    /// Asks the task to end by itself, and says why. It is polled once more, and from then on
    /// [`goro_context::cancel::cause`] has an answer in it; whatever it does then, it is not dropped. The
    /// first cause counts, also if the task is aborted later.
    ///
    /// Tasks that it has spawned are not asked, but those that it spawns from then on have heard.
    pub fn ask(&self, cause: Cause) {
        // SAFETY: the handle's `JOIN` holds the memory.
        unsafe { abort::ask(self.task, cause) };
    }

    /// Ends the task, gently at first, and waits for its outcome: it is [asked](Self::ask) to end by
    /// itself, and dropped if it has not after five seconds ([`GRACE`](crate::GRACE)), or what
    /// [`Cancelling::grace`] says.
    ///
    /// This happens whether or not what is returned is awaited. Awaited, it gives what the task gave, late
    /// or in time, or the error of a task that was cancelled for this cause.
    ///
    /// ```
    /// # mod home { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/home.rs")); }
    /// # let home = home::Line::leak();
    /// use goro_context::{Cause, cancel};
    /// let polite = std::future::poll_fn(|_| match cancel::cause() {
    ///     Some(cause) => std::task::Poll::Ready(format!("done: {cause}")),
    ///     None => std::task::Poll::Pending,
    /// });
    /// let (runnable, handle) = goro_task::spawn(polite, home, goro_task::Meta::OTHER);
    /// let _ = runnable.run(home);
    /// let outcome = home.block_on(handle.cancel("enough"));
    /// assert_eq!(outcome.unwrap(), "done: enough");
    /// ```
    pub fn cancel(self, cause: impl Into<Cause>) -> Cancelling<T> {
        Cancelling::new(self, cause.into())
    }

    /// A handle that can abort the task, and nothing else.
    pub fn abort_handle(&self) -> AbortHandle {
        // SAFETY: the handle's `JOIN` holds the memory.
        unsafe { AbortHandle::of(self.task) }
    }

    /// Makes this a handle whose drop aborts the task.
    pub fn abort_on_drop(self) -> AbortOnDrop<T> {
        AbortOnDrop::new(self)
    }

    /// Whether the task has ended: awaiting the handle would not wait.
    pub fn is_finished(&self) -> bool {
        !self.header().word.snapshot().is_live()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// The kind the task belongs to.
    pub fn kind(&self) -> Kind {
        self.header().kind()
    }

    /// Waits in the join slot.
    fn poll_end(&mut self, waker: &Waker) -> Progress {
        if self.header().word.progress() == Progress::Ended {
            return Progress::Ended;
        }
        if self.registered.is(waker) {
            return Progress::Live;
        }
        // Panic: the waker's clone may; what was registered before still is.
        let slot = Slot::of(waker);
        let Some(before) = self.reclaim() else {
            // SAFETY: the slot was made here, and was not offered.
            unsafe { slot.discard() };
            return Progress::Ended;
        };
        // SAFETY: the slot is not offered.
        unsafe { self.header().set_slot(slot) };
        let progress = self.header().word.publish_slot();
        if progress == Progress::Ended {
            self.header().word.retract_slot();
            // SAFETY: the completer did not see the slot offered.
            unsafe { slot.discard() };
        } else {
            self.registered = Registered::of(waker);
        }
        if let Some(before) = before {
            // SAFETY: it was reclaimed, so the completer does not have it.
            unsafe { before.discard() };
        }
        progress
    }

    /// Takes back what is registered, if anything is. `None`: the completer has it.
    fn reclaim(&mut self) -> Option<Option<Slot>> {
        if !self.registered.is_some() {
            return Some(None);
        }
        self.registered = Registered::NOTHING;
        match self.header().word.reclaim_slot() {
            // SAFETY: only this handle writes the slot.
            Progress::Live => Some(Some(unsafe { self.header().slot() })),
            Progress::Ended => None,
        }
    }

    /// Takes the outcome.
    ///
    /// # Safety
    /// The task has ended, and the outcome was not taken.
    unsafe fn take(&mut self) -> Result<T, JoinError> {
        self.registered = Registered::taken();
        // SAFETY: the outcome stands in the stage, and is not used there again.
        let read = |stage: *mut ()| unsafe { stage.cast::<Outcome<T>>().read() };
        // SAFETY: the outcome is the handle's.
        let outcome = unsafe { Header::with_stage(self.task, read) };
        outcome.map_err(|failure| JoinError::new(self.id(), self.kind(), failure))
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.registered.is_taken(), "a JoinHandle was polled after it gave its result");
        let spent = ready!(budget::poll_spend(cx));
        match this.poll_end(cx.waker()) {
            // SAFETY: the task has ended, and the outcome was not taken, as asserted.
            Progress::Ended => Poll::Ready(unsafe { this.take() }),
            Progress::Live => {
                spent.refund();
                note::leave(Op::Join, this.id().get());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let task = self.task;
        if self.registered.is_taken() {
            // SAFETY: the task has ended, and the outcome is gone.
            return unsafe { leave(task) };
        }
        // Read before it is known whose it is: only this handle writes the slot, and once the state
        // word says that the handle has left, the memory may be gone.
        // SAFETY: the completer only reads the slot.
        let slot = self.registered.is_some().then(|| unsafe { self.header().slot() });
        match (self.header().word.detach(slot.is_some()), slot) {
            // SAFETY: it was reclaimed, so the completer does not have it.
            (Progress::Live, Some(slot)) => unsafe { slot.discard() },
            (Progress::Live, None) => {}
            // SAFETY: the task has ended, and the outcome was not taken.
            (Progress::Ended, _) => unsafe { drop_unread::<T>(task) },
        }
    }
}

/// Drops an outcome that nobody took, and gives up the handle's hold.
///
/// # Safety
/// The task has ended with an `Outcome<T>`, which is the caller's, as is the `JOIN` hold.
unsafe fn drop_unread<T>(task: Ptr) {
    // SAFETY: the outcome is the caller's.
    if !needs_drop::<T>() && unsafe { is_value::<T>(task) } {
        // SAFETY: the outcome needs no drop, and the hold is the caller's.
        return unsafe { leave(task) };
    }
    let orphan = Orphan { task };
    if drops::is_active() {
        drops::defer_local(Box::new(orphan));
    } else {
        drops::scope(|| drop(orphan));
    }
}

/// # Safety
/// The stage of `task` holds an `Outcome<T>`, which is the caller's.
unsafe fn is_value<T>(task: Ptr) -> bool {
    let read = |stage: *mut ()| {
        // SAFETY: the outcome stands there, and nobody else touches it.
        unsafe { &*stage.cast::<Outcome<T>>() }.is_ok()
    };
    // SAFETY: the outcome is the caller's.
    unsafe { Header::with_stage(task, read) }
}

/// The outcome of a task whose handle is gone, with the handle's hold on the memory.
struct Orphan {
    task: Ptr,
}

impl Drop for Orphan {
    fn drop(&mut self) {
        // SAFETY: `JOIN` holds the memory.
        let drop_outcome = unsafe { self.task.as_ref() }.table.drop_outcome;
        // SAFETY: the outcome is the orphan's, and is not used again.
        unsafe { drop_outcome(self.task) };
        // SAFETY: the outcome is gone.
        unsafe { leave(self.task) };
    }
}

/// Gives up the handle's hold.
///
/// # Safety
/// The task has ended, its outcome is gone from the stage, and the `JOIN` hold is the caller's.
#[inline]
unsafe fn leave(task: Ptr) {
    // SAFETY: `JOIN` holds the memory.
    match unsafe { task.as_ref() }.word.leave_ended() {
        Left::Held => {}
        // SAFETY: the state word says that this was the last hold.
        Left::Free => unsafe { header::free(task) },
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("kind", &self.kind())
            .field("finished", &self.is_finished())
            .finish()
    }
}
