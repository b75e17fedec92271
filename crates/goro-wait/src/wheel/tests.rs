//! The wheel against an ordered map from (tick, key) to value.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::lists::CROWD;
use super::*;

/// The nanoseconds at which level `level` turns over, from level 0's 65.5 us on.
fn edge(level: u32) -> u64 {
    1_u64.checked_shl(TICK_BITS + 6 * (level + 1)).unwrap_or(u64::MAX)
}

/// Uptimes and deadlines around what could overflow or wrap.
fn edgy() -> impl Strategy<Value = u64> {
    let near = -2_i64..=2;
    let ticks = prop_oneof![Just(0_i64), -1_i64..=1];
    (0..10_u32, 1..4_u64, near, ticks).prop_map(|(level, times, nanos, ticks)| {
        edge(level)
            .saturating_mul(times)
            .saturating_add_signed(ticks * TICK_NANOS as i64)
            .saturating_add_signed(nanos)
    })
}

fn start() -> impl Strategy<Value = u64> {
    prop_oneof![3 => edgy(), 1 => Just(0), 1 => any::<u64>()]
}

/// From nanoseconds to years, each magnitude alike.
fn span() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0..64_u32).prop_map(|(nanos, shift)| nanos >> shift)
}

#[derive(Clone, Debug)]
enum Step {
    InsertAt(u64),
    InsertIn(u64),
    /// Of a key given out earlier, gone or not.
    Cancel(prop::sample::Index),
    CancelEarliest,
    Change(prop::sample::Index),
    /// As many as are a crowd, from `.0` on, `.1` apart.
    InsertCrowd(u64, u64),
    Advance(u64, usize),
    AdvanceBackwards(u64, usize),
    AdvanceTo(u64),
    /// To the next deadline, as a parked worker does.
    Park,
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    let max = || prop_oneof![0..4_usize, Just(16), Just(usize::MAX)];
    let apart = prop_oneof![Just(0), Just(1), Just(TICK_NANOS), span()];
    prop_oneof![
        2 => prop_oneof![edgy(), Just(0), Just(u64::MAX), any::<u64>()].prop_map(Step::InsertAt),
        6 => prop_oneof![span(), Just(0), Just(1)].prop_map(Step::InsertIn),
        2 => index().prop_map(Step::Cancel),
        1 => (span(), apart).prop_map(|(from, apart)| Step::InsertCrowd(from, apart)),
        2 => Just(Step::CancelEarliest),
        1 => index().prop_map(Step::Change),
        3 => (span(), max()).prop_map(|(span, max)| Step::Advance(span, max)),
        1 => (span(), max()).prop_map(|(span, max)| Step::AdvanceBackwards(span, max)),
        1 => edgy().prop_map(Step::AdvanceTo),
        2 => Just(Step::Park),
        // Rarely, or no run would get long.
        1 => prop_oneof![20 => Just(Step::Park), 1 => Just(Step::Drain)],
    ]
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
            Step::Cancel(ref which) if !self.given.is_empty() => {
                let (tick, key) = *which.get(&self.given);
                self.cancel(tick, key);
            }
            Step::CancelEarliest => {
                if let Some((&(tick, bits), _)) = self.sleeping.iter().next() {
                    self.cancel(tick, Key::from_bits(bits));
                }
            }
            Step::Change(ref which) if !self.given.is_empty() => {
                let (tick, key) = *which.get(&self.given);
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pitfall 128: at any uptime, in particular around the edge of each level.
    /// Pitfall 131: deadlines of 0, 1 ns, past, and up to the end of time.
    /// Pitfalls 129, 130, 139: cancelled before, while and after being due; stale keys do nothing.
    #[test]
    fn behaves_like_an_ordered_map(start in start(), steps in prop::collection::vec(step(), 0..120)) {
        let mut model = Model::new(start);
        for (value, step) in (0..).step_by(100).zip(steps) {
            model.step(&step, value);
            model.check();
        }
        model.run_out();
    }
}

#[test]
fn a_wheel_in_which_nobody_has_slept_has_no_lists() {
    let (mut wheel, mut out) = (Wheel::new(), Vec::new());
    assert!(!wheel.advance(1 << 40, usize::MAX, &mut out) && out.is_empty());
    assert_eq!(wheel.next_deadline(), None);
    assert!(wheel.lists.are_none());
    let key = wheel.insert(1 << 41, 'a');
    assert_eq!((wheel.next_deadline(), wheel.cancel(key)), (Some(1 << 41), Some('a')));
    assert!(wheel.restart() && wheel.lists.are_none());
}

#[test]
fn a_wheel_that_starts_over_knows_no_old_key_and_no_old_time() {
    let mut wheel = Wheel::new();
    let mut out = Vec::new();
    let stale: Vec<Key> = (0..600).map(|i| wheel.insert(1 << 50, i)).collect();
    assert!(!wheel.restart(), "somebody sleeps here");
    assert!(!wheel.advance(1 << 51, usize::MAX, &mut out));
    assert!(wheel.restart());
    assert_eq!((wheel.len(), wheel.capacity(), wheel.next_deadline()), (0, 0, None));
    let fresh: Vec<Key> = (0..600).map(|i| wheel.insert(1 << 20, i)).collect();
    for key in stale {
        assert_eq!(wheel.cancel(key), None);
    }
    assert_eq!(wheel.next_deadline(), Some(1 << 20), "the clock stands at the start again");
    assert_eq!(fresh.into_iter().filter_map(|key| wheel.cancel(key)).count(), 600);
}
