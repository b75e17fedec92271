//! The side of a broadcast that receives.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::time::Duration;
use goro_context::{Cause, Op};
use goro_shim::Arc;
use goro_shim::atomic::Ordering;
use goro_wait::Wakers;

use super::block::Block;
use super::ring::{Cursor, Dropped, Nothing};
use super::{Counts, OnLag, RecvError, RecvTimeoutError, Shared, TryRecvError};
use crate::block::block;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Place, Timed};

/// The side that receives; made by [`channel`](super::channel), by
/// [`subscribe`](super::Sender::subscribe), or by cloning: a clone gets what the original would.
///
/// ```
/// use goro_sync::broadcast::{self, OnLag, RecvTimeoutError, TryRecvError};
/// use std::time::Duration;
///
/// let (tx, mut rx) = broadcast::channel(4, OnLag::Wait);
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// let late = rx.blocking_recv_timeout(Duration::from_millis(1));
/// assert_eq!(late, Err(RecvTimeoutError::Timeout));
/// (0..3).for_each(|number| assert!(tx.try_send(number).is_ok()));
/// assert_eq!((rx.len(), rx.capacity(), rx.is_empty()), (3, 4, false));
/// assert!(rx.same_channel(&rx.clone()));
/// assert_eq!((rx.sender_count(), rx.receiver_count(), rx.counts().sent), (1, 1, 3));
/// assert_eq!(rx.blocking_recv(), Ok(0));
/// futures::executor::block_on(async {
///     assert_eq!(rx.recv().await, Ok(1));
///     assert_eq!(rx.recv_timeout(Duration::from_secs(1)).await, Ok(2));
/// });
/// ```
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    cursor: Cursor<T>,
}

impl<T> Receiver<T> {
    /// A receiver that has had all that was sent before.
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        let cursor = shared.ring.lock().add_receiver(&shared.marks);
        Self { shared, cursor }
    }

    /// How many values there are that this receiver has not had. Those that it has missed do not
    /// count; one that was disconnected has none.
    pub fn len(&self) -> usize {
        let Shared { marks, on_lag, ring } = &*self.shared;
        let _ring = ring.lock();
        // Ordering: under the lock.
        let (end, first) = (marks.end.load(Ordering::Relaxed), marks.first.load(Ordering::Relaxed));
        let next = self.cursor.next;
        (match on_lag {
            OnLag::Wait => end - next,
            OnLag::Skip => end - next.max(first),
            OnLag::Disconnect if next < first => 0,
            OnLag::Disconnect => end - next,
        }) as usize
    }

    /// Whether there is no value that this receiver has not had.
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

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        self.shared.ring.lock().senders()
    }

    /// How many receivers there are that are connected.
    pub fn receiver_count(&self) -> usize {
        self.shared.ring.lock().receivers()
    }

    /// Whether both receive from the same senders.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value, and gives a copy of it; the value itself, if it is the last of its block and
    /// nobody else has the block any more (in a channel of less than 32 places: to the last who has it).
    ///
    /// # Errors
    /// What was missed, that nothing more will come, or that the code which runs was asked to stop; see
    /// [`RecvError`].
    ///
    /// # Cancel safety
    /// **Safe**: what was not received is still there.
    pub fn recv(&mut self) -> RecvFuture<'_, T> {
        RecvFuture { receiver: self, place: Place::NOWHERE }
    }

    /// The next value, if it is here already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and that there is none.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.recv().attempt(None) {
            Attempt::Done(outcome) => Ok(outcome?),
            Attempt::Waits | Attempt::Unprepared => Err(TryRecvError::Empty),
        }
    }

    /// As [`recv`](Self::recv), at most for `limit` from the first poll that has to wait.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and that the time is up: nothing was received then.
    ///
    /// # Cancel safety
    /// **Safe**: what was not received is still there.
    pub fn recv_timeout(&mut self, limit: Duration) -> RecvTimeout<'_, T> {
        RecvTimeout(Timed::after(limit, self.recv()))
    }

    /// As [`recv`](Self::recv), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block(self.recv())
    }

    /// As [`recv_timeout`](Self::recv_timeout), on this thread, which sleeps meanwhile.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn blocking_recv_timeout(&mut self, limit: Duration) -> Result<T, RecvTimeoutError> {
        block(self.recv_timeout(limit))
    }
}

impl<T: Clone> Receiver<T> {
    /// The next value, if that takes no lock.
    #[inline]
    fn take_easily(&mut self) -> Option<T> {
        let Shared { marks, on_lag, .. } = &*self.shared;
        let value = self.cursor.step(marks, *on_lag)?;
        // Panic: the copying may; the value counts as received.
        Some(T::clone(value))
    }

    /// The value of that number out of a block that this receiver has taken from the ring: the value itself
    /// if nobody else has the block, or else a copy.
    fn give_out(&mut self, number: u64, mut block: Arc<Block<T>>) -> T {
        if number + 1 == block.end() {
            if let Some(value) = Block::clear(&mut block, number) {
                self.cursor.spare = Some(block);
                return value;
            }
        }
        // Panic: the copying may; the value counts as received.
        T::clone(block.value(number))
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let cursor = self.shared.ring.lock().clone_receiver(&self.shared.marks, &self.cursor);
        Self { shared: Arc::clone(&self.shared), cursor }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (mut wakers, mut dropped) = (Wakers::new(), Dropped::new());
        let Shared { marks, ring, .. } = &*self.shared;
        ring.lock().drop_receiver(marks, &self.cursor, &mut wakers, &mut dropped);
        wakers.wake_all();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("senders", &self.sender_count())
            .field("receivers", &self.receiver_count())
            .finish()
    }
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless polled"]
pub struct RecvFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: Place,
}

impl<T: Clone> Operation for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;
    const OP: Op = Op::Recv;
    const OBSERVES: bool = true;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let receiver = &mut *self.receiver;
        if self.place.is_nowhere() {
            if let Some(value) = receiver.take_easily() {
                return Attempt::Done(Ok(value));
            }
        }
        let (mut wakers, mut dropped) = (Wakers::new(), Dropped::new());
        let Shared { marks, ring, .. } = &*receiver.shared;
        let mut ring = ring.lock();
        let nothing = match ring.take(marks, &mut receiver.cursor, &mut wakers, &mut dropped) {
            Ok((number, block)) => {
                let left = ring.reader_leaves(&mut self.place);
                drop(ring);
                left.let_go();
                wakers.wake_all();
                drop(dropped);
                return Attempt::Done(Ok(receiver.give_out(number, block)));
            }
            Err(nothing) => nothing,
        };
        let error = match (nothing, offer) {
            (Nothing::Yet, Some(offer)) => {
                let (waits, writer) = ring.reader_waits(marks, &mut self.place, offer);
                drop(ring);
                wait::wake_some(writer);
                return if waits { Attempt::Waits } else { Attempt::Unprepared };
            }
            (Nothing::Yet, None) => None,
            (Nothing::Missed(missed), _) => Some(RecvError::Lagged(missed)),
            (Nothing::Disconnected, _) => Some(RecvError::Disconnected),
            (Nothing::Closed, _) => Some(RecvError::Closed),
        };
        let left = ring.reader_leaves(&mut self.place);
        drop(ring);
        left.let_go();
        error.map_or(Attempt::Waits, |error| Attempt::Done(Err(error)))
    }

    #[inline]
    fn stands(&self) -> bool {
        self.place.is_taken()
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(RecvError::Cancelled(cause))
    }
}

impl<T: Clone> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    fn drop(&mut self) {
        if self.place.is_taken() {
            let left = self.receiver.shared.ring.lock().reader_leaves(&mut self.place);
            left.let_go();
        }
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").field("waits", &self.place.is_taken()).finish_non_exhaustive()
    }
}

impl<T: Clone> CancelSafe for RecvFuture<'_, T> {}

/// The future of [`Receiver::recv_timeout`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct RecvTimeout<'a, T>(Timed<RecvFuture<'a, T>>);

impl<T: Clone> Future for RecvTimeout<'_, T> {
    type Output = Result<T, RecvTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|outcome| match outcome {
            Ok(received) => Ok(received?),
            Err(wait::Elapsed) => Err(RecvTimeoutError::Timeout),
        })
    }
}

impl<T: Clone> CancelSafe for RecvTimeout<'_, T> {}
