//! The ring alone, on one thread, at positions close to where they wrap.

use super::*;

fn word(n: usize) -> Bits {
    NonNull::new(core::ptr::without_provenance_mut(n)).unwrap()
}

fn number(word: Bits) -> usize {
    word.addr().get()
}

fn drain<const N: usize>(ring: &Ring<N>) -> Vec<usize> {
    core::iter::from_fn(|| ring.pop()).map(number).collect()
}

/// Starts from which the first few pushes cross the end of the positions, or of the marks.
const EDGES: [u64; 6] = [0, u64::MAX, u64::MAX - 2, u64::MAX - 7, (1 << 63) - 1, (1 << 63) - 6];

#[test]
fn a_ring_is_first_in_first_out_across_every_edge() {
    for start in EDGES {
        let ring = Ring::<8>::starting_at(start);
        for round in 0..5 {
            for n in 1..=8 {
                ring.push(word(10 * round + n)).unwrap();
            }
            assert_eq!(ring.len(), 8);
            assert_eq!(ring.push(word(99)).map_err(number), Err(99));
            assert_eq!(drain(&ring), (1..=8).map(|n| 10 * round + n).collect::<Vec<_>>());
            assert_eq!(ring.len(), 0);
        }
    }
}

/// Pitfall 52: overflow moved the older half first.
#[test]
fn shedding_hands_out_the_newer_half_and_keeps_the_older_one_in_front() {
    for start in EDGES {
        let ring = Ring::<8>::starting_at(start);
        for n in 1..=8 {
            ring.push(word(n)).unwrap();
        }
        let mut shed = Vec::new();
        assert!(ring.shed(|word| shed.push(number(word))));
        assert_eq!(shed, [5, 6, 7, 8]);
        for n in 9..=12 {
            ring.push(word(n)).unwrap();
        }
        assert!(ring.push(word(99)).is_err());
        assert_eq!(drain(&ring), [1, 2, 3, 4, 9, 10, 11, 12]);
    }
}

#[test]
fn a_ring_that_is_not_full_sheds_nothing() {
    let ring = Ring::<4>::starting_at(0);
    for n in 1..=4 {
        ring.push(word(n)).unwrap();
    }
    ring.pop().unwrap();
    assert!(!ring.shed(|_| panic!("nothing to shed")));
    assert_eq!(drain(&ring), [2, 3, 4]);
}

#[test]
fn a_thief_takes_the_older_half_rounded_up() {
    for start in EDGES {
        for (stands, left) in [(1, vec![]), (2, vec![2]), (5, vec![4, 5]), (8, vec![5, 6, 7, 8])] {
            let ring = Ring::<8>::starting_at(start);
            let thief = Ring::<8>::starting_at(start.wrapping_sub(1));
            for n in 1..=stands {
                ring.push(word(n)).unwrap();
            }
            assert_eq!(ring.steal_into(&thief).map(number), Some(1));
            let taken: Vec<_> = (2..=stands - left.len()).collect();
            assert_eq!(drain(&thief), taken, "{stands} stood from {start}");
            assert_eq!(drain(&ring), left, "{stands} stood from {start}");
            assert_eq!(ring.steal_into(&thief), None);
        }
    }
}

#[test]
fn a_thief_fills_its_own_ring_to_half_at_most() {
    let ring = Ring::<8>::starting_at(u64::MAX);
    let thief = Ring::<8>::starting_at(0);
    for n in 1..=8 {
        ring.push(word(n)).unwrap();
    }
    for n in 11..=13 {
        thief.push(word(n)).unwrap();
    }
    assert_eq!(ring.steal_into(&thief).map(number), Some(1));
    assert_eq!(drain(&thief), [11, 12, 13, 2]);
    assert_eq!(ring.len(), 6);
}

/// A thief that stops between claiming and reading: its slots are not reused, another thief goes
/// elsewhere, and everything else goes on.
#[test]
fn a_sleeping_thief_keeps_its_slots_and_nothing_else() {
    for start in EDGES {
        let ring = Ring::<4>::starting_at(start);
        let thief = Ring::<4>::starting_at(0);
        for n in 1..=4 {
            ring.push(word(n)).unwrap();
        }
        let (first, count) = ring.begin_steal(4).unwrap();
        assert_eq!(count, 2);
        assert_eq!(ring.steal_into(&thief), None);
        assert!(ring.push(word(5)).is_err(), "two are free, but both are being read");
        assert!(!ring.shed(|_| panic!("a thief is at work")));
        assert_eq!(drain(&ring), [3, 4]);
        assert!(ring.push(word(6)).is_err(), "the ring ends where the thief began");
        assert_eq!(number(ring.claimed(first, 0)), 1);
        assert_eq!(number(ring.claimed(first, 1)), 2);
        ring.end_steal();
        for n in 7..=10 {
            ring.push(word(n)).unwrap();
        }
        assert_eq!(drain(&ring), [7, 8, 9, 10]);
    }
}

/// A mark left far behind by a thief that slept before it marked never moves `freed` back.
#[test]
fn an_old_mark_is_a_cautious_one() {
    for start in EDGES {
        let ring = Ring::<4>::starting_at(start);
        for n in 1..=40 {
            ring.push(word(n)).unwrap();
            assert_eq!(ring.pop().map(number), Some(n));
        }
        ring.shared.mark.store(marking(start), Ordering::Relaxed);
        let before = ring.owners.freed.load(Ordering::Relaxed);
        for n in 1..=4 {
            if ring.push(word(n)).is_err() {
                break;
            }
        }
        assert_eq!(ring.owners.freed.load(Ordering::Relaxed), before);
        ring.end_steal();
        drain(&ring);
        for n in 1..=4 {
            ring.push(word(n)).unwrap();
        }
        assert_eq!(drain(&ring), [1, 2, 3, 4]);
    }
}

/// Invariant 5: a thief takes the last word between the owner's look and its `fetch_add`.
#[test]
fn a_pop_that_came_too_late_leaves_the_ring_in_order() {
    for start in EDGES {
        let ring = Ring::<4>::starting_at(start);
        // What such a pop does, without the thief in between.
        let head = ring.shared.head.fetch_add(1, Ordering::Relaxed);
        assert_eq!(ring.len(), 0, "a head past the tail is an empty ring");
        assert!(ring.begin_steal(1).is_none());
        ring.owners.tail.store(head.wrapping_add(1), Ordering::Release);
        for n in 1..=4 {
            ring.push(word(n)).unwrap();
        }
        assert!(ring.push(word(5)).is_err());
        assert_eq!(drain(&ring), [1, 2, 3, 4]);
    }
}
