//! What wakes the monitor: a timer that a worker can arm without waking anybody.
//!
//! A worker that leaves its sleep arms the alarm when it finds it disarmed. On Linux that is one
//! `timerfd_settime` (450 ns); waking a sleeping thread instead would cost 2 us on every
//! idle-to-busy edge. Elsewhere the monitor is unparked.
//!
//! ```text
//!  worker                          monitor
//!  counts itself awake             stop the timer, then armed = false
//!  fence                           fence
//!  armed? no: arm                  anybody awake? yes: arm again
//! ```
//!
//! Invariant: when a worker is awake, the alarm is armed or will be (the two fences: one of the
//! two sees the other).

use goro_shim::atomic::{AtomicBool, Ordering, fence_seqcst};
use goro_shim::time::Duration;
use std::io;

/// How often the monitor looks while anybody is awake.
pub(crate) const PERIOD: Duration = Duration::from_millis(1);

/// How soon it glances once more, between two looks, at what may be a long poll.
pub(crate) const SOON: Duration = Duration::from_micros(600);

/// Something that can be set to ring every period.
pub(crate) trait Ring {
    /// Rings every period from now on.
    fn start(&self);
    /// Rings at once, and every period from now on.
    fn ring(&self);
    /// Rings no more.
    fn stop(&self);
    /// Waits for the next ring.
    fn wait(&self);
}

/// The monitor's timer; see the module.
#[derive(Debug)]
pub(crate) struct Alarm<T = timer::Timer> {
    armed: AtomicBool,
    timer: T,
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::over(timer::Timer::new()?))
    }
}

impl<T: Ring> Alarm<T> {
    pub(crate) fn over(timer: T) -> Self {
        Self { armed: AtomicBool::new(false), timer }
    }

    /// Arms the alarm unless it is armed. The caller has fenced after counting itself awake.
    #[inline]
    pub(crate) fn ensure(&self) {
        // Ordering: Acquire pairs with the Release in `disarm`: this start comes after that stop.
        if !self.armed.load(Ordering::Relaxed) && !self.armed.swap(true, Ordering::Acquire) {
            self.timer.start();
        }
    }

    /// Rings at once, armed or not: the monitor is to notice that it should end.
    pub(crate) fn ring(&self) {
        self.armed.store(true, Ordering::Relaxed);
        self.timer.ring();
    }

    /// Monitor: says that nobody need expect it. The caller fences, looks, and arms again if
    /// anybody is awake.
    pub(crate) fn disarm(&self) {
        // In this order: a worker that arms after the store starts a timer nobody stops.
        self.timer.stop();
        // Ordering: Release pairs with the Acquire in `ensure`.
        self.armed.store(false, Ordering::Release);
    }

    /// Monitor: waits for the next period, for as long as the alarm stays disarmed.
    pub(crate) fn wait(&self) {
        self.timer.wait();
    }
}

/// What the monitor must know in order to turn in.
pub(crate) trait TurnIn {
    /// Disarms the alarm.
    fn disarm(&self);
    /// Arms it.
    fn arm(&self);
    /// Whether every worker sleeps.
    fn all_asleep(&self) -> bool;
    /// Whether one of them sleeps in the reactor.
    fn is_watched(&self) -> bool;
    /// Wakes a sleeper.
    fn wake_one(&self);

    /// Everybody sleeps: disarms the alarm, and says whether the monitor may sleep; not if somebody
    /// wakes meanwhile, or is to be woken because nobody watches the reactor.
    fn may_sleep(&self) -> bool {
        self.disarm();
        // Partner: the fence in `Worker::rise`: either it sees the alarm disarmed, or it is seen
        // awake here.
        fence_seqcst();
        if self.all_asleep() {
            if self.is_watched() {
                return true;
            }
            self.wake_one();
        }
        self.arm();
        false
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use super::{PERIOD, Ring};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::os::fd::OwnedFd;

    const NANOS: i64 = PERIOD.subsec_nanos() as i64;

    /// How often the kernel is asked to set the timer.
    const TRIES: u32 = 3;

    #[derive(Debug)]
    pub(crate) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?))
        }

        fn set(&self, first: i64, period: i64) {
            let time = |nanos| Timespec { tv_sec: 0, tv_nsec: nanos as _ };
            let spec = Itimerspec { it_interval: time(period), it_value: time(first) };
            let set = || timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &spec).is_ok();
            // Fails only for a bad descriptor or a bad time, and both are ours; but a ring that is lost
            // keeps the runtime from ending, so nobody's word is taken for it at once.
            let _ = (0..TRIES).any(|_| set());
        }
    }

    impl Ring for Timer {
        fn start(&self) {
            self.set(NANOS, NANOS);
        }

        fn ring(&self) {
            self.set(1, NANOS);
        }

        fn stop(&self) {
            self.set(0, 0);
        }

        fn wait(&self) {
            let mut expirations = [0_u8; 8];
            // EINTR or success: either way the monitor looks round, and comes back.
            let _ = rustix::io::read(&self.0, &mut expirations);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod timer {
    use super::{PERIOD, Ring};
    use goro_shim::atomic::{AtomicBool, Ordering, fence_seqcst};
    use goro_shim::lock::Lock;
    use goro_shim::thread::{self, Thread};
    use std::io;

    #[derive(Debug)]
    pub(crate) struct Timer {
        running: AtomicBool,
        monitor: Lock<Option<Thread>>,
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self { running: AtomicBool::new(false), monitor: Lock::new(None) })
        }
    }

    impl Ring for Timer {
        fn start(&self) {
            // Ordering: Release pairs with the Acquire in `wait`.
            self.running.store(true, Ordering::Release);
            let monitor = self.monitor.lock().clone();
            if let Some(monitor) = monitor {
                monitor.unpark();
            }
        }

        fn ring(&self) {
            // Who is unparked does not wait for the period to pass.
            self.start();
        }

        fn stop(&self) {
            self.running.store(false, Ordering::Relaxed);
        }

        fn wait(&self) {
            {
                let mut monitor = self.monitor.lock();
                if monitor.is_none() {
                    *monitor = Some(thread::current());
                }
            }
            // Ordering: Acquire pairs with the Release in `start`.
            while !self.running.load(Ordering::Acquire) {
                thread::park();
            }
            thread::park_timeout(PERIOD);
        }
    }
}

#[cfg(all(test, loom))]
mod models;
