//! Who comes, who goes, and how many there may be.

use super::*;

fn spares(stalls: u32, blocks: u32) -> Spares {
    let spares = Spares::new(stalls as usize + blocks as usize);
    spares.open(Limits { stalls, blocks });
    spares
}

#[test]
fn each_declared_block_is_entitled_to_one_spare() {
    let spares = spares(0, 2);
    assert_eq!(spares.cover(), None, "nobody has declared a block");
    spares.declare().unwrap();
    assert_eq!(spares.cover(), Some(0));
    assert_eq!(spares.cover(), None, "it is there already");
    spares.declare().unwrap();
    assert_eq!(spares.cover(), Some(1));
    assert_eq!(spares.declare(), Err(AtLimit(2)));
    spares.release();
    spares.declare().unwrap();
    assert_eq!(spares.cover(), None, "the one that stayed serves the next block");
    assert_eq!(spares.count(), Count { present: 2, blocks: 2, started: 2 });
}

#[test]
fn a_look_sees_blocks_that_have_ended_since_the_last() {
    let spares = spares(0, 2);
    for _ in 0..2 {
        spares.declare().unwrap();
    }
    for _ in 0..2 {
        spares.release();
    }
    assert_eq!(spares.look(), (0, 2));
    assert_eq!(spares.look(), (0, 0));
}

#[test]
fn a_spare_that_came_for_a_stall_serves_a_block() {
    let spares = spares(4, 4);
    assert_eq!(spares.stalled(1, true, 4), Ok(Some(0)));
    assert_eq!(spares.stalled(0, false, 4), Ok(None), "it is over");
    spares.declare().unwrap();
    assert_eq!(spares.cover(), None);
}

#[test]
fn the_two_limits_are_counted_apart() {
    let spares = spares(1, 1);
    assert_eq!(spares.stalled(5, true, 1), Ok(Some(0)));
    assert_eq!(spares.stalled(5, true, 1), Err(AtLimit(1)));
    spares.declare().unwrap();
    assert_eq!(spares.cover(), Some(1), "stalls take no block's place");
    assert_eq!(spares.stalled(9, true, 1), Err(AtLimit(1)));
    assert_eq!(spares.count().present, 2);
}

#[test]
fn a_lower_limit_for_a_while_is_kept() {
    let spares = spares(8, 0);
    assert_eq!(spares.stalled(5, true, 2), Ok(Some(0)));
    assert_eq!(spares.stalled(5, true, 2), Ok(Some(1)));
    assert_eq!(spares.stalled(5, true, 2), Err(AtLimit(2)));
}

#[test]
fn the_surplus_is_asked_to_leave_unless_it_may_not() {
    let spares = spares(4, 4);
    (0..4).for_each(|place| assert_eq!(spares.stalled(4, true, 4), Ok(Some(place))));
    spares.declare().unwrap();
    assert_eq!(spares.retire(2, |place| place != 3), [2, 1], "3 is inside a poll");
    assert!(spares.is_asked(2) && !spares.is_present(2) && spares.is_present(3));
    assert_eq!(spares.retire(0, |_| true), [3], "a declared block keeps its own");
    assert_eq!(spares.count().present, 1);
    spares.left(1);
    assert_eq!(spares.stalled(4, true, 4), Ok(Some(1)), "a place is taken again");
    spares.left(3);
    assert!(!spares.is_asked(3));
}

#[test]
fn a_refused_thread_leaves_the_place_and_its_number_as_they_were() {
    let spares = spares(0, 1);
    spares.declare().unwrap();
    assert_eq!(spares.cover(), Some(0));
    spares.refused(0);
    assert_eq!(spares.count(), Count { present: 0, blocks: 1, started: 0 });
    assert_eq!(spares.cover(), Some(0));
}

#[test]
fn who_leaves_unasked_is_counted_out_once() {
    let spares = spares(0, 1);
    spares.declare().unwrap();
    assert_eq!(spares.cover(), Some(0));
    spares.left(0);
    assert_eq!(spares.count().present, 0);
    spares.release();
    assert_eq!(spares.retire(0, |_| true), [0; 0]);
}
