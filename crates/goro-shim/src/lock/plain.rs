//! The lock itself: one flag, taken by compare-and-swap and given back by a store.
//!
//! The flag comes from `parts` beside this file: std's, or in a model of this very code loom's.
#![allow(unsafe_code, reason = "the ledger's one lock; gains 2x alone, 5x contended over std's")]

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::parts::{AtomicBool, Backoff, Ordering};

/// A short lock; see the module.
///
/// The flag comes first, on the cache line of what the value begins with: who takes the lock then
/// has both with one miss.
#[repr(C)]
pub struct Lock<T> {
    taken: AtomicBool,
    hint: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands out the value to one thread at a time, so sharing the lock only ever
// moves access to the value between threads: `T: Send` is enough.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Access to a [`Lock`]'s value, until dropped.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    // A guard is shared between threads only if the value may be, and is never sent: it
    // stands for a critical section of this thread.
    _here: PhantomData<(*const (), &'a mut T)>,
}

// SAFETY: `&Guard` gives `&T` and nothing else.
unsafe impl<T: Sync> Sync for Guard<'_, T> {}

impl<T> Lock<T> {
    /// Makes an untaken lock.
    pub const fn new(value: T) -> Self {
        Self {
            taken: AtomicBool::new(false),
            hint: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, waiting for its holder.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        if !self.take() {
            self.wait();
        }
        Guard { lock: self, _here: PhantomData }
    }

    /// Takes the lock if nobody has it.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.take().then(|| Guard { lock: self, _here: PhantomData })
    }

    /// A flag beside the lock, at first down, for what can be told of the value without taking the lock. It
    /// stands where there would be a gap, and means what the lock's owner says.
    #[inline]
    pub fn hint(&self) -> &AtomicBool {
        &self.hint
    }

    /// The value, with no locking: the borrow shows that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    #[inline]
    fn take(&self) -> bool {
        // Ordering: Acquire pairs with the Release store in `Guard::drop`.
        self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn wait(&self) {
        let mut backoff = Backoff::new();
        loop {
            if !self.taken.load(Ordering::Relaxed) && self.take() {
                return;
            }
            backoff.pause();
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire in `Lock::take`.
        self.lock.taken.store(false, Ordering::Release);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard exists, so this thread has the lock and nobody else touches the
        // value; the shared borrow of the guard rules out `deref_mut` meanwhile.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and the exclusive borrow of the guard rules out other borrows.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for Guard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
