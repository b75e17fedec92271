//! Sending, under the lock and after it.

use core::iter;

use goro_shim::atomic::Ordering;

use super::{Channel, Hold, call, dispose};
use crate::channel::builder::Overflow as Policy;
use crate::channel::errors::{Reason, SendError};
use crate::wait::{Attempt, Came, Left, Offer, Place};

impl<T> Channel<T> {
    /// One attempt to send what is in `value`, which is taken if it was sent or comes back as an
    /// error; see [`Operation`](crate::wait::Operation).
    #[inline]
    pub(crate) fn send(
        &self,
        value: &mut Option<T>,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<(), SendError<T>>> {
        let mut state = self.state.lock();
        if place.is_nowhere() && state.push_easily(value) {
            self.state.hint().store(false, Ordering::Relaxed);
            return Attempt::Done(Ok(()));
        }
        send_with_care(self.hold(state), value, place, offer)
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
    dispose(undelivered.as_ref(), iter::once(excess));
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
