//! How long jobs have waited for a thread, as counts by powers of two.
//!
//! Shared counters: a job costs a hand-over between threads in any case, beside which an addition or
//! two do not show.

use goro_shim::atomic::{AtomicU64, Ordering};
use goro_shim::time::Duration;

use crate::metrics::Waits;

/// The waits of one pool's jobs.
#[derive(Debug, Default)]
pub(super) struct Waited {
    nanos: AtomicU64,
    longest: AtomicU64,
    /// Waits below 1 us, 2 us, 4 us, and so on; the last has the rest.
    buckets: [AtomicU64; Waits::BUCKETS],
}

impl Waited {
    pub(super) fn record(&self, wait: Duration) {
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.longest.fetch_max(nanos, Ordering::Relaxed);
        self.buckets[Waits::bucket_of(wait)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Waits {
        Waits::new(
            Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
            Duration::from_nanos(self.longest.load(Ordering::Relaxed)),
            core::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
        )
    }
}
