//! Why there is no permit.

use core::fmt;

use goro_context::Cause;

/// Why [`acquire`](super::Semaphore::acquire) gave no permit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// The semaphore is closed.
    Closed,
    /// More permits were wanted than there are: no release could serve that.
    MoreThanTotal {
        /// How many were wanted.
        wanted: usize,
        /// How many there are, free and held.
        total: usize,
    },
    /// It would have waited, and the code that runs was asked to stop ([`cancel`](crate::cancel)).
    Cancelled(Cause),
}

/// Why [`try_acquire`](super::Semaphore::try_acquire) gave no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// Too few are free, or another waiter is first.
    TooFew,
    /// More permits were wanted than there are.
    MoreThanTotal {
        /// How many were wanted.
        wanted: usize,
        /// How many there are, free and held.
        total: usize,
    },
}

impl From<AcquireError> for TryAcquireError {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::Closed => Self::Closed,
            AcquireError::MoreThanTotal { wanted, total } => Self::MoreThanTotal { wanted, total },
            // Only what would wait is given up: there were too few.
            AcquireError::Cancelled(_) => Self::TooFew,
        }
    }
}

/// Permits were not added: a semaphore has at most [`MAX`](super::Semaphore::MAX).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPermits(pub(super) ());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(cause) => write!(f, "no permit was taken: cancelled: {cause}"),
            other => TryAcquireError::from(other.clone()).fmt(f),
        }
    }
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the semaphore is closed"),
            Self::TooFew => f.write_str("too few permits are free, or another waiter is first"),
            Self::MoreThanTotal { wanted, total } => write!(
                f,
                "{wanted} permits were wanted of a semaphore that has {total}: ask for fewer, or add some"
            ),
        }
    }
}

impl fmt::Display for TooManyPermits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a semaphore has at most Semaphore::MAX permits: none were added")
    }
}

impl core::error::Error for AcquireError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Cancelled(cause) => Some(cause),
            _ => None,
        }
    }
}
impl core::error::Error for TryAcquireError {}
impl core::error::Error for TooManyPermits {}
