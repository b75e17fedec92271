//! Models of the count: who is awake keeps the monitor on, and the end comes once.

use super::Crew;
use crate::alarm::{Alarm, Ring, TurnIn};
use crate::idle::Idle;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicUsize, Ordering, fence_seqcst};
use loom::thread;

/// A timer as the kernel keeps it: one word, changed by one call after another.
#[derive(Clone)]
struct Bell(Arc<AtomicBool>);

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

/// One worker, asleep, and a monitor that is on.
struct House {
    crew: Crew,
    idle: Idle,
    alarm: Alarm<Bell>,
    bell: Bell,
}

impl House {
    fn new() -> Arc<Self> {
        let bell = Bell(Arc::new(AtomicBool::new(false)));
        let (crew, idle, alarm) = (Crew::none(), Idle::new(), Alarm::over(bell.clone()));
        alarm.ensure();
        crew.open(1);
        assert_eq!(idle.settle(0, false, || false), None);
        Arc::new(Self { crew, idle, alarm, bell })
    }

    fn rise(&self, member: u32) {
        let _up = self.idle.get_up(member);
        fence_seqcst();
        self.alarm.ensure();
    }
}

impl TurnIn for House {
    fn disarm(&self) {
        self.alarm.disarm();
    }
    fn arm(&self) {
        self.alarm.ensure();
    }
    fn all_asleep(&self) -> bool {
        self.crew.is_asleep(&self.idle)
    }
    fn is_watched(&self) -> bool {
        true
    }
    fn wake_one(&self) {
        unreachable!("somebody watches");
    }
}

/// A worker rises, lets a spare in, which finds nothing and lies down. One of two sleeps then, as one
/// of one did: the monitor must not take that for all.
#[test]
fn a_spare_that_sleeps_does_not_pass_for_its_worker() {
    loom::model(|| {
        let house = House::new();
        let worker = {
            let house = Arc::clone(&house);
            thread::spawn(move || {
                house.rise(0);
                assert!(house.crew.join());
                let spare = Arc::clone(&house);
                let spare = thread::spawn(move || {
                    assert_eq!(spare.idle.settle(1024, false, || false), None);
                });
                spare.join().unwrap();
            })
        };
        if house.all_asleep() {
            house.may_sleep();
        }
        worker.join().unwrap();
        assert!(house.bell.0.load(Ordering::Acquire), "a worker is awake");
    });
}

/// A spare that has slept rises and leaves, while a worker lies down and another rises.
#[test]
fn a_spare_that_leaves_takes_nobody_elses_place() {
    loom::model(|| {
        let house = House::new();
        assert!(house.crew.join());
        let spare = {
            let house = Arc::clone(&house);
            thread::spawn(move || {
                // It is awake, and is to leave.
                assert!(!house.crew.leave());
            })
        };
        let worker = {
            let house = Arc::clone(&house);
            thread::spawn(move || house.rise(0))
        };
        if house.all_asleep() {
            house.may_sleep();
        }
        spare.join().unwrap();
        worker.join().unwrap();
        assert!(house.bell.0.load(Ordering::Acquire), "a worker is awake");
    });
}

/// Whoever is let in is waited for; who comes after the end is not let in.
#[test]
fn the_end_comes_once() {
    loom::model(|| {
        let crew = Arc::new(Crew::none());
        let ends = Arc::new(AtomicUsize::new(0));
        crew.open(1);
        let leave = |crew: &Crew, ends: &AtomicUsize| {
            if crew.leave() {
                ends.fetch_add(1, Ordering::Relaxed);
            }
        };
        let starters: Vec<_> = (0..2)
            .map(|_| {
                let (crew, ends) = (Arc::clone(&crew), Arc::clone(&ends));
                thread::spawn(move || {
                    if crew.join() {
                        leave(&crew, &ends);
                    }
                })
            })
            .collect();
        leave(&crew, &ends);
        for starter in starters {
            starter.join().unwrap();
        }
        assert_eq!((crew.count(), ends.load(Ordering::Relaxed)), (0, 1));
    });
}
