//! What can go wrong with a broadcast.

use core::error::Error;
use core::fmt;

use goro_context::Cause;

/// Why [`send`](super::Sender::send) sent nothing; the value comes back.
///
/// ```
/// let (tx, rx) = goro_sync::broadcast::channel(1, goro_sync::broadcast::OnLag::Wait);
/// drop(rx);
/// assert_eq!(tx.blocking_send(4).unwrap_err().into_inner(), 4);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum SendError<T> {
    /// There is no receiver.
    Closed(T),
    /// It would have waited, and the code that runs was asked to stop ([`cancel`](crate::cancel)).
    Cancelled(T, Cause),
}

/// Why [`try_send`](super::Sender::try_send) sent nothing; the value comes back.
///
/// ```
/// use goro_sync::broadcast::{self, OnLag, TrySendError};
///
/// let (tx, rx) = broadcast::channel(1, OnLag::Wait);
/// tx.try_send(1).unwrap();
/// assert_eq!(tx.try_send(2).unwrap_err().into_inner(), 2);
/// drop(rx);
/// assert!(matches!(tx.try_send(3), Err(TrySendError::Closed(3))));
/// assert_eq!(tx.blocking_send(4).unwrap_err().into_inner(), 4);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The channel is full, and [waits](super::OnLag::Wait) for whoever is late.
    Full(T),
    /// There is no receiver.
    Closed(T),
}

/// Why a receiver got no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// So many values were missed, since the receiver was late: [`Skip`](super::OnLag::Skip). The next
    /// receive gives the oldest that is still there.
    Lagged(u64),
    /// The receiver was disconnected, since it was late: [`Disconnect`](super::OnLag::Disconnect). It
    /// gets nothing more.
    Disconnected,
    /// All senders are gone, and this receiver has had all values.
    Closed,
    /// It would have waited, and the code that runs was asked to stop ([`cancel`](crate::cancel)). The
    /// receiver can be used as before.
    Cancelled(Cause),
}

/// Why [`try_recv`](super::Receiver::try_recv) gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// None that this receiver has not had.
    Empty,
    /// See [`RecvError::Lagged`].
    Lagged(u64),
    /// See [`RecvError::Disconnected`].
    Disconnected,
    /// See [`RecvError::Closed`].
    Closed,
}

/// Why [`recv_timeout`](super::Receiver::recv_timeout) gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time was up.
    Timeout,
    /// See [`RecvError::Lagged`].
    Lagged(u64),
    /// See [`RecvError::Disconnected`].
    Disconnected,
    /// See [`RecvError::Closed`].
    Closed,
    /// See [`RecvError::Cancelled`].
    Cancelled(Cause),
}

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(value) | Self::Cancelled(value, _) => value,
        }
    }
}

impl<T> TrySendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value) | Self::Closed(value) => value,
        }
    }
}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(missed) => Self::Lagged(missed),
            RecvError::Disconnected => Self::Disconnected,
            RecvError::Closed => Self::Closed,
            // Only what would wait is given up: there was none.
            RecvError::Cancelled(_) => Self::Empty,
        }
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(missed) => Self::Lagged(missed),
            RecvError::Disconnected => Self::Disconnected,
            RecvError::Closed => Self::Closed,
            RecvError::Cancelled(cause) => Self::Cancelled(cause),
        }
    }
}

const NO_RECEIVER: &str = "nobody receives";

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Cancelled(..) => "Cancelled(..)",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str(NO_RECEIVER),
            Self::Cancelled(_, cause) => write!(f, "nothing was sent: cancelled: {cause}"),
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full: a receiver is late",
            Self::Closed(_) => NO_RECEIVER,
        })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged(missed) => write!(f, "{missed} values were missed: the receiver was late"),
            Self::Disconnected => f.write_str("disconnected: the receiver was late"),
            Self::Closed => f.write_str("all senders are gone, and all values were received"),
            Self::Cancelled(cause) => write!(f, "nothing was received: cancelled: {cause}"),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("nothing more was sent yet"),
            Self::Lagged(missed) => RecvError::Lagged(missed).fmt(f),
            Self::Disconnected => RecvError::Disconnected.fmt(f),
            Self::Closed => RecvError::Closed.fmt(f),
        }
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("nothing more was sent in time"),
            Self::Lagged(missed) => RecvError::Lagged(*missed).fmt(f),
            Self::Disconnected => RecvError::Disconnected.fmt(f),
            Self::Closed => RecvError::Closed.fmt(f),
            Self::Cancelled(cause) => write!(f, "nothing was received: cancelled: {cause}"),
        }
    }
}

impl<T> Error for SendError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(_, cause) => Some(cause),
            Self::Closed(_) => None,
        }
    }
}
impl<T> Error for TrySendError<T> {}
impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            _ => None,
        }
    }
}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            _ => None,
        }
    }
}
