//! A mutex whose guard may be held across an await.
//!
//! The protocol is that of [`permits`](crate::permits), with one permit; the value stands in
//! [`cell`](crate::cell).
//!
//! Left out: poisoning (see [`Mutex`]), and a list of who holds it: the holder is no longer where it
//! was when it took the lock, so its task's place of spawning would say little.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::cause::Text;
use goro_shim::global::Arc;

use crate::block::block;
use crate::cell::{Guarded, Guards, Sole};
use crate::permits::{Acquire, Barging, Closed, Fair, Manner, Permits};

mod guard;

pub use guard::{MutexGuard, OwnedMutexGuard};

/// A value that one task at a time can reach.
///
/// Unlike std's, the guard may be held across an await, and is `Send`. Taking a free lock and giving
/// it back cost one atomic operation each. For a critical section without an await std's mutex does
/// as well.
///
/// # Order
/// Whoever comes while the lock is free takes it, even if others wait ("barging"): handing it over
/// would cost a switch each time. It is bounded: a waiter that has been passed by four times, or
/// for 1 ms since the first time, goes before all newcomers. [`FairMutex`] is first come first served.
///
/// # A waiter that is not polled
/// Unlocking gives nobody the lock, it wakes the first waiter to take it. So a future that is kept
/// without being polled holds up others for a millisecond or two, not for ever.
///
/// # Panics
/// There is no poisoning. A task that panics while it holds the guard gives the lock back as it
/// unwinds, and the next one finds the value as it was left then; if that may be half changed, keep
/// a flag in the value.
///
/// # Example
/// ```
/// use goro_sync::Mutex;
///
/// # futures::executor::block_on(async {
/// let stock = Mutex::new(3);
/// {
///     let mut stock = stock.lock().await;
///     *stock -= 1;
/// }
/// assert_eq!(*stock.lock().await, 2);
/// # });
/// ```
///
/// ```
/// use goro_sync::Mutex;
/// use std::sync::Arc;
///
/// let mut lock = Mutex::named("ledger", 1);
/// *lock.get_mut() += 1;
/// let lock = Arc::new(lock);
/// let held = lock.blocking_lock();
/// assert!(lock.try_lock().is_err() && lock.clone().try_lock_owned().is_err());
/// drop(held);
/// *lock.clone().blocking_lock_owned() += 1;
/// *futures::executor::block_on(lock.clone().lock_owned()) += 1;
/// assert_eq!(*lock.blocking_lock(), 4);
/// ```
pub struct Mutex<T: ?Sized> {
    guarded: Guarded<1, T>,
}

const NEVER_CLOSED: &str = "a mutex's permit is never closed";

/// Why a lock was not taken without waiting: somebody holds it, or waits and is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLockError(());

impl TryLockError {
    pub(crate) const BUSY: Self = Self(());
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lock is held, or another waiter is first")
    }
}

impl core::error::Error for TryLockError {}

impl<T> Mutex<T> {
    constant! {
        /// An unlocked mutex; also in a `static`.
        pub fn new(value: T) -> Self {
            Self { guarded: Guarded::new(value) }
        }
    }

    /// An unlocked mutex with a name, by which dumps say what a task waits for.
    pub fn named(name: impl Into<Text>, value: T) -> Self {
        Self { guarded: Guarded::named(name, value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.guarded.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock, when its turn has come.
    ///
    /// # Cancel safety
    /// Safe: a future that is dropped has taken nothing, and loses its place among those who wait.
    #[inline]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.taking::<Barging>()
    }

    /// Takes the lock if it is free and no waiter is first.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let held = self.permits().try_take_only().map_err(|_| TryLockError::BUSY)?;
        Ok(MutexGuard::new(self.guarded.sole(held)))
    }

    /// Takes the lock, and lets this thread sleep until then. Legal anywhere; on a worker of goro's
    /// the runtime is told first.
    ///
    /// ```
    /// let lock = goro_sync::Mutex::new(1);
    /// *lock.blocking_lock() += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block(self.lock())
    }

    /// [`lock`](Self::lock), with a guard that keeps the mutex alive.
    ///
    /// # Cancel safety
    /// As `lock`.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let held = self.permits().acquire::<Barging, 1>(1).await.expect(NEVER_CLOSED);
        OwnedMutexGuard::barging(Sole::owned(&self, held))
    }

    /// [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// As `try_lock`.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let held = self.permits().try_take(1).map_err(|_| TryLockError::BUSY)?;
        Ok(OwnedMutexGuard::barging(Sole::owned(&self, held)))
    }

    /// [`blocking_lock`](Self::blocking_lock), with a guard that keeps the mutex alive.
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block(self.lock_owned())
    }

    /// The value, without locking: the borrow shows that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.guarded.get_mut()
    }

    #[inline]
    fn permits(&self) -> &Permits {
        self.guarded.permits()
    }

    #[inline]
    fn taking<M: Manner>(&self) -> Taking<'_, T, M> {
        Taking { mutex: self, acquire: self.permits().acquire(1) }
    }
}

/// The future of a guard. By hand, since an `async fn` in another costs a fifth of what it is about.
struct Taking<'a, T: ?Sized, M> {
    mutex: &'a Mutex<T>,
    acquire: Acquire<'a, M, 1>,
}

impl<'a, T: ?Sized, M: Manner> Future for Taking<'a, T, M> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        match Pin::new(&mut self.acquire).poll(cx) {
            Poll::Ready(Ok(held)) => Poll::Ready(MutexGuard::new(self.mutex.guarded.sole(held))),
            Poll::Ready(Err(Closed)) => unreachable!("{NEVER_CLOSED}"),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: ?Sized> Guards<1> for Mutex<T> {
    type Value = T;

    #[inline]
    fn guarded(&self) -> &Guarded<1, T> {
        &self.guarded
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// The value, if nobody holds the lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = self.try_lock();
        let value: &dyn fmt::Debug = match &guard {
            Ok(guard) => guard,
            Err(_) => &format_args!("<locked>"),
        };
        f.debug_struct("Mutex").field("value", value).finish()
    }
}

/// A [`Mutex`] that is taken first come first served.
///
/// Each unlock under contention then waits for a switch: several times slower than the other kind
/// where critical sections are short. All else said there holds here, too: a waiter that is woken
/// and not polled for a millisecond or two is passed by, and is first again when it is polled.
///
/// # Example
/// ```
/// use goro_sync::FairMutex;
///
/// # futures::executor::block_on(async {
/// let lock = FairMutex::new(String::new());
/// lock.lock().await.push('a');
/// assert_eq!(lock.into_inner(), "a");
/// # });
/// ```
///
/// ```
/// use goro_sync::FairMutex;
/// use std::sync::Arc;
///
/// let mut lock = FairMutex::named("ledger", 1);
/// *lock.get_mut() += 1;
/// let lock = Arc::new(lock);
/// let held = lock.blocking_lock();
/// assert!(lock.try_lock().is_err() && lock.clone().try_lock_owned().is_err());
/// drop(held);
/// *lock.clone().blocking_lock_owned() += 1;
/// *futures::executor::block_on(lock.clone().lock_owned()) += 1;
/// assert_eq!(*lock.blocking_lock(), 4);
/// ```
pub struct FairMutex<T: ?Sized>(Mutex<T>);

impl<T> FairMutex<T> {
    constant! {
        /// An unlocked mutex; also in a `static`.
        pub fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }
    }

    /// An unlocked mutex with a name, by which dumps say what a task waits for.
    pub fn named(name: impl Into<Text>, value: T) -> Self {
        Self(Mutex::named(name, value))
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: ?Sized> FairMutex<T> {
    /// Takes the lock, after all who have come before.
    ///
    /// # Cancel safety
    /// Safe: a future that is dropped has taken nothing, and loses its place among those who wait.
    #[inline]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.0.taking::<Fair>()
    }

    /// Takes the lock if it is free and nobody waits.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.0.try_lock()
    }

    /// Takes the lock, and lets this thread sleep until then. Legal anywhere; on a worker of goro's
    /// the runtime is told first.
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block(self.lock())
    }

    /// [`lock`](Self::lock), with a guard that keeps the mutex alive.
    ///
    /// # Cancel safety
    /// As `lock`.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let held = self.0.permits().acquire::<Fair, 1>(1).await.expect(NEVER_CLOSED);
        OwnedMutexGuard::fair(Sole::owned(&self, held))
    }

    /// [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// As `try_lock`.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let held = self.0.permits().try_take(1).map_err(|_| TryLockError::BUSY)?;
        Ok(OwnedMutexGuard::fair(Sole::owned(&self, held)))
    }

    /// [`blocking_lock`](Self::blocking_lock), with a guard that keeps the mutex alive.
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block(self.lock_owned())
    }

    /// The value, without locking: the borrow shows that nobody else is here.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T: ?Sized> Guards<1> for FairMutex<T> {
    type Value = T;

    fn guarded(&self) -> &Guarded<1, T> {
        &self.0.guarded
    }
}

impl<T: Default> Default for FairMutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for FairMutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for FairMutex<T> {
    /// As [`Mutex`]'s.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FairMutex").field(&&self.0).finish()
    }
}
