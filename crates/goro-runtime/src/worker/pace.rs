//! How soon a worker shares what stands in its queue.
//!
//! Waking a second worker costs the first one 2 to 4 us of system call, and moving a task to
//! another core several cache lines. When the last polls averaged under a microsecond that is more
//! than the tasks are worth, so sharing waits until 50 us of work stand, or the queue has not run
//! dry for 500 us. Otherwise it shares at once.
//!
//! The clock is read once in sixteen polls, and only while somebody sleeps: where everybody is
//! awake there is nobody to wake and nothing to estimate.

use core::cell::Cell;
use goro_shim::time::{Duration, Instant};

use crate::driver::Chosen;

/// Polls per reading of the clock.
const WINDOW: u32 = 16;

/// An average below this is "tiny".
const TINY: Duration = Duration::from_micros(1);

/// Tiny tasks are shared when this much of them stands...
const STANDING: Duration = Duration::from_micros(50);

/// ...or when the queue has not been empty for this long.
const UNDRAINED: Duration = Duration::from_micros(500);

/// One worker's estimate of its polls; see the module.
#[derive(Debug)]
pub(crate) struct Pace {
    polls: Cell<u32>,
    window_began: Cell<Instant>,
    average: Cell<Duration>,
    drained_at: Cell<Instant>,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            polls: Cell::new(0),
            window_began: Cell::new(now),
            average: Cell::new(Duration::ZERO),
            drained_at: Cell::new(now),
        }
    }

    /// The worker has slept: the time it slept is nobody's poll.
    pub(crate) fn awake(&self, now: Instant) {
        self.polls.set(0);
        self.window_began.set(now);
        self.drained_at.set(now);
    }

    /// Whether `standing` tasks are worth waking somebody, who sleeps, for.
    #[inline]
    pub(crate) fn should_share(&self, standing: usize, driver: &Chosen) -> bool {
        let polls = self.polls.get() + 1;
        self.polls.set(polls);
        if polls >= WINDOW {
            return self.close_window(standing, driver.now());
        }
        standing > 0 && self.average.get() >= TINY
    }

    #[cold]
    fn close_window(&self, standing: usize, now: Instant) -> bool {
        let average = now.saturating_duration_since(self.window_began.get()) / WINDOW;
        self.average.set(average);
        self.polls.set(0);
        self.window_began.set(now);
        if standing == 0 {
            self.drained_at.set(now);
            return false;
        }
        average >= TINY
            || average * u32::try_from(standing).unwrap_or(u32::MAX) >= STANDING
            || now.saturating_duration_since(self.drained_at.get()) >= UNDRAINED
    }
}
