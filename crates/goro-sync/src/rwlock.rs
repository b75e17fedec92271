//! A lock that readers share.
//!
//! The protocol is that of [`permits`](crate::permits): there are [`SHARES`] of them, a reader takes
//! one, a writer all. What makes writers get in is the rule that permits add up for the first in
//! line: while readers are in and a writer is first in line, newcomers go behind it.
//!
//! Left out: upgrading a reader (two that do so wait for each other; take the write lock, and
//! downgrade), and poisoning (as in [`Mutex`](crate::Mutex)).

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::cause::Text;
use goro_shim::global::Arc;

use crate::block::block;
use crate::cell::{Guarded, Guards, SHARES, Shared, Sole};
use crate::mutex::TryLockError;
use crate::permits::{Acquire, Held, Permits, Sharing};

mod guard;

pub use guard::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLockReadGuard, RwLockWriteGuard};

/// A value that many tasks can read at a time, or one change. Guards may be held across an await.
///
/// # Order
/// A writer that waits for readers to leave keeps new readers out, so it gets in when those that are
/// in have left. Otherwise whoever comes may pass those who wait, within the bounds that
/// [`Mutex`](crate::Mutex#order) states.
///
/// So a task that holds a read guard and waits for another one may wait for a writer that waits for
/// the first: take one guard, and hand it around.
///
/// # A waiter that is not polled
/// As with [`Mutex`](crate::Mutex#a-waiter-that-is-not-polled): once nobody is in, it holds up
/// others for a millisecond or two, not for ever.
///
/// # Panics
/// There is no poisoning: a panic gives the lock back as it unwinds. At most 2^30 readers share it;
/// those above wait.
///
/// # Example
/// ```
/// use goro_sync::RwLock;
///
/// # futures::executor::block_on(async {
/// let routes = RwLock::new(vec!["/"]);
/// routes.write().await.push("/health");
/// let (one, another) = (routes.read().await, routes.read().await);
/// assert_eq!(one.len(), another.len());
/// # });
/// ```
///
/// ```
/// use goro_sync::RwLock;
/// use std::sync::Arc;
///
/// let mut lock = RwLock::named("settings", 1);
/// *lock.get_mut() += 1;
/// let lock = Arc::new(lock);
/// let (one, other) = (lock.blocking_read(), lock.try_read().unwrap());
/// assert_eq!(*one + *other, 4);
/// assert!(lock.try_write().is_err() && lock.clone().try_write_owned().is_err());
/// drop((one, other));
/// *lock.blocking_write() += 1;
/// futures::executor::block_on(async {
///     *lock.clone().write_owned().await += 1;
///     assert_eq!(*lock.clone().read_owned().await, 4);
/// });
/// assert_eq!(*lock.clone().try_read_owned().unwrap(), 4);
/// assert_eq!(Arc::into_inner(lock).unwrap().into_inner(), 4);
/// ```
pub struct RwLock<T: ?Sized> {
    guarded: Guarded<SHARES, T>,
}

impl<T> RwLock<T> {
    constant! {
        /// An unlocked lock; also in a `static`.
        pub fn new(value: T) -> Self {
            Self { guarded: Guarded::new(value) }
        }
    }

    /// An unlocked lock with a name, by which dumps say what a task waits for.
    pub fn named(name: impl Into<Text>, value: T) -> Self {
        Self { guarded: Guarded::named(name, value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.guarded.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock to read.
    ///
    /// # Cancel safety
    /// Safe: a future that is dropped has taken nothing, and loses its place among those who wait.
    #[inline]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        Reading { lock: self, acquire: self.permits().acquire(1) }
    }

    /// Takes the lock to write.
    ///
    /// # Cancel safety
    /// As [`read`](Self::read); readers that it has kept out come in.
    #[inline]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        Writing { lock: self, acquire: self.permits().acquire(SHARES) }
    }

    /// Takes the lock to read, if no writer is in or first in line.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        Ok(RwLockReadGuard::new(self.guarded.shared(self.try_take(1)?)))
    }

    /// Takes the lock to write, if nobody is in and no waiter is first.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        Ok(RwLockWriteGuard::new(self.guarded.sole(self.try_take(SHARES)?)))
    }

    /// [`read`](Self::read), and lets this thread sleep until then. Legal anywhere; on a worker of
    /// goro's the runtime is told first.
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block(self.read())
    }

    /// [`write`](Self::write), and lets this thread sleep until then. Legal anywhere; on a worker of
    /// goro's the runtime is told first.
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block(self.write())
    }

    /// [`read`](Self::read), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    /// As `read`.
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let held = self.take(1).await;
        OwnedRwLockReadGuard::new(Shared::owned(&self, held))
    }

    /// [`write`](Self::write), with a guard that keeps the lock alive.
    ///
    /// # Cancel safety
    /// As `write`.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let held = self.take(SHARES).await;
        OwnedRwLockWriteGuard::new(Sole::owned(&self, held))
    }

    /// [`try_read`](Self::try_read), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// As `try_read`.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let held = self.try_take(1)?;
        Ok(OwnedRwLockReadGuard::new(Shared::owned(&self, held)))
    }

    /// [`try_write`](Self::try_write), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// As `try_write`.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let held = self.try_take(SHARES)?;
        Ok(OwnedRwLockWriteGuard::new(Sole::owned(&self, held)))
    }

    /// The value, without locking: the borrow shows that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.guarded.get_mut()
    }

    #[inline]
    fn permits(&self) -> &Permits {
        self.guarded.permits()
    }

    async fn take(&self, count: usize) -> Held<'_, SHARES> {
        self.permits().acquire::<Sharing, SHARES>(count).await.expect(NEVER_CLOSED)
    }

    #[inline]
    fn try_take(&self, count: usize) -> Result<Held<'_, SHARES>, TryLockError> {
        self.permits().try_take(count).map_err(|_| TryLockError::BUSY)
    }
}

/// The future of a reader. By hand, as [`Mutex`](crate::Mutex)'s.
struct Reading<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    acquire: Acquire<'a, Sharing, SHARES>,
}

impl<'a, T: ?Sized> Future for Reading<'a, T> {
    type Output = RwLockReadGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RwLockReadGuard<'a, T>> {
        Pin::new(&mut self.acquire)
            .poll(cx)
            .map(|held| RwLockReadGuard::new(self.lock.guarded.shared(held.expect(NEVER_CLOSED))))
    }
}

/// The future of a writer.
struct Writing<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    acquire: Acquire<'a, Sharing, SHARES>,
}

impl<'a, T: ?Sized> Future for Writing<'a, T> {
    type Output = RwLockWriteGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RwLockWriteGuard<'a, T>> {
        Pin::new(&mut self.acquire)
            .poll(cx)
            .map(|held| RwLockWriteGuard::new(self.lock.guarded.sole(held.expect(NEVER_CLOSED))))
    }
}

const NEVER_CLOSED: &str = "a lock's permits are never closed";

impl<T: ?Sized> Guards<SHARES> for RwLock<T> {
    type Value = T;

    #[inline]
    fn guarded(&self) -> &Guarded<SHARES, T> {
        &self.guarded
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// The value, if no writer holds the lock or is first in line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = self.try_read();
        let value: &dyn fmt::Debug = match &guard {
            Ok(guard) => guard,
            Err(_) => &format_args!("<locked>"),
        };
        f.debug_struct("RwLock").field("value", value).finish()
    }
}
