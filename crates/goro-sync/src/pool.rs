//! Values that are used again: buffers, above all.
//!
//! The pool is cut into shards, each with a short lock of its own, so that threads which take and
//! give back at the same time meet seldom. A thread has a shard by its number; where that is empty,
//! it looks into the others, but waits for none of them.
//!
//! Invariants:
//! 1. A shard has at most its share of the capacity: the pool never keeps more than it was made for
//!    (rounded up to a multiple of the shards).
//! 2. Values are made, reset and dropped with no lock held.
//! 3. `hits + misses` is the number of values handed out.
//!
//! Left out: waiting for a value (a [`Semaphore`](crate::Semaphore) limits how many there are), and
//! giving memory back after a while (there is no thread to do it; [`Pool::clear`] does).

use core::fmt;
use core::ops::{Deref, DerefMut};

use goro_shim::CachePadded;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::lock::Lock;
use goro_shim::thread;

/// A bounded store of values to be used again.
///
/// # Example
/// ```
/// use goro_sync::Pool;
///
/// let buffers = Pool::new(64, || Vec::<u8>::with_capacity(4096)).reset_with(|buffer| {
///     buffer.clear();
///     buffer.capacity() <= 65536 // otherwise it is dropped
/// });
/// let mut buffer = buffers.get();
/// buffer.extend_from_slice(b"hello");
/// drop(buffer);
/// assert!(buffers.get().is_empty());
/// assert_eq!(buffers.stats().hits, 1);
/// ```
///
/// ```
/// let pool = goro_sync::Pool::with_shards(4, 2, String::new);
/// pool.put(String::from("from elsewhere"));
/// assert_eq!(*pool.get(), "from elsewhere");
/// ```
pub struct Pool<T> {
    shards: Box<[CachePadded<Shard<T>>]>,
    /// The most that a shard keeps.
    share: usize,
    make: Box<dyn Fn() -> T + Send + Sync>,
    reset: Option<Reset<T>>,
}

type Reset<T> = Box<dyn Fn(&mut T) -> bool + Send + Sync>;

struct Shard<T> {
    values: Lock<Vec<T>>,
    hits: AtomicU64,
    misses: AtomicU64,
    discarded: AtomicU64,
}

/// What a [`Pool`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Values handed out that had been used before.
    pub hits: u64,
    /// Values that had to be made.
    pub misses: u64,
    /// Values that came back and were dropped: there was no room, or they were not to be kept.
    pub discarded: u64,
    /// Values that lie in the pool.
    pub idle: usize,
}

impl<T> Pool<T> {
    /// A pool that keeps at most so many values, about as many shards as threads can run at once, and
    /// makes a value with `make` when it has none.
    pub fn new(capacity: usize, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        #[cfg(not(loom))]
        let threads = thread::parallelism().unwrap_or(1);
        #[cfg(loom)]
        let threads = 1;
        Self::with_shards(capacity, threads.min(64), make)
    }

    /// The same with a number of shards, at least one and at most one for each value.
    pub fn with_shards(
        capacity: usize,
        shards: usize,
        make: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        let shards = shards.min(capacity).max(1);
        let shard = || {
            CachePadded(Shard {
                values: Lock::new(Vec::new()),
                hits: AtomicU64::new(0),
                misses: AtomicU64::new(0),
                discarded: AtomicU64::new(0),
            })
        };
        Self {
            shards: (0..shards).map(|_| shard()).collect(),
            share: capacity.div_ceil(shards),
            make: Box::new(make),
            reset: None,
        }
    }

    /// Has each value that comes back made ready for its next use; those that `reset` says false of
    /// are dropped.
    #[must_use]
    pub fn reset_with(mut self, reset: impl Fn(&mut T) -> bool + Send + Sync + 'static) -> Self {
        self.reset = Some(Box::new(reset));
        self
    }

    /// A value, used before or made now. Never waits.
    ///
    /// # Panics
    /// When `make` does.
    pub fn get(&self) -> Pooled<'_, T> {
        let here = self.here();
        let kept = self.shards[here].values.lock().pop().or_else(|| self.find(here));
        let counter = match &kept {
            Some(_) => &self.shards[here].hits,
            None => &self.shards[here].misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        // Panic: `make` may; the pool has not changed but for the count.
        Pooled { pool: self, value: Some(kept.unwrap_or_else(|| (self.make)())) }
    }

    /// A value out of another shard whose lock is free.
    fn find(&self, here: usize) -> Option<T> {
        let others = (1..self.shards.len()).map(|step| (here + step) % self.shards.len());
        others.into_iter().find_map(|at| self.shards[at].values.try_lock()?.pop())
    }

    /// Puts a value in that need not have come from here; dropped if there is no room.
    pub fn put(&self, mut value: T) {
        // Panic: `reset` may; the value is dropped as it unwinds.
        let good = self.reset.as_ref().is_none_or(|reset| reset(&mut value));
        let shard = &self.shards[self.here()];
        let mut left = Some(value);
        if good {
            let mut values = shard.values.lock();
            if values.len() < self.share {
                values.extend(left.take());
            }
        }
        if left.is_some() {
            shard.discarded.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops what lies in the pool.
    pub fn clear(&self) {
        for shard in &self.shards {
            let values = core::mem::take(&mut *shard.values.lock());
            // Panic: a destructor may; the values after it are dropped as it unwinds.
            drop(values);
        }
    }

    /// The most that the pool keeps.
    pub fn capacity(&self) -> usize {
        self.share * self.shards.len()
    }

    /// What it has done so far.
    pub fn stats(&self) -> PoolStats {
        let mut stats = PoolStats::default();
        for shard in &self.shards {
            stats.hits += shard.hits.load(Ordering::Relaxed);
            stats.misses += shard.misses.load(Ordering::Relaxed);
            stats.discarded += shard.discarded.load(Ordering::Relaxed);
            stats.idle += shard.values.lock().len();
        }
        stats
    }

    /// This thread's shard.
    fn here(&self) -> usize {
        // Fewer shards than a usize can count.
        (thread::token().get() % self.shards.len() as u64) as usize
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("capacity", &self.capacity())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A value of a [`Pool`], which goes back when this is dropped.
///
/// ```
/// use goro_sync::{Pool, Pooled};
///
/// let pool = Pool::with_shards(4, 2, String::new);
/// let mut text = pool.get();
/// text.push('x');
/// // Not given back.
/// assert_eq!(Pooled::into_inner(text), "x");
/// assert_eq!(pool.stats().idle, 0);
/// pool.put(String::from("from elsewhere"));
/// assert_eq!((pool.stats().idle, pool.capacity()), (1, 4));
/// pool.clear();
/// assert_eq!(pool.stats().idle, 0);
/// ```
#[must_use = "the value goes back as soon as this is dropped"]
pub struct Pooled<'a, T> {
    pool: &'a Pool<T>,
    /// There until this is dropped or taken apart.
    value: Option<T>,
}

impl<T> Pooled<'_, T> {
    /// The value, for good: it does not go back.
    pub fn into_inner(mut this: Self) -> T {
        this.value.take().expect("it is there until it is dropped")
    }
}

impl<T> Deref for Pooled<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> DerefMut for Pooled<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Pooled<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.pool.put(value);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Pooled<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
