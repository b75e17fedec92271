//! A value with a count of those who look at it, and the memory of one: what several may look at
//! while it is replaced, without a lock.
//!
//! Invariants:
//! 1. A [`Seen`] always has a value; a [`Blank`] never has one, and nobody else has a count of it.

use core::fmt;
use core::ops::Deref;

use goro_shim::Arc;

/// A value as it was when somebody looked: kept for as long as they like.
///
/// It is counted, not copied: a clone, and a look, is one atomic addition. Keeping it holds nobody
/// up; it keeps the value from being dropped.
pub struct Seen<T>(Arc<Option<T>>);

impl<T> Seen<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Some(value)))
    }

    /// Takes the value out, if nobody else looks at it.
    pub(crate) fn clear(mut self) -> Result<(T, Blank<T>), Self> {
        match Arc::get_mut(&mut self.0).and_then(Option::take) {
            Some(value) => Ok((value, Blank(self.0))),
            None => Err(self),
        }
    }
}

impl<T> Deref for Seen<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &*self.0 {
            Some(value) => value,
            None => unreachable!("a value that somebody looks at is not taken out"),
        }
    }
}

impl<T> Clone for Seen<T> {
    #[inline]
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Seen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Seen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Memory for a value.
pub(crate) struct Blank<T>(Arc<Option<T>>);

impl<T> Blank<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::new(None))
    }

    pub(crate) fn fill(mut self, value: T) -> Seen<T> {
        match Arc::get_mut(&mut self.0) {
            Some(place) => *place = Some(value),
            None => unreachable!("nobody else has a count of empty memory"),
        }
        Seen(self.0)
    }
}
