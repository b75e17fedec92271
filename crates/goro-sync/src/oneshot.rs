//! One value, once, from one task to another.
//!
//! ```text
//!            send: the value stands in the middle       receive: taken
//!   open ─────────────────────────────────────▶ sent ─────────────────▶ over
//!    │ │ sender dropped: the receiver learns it           ▲ receiver dropped: it drops the value
//!    │ └──────────────────────────────────────────────────┤
//!    └ closed by the receiver: `send` gives the value back┘
//! ```
//!
//! Invariants:
//! 1. A value is in one place: with the sender, in the middle, or with the receiver. What `send` does
//!    not give back is taken by the receiver or dropped with it.
//! 2. Each side locks at most once to do its part and then lets go of the middle; whichever lets go
//!    last frees it.
//! 3. At most one task waits on each side.
//!
//! Left out: a sender that can be cloned (a channel of one place is that), and values for many
//! readers (that is a watch).

mod errors;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::future::FusedFuture;
use goro_context::time::{Duration, Instant};
use goro_context::{Cause, Op};
use goro_shim::Arc;
use goro_shim::lock::Lock;

pub use errors::{RecvError, RecvTimeoutError, SendError, TryRecvError};

use crate::block::block;
use crate::select::CancelSafe;
use crate::wait::{self, Attempt, Offer, Operation, Seat, Timed};

/// Makes a channel for one value.
///
/// One allocation, and one locked word for each side.
///
/// # Sources
/// tokio's `oneshot`, with the value handed back by each error that leaves it undelivered.
///
/// # Example
/// ```
/// use goro_sync::oneshot;
///
/// # futures::executor::block_on(async {
/// let (answer, question) = oneshot::channel();
/// answer.send(42).unwrap();
/// assert_eq!(question.await, Ok(42));
///
/// let (answer, question) = oneshot::channel::<u32>();
/// drop(answer);
/// assert!(question.await.is_err());
/// # });
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let middle = Arc::new(Lock::new(Middle {
        value: None,
        sender_done: false,
        closed: false,
        receiver: Seat::EMPTY,
        sender: Seat::EMPTY,
    }));
    (Sender { middle: Some(Arc::clone(&middle)) }, Receiver { middle: Some(middle) })
}

/// What both sides share.
struct Middle<T> {
    value: Option<T>,
    /// The sender has sent, or is gone.
    sender_done: bool,
    /// The receiver takes no value any more, but for one that is here already.
    closed: bool,
    /// The receiver, waiting for the value.
    receiver: Seat,
    /// The sender, waiting for the receiver to close.
    sender: Seat,
}

/// The side that sends; made by [`channel`].
///
/// ```
/// let (tx, rx) = goro_sync::oneshot::channel::<u8>();
/// assert!(!tx.is_closed());
/// drop(rx);
/// assert!(tx.is_closed(), "nobody waits for it");
/// ```
pub struct Sender<T> {
    /// None once the part is done.
    middle: Option<Arc<Lock<Middle<T>>>>,
}

impl<T> Sender<T> {
    /// Sends the value. Never waits.
    ///
    /// # Errors
    /// The value back, if the receiver is gone or has closed: nobody would ever get it.
    pub fn send(mut self, value: T) -> Result<(), SendError<T>> {
        let Some(middle) = self.middle.take() else { return Err(SendError(value)) };
        let receiver = {
            let mut state = middle.lock();
            state.sender_done = true;
            if state.closed {
                drop(state);
                return Err(SendError(value));
            }
            state.value = Some(value);
            state.receiver.clear()
        };
        wait::wake_some(receiver);
        Ok(())
    }

    /// Whether the receiver is gone or has closed, so that sending is of no use.
    pub fn is_closed(&self) -> bool {
        self.middle.as_ref().is_none_or(|middle| middle.lock().closed)
    }

    /// Waits until the receiver is gone or has closed: the answer is no longer wanted.
    ///
    /// # Cancel safety
    /// **Safe**: dropping the future has no effect.
    ///
    /// # Example
    /// ```
    /// # use goro_sync::{oneshot, select};
    /// # use std::time::Duration;
    /// # futures::executor::block_on(async {
    /// let (mut answer, question) = oneshot::channel::<u32>();
    /// drop(question);
    /// select! {
    ///     () = answer.closed() => println!("nobody waits any more"),
    ///     timeout(Duration::from_secs(60)) => unreachable!(),
    /// }
    /// # });
    /// ```
    pub fn closed(&mut self) -> Closed<'_, T> {
        Closed { sender: self, waits: false }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(middle) = self.middle.take() else { return };
        let (receiver, own) = {
            let mut state = middle.lock();
            state.sender_done = true;
            (state.receiver.clear(), state.sender.clear())
        };
        wait::let_go(own);
        wait::wake_some(receiver);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_closed", &self.is_closed()).finish()
    }
}

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Closed<'a, T> {
    sender: &'a mut Sender<T>,
    waits: bool,
}

impl<T> Operation for Closed<'_, T> {
    type Output = ();
    const OP: Op = Op::Once;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<()> {
        let Some(middle) = &self.sender.middle else { return Attempt::Done(()) };
        let mut state = middle.lock();
        if state.closed {
            return Attempt::Done(());
        }
        // It is always offered a waker: nobody gives it a time limit.
        self.waits = offer.is_some_and(|offer| state.sender.sit(offer));
        if self.waits { Attempt::Waits } else { Attempt::Unprepared }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        if let (true, Some(middle)) = (self.waits, &self.sender.middle) {
            let own = middle.lock().sender.clear();
            wait::let_go(own);
        }
    }
}

impl<T> CancelSafe for Closed<'_, T> {}

/// The side that receives: a future of the value. Made by [`channel`].
///
/// Where it would have to wait, and the code that runs was asked to stop, it fails instead, with
/// [`RecvError::Cancelled`]; awaited by reference it can be awaited again.
///
/// # Cancel safety
/// Dropping the receiver closes the channel: **Cancels** what the sender does for it, if the sender
/// looks ([`Sender::closed`]), and drops a value that is on its way. By reference (`&mut receiver`,
/// as an arm of a select) it is **Safe**: the value stays where it is.
///
/// ```
/// use goro_sync::oneshot::{self, RecvTimeoutError, TryRecvError};
/// use std::time::Duration;
///
/// let (tx, mut rx) = oneshot::channel();
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
/// let late = rx.blocking_recv_timeout(Duration::from_millis(1));
/// assert_eq!(late, Err(RecvTimeoutError::Timeout));
/// futures::executor::block_on(async {
///     assert!(rx.recv_timeout(Duration::from_millis(1)).await.is_err());
///     let past = goro_context::time::now();
///     assert!(rx.recv_deadline(past).await.is_err());
/// });
/// tx.send(7).unwrap();
/// assert_eq!(rx.blocking_recv(), Ok(7));
///
/// let (tx, mut rx) = oneshot::channel();
/// rx.close();
/// assert!(tx.is_closed());
/// assert_eq!(tx.send(8).unwrap_err().0, 8);
/// ```
#[must_use = "await it, or drop it to tell the sender that nobody waits"]
pub struct Receiver<T> {
    /// None once there is nothing more to come.
    middle: Option<Arc<Lock<Middle<T>>>>,
}

impl<T> Receiver<T> {
    /// The value, if it is here already.
    ///
    /// # Errors
    /// Whether it may still come.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.attempt(None) {
            Attempt::Done(Ok(value)) => Ok(value),
            Attempt::Done(Err(_)) => Err(TryRecvError::Closed),
            Attempt::Waits | Attempt::Unprepared => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the value, at most for `limit` from the first poll that has to wait.
    ///
    /// # Errors
    /// Whether it may still come: after a timeout, and when the code that runs was asked to stop, the
    /// receiver can be used as before.
    ///
    /// # Cancel safety
    /// **Safe**: the value stays where it is.
    pub fn recv_timeout(&mut self, limit: Duration) -> RecvTimeout<'_, T> {
        RecvTimeout(Timed::after(limit, self))
    }

    /// As [`recv_timeout`](Self::recv_timeout), until a point in time.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    ///
    /// # Cancel safety
    /// **Safe**: the value stays where it is.
    pub fn recv_deadline(&mut self, deadline: Instant) -> RecvTimeout<'_, T> {
        RecvTimeout(Timed::at(deadline, self))
    }

    /// Waits for the value on this thread, which sleeps meanwhile. Legal anywhere; on a worker of a
    /// runtime it is declared first, so that others take over the worker's tasks.
    ///
    /// # Errors
    /// See [`RecvError`].
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block(self)
    }

    /// As [`recv_timeout`](Self::recv_timeout), on this thread.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn blocking_recv_timeout(&mut self, limit: Duration) -> Result<T, RecvTimeoutError> {
        block(self.recv_timeout(limit))
    }

    /// As polling the receiver, but waits on whatever the code that runs was asked: for the outcome of a
    /// child, who was asked as well. `None`: nothing will come.
    #[doc(hidden)]
    pub fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        wait::poll(&mut Outcome(self), cx)
    }

    /// Takes no value any more: from here on `send` gives it back, and [`Sender::closed`] is ready.
    /// A value that was sent before can still be received.
    pub fn close(&mut self) {
        let Some(middle) = &self.middle else { return };
        let sender = {
            let mut state = middle.lock();
            state.closed = true;
            state.sender.clear()
        };
        wait::wake_some(sender);
    }

    fn withdraw(middle: &Lock<Middle<T>>) {
        let (value, own, sender) = {
            let mut state = middle.lock();
            state.closed = true;
            (state.value.take(), state.receiver.clear(), state.sender.clear())
        };
        wait::let_go(own);
        wait::wake_some(sender);
        // Panic: the value's destructor may; all else is done.
        drop(value);
    }
}

impl<T> Operation for Receiver<T> {
    type Output = Result<T, RecvError>;
    const OP: Op = Op::Recv;
    const OBSERVES: bool = true;

    #[inline]
    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        let Some(middle) = &self.middle else { return Attempt::Done(Err(RecvError::Closed)) };
        let mut state = middle.lock();
        let value = state.value.take();
        if value.is_some() || state.sender_done || state.closed {
            let own = state.receiver.clear();
            drop(state);
            wait::let_go(own);
            // Nothing more will come, and the sender is told already: by its own `send`, or by
            // `close`.
            self.middle = None;
            return Attempt::Done(value.ok_or(RecvError::Closed));
        }
        let Some(offer) = offer else {
            let own = state.receiver.clear();
            drop(state);
            wait::let_go(own);
            return Attempt::Waits;
        };
        if state.receiver.sit(offer) { Attempt::Waits } else { Attempt::Unprepared }
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(RecvError::Cancelled(cause))
    }
}

/// Receiving, for who waits on.
struct Outcome<'a, T>(&'a mut Receiver<T>);

impl<T> Operation for Outcome<'_, T> {
    type Output = Option<T>;
    const OP: Op = Op::Recv;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.0.attempt(offer).map(Result::ok)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        wait::poll(&mut *self, cx)
    }
}

impl<T> FusedFuture for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.middle.is_none()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(middle) = &self.middle {
            Self::withdraw(middle);
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.middle.as_ref().map(|middle| {
            let state = middle.lock();
            (state.value.is_some(), state.closed || state.sender_done)
        });
        let (is_here, is_closed) = state.unwrap_or((false, true));
        f.debug_struct("Receiver")
            .field("is_here", &is_here)
            .field("is_closed", &is_closed)
            .field("is_terminated", &self.is_terminated())
            .finish()
    }
}

/// The future of [`Receiver::recv_timeout`] and [`Receiver::recv_deadline`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct RecvTimeout<'a, T>(Timed<&'a mut Receiver<T>>);

impl<T> Future for RecvTimeout<'_, T> {
    type Output = Result<T, RecvTimeoutError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|outcome| match outcome {
            Ok(received) => Ok(received?),
            Err(wait::Elapsed) => Err(RecvTimeoutError::Timeout),
        })
    }
}

impl<T> CancelSafe for RecvTimeout<'_, T> {}

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
