//! How long things have waited, as plain numbers.

use core::fmt;
use goro_shim::time::Duration;

/// How long jobs have waited: a count, a sum, a maximum, and a histogram by powers of two.
///
/// ```
/// use goro_runtime::Runtime;
///
/// let runtime = Runtime::new().unwrap();
/// let job = runtime.spawn_blocking(|| 1);
/// assert_eq!(runtime.block_on(job).unwrap(), 1);
/// let waits = &runtime.metrics().pools[0].waits;
/// assert_eq!(waits.count(), 1);
/// assert!(waits.longest() <= waits.total() && waits.quantile(0.5) >= waits.quantile(0.1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    total: Duration,
    longest: Duration,
    buckets: [u64; Self::BUCKETS],
}

impl Waits {
    /// Below 1 us, 2 us, and so on, up to 2^30 us (18 minutes), and the rest.
    pub(crate) const BUCKETS: usize = 32;

    pub(crate) fn new(total: Duration, longest: Duration, buckets: [u64; Self::BUCKETS]) -> Self {
        Self { total, longest, buckets }
    }

    pub(crate) fn bucket_of(wait: Duration) -> usize {
        let bits = u128::BITS - wait.as_micros().leading_zeros();
        (bits as usize).min(Self::BUCKETS - 1)
    }

    /// How many waits there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The longest of them.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// What a `share` of the waits stayed below (0.5 for the median, 0.99), within a factor of two
    /// above the truth and never above the longest. Zero when there were none; shares below 0 and
    /// above 1 count as those.
    ///
    /// # Example
    /// ```
    /// let waits = goro_runtime::metrics::Waits::default();
    /// assert_eq!(waits.quantile(0.99), goro_runtime::time::Duration::ZERO);
    /// ```
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut below = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += count;
            if below >= wanted.max(1) {
                return Duration::from_micros(1 << bucket).min(self.longest);
            }
        }
        Duration::ZERO
    }
}

impl Default for Waits {
    fn default() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO, [0; Self::BUCKETS])
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waits")
            .field("count", &self.count())
            .field("median", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("longest", &self.longest)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_a_factor_of_two() {
        let micros = [0_u64, 1, 3, 900, 70_000, 5_000_000_000];
        let mut buckets = [0; Waits::BUCKETS];
        for &wait in &micros {
            buckets[Waits::bucket_of(Duration::from_micros(wait))] += 1;
        }
        let longest = Duration::from_micros(micros[5]);
        let waits = Waits::new(longest, longest, buckets);
        assert_eq!(waits.count(), 6);
        for (n, &wait) in (1..).zip(&micros[..5]) {
            let found = waits.quantile(f64::from(n) / 6.0).as_micros() as u64;
            assert!(found > wait && found <= (2 * wait).max(1), "{wait}: {found}");
        }
        assert!(waits.quantile(1.0) <= longest);
        assert_eq!(waits.quantile(-1.0), waits.quantile(0.0));
        assert_eq!(waits.quantile(f64::NAN), waits.quantile(0.0));
    }
}
