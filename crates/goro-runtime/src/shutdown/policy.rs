//! How long a drain may take, and whether it will do.

use goro_shim::time::{Duration, Instant};

/// How long a [shutdown](crate::ShutdownHandle) waits for what was begun before everybody is asked to end.
///
/// A drain that has nothing left to wait for is over at once, whatever the policy.
///
/// ```
/// use goro_runtime::{DrainPolicy, Phase, Runtime};
/// use std::time::Duration;
///
/// let runtime = Runtime::new().unwrap();
/// let end = runtime.handle().shutdown();
/// assert_eq!(end.phase(), Phase::Running);
/// end.set_policy(DrainPolicy::fixed(Duration::from_secs(10)));
/// end.set_policy(DrainPolicy::adaptive(
///     Duration::from_secs(1),
///     Duration::from_secs(10),
///     Duration::from_millis(5),
/// ));
/// // Nothing is waited for.
/// end.set_policy(DrainPolicy::none());
/// end.set_grace(Duration::ZERO);
/// end.track_depth("orders", || 0);
/// end.force("over");
/// let report = runtime.block_on(end.wait());
/// assert!(report.forced && end.phase() == Phase::Stopped);
/// println!("{report}, exit code {}", report.exit_code());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainPolicy(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed(Duration),
    Adaptive { min: Duration, max: Duration, per_item: Duration },
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) elapsed: Duration,
    /// How much is left: guards that are out, and what stands in queues.
    pub(super) depth: u64,
    /// How much of it has gone since the drain began.
    pub(super) done: u64,
    /// How long nothing must still be left, if nothing is.
    pub(super) moment: Duration,
}

impl DrainPolicy {
    /// At most so long. Warns (`tracing`) when what is left will take longer at the rate so far.
    #[must_use]
    pub const fn fixed(most: Duration) -> Self {
        Self(Kind::Fixed(most))
    }

    /// As long as what is left will take: `per_item` for each guard and each value in a tracked queue, until
    /// the drain's own rate is known, and then by that; at least `min` and at most `max`.
    #[must_use]
    pub const fn adaptive(min: Duration, max: Duration, per_item: Duration) -> Self {
        Self(Kind::Adaptive { min, max, per_item })
    }

    /// No time at all: everybody is asked to end at once.
    #[must_use]
    pub const fn none() -> Self {
        Self(Kind::Fixed(Duration::ZERO))
    }

    /// How long the drain may take in all, as it goes.
    pub(super) fn allows(self, progress: Progress) -> Duration {
        match self.0 {
            Kind::Fixed(most) => most,
            Kind::Adaptive { min, max, per_item } => {
                let depth = u32::try_from(progress.depth).unwrap_or(u32::MAX);
                let left = progress.forecast().unwrap_or_else(|| per_item.saturating_mul(depth));
                progress.elapsed.saturating_add(left.max(progress.moment)).max(min).min(max)
            }
        }
    }

    /// The policy looks at the rate all the time.
    pub(super) fn watches(self) -> bool {
        matches!(self.0, Kind::Adaptive { .. })
    }
}

impl Default for DrainPolicy {
    /// [Fixed](Self::fixed), ten seconds.
    fn default() -> Self {
        Self::fixed(Duration::from_secs(10))
    }
}

/// A rate over less than this says nothing.
const TELLING: Duration = Duration::from_millis(50);

impl Progress {
    /// How long what is left will take at the rate so far; nothing while there is none.
    pub(super) fn forecast(self) -> Option<Duration> {
        if self.done == 0 || self.elapsed < TELLING {
            return None;
        }
        let nanos = self.elapsed.as_nanos().saturating_mul(u128::from(self.depth));
        let nanos = nanos / u128::from(self.done);
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// What is left at this rate, if that is more than the time that is left.
    pub(super) fn falls_short(self, left: Duration) -> Option<Duration> {
        if self.depth == 0 {
            return None;
        }
        match self.forecast() {
            Some(needed) => (needed > left).then_some(needed),
            // Nothing has gone in half of the time.
            None => (self.elapsed >= left.max(TELLING)).then_some(Duration::MAX),
        }
    }
}

/// This point in time, or one so late that it does not come.
pub(super) fn after(from: Instant, wait: Duration) -> Instant {
    let far = from + Duration::from_secs(86_400 * 365);
    from.checked_add(wait).unwrap_or(far)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn progress(elapsed: Duration, depth: u64, done: u64) -> Progress {
        Progress { elapsed, depth, done, moment: Duration::ZERO }
    }

    #[test]
    fn a_fixed_time_is_what_it_is() {
        let policy = DrainPolicy::fixed(ms(300));
        assert_eq!(policy.allows(progress(ms(100), 1_000, 1)), ms(300));
        assert_eq!(DrainPolicy::none().allows(progress(ms(0), 9, 0)), ms(0));
    }

    #[test]
    fn an_adaptive_time_follows_the_rate_between_its_ends() {
        let policy = DrainPolicy::adaptive(ms(100), ms(2_000), ms(10));
        assert_eq!(
            policy.allows(progress(ms(0), 50, 0)),
            ms(500),
            "by what each item is said to take"
        );
        assert_eq!(policy.allows(progress(ms(200), 50, 100)), ms(300), "by the rate");
        assert_eq!(policy.allows(progress(ms(50), 1, 1_000)), ms(100), "at least");
        assert_eq!(policy.allows(progress(ms(200), 1_000, 1)), ms(2_000), "at most");
        assert_eq!(policy.allows(progress(ms(0), u64::MAX, 0)), ms(2_000));
    }

    #[test]
    fn a_drain_that_will_not_do_is_told_of() {
        // 10 a second, and 100 are left.
        assert_eq!(progress(ms(1_000), 100, 10).falls_short(ms(9_000)), Some(ms(10_000)));
        assert_eq!(progress(ms(1_000), 100, 10).falls_short(ms(10_000)), None);
        assert_eq!(progress(ms(1_000), 0, 0).falls_short(ms(0)), None, "nothing is left");
        assert_eq!(progress(ms(400), 1, 0).falls_short(ms(600)), None, "it may still come");
        assert_eq!(progress(ms(500), 1, 0).falls_short(ms(500)), Some(Duration::MAX));
    }
}
