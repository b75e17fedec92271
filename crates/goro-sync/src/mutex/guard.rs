//! What holds a mutex.

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::{FairMutex, Mutex};
use crate::cell::{Kept, Sole, Taken};

/// Access to the value of a [`Mutex`](super::Mutex) or [`FairMutex`], or to a part of it. Dropped, it
/// unlocks.
///
/// ```
/// use goro_sync::{Mutex, MutexGuard};
///
/// let lock = Mutex::new((1, "one"));
/// let part = MutexGuard::map(lock.try_lock().unwrap(), |pair| &mut pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let none = MutexGuard::filter_map(lock.try_lock().unwrap(), |_| None::<&mut u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct MutexGuard<'a, T: ?Sized>(Sole<Taken<'a, 1, 1>, T>);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    pub(super) fn new(sole: Sole<Taken<'a, 1, 1>, T>) -> Self {
        Self(sole)
    }

    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    ///
    /// ```
    /// use goro_sync::{Mutex, MutexGuard};
    ///
    /// let pair = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(pair.blocking_lock(), |pair| &mut pair.0);
    /// *number = 2;
    /// drop(number);
    /// assert_eq!(pair.into_inner(), (2, "one"));
    /// ```
    pub fn map<U: ?Sized>(this: Self, f: impl FnOnce(&mut T) -> &mut U) -> MutexGuard<'a, U> {
        MutexGuard(this.0.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<U: ?Sized>(
        this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MutexGuard<'a, U>, Self> {
        this.0.filter_map(f).map(MutexGuard).map_err(Self)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A [`MutexGuard`] that keeps its mutex alive: to be moved into a task, or kept in a struct.
///
/// `T` is what the mutex guards, `U` the part that can be reached.
///
/// ```
/// use goro_sync::{Mutex, OwnedMutexGuard};
/// use std::sync::Arc;
///
/// let lock = Arc::new(Mutex::new((1, "one")));
/// let part = OwnedMutexGuard::map(lock.clone().try_lock_owned().unwrap(), |pair| &mut pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let none = OwnedMutexGuard::filter_map(lock.clone().try_lock_owned().unwrap(), |_| None::<&mut u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct OwnedMutexGuard<T: ?Sized, U: ?Sized = T>(Sole<OneOf<T>, U>);

type OfMutex<T> = Kept<Mutex<T>, 1>;
type OfFairMutex<T> = Kept<FairMutex<T>, 1>;

/// What is kept: one of the two kinds of mutex, locked.
enum OneOf<T: ?Sized> {
    Barging(OfMutex<T>),
    Fair(OfFairMutex<T>),
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    pub(super) fn barging(sole: Sole<OfMutex<T>, T>) -> Self {
        Self(sole.keep_as(OneOf::Barging))
    }

    pub(super) fn fair(sole: Sole<OfFairMutex<T>, T>) -> Self {
        Self(sole.keep_as(OneOf::Fair))
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMutexGuard<T, U> {
    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    pub fn map<V: ?Sized>(this: Self, f: impl FnOnce(&mut U) -> &mut V) -> OwnedMutexGuard<T, V> {
        OwnedMutexGuard(this.0.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<V: ?Sized>(
        this: Self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<OwnedMutexGuard<T, V>, Self> {
        this.0.filter_map(f).map(OwnedMutexGuard).map_err(Self)
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMutexGuard<T, U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMutexGuard<T, U> {
    fn deref_mut(&mut self) -> &mut U {
        &mut self.0
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
