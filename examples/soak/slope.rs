//! Whether memory grows: the slope of a straight line through what was resident at each rest.

/// How fast it may grow, in MiB an hour.
pub const SLOPE: f64 = 1.0;
/// How much it may have grown where the time is too short for a slope to mean anything, in MiB.
pub const GROWTH: f64 = 6.0;
/// Hours from which on a slope means something.
const MEANINGFUL: f64 = 0.5;

/// One sample: hours since the beginning, MiB.
pub type Sample = (f64, f64);

/// What the samples after the warm-up show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// MiB an hour.
    pub slope: f64,
    /// From the first sample to the last, in MiB.
    pub growth: f64,
    /// What the time between them was, in hours.
    pub hours: f64,
}

impl Trend {
    /// Of all but the first quarter of the samples, and of all but ten at most. None with less than three left.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let warm = &samples[(samples.len() / 4).clamp(samples.len().min(1), 10)..];
        if warm.len() < 3 {
            return None;
        }
        let (first, last) = (warm[0], warm[warm.len() - 1]);
        let (growth, hours) = (last.1 - first.1, last.0 - first.0);
        Some(Self { slope: slope(warm), growth, hours })
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let Self { slope, growth, hours } = *self;
        if hours >= MEANINGFUL && slope > SLOPE {
            return Some(format!("it grows by {slope:.2} MiB an hour, and may by {SLOPE}"));
        }
        if hours < MEANINGFUL && growth > GROWTH {
            return Some(format!("it has grown by {growth:.1} MiB, and may by {GROWTH}"));
        }
        None
    }
}

/// Least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let (x, y) = samples.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
    let (x, y) = (x / count, y / count);
    let (mut across, mut square) = (0.0, 0.0);
    for at in samples {
        across += (at.0 - x) * (at.1 - y);
        square += (at.0 - x) * (at.0 - x);
    }
    if square == 0.0 { 0.0 } else { across / square }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute apart, with noise of half a MiB.
    fn minutes(so_many: usize, slope: f64) -> Vec<Sample> {
        let at = |minute: usize| {
            let (hours, noise) = (minute as f64 / 60.0, (minute * 7 % 11) as f64 / 22.0);
            (hours, 20.0 + slope * hours + noise)
        };
        (0..so_many).map(at).collect()
    }

    fn fault(samples: &[Sample]) -> Option<String> {
        Trend::of(samples).and_then(|trend| trend.fault())
    }

    #[test]
    fn a_leak_of_two_mib_an_hour_is_seen_in_an_hour_and_noise_is_not() {
        assert!(fault(&minutes(65, 2.0)).is_some());
        assert_eq!(fault(&minutes(65, 0.0)), None);
        assert_eq!(fault(&minutes(65, -5.0)), None);
    }

    #[test]
    fn the_slope_is_the_lines() {
        let found = Trend::of(&[(0.0, 9.0), (1.0, 1.0), (2.0, 4.0), (3.0, 7.0)]).unwrap();
        assert!((found.slope - 3.0).abs() < 1e-9 && found.growth == 6.0, "{found:?}");
    }

    #[test]
    fn in_minutes_only_what_grows_much_counts() {
        assert_eq!(fault(&minutes(8, 20.0)), None);
        assert!(fault(&minutes(8, 200.0)).is_some());
    }

    #[test]
    fn the_warm_up_does_not_count() {
        let mut samples = minutes(65, 0.0);
        for (minute, sample) in samples.iter_mut().take(10).enumerate() {
            sample.1 -= 10.0 - minute as f64;
        }
        assert_eq!(fault(&samples), None);
    }

    #[test]
    fn too_few_samples_show_nothing() {
        for few in 0..4 {
            assert_eq!(Trend::of(&minutes(few, 9.0)), None, "{few}");
        }
    }
}
