//! Models of a shard's timers: what is fired, cancelled, replaced and closed at the same time.

use super::Timers;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;
use goro_shim::Arc;
use goro_shim::time::{Duration, Instant, now};
use loom::thread;
use std::sync::Arc as StdArc;
use std::task::Wake;

/// Counts wakes. What it counts is not what is modelled, so the count is std's.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counted() -> (StdArc<Count>, Waker) {
    let count = StdArc::new(Count::default());
    (StdArc::clone(&count), Waker::from(count))
}

fn open() -> (Arc<Timers>, Instant) {
    let base = now();
    let timers = Arc::new(Timers::new(base));
    timers.open();
    (timers, base + Duration::from_millis(1))
}

fn fire(timers: &Timers, at: Instant) {
    let mut wakers = Vec::new();
    timers.take_due(at, true, &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
}

/// Pitfall 129: a timer dropped in the tick it fires.
#[test]
fn a_timer_is_cancelled_as_it_fires() {
    loom::model(|| {
        let (timers, at) = open();
        let (count, waker) = counted();
        let (key, earliest) = timers.arm(at, &waker).unwrap();
        assert!(earliest);
        drop(waker);
        let firing = {
            let timers = Arc::clone(&timers);
            thread::spawn(move || fire(&timers, at + Duration::from_millis(1)))
        };
        timers.disarm(key);
        firing.join().unwrap();
        assert!(count.0.load(Ordering::Relaxed) <= 1);
        assert_eq!(StdArc::strong_count(&count), 1, "no waker is kept");
        assert_eq!(timers.wake_at(), None);
    });
}

/// Pitfall 135: whoever changes a timer and whoever fires it lock each other out.
#[test]
fn a_waker_is_replaced_as_its_timer_fires() {
    loom::model(|| {
        let (timers, at) = open();
        let (first, waker) = counted();
        let (second, other) = counted();
        let (key, _) = timers.arm(at, &waker).unwrap();
        let firing = {
            let timers = Arc::clone(&timers);
            thread::spawn(move || fire(&timers, at + Duration::from_millis(1)))
        };
        let replaced = timers.rearm(key, &other);
        firing.join().unwrap();
        let (first, second) = (first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed));
        assert_eq!((first, second), if replaced { (0, 1) } else { (1, 0) });
    });
}

#[test]
fn a_timer_is_armed_as_the_wheel_closes() {
    loom::model(|| {
        let (timers, at) = open();
        let (count, waker) = counted();
        let closing = {
            let timers = Arc::clone(&timers);
            thread::spawn(move || {
                let mut wakers = Vec::new();
                timers.close(&mut wakers);
                wakers.into_iter().for_each(Waker::wake);
            })
        };
        let armed = timers.arm(at, &waker).is_ok();
        closing.join().unwrap();
        assert_eq!(count.0.load(Ordering::Relaxed), usize::from(armed), "woken or refused");
    });
}

/// Who is told, without the lock, that all of that time have fired need not disarm.
#[test]
fn a_timer_that_is_said_to_have_fired_is_out() {
    loom::model(|| {
        let (timers, at) = open();
        let (_count, waker) = counted();
        let (key, _) = timers.arm(at, &waker).unwrap();
        let firing = {
            let timers = Arc::clone(&timers);
            thread::spawn(move || fire(&timers, at + Duration::from_millis(1)))
        };
        if timers.has_fired(at) {
            assert!(!timers.rearm(key, &waker), "it is still armed");
        }
        firing.join().unwrap();
        assert!(timers.has_fired(at));
    });
}

/// Pitfall 127: the earliest deadline is published after the lock is given back, and lost.
#[test]
fn two_timers_are_armed_and_the_earlier_is_published() {
    loom::model(|| {
        let (timers, at) = open();
        let (_count, waker) = counted();
        let other = {
            let (timers, waker) = (Arc::clone(&timers), waker.clone());
            thread::spawn(move || timers.arm(at, &waker).map(|(_, earliest)| earliest))
        };
        let (_, here) = timers.arm(at + Duration::from_millis(5), &waker).unwrap();
        let there = other.join().unwrap().unwrap();
        assert!(there || here);
        assert!(there, "the earlier one is always the earliest of all");
        let next = timers.wake_at().unwrap();
        assert!(next >= at && next < at + Duration::from_millis(1), "{:?}", next - at);
    });
}
