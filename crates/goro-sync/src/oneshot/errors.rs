//! Why a oneshot gave no value, or took none.

use core::error::Error;
use core::fmt;

use goro_context::Cause;

/// The receiver is gone or has closed; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why a receiver has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// It will not come: the sender was dropped without sending, or the value was taken already.
    Closed,
    /// It would have been waited for, and the code that runs was asked to stop
    /// ([`cancel`](crate::cancel)). It may still come, if the receiver is still there.
    Cancelled(Cause),
}

/// Why [`try_recv`](super::Receiver::try_recv) gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// It may still come.
    Empty,
    /// It will not come; see [`RecvError::Closed`].
    Closed,
}

/// Why [`recv_timeout`](super::Receiver::recv_timeout) gave no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// The time was up. It may still come.
    Timeout,
    /// It will not come; see [`RecvError::Closed`].
    Closed,
    /// See [`RecvError::Cancelled`].
    Cancelled(Cause),
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Closed => Self::Closed,
            RecvError::Cancelled(cause) => Self::Cancelled(cause),
        }
    }
}

const CLOSED: &str = "the sender was dropped without sending";

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody waits for the value any more")
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(CLOSED),
            Self::Cancelled(cause) => write!(f, "nothing was received: cancelled: {cause}"),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing was sent yet",
            Self::Closed => CLOSED,
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("nothing was sent in time"),
            Self::Closed => f.write_str(CLOSED),
            Self::Cancelled(cause) => write!(f, "nothing was received: cancelled: {cause}"),
        }
    }
}

impl<T> Error for SendError<T> {}
impl Error for RecvError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            Self::Closed => None,
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
