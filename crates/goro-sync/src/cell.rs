//! A value that whoever holds the permits beside it may reach: the unsafe code of this crate.
//!
//! A lock's value is reached by reference while its permits are held: exclusively with all of them,
//! shared with one. There is no safe form of that: the compiler does not know who holds what.
//!
//! Invariants:
//! 1. A [`Guarded`] has `ALL` permits from the start, and never more: they are its own, and nobody
//!    outside of this file can add any. So whoever holds all is alone, and whoever holds one keeps
//!    others from holding all ([`permits`](crate::permits) is what this rests on).
//! 2. [`Sole`] and [`Shared`] own the permits they were made with, and give them back when they are
//!    dropped: the reference ends first.
//! 3. They are `Send` and `Sync` as the references are for which they stand, and as what they keep.
#![allow(
    unsafe_code,
    reason = "the ledger's one cell of goro-sync: a lock's value has no safe form"
)]

use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use goro_context::cause::Text;
use goro_shim::cell::UnsafeCell;
use goro_shim::global::Arc;

use crate::permits::{Held, Permits};

/// How many can share a value at once.
pub(crate) const SHARES: usize = 1 << 30;

/// `ALL` permits, and a value that is reached with all of them; or with one, if `ALL` is [`SHARES`].
pub(crate) struct Guarded<const ALL: usize, T: ?Sized> {
    permits: Permits,
    value: UnsafeCell<T>,
}

// SAFETY: with one permit in all, the value is reached by one thread at a time, so sharing this only
// moves access from thread to thread: `T: Send` is enough.
unsafe impl<T: ?Sized + Send> Sync for Guarded<1, T> {}

// SAFETY: here threads may hold `&T` at the same time, too: `T: Sync` as well.
unsafe impl<T: ?Sized + Send + Sync> Sync for Guarded<SHARES, T> {}

impl<const ALL: usize, T> Guarded<ALL, T> {
    constant! {
        pub(crate) fn new(value: T) -> Self {
            Self { permits: Permits::new(ALL), value: UnsafeCell::new(value) }
        }
    }

    pub(crate) fn named(name: impl Into<Text>, value: T) -> Self {
        Self { permits: Permits::named(ALL, name), value: UnsafeCell::new(value) }
    }

    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<const ALL: usize, T: ?Sized> Guarded<ALL, T> {
    /// The permits: to be taken, and given back.
    #[inline]
    pub(crate) fn permits(&self) -> &Permits {
        &self.permits
    }

    /// The value: the borrow shows that nobody else is here.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self` says that no guard lives, since each borrows or co-owns `self`.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    /// Access for one, with all of the permits.
    #[inline]
    pub(crate) fn sole<'a>(&'a self, held: Held<'a, ALL>) -> Sole<Taken<'a, ALL, ALL>, T> {
        let kept = self.taken(held);
        Sole { value: self.value.with_mut(|value| value), kept }
    }

    #[inline]
    fn taken<const COUNT: usize>(&self, held: Held<'_, ALL>) -> Taken<'_, COUNT, ALL> {
        self.check(&held, COUNT);
        held.keep();
        Taken { permits: &self.permits }
    }

    #[inline]
    fn check(&self, held: &Held<'_, ALL>, count: usize) {
        assert!(
            core::ptr::eq(held.permits(), &raw const self.permits) && held.count() == count,
            "the permits are this value's own"
        );
    }
}

impl<T: ?Sized> Guarded<SHARES, T> {
    /// Access for many, with one permit each.
    #[inline]
    pub(crate) fn shared<'a>(&'a self, held: Held<'a, SHARES>) -> Shared<Taken<'a, 1, SHARES>, T> {
        let kept = self.taken(held);
        Shared { value: self.value.with(|value| value), kept }
    }
}

/// What has a guarded value: the two locks, and nobody else.
pub(crate) trait Guards<const ALL: usize> {
    /// Its value.
    type Value: ?Sized;

    /// A field of this.
    fn guarded(&self) -> &Guarded<ALL, Self::Value>;
}

/// `COUNT` permits of a lock's, given back when this is dropped.
///
/// The number is the type's, so that a guard is two words, which a future returns in registers.
pub(crate) struct Taken<'a, const COUNT: usize, const ALL: usize> {
    permits: &'a Permits,
}

impl<'a> Taken<'a, SHARES, SHARES> {
    /// Gives all but one back, and tells whoever is first in line, however few it needs.
    fn reduce(self) -> Taken<'a, 1, SHARES> {
        // What it would give back when it is dropped is given back here, or is the reader's.
        let writer = ManuallyDrop::new(self);
        writer.permits.give(SHARES - 1, 1);
        Taken { permits: writer.permits }
    }
}

impl<const COUNT: usize, const ALL: usize> Drop for Taken<'_, COUNT, ALL> {
    #[inline]
    fn drop(&mut self) {
        self.permits.give(COUNT, ALL);
    }
}

/// A counted share of a lock, and some of its permits.
pub(crate) struct Kept<L: Guards<ALL> + ?Sized, const ALL: usize> {
    lock: Arc<L>,
    count: usize,
}

impl<L: Guards<ALL> + ?Sized, const ALL: usize> Kept<L, ALL> {
    fn new(lock: &Arc<L>, held: Held<'_, ALL>, count: usize) -> Self {
        lock.guarded().check(&held, count);
        let count = held.keep();
        Self { lock: Arc::clone(lock), count }
    }
}

impl<L: Guards<ALL> + ?Sized, const ALL: usize> Drop for Kept<L, ALL> {
    fn drop(&mut self) {
        self.lock.guarded().permits.give(self.count, ALL);
    }
}

/// A lock's value, or a part of it, for one alone; as long as `K` keeps all of the permits.
pub(crate) struct Sole<K, U: ?Sized> {
    // A pointer that can be written through: no other type of value may take its place.
    value: *mut U,
    kept: K,
}

// SAFETY: it stands for `&mut U`, and has `K`.
unsafe impl<K: Send, U: ?Sized + Send> Send for Sole<K, U> {}

// SAFETY: as above; a shared one gives `&U` only.
unsafe impl<K: Sync, U: ?Sized + Sync> Sync for Sole<K, U> {}

impl<'a, U: ?Sized> Sole<Taken<'a, SHARES, SHARES>, U> {
    /// Access as one among many, which may come at once.
    pub(crate) fn downgrade(self) -> Shared<Taken<'a, 1, SHARES>, U> {
        let Self { value, kept } = self;
        Shared { value, kept: kept.reduce() }
    }
}

impl<L: Guards<SHARES> + ?Sized, U: ?Sized> Sole<Kept<L, SHARES>, U> {
    /// Access as one among many, which may come at once.
    pub(crate) fn downgrade(self) -> Shared<Kept<L, SHARES>, U> {
        let Self { value, mut kept } = self;
        let rest = core::mem::replace(&mut kept.count, 1) - 1;
        kept.lock.guarded().permits.give(rest, 1);
        Shared { value, kept }
    }
}

impl<L: Guards<ALL> + ?Sized, const ALL: usize> Sole<Kept<L, ALL>, L::Value> {
    /// Access that keeps the lock alive, with all of its permits.
    pub(crate) fn owned(lock: &Arc<L>, held: Held<'_, ALL>) -> Self {
        let kept = Kept::new(lock, held, ALL);
        Self { value: kept.lock.guarded().value.with_mut(|value| value), kept }
    }
}

impl<K, U: ?Sized> Sole<K, U> {
    /// Access to a part only. A panic in `f` gives the permits back.
    pub(crate) fn map<V: ?Sized>(self, f: impl FnOnce(&mut U) -> &mut V) -> Sole<K, V> {
        let Self { value, kept } = self;
        // SAFETY: `kept` keeps the permits, so nobody else reaches the value; the reference ends with
        // `f`, or is what it returns, which takes its place.
        let value = f(unsafe { &mut *value });
        Sole { value, kept }
    }

    /// The same, or all of it again.
    pub(crate) fn filter_map<V: ?Sized>(
        self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Sole<K, V>, Self> {
        let Self { value, kept } = self;
        // SAFETY: as in `map`. Of a `None` no reference is left.
        match f(unsafe { &mut *value }) {
            Some(value) => Ok(Sole { value, kept }),
            None => Err(Self { value, kept }),
        }
    }

    /// The same access, with what keeps the permits inside something else: `wrap` moves it there.
    pub(crate) fn keep_as<J>(self, wrap: impl FnOnce(K) -> J) -> Sole<J, U> {
        let Self { value, kept } = self;
        Sole { value, kept: wrap(kept) }
    }
}

impl<K, U: ?Sized> Deref for Sole<K, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: all permits are kept, so nobody else reaches the value; the borrow of this guard
        // rules out `deref_mut` meanwhile.
        unsafe { &*self.value }
    }
}

impl<K, U: ?Sized> DerefMut for Sole<K, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`; the borrow is exclusive.
        unsafe { &mut *self.value }
    }
}

/// A lock's value, or a part of it, for one among many; as long as `K` keeps one permit.
pub(crate) struct Shared<K, U: ?Sized> {
    value: *const U,
    kept: K,
}

// SAFETY: it stands for `&U`, and has `K`.
unsafe impl<K: Send, U: ?Sized + Sync> Send for Shared<K, U> {}

// SAFETY: as above.
unsafe impl<K: Sync, U: ?Sized + Sync> Sync for Shared<K, U> {}

impl<L: Guards<SHARES> + ?Sized> Shared<Kept<L, SHARES>, L::Value> {
    /// Access that keeps the lock alive, with one of its permits.
    pub(crate) fn owned(lock: &Arc<L>, held: Held<'_, SHARES>) -> Self {
        let kept = Kept::new(lock, held, 1);
        Self { value: kept.lock.guarded().value.with(|value| value), kept }
    }
}

impl<K, U: ?Sized> Shared<K, U> {
    /// Access to a part only. A panic in `f` gives the permit back.
    pub(crate) fn map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Shared<K, V> {
        let Self { value, kept } = self;
        // SAFETY: `kept` keeps one permit, so nobody has all, and nobody writes.
        let value = f(unsafe { &*value });
        Shared { value, kept }
    }

    /// The same, or all of it again.
    pub(crate) fn filter_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<K, V>, Self> {
        let Self { value, kept } = self;
        // SAFETY: as in `map`.
        match f(unsafe { &*value }) {
            Some(value) => Ok(Shared { value, kept }),
            None => Err(Self { value, kept }),
        }
    }
}

impl<K, U: ?Sized> Deref for Shared<K, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: one permit is kept, so nobody has all, and nobody writes.
        unsafe { &*self.value }
    }
}
