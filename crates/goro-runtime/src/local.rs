//! Tasks whose future cannot leave its thread.
//!
//! A local task belongs to one worker. Its future is made, polled and dropped on that worker's thread;
//! a wake or an abort elsewhere sends a *parcel* there, which nobody else can open (`goro_task`), by
//! way of the shard's mailbox. On the thread itself it goes to the worker's list of ready local tasks
//! without a lock.
//!
//! Two ways to have such tasks: a [`LocalRuntime`], all of which is one thread, the caller's; and a
//! worker of any other runtime, which tasks are [pinned](crate::Handle::spawn_pinned) to, or which they stay
//! on when they are spawned there with [`spawn_local`].
//!
//! Invariants:
//! 1. The list of ready tasks is reached by its worker's thread alone, through a thread-local; and it
//!    counts the local tasks that have not ended, so a worker with any of them does not leave.
//! 2. A parcel is put into a mailbox only if its owner has promised to look (`mailbox`).
//! 3. A worker with ready local tasks and others takes them in turn.
//!
//! Left out: stealing; a worker that is stuck keeps its local tasks waiting, whatever the others do.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::panic::Location;
use goro_context::{Cause, Kind};
use goro_shim::thread::thread_local;
use goro_task::{JoinHandle, LocalOwner, LocalRunnable, Meta, Parcel};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::current;
use crate::shard::Shard;
use crate::spawn::SpawnError;

mod pinned;
mod runtime;

pub(crate) use runtime::Carrier;
pub use runtime::LocalRuntime;

/// What is sent to a worker: a local task of its own.
#[derive(Debug)]
pub(crate) enum Mail {
    /// One that it does not know yet.
    New(Parcel<Shard>),
    /// One that was woken, or aborted.
    Woken(Parcel<Shard>),
}

/// The local tasks of one worker, as its thread has them.
pub(crate) struct Locals {
    shard: &'static Shard,
    owner: LocalOwner,
    ready: RefCell<VecDeque<LocalRunnable<Shard>>>,
    /// How many are ready.
    count: Cell<usize>,
    /// The worker has run one of them last: it is another's turn.
    rests: Cell<bool>,
    /// How many have been made or opened here, and have not ended.
    live: Cell<usize>,
}

thread_local! {
    /// The local tasks of the workers that are on this thread: one, or several in a script.
    static HERE: RefCell<Vec<Rc<Locals>>> = const { RefCell::new(Vec::new()) };
}

impl Locals {
    /// Those of the worker of `shard`, which is this thread.
    pub(crate) fn of(shard: &'static Shard, owner: LocalOwner) -> Rc<Self> {
        let locals = Rc::new(Self {
            shard,
            owner,
            ready: RefCell::default(),
            count: Cell::new(0),
            rests: Cell::new(false),
            live: Cell::new(0),
        });
        // As the thread ends, they are reached through the mailbox only.
        let _ended = HERE.try_with(|here| here.borrow_mut().push(Rc::clone(&locals)));
        locals
    }

    /// Those of `shard`, if this thread is its worker just now.
    fn here(shard: &'static Shard) -> Option<Rc<Self>> {
        if !current::own().is_some_and(|own| core::ptr::eq(own, shard)) {
            return None;
        }
        let find = |here: &RefCell<Vec<Rc<Self>>>| {
            here.borrow().iter().find(|locals| core::ptr::eq(locals.shard, shard)).cloned()
        };
        HERE.try_with(find).ok().flatten()
    }

    /// The worker ends.
    pub(crate) fn leave(&self) {
        let same = |locals: &Rc<Self>| core::ptr::eq(Rc::as_ptr(locals), self);
        // What is taken out here is dropped after the borrow.
        let left = HERE.try_with(|here| {
            let mut here = here.borrow_mut();
            let at = here.iter().position(same);
            at.map(|at| here.swap_remove(at))
        });
        drop(left);
    }

    /// Makes a task of `future` here.
    pub(crate) fn spawn<F>(&self, future: F, kind: Kind) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let (task, handle) =
            goro_task::spawn_local(future, self.shard, &self.owner, Meta::new(kind));
        self.live.set(self.live.get() + 1);
        self.shard.counters.spawned.add(1);
        if self.shard.hub.is_closing() {
            let _ending = task.cancel(Cause::Shutdown);
            self.ended();
        } else {
            self.push(task);
        }
        handle
    }

    pub(crate) fn push(&self, task: LocalRunnable<Shard>) {
        self.ready.borrow_mut().push_back(task);
        self.count.set(self.count.get() + 1);
    }

    pub(crate) fn pop(&self) -> Option<LocalRunnable<Shard>> {
        let task = self.ready.borrow_mut().pop_front()?;
        self.count.set(self.count.get() - 1);
        Some(task)
    }

    /// Whether a local task is to be run next: one is ready, and the last one to run was none.
    #[inline]
    pub(crate) fn are_due(&self) -> bool {
        self.count.get() > 0 && !self.rests.replace(!self.rests.get())
    }

    /// Makes ready what lies in the mailbox; whether anything is ready then.
    pub(crate) fn open_mail(&self) -> bool {
        if self.shard.mailbox.has_mail() {
            for mail in self.shard.mailbox.take() {
                if let Mail::New(_) = mail {
                    self.live.set(self.live.get() + 1);
                }
                let (Mail::New(parcel) | Mail::Woken(parcel)) = mail;
                self.open(parcel);
            }
        }
        self.count.get() > 0
    }

    fn open(&self, parcel: Parcel<Shard>) {
        match self.owner.open(parcel) {
            Ok(task) => self.push(task),
            // Dropped, it would leak its future. Nobody else's parcels are ever sent here.
            Err(parcel) => unreachable!("{parcel:?} was sent to a worker that does not own it"),
        }
    }

    /// A local task has ended.
    pub(crate) fn ended(&self) {
        self.live.set(self.live.get() - 1);
    }

    /// Whether no local task of the worker's is live.
    pub(crate) fn are_none(&self) -> bool {
        self.live.get() == 0
    }

    /// Whether the worker may go: no local task is live, and none is on its way.
    pub(crate) fn may_leave(&self) -> bool {
        self.live.get() == 0 && self.shard.mailbox.close()
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locals")
            .field("ready", &self.count.get())
            .field("live", &self.live.get())
            .finish_non_exhaustive()
    }
}

/// A local task of `shard` was woken or aborted: makes it ready, if this is its thread, or sends it
/// there.
pub(crate) fn schedule(shard: &'static Shard, parcel: Parcel<Shard>) {
    match Locals::here(shard) {
        Some(locals) => locals.open(parcel),
        None => {
            shard.mailbox.post(Mail::Woken(parcel));
            call(shard);
        }
    }
}

/// Has the owner look into its mailbox, asleep or awake.
fn call(shard: &'static Shard) {
    shard.published.ask_to_look();
    shard.hub.nudge(shard.index);
}

/// Starts a task that stays on this thread, so that its future need not be `Send`.
///
/// Inside a [`LocalRuntime`], and inside any task: there it stays on the worker that runs the task now.
/// It runs beside the worker's other tasks, but nobody can take it over while that worker is inside a
/// long poll. Aborted from anywhere, its future is dropped on this thread.
///
/// Where no worker is on this thread, the future is dropped at once and the handle resolves to a
/// cancellation that says what to do, as on a runtime that is shutting down or at its limit of tasks;
/// [`try_spawn_local`] gives the future back.
///
/// # Example
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let runtime = goro_runtime::LocalRuntime::new()?;
/// let sum = Rc::new(Cell::new(0));
/// runtime.block_on(async {
///     let tasks: Vec<_> = (1..=10)
///         .map(|n| {
///             let sum = sum.clone();
///             goro_runtime::spawn_local(async move { sum.set(sum.get() + n) })
///         })
///         .collect();
///     for task in tasks {
///         task.await.unwrap();
///     }
/// });
/// assert_eq!(sum.get(), 55);
/// # Ok::<(), goro_runtime::BuildError>(())
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let kind = Kind::at(Location::caller());
    start(future, kind).unwrap_or_else(|refused| refuse(refused, kind))
}

/// Like [`spawn_local`], but gives the future back where it cannot be a task.
///
/// # Errors
/// [`SpawnError`], holding the future, when no worker is on this thread, and when the runtime is
/// shutting down or at its limit of tasks.
///
/// # Example
/// ```
/// let refused = goro_runtime::try_spawn_local(async { 7 }).unwrap_err();
/// assert!(refused.to_string().contains("LocalRuntime::block_on"));
/// assert_eq!(goro_runtime::block_on(refused.into_future()), 7);
/// ```
#[track_caller]
pub fn try_spawn_local<F>(future: F) -> Result<JoinHandle<F::Output>, SpawnError<F>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    start(future, Kind::at(Location::caller()))
}

fn start<F>(future: F, kind: Kind) -> Result<JoinHandle<F::Output>, SpawnError<F>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match current::own().and_then(Locals::here) {
        Some(locals) => {
            SpawnError::admit(locals.shard, future).map(|future| locals.spawn(future, kind))
        }
        None => Err(SpawnError::no_worker(future)),
    }
}

fn start_at<F>(locals: &Locals, future: F, kind: Kind) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match SpawnError::admit(locals.shard, future) {
        Ok(future) => locals.spawn(future, kind),
        Err(refused) => refuse(refused, kind),
    }
}

fn refuse<F>(refused: SpawnError<F>, kind: Kind) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let cause = refused.cause();
    crate::refused::local(refused.into_future(), kind, cause)
}
