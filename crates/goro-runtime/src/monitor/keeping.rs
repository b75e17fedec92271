//! How many spares stay, and for how long after they were needed last.
//!
//! As many as were needed at once, at any look in the last one or two keeping times. A keeping time is
//! what the plan says where needs come again and again: the next one then finds a spare ready. A need
//! with none before it for so long may well be the only one, and a spare that stays beside workers who
//! come round all takes tasks over to another core; a sixteenth is enough for it.

use goro_shim::time::{Duration, Instant};

/// What of the plan's time a need is worth that stands alone.
const ALONE: u32 = 16;

/// How many were needed at once, in this keeping time and the one before.
#[derive(Debug)]
pub(super) struct Keeping {
    began: Instant,
    now: u32,
    before: u32,
    /// When somebody was needed last.
    needed_at: Option<Instant>,
    /// Somebody was needed at the last look.
    needed: bool,
    /// The last need began within the plan's time of the one before.
    again: bool,
}

impl Keeping {
    pub(super) fn new(now: Instant) -> Self {
        Self { began: now, now: 0, before: 0, needed_at: None, needed: false, again: false }
    }

    /// `needed` of them are needed at this look. How many may stay.
    pub(super) fn most(&mut self, needed: u32, now: Instant, plan: Duration) -> u32 {
        let since = |at: Instant| now.saturating_duration_since(at);
        if needed > 0 {
            if !self.needed {
                self.again = self.needed_at.is_some_and(|at| since(at) < plan);
            }
            self.needed_at = Some(now);
        }
        self.needed = needed > 0;
        let time = if self.again { plan } else { plan / ALONE };
        self.now = self.now.max(needed);
        if since(self.began) >= time {
            (self.began, self.before, self.now) = (now, self.now, needed);
        }
        self.now.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use goro_shim::time::now;

    const PLAN: Duration = Duration::from_millis(160);
    const LOOK: Duration = Duration::from_millis(1);

    /// A spare is needed at one look in so many, so many times; how many looks later it may go.
    fn stays(times: u32, apart: u32) -> u32 {
        let mut at = now();
        let mut keeping = Keeping::new(at);
        let mut look = |needed| {
            at += LOOK;
            keeping.most(needed, at, PLAN)
        };
        for _ in 0..times {
            assert_eq!(look(1), 1);
            for _ in 1..apart {
                look(0);
            }
        }
        assert_eq!(look(1), 1);
        (0..).find(|_| look(0) == 0).expect("it may go at some time")
    }

    #[test]
    fn a_need_that_stands_alone_is_soon_over() {
        assert!((9..=20).contains(&stays(0, 1)), "one or two sixteenths");
        assert!((9..=20).contains(&stays(3, 200)), "the one before is long past");
    }

    #[test]
    fn who_is_needed_again_and_again_stays() {
        for apart in [2, 15, 150] {
            assert!((159..=320).contains(&stays(5, apart)), "the plan's time, once or twice");
        }
    }

    #[test]
    fn one_need_that_goes_on_is_one() {
        assert!((9..=20).contains(&stays(50, 1)));
    }

    #[test]
    fn as_many_may_stay_as_were_needed_at_once() {
        let mut at = now();
        let mut keeping = Keeping::new(at);
        for needed in [1, 3, 2] {
            at += LOOK;
            keeping.most(needed, at, PLAN);
        }
        assert_eq!(keeping.most(0, at + LOOK, PLAN), 3);
    }
}
