//! Children inside of their parent: [`local_scope`].
//!
//! Invariants:
//! 1. The children are owned by the future of `local_scope`: dropped or leaked, it takes them along.
//! 2. Who spawns puts the child down under the lock; the scope's next poll takes it over. After `closed` nobody
//!    is taken.
//! 3. No user code under the lock, destructors of children included.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::{FuturesUnordered, StreamExt};
use futures::task::AtomicWaker;
use goro_context::{Cause, budget};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use goro_sync::oneshot;
use pin_project_lite::pin_project;

type Child<'env> = Pin<Box<dyn Future<Output = ()> + Send + 'env>>;

/// Runs `body`, and the futures that it spawns into the scope, in this very task, until all have ended.
///
/// So they may borrow what lives longer than the scope, and run by turns, never in parallel: each while the
/// others wait. Like the arms of a `join`, but as many as there come to be. One that is woken is polled; the
/// others are left alone. They inherit nothing, since they are in the task; its
/// [token](goro_sync::cancel) is theirs.
///
/// # Panics
/// When the body or a child does; the others are dropped with the future.
///
/// # Cancel safety
/// Cancels: dropped before it is done, it drops body and children.
///
/// # Example
/// ```
/// use goro_runtime::task::local_scope;
/// # goro_runtime::block_on(async {
/// let words = vec!["to", "be", "or"];
/// let total = local_scope(async |scope| {
///     let lengths: Vec<_> = words.iter().map(|word| scope.spawn(async { word.len() })).collect();
///     let mut total = 0;
///     for length in lengths {
///         total += length.await.unwrap();
///     }
///     total
/// })
/// .await;
/// assert_eq!(total, 6);
/// # });
/// ```
pub async fn local_scope<'env, R, F>(body: impl FnOnce(LocalScope<'env>) -> F) -> R
where
    F: Future<Output = R>,
{
    let scope = LocalScope { shared: Arc::new(Shared::new()) };
    let children = Children { shared: Arc::clone(&scope.shared), running: FuturesUnordered::new() };
    Run { body: Some(body(scope)), given: None, children }.await
}

/// A way into a [`local_scope`], for its body and its children.
///
/// ```
/// use goro_runtime::task::{LocalScope, local_scope};
///
/// let word = String::from("borrowed");
/// goro_runtime::block_on(local_scope(async |scope: LocalScope<'_>| {
///     scope.spawn(async { assert_eq!(word.len(), 8) });
/// }));
/// ```
pub struct LocalScope<'env> {
    shared: Arc<Shared<'env>>,
}

struct Shared<'env> {
    /// Those that the scope has not taken over.
    fresh: Lock<Fresh<'env>>,
    /// The scope's task, for one who spawns from elsewhere.
    waker: AtomicWaker,
}

struct Fresh<'env> {
    children: Vec<Child<'env>>,
    closed: bool,
}

impl<'env> Shared<'env> {
    fn new() -> Self {
        let fresh = Fresh { children: Vec::new(), closed: false };
        Self { fresh: Lock::new(fresh), waker: AtomicWaker::new() }
    }

    fn take(&self) -> Vec<Child<'env>> {
        mem::take(&mut self.fresh.lock().children)
    }

    /// Takes nobody any more, unless somebody is there.
    fn close_if_empty(&self) -> bool {
        let mut fresh = self.fresh.lock();
        fresh.closed = fresh.children.is_empty();
        fresh.closed
    }

    fn close(&self) -> Vec<Child<'env>> {
        let mut fresh = self.fresh.lock();
        fresh.closed = true;
        mem::take(&mut fresh.children)
    }
}

impl<'env> LocalScope<'env> {
    /// Starts a child. It runs whether or not the handle is kept. Where the scope is over, the future is
    /// dropped.
    pub fn spawn<F>(&self, future: F) -> LocalChild<F::Output>
    where
        F: Future + Send + 'env,
        F::Output: Send + 'env,
    {
        let (tell, told) = oneshot::channel();
        let child: Child<'env> = Box::pin(async move {
            // Nobody may want to know.
            let _unwanted = tell.send(future.await);
        });
        let refused = {
            let mut fresh = self.shared.fresh.lock();
            if fresh.closed {
                Some(child)
            } else {
                fresh.children.push(child);
                None
            }
        };
        match refused {
            Some(child) => drop(child),
            None => self.shared.waker.wake(),
        }
        LocalChild { told }
    }
}

impl Clone for LocalScope<'_> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl fmt::Debug for LocalScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalScope").finish_non_exhaustive()
    }
}

/// A child of a [`local_scope`]: a future of what it gives. Dropped, it lets the child go on.
///
/// ```
/// use goro_runtime::task::local_scope;
///
/// let words = ["borrowed", "by", "a", "child"];
/// let length = goro_runtime::block_on(local_scope(async |scope| {
///     let child = scope.spawn(async { words.concat().len() });
///     child.await.unwrap()
/// }));
/// assert_eq!(length, 16);
/// ```
pub struct LocalChild<T> {
    told: oneshot::Receiver<T>,
}

impl<T> Future for LocalChild<T> {
    type Output = Result<T, Cause>;

    /// An error is why the child was dropped: the scope is over.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.told.poll_outcome(cx).map(|told| told.ok_or_else(|| Cause::new("the scope is over")))
    }
}

impl<T> fmt::Debug for LocalChild<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalChild").field("outcome", &self.told).finish()
    }
}

pin_project! {
    /// The body and the children, as one future.
    struct Run<'env, F: Future> {
        #[pin]
        body: Option<F>,
        given: Option<F::Output>,
        children: Children<'env>,
    }
}

/// The children, which end with this: one may hold the scope that holds it.
struct Children<'env> {
    shared: Arc<Shared<'env>>,
    running: FuturesUnordered<Child<'env>>,
}

impl Children<'_> {
    /// Polls those that were woken; ready when none is left, and none comes.
    fn poll(&mut self, cx: &mut Context<'_>, is_last: bool) -> Poll<()> {
        loop {
            // They may spawn without end, all of them ready at once.
            let _spent = ready!(budget::poll_spend(cx));
            self.running.extend(self.shared.take());
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) if is_last && self.shared.close_if_empty() => {
                    return Poll::Ready(());
                }
                Poll::Ready(None) | Poll::Pending => {
                    // What they have spawned just now is polled for the first time by whoever takes it over.
                    if self.shared.fresh.lock().children.is_empty() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl Drop for Children<'_> {
    fn drop(&mut self) {
        // Panic: a child's destructor may; the others are dropped with what holds them.
        drop(self.shared.close());
    }
}

impl<F: Future> Future for Run<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.children.shared.waker.register(cx.waker());
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            if let Poll::Ready(given) = body.poll(cx) {
                this.body.set(None);
                *this.given = Some(given);
            }
        }
        match this.children.poll(cx, this.given.is_some()) {
            Poll::Ready(()) => match this.given.take() {
                Some(given) => Poll::Ready(given),
                None => unreachable!("the children are over only when the body is"),
            },
            Poll::Pending => Poll::Pending,
        }
    }
}
