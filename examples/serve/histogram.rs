//! Latencies, counted in buckets that are 1/32 wide at any scale: 8 KiB, no allocation per sample,
//! and a quantile at most 3.2 % above the true one.

use std::time::Duration;

/// Buckets per power of two.
const STEPS: usize = 1 << STEP_BITS;
const STEP_BITS: u32 = 5;
/// Samples of 2^36 ns (69 s) and more share the last bucket.
const TOP_BITS: u32 = 36;
const BUCKETS: usize = STEPS * (TOP_BITS - STEP_BITS + 1) as usize;

/// Counts durations by size.
#[derive(Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Histogram {
    pub fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, longest: Duration::ZERO }
    }

    /// Counts one duration.
    pub fn record(&mut self, sample: Duration) {
        self.counts[bucket(nanos(sample))] += 1;
        self.total += 1;
        self.longest = self.longest.max(sample);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many durations were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The longest of them, exactly.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The duration that a share of `quantile` (0 to 1) of the samples does not exceed.
    pub fn quantile(&self, quantile: f64) -> Duration {
        let rank = ((self.total as f64 * quantile).ceil() as u64).clamp(1, self.total.max(1));
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_edge(index)).min(self.longest);
            }
        }
        self.longest
    }

    /// How many durations lie below 1 us, from there to 2 us, from there to 4 us, and so on, each
    /// with its upper edge; leading and trailing empty ones left out. A duration less than 1/32
    /// above an edge may count as below it.
    pub fn octaves(&self) -> Vec<(Duration, u64)> {
        let mut octaves = Vec::new();
        let mut edge = Duration::from_micros(1);
        let mut index = 0;
        while index < BUCKETS {
            let mut sum = 0;
            while index < BUCKETS && Duration::from_nanos(lower_edge(index)) < edge {
                sum += self.counts[index];
                index += 1;
            }
            octaves.push((edge, sum));
            edge *= 2;
        }
        let first = octaves.iter().position(|(_, count)| *count > 0).unwrap_or(octaves.len());
        octaves.drain(..first);
        let used = octaves.iter().rposition(|(_, count)| *count > 0).map_or(0, |last| last + 1);
        octaves.truncate(used);
        octaves
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Below 2^5 each value has its bucket; above, the five bits after the leading one choose it.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.min((1 << TOP_BITS) - 1);
    if nanos < STEPS as u64 {
        return nanos as usize;
    }
    let octave = nanos.ilog2() - STEP_BITS;
    STEPS * octave as usize + (nanos >> octave) as usize
}

fn lower_edge(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let octave = bucket / STEPS - 1;
    ((STEPS + bucket % STEPS) as u64) << octave
}

/// The greatest value that falls into the bucket.
fn upper_edge(bucket: usize) -> u64 {
    lower_edge(bucket + 1) - 1
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, Histogram, bucket, lower_edge, upper_edge};
    use std::time::Duration;

    fn of(samples: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        samples.into_iter().for_each(|micros| histogram.record(Duration::from_micros(micros)));
        histogram
    }

    #[test]
    fn buckets_cover_every_value_without_gap_or_overlap() {
        for index in 0..BUCKETS {
            let (lower, upper) = (lower_edge(index), upper_edge(index));
            assert_eq!((bucket(lower), bucket(upper)), (index, index));
            assert_eq!(lower_edge(index + 1), upper + 1);
            assert!((upper - lower) * 32 <= upper, "bucket {index} is wider than 1/32");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_at_most_one_bucket_above_the_truth() {
        let histogram = of(1..=10_000);
        for (quantile, truth) in [(0.0, 1.0), (0.5, 5000.0), (0.99, 9900.0), (0.999, 9990.0)] {
            let micros = histogram.quantile(quantile).as_secs_f64() * 1e6;
            assert!((truth..=truth * 1.04).contains(&micros), "{quantile}: {micros}");
        }
        assert_eq!(histogram.quantile(1.0), Duration::from_micros(10_000));
        assert_eq!(histogram.longest(), Duration::from_micros(10_000));
    }

    #[test]
    fn no_samples_and_extreme_samples_are_fine() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        assert!(histogram.octaves().is_empty());
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        assert_eq!(histogram.total(), 2);
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        assert_eq!(histogram.octaves().iter().map(|(_, count)| count).sum::<u64>(), 2);
    }

    #[test]
    fn merging_is_counting_together() {
        let mut merged = of([1, 2, 3]);
        merged.merge(&of([100, 2000]));
        let together = of([1, 2, 3, 100, 2000]);
        assert_eq!(merged.octaves(), together.octaves());
        assert_eq!((merged.total(), merged.longest()), (5, together.longest()));
    }

    #[test]
    fn octaves_start_and_end_with_what_was_counted() {
        let micros = Duration::from_micros;
        let octaves = of([3, 3, 5, 20]).octaves();
        assert_eq!(octaves, [(micros(4), 2), (micros(8), 1), (micros(16), 0), (micros(32), 1)]);
    }
}
