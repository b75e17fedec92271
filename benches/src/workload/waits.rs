//! How long single operations waited, and whether tasks of equal work came to their ends together.
//!
//! Both are found in a part of its own that is not timed otherwise: two readings of a clock take as long
//! as many an operation.
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::stats::percentile;

/// What tasks of equal work tell at their ends.
pub(super) struct Waits {
    began: Instant,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    nanos: Vec<u64>,
    ends: Vec<u64>,
}

impl Waits {
    /// With nothing told yet; the tasks begin now.
    pub(super) fn shared() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), told: Mutex::default() })
    }

    /// A task ends, having waited so long each time.
    pub(super) fn end(&self, waited: Vec<u64>) {
        let end = nanos_since(self.began);
        let mut told = self.told.lock().expect("no task panics");
        told.nanos.extend(waited);
        told.ends.push(end);
    }

    /// The waits' 99th percentile in microseconds; how far the first end is from the last, in
    /// hundredths of the whole; the longest wait in microseconds.
    pub(super) fn figures(&self) -> [f64; 3] {
        let told = std::mem::take(&mut *self.told.lock().expect("no task panics"));
        let Told { mut nanos, ends } = told;
        nanos.sort_unstable();
        let longest = nanos.last().copied().unwrap_or(0);
        let micros = |nanos: u64| nanos as f64 / 1e3;
        [micros(percentile(&nanos, 99)), apart(&ends), micros(longest)]
    }
}

/// Nanoseconds that have passed.
pub(super) fn nanos_since(then: Instant) -> u64 {
    u64::try_from(then.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// How far the first of these ends is from the last, in hundredths of the last.
fn apart(ends: &[u64]) -> f64 {
    let (first, last) = (ends.iter().min(), ends.iter().max());
    match (first, last) {
        (Some(&first), Some(&last)) if last > 0 => (last - first) as f64 / last as f64 * 100.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Waits, apart};

    #[test]
    fn ends_are_apart_by_a_share_of_the_whole() {
        assert_eq!(apart(&[75, 100, 80]), 25.0);
        assert_eq!([apart(&[5, 5]), apart(&[7]), apart(&[]), apart(&[0])], [0.0; 4]);
    }

    #[test]
    fn all_waits_count() {
        let waits = Waits::shared();
        waits.end((1..=99).map(|wait| wait * 1000).collect());
        waits.end(vec![5_000_000]);
        let [p99, _, longest] = waits.figures();
        assert_eq!((p99, longest), (99.0, 5000.0));
    }
}
