//! The wheel against an ordered map from (tick, key) to value.

use std::collections::BTreeMap;

#[cfg(fuzzing)]
use arbitrary::{Result, Unstructured};

use super::lists::CROWD;
use super::*;

/// The nanoseconds at which level `level` turns over, from level 0's 65.5 us on.
pub(super) fn edge(level: u32) -> u64 {
    1_u64.checked_shl(TICK_BITS + 6 * (level + 1)).unwrap_or(u64::MAX)
}

/// What is done to the wheel.
#[derive(Clone, Debug)]
pub(super) enum Step {
    InsertAt(u64),
    InsertIn(u64),
    /// Of a key given out earlier, gone or not.
    Cancel(u16),
    CancelEarliest,
    Change(u16),
    /// As many as are a crowd, from `.0` on, `.1` apart.
    InsertCrowd(u64, u64),
    Advance(u64, usize),
    AdvanceBackwards(u64, usize),
    AdvanceTo(u64),
    /// To the next deadline, as a parked worker does.
    Park,
    Drain,
}

impl<T> Wheel<T> {
    /// Invariants 1 and 2, and those of the lists.
    pub(super) fn check(&mut self) {
        let mut linked = 0;
        for place in 0..=DUE {
            let list = self.lists.as_it_is(place);
            let before = linked;
            let mut earliest = u64::MAX;
            let (mut prev, mut index) = (NONE, list.head);
            while index != NONE {
                let cursor = self.cursor;
                let sleeper = self.chunks.at(index);
                assert_eq!((sleeper.prev, sleeper.list), (prev, place));
                earliest = earliest.min(sleeper.tick);
                if place != self.emptying {
                    assert_eq!(place, Lists::place(cursor, sleeper.tick));
                }
                linked += 1;
                (prev, index) = (index, sleeper.next);
            }
            assert_eq!(list.tail, prev);
            assert_eq!(linked - before, list.len());
            let bit = !list.is_empty() && place != DUE && place != self.emptying;
            assert_eq!(self.lists.is_occupied(place), bit, "list {place}");
            if bit {
                assert!(list.earliest() <= earliest);
                assert!(!list.is_exact() || list.earliest() == earliest);
            }
        }
        assert_eq!(linked, self.len());
        self.chunks.check();
    }
}

struct Model {
    wheel: Wheel<u32>,
    /// By tick, then by key: the value, and whether it was past when it was inserted.
    sleeping: BTreeMap<(u64, u64), (u32, bool)>,
    given: Vec<(u64, Key)>,
    now: u64,
    /// The latest 64 ticks of which one was let go.
    last: u64,
}

impl Model {
    fn new(now: u64) -> Self {
        let (sleeping, given) = (BTreeMap::new(), Vec::new());
        Self { wheel: Wheel::starting_at(now), sleeping, given, now, last: 0 }
    }

    fn insert(&mut self, at: u64, value: u32) {
        let key = self.wheel.insert(at, value);
        let tick = at.div_ceil(TICK_NANOS);
        let past = tick <= self.now / TICK_NANOS;
        assert!(!self.given.iter().any(|&(_, other)| other == key), "a key given out twice");
        assert!(self.sleeping.insert((tick, key.to_bits()), (value, past)).is_none());
        self.given.push((tick, key));
    }

    /// Calls `advance` with a clock that shows `back` less than it did.
    fn advance(&mut self, back: u64, max: usize) {
        let mut out = Vec::new();
        let more = self.wheel.advance(self.now - back, max, &mut out);
        assert!(out.len() <= max);
        let reached = self.now / TICK_NANOS;
        for value in out {
            let asleep = self.sleeping.iter().find(|&(_, &(other, _))| other == value);
            let (&at, &(_, past)) = asleep.expect("let go once, and not after being cancelled");
            self.sleeping.remove(&at);
            assert!(at.0 <= reached, "let go early");
            if !past {
                assert!(at.0 / 64 >= self.last, "let go out of order");
                self.last = at.0 / 64;
            }
        }
        if !more {
            // A call that its limit stopped just then may leave the cursor behind.
            let due = (self.now - back) / TICK_NANOS;
            assert!(max < usize::MAX || self.wheel.cursor >= due);
            let reached = due.max(self.wheel.reached_nanos() / TICK_NANOS);
            assert!(self.sleeping.keys().next().is_none_or(|&(tick, _)| tick > reached));
        }
    }

    fn cancel(&mut self, tick: u64, key: Key) {
        let expected = self.sleeping.remove(&(tick, key.to_bits())).map(|(value, _)| value);
        assert_eq!(self.wheel.cancel(key), expected);
    }

    fn step(&mut self, step: &Step, value: u32) {
        match *step {
            Step::InsertAt(at) => self.insert(at, value),
            Step::InsertIn(span) => self.insert(self.now.saturating_add(span), value),
            Step::InsertCrowd(from, apart) => {
                for nth in 0..u64::from(CROWD) * 3 {
                    let at =
                        self.now.saturating_add(from).saturating_add(apart.saturating_mul(nth));
                    self.insert(at, value + nth as u32);
                }
            }
            Step::Cancel(which) if !self.given.is_empty() => {
                let (tick, key) = self.given[usize::from(which) % self.given.len()];
                self.cancel(tick, key);
            }
            Step::CancelEarliest => {
                if let Some((&(tick, bits), _)) = self.sleeping.iter().next() {
                    self.cancel(tick, Key::from_bits(bits));
                }
            }
            Step::Change(which) if !self.given.is_empty() => {
                let (tick, key) = self.given[usize::from(which) % self.given.len()];
                let there = self.sleeping.get_mut(&(tick, key.to_bits())).map(|(value, _)| value);
                assert_eq!(self.wheel.get_mut(key).copied(), there.as_deref().copied());
                if let Some(old) = there {
                    *old = value;
                    *self.wheel.get_mut(key).unwrap() = value;
                }
            }
            Step::Cancel(_) | Step::Change(_) => {}
            Step::Advance(span, max) => {
                self.now = self.now.saturating_add(span);
                self.advance(0, max);
            }
            Step::AdvanceBackwards(span, max) => self.advance(span.min(self.now), max),
            Step::AdvanceTo(at) => {
                self.now = self.now.max(at);
                self.advance(0, usize::MAX);
            }
            Step::Park => {
                let Some(next) = self.wheel.next_deadline() else { return };
                self.now = self.now.max(next);
                self.advance(0, usize::MAX);
            }
            Step::Drain => {
                let mut out = Vec::new();
                self.wheel.drain_into(&mut out);
                let mut expected: Vec<_> = core::mem::take(&mut self.sleeping)
                    .into_values()
                    .map(|(value, _)| value)
                    .collect();
                out.sort_unstable();
                expected.sort_unstable();
                assert_eq!(out, expected);
            }
        }
    }

    fn check(&mut self) {
        self.wheel.check();
        assert_eq!(self.wheel.len(), self.sleeping.len());
        assert_eq!(self.wheel.is_empty(), self.sleeping.is_empty());
        let earliest = self.sleeping.keys().next().map(|&(tick, _)| tick);
        match (self.wheel.next_deadline(), earliest) {
            (None, None) => {}
            (Some(next), Some(tick)) => {
                assert!(next <= tick.saturating_mul(TICK_NANOS), "parked too long");
                // With so few sleepers none of the lists is a crowd: exact, unless already due, or in
                // the list that a call has half emptied.
                let emptying = self.wheel.emptying;
                let is_whole = emptying == NOWHERE || self.wheel.lists.get(emptying).is_empty();
                if self.sleeping.len() <= CROWD as usize && next > self.now && is_whole {
                    assert_eq!(next, tick.saturating_mul(TICK_NANOS));
                }
            }
            other => panic!("next deadline against the model's: {other:?}"),
        }
    }

    /// Runs the clock until everybody has gone, parked in between.
    fn run_out(&mut self) {
        let mut parks = 0;
        let bound = self.sleeping.len() * 10 + 1;
        while let Some(next) = self.wheel.next_deadline() {
            if next == u64::MAX {
                break;
            }
            self.now = self.now.max(next);
            self.advance(0, usize::MAX);
            parks += 1;
            assert!(parks <= bound, "woken more than once per sleeper and level");
        }
        assert!(self.sleeping.keys().all(|&(tick, _)| tick == 1 << 54));
    }
}

/// Runs `steps` on a wheel whose clock shows `start`, and judges each.
pub(super) fn check_steps(start: u64, steps: Vec<Step>) {
    let mut model = Model::new(start);
    for (value, step) in (0..).step_by(100).zip(steps) {
        model.step(&step, value);
        model.check();
    }
    model.run_out();
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut from = Unstructured::new(bytes);
    let Ok(start) = edgy(&mut from) else { return };
    check_steps(start, crate::fuzzing::steps(&mut from, step));
}

#[cfg(fuzzing)]
fn step(from: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match from.int_in_range(0..=23)? {
        0..2 => Step::InsertAt(edgy(from)?),
        2..8 => Step::InsertIn(span(from)?),
        8..10 => Step::Cancel(from.arbitrary()?),
        10 => Step::InsertCrowd(span(from)?, span(from)?),
        11..13 => Step::CancelEarliest,
        13 => Step::Change(from.arbitrary()?),
        14..17 => Step::Advance(span(from)?, most(from)?),
        17 => Step::AdvanceBackwards(span(from)?, most(from)?),
        18..20 => Step::AdvanceTo(edgy(from)?),
        20..23 => Step::Park,
        _ => Step::Drain,
    })
}

/// Near an edge of a level, or anything.
#[cfg(fuzzing)]
fn edgy(from: &mut Unstructured<'_>) -> Result<u64> {
    let (level, times) = (from.int_in_range(0..=11)?, from.int_in_range(1..=3)?);
    if level > 9 {
        return from.arbitrary();
    }
    let (nanos, ticks) = (from.int_in_range(-2..=2)?, from.int_in_range(-1..=1)?);
    let at = edge(level).saturating_mul(times);
    Ok(at.saturating_add_signed(ticks * TICK_NANOS as i64).saturating_add_signed(nanos))
}

/// From nanoseconds to years, each magnitude alike.
#[cfg(fuzzing)]
fn span(from: &mut Unstructured<'_>) -> Result<u64> {
    let shift = from.int_in_range(0..=63)?;
    Ok(u64::from(from.arbitrary::<u16>()?) << 48 >> shift)
}

#[cfg(fuzzing)]
fn most(from: &mut Unstructured<'_>) -> Result<usize> {
    Ok(match from.int_in_range(0..=20)? {
        most @ 0..17 => most,
        _ => usize::MAX,
    })
}
