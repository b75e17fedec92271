//! Groups of tasks that end together: [`TaskGroup`].
//!
//! ```text
//!            body, with the group's token as the ambient one
//!   run ──▶ ┌──────────────────────────────────────────────┐ ──▶ wait for the children ──▶ deferred ──▶ result
//!           │ spawn: children, which inherit the token       │        │
//!           └──────────────────────────────────────────────┘        │
//!   cancelled (a failure, by the policy; from above; a deadline) ──▶ all are asked to end
//!                                                 grace is over ──▶ what is left is dropped
//! ```
//!
//! | policy | a child fails | a child panics | the first that succeeds | `run` gives |
//! |---|---|---|---|---|
//! | [`FailFast`](Policy::FailFast) | the others are cancelled | the same; the panic goes on in `run` | | the first error, and the others |
//! | [`Collect`](Policy::Collect) | the others go on | as a failure | | all errors |
//! | [`FirstOk`](Policy::FirstOk) | the others go on | as a failure | the others are cancelled | all errors, if nobody succeeded |
//! | [`Supervise`](Policy::Supervise) | the others go on | as a failure | | the body's error only |
//!
//! Invariants:
//! 1. When `run` is done, no child is left: the future of each is gone. (Dropping `run` cannot wait: it
//!    cancels the children, and that is reported.)
//! 2. A child that ends is told to the group once, after its future is gone: by its end, or by the
//!    destructor of what surrounds it.
//! 3. Memory is for the children that run, and for the errors that are kept; not for those that have ended.
//! 4. No user code runs under the group's lock.
//!
//! Left out: children that borrow and run in parallel. Whoever awaits `run` may leak its future, and what
//! was borrowed would be gone while children use it; no lifetime forbids that.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::panic::Location;

use goro_context::time::{Duration, Instant};
use goro_context::{Cause, Kind};
use goro_shim::global::Arc;
use goro_sync::CancellationToken;

mod child;
mod ending;
mod run;
mod shared;

use crate::panics::PanicPolicy;
use shared::{Plan, Shared};

/// What a group does when one of its tasks ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The first failure cancels the others. A panic does so, too, and goes on in `run`.
    #[default]
    FailFast,
    /// All go on to their ends, and all errors are kept.
    Collect,
    /// The first success cancels the others.
    FirstOk,
    /// Nobody's failure concerns anybody else; errors are dropped.
    Supervise,
}

/// Makes a group of tasks that end together.
///
/// The tasks of a group give `Result<T, E>`. [`run`](Self::run) waits for all of them, whatever happens: no
/// task outlives it. What the end of one means for the others is the [`Policy`].
///
/// Tasks may not borrow from whoever runs the group. A future can be leaked half-way, by whoever holds it, and
/// its borrows end all the same; tasks that run in parallel would go on using what is gone. So a parallel scope
/// that borrows cannot be had for futures, whatever its interface. Share with an `Arc`; or keep to one task, in a
/// [`local_scope`](crate::task::local_scope); or block, in a [`scope_blocking`](crate::task::scope_blocking).
///
/// # Example
/// ```
/// use goro_runtime::task::TaskGroup;
/// # goro_runtime::Runtime::new().unwrap().block_on(async {
/// let outcome = TaskGroup::new()
///     .run(async |group| {
///         group.spawn(async { Ok(()) }).await.ok();
///         group.spawn(async { Err("no route") }).await.ok();
///         group.spawn(std::future::pending()).await.ok();
///         Ok(())
///     })
///     .await;
/// assert_eq!(outcome.unwrap_err().to_string(), "a task of the group failed: no route");
/// # });
/// ```
///
/// ```
/// use goro_runtime::task::{ChildError, PanicPolicy, Policy, TaskGroup};
/// use std::time::Duration;
///
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// let outcome = runtime.block_on(async {
///     let group = TaskGroup::<u32, &str>::new()
///         .policy(Policy::Collect)
///         .panic_policy(PanicPolicy::Ignore)
///         .limit(2)
///         .grace(Duration::ZERO)
///         .timeout(Duration::from_secs(10))
///         .deadline(goro_runtime::time::now() + Duration::from_secs(10))
///         .each(|number| println!("{number} is done"));
///     group.run(async |group| {
///         group.spawn(async { Ok(1) }).await.unwrap();
///         group.spawn(async { Err("it failed") }).await.unwrap();
///         Ok(())
///     })
///     .await
/// });
/// assert_eq!(outcome.unwrap_err().first, ChildError::Failed("it failed"));
/// ```
#[must_use = "a group does nothing until it is run"]
pub struct TaskGroup<T, E> {
    plan: Plan<T>,
    deadline: Option<Instant>,
    _errors: PhantomData<fn() -> E>,
}

impl<T: Send + 'static, E: Send + 'static> TaskGroup<T, E> {
    /// A group that fails fast, without a limit.
    pub fn new() -> Self {
        Self { plan: Plan::new(), deadline: None, _errors: PhantomData }
    }

    /// Chooses what the end of one task means for the others.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.plan.policy = policy;
        self
    }

    /// Has at most so many tasks run at a time; spawning waits for a place.
    ///
    /// # Panics
    /// If it is 0: no task could ever run.
    pub fn limit(mut self, most: usize) -> Self {
        assert!(most > 0, "a group of at most 0 tasks: give it a limit of 1 or more");
        self.plan.limit = Some(most);
        self
    }

    /// How long tasks have for ending by themselves when the group is cancelled, before they are dropped.
    /// Default: five seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.plan.grace = grace;
        self
    }

    /// Cancels the group at this point in time, if it is not over.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(at);
        self
    }

    /// Cancels the group so long from now, if it is not over.
    pub fn timeout(self, duration: Duration) -> Self {
        self.deadline(goro_context::time::after(duration))
    }

    /// What a panic in one of its tasks leads to; by default, to what the
    /// [runtime](crate::Builder::panic_policy) says.
    pub fn panic_policy(mut self, policy: PanicPolicy) -> Self {
        self.plan.panics = Some(policy);
        self
    }

    /// Has `f` called with what each task gives, on that task, as it ends. Without this, it is dropped.
    pub fn each(mut self, f: impl Fn(T) + Send + Sync + 'static) -> Self {
        self.plan.each = Some(Box::new(f));
        self
    }

    /// Runs `body`, which spawns tasks into the group, and waits for it and all of them.
    ///
    /// The group's token is the ambient one ([`goro_sync::cancel`]) in the body and in the tasks; it is a
    /// child of the one that was ambient here. When it is cancelled, operations that would wait give up, and
    /// who has not ended when the grace is over is dropped, the body included. At the very end what was
    /// [deferred](Group::defer_async) runs.
    ///
    /// # Errors
    /// [`GroupError`], by the [policy](Policy): failures of tasks and of the body; and
    /// [`ChildError::Cancelled`] if somebody had to be dropped.
    ///
    /// # Panics
    /// When the body does; and, failing fast, when a task does. In both cases all tasks have ended.
    ///
    /// # Cancel safety
    /// Cancels: dropped before it is done, it asks the tasks to end, and has them dropped when the grace is
    /// over, but cannot wait for them. That is reported as a `tracing` warning, with their number.
    pub async fn run<R, F>(self, body: impl FnOnce(Group<T, E>) -> F) -> Result<R, GroupError<E>>
    where
        F: Future<Output = Result<R, E>>,
    {
        let group = self.open();
        let ended = run::to_the_end(&group.shared, body(group.clone())).await;
        run::result(&group.shared, ended)
    }

    /// Runs the group until the first task succeeds, and gives what that gave; the policy is
    /// [`FirstOk`](Policy::FirstOk).
    ///
    /// # Errors
    /// [`GroupError`] if none has succeeded.
    ///
    /// # Panics
    /// When the body does.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    ///
    /// ```
    /// use goro_runtime::task::TaskGroup;
    /// # goro_runtime::Runtime::new().unwrap().block_on(async {
    /// let fastest = TaskGroup::new()
    ///     .first_ok(async |group| {
    ///         group.spawn(async { Err("down") }).await.ok();
    ///         group.spawn(async { Ok("mirror") }).await.ok();
    ///         Ok(())
    ///     })
    ///     .await;
    /// assert_eq!(fastest.unwrap(), "mirror");
    /// # });
    /// ```
    pub async fn first_ok<F>(self, body: impl FnOnce(Group<T, E>) -> F) -> Result<T, GroupError<E>>
    where
        F: Future<Output = Result<(), E>>,
    {
        let group = self.policy(Policy::FirstOk).open();
        let ended = run::to_the_end(&group.shared, body(group.clone())).await;
        run::first(&group.shared, ended)
    }

    fn open(self) -> Group<T, E> {
        let token = goro_sync::cancel::current();
        let token = self.deadline.map_or_else(|| token.clone(), |at| token.with_deadline(at));
        Group { shared: Shared::new(self.plan, token) }
    }
}

impl<T: Send + 'static, E: Send + 'static> Default for TaskGroup<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E> fmt::Debug for TaskGroup<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("policy", &self.plan.policy)
            .field("limit", &self.plan.limit)
            .field("grace", &self.plan.grace)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// A group that runs: given to its body, and by that to whoever may spawn into it.
///
/// ```
/// use goro_runtime::task::{PanicPolicy, Policy, TaskGroup};
/// use std::time::Duration;
///
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// runtime.block_on(async {
///     let group = TaskGroup::<u32, &str>::new()
///         .policy(Policy::Supervise)
///         .panic_policy(PanicPolicy::Log)
///         .limit(10)
///         .timeout(Duration::from_secs(10))
///         .deadline(goro_runtime::time::now() + Duration::from_secs(10))
///         .grace(Duration::from_millis(10))
///         .each(|number| println!("{number} is done"));
///     let outcome = group.run(async |group| {
///         group.spawn(async { Ok(1) }).await.unwrap();
///         assert!(group.try_spawn(async { Ok(2) }).is_ok());
///         group.defer_async(async { println!("afterwards") });
///         println!("{} run", group.running());
///         assert!(!group.token().is_cancelled());
///         Ok("done")
///     });
///     assert_eq!(outcome.await, Ok("done"));
///
///     let group = TaskGroup::<u32, &str>::new().grace(Duration::ZERO);
///     let outcome = group.run(async |group| {
///         group.spawn(std::future::pending()).await.unwrap();
///         group.cancel("enough");
///         Ok(())
///     });
///     assert!(outcome.await.is_err(), "a task was cut short");
/// });
/// ```
pub struct Group<T, E> {
    shared: Arc<Shared<T, E>>,
}

impl<T: Send + 'static, E: Send + 'static> Group<T, E> {
    /// Starts a task of the group; waits for a place first, if the group has a
    /// [limit](TaskGroup::limit) and that many run.
    ///
    /// # Errors
    /// Why the group takes no more tasks: it was cancelled, or it is over. The future is dropped.
    ///
    /// # Cancel safety
    /// Cancels: dropped before it is done, it drops the future, and nothing was started.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> impl Future<Output = Result<(), Cause>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let site = Location::caller();
        async move {
            let place = self.shared.place().await?;
            self.shared.start(Kind::at(site), site, place, future).map_err(|(cause, _future)| cause)
        }
    }

    /// Starts a task of the group if there is a place for it now.
    ///
    /// # Errors
    /// The future, and why: [`Cause::Limit`] if there is no place, or why the group takes no more tasks.
    #[track_caller]
    pub fn try_spawn<F>(&self, future: F) -> Result<(), (Cause, F)>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let site = Location::caller();
        match self.shared.try_place() {
            Ok(place) => self.shared.start(Kind::at(site), site, place, future),
            Err(cause) => Err((cause, future)),
        }
    }

    /// Has `future` run when all tasks of the group have ended, before `run` is done: to clean up what
    /// cannot be cleaned up in a destructor. The last one that was deferred runs first; nobody can ask them
    /// to stop. Dropped with `run` if that is dropped.
    ///
    /// Where the group is over, the future is dropped.
    pub fn defer_async(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.shared.defer(Box::pin(future));
    }

    /// The group's token: cancelled by its policy, and by whatever cancels the token that was ambient where
    /// the group was run.
    pub fn token(&self) -> &CancellationToken {
        &self.shared.token
    }

    /// Cancels the group: all its tasks are asked to end. False if it had been cancelled.
    pub fn cancel(&self, cause: impl Into<Cause>) -> bool {
        self.shared.token.cancel_with(cause)
    }

    /// How many of its tasks run.
    pub fn running(&self) -> usize {
        self.shared.running()
    }
}

impl<T, E> Clone for Group<T, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T, E> fmt::Debug for Group<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("running", &self.shared.running()).finish_non_exhaustive()
    }
}

/// Why one of a group gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChildError<E = Infallible> {
    /// It gave an error.
    Failed(E),
    /// It panicked, with this message.
    Panicked(Cause),
    /// It was dropped before it was done.
    Cancelled(Cause),
}

impl<E: fmt::Display> fmt::Display for ChildError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "a task of the group failed: {error}"),
            Self::Panicked(cause) => write!(f, "a task of the group {cause}"),
            Self::Cancelled(cause) => write!(f, "the group was cancelled: {cause}"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ChildError<E> {}

/// Why a group did not succeed: the first error, and those that came later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupError<E = Infallible> {
    /// The error that came first.
    pub first: ChildError<E>,
    /// The others, in the order in which they came.
    pub others: Vec<ChildError<E>>,
    /// How many tasks were dropped before they were done.
    pub dropped: usize,
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        match self.others.len() {
            0 => Ok(()),
            others => write!(f, " (and {others} more)"),
        }
    }
}

impl<E: core::error::Error> core::error::Error for GroupError<E> {}
