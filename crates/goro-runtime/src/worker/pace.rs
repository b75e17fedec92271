//! How soon a worker shares what stands in its queue.
//!
//! Waking a second worker costs the first one 2 to 4 us of system call, and moving a task to
//! another core several cache lines. When the last polls averaged under a microsecond that is more
//! than the tasks are worth, so sharing waits until 50 us of work stand, or the queue has not run
//! dry for 500 us. Otherwise it shares at once.
//!
//! A few tiny tasks that wake each other, as the two sides of a channel do, keep the queue from
//! running dry for as long as they talk, while none of them stands for a microsecond. On two cores
//! each message of theirs crosses over, at three times the price. So a queue that does not run dry
//! is shared when more than a few stand, or when tasks come back by themselves (they yield, and
//! would get on just as well elsewhere); and for the same reason a worker that has run dry leaves a
//! few tiny tasks where they are (`search`).
//!
//! Longer polls may be in each other's way, too: tasks that send each other hundreds of messages in one
//! poll come to the same locks from two cores, and spend the time on fetching a lock's line and on
//! staying away from it. Where a worker has spent a good part of its time like that, a few tasks stay
//! together for a while, and a thief leaves them, however long they take.
//!
//! The clock is read once in sixteen polls, and only while somebody sleeps: where everybody is
//! awake there is nobody to wake and nothing to decide.
//!
//! Invariants:
//! 1. A window is as long as the polls counted in it took: the time since nobody slept any more is
//!    divided by the polls made in that time. (By sixteen, it would pass for long ones, and wake
//!    whoever has just lain down.)

use core::cell::Cell;
use goro_shim::lock::{self, PAUSE};
use goro_shim::time::{Duration, Instant};

/// Polls per reading of the clock.
const WINDOW: u64 = 16;

/// Polls in the window that a first sign of long polls is checked by: the kernel may have taken the
/// worker off its processor for a moment.
const CHECK: u64 = 4;

/// What a poll may cost more while others work beside it. A window of such polls, which are more
/// than its own number, is taken for so much less.
const COMPANY: u32 = 2;

/// An average below this is "tiny".
pub(super) const TINY: Duration = Duration::from_micros(1);

/// So many or fewer are "a few".
pub(super) const FEW: usize = 15;

/// Tiny tasks are shared when this much of them stands...
const STANDING: Duration = Duration::from_micros(50);

/// ...or when the queue has not been empty for this long.
const UNDRAINED: Duration = Duration::from_micros(500);

/// Workers are in each other's way if they have waited for locks for this part of the time.
const CROWDED: u32 = 4;

/// For so long a few tasks stay together then.
const APART: Duration = Duration::from_millis(10);

/// One worker's estimate of its polls; see the module.
#[derive(Debug)]
pub(crate) struct Pace {
    window_began: Cell<Instant>,
    /// [`WINDOW`] or [`CHECK`].
    window: Cell<u64>,
    /// How many polls there had been then.
    polls_before: Cell<u64>,
    average: Cell<Duration>,
    drained_at: Cell<Instant>,
    /// Tasks that came back by themselves, in this window.
    returned: Cell<u64>,
    /// How often this thread had waited for a lock when the window began.
    pauses_before: Cell<u32>,
    /// Until when a few tasks stay together, if they do.
    apart_until: Cell<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(polls: u64, now: Instant) -> Self {
        Self {
            window_began: Cell::new(now),
            window: Cell::new(WINDOW),
            polls_before: Cell::new(polls),
            average: Cell::new(Duration::ZERO),
            drained_at: Cell::new(now),
            returned: Cell::new(0),
            pauses_before: Cell::new(lock::pauses()),
            apart_until: Cell::new(None),
        }
    }

    /// The worker has slept, after `polls`: the time it slept is nobody's poll.
    pub(crate) fn awake(&self, polls: u64, now: Instant) {
        self.begin_window(polls, now);
        self.drained_at.set(now);
    }

    /// A task was woken during its own poll, and goes to the back of the queue.
    #[inline]
    pub(crate) fn returned(&self) {
        self.returned.set(self.returned.get() + 1);
    }

    /// Whether `standing` tasks are worth waking somebody, who sleeps, for; after so many polls.
    #[inline]
    pub(crate) fn should_share(
        &self,
        standing: usize,
        polls: u64,
        now: impl FnOnce() -> Instant,
    ) -> bool {
        if polls.wrapping_sub(self.polls_before.get()) >= self.window.get() {
            return self.close_window(standing, polls, now());
        }
        standing > 0 && self.average.get() >= TINY && !self.stay_together(standing)
    }

    fn stay_together(&self, standing: usize) -> bool {
        standing <= FEW && self.apart_until.get().is_some()
    }

    /// Whether this worker and others have been in each other's way since the window began.
    pub(crate) fn is_crowded(&self, now: Instant) -> bool {
        let waited = self.waited();
        let elapsed = now.saturating_duration_since(self.window_began.get());
        waited > Duration::ZERO && waited * CROWDED >= elapsed
    }

    /// For how long this thread has waited for locks since the window began.
    fn waited(&self) -> Duration {
        PAUSE * lock::pauses().wrapping_sub(self.pauses_before.get())
    }

    /// Whether the last polls were tiny, as far as is known.
    pub(crate) fn is_tiny(&self, polls: u64, now: Instant) -> bool {
        self.average_of_window(polls, now).unwrap_or(self.average.get()) < TINY
    }

    #[cold]
    fn close_window(&self, standing: usize, polls: u64, now: Instant) -> bool {
        let made = polls.wrapping_sub(self.polls_before.get());
        let average = self.average_of_window(polls, now).unwrap_or_default();
        if self.is_crowded(now) {
            self.apart_until.set(Some(now + APART));
        } else if self.apart_until.get().is_some_and(|until| now >= until) {
            self.apart_until.set(None);
        }
        let independent = standing > FEW || self.returned.get() * 4 >= made;
        self.begin_window(polls, now);
        if standing == 0 || made > WINDOW {
            // Empty, or not looked at meanwhile.
            self.drained_at.set(now);
        }
        let sign = average >= TINY && self.average.get() < TINY && made == WINDOW;
        if sign {
            self.window.set(CHECK);
        } else {
            self.average.set(average);
        }
        if standing == 0 || self.stay_together(standing) {
            return false;
        }
        average >= TINY && !sign
            || average * u32::try_from(standing).unwrap_or(u32::MAX) >= STANDING
            || independent && now.saturating_duration_since(self.drained_at.get()) >= UNDRAINED
    }

    fn begin_window(&self, polls: u64, now: Instant) {
        self.window_began.set(now);
        self.window.set(WINDOW);
        self.polls_before.set(polls);
        self.returned.set(0);
        self.pauses_before.set(lock::pauses());
    }

    fn average_of_window(&self, polls: u64, now: Instant) -> Option<Duration> {
        let made = polls.wrapping_sub(self.polls_before.get());
        let elapsed = now.saturating_duration_since(self.window_began.get());
        // What they waited for alone they would not.
        let elapsed = elapsed.saturating_sub(self.waited());
        let average = elapsed.checked_div(u32::try_from(made).unwrap_or(u32::MAX))?;
        Some(if made > WINDOW { average / COMPANY } else { average })
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
