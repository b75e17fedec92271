//! A set of tasks of one type, joined as they end: [`JoinSet`].
//!
//! Invariants:
//! 1. Each task is in the set from its spawn until its outcome has been given out, or the set is
//!    detached.
//! 2. Dropping the set aborts what is in it.
//!
//! Left out: a policy, a limit, and waiting on drop; [`TaskGroup`](crate::task::TaskGroup) has them.

use core::fmt;
use core::future::{Future, poll_fn};
use core::panic::Location;
use core::task::{Context, Poll};

use futures::stream::{FuturesUnordered, StreamExt};
use goro_context::Kind;
use goro_task::{AbortHandle, AbortOnDrop, JoinError};

use crate::spawn::{spawn_as, spawn_blocking_as};

/// Tasks of one type, joined in the order in which they end; dropped, it aborts them.
///
/// Each outcome is kept until it is asked for: for tasks without end, or whose outcomes nobody wants, use a
/// [`TaskGroup`](crate::task::TaskGroup).
///
/// # Example
/// ```
/// use goro_runtime::task::JoinSet;
/// # goro_runtime::Runtime::new().unwrap().block_on(async {
/// let mut set = JoinSet::new();
/// for number in 0..3 {
///     set.spawn(async move { number });
/// }
/// let mut sum = 0;
/// while let Some(outcome) = set.join_next().await {
///     sum += outcome.unwrap();
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
///
/// ```
/// use goro_runtime::task::JoinSet;
///
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// runtime.block_on(async {
///     let mut set = JoinSet::new();
///     set.spawn(async { 1 });
///     set.spawn_blocking(|| 2);
///     assert_eq!((set.len(), set.is_empty()), (2, false));
///     let one = std::future::poll_fn(|cx| set.poll_join_next(cx)).await.unwrap().unwrap();
///     let other = loop {
///         match set.try_join_next() {
///             Some(outcome) => break outcome.unwrap(),
///             None => goro_runtime::task::yield_now().await,
///         }
///     };
///     assert_eq!(one + other, 3);
///
///     set.spawn(std::future::pending());
///     set.abort_all();
///     assert!(set.join_next().await.unwrap().is_err());
///     set.spawn(std::future::pending());
///     set.shutdown().await;
///     set.spawn(async { 4 });
///     set.detach_all();
///     assert!(set.is_empty());
///
///     let mut all = JoinSet::new();
///     (0..3).for_each(|number| drop(all.spawn(async move { number })));
///     assert_eq!(all.join_all().await.iter().sum::<i32>(), 3);
/// });
/// ```
pub struct JoinSet<T> {
    tasks: FuturesUnordered<AbortOnDrop<T>>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { tasks: FuturesUnordered::new() }
    }

    /// How many tasks are in it: running, or ended and not yet joined.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no task is in it.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Aborts all its tasks. They stay in it, to be joined.
    pub fn abort_all(&mut self) {
        self.tasks.iter().for_each(|task| task.handle().abort());
    }

    /// Lets all its tasks go on by themselves; it is empty then.
    pub fn detach_all(&mut self) {
        core::mem::take(&mut self.tasks).into_iter().for_each(|task| drop(task.detach()));
    }

    /// The outcome of a task that has ended; waits for one to end. `None` if the set is empty.
    ///
    /// # Cancel safety
    /// Safe: what is not given out stays.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), for hand-written futures: pending while all run, and the task of
    /// `cx` is woken when one ends.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.tasks.poll_next_unpin(cx)
    }

    /// The outcome of a task that has ended, if one has.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let mut cx = Context::from_waker(core::task::Waker::noop());
        match self.poll_join_next(&mut cx) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => None,
        }
    }

    /// Waits for all tasks, and gives what they gave, in the order in which they ended.
    ///
    /// # Panics
    /// When one of them has panicked, with its panic; and when one was cancelled. The others are aborted.
    ///
    /// # Cancel safety
    /// Cancels: dropped before it is done, it aborts all tasks.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(outcome) = self.join_next().await {
            match outcome {
                Ok(output) => outputs.push(output),
                Err(error) => match error.try_into_panic() {
                    Ok(payload) => std::panic::resume_unwind(payload),
                    Err(error) => panic!("{error}: join one by one to go on without it"),
                },
            }
        }
        outputs
    }

    /// Aborts all tasks and waits until they have ended; their outcomes are dropped.
    ///
    /// # Cancel safety
    /// Safe: they are aborted all the same, and stay.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }
}

impl<T: Send + 'static> JoinSet<T> {
    /// Starts a task in the set, like [`spawn`](crate::spawn).
    ///
    /// # Panics
    /// As `spawn` does.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
    {
        let site = Location::caller();
        self.add(spawn_as(Kind::at(site), site, future))
    }

    /// Starts a blocking job in the set, like [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// As `spawn_blocking` does.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, job: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
    {
        let site = Location::caller();
        self.add(spawn_blocking_as(Kind::at(site), site, job))
    }

    fn add(&mut self, handle: goro_task::JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.tasks.push(handle.abort_on_drop());
        abort
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static, F: Future<Output = T> + Send + 'static> FromIterator<F> for JoinSet<T> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let (mut set, site) = (Self::new(), Location::caller());
        for future in futures {
            set.add(spawn_as(Kind::at(site), site, future));
        }
        set
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}
