//! Many values at once: one lock for each batch, and one turn given for it.
//!
//! Invariant: at most [`BATCH`] values move under the lock at a time, so that others get it too.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;

use goro_context::{Cause, Op};
use goro_wait::Wakers;

use super::errors::{Reason, RecvError, SendError, SendManyError};
use super::shared::Channel;
use super::state::State;
use crate::wait::{self, Attempt, Offer, Operation, Place, Waiter};

/// How many values move under one lock.
const BATCH: usize = 64;

/// The future of [`Receiver::recv_many`](super::Receiver::recv_many).
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvMany<'a, T> {
    channel: &'a Channel<T>,
    into: &'a mut Vec<T>,
    limit: usize,
    place: Place,
}

impl<'a, T> RecvMany<'a, T> {
    pub(crate) fn new(channel: &'a Channel<T>, into: &'a mut Vec<T>, limit: usize) -> Self {
        Self { channel, into, limit, place: Place::NOWHERE }
    }
}

impl<T> Operation for RecvMany<'_, T> {
    type Output = Result<usize, RecvError>;
    const OP: Op = Op::Recv;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        if self.limit == 0 {
            return Attempt::Done(Ok(0));
        }
        if self.place.is_nowhere() {
            let received = self.channel.receive_more(self.into, self.limit);
            if received > 0 {
                return Attempt::Done(Ok(received));
            }
        }
        // Room is made before the lock.
        self.into.reserve(self.limit.min(BATCH));
        match self.channel.receive(&mut self.place, offer) {
            Attempt::Done(Ok(first)) => {
                self.into.push(first);
                Attempt::Done(Ok(1 + self.channel.receive_more(self.into, self.limit - 1)))
            }
            other => other.map(|received| received.map(|_| 0)),
        }
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(RecvError(Reason::cancelled(cause)))
    }
}

impl<T> Future for RecvMany<'_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for RecvMany<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_receiving(&mut self.place);
        }
    }
}

impl<T> fmt::Debug for RecvMany<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The future of [`Sender::send_many`](super::Sender::send_many).
///
/// ```
/// let (tx, _rx) = goro_sync::channel::bounded(8);
/// assert_eq!(tx.send_many([1, 2]).into_inner(), [1, 2], "it was not polled");
/// ```
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendMany<'a, T> {
    channel: &'a Channel<T>,
    unsent: VecDeque<T>,
    /// The one that waits in line.
    first: Option<T>,
    place: Place,
}

impl<'a, T> SendMany<'a, T> {
    pub(crate) fn new(channel: &'a Channel<T>, values: impl IntoIterator<Item = T>) -> Self {
        let unsent = values.into_iter().collect();
        Self { channel, unsent, first: None, place: Place::NOWHERE }
    }

    /// The values that were not sent, in order; the future is over with that.
    pub fn into_inner(mut self) -> Vec<T> {
        self.withdraw();
        self.take_unsent()
    }

    fn withdraw(&mut self) {
        if self.place.is_taken() {
            self.channel.give_up_sending(&mut self.first, &mut self.place);
        }
    }

    fn take_unsent(&mut self) -> Vec<T> {
        self.first.take().into_iter().chain(self.unsent.drain(..)).collect()
    }
}

// The values are moved, never pinned.
impl<T> Unpin for SendMany<'_, T> {}

impl<T> Operation for SendMany<'_, T> {
    type Output = Result<(), SendManyError<T>>;
    const OP: Op = Op::Send;
    const OBSERVES: bool = true;

    fn attempt(&mut self, mut offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        loop {
            if self.first.is_none() && !self.place.is_taken() {
                self.channel.send_more(&mut self.unsent);
                self.first = self.unsent.pop_front();
                if self.first.is_none() {
                    return Attempt::Done(Ok(()));
                }
            }
            let offer = offer.as_deref_mut();
            match self.channel.send(&mut self.first, &mut self.place, offer) {
                Attempt::Done(Ok(())) => {}
                Attempt::Done(Err(error)) => {
                    let reason = match &error {
                        SendError::Closed(_, reason) => Some(reason.clone()),
                        SendError::Full(_) => None,
                    };
                    self.first = Some(error.into_inner());
                    let unsent = self.take_unsent();
                    return Attempt::Done(Err(SendManyError { unsent, reason }));
                }
                Attempt::Waits => return Attempt::Waits,
                Attempt::Unprepared => return Attempt::Unprepared,
            }
        }
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        let (unsent, reason) = (self.take_unsent(), Some(Reason::cancelled(cause)));
        Err(SendManyError { unsent, reason })
    }
}

impl<T> Future for SendMany<'_, T> {
    type Output = Result<(), SendManyError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for SendMany<'_, T> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl<T> fmt::Debug for SendMany<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMany").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

impl<T> Channel<T> {
    /// Receives what is there, up to `limit`; how many that were.
    fn receive_more(&self, into: &mut Vec<T>, limit: usize) -> usize {
        let mut received = 0;
        while received < limit {
            let most = (limit - received).min(BATCH);
            into.reserve(most);
            let mut called = Called::default();
            let mut state = self.lock();
            let mut batch = state.pop_some(into, most);
            while batch < most {
                let Some(taken) = state.take() else { break };
                called.add(taken.sender);
                into.push(taken.item);
                batch += 1;
            }
            state.settle_receivers();
            called.add_all(|| state.call_sender());
            called.add(state.call_caller());
            drop(state);
            called.wake();
            received += batch;
            if batch < most {
                break;
            }
        }
        received
    }

    /// Sends what can be sent without waiting.
    fn send_more(&self, values: &mut VecDeque<T>) {
        let mut more = true;
        while more && !values.is_empty() {
            let mut called = Called::default();
            let mut state = self.lock();
            let room = if state.takes_without_question() { state.free().min(BATCH) } else { 0 };
            let batch = room.min(values.len());
            state.push_some(values, batch);
            state.settle_senders();
            called.add_all(|| state.call_receiver());
            drop(state);
            called.wake();
            more = batch > 0;
        }
    }
}

/// Those to be woken once the lock is gone. Mostly that is nobody, and then it costs nothing.
#[derive(Default)]
struct Called(Option<Wakers>);

impl Called {
    #[inline]
    fn add(&mut self, waiter: Option<Waiter>) {
        if let Some(waiter) = waiter {
            self.0.get_or_insert_default().extend(waiter.into_waker());
        }
    }

    #[inline]
    fn add_all(&mut self, mut next: impl FnMut() -> Option<Waiter>) {
        while let Some(waiter) = next() {
            self.add(Some(waiter));
        }
    }

    /// With no lock held.
    #[inline]
    fn wake(self) {
        if let Some(mut wakers) = self.0 {
            wakers.wake_all();
        }
    }
}

impl<T> State<T> {
    /// Whether as many as are free can be pushed: nobody is in line before them, and the channel is
    /// neither closed nor a rendezvous.
    fn takes_without_question(&self) -> bool {
        !self.closed && self.capacity > 0 && self.tx.waiting() == 0
    }
}
