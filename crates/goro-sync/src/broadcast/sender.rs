//! The side of a broadcast that sends.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op};
use goro_shim::Arc;
use goro_wait::Wakers;

use super::block::Block;
use super::ring::{Dropped, Refused};
use super::{Counts, Receiver, SendError, Shared, TrySendError};
use crate::block::block;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Place};

/// The side that sends; made by [`channel`](super::channel), or by cloning.
///
/// ```
/// use goro_sync::broadcast::{self, OnLag};
///
/// let (tx, mut rx) = broadcast::channel(2, OnLag::Skip);
/// assert_eq!((tx.len(), tx.capacity(), tx.is_empty()), (0, 2, true));
/// assert_eq!(tx.try_send(1).unwrap(), 1, "so many receive it");
/// let mut late = tx.subscribe();
/// assert_eq!(tx.blocking_send(2).unwrap(), 2);
/// assert_eq!(futures::executor::block_on(tx.send(3)).unwrap(), 2);
/// assert!(tx.same_channel(&tx.clone()));
/// assert_eq!((tx.sender_count(), tx.receiver_count(), tx.counts().sent), (1, 2, 3));
/// assert!(rx.try_recv().is_err(), "it is late, and skips");
/// assert_eq!((rx.try_recv(), late.try_recv()), (Ok(2), Ok(2)));
/// drop((rx, late));
/// assert!(tx.is_closed());
/// assert_eq!(tx.try_send(4).unwrap_err().into_inner(), 4);
/// assert_eq!(tx.send(4).into_inner(), Some(4));
/// ```
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    pub(super) fn first(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// Sends a value to all receivers there are now, and says how many. Ready at once, but for
    /// [`OnLag::Wait`](super::OnLag::Wait) with a channel that is full: then it waits for a place,
    /// first come, first served.
    ///
    /// # Errors
    /// The value back, if there is no receiver; or if it would have to wait, and the code that runs was
    /// asked to stop.
    ///
    /// # Cancel safety
    /// **Returns**: a future that is dropped early has sent nothing; [`SendFuture::into_inner`] gives
    /// the value back.
    pub fn send(&self, value: T) -> SendFuture<'_, T> {
        SendFuture { sender: self, value: Some(value), memory: None, place: Place::NOWHERE }
    }

    /// As [`send`](Self::send), if that need not wait.
    ///
    /// # Errors
    /// The value back, if there is no receiver, or no place and
    /// [`OnLag::Wait`](super::OnLag::Wait).
    pub fn try_send(&self, value: T) -> Result<usize, TrySendError<T>> {
        let mut send = self.send(value);
        match send.attempt(None) {
            Attempt::Done(Ok(receivers)) => Ok(receivers),
            Attempt::Done(Err(error)) => Err(TrySendError::Closed(error.into_inner())),
            Attempt::Waits | Attempt::Unprepared => Err(TrySendError::Full(
                send.into_inner().expect("what was not sent is still there"),
            )),
        }
    }

    /// As [`send`](Self::send), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn blocking_send(&self, value: T) -> Result<usize, SendError<T>> {
        block(self.send(value))
    }

    /// Another receiver, for what is sent from here on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(Arc::clone(&self.shared))
    }

    /// How many values the channel holds now: as many as the latest receiver has not had.
    pub fn len(&self) -> usize {
        self.shared.ring.lock().len(&self.shared.marks)
    }

    /// Whether all receivers have had all values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values the channel holds at most.
    pub fn capacity(&self) -> usize {
        self.shared.ring.lock().capacity()
    }

    /// What has happened in the channel so far.
    pub fn counts(&self) -> Counts {
        self.shared.ring.lock().counts(&self.shared.marks)
    }

    /// How many receivers there are that are connected.
    pub fn receiver_count(&self) -> usize {
        self.shared.ring.lock().receivers()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.ring.lock().senders()
    }

    /// Whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Whether both send to the same receivers.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.ring.lock().add_sender();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut wakers = Wakers::new();
        self.shared.ring.lock().drop_sender(&mut wakers);
        wakers.wake_all();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("senders", &self.sender_count())
            .field("receivers", &self.receiver_count())
            .finish()
    }
}

/// The future of [`Sender::send`].
///
/// ```
/// let (tx, _rx) = goro_sync::broadcast::channel(1, goro_sync::broadcast::OnLag::Wait);
/// assert_eq!(tx.send(1).into_inner(), Some(1), "it was not polled");
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct SendFuture<'a, T> {
    sender: &'a Sender<T>,
    value: Option<T>,
    /// For the value and those behind it, if the channel had none.
    memory: Option<Arc<Block<T>>>,
    place: Place,
}

impl<T> SendFuture<'_, T> {
    /// The value, if it was not sent.
    pub fn into_inner(mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T> Unpin for SendFuture<'_, T> {}

impl<T> Operation for SendFuture<'_, T> {
    type Output = Result<usize, SendError<T>>;
    const OP: Op = Op::Send;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let Some(value) = self.value.take() else {
            unreachable!("a send is polled after it was ready")
        };
        let (mut wakers, mut dropped) = (Wakers::new(), Dropped::new());
        let (shared, memory) = (&*self.sender.shared, &mut self.memory);
        let marks = &shared.marks;
        let mut ring = shared.ring.lock();
        while let (None, Some(len)) = (&memory, ring.needs_block(marks)) {
            drop(ring);
            *memory = Some(Block::new(len));
            ring = shared.ring.lock();
        }
        let came = ring.sender_comes(&mut self.place);
        let outcome = match ring.put(marks, value, memory, came, &mut wakers, &mut dropped) {
            Ok(receivers) => Ok(receivers),
            Err(Refused::NoReceiver(value)) => Err(SendError::Closed(value)),
            Err(Refused::Full(value)) => {
                self.value = Some(value);
                if let Some(offer) = offer {
                    return match ring.writer_waits(&mut self.place, offer, came) {
                        true => Attempt::Waits,
                        false => Attempt::Unprepared,
                    };
                }
                let (left, writer) = ring.writer_leaves(marks, &mut self.place);
                drop(ring);
                left.let_go();
                wait::wake_some(writer);
                return Attempt::Waits;
            }
        };
        let (left, writer) = ring.writer_leaves(marks, &mut self.place);
        drop(ring);
        left.let_go();
        wait::wake_some(writer);
        wakers.wake_all();
        drop(dropped);
        Attempt::Done(outcome)
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        match self.value.take() {
            Some(value) => Err(SendError::Cancelled(value, cause)),
            None => unreachable!("what waits has its value"),
        }
    }
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<usize, SendError<T>>;

    /// # Panics
    /// When it is polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for SendFuture<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let shared = &*self.sender.shared;
            let (left, writer) = shared.ring.lock().writer_leaves(&shared.marks, &mut self.place);
            left.let_go();
            wait::wake_some(writer);
        }
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture")
            .field("waits", &self.place.is_taken())
            .field("is_sent", &self.value.is_none())
            .finish()
    }
}

impl<T> CancelSafe for SendFuture<'_, T> {}
