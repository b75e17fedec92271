//! What a group's body, its children and its `run` share.
//!
//! Invariants:
//! 1. A child is among the `members` from before its task exists until its future is gone.
//! 2. What a child is to tell it has told before it leaves them: whoever has found nobody there finds all
//!    outcomes in `state`.

use core::future::Future;
use core::mem;
use core::panic::Location;
use core::pin::Pin;
use std::any::Any;

use goro_context::inherit::{self, Head};
use goro_context::time::Duration;
use goro_context::{Cause, Kind};
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::global::{Arc, Lock, OnceLock};
use goro_sync::{AcquireError, CancellationToken, OwnedPermit, Semaphore};
use goro_task::{AbortHandle, GRACE};
use goro_wait::Key;

use super::child::Child;
use super::{ChildError, Policy};
use crate::members::{Kept, Members};
use crate::panics::{self, PanicPolicy};
use crate::shutdown::{Census, Unit};
use crate::spawn::spawn_as;

pub(super) type Payload = Box<dyn Any + Send>;
pub(super) type Deferred = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a group is to be.
pub(super) struct Plan<T> {
    pub(super) policy: Policy,
    pub(super) limit: Option<usize>,
    pub(super) grace: Duration,
    pub(super) each: Option<Box<dyn Fn(T) + Send + Sync>>,
    /// What a child's panic leads to, if not to what the runtime says.
    pub(super) panics: Option<PanicPolicy>,
}

impl<T> Plan<T> {
    pub(super) fn new() -> Self {
        Self { policy: Policy::FailFast, limit: None, grace: GRACE, each: None, panics: None }
    }
}

/// What is shared; see the module.
pub(super) struct Shared<T, E> {
    pub(super) plan: Plan<T>,
    pub(super) token: CancellationToken,
    /// What children inherit.
    inherited: Head,
    places: Option<Arc<Semaphore>>,
    pub(super) roll: Arc<Roll>,
    /// Its end as a unit of its own, once somebody has asked for a handle to it.
    pub(super) ending: OnceLock<Arc<Unit>>,
    state: Lock<State<T, E>>,
}

struct State<T, E> {
    tally: Tally<T, E>,
    /// Nothing once they have been taken.
    deferred: Option<Vec<Deferred>>,
}

/// The children: who is there, and how many have been.
pub(super) struct Roll {
    /// Where children come and go, with what ends their tasks.
    pub(super) members: Members<AbortHandle>,
    /// Of those who have been, the ones that were dropped.
    dropped: AtomicU64,
}

impl Roll {
    /// How many children there have been, and how they have ended.
    pub(super) fn census(&self) -> Census {
        let (made, inside) = self.members.census();
        // Ordering: each is counted before it leaves the members, whose lock orders that.
        let cancelled = self.dropped.load(Ordering::Relaxed);
        Census { made, ended: made - inside as u64, cancelled, jobs: 0 }
    }

    /// Asks everybody to end, and to be dropped: what is left when the grace is over.
    pub(super) fn abort_all(&self, token: &CancellationToken) {
        let cause = token.cause().unwrap_or(Cause::Aborted);
        for handle in self.members.end_all() {
            handle.abort_with(cause.clone());
        }
    }
}

/// What has become of those who have ended.
pub(super) struct Tally<T, E> {
    /// Of the first that succeeded, if that is what the group is for.
    pub(super) value: Option<T>,
    pub(super) errors: Vec<ChildError<E>>,
    /// Of the first that panicked.
    pub(super) panic: Option<Payload>,
    pub(super) dropped: usize,
}

/// How a child, or the body, ended.
pub(super) enum Outcome<T, E> {
    /// With a value to be kept.
    Value(T),
    /// With one that was given out.
    Given,
    Failed(E),
    Panicked(Payload),
    Dropped,
}

impl<T, E> Shared<T, E> {
    pub(super) fn new(plan: Plan<T>, token: CancellationToken) -> Arc<Self> {
        let places = plan.limit.map(|limit| Arc::new(Semaphore::new(limit.min(Semaphore::MAX))));
        let inherited = inherit::head().push(token.ambient());
        let tally = Tally { value: None, errors: Vec::new(), panic: None, dropped: 0 };
        let state = Lock::new(State { tally, deferred: Some(Vec::new()) });
        let roll = Arc::new(Roll { members: Members::new(), dropped: AtomicU64::new(0) });
        Arc::new(Self { plan, token, inherited, places, roll, ending: OnceLock::new(), state })
    }

    pub(super) fn running(&self) -> usize {
        self.roll.members.count()
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Result<Option<OwnedPermit>, Cause> {
        let Some(places) = &self.places else { return Ok(None) };
        let place = self.token.run_until_cancelled(Arc::clone(places).acquire_owned()).await?;
        place.map(Some).map_err(|error| match error {
            AcquireError::Cancelled(cause) => cause,
            _ => Cause::Refused,
        })
    }

    pub(super) fn try_place(&self) -> Result<Option<OwnedPermit>, Cause> {
        let Some(places) = &self.places else { return Ok(None) };
        Arc::clone(places).try_acquire_owned().map(Some).map_err(|_none| Cause::Limit)
    }

    /// As [`Roll::abort_all`].
    pub(super) fn abort_all(&self) {
        self.roll.abort_all(&self.token);
    }

    pub(super) fn defer(&self, future: Deferred) {
        let refused = match &mut self.state.lock().deferred {
            Some(deferred) => {
                deferred.push(future);
                None
            }
            None => Some(future),
        };
        // Panic: its destructor may; the group does not know it.
        drop(refused);
    }

    pub(super) fn take_deferred(&self) -> Vec<Deferred> {
        self.state.lock().deferred.take().unwrap_or_default()
    }

    /// Waits until no child is left; none comes after that.
    pub(super) async fn close_when_empty(&self) {
        self.roll.members.close_when_empty().await;
    }

    /// Lets no child in any more; how many are left.
    pub(super) fn close(&self) -> usize {
        self.roll.members.close()
    }

    /// Changes the tally; nothing of the user's may run in `change`.
    pub(super) fn with_tally(&self, change: impl FnOnce(&mut Tally<T, E>)) {
        change(&mut self.state.lock().tally);
    }

    /// What has become of everybody, once.
    pub(super) fn tally(&self) -> Tally<T, E> {
        let mut state = self.state.lock();
        let empty = Tally { value: None, errors: Vec::new(), panic: None, dropped: 0 };
        mem::replace(&mut state.tally, empty)
    }

    /// Gives a value to whoever wants each.
    pub(super) fn give(&self, value: T) {
        if let Some(each) = &self.plan.each {
            each(value);
        }
    }

    /// Whether the first value is kept, for `run` to give out.
    pub(super) fn keeps_value(&self) -> bool {
        self.plan.policy == Policy::FirstOk
    }

    /// Puts an outcome down; why the others are to be cancelled, if they are.
    pub(super) fn count(&self, outcome: Outcome<T, E>) -> Option<Cause> {
        let policy = self.plan.policy;
        let (mut unused, mut left) = (None, None);
        let cause = match outcome {
            Outcome::Value(value) => {
                let mut state = self.state.lock();
                match state.tally.value {
                    Some(_) => unused = Some(value),
                    None => state.tally.value = Some(value),
                }
                Some("another task of the group has succeeded".into())
            }
            Outcome::Given => None,
            Outcome::Failed(error) if policy == Policy::Supervise => {
                drop(error);
                None
            }
            Outcome::Failed(error) => {
                self.state.lock().tally.errors.push(ChildError::Failed(error));
                Some("another task of the group has failed".into())
                    .filter(|_| policy == Policy::FailFast)
            }
            Outcome::Panicked(payload) => {
                let cause = Cause::panicked(&*payload);
                let panics = self.plan.panics.unwrap_or_else(panics::here);
                let mut state = self.state.lock();
                if policy != Policy::Supervise {
                    state.tally.errors.push(ChildError::Panicked(cause.clone()));
                }
                match state.tally.panic {
                    None if policy == Policy::FailFast => state.tally.panic = Some(payload),
                    _ => left = Some(payload),
                }
                let ends = policy == Policy::FailFast || panics == PanicPolicy::CancelGroup;
                Some(cause).filter(|_| ends)
            }
            Outcome::Dropped => {
                self.state.lock().tally.dropped += 1;
                None
            }
        };
        drop(unused);
        if let Some(payload) = left {
            goro_context::contain::discard(payload);
        }
        cause
    }
}

impl<T: Send + 'static, E: Send + 'static> Shared<T, E> {
    /// Starts a child.
    ///
    /// # Errors
    /// Why none is taken, and the future.
    pub(super) fn start<F>(
        self: &Arc<Self>,
        kind: Kind,
        site: &'static Location<'static>,
        place: Option<OwnedPermit>,
        future: F,
    ) -> Result<(), (Cause, F)>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let draining = || self.ending.get().and_then(|unit| unit.refusal());
        let key = match self.token.cause().or_else(draining) {
            Some(cause) => Err(cause),
            None => self.enter(),
        };
        let key = match key {
            Ok(key) => key,
            Err(cause) => return Err((cause, future)),
        };
        let member = Member { shared: Arc::clone(self), key, place };
        let child = Child::new(future, member);
        let handle = inherit::with(&mut self.inherited.clone(), || spawn_as(kind, site, child));
        self.keep_handle(key, handle.abort_handle());
        Ok(())
    }

    fn enter(&self) -> Result<Key, Cause> {
        self.roll.members.enter().ok_or_else(|| "the group is over".into())
    }

    fn keep_handle(&self, key: Key, handle: AbortHandle) {
        let Kept { unused, late } = self.roll.members.keep(key, handle);
        drop(unused);
        if let Some(late) = late {
            late.abort_with(self.token.cause().unwrap_or(Cause::Aborted));
        }
    }
}

/// A child's place in its group.
pub(super) struct Member<T, E> {
    shared: Arc<Shared<T, E>>,
    key: Key,
    place: Option<OwnedPermit>,
}

impl<T, E> Member<T, E> {
    /// Gives the value out, unless it is to be kept.
    pub(super) fn give(&self, value: T) -> Outcome<T, E> {
        if self.shared.keeps_value() {
            return Outcome::Value(value);
        }
        self.shared.give(value);
        Outcome::Given
    }

    /// The task that is polled or dropped here is this one, and has panicked.
    pub(super) fn panicked(&self) {
        if let Some(policy) = self.shared.plan.panics {
            panics::leave(policy);
        }
    }

    /// Puts the outcome down, and leaves.
    pub(super) fn end(self, outcome: Outcome<T, E>) {
        if let Outcome::Dropped = outcome {
            self.shared.roll.dropped.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(cause) = self.shared.count(outcome) {
            self.shared.token.cancel_with(cause);
        }
    }
}

impl<T, E> Drop for Member<T, E> {
    fn drop(&mut self) {
        drop(self.place.take());
        let (handle, is_last) = self.shared.roll.members.leave(self.key);
        drop(handle);
        if let Some(unit) = self.shared.ending.get().filter(|_| is_last) {
            unit.look();
        }
    }
}
