//! What timers say of themselves without their lock.

use core::task::Waker;

use super::{BATCH, Timers};
use goro_shim::time::{self, Duration, Instant};

const MS: Duration = Duration::from_millis(1);

fn open(base: Instant) -> Timers {
    let timers = Timers::new(base);
    timers.open();
    timers
}

#[test]
fn it_is_said_to_have_fired_when_the_last_batch_is_out() {
    let base = time::now();
    let timers = open(base);
    let at = base + MS;
    for _ in 0..=BATCH {
        timers.arm(at, Waker::noop()).unwrap();
    }
    let mut wakers = Vec::new();
    timers.take_due(at - MS / 2, true, &mut wakers);
    assert!(wakers.is_empty() && !timers.has_fired(at));
    timers.take_due(at + MS, true, &mut wakers);
    assert_eq!(wakers.len(), BATCH);
    assert!(!timers.has_fired(at), "one is still there");
    timers.take_due(at + MS, true, &mut wakers);
    assert_eq!(wakers.len(), BATCH + 1);
    assert!(timers.has_fired(at) && !timers.has_fired(at + MS));
}

/// The wheel counts in ticks, and rounds deadlines up.
#[test]
fn nothing_is_said_of_a_tick_that_has_begun() {
    let base = time::now();
    let timers = open(base);
    let (mut wakers, mut at) = (Vec::new(), base);
    for step in 0..2_000_u64 {
        at += Duration::from_nanos(step * 7);
        let (key, _) = timers.arm(at, Waker::noop()).unwrap();
        timers.take_due(at, true, &mut wakers);
        let is_out = !wakers.is_empty();
        assert_eq!(timers.rearm(key, Waker::noop()), !is_out);
        assert!(is_out || !timers.has_fired(at), "step {step}: armed, and said to have fired");
        timers.disarm(key);
        wakers.clear();
    }
    assert!(timers.has_fired(base + MS));
}

#[test]
fn the_next_lease_starts_with_nothing_fired() {
    let base = time::now();
    let timers = open(base);
    let mut wakers = Vec::new();
    timers.take_due(base + MS, true, &mut wakers);
    assert!(timers.has_fired(base));
    timers.close(&mut wakers);
    timers.restart();
    timers.open();
    timers.arm(base + MS / 2, Waker::noop()).unwrap();
    assert!(!timers.has_fired(base + MS / 2));
}
