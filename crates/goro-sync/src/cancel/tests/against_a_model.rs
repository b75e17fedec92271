//! Random trees against the model, and children's places against a map.

use proptest::prelude::*;

use super::*;
use crate::cancel::model::{Act, check_acts};
use crate::testing::cases;

fn act() -> impl Strategy<Value = Act> {
    let which = 0_usize..12;
    prop_oneof![
        8 => which.clone().prop_map(Act::Child),
        2 => (which.clone(), which.clone()).prop_map(|(one, two)| Act::Any(one, two)),
        2 => which.clone().prop_map(Act::Clone),
        6 => which.clone().prop_map(Act::Drop),
        2 => which.clone().prop_map(Act::Cancel),
        4 => which.clone().prop_map(Act::Wait),
        1 => which.clone().prop_map(Act::PollAgain),
        2 => which.clone().prop_map(Act::GiveUp),
        2 => which.clone().prop_map(Act::Call),
        1 => which.prop_map(Act::TakeBack),
    ]
}

/// Children's places against a map.
fn places_agree(acts: &[(bool, usize)]) {
    let mut children = super::super::retinue::Children::default();
    let mut there: Vec<(u32, Arc<Node>)> = Vec::new();
    let mut most = 0;
    for &(add, which) in acts {
        if add || there.is_empty() {
            let child = Node::alone();
            let place = children.add(Arc::downgrade(&child));
            assert!(there.iter().all(|(taken, _)| *taken != place), "{acts:?}");
            there.push((place, child));
        } else {
            let (place, child) = there.swap_remove(which % there.len());
            assert!(children.remove(place).ptr_eq(&Arc::downgrade(&child)), "{acts:?}");
        }
        most = most.max(there.len());
        assert_eq!(children.len(), there.len());
        let last = there.iter().map(|(place, _)| *place as usize + 1).max().unwrap_or(0);
        assert!(children.capacity() <= (4 * last).max(16), "{last} of {acts:?}");
    }
    let mut stack = Vec::new();
    children.put_before(&mut stack);
    there.sort_by_key(|(place, _)| core::cmp::Reverse(*place));
    let left = stack.iter().filter_map(goro_shim::global::Weak::upgrade);
    assert!(left.map(|child| Arc::as_ptr(&child)).eq(there.iter().map(|(_, c)| Arc::as_ptr(c))));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn causes_and_memory_go_where_the_tree_says(acts in prop::collection::vec(act(), 0..60)) {
        check_acts(&acts);
    }

    #[test]
    fn places_stay_until_they_are_left(
        acts in prop::collection::vec((prop::bool::weighted(0.6), 0_usize..100), 0..200)
    ) {
        places_agree(&acts);
    }
}
