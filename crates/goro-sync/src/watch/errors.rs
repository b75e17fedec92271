//! What can go wrong with a watch.

use core::error::Error;
use core::fmt;

use goro_context::Cause;

/// There is no receiver; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// All senders are gone, and the last value has been seen: none will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Why [`changed`](super::Receiver::changed) and [`wait_for`](super::Receiver::wait_for) saw nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedError {
    /// See [`Closed`].
    Closed,
    /// A change would have been waited for, and the code that runs was asked to stop
    /// ([`cancel`](crate::cancel)). The receiver can be used as before.
    Cancelled(Cause),
}

impl From<Closed> for ChangedError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody watches the value")
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all senders are gone: the value will not change any more")
    }
}

impl fmt::Display for ChangedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => Closed.fmt(f),
            Self::Cancelled(cause) => write!(f, "no change was seen: cancelled: {cause}"),
        }
    }
}

impl<T> Error for SendError<T> {}
impl Error for Closed {}
impl Error for ChangedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            Self::Closed => None,
        }
    }
}
