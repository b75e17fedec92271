//! What holds permits of a semaphore.

use core::fmt;
use core::mem::take;

use goro_shim::global::Arc;

use super::Semaphore;
use crate::permits::Held;

/// Permits of a [`Semaphore`], given back when this is dropped.
///
/// ```
/// let permits = goro_sync::Semaphore::new(4);
/// let mut some = permits.try_acquire_many(3).unwrap();
/// let one = some.split(1).unwrap();
/// assert_eq!((some.count(), one.count()), (2, 1));
/// assert!(some.merge(one).is_ok());
/// some.forget();
/// assert_eq!((permits.available(), permits.total()), (1, 1), "three are no more");
/// ```
#[must_use = "the permits are given back as soon as this is dropped"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
}

/// Permits that keep their semaphore alive; given back when this is dropped.
///
/// ```
/// use std::sync::Arc;
///
/// let permits = Arc::new(goro_sync::Semaphore::new(4));
/// let mut some = permits.clone().try_acquire_many_owned(3).unwrap();
/// let one = some.split(1).unwrap();
/// assert_eq!((some.count(), one.count()), (2, 1));
/// assert!(some.merge(one).is_ok());
/// assert!(Arc::ptr_eq(some.semaphore(), &permits));
/// some.forget();
/// assert_eq!(permits.available(), 1);
/// ```
#[must_use = "the permits are given back as soon as this is dropped"]
pub struct OwnedPermit {
    semaphore: Arc<Semaphore>,
    count: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, held: Held<'a>) -> Self {
        Self { semaphore, count: held.keep() }
    }

    /// They are somebody else's to give back.
    pub(super) fn keep(mut self) -> usize {
        take(&mut self.count)
    }

    /// How many permits this is.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Parts with so many of them; nothing, if there are not so many.
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        Some(Self { semaphore: self.semaphore, count })
    }

    /// Takes over what another one has.
    ///
    /// # Errors
    /// The other one, if it is of another semaphore.
    pub fn merge(&mut self, other: Self) -> Result<(), Self> {
        if !core::ptr::eq(self.semaphore, other.semaphore) {
            return Err(other);
        }
        self.count += other.keep();
        Ok(())
    }

    /// Gives nothing back: the semaphore has that many fewer from now on.
    pub fn forget(self) {
        let semaphore = self.semaphore;
        semaphore.forget(self.keep());
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.give(self.count);
        }
    }
}

impl OwnedPermit {
    pub(super) fn new(semaphore: Arc<Semaphore>, count: usize) -> Self {
        Self { semaphore, count }
    }

    /// How many permits this is.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The semaphore.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// Parts with so many of them; nothing, if there are not so many.
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        Some(Self { semaphore: Arc::clone(&self.semaphore), count })
    }

    /// Takes over what another one has.
    ///
    /// # Errors
    /// The other one, if it is of another semaphore.
    pub fn merge(&mut self, mut other: Self) -> Result<(), Self> {
        if !Arc::ptr_eq(&self.semaphore, &other.semaphore) {
            return Err(other);
        }
        self.count += take(&mut other.count);
        Ok(())
    }

    /// Gives nothing back: the semaphore has that many fewer from now on.
    pub fn forget(mut self) {
        self.semaphore.forget(take(&mut self.count));
    }
}

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.give(self.count);
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").field("count", &self.count).finish_non_exhaustive()
    }
}
