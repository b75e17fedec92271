//! What loom explores: an event against a task that has just met a would-block.

use goro_shim::atomic::{AtomicBool, AtomicU32};
use goro_shim::{Arc, global};

use super::*;

/// What a task's poll came to: it got the byte, or it left its waker and went to sleep.
#[derive(PartialEq)]
enum Polled {
    Got,
    Parked,
}

/// The loop of `poll_io` over a "kernel" that is one flag.
fn poll(watch: &Watch, byte: &AtomicBool, own: bool) -> Polled {
    let mut key = None;
    let mut seen = watch.look(Direction::Read);
    loop {
        let stale = match seen {
            Seen::Ready(_) if byte.load(Ordering::Acquire) => return Polled::Got,
            Seen::Ready(ready) => Some(ready),
            Seen::Waiting => None,
            Seen::Stopped => return Polled::Got,
        };
        let place = if own { Place::Own(&mut key) } else { Place::Seat };
        seen = watch.wait(Direction::Read, place, stale, Waker::noop());
        if seen == Seen::Waiting {
            return Polled::Parked;
        }
    }
}

fn explore(check: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

fn an_event_meets_a_poll(own: bool) {
    explore(move || {
        let watch = Arc::new(Watch::new());
        let byte = Arc::new(AtomicBool::new(false));
        let turner = {
            let (watch, byte) = (Arc::clone(&watch), Arc::clone(&byte));
            loom::thread::spawn(move || {
                byte.store(true, Ordering::Release);
                let mut wakers = Vec::new();
                watch.raise(Directions::BOTH, &mut wakers);
                wakers.len()
            })
        };
        let polled = poll(&watch, &byte, own);
        let woken = turner.join().unwrap();
        assert!(polled == Polled::Got || woken == 1, "asleep beside a byte");
    });
}

#[test]
fn an_event_and_a_seated_waiter_never_miss_each_other() {
    an_event_meets_a_poll(false);
}

#[test]
fn an_event_and_a_waiter_in_its_own_place_never_miss_each_other() {
    an_event_meets_a_poll(true);
}

/// Reads byte by byte until it sleeps, and believes what a read says of what it has left.
fn read_all(watch: &Watch, bytes: &AtomicU32) {
    loop {
        let Seen::Ready(ready) = watch.look(Direction::Read) else { panic!("it has not waited") };
        if !watch.is_drained(ready) && bytes.load(Ordering::Acquire) > 0 {
            let left = bytes.fetch_sub(1, Ordering::AcqRel) - 1;
            watch.has_read(ready, left == 0);
            continue;
        }
        let seen = watch.wait(Direction::Read, Place::Seat, Some(ready), Waker::noop());
        if seen == Seen::Waiting {
            return;
        }
    }
}

#[test]
fn an_event_and_a_reader_who_knows_that_nothing_is_left_never_miss_each_other() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        let bytes = Arc::new(AtomicU32::new(1));
        let turner = {
            let (watch, bytes) = (Arc::clone(&watch), Arc::clone(&bytes));
            loom::thread::spawn(move || {
                bytes.fetch_add(1, Ordering::AcqRel);
                let mut wakers = Vec::new();
                watch.raise(Direction::Read.into(), &mut wakers);
                wakers.len()
            })
        };
        read_all(&watch, &bytes);
        let woken = turner.join().unwrap();
        assert!(bytes.load(Ordering::Acquire) == 0 || woken == 1, "asleep beside a byte");
    });
}

#[test]
fn stopping_and_a_waiter_never_miss_each_other() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        let byte = AtomicBool::new(false);
        let stopper = {
            let watch = Arc::clone(&watch);
            loom::thread::spawn(move || {
                let mut wakers = Vec::new();
                watch.stop(&mut wakers);
                wakers.len()
            })
        };
        let polled = poll(&watch, &byte, false);
        let woken = stopper.join().unwrap();
        assert!(polled == Polled::Got || woken == 1, "asleep in a stopped reactor");
    });
}

#[test]
fn two_events_are_two_ticks_whoever_clears_between() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        let Seen::Ready(seen) = watch.look(Direction::Read) else { panic!("ready at first") };
        let turner = {
            let watch = Arc::clone(&watch);
            loom::thread::spawn(move || watch.raise(Directions::BOTH, &mut Vec::new()))
        };
        watch.clear(seen);
        turner.join().unwrap();
        assert!(matches!(watch.look(Direction::Read), Seen::Ready(_)), "the event was cleared");
    });
}

#[test]
fn an_event_beside_the_end_hides_neither() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        for direction in [Direction::Read, Direction::Write] {
            let Seen::Ready(seen) = watch.look(direction) else { panic!("ready at first") };
            watch.clear(seen);
        }
        let turner = {
            let watch = Arc::clone(&watch);
            loom::thread::spawn(move || watch.raise(Direction::Read.into(), &mut Vec::new()))
        };
        watch.stop(&mut Vec::new());
        turner.join().unwrap();
        assert!(matches!(watch.look(Direction::Read), Seen::Ready(_)), "the event is lost");
        assert_eq!(watch.look(Direction::Write), Seen::Stopped, "the end is lost");
    });
}

/// Whoever sees an event, without a lock and without having waited for it, sees also what the thread
/// that turned the reactor had done before.
#[test]
fn an_event_that_is_seen_brings_what_came_before_it() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        let Seen::Ready(seen) = watch.look(Direction::Read) else { panic!("ready at first") };
        watch.clear(seen);
        let done = Arc::new(AtomicBool::new(false));
        let turner = {
            let (watch, done) = (Arc::clone(&watch), Arc::clone(&done));
            loom::thread::spawn(move || {
                done.store(true, Ordering::Relaxed);
                watch.raise(Direction::Read.into(), &mut Vec::new());
            })
        };
        if let Seen::Ready(_) = watch.look(Direction::Read) {
            assert!(done.load(Ordering::Relaxed), "an event without its cause");
        }
        turner.join().unwrap();
    });
}

/// Counts wakes; a count is not what is modelled.
#[derive(Default)]
struct Count(global::AtomicUsize);

impl std::task::Wake for Count {
    fn wake(self: global::Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A future that waited in a place of its own is dropped as the event comes, and another one takes
/// the place: the first is woken at most once, the second learns of the event, and no waker is kept.
#[test]
fn a_place_is_given_back_and_taken_again_as_an_event_comes() {
    explore(|| {
        let watch = Arc::new(Watch::new());
        let Seen::Ready(seen) = watch.look(Direction::Read) else { panic!("ready at first") };
        watch.clear(seen);
        let counts = [(); 2].map(|()| global::Arc::<Count>::default());
        let wait = |which: &global::Arc<Count>, key: &mut Option<usize>| {
            watch.wait(Direction::Read, Place::Own(key), None, &Waker::from(which.clone()))
        };
        let mut key = None;
        assert_eq!(wait(&counts[0], &mut key), Seen::Waiting);
        let turner = {
            let watch = Arc::clone(&watch);
            loom::thread::spawn(move || {
                let mut wakers = Vec::new();
                watch.raise(Direction::Read.into(), &mut wakers);
                wakers.into_iter().for_each(Waker::wake);
            })
        };
        watch.leave(Direction::Read, key.unwrap());
        let mut key = None;
        let second = wait(&counts[1], &mut key);
        turner.join().unwrap();
        let [first, woken] = [0, 1].map(|which: usize| counts[which].0.load(Ordering::Relaxed));
        assert!(first <= 1);
        assert_eq!(woken, usize::from(second == Seen::Waiting), "told at once, or woken");
        if let Some(key) = key {
            watch.leave(Direction::Read, key);
        }
        assert!(
            counts.iter().all(|count| global::Arc::strong_count(count) == 1),
            "a waker is kept"
        );
    });
}
