//! What holds a lock that readers share.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::RwLock;
use crate::cell::{Kept, SHARES, Shared, Sole, Taken};

/// Access to read the value of an [`RwLock`], or a part of it. Dropped, it leaves the lock.
///
/// ```
/// use goro_sync::{RwLockReadGuard, RwLock};
///
/// let lock = RwLock::new((1, "one"));
/// let whole = lock.try_read().unwrap();
/// let part = RwLockReadGuard::map(whole, |pair| &pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let whole = lock.try_read().unwrap();
/// let none = RwLockReadGuard::filter_map(whole, |_| None::<&u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized>(Shared<Taken<'a, 1, SHARES>, T>);

/// A [`RwLockReadGuard`] that keeps its lock alive. `T` is what the lock guards, `U` the part that can
/// be reached.
///
/// ```
/// use goro_sync::{OwnedRwLockReadGuard, RwLock};
/// use std::sync::Arc;
///
/// let lock = Arc::new(RwLock::new((1, "one")));
/// let whole = lock.clone().try_read_owned().unwrap();
/// let part = OwnedRwLockReadGuard::map(whole, |pair| &pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let whole = lock.clone().try_read_owned().unwrap();
/// let none = OwnedRwLockReadGuard::filter_map(whole, |_| None::<&u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T>(Shared<Kept<RwLock<T>, SHARES>, U>);

/// Access to change the value of an [`RwLock`], or a part of it. Dropped, it unlocks.
///
/// ```
/// use goro_sync::{RwLockWriteGuard, RwLock};
///
/// let lock = RwLock::new((1, "one"));
/// let writer = lock.try_write().unwrap();
/// let reader = RwLockWriteGuard::downgrade(writer);
/// assert_eq!(reader.0, 1, "nobody has written in between");
/// drop(reader);
/// let whole = lock.try_write().unwrap();
/// let part = RwLockWriteGuard::map(whole, |pair| &mut pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let whole = lock.try_write().unwrap();
/// let none = RwLockWriteGuard::filter_map(whole, |_| None::<&mut u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
//
// It becomes a reader by `downgrade`, on whatever thread it is by then: `Send` asks for `T: Sync`.
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    sole: Sole<Taken<'a, SHARES, SHARES>, T>,
    _reader: PhantomData<Shared<(), T>>,
}

/// A [`RwLockWriteGuard`] that keeps its lock alive. `T` is what the lock guards, `U` the part that
/// can be reached.
///
/// ```
/// use goro_sync::{OwnedRwLockWriteGuard, RwLock};
/// use std::sync::Arc;
///
/// let lock = Arc::new(RwLock::new((1, "one")));
/// let writer = lock.clone().try_write_owned().unwrap();
/// let reader = OwnedRwLockWriteGuard::downgrade(writer);
/// assert_eq!(reader.0, 1, "nobody has written in between");
/// drop(reader);
/// let whole = lock.clone().try_write_owned().unwrap();
/// let part = OwnedRwLockWriteGuard::map(whole, |pair| &mut pair.1);
/// assert_eq!(*part, "one");
/// drop(part);
/// let whole = lock.clone().try_write_owned().unwrap();
/// let none = OwnedRwLockWriteGuard::filter_map(whole, |_| None::<&mut u8>);
/// assert_eq!(none.unwrap_err().0, 1, "the whole comes back");
/// ```
//
// As above, for `U`.
#[must_use = "the lock is given back as soon as this is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized, U: ?Sized = T> {
    sole: Sole<Kept<RwLock<T>, SHARES>, U>,
    _reader: PhantomData<Shared<(), U>>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(shared: Shared<Taken<'a, 1, SHARES>, T>) -> Self {
        Self(shared)
    }

    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    pub fn map<U: ?Sized>(this: Self, f: impl FnOnce(&T) -> &U) -> RwLockReadGuard<'a, U> {
        RwLockReadGuard(this.0.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<U: ?Sized>(
        this: Self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<RwLockReadGuard<'a, U>, Self> {
        this.0.filter_map(f).map(RwLockReadGuard).map_err(Self)
    }
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    pub(super) fn new(shared: Shared<Kept<RwLock<T>, SHARES>, T>) -> Self {
        Self(shared)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    pub fn map<V: ?Sized>(this: Self, f: impl FnOnce(&U) -> &V) -> OwnedRwLockReadGuard<T, V> {
        OwnedRwLockReadGuard(this.0.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<V: ?Sized>(
        this: Self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<OwnedRwLockReadGuard<T, V>, Self> {
        this.0.filter_map(f).map(OwnedRwLockReadGuard).map_err(Self)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(sole: Sole<Taken<'a, SHARES, SHARES>, T>) -> Self {
        Self { sole, _reader: PhantomData }
    }

    /// Goes on as a reader, with no writer in between. Other readers may come in.
    ///
    /// ```
    /// use goro_sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut writer = lock.blocking_write();
    /// *writer += 1;
    /// let reader = RwLockWriteGuard::downgrade(writer);
    /// assert_eq!((*reader, *lock.try_read().unwrap()), (2, 2));
    /// ```
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard(this.sole.downgrade())
    }

    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    pub fn map<U: ?Sized>(this: Self, f: impl FnOnce(&mut T) -> &mut U) -> RwLockWriteGuard<'a, U> {
        RwLockWriteGuard::new(this.sole.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<U: ?Sized>(
        this: Self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<RwLockWriteGuard<'a, U>, Self> {
        this.sole.filter_map(f).map(RwLockWriteGuard::new).map_err(Self::new)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockWriteGuard<T, U> {
    pub(super) fn new(sole: Sole<Kept<RwLock<T>, SHARES>, U>) -> Self {
        Self { sole, _reader: PhantomData }
    }

    /// Goes on as a reader, with no writer in between. Other readers may come in.
    pub fn downgrade(this: Self) -> OwnedRwLockReadGuard<T, U> {
        OwnedRwLockReadGuard(this.sole.downgrade())
    }

    /// The same lock, with access to a part of the value only. If `f` panics, the lock is given back.
    pub fn map<V: ?Sized>(
        this: Self,
        f: impl FnOnce(&mut U) -> &mut V,
    ) -> OwnedRwLockWriteGuard<T, V> {
        OwnedRwLockWriteGuard::new(this.sole.map(f))
    }

    /// [`map`](Self::map) to a part that may be missing.
    ///
    /// # Errors
    /// The guard back, when `f` finds nothing.
    pub fn filter_map<V: ?Sized>(
        this: Self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<OwnedRwLockWriteGuard<T, V>, Self> {
        this.sole.filter_map(f).map(OwnedRwLockWriteGuard::new).map_err(Self::new)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockReadGuard<T, U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.sole
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.sole
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockWriteGuard<T, U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.sole
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedRwLockWriteGuard<T, U> {
    fn deref_mut(&mut self) -> &mut U {
        &mut self.sole
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockReadGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
