//! The table of places against a map.

use core::ptr::NonNull;
use std::collections::BTreeMap;

use super::places::Places;
use crate::header::{Header, Ptr};

/// An address that no task has; nobody follows it.
fn task(number: usize) -> Ptr {
    NonNull::new(core::ptr::without_provenance_mut::<Header>((number + 1) * 8)).unwrap()
}

fn contents(places: &Places) -> Vec<Ptr> {
    places.iter().collect()
}

#[test]
fn agrees_with_a_map_whatever_is_listed_and_unlisted() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let (mut places, mut map) = (Places::new(), BTreeMap::new());
    for round in 0..20_000 {
        // In turns of a thousand, the table fills and empties.
        let grows = round / 1_000 % 2 == 0;
        if map.is_empty() || random(10) < if grows { 7 } else { 2 } {
            let key = places.insert(task(round));
            assert_eq!(map.insert(key, task(round)), None, "key {key} was taken");
        } else {
            let key = *map.keys().nth(random(map.len())).unwrap();
            assert_eq!(places.get(key as usize), map.remove(&key));
            places.remove(key);
            assert_eq!(places.get(key as usize), None);
        }
        if random(500) == 0 {
            places.trim();
            let last = map.keys().last().map_or(0, |&key| key as usize + 1);
            assert_eq!(places.capacity(), last.next_multiple_of(512));
        }
        assert_eq!(places.len(), map.len());
        if round % 100 == 0 {
            assert_eq!(contents(&places), map.values().copied().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_vacant_place_is_used_before_memory_is_asked_for() {
    let mut places = Places::new();
    let keys: Vec<u32> = (0..512).map(|number| places.insert(task(number))).collect();
    assert_eq!(places.capacity(), 512);
    places.remove(keys[7]);
    assert_eq!(places.insert(task(7)), keys[7]);
    assert_eq!(places.capacity(), 512);
    places.insert(task(512));
    assert_eq!(places.capacity(), 1024);
}

#[test]
fn keys_above_all_name_nobody() {
    let mut places = Places::new();
    assert_eq!(places.get(0), None);
    let key = places.insert(task(0)) as usize;
    assert_eq!((places.get(key), places.get(key + 1)), (Some(task(0)), None));
    assert_eq!(places.get(1 << 40), None);
}
