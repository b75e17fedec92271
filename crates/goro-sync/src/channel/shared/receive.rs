//! Receiving, under the lock and after it.

use goro_shim::atomic::Ordering;

use super::{Channel, Hold, call};
use crate::channel::errors::{Reason, RecvError};
use crate::channel::state::State;
use crate::wait::{Attempt, Came, Left, Offer, Place};

impl<T> Channel<T> {
    /// One attempt to receive; see [`Operation`](crate::wait::Operation).
    #[inline]
    pub(crate) fn receive(
        &self,
        place: &mut Place,
        offer: Option<&mut Offer<'_>>,
    ) -> Attempt<Result<T, RecvError>> {
        let mut state = self.state.lock();
        if place.is_nowhere() {
            if let Some(item) = state.pop_easily() {
                if state.is_drained() {
                    // Ordering: a hint, here and in `send`.
                    self.state.hint().store(state.has_nothing(), Ordering::Relaxed);
                }
                return Attempt::Done(Ok(item));
            }
            if offer.is_none() && state.has_nothing() {
                return Attempt::Waits;
            }
        }
        receive_with_care(self.hold(state), place, offer, |_| ())
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
