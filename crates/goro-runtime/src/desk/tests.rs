//! The desk against a model that counts.

use super::{Desk, Load, Lost, NoPlace, Reserved, Sizes, Unfilled};
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::random::Random;
use goro_shim::time::Duration;

fn sizes(least: usize, most: usize, queue: usize) -> Sizes {
    Sizes { least, most, queue, keep_alive: Duration::ZERO }
}

fn parker() -> Arc<Parker> {
    let parker = Arc::new(Parker::new());
    parker.adopt();
    parker
}

#[test]
fn a_thread_is_asked_for_only_when_none_is_free() {
    let desk = Desk::new(sizes(0, 2, usize::MAX));
    let places: Vec<Reserved> = (0..4).map(|_| desk.reserve().unwrap()).collect();
    assert_eq!(places.iter().map(|r| r.start).collect::<Vec<_>>(), [true, true, false, false]);
    for (n, reserved) in places.iter().enumerate() {
        desk.fill(reserved.place, n).unwrap();
    }
    let thread = parker();
    for n in 0..4 {
        assert_eq!(desk.next(&thread), Some(n), "in the order of their places");
        desk.done();
    }
    assert_eq!(desk.load(), Load { threads: 2, free: 2, queued: 0 });
    assert!(!desk.reserve().unwrap().start, "one is free");
}

#[test]
fn the_queue_is_bounded_beyond_the_threads() {
    for (most, queue) in [(1, 0), (2, 0), (1, 3), (3, 2)] {
        let desk = Desk::new(sizes(0, most, queue));
        for n in 0..most + queue {
            let place = desk.reserve().unwrap().place;
            desk.fill(place, n).unwrap();
        }
        assert_eq!(desk.reserve(), Err(NoPlace::Full));
        assert_eq!(desk.next(&parker()), Some(0), "a thread that has a job is free no more");
        assert_eq!(desk.reserve(), Err(NoPlace::Full));
        desk.done();
        assert!(desk.reserve().is_ok());
        assert_eq!(desk.reserve(), Err(NoPlace::Full));
    }
}

#[test]
fn a_withdrawn_job_leaves_its_place() {
    let desk = Desk::new(sizes(0, 1, 1));
    let places: Vec<u64> = (0..2).map(|_| desk.reserve().unwrap().place).collect();
    for &place in &places {
        desk.fill(place, place).unwrap();
    }
    assert_eq!(desk.reserve(), Err(NoPlace::Full));
    assert_eq!(desk.withdraw(places[0]), Some(places[0]));
    assert_eq!(desk.withdraw(places[0]), None);
    assert!(desk.reserve().is_ok());
    assert_eq!(desk.next(&parker()), Some(places[1]));
    assert_eq!(desk.withdraw(places[1]), None);
}

#[test]
fn threads_beyond_the_least_leave() {
    let desk = Desk::<u32>::new(sizes(1, 3, 0));
    assert!(desk.hire());
    assert!(!desk.hire(), "as many as are to stay");
    for _ in 0..3 {
        let reserved = desk.reserve().unwrap();
        desk.fill(reserved.place, 7).unwrap();
    }
    let thread = parker();
    for _ in 0..3 {
        assert_eq!(desk.next(&thread), Some(7));
        desk.done();
    }
    assert_eq!(desk.load().threads, 3);
    assert_eq!((desk.next(&thread), desk.next(&thread)), (None, None), "two leave");
    assert_eq!(desk.load(), Load { threads: 1, free: 1, queued: 0 });
}

#[test]
fn what_a_refused_thread_leaves() {
    let desk = Desk::new(sizes(0, 2, usize::MAX));
    let (first, second) = (desk.reserve().unwrap(), desk.reserve().unwrap());
    assert!(first.start && second.start);
    assert!(matches!(desk.lose(), Lost::Others(1)), "the first one's may come yet");
    desk.fill(second.place, 2).unwrap();
    let Lost::Orphans(orphans) = desk.lose() else { panic!("nobody is left") };
    assert_eq!(orphans, [2]);
    assert_eq!(desk.load(), Load::default());

    // Who has counted on the thread of another.
    let desk = Desk::new(sizes(0, 1, usize::MAX));
    let (first, second) = (desk.reserve().unwrap(), desk.reserve().unwrap());
    assert!(first.start && !second.start);
    assert!(matches!(desk.lose(), Lost::Orphans(orphans) if orphans.is_empty()));
    assert!(matches!(desk.fill(second.place, 2), Err(Unfilled::Nobody(2))));
    assert!(desk.reserve().unwrap().start, "the next one asks again");
}

#[test]
fn closing_hands_back_what_waits() {
    let desk = Desk::new(sizes(1, 1, usize::MAX));
    let places: Vec<Reserved> = (0..3).map(|_| desk.reserve().unwrap()).collect();
    for reserved in &places[..2] {
        desk.fill(reserved.place, reserved.place).unwrap();
    }
    assert_eq!(desk.close(), [0, 1]);
    assert!(matches!(desk.fill(places[2].place, 2), Err(Unfilled::Closed(2))));
    assert_eq!(desk.reserve(), Err(NoPlace::Closed));
    assert!(!desk.hire());
    assert_eq!(desk.next(&parker()), None, "also one of those that were to stay");
    assert_eq!(desk.load(), Load::default());
}

/// Random steps; the counts are those of a plain simulation, and no invariant breaks.
#[test]
fn counts_agree_with_a_plain_simulation() {
    for seed in 0..300 {
        let random = Random::new(seed);
        let (most, queue) = (1 + random.below(3) as usize, random.below(4) as usize);
        let desk = Desk::new(sizes(0, most, queue));
        let (mut threads, mut running, mut waiting) = (0_usize, 0_usize, Vec::new());
        let thread = parker();
        for step in 0..200_u64 {
            match random.below(4) {
                0 | 1 => match desk.reserve() {
                    Ok(reserved) => {
                        let expected = waiting.len() + 1 > threads - running && threads < most;
                        assert_eq!(reserved.start, expected, "seed {seed}, step {step}");
                        threads += usize::from(reserved.start);
                        desk.fill(reserved.place, step).unwrap();
                        waiting.push((reserved.place, step));
                    }
                    Err(why) => {
                        assert_eq!(why, NoPlace::Full);
                        assert_eq!(waiting.len(), queue + most - running, "seed {seed}");
                    }
                },
                2 if threads > running && !waiting.is_empty() => {
                    assert_eq!(desk.next(&thread), Some(waiting.remove(0).1));
                    running += 1;
                }
                3 if running > 0 => {
                    desk.done();
                    running -= 1;
                }
                _ if !waiting.is_empty() => {
                    let (place, job) = waiting.remove(random.below(waiting.len() as u32) as usize);
                    assert_eq!(desk.withdraw(place), Some(job));
                }
                _ => {}
            }
            let load = Load { threads, free: threads - running, queued: waiting.len() };
            assert_eq!(desk.load(), load, "seed {seed}, step {step}");
        }
    }
}
