//! Models of the alarm: an awake worker always has an armed alarm behind it.

use super::{Alarm, Ring};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicUsize, Ordering, fence_seqcst};
use loom::thread;

/// A timer as the kernel keeps it: one word, changed by one call after another.
struct Bell(AtomicBool);

impl Ring for Bell {
    fn start(&self) {
        self.0.swap(true, Ordering::AcqRel);
    }
    fn stop(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
    fn wait(&self) {}
}

struct Night {
    alarm: Alarm<Bell>,
    awake: AtomicUsize,
}

impl Night {
    fn armed() -> Arc<Self> {
        let alarm = Alarm::over(Bell(AtomicBool::new(false)));
        alarm.ensure();
        Arc::new(Self { alarm, awake: AtomicUsize::new(0) })
    }

    /// What a worker does that leaves its sleep.
    fn wake_up(&self) {
        self.awake.fetch_add(1, Ordering::Relaxed);
        fence_seqcst();
        self.alarm.ensure();
    }

    /// What a worker does that lies down, finds something after all, and gets up.
    fn turn_over(&self) {
        self.awake.fetch_sub(1, Ordering::Relaxed);
        fence_seqcst();
        self.wake_up();
    }

    /// What the monitor does that finds nobody awake.
    fn turn_in(&self) {
        self.alarm.disarm();
        fence_seqcst();
        if self.awake.load(Ordering::Relaxed) > 0 {
            self.alarm.ensure();
        }
    }

    fn is_ringing(&self) -> bool {
        self.alarm.timer.0.load(Ordering::Acquire)
    }
}

/// The monitor is part of liveness: it must not sleep while a worker is awake.
#[test]
fn a_worker_wakes_up_as_the_monitor_turns_in() {
    loom::model(|| {
        let night = Night::armed();
        let worker = {
            let night = Arc::clone(&night);
            thread::spawn(move || night.wake_up())
        };
        night.turn_in();
        worker.join().unwrap();
        assert!(night.is_ringing());
    });
}

#[test]
fn two_workers_wake_up_as_the_monitor_turns_in() {
    loom::model(|| {
        let night = Night::armed();
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let night = Arc::clone(&night);
                thread::spawn(move || night.wake_up())
            })
            .collect();
        night.turn_in();
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(night.is_ringing());
    });
}

/// Who has lain for a moment only was seen asleep all the same.
#[test]
fn a_worker_turns_over_as_the_monitor_turns_in() {
    loom::model(|| {
        let night = Night::armed();
        night.wake_up();
        let worker = {
            let night = Arc::clone(&night);
            thread::spawn(move || night.turn_over())
        };
        if night.awake.load(Ordering::Relaxed) == 0 {
            night.turn_in();
        }
        worker.join().unwrap();
        assert!(night.is_ringing());
    });
}

#[test]
fn with_nobody_awake_it_stays_silent() {
    loom::model(|| {
        let night = Night::armed();
        night.turn_in();
        assert!(!night.is_ringing());
    });
}
