//! Single cases of the wheel: edges, crowds, bursts.

use super::lists::CROWD;
use super::*;

/// Parks until nobody is left, with `max` sleepers a call; the times of waking, and the values.
fn run_out<T>(wheel: &mut Wheel<T>, max: usize) -> (Vec<u64>, Vec<T>) {
    let (mut wakings, mut out) = (Vec::new(), Vec::new());
    while let Some(at) = wheel.next_deadline() {
        wakings.push(at);
        while wheel.advance(at, max, &mut out) {}
    }
    (wakings, out)
}

/// A repeatable stream of numbers.
fn numbers() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

const MS: u64 = 1_000_000;
const DAY: u64 = 86_400_000 * MS;

/// Pitfall 128: wherever the clock starts, each sleeper wakes the owner once, at its own tick.
#[test]
fn at_every_level_edge_the_owner_is_woken_at_each_deadline_and_no_other_time() {
    for level in 0..10_u32 {
        for (times, off) in
            [1, 2, 3, 63].into_iter().flat_map(|times| [(times, -1_i64), (times, 0), (times, 1)])
        {
            for unit in [1, TICK_NANOS as i64] {
                let edge = u128::from(TICK_NANOS) << (6 * level);
                let Ok(start) = u64::try_from(edge * times) else { continue };
                let start = start.saturating_add_signed(off * unit);
                let spans = [0, 1, TICK_NANOS, MS, 30_000 * MS, 12 * DAY, 13 * DAY, 3650 * DAY];
                let mut wheel = Wheel::starting_at(start);
                let mut expected: Vec<u64> = Vec::new();
                for span in spans {
                    let Some(at) = start.checked_add(span) else { continue };
                    let tick = at.div_ceil(TICK_NANOS);
                    if tick < 1 << 54 {
                        wheel.insert(at, tick);
                        expected.push(tick);
                    }
                }
                let (wakings, out) = run_out(&mut wheel, 64);
                assert_eq!(out, expected);
                expected.dedup();
                let woken: Vec<u64> = wakings.iter().map(|at| at / TICK_NANOS).collect();
                // Who was due from the start is announced as 0.
                let past = usize::from(woken[0] == 0 && expected[0] != 0);
                assert_eq!(woken[past..], expected[past..]);
            }
        }
    }
}

/// Pitfall 128: ten years of short timers, from just before the edges of all levels up to 2.3 y.
#[test]
fn ten_years_of_short_timers() {
    for start in
        [0, 12 * DAY, (TICK_NANOS << 30) - 1, (TICK_NANOS << 36) - MS, (TICK_NANOS << 42) - MS]
    {
        let mut wheel = Wheel::starting_at(start);
        let (mut number, mut out, mut now) = (numbers(), Vec::new(), start);
        while now < start + 3650 * DAY {
            let at = now + number() % (3 * MS);
            wheel.insert(at, at);
            wheel.insert(at + number() % (8 * DAY), u64::MAX);
            let woken = wheel.next_deadline().unwrap();
            assert!(woken <= at.div_ceil(TICK_NANOS) * TICK_NANOS);
            now = now.max(woken).max(at + TICK_NANOS);
            while wheel.advance(now, 2, &mut out) {}
            assert!(out.contains(&at));
            out.clear();
            now += number() % (4 * DAY);
            while wheel.advance(now, 2, &mut out) {}
        }
        assert!(wheel.len() < 100);
    }
}

/// Pitfall 131.
#[test]
fn the_ends_of_time() {
    let mut wheel = Wheel::new();
    let mut out = Vec::new();
    let never = wheel.insert(u64::MAX, "never");
    assert_eq!(wheel.next_deadline(), Some(u64::MAX));
    wheel.insert(u64::MAX - TICK_NANOS, "last");
    wheel.insert(1, "1 ns");
    wheel.insert(0, "now");
    assert_eq!(wheel.next_deadline(), Some(0));
    assert!(!wheel.advance(0, 9, &mut out));
    assert_eq!(out, ["now"]);
    assert_eq!(wheel.next_deadline(), Some(TICK_NANOS));
    assert!(!wheel.advance(TICK_NANOS - 1, 9, &mut out));
    assert_eq!(out.len(), 1);
    assert!(!wheel.advance(u64::MAX - TICK_NANOS, 9, &mut out));
    assert_eq!(out, ["now", "1 ns"]);
    assert!(!wheel.advance(u64::MAX, 9, &mut out));
    assert_eq!(out, ["now", "1 ns", "last"]);
    wheel.insert(5, "past");
    assert!(!wheel.advance(u64::MAX, 9, &mut out));
    assert_eq!(out, ["now", "1 ns", "last", "past"]);
    assert_eq!((wheel.len(), wheel.cancel(never)), (1, Some("never")));
}

/// Pitfall 137: waiting for deadlines wakes nobody for the wheel's own bookkeeping.
#[test]
fn without_cancellations_the_owner_wakes_once_per_tick() {
    for max in [1, 3, 64, usize::MAX] {
        let mut wheel = Wheel::starting_at(12 * DAY - MS);
        let mut number = numbers();
        let mut expected: Vec<u64> = Vec::new();
        for _ in 0..2_000 {
            let magnitude = number() % 24;
            let at = 12 * DAY + ((number() % DAY) >> magnitude);
            wheel.insert(at, ());
            expected.push(at.div_ceil(TICK_NANOS) * TICK_NANOS);
        }
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(run_out(&mut wheel, max).0, expected);
    }
}

/// Pitfall 137: the earliest of a crowd, cancelled, costs a waking per level at most; the earliest
/// of a few costs none.
#[test]
fn cancelled_deadlines_wake_the_owner_rarely() {
    for (others, wakings) in [(1, 1), (CROWD as usize, 1), (CROWD as usize + 1, 10), (500, 10)] {
        let mut wheel = Wheel::starting_at(5);
        let earlier: Vec<_> =
            (1..500).map(|days| wheel.insert((1500 + days) * DAY, true)).collect();
        for _ in 0..others {
            wheel.insert(2000 * DAY + 9 * MS, false);
        }
        for key in earlier {
            assert_eq!(wheel.cancel(key), Some(true));
        }
        // Nobody searches a crowd for its earliest: cancelling is O(1).
        let exact = wheel.next_deadline() > Some(2000 * DAY);
        assert_eq!(exact, others <= CROWD as usize);
        let (woken, out) = run_out(&mut wheel, usize::MAX);
        assert_eq!(out, vec![false; others]);
        assert!(woken.len() <= wakings, "{} wakings for {others} deadlines", woken.len());
    }
}

/// However many sleep in one list, a call touches `max`; what comes in between is not lost.
#[test]
fn a_crowd_is_moved_and_let_go_in_batches() {
    let n = 10_000;
    let mut wheel = Wheel::new();
    let keys: Vec<_> = (0..n).map(|i| wheel.insert(30_000 * MS + i * 1_000, i)).collect();
    let mut out = Vec::new();
    assert!(!wheel.advance(30_000 * MS - TICK_NANOS, 0, &mut out));
    // Stops with the crowd half moved down; the others stay reachable, and newcomers fit in.
    let (due, now) = (16 * TICK_NANOS, 30_000 * MS + 16 * TICK_NANOS + 1);
    assert!(wheel.advance(now, 64, &mut out));
    assert_eq!(wheel.cancel(keys[5_000]), Some(5_000));
    assert_eq!(wheel.cancel(keys[9_999]), Some(9_999));
    wheel.insert(MS, 1_000_000);
    wheel.insert(now, 1_000_001);
    assert_eq!(wheel.next_deadline(), Some(0));
    assert!(wheel.advance(now, 0, &mut out), "nothing is done, and somebody is due");
    let mut calls = 1;
    while wheel.advance(now, 64, &mut out) {
        calls += 1;
        assert!(out.len() <= 64 * calls);
    }
    assert!(calls <= keys.len() / 64 + 2);
    assert!(out.iter().all(|&i| i >= 1_000_000 || i * 1_000 <= due));
    assert_eq!(30_000 * MS % TICK_NANOS, 0);
    // One newcomer and the first of the crowd; the other newcomer's tick begins after `now`.
    assert_eq!(out.len() as u64, 1 + 1 + due / 1_000);
    while wheel.advance(now + n * 1_000, 64, &mut out) {}
    assert_eq!(out.len() as u64, n);
    assert!(wheel.is_empty());
}

/// `true` is said only when another call is needed.
#[test]
fn a_batch_that_suffices_says_so() {
    for (max, more) in [(0, true), (63, true), (64, false), (65, false)] {
        let mut wheel = Wheel::new();
        for i in 0..64 {
            wheel.insert(1 + i, i);
        }
        wheel.insert(DAY, 64);
        let mut out = Vec::new();
        assert_eq!(wheel.advance(TICK_NANOS, max, &mut out), more);
        assert_eq!(out.len(), max.min(64));
        assert!(!wheel.advance(TICK_NANOS, 64, &mut out));
        assert_eq!(out.len(), 64);
    }
}

/// Pitfall 130: after a storm of cancellations nobody is left, and neither is the memory.
#[test]
fn memory_follows_a_burst_down() {
    let n = 1_000_000_usize;
    let mut wheel = Wheel::new();
    let mut number = numbers();
    let keys: Vec<_> = (0..n).map(|_| wheel.insert(number() % DAY, ())).collect();
    assert!(wheel.capacity() < n + 256);
    // Scattered; every 100,000th survives, each in a chunk of its own, and the spare.
    for at in 0..n {
        let at = at * 7_919 % n;
        if at % 100_000 != 0 {
            assert!(wheel.cancel(keys[at]).is_some());
        }
    }
    assert_eq!(wheel.len(), 10);
    assert!(wheel.capacity() <= 11 * 256, "{} places held for 10", wheel.capacity());
    wheel.check();
    // The places in between are used again before any more memory is asked for.
    let extent = wheel.chunks.extent();
    let keys: Vec<_> = (0..5_000).map(|_| wheel.insert(DAY, ())).collect();
    assert_eq!(wheel.chunks.extent(), extent);
    assert!(wheel.capacity() <= 5_010 + 256);
    wheel.check();
    for key in keys {
        wheel.cancel(key);
    }
    let mut out = Vec::new();
    wheel.advance(DAY, usize::MAX, &mut out);
    assert_eq!((out.len(), wheel.len(), wheel.capacity()), (10, 0, 256));
    wheel.check();
}

/// A chunk is kept for the next sleeper: at the edge of a chunk nothing is allocated to and fro.
#[test]
fn one_vacant_chunk_is_kept() {
    let mut wheel = Wheel::new();
    for _ in 0..3 {
        let key = wheel.insert(DAY, 0);
        wheel.cancel(key);
        assert_eq!(wheel.capacity(), 256);
    }
    let keys: Vec<_> = (0..512).map(|i| wheel.insert(DAY, i)).collect();
    for key in &keys[..256] {
        wheel.cancel(*key);
    }
    // The spare is in use again, so the next chunk that becomes vacant is kept as well.
    let key = wheel.insert(DAY, 0);
    for key in &keys[256..] {
        wheel.cancel(*key);
    }
    assert_eq!((wheel.len(), wheel.capacity()), (1, 512));
    wheel.check();
    wheel.cancel(key);
    assert_eq!((wheel.len(), wheel.capacity()), (0, 256));
    wheel.check();
}

/// Pitfalls 32 and 94: what sleeps is owned by the wheel alone, and goes when it is taken out.
#[test]
fn nothing_is_kept_of_what_was_taken_out() {
    let value = goro_shim::global::Arc::new(());
    let count = || goro_shim::global::Arc::strong_count(&value);
    let mut wheel = Wheel::new();
    let mut out = Vec::new();
    let keys: Vec<_> = (0..10).map(|i| wheel.insert(i * MS, value.clone())).collect();
    drop(wheel.cancel(keys[7]));
    assert_eq!(count(), 10);
    wheel.advance(2 * MS + TICK_NANOS, 64, &mut out);
    out.clear();
    assert_eq!(count(), 7);
    // A list half emptied is drained with the rest.
    wheel.advance(4 * MS + TICK_NANOS, 1, &mut out);
    wheel.drain_into(&mut out);
    assert!(wheel.is_empty() && wheel.next_deadline().is_none());
    out.clear();
    assert_eq!(count(), 1);
    assert!(keys.iter().all(|&key| wheel.get_mut(key).is_none() && wheel.cancel(key).is_none()));
    wheel.insert(MS, value.clone());
    drop(wheel);
    assert_eq!(count(), 1);
}

#[test]
fn a_crowd_half_moved_is_drained() {
    let mut wheel = Wheel::new();
    for i in 0..100 {
        wheel.insert(DAY + i * MS, i);
    }
    let mut out = Vec::new();
    wheel.advance(DAY + TICK_NANOS, 50, &mut out);
    assert_ne!(wheel.emptying, NOWHERE);
    wheel.drain_into(&mut out);
    assert_eq!((out.len(), wheel.len()), (100, 0));
    wheel.check();
    wheel.insert(2 * DAY, 0);
    assert_eq!(run_out(&mut wheel, 1).1, [0]);
}

#[test]
fn an_entry_with_a_waker_takes_40_bytes() {
    assert_eq!(size_of::<chunks::Sleeper<core::task::Waker>>(), 40);
    assert!(size_of::<Wheel<core::task::Waker>>() <= 192);
}
