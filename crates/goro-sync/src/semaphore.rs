//! A semaphore: permits for whatever is there in a limited number.
//!
//! The protocol is that of [`permits`](crate::permits). What is added is the total, so that a request
//! that no release could ever serve is an error rather than a wait.
//!
//! Invariants:
//! 1. `total` is what is free and what is held together; permits are added to it before they are
//!    free, and leave it after they were taken.
//! 2. `total` is at most [`Semaphore::MAX`], so that the count of free ones cannot overflow.
//!
//! Left out: reopening (a task that was told of the end would meet one that was not).

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use goro_context::{Cause, Op, cause::Text};
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::global::Arc;

use crate::block::block;
use crate::permits::{self, Acquire, Held, Manner, Permits, Refusal};
use crate::wait::{self, Attempt, Offer, Operation};

mod error;
mod permit;

pub use error::{AcquireError, TooManyPermits, TryAcquireError};
pub use permit::{OwnedPermit, Permit};

/// How a permit is waited for.
#[derive(Debug)]
struct Request;

impl Manner for Request {
    const OP: Op = Op::Acquire;
    const FAIR: bool = false;
}

/// Permits that are asked for. What a lock's permits are not: given up where the code that runs was asked
/// to stop.
struct Requested<'a>(Acquire<'a, Request>);

impl<'a> Operation for Requested<'a> {
    type Output = Result<Held<'a>, AcquireError>;
    const OP: Op = Op::Acquire;
    const OBSERVES: bool = true;

    fn attempt(&mut self, offer: Option<&mut Offer<'_>>) -> Attempt<Self::Output> {
        self.0.attempt(offer).map(|held| held.map_err(|_closed| AcquireError::Closed))
    }

    fn cancelled(&mut self, cause: Cause) -> Self::Output {
        Err(AcquireError::Cancelled(cause))
    }
}

impl<'a> Future for Requested<'a> {
    type Output = Result<Held<'a>, AcquireError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.poll_at_once(cx) {
            Poll::Ready(Some(held)) => Poll::Ready(Ok(held)),
            Poll::Ready(None) => poll_in_line(&mut self, cx),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cold]
#[inline(never)]
fn poll_in_line<'a>(
    requested: &mut Requested<'a>,
    cx: &mut Context<'_>,
) -> Poll<Result<Held<'a>, AcquireError>> {
    wait::poll(requested, cx)
}

/// Permits to be taken and given back.
///
/// # Order
/// As with [`Mutex`](crate::Mutex#order), newcomers may take what is free before those who wait, within
/// bounds. While there are permits but too few for the first in line, they add up for it: a big
/// request is not starved by small ones.
///
/// # A waiter that is not polled
/// As with [`Mutex`](crate::Mutex#a-waiter-that-is-not-polled): once there are permits for it, it
/// holds up others for a millisecond or two, not for ever. A request gets all of its permits at once
/// or none, so one that is dropped loses none.
///
/// # Example
/// ```
/// use goro_sync::Semaphore;
///
/// # futures::executor::block_on(async {
/// let seats = Semaphore::new(2);
/// let (one, two) = (seats.acquire().await?, seats.acquire().await?);
/// assert!(seats.try_acquire().is_err());
/// drop(one);
/// assert!(seats.try_acquire().is_ok());
/// # drop(two);
/// # Ok::<(), goro_sync::AcquireError>(())
/// # }).unwrap();
/// ```
///
/// ```
/// use goro_sync::{AcquireError, Semaphore, TryAcquireError};
/// use std::sync::Arc;
///
/// let permits = Arc::new(Semaphore::named("uploads", 3));
/// assert_eq!((permits.available(), permits.total()), (3, 3));
/// futures::executor::block_on(async {
///     let one = permits.clone().acquire_owned().await.unwrap();
///     let two = permits.acquire_many(2).await.unwrap();
///     assert_eq!(permits.try_acquire_many(2).unwrap_err(), TryAcquireError::TooFew);
///     assert!(permits.clone().try_acquire_owned().is_err());
///     assert!(permits.clone().try_acquire_many_owned(2).is_err());
///     drop((one, two));
///     let all = permits.clone().acquire_many_owned(3).await.unwrap();
///     assert_eq!(all.count(), 3);
/// });
/// permits.add(1).unwrap();
/// assert!(permits.add(Semaphore::MAX).is_err(), "too many");
/// assert_eq!(permits.remove(2), 2);
/// drop(permits.blocking_acquire().unwrap());
/// drop(permits.blocking_acquire_many(2).unwrap());
/// permits.close();
/// assert!(permits.is_closed());
/// assert_eq!(permits.blocking_acquire().unwrap_err(), AcquireError::Closed);
/// ```
pub struct Semaphore {
    permits: Permits,
    total: AtomicUsize,
}

impl Semaphore {
    /// The most permits there can be: 2^60 - 1 on 64-bit machines.
    pub const MAX: usize = permits::MOST;

    constant! {
        /// A semaphore with so many permits; also in a `static`.
        ///
        /// # Panics
        /// With more than [`MAX`](Self::MAX).
        pub fn new(permits: usize) -> Self {
            assert!(permits <= Self::MAX, "a semaphore has at most Semaphore::MAX permits");
            Self { permits: Permits::new(permits), total: AtomicUsize::new(permits) }
        }
    }

    /// A semaphore with a name, by which dumps say what a task waits for.
    ///
    /// # Panics
    /// With more than [`MAX`](Self::MAX).
    pub fn named(name: impl Into<Text>, permits: usize) -> Self {
        assert!(permits <= Self::MAX, "a semaphore has at most Semaphore::MAX permits");
        Self { permits: Permits::named(permits, name), total: AtomicUsize::new(permits) }
    }

    /// Takes a permit, when its turn has come.
    ///
    /// # Errors
    /// When the semaphore is closed; or when it would have to wait, and the code that runs was asked to
    /// stop.
    ///
    /// # Cancel safety
    /// Safe: a future that is dropped has taken nothing, and loses its place among those who wait.
    #[inline]
    pub async fn acquire(&self) -> Result<Permit<'_>, AcquireError> {
        self.acquire_many(1).await
    }

    /// Takes so many permits at once, when its turn has come. None is had at once, unless it is closed.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); or when more than one are wanted and there are fewer, held ones
    /// included: no release could serve that.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    #[inline]
    pub async fn acquire_many(&self, count: usize) -> Result<Permit<'_>, AcquireError> {
        self.check(count)?;
        let held = Requested(self.permits.acquire(count)).await?;
        Ok(Permit::new(self, held))
    }

    /// Takes a permit if one is free and no waiter is first.
    ///
    /// # Errors
    /// Otherwise.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if they are free and no waiter is first.
    ///
    /// # Errors
    /// Otherwise.
    pub fn try_acquire_many(&self, count: usize) -> Result<Permit<'_>, TryAcquireError> {
        match self.permits.try_take(count) {
            Ok(held) => Ok(Permit::new(self, held)),
            Err(Refusal::Closed) => Err(TryAcquireError::Closed),
            Err(Refusal::TooFew) => {
                self.check(count)?;
                Err(TryAcquireError::TooFew)
            }
        }
    }

    /// [`acquire`](Self::acquire), and lets this thread sleep until then. Legal anywhere; on a worker
    /// of goro's the runtime is told first.
    ///
    /// # Errors
    /// As `acquire`.
    pub fn blocking_acquire(&self) -> Result<Permit<'_>, AcquireError> {
        block(self.acquire())
    }

    /// [`acquire_many`](Self::acquire_many), and lets this thread sleep until then.
    ///
    /// # Errors
    /// As `acquire_many`.
    pub fn blocking_acquire_many(&self, count: usize) -> Result<Permit<'_>, AcquireError> {
        block(self.acquire_many(count))
    }

    /// [`acquire`](Self::acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As `acquire`.
    ///
    /// # Cancel safety
    /// As `acquire`.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedPermit, AcquireError> {
        self.acquire_many_owned(1).await
    }

    /// [`acquire_many`](Self::acquire_many), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As `acquire_many`.
    ///
    /// # Cancel safety
    /// As `acquire`.
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        count: usize,
    ) -> Result<OwnedPermit, AcquireError> {
        let count = self.acquire_many(count).await?.keep();
        Ok(OwnedPermit::new(self, count))
    }

    /// [`try_acquire`](Self::try_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As `try_acquire`.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedPermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// [`try_acquire_many`](Self::try_acquire_many), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As `try_acquire_many`.
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        count: usize,
    ) -> Result<OwnedPermit, TryAcquireError> {
        let count = self.try_acquire_many(count)?.keep();
        Ok(OwnedPermit::new(self, count))
    }

    /// How many permits are free. By the time that this is known it may be different.
    pub fn available(&self) -> usize {
        self.permits.free()
    }

    /// How many permits there are, free and held.
    pub fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// Adds permits.
    ///
    /// # Errors
    /// [`TooManyPermits`], with nothing changed, if there would be more than [`MAX`](Self::MAX).
    pub fn add(&self, count: usize) -> Result<(), TooManyPermits> {
        let sum = |total: usize| total.checked_add(count).filter(|&sum| sum <= Self::MAX);
        let added = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        added.map_err(|_| TooManyPermits(()))?;
        self.permits.give(count, 1);
        Ok(())
    }

    /// Takes free permits away for good, at most so many, and says how many it were.
    pub fn remove(&self, most: usize) -> usize {
        let count = self.permits.take_at_most(most);
        self.total.fetch_sub(count, Ordering::Relaxed);
        count
    }

    /// Ends the semaphore: whoever waits, or comes, gets an error. Permits that are held stay valid.
    /// False if it was closed before.
    pub fn close(&self) -> bool {
        self.permits.close()
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    fn check(&self, count: usize) -> Result<(), AcquireError> {
        match self.total() {
            // One may be waited for where there is none yet.
            total if count <= total.max(1) || self.is_closed() => Ok(()),
            total => Err(AcquireError::MoreThanTotal { wanted: count, total }),
        }
    }

    /// Gives back what [`Permit::keep`] has kept.
    fn give(&self, count: usize) {
        self.permits.give(count, 1);
    }

    /// Takes from the total what was taken, and will not be given back.
    fn forget(&self, count: usize) {
        self.total.fetch_sub(count, Ordering::Relaxed);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("total", &self.total())
            .field("closed", &self.is_closed())
            .finish()
    }
}
