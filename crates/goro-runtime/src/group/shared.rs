//! What a group's body, its children and its `run` share.
//!
//! Invariants:
//! 1. A child stands in `children` from before its task exists until its future is gone. Its handle is
//!    put there once the task exists, if it stands there still.
//! 2. `closed` is set at a moment when nobody stands there, by `run`; or when `run` is dropped.
//! 3. Whoever takes the last child out notifies `empty`; `run` makes its notification before it looks.

use core::future::Future;
use core::mem;
use core::panic::Location;
use core::pin::Pin;
use std::any::Any;

use goro_context::inherit::{self, Head};
use goro_context::time::Duration;
use goro_context::{Cause, Kind, TaskId};
use goro_shim::global::{Arc, Lock, OnceLock};
use goro_sync::{CancellationToken, Notify, OwnedPermit, Semaphore};
use goro_task::{AbortHandle, GRACE};
use goro_wait::{Key, WaitList};

use super::child::Child;
use super::{ChildError, Policy};
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
}

impl<T> Plan<T> {
    pub(super) fn new() -> Self {
        Self { policy: Policy::FailFast, limit: None, grace: GRACE, each: None }
    }
}

/// What is shared; see the module.
pub(super) struct Shared<T, E> {
    pub(super) plan: Plan<T>,
    pub(super) token: CancellationToken,
    /// What children inherit.
    inherited: Head,
    places: Option<Arc<Semaphore>>,
    empty: Notify,
    /// Its end as a unit of its own, once somebody has asked for a handle to it.
    pub(super) ending: OnceLock<Arc<Unit>>,
    state: Lock<State<T, E>>,
}

struct State<T, E> {
    children: WaitList<Option<AbortHandle>>,
    /// No child comes any more.
    closed: bool,
    /// The grace is over: whoever comes now is dropped.
    aborting: bool,
    tally: Tally<T, E>,
    deferred: Vec<Deferred>,
    /// Children so far, and those of them that were dropped.
    made: u64,
    dropped: u64,
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
        let state = Lock::new(State {
            children: WaitList::new(),
            closed: false,
            aborting: false,
            tally,
            deferred: Vec::new(),
            made: 0,
            dropped: 0,
        });
        let (empty, ending) = (Notify::new(), OnceLock::new());
        Arc::new(Self { plan, token, inherited, places, empty, ending, state })
    }

    pub(super) fn running(&self) -> usize {
        self.state.lock().children.len()
    }

    /// How many children there have been, and how they have ended.
    pub(super) fn census(&self) -> Census {
        let state = self.state.lock();
        let (made, cancelled) = (state.made, state.dropped);
        Census { made, ended: made - state.children.len() as u64, cancelled, jobs: 0 }
    }

    /// Some of the children that run.
    pub(super) fn some(&self, most: usize) -> Vec<(TaskId, Kind)> {
        let mut some = Vec::with_capacity(most);
        let state = self.state.lock();
        let handles = state.children.iter().filter_map(|(_, handle)| handle.as_ref());
        some.extend(handles.map(|handle| (handle.id(), handle.kind())).take(most));
        drop(state);
        some
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Result<Option<OwnedPermit>, Cause> {
        let Some(places) = &self.places else { return Ok(None) };
        let place = self.token.run_until_cancelled(Arc::clone(places).acquire_owned()).await?;
        place.map(Some).map_err(|_closed| Cause::Refused)
    }

    pub(super) fn try_place(&self) -> Result<Option<OwnedPermit>, Cause> {
        let Some(places) = &self.places else { return Ok(None) };
        Arc::clone(places).try_acquire_owned().map(Some).map_err(|_none| Cause::Limit)
    }

    /// Asks everybody to end, and to be dropped: what is left when the grace is over.
    pub(super) fn abort_all(&self) {
        let cause = self.token.cause().unwrap_or(Cause::Aborted);
        let handles: Vec<_> = {
            let mut state = self.state.lock();
            state.aborting = true;
            state.children.iter().filter_map(|(_, handle)| handle.clone()).collect()
        };
        for handle in handles {
            handle.abort_with(cause.clone());
        }
    }

    pub(super) fn defer(&self, future: Deferred) {
        let refused = {
            let mut state = self.state.lock();
            if state.closed {
                Some(future)
            } else {
                state.deferred.push(future);
                None
            }
        };
        // Panic: its destructor may; the group does not know it.
        drop(refused);
    }

    pub(super) fn take_deferred(&self) -> Vec<Deferred> {
        mem::take(&mut self.state.lock().deferred)
    }

    /// Waits until no child is left; none comes after that.
    pub(super) async fn close_when_empty(&self) {
        loop {
            let empty = self.empty.notified();
            if self.close_if_empty() {
                return;
            }
            empty.await;
        }
    }

    fn close_if_empty(&self) -> bool {
        let mut state = self.state.lock();
        state.closed |= state.children.is_empty();
        state.closed
    }

    /// Lets no child in any more; how many are left.
    pub(super) fn close(&self) -> usize {
        let mut state = self.state.lock();
        state.closed = true;
        state.children.len()
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
                let mut state = self.state.lock();
                if policy != Policy::Supervise {
                    state.tally.errors.push(ChildError::Panicked(cause.clone()));
                }
                match state.tally.panic {
                    None if policy == Policy::FailFast => state.tally.panic = Some(payload),
                    _ => left = Some(payload),
                }
                Some(cause).filter(|_| policy == Policy::FailFast)
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
        let mut state = self.state.lock();
        if state.closed {
            return Err("the group is over".into());
        }
        state.made += 1;
        Ok(state.children.push_back(None))
    }

    fn keep_handle(&self, key: Key, handle: AbortHandle) {
        let (unused, late) = {
            let mut state = self.state.lock();
            let late = state.aborting.then(|| handle.clone());
            match state.children.get_mut(key) {
                Some(kept) => (kept.replace(handle), late),
                None => (Some(handle), None),
            }
        };
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

    /// Puts the outcome down, and leaves.
    pub(super) fn end(self, outcome: Outcome<T, E>) {
        if let Outcome::Dropped = outcome {
            self.shared.state.lock().dropped += 1;
        }
        if let Some(cause) = self.shared.count(outcome) {
            self.shared.token.cancel_with(cause);
        }
    }
}

impl<T, E> Drop for Member<T, E> {
    fn drop(&mut self) {
        drop(self.place.take());
        let (handle, is_last) = {
            let mut state = self.shared.state.lock();
            (state.children.remove(self.key), state.children.is_empty())
        };
        drop(handle);
        if is_last {
            self.shared.empty.notify_waiters();
            if let Some(unit) = self.shared.ending.get() {
                unit.look();
            }
        }
    }
}
