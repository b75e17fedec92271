//! Random steps of the wheel against its model, and how it begins and starts over.

use proptest::prelude::*;

use super::model::{Step, check_steps, edge};
use super::*;

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

fn step() -> impl Strategy<Value = Step> {
    let index = any::<u16>;
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Pitfall 128: at any uptime, in particular around the edge of each level.
    /// Pitfall 131: deadlines of 0, 1 ns, past, and up to the end of time.
    /// Pitfalls 129, 130, 139: cancelled before, while and after being due; stale keys do nothing.
    #[test]
    fn behaves_like_an_ordered_map(start in start(), steps in prop::collection::vec(step(), 0..120)) {
        check_steps(start, steps);
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
