//! A channel's operations: what happens under its lock, and what after.
//!
//! Each operation locks once, decides by the rules of [`State`], gives the lock back, and then wakes
//! and drops what it took out.
//!
//! Invariant: whatever holds user code (wakers, items) is declared before the guard, or moved out of
//! it, so that it is dropped after.

use core::fmt;
use core::ops::{Deref, DerefMut};

use goro_context::contain;
use goro_shim::lock::{Guard, Lock};
use goro_wait::Wakers;

use super::builder::Overflow as Policy;
use super::errors::{Reason, RecvError, SendError};
use super::state::{State, Undelivered};
use crate::names::Name;
use crate::wait::{Attempt, Came, Left, Offer, Place, Waiter};

/// What the ends of a channel share.
pub(crate) struct Channel<T>(Lock<State<T>>);

/// A channel's lock, taken; see [`State::settle_ease`].
pub(crate) struct Hold<'a, T>(Guard<'a, State<T>>);

impl<T> Deref for Hold<'_, T> {
    type Target = State<T>;
    #[inline]
    fn deref(&self) -> &State<T> {
        &self.0
    }
}

impl<T> DerefMut for Hold<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut State<T> {
        &mut self.0
    }
}

impl<T> Drop for Hold<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.settle_ease();
    }
}

/// Wakes who was called, with no lock held.
#[inline]
pub(crate) fn call(waiter: Option<Waiter>) {
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

impl<T> Channel<T> {
    pub(crate) fn new(state: State<T>) -> Self {
        Self(Lock::new(state))
    }

    /// Locks for whatever is to be done.
    #[inline]
    pub(crate) fn lock(&self) -> Hold<'_, T> {
        Hold(self.0.lock())
    }

    // --- Receiving ----------------------------------------------------------------------------

    /// One attempt to receive; see [`Operation`](crate::wait::Operation).
    #[inline]
    pub(crate) fn receive(
        &self,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<T, RecvError>> {
        let mut state = self.0.lock();
        if place.is_nowhere() {
            if let Some(item) = state.pop_easily() {
                return Attempt::Done(Ok(item));
            }
        }
        receive_with_care(Hold(state), place, offer, |_| ())
    }

    /// As [`receive`](Self::receive); `then` changes the state that an item was taken from.
    #[inline]
    pub(crate) fn receive_and(
        &self,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
        then: impl FnOnce(&mut State<T>),
    ) -> Attempt<Result<T, RecvError>> {
        receive_with_care(self.lock(), place, offer, then)
    }

    /// Ends the wait of a receiver that is dropped.
    pub(crate) fn give_up_receiving(&self, place: &mut Place) {
        let mut state = self.lock();
        let left = state.rx.leave(place);
        let (receiver, caller) = (state.call_receiver(), state.call_caller());
        drop(state);
        drop(left);
        call(receiver);
        call(caller);
    }

    // --- Sending ------------------------------------------------------------------------------

    /// One attempt to send what is in `value`, which is taken if it was sent or comes back as an
    /// error; see [`Operation`](crate::wait::Operation).
    #[inline]
    pub(crate) fn send(
        &self,
        value: &mut Option<T>,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<(), SendError<T>>> {
        let mut state = self.0.lock();
        if place.is_nowhere() && state.push_easily(value) {
            return Attempt::Done(Ok(()));
        }
        send_with_care(Hold(state), value, place, offer)
    }

    /// Ends the wait of a sender that is dropped, or asked for its value back.
    pub(crate) fn give_up_sending(&self, value: &mut Option<T>, place: &mut Place) {
        let mut state = self.lock();
        if state.capacity > 0 {
            let left = state.tx.leave(place);
            let sender = state.call_sender();
            drop(state);
            drop(left);
            return call(sender);
        }
        let (left, reserver) = state.leave_meeting(place);
        drop(state);
        call(reserver);
        if let Left::Waiter(waiter) = left {
            // The receiver that was told of it finds nothing, and waits again.
            let (_waker, item) = waiter.split();
            *value = Some(item);
        }
    }

    /// For `Debug`: nothing of the items is shown.
    pub(crate) fn describe(&self, end: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let name = state.rare.as_ref().and_then(|rare| rare.name.as_ref().map(Name::text));
        let (len, capacity, closed) = (state.len(), state.capacity, state.closed);
        let (senders, receivers) = (state.senders, state.receivers);
        drop(state);
        let mut out = f.debug_struct(end);
        if let Some(name) = name {
            out.field("name", &name);
        }
        out.field("len", &len.min(capacity));
        if capacity < usize::MAX {
            out.field("capacity", &capacity);
        }
        out.field("senders", &senders).field("receivers", &receivers).field("closed", &closed);
        out.finish()
    }

    // --- The end ------------------------------------------------------------------------------

    /// Closes the channel, for a reason if one is given. False if it was closed before.
    pub(crate) fn close(&self, cause: Option<goro_context::Cause>) -> bool {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        let closes = state.close(&mut wakers);
        if closes && cause.is_some() {
            state.rare().cause = cause;
        }
        drop(state);
        wakers.wake_all();
        closes
    }

    pub(crate) fn add_sender(&self) {
        let mut state = self.lock();
        state.senders =
            state.senders.checked_add(1).expect("a channel has fewer than 2^32 senders");
    }

    pub(crate) fn add_receiver(&self) {
        let mut state = self.lock();
        let more = state.receivers.checked_add(1);
        state.receivers = more.expect("a channel has fewer than 2^32 receivers");
    }

    pub(crate) fn drop_sender(&self) {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            state.close(&mut wakers);
        }
        drop(state);
        wakers.wake_all();
    }

    pub(crate) fn drop_receiver(&self) {
        let mut wakers = Wakers::new();
        let mut state = self.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        state.close(&mut wakers);
        let remains = state.remains();
        let undelivered = state.undelivered();
        drop(state);
        wakers.wake_all();
        dispose(undelivered.as_ref(), remains);
    }
}

fn receive_with_care<T>(
    mut state: Hold<'_, T>,
    place: &mut Place,
    offer: Option<&mut Offer<'_>>,
    then: impl FnOnce(&mut State<T>),
) -> Attempt<Result<T, RecvError>> {
    let came = state.rx.arrive(place);
    let Some(taken) = state.take() else { return find_nothing(state, came, place, offer) };
    state.settle_receivers();
    // Served before its turn, it still stands in line.
    let left = if came == Came::Early { state.rx.leave(place) } else { Left::Nothing };
    then(&mut state);
    let (sender, caller) = (state.call_sender(), state.call_caller());
    drop(state);
    drop(left);
    call(taken.sender);
    call(sender);
    call(caller);
    Attempt::Done(Ok(taken.item))
}

fn find_nothing<T>(
    mut state: Hold<'_, T>,
    came: Came,
    place: &mut Place,
    offer: Option<&mut Offer<'_>>,
) -> Attempt<Result<T, RecvError>> {
    if state.is_over() {
        let left = state.rx.leave(place);
        let reason = Reason(state.cause());
        drop(state);
        drop(left);
        return Attempt::Done(Err(RecvError(reason)));
    }
    let Some(offer) = offer else {
        let left = state.rx.leave(place);
        // Whoever asks again and again without waiting must find something in the end.
        let sender = state.call_another_sender();
        drop(state);
        drop(left);
        call(sender);
        return Attempt::Waits;
    };
    if !state.rx.wait(place, offer, came, || ()) {
        return Attempt::Unprepared;
    }
    offer.object = state.number();
    // The place that comes with a receiver; on a further look, whether or not others were told.
    let sender = match came {
        Came::New | Came::Turned => state.call_sender(),
        Came::Early => state.call_another_sender(),
    };
    let looks_again = state.has_room_for_those_in_line();
    drop(state);
    call(sender);
    if looks_again {
        offer.yield_now();
    }
    Attempt::Waits
}

fn send_with_care<T>(
    mut state: Hold<'_, T>,
    value: &mut Option<T>,
    place: &mut Place,
    offer: Option<&mut Offer<'_>>,
) -> Attempt<Result<(), SendError<T>>> {
    if state.capacity == 0 {
        return meet(state, value, place, offer);
    }
    let came = state.tx.arrive(place);
    if state.closed {
        return refuse(state, value, place);
    }
    if !state.may_go(came, place) {
        return find_no_room(state, came, value, place, offer);
    }
    // Panic: a future that has answered may not be polled again.
    let item = value.take().expect("a send is not polled after it was done");
    state.push(item);
    let left = if came == Came::Early { state.tx.leave(place) } else { Left::Nothing };
    state.settle_senders();
    let receiver = state.call_receiver();
    drop(state);
    drop(left);
    call(receiver);
    Attempt::Done(Ok(()))
}

fn find_no_room<T>(
    mut state: Hold<'_, T>,
    came: Came,
    value: &mut Option<T>,
    place: &mut Place,
    offer: Option<&mut Offer<'_>>,
) -> Attempt<Result<(), SendError<T>>> {
    if state.policy() != Policy::Wait {
        return match value.take() {
            Some(item) => Attempt::Done(overflow(state, item)),
            None => Attempt::Waits,
        };
    }
    let Some(offer) = offer else {
        let left = state.tx.leave(place);
        let sender = state.call_sender();
        drop(state);
        drop(left);
        call(sender);
        return Attempt::Waits;
    };
    if !state.tx.wait(place, offer, came, || ()) {
        return Attempt::Unprepared;
    }
    offer.object = state.number();
    // There is room, and yet others go first: they may have been told, and never come.
    let sender = state.call_another_sender();
    drop(state);
    call(sender);
    Attempt::Waits
}

/// What happens to a value that is too much, by the channel's policy.
pub(crate) fn overflow<T>(mut state: Hold<'_, T>, item: T) -> Result<(), SendError<T>> {
    let excess = match state.policy() {
        Policy::Wait | Policy::Reject => {
            drop(state);
            return Err(SendError::Full(item));
        }
        Policy::DropNewest => item,
        Policy::DropOldest => match state.pop() {
            None => item,
            Some(oldest) => {
                state.push(item);
                oldest
            }
        },
    };
    let receiver = state.call_receiver();
    let undelivered = state.undelivered();
    drop(state);
    call(receiver);
    dispose(undelivered.as_ref(), core::iter::once(excess));
    Ok(())
}

/// Sends at a rendezvous: the value waits in line, until a receiver takes it from there.
fn meet<T>(
    mut state: Hold<'_, T>,
    value: &mut Option<T>,
    place: &mut Place,
    offer: Option<&mut Offer<'_>>,
) -> Attempt<Result<(), SendError<T>>> {
    let closed = state.closed;
    let came = match &mut state.rare {
        Some(rare) => rare.meeting.arrive(place),
        None => Came::New,
    };
    if came == Came::Turned {
        return Attempt::Done(Ok(()));
    }
    let meeting = &mut state.rare().meeting;
    let Some(offer) = offer.filter(|_| !closed) else {
        let (left, reserver) = state.leave_meeting(place);
        let reason = closed.then(|| Reason(state.cause()));
        drop(state);
        call(reserver);
        if let Left::Waiter(waiter) = left {
            let (_waker, item) = waiter.split();
            *value = Some(item);
        }
        return match (reason, value.take()) {
            (Some(reason), Some(item)) => Attempt::Done(Err(SendError::Closed(item, reason))),
            (_, item) => {
                *value = item;
                Attempt::Waits
            }
        };
    };
    // Panic: as in `send`.
    let bring = || value.take().expect("a send is not polled after it was done");
    if !meeting.wait(place, offer, came, bring) {
        return Attempt::Unprepared;
    }
    offer.object = state.number();
    state.settle_senders();
    let receiver = state.call_receiver();
    drop(state);
    call(receiver);
    Attempt::Waits
}

impl<T> State<T> {
    pub(crate) fn undelivered(&self) -> Option<Undelivered<T>> {
        self.rare.as_ref()?.undelivered.clone()
    }
}

/// The answer of a closed channel.
#[cold]
fn refuse<T>(
    mut state: Hold<'_, T>,
    value: &mut Option<T>,
    place: &mut Place,
) -> Attempt<Result<(), SendError<T>>> {
    let left = state.tx.leave(place);
    let reason = Reason(state.cause());
    drop(state);
    drop(left);
    match value.take() {
        Some(value) => Attempt::Done(Err(SendError::Closed(value, reason))),
        None => Attempt::Waits,
    }
}

/// Ends items that nobody will receive: the channel's owner may want to know of them.
pub(crate) fn dispose<T>(undelivered: Option<&Undelivered<T>>, items: impl Iterator<Item = T>) {
    for item in items {
        // Panic: the hook, or the item's destructor, may; the others are ended all the same.
        contain::quietly(|| match undelivered {
            Some(undelivered) => undelivered(item),
            None => drop(item),
        });
    }
}
