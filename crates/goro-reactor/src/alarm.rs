//! Waking the poller at a moment, to better than the millisecond that `epoll_wait` counts in.
//!
//! On Linux a timer descriptor stands in the poll. Arming it costs a system call (450 ns), so it
//! is armed only for a deadline earlier than the one it is armed for, or when that has fired.
//! Elsewhere, and for a turn whose arming the kernel refused, the deadline is the poll's own
//! timeout, which mio rounds up to whole milliseconds where the platform counts in those.
//!
//! Invariants:
//! 1. While `armed` is some moment, the descriptor's event comes by then (give or take the arming
//!    call), so that "armed for something no later than I want" always suffices.
//! 2. Never early: the descriptor gets a duration measured before it starts to count, and a timer
//!    event whose deadline lies ahead is not taken for this turn's (the reactor polls again).
//!
//! Left out: reading the descriptor. It is registered edge-triggered, each expiry is one event,
//! and arming resets its count.

use std::io;

use goro_shim::time::{Duration, Instant, now};

use crate::reactor::Wait;

/// How long the poll may sleep, as mio wants to hear it.
pub(crate) type Timeout = Option<Duration>;

#[cfg(target_os = "linux")]
mod platform {
    use std::os::fd::{AsRawFd, OwnedFd};

    use mio::unix::SourceFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use super::{Duration, Instant, Timeout, Wait, io, now};
    use crate::token::Token;

    /// See the module.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        descriptor: OwnedFd,
        armed: Option<Instant>,
    }

    impl Alarm {
        pub(crate) fn new(registry: &mio::Registry) -> io::Result<Self> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(
                &mut SourceFd(&descriptor.as_raw_fd()),
                Token::ALARM.into(),
                mio::Interest::READABLE,
            )?;
            Ok(Self { descriptor, armed: None })
        }

        /// Sees to it that a poll with the timeout returned ends when `wait` says.
        pub(crate) fn prepare(&mut self, wait: Wait) -> Timeout {
            let at = match wait {
                Wait::No => return Some(Duration::ZERO),
                Wait::Forever => return None,
                Wait::Until(at) => at,
            };
            if self.armed.is_some_and(|armed| armed <= at) {
                return None;
            }
            let left = at.saturating_duration_since(now());
            if left.is_zero() {
                return Some(Duration::ZERO);
            }
            match self.arm(left) {
                Ok(()) => {
                    self.armed = Some(at);
                    None
                }
                Err(_) => Some(left),
            }
        }

        /// The descriptor's event was seen.
        pub(crate) fn fired(&mut self) {
            self.armed = None;
        }

        fn arm(&self, left: Duration) -> io::Result<()> {
            let never = Timespec { tv_sec: 0, tv_nsec: 0 };
            let value = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let spec = Itimerspec { it_interval: never, it_value: value };
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{Duration, Timeout, Wait, io, now};

    /// Deadlines beyond this, which not every kernel takes, are cut to it; the poll then ends early
    /// and is repeated.
    const FARTHEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    /// See the module.
    #[derive(Debug)]
    pub(crate) struct Alarm;

    impl Alarm {
        pub(crate) fn new(_: &mio::Registry) -> io::Result<Self> {
            Ok(Self)
        }

        /// The timeout with which a poll ends when `wait` says, or up to a millisecond later.
        #[expect(clippy::unused_self, reason = "the face of the arm that keeps state")]
        pub(crate) fn prepare(&mut self, wait: Wait) -> Timeout {
            match wait {
                Wait::No => Some(Duration::ZERO),
                Wait::Forever => None,
                Wait::Until(at) => Some(at.saturating_duration_since(now()).min(FARTHEST)),
            }
        }

        /// Never called: no descriptor stands in the poll.
        #[expect(clippy::unused_self, reason = "the face of the arm that keeps state")]
        pub(crate) fn fired(&mut self) {}
    }
}

pub(crate) use platform::Alarm;

#[cfg(all(test, not(loom), target_os = "linux"))]
mod tests {
    use super::*;

    fn alarm() -> (mio::Poll, Alarm) {
        let poll = mio::Poll::new().unwrap();
        let alarm = Alarm::new(poll.registry()).unwrap();
        (poll, alarm)
    }

    fn in_secs(secs: u64) -> Wait {
        Wait::Until(now() + Duration::from_secs(secs))
    }

    #[test]
    fn no_and_forever_need_no_descriptor() {
        let (_poll, mut alarm) = alarm();
        assert_eq!(alarm.prepare(Wait::No), Some(Duration::ZERO));
        assert_eq!(alarm.prepare(Wait::Forever), None);
    }

    #[test]
    fn a_deadline_that_has_passed_polls_without_sleeping() {
        let (_poll, mut alarm) = alarm();
        assert_eq!(alarm.prepare(Wait::Until(now())), Some(Duration::ZERO));
    }

    #[test]
    fn armed_again_only_for_an_earlier_deadline_or_after_firing() {
        let (mut poll, mut alarm) = alarm();
        let mut events = mio::Events::with_capacity(4);
        let soon = Wait::Until(now() + Duration::from_millis(2));
        // Each step polls on after `prepare`; the poll returns only if the descriptor fires.
        assert_eq!(alarm.prepare(in_secs(3600)), None);
        assert_eq!(alarm.prepare(soon), None);
        assert_eq!(alarm.prepare(in_secs(1800)), None, "something earlier is armed");
        poll.poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
        alarm.fired();
        let again = Wait::Until(now() + Duration::from_millis(1));
        assert_eq!(alarm.prepare(again), None);
        poll.poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
    }

    #[test]
    fn the_farthest_moment_is_accepted() {
        let (_poll, mut alarm) = alarm();
        let mut at = now();
        while let Some(later) = at.checked_add(Duration::from_secs(1 << 40)) {
            at = later;
        }
        assert_eq!(alarm.prepare(Wait::Until(at)), None);
        assert_eq!(alarm.prepare(in_secs(1)), None);
    }
}
