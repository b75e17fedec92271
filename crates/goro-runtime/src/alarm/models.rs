//! Models of the alarm: an awake worker always has an armed alarm behind it.

use super::{Alarm, Ring, TurnIn};
use crate::idle::Idle;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicUsize, Ordering, fence_seqcst};
use loom::thread;

/// A timer as the kernel keeps it: one word, changed by one call after another.
struct Bell(AtomicBool);

impl Ring for Bell {
    fn start(&self) {
        self.0.swap(true, Ordering::AcqRel);
    }
    fn ring(&self) {
        self.start();
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

    fn is_ringing(&self) -> bool {
        self.alarm.timer.0.load(Ordering::Acquire)
    }
}

impl TurnIn for Night {
    fn disarm(&self) {
        self.alarm.disarm();
    }

    fn arm(&self) {
        self.alarm.ensure();
    }

    fn all_asleep(&self) -> bool {
        self.awake.load(Ordering::Relaxed) == 0
    }

    fn is_watched(&self) -> bool {
        true
    }

    fn wake_one(&self) {
        unreachable!("somebody watches");
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
        night.may_sleep();
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
        night.may_sleep();
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
            night.may_sleep();
        }
        worker.join().unwrap();
        assert!(night.is_ringing());
    });
}

#[test]
fn with_nobody_awake_it_stays_silent() {
    loom::model(|| {
        let night = Night::armed();
        night.may_sleep();
        assert!(!night.is_ringing());
    });
}

/// A bedroom with one worker, who sleeps in the reactor when it is free and on its thread when it
/// is not, and a monitor that looks at the reactor in between.
struct Bedroom {
    night: Alarm<Bell>,
    idle: Idle,
    /// Somebody has the reactor.
    held: AtomicBool,
    watched: AtomicBool,
    woken: AtomicBool,
}

impl Bedroom {
    /// The worker sleeps in the reactor, the monitor is on.
    fn new() -> Arc<Self> {
        let night = Alarm::over(Bell(AtomicBool::new(false)));
        night.ensure();
        let idle = Idle::new();
        assert_eq!(idle.settle(0, false, || false), None);
        let flag = AtomicBool::new;
        Arc::new(Self { night, idle, held: flag(true), watched: flag(true), woken: flag(false) })
    }

    /// The worker: an event ends its sleep, and it lies down again.
    fn turn_over(&self) {
        self.watched.store(false, Ordering::Relaxed);
        self.held.store(false, Ordering::Release);
        let _woken = self.idle.get_up(0);
        fence_seqcst();
        self.night.ensure();
        assert_eq!(self.idle.settle(0, false, || false), None);
        if !self.held.swap(true, Ordering::AcqRel) {
            self.watched.store(true, Ordering::Relaxed);
        }
    }

    /// The monitor: one tick, and the look at the reactor before it.
    fn tick(&self) {
        if !self.held.swap(true, Ordering::AcqRel) {
            self.held.store(false, Ordering::Release);
        }
        if self.idle.asleep() == 1 {
            self.may_sleep();
        }
    }
}

impl TurnIn for Bedroom {
    fn disarm(&self) {
        self.night.disarm();
    }

    fn arm(&self) {
        self.night.ensure();
    }

    fn all_asleep(&self) -> bool {
        self.idle.asleep() == 1
    }

    fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    fn wake_one(&self) {
        let picked = self.idle.pick(u32::MAX).is_some();
        self.woken.fetch_or(picked, Ordering::Relaxed);
    }
}

/// The monitor sleeps only while somebody watches the reactor: or it would be nobody who hears of
/// sockets and of outsiders' deadlines.
#[test]
fn a_worker_finds_the_reactor_taken_by_the_monitor_as_it_lies_down() {
    loom::model(|| {
        let room = Bedroom::new();
        let worker = {
            let room = Arc::clone(&room);
            thread::spawn(move || room.turn_over())
        };
        room.tick();
        worker.join().unwrap();
        let on = room.night.timer.0.load(Ordering::Acquire);
        let watched = room.watched.load(Ordering::Relaxed);
        assert!(on || watched || room.woken.load(Ordering::Relaxed));
    });
}
