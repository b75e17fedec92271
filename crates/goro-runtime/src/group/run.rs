//! Running a group to its end: the body, the children, what was deferred; and dropping it half-way.

use core::future::Future;
use core::pin::{Pin, pin};
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt;
use futures::future::{Either, select};
use goro_context::alarm::{Alarm, Ring};
use goro_context::time::{self, Instant};
use goro_context::{Cause, Gone};
use goro_shim::global::Arc;
use goro_sync::cancel::shield;

use super::shared::{Outcome, Payload, Shared, Tally};
use super::{ChildError, GroupError, Policy};
use crate::observe;
use crate::time::timeout_at;

/// How the body ended: what it gave, unless it failed, panicked or was dropped.
pub(super) struct Ended<R> {
    given: Option<R>,
    panic: Option<Payload>,
}

/// Runs the body and waits for all children.
pub(super) async fn to_the_end<T, E, R>(
    shared: &Arc<Shared<T, E>>,
    body: impl Future<Output = Result<R, E>>,
) -> Ended<R>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let guard = Guard(Some(Arc::clone(shared)));
    let mut patience = Patience { shared, until: None };
    // Panic: the body's own; it goes on when the children have ended.
    let body = AssertUnwindSafe(shared.token.scope(body)).catch_unwind();
    let mut ended = Ended { given: None, panic: None };
    // The body is gone after this statement.
    let outcome = patience.wait_for(pin!(body)).await;
    match outcome {
        Some(Ok(Ok(given))) => ended.given = Some(given),
        Some(Ok(Err(error))) => fail(shared, error),
        Some(Err(payload)) => {
            shared.token.cancel_with(Cause::panicked(&*payload));
            ended.panic = Some(payload);
        }
        None => {
            shared.count(Outcome::Dropped);
        }
    }
    if patience.wait_for(pin!(shared.close_when_empty())).await.is_none() {
        shared.abort_all();
        shared.close_when_empty().await;
    }
    for deferred in shared.take_deferred().into_iter().rev() {
        // Panic: the others run all the same; the first one goes on at the end.
        let ran = AssertUnwindSafe(shield(deferred)).catch_unwind().await;
        if let Err(payload) = ran {
            match ended.panic {
                None => ended.panic = Some(payload),
                Some(_) => goro_context::contain::discard(payload),
            }
        }
    }
    guard.disarm();
    ended
}

/// The body's error counts as a child's; under every policy the children are of no use without it, but
/// where each is for itself.
fn fail<T, E>(shared: &Shared<T, E>, error: E) {
    let errors = |tally: &mut Tally<T, E>| tally.errors.push(ChildError::Failed(error));
    shared.with_tally(errors);
    if shared.plan.policy == Policy::FailFast {
        shared.token.cancel_with("the body of the group has failed");
    }
}

/// Waiting for those who were asked to end, and not for ever.
struct Patience<'a, T, E> {
    shared: &'a Shared<T, E>,
    /// When the grace is over; since the group was cancelled.
    until: Option<Instant>,
}

impl<T, E> Patience<'_, T, E> {
    /// What `future` gives; nothing, if it was not done when the grace was over.
    async fn wait_for<F: Future>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        if self.until.is_none() {
            let cancelled = pin!(self.shared.token.cancelled());
            if let Either::Left((output, _)) = select(future.as_mut(), cancelled).await {
                return Some(output);
            }
        }
        let until = *self.until.get_or_insert_with(|| time::after(self.shared.plan.grace));
        timeout_at(until, future).await.ok()
    }
}

/// Ends the group when `run` is dropped half-way.
struct Guard<T: Send + 'static, E: Send + 'static>(Option<Arc<Shared<T, E>>>);

impl<T: Send + 'static, E: Send + 'static> Guard<T, E> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl<T: Send + 'static, E: Send + 'static> Drop for Guard<T, E> {
    fn drop(&mut self) {
        let Some(shared) = self.0.take() else { return };
        let left = shared.close();
        shared.token.cancel_with("the group was dropped");
        let deferred = shared.take_deferred();
        if left > 0 || !deferred.is_empty() {
            observe::group_dropped(left, deferred.len());
        }
        if left > 0 {
            let grace = shared.plan.grace;
            let reaper = Reaper(Arc::clone(&shared));
            match Alarm::set(time::after(grace), reaper) {
                Ok(alarm) if !grace.is_zero() => alarm.keep(),
                Ok(_) | Err(Gone) => shared.abort_all(),
            }
        }
        // Panic: of their destructors; the group is over.
        drop(deferred);
    }
}

/// Drops what is left of a group when the grace is over.
struct Reaper<T, E>(Arc<Shared<T, E>>);

impl<T: Send + 'static, E: Send + 'static> Ring for Reaper<T, E> {
    fn ring(&self, _kept: Result<(), Gone>) {
        self.0.abort_all();
    }
}

/// What `run` gives.
pub(super) fn result<T, E, R>(shared: &Shared<T, E>, ended: Ended<R>) -> Result<R, GroupError<E>> {
    let Ended { given, panic } = ended;
    let tally = tally(shared, panic);
    // One success is all that was asked for.
    let succeeded = tally.value.is_some();
    if let Some(value) = tally.value {
        shared.give(value);
    }
    match (given, error(shared, tally.errors, tally.dropped)) {
        (Some(given), None) => Ok(given),
        (Some(given), Some(_)) if succeeded => Ok(given),
        (_, Some(error)) => Err(error),
        (None, None) => unreachable!("a body that gave nothing has failed, or was dropped"),
    }
}

/// What `first_ok` gives.
pub(super) fn first<T, E>(shared: &Shared<T, E>, ended: Ended<()>) -> Result<T, GroupError<E>> {
    let Tally { value, errors, dropped, .. } = tally(shared, ended.panic);
    let none = || GroupError {
        first: ChildError::Cancelled("no task of the group has succeeded".into()),
        others: Vec::new(),
        dropped,
    };
    value.ok_or_else(|| error(shared, errors, dropped).unwrap_or_else(none))
}

/// The tally, unless a panic is to go on.
fn tally<T, E>(shared: &Shared<T, E>, body: Option<Payload>) -> Tally<T, E> {
    let mut tally = shared.tally();
    match body.or(tally.panic.take()) {
        Some(payload) => resume_unwind(payload),
        None => tally,
    }
}

fn error<T, E>(
    shared: &Shared<T, E>,
    errors: Vec<ChildError<E>>,
    dropped: usize,
) -> Option<GroupError<E>> {
    let mut errors = errors.into_iter();
    let first = match errors.next() {
        Some(first) => first,
        None if dropped > 0 => {
            ChildError::Cancelled(shared.token.cause().unwrap_or(Cause::Aborted))
        }
        None => return None,
    };
    Some(GroupError { first, others: errors.collect(), dropped })
}
