//! Children in parallel with a thread that waits for them: [`scope_blocking`].
//!
//! ```text
//!  scope_blocking ── body ── spawn: the future's lifetime is erased ── body ends ── wait ─────────▶ returns
//!                              └──▶ a task like any other ──▶ its future is gone, its place is left ──┘
//! ```
//!
//! Invariants, on which the erasure rests:
//! 1. `scope_blocking` is left, by return or by panic, only when every child has left `ends`. The wait cannot
//!    unwind: what would, ends the process.
//! 2. A child leaves `ends` with the destructor of [`Child`]'s last field, when its future and its outcome are
//!    gone, or handed to a handle. So whatever becomes of the task (done, panicked, aborted, refused, dropped by
//!    a shutdown, never polled), nothing that has the erased lifetime is left in it.
//! 3. A task that is leaked is one that never leaves: then the wait has no end, and nothing that is borrowed
//!    does either.
//! 4. A [`Scope`] is reached by its body and by its children only, all of whom are inside of `ends`; so who
//!    spawns is inside, and nobody does after the wait.
//! 5. What a handle has is of the child's own types, without erasure: the compiler keeps it within what it
//!    borrows.
//!
//! Left out: asking the children to stop when one has failed; what they inherit can be asked
//! ([`goro_sync::cancel`]), and a group has policies.
#![allow(unsafe_code, reason = "a future's lifetime is erased while a thread waits for its end")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use goro_context::{Cause, Kind, contain};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_sync::oneshot;
use pin_project_lite::pin_project;

use crate::block_on::block_on;
use crate::ends::Ends;
use crate::spawn::spawn_as;

type Payload = Box<dyn Any + Send>;
type Erased<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs `body`, which spawns tasks that may borrow what lives longer than this call, and blocks this thread
/// until all of them have ended.
///
/// The tasks are tasks like any other, of the runtime that is entered here or the default one, and run in
/// parallel. The thread sleeps meanwhile; on a worker a spare takes its place, as in
/// [`block_on`](crate::block_on), and there, too, a task that waits for what its blocked caller is to do waits for
/// ever. `body` runs on this thread.
///
/// # Panics
/// When `body` does; and when a child does, with the first one's panic. In both cases all children have ended.
///
/// # Example
/// ```
/// use goro_runtime::task::scope_blocking;
/// let mut numbers = vec![1, 2, 3, 4];
/// let (left, right) = numbers.split_at_mut(2);
/// scope_blocking(|scope| {
///     scope.spawn(async { left[0] += 10 });
///     scope.spawn(async { right[0] += 20 });
/// });
/// assert_eq!(numbers, [11, 2, 23, 4]);
/// ```
///
/// What a child borrows must live longer than the call:
/// ```compile_fail
/// goro_runtime::task::scope_blocking(|scope| {
///     let inside = 1;
///     scope.spawn(async { println!("{}", &inside) });
/// });
/// ```
pub fn scope_blocking<'env, R>(
    body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
) -> R {
    let scope = Scope { shared: Arc::new(Shared::new()), scope: PhantomData, env: PhantomData };
    // Panic: the body's; it goes on when all children have ended.
    let given = catch_unwind(AssertUnwindSafe(|| body(&scope)));
    scope.shared.wait();
    let panic = scope.shared.panic.lock().take();
    match (given, panic) {
        (Ok(given), None) => given,
        (Ok(given), Some(panic)) => {
            // Panic: its destructor may; a child's panic goes on then as well.
            contain::quietly(|| drop(given));
            resume_unwind(panic)
        }
        (Err(own), panic) => {
            panic.into_iter().for_each(contain::discard);
            resume_unwind(own)
        }
    }
}

/// Where [`scope_blocking`]'s body and its children spawn.
///
/// ```
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// let _inside = runtime.enter();
/// let word = String::from("borrowed");
/// goro_runtime::task::scope_blocking(|scope: &goro_runtime::task::Scope<'_, '_>| {
///     scope.spawn(async { assert_eq!(word.len(), 8) });
/// });
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    shared: Arc<Shared>,
    /// Neither lifetime may be stretched or shortened.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

struct Shared {
    ends: Ends,
    /// Of the first child that panicked.
    panic: Lock<Option<Payload>>,
}

impl Shared {
    fn new() -> Self {
        Self { ends: Ends::new(), panic: Lock::new(None) }
    }

    /// Waits until all children are gone, and does nothing else before that.
    fn wait(&self) {
        let bomb = Bomb;
        self.ends.leave();
        block_on(self.ends.wait());
        bomb.disarm();
    }

    fn keep(&self, payload: Payload) {
        let late = {
            let mut panic = self.panic.lock();
            if panic.is_none() {
                *panic = Some(payload);
                return;
            }
            payload
        };
        contain::discard(late);
    }
}

/// Ends the process if the wait for the children is left before they are gone: what they borrow would go.
struct Bomb;

impl Bomb {
    fn disarm(self) {
        let _kept = core::mem::ManuallyDrop::new(self);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        eprintln!("goro: the wait for a scope's tasks was left by a panic while they may run");
        std::process::abort();
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a child. It runs whether or not the handle is kept. Where the runtime refuses it, the future is
    /// dropped.
    ///
    /// # Panics
    /// As [`spawn`](crate::spawn) does.
    #[track_caller]
    pub fn spawn<F>(&'scope self, future: F) -> ScopedChild<F::Output>
    where
        F: Future + Send + 'scope,
        F::Output: Send + 'scope,
    {
        let site = Location::caller();
        let (tell, told) = oneshot::channel();
        let place = Place::enter(&self.shared);
        let child: Erased<'scope> =
            Box::pin(Child { future: Some(future), tell: Some(tell), place });
        // SAFETY: by the invariants 1 to 4 of the module the child is gone, or is never dropped and never
        // polled again, when `scope_blocking` is left; and 'scope lasts until then.
        let child: Erased<'static> = unsafe { erase(child) };
        drop(spawn_as(Kind::at(site), site, child));
        ScopedChild { told }
    }
}

/// Makes a future pass for one that borrows nothing.
///
/// # Safety
/// It is dropped before 'a ends, or never touched again.
unsafe fn erase<'a>(future: Erased<'a>) -> Erased<'static> {
    // SAFETY: the types differ by a lifetime only, which has no say in what they look like in memory; that the
    // future is not used for longer than it is good the caller sees to.
    unsafe { core::mem::transmute::<Erased<'a>, Erased<'static>>(future) }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children = self.shared.ends.inside().saturating_sub(1);
        f.debug_struct("Scope").field("children", &children).finish()
    }
}

pin_project! {
    /// A child, as a task.
    struct Child<F: Future> {
        #[pin]
        future: Option<F>,
        tell: Option<oneshot::Sender<Result<F::Output, Cause>>>,
        // Last: what is above may borrow from who waits for this to go.
        place: Place,
    }
}

/// A child's place inside of the scope; left by its destructor.
struct Place(Arc<Shared>);

impl Place {
    fn enter(shared: &Arc<Shared>) -> Self {
        shared.ends.enter();
        Self(Arc::clone(shared))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.ends.leave();
    }
}

/// What a child's task panics with whose own panic the scope has.
struct ToldToItsScope;

impl<F: Future> Future for Child<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let future = &mut this.future;
        // Panic: the future's own, or its destructor's; told to the scope, and passed on.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let polled = future.as_mut().as_pin_mut().map(|polled| polled.poll(cx));
            if !matches!(polled, Some(Poll::Pending)) {
                future.set(None);
            }
            polled
        }));
        let outcome = match polled {
            Ok(Some(Poll::Pending)) => return Poll::Pending,
            Ok(Some(Poll::Ready(output))) => Ok(output),
            Ok(None) => unreachable!("a task that has ended is not polled"),
            Err(payload) => Err(payload),
        };
        // Panic: of a destructor after a panic; the first one is told.
        contain::quietly(|| future.set(None));
        let (told, payload) = match outcome {
            Ok(output) => (Ok(output), None),
            Err(payload) => (Err(Cause::panicked(&*payload)), Some(payload)),
        };
        if let Some(tell) = this.tell.take() {
            // Panic: the output's destructor may, where nobody wants it. It is the task's panic then.
            drop(tell.send(told));
        }
        match payload {
            None => Poll::Ready(()),
            Some(payload) => {
                this.place.0.keep(payload);
                resume_unwind(Box::new(ToldToItsScope))
            }
        }
    }
}

/// A child of a [`scope_blocking`]: a future of what it gives. Dropped, it lets the child go on.
///
/// ```
/// use goro_runtime::{Runtime, task::scope_blocking};
///
/// let runtime = Runtime::new().unwrap();
/// let _inside = runtime.enter();
/// let words = ["borrowed", "by", "two", "tasks"];
/// let length = scope_blocking(|scope| {
///     let (front, back) = words.split_at(2);
///     let front = scope.spawn(async { front.concat().len() });
///     let back = scope.spawn(async { back.concat().len() });
///     front.join().unwrap() + back.join().unwrap()
/// });
/// assert_eq!(length, 18);
/// ```
pub struct ScopedChild<T> {
    told: oneshot::Receiver<Result<T, Cause>>,
}

impl<T> ScopedChild<T> {
    /// Waits for the child's end, and blocks this thread meanwhile.
    ///
    /// # Errors
    /// That it panicked, with the message, or that it was dropped: the runtime stops, or has refused it.
    pub fn join(self) -> Result<T, Cause> {
        block_on(self)
    }
}

impl<T> Future for ScopedChild<T> {
    type Output = Result<T, Cause>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let told = self.told.poll_outcome(cx);
        told.map(|told| told.unwrap_or_else(|| Err(Cause::new("the task was dropped"))))
    }
}

impl<T> fmt::Debug for ScopedChild<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedChild").field("outcome", &self.told).finish()
    }
}
