//! The posts against a plain simulation of their workers.

use super::{Change, Posts};
use goro_shim::random::Random;

fn change(start: &[u32], tell: &[u32]) -> Change {
    Change { start: start.to_vec(), tell: tell.to_vec() }
}

#[test]
fn growing_starts_and_shrinking_tells() {
    let posts = Posts::new(8);
    posts.open(2);
    assert_eq!(posts.resize(5), change(&[2, 3, 4], &[]));
    assert_eq!(posts.resize(3), change(&[], &[3, 4]));
    assert!(posts.is_to_go(3) && posts.is_to_go(4) && !posts.is_to_go(2));
    assert!(posts.begin_going(4));
    assert!(!posts.left(4));
    // One has gone, the other has not begun to: it stays.
    assert_eq!(posts.resize(5), change(&[4], &[]));
    assert!(!posts.begin_going(3) && posts.is_manned(3));
    assert_eq!(posts.size(), 5);
}

#[test]
fn one_that_is_going_is_followed_by_another() {
    let posts = Posts::new(4);
    posts.open(2);
    assert_eq!(posts.resize(1), change(&[], &[1]));
    assert!(posts.begin_going(1));
    assert_eq!(posts.resize(2), change(&[], &[]), "its queue has an owner yet");
    assert!(posts.begin_going(1), "no way back");
    assert!(posts.left(1), "now another is to come");
    assert!(posts.is_manned(1));
    // Wanted, and then not.
    posts.resize(1);
    assert!(posts.begin_going(1));
    posts.resize(2);
    assert_eq!(posts.resize(1), change(&[], &[]));
    assert!(!posts.left(1));
}

#[test]
fn a_refused_thread_makes_the_runtime_smaller() {
    let posts = Posts::new(8);
    posts.open(1);
    assert_eq!(posts.resize(4), change(&[1, 2, 3], &[]));
    assert_eq!(posts.refused(&[2, 3]), change(&[], &[]));
    assert_eq!(posts.size(), 2);
    assert!(!posts.is_manned(2) && !posts.is_manned(3) && posts.is_manned(1));
    assert_eq!(posts.resize(3), change(&[2], &[]), "as if nobody had asked");
}

/// Random changes of size, with workers that go and come in between: in the end there are as many as
/// there are to be, and no post ever has two.
#[test]
fn there_come_to_be_as_many_as_there_are_to_be() {
    const MOST: u32 = 6;
    for seed in 0..2_000 {
        let random = Random::new(seed);
        let posts = Posts::new(MOST as usize);
        posts.open(1);
        let mut present = [false; MOST as usize];
        let mut going = [false; MOST as usize];
        present[0] = true;
        let mut size = 1;
        for step in 0..80 {
            let last = step >= 60;
            if !last && random.below(3) == 0 {
                size = 1 + random.below(MOST);
                for post in posts.resize(size).start {
                    assert!(!present[post as usize], "seed {seed}: two at post {post}");
                    present[post as usize] = true;
                }
            }
            for post in 0..MOST {
                let at = post as usize;
                if !present[at] || (!last && random.below(2) == 0) {
                    continue;
                }
                if going[at] {
                    going[at] = false;
                    present[at] = posts.left(post);
                } else if posts.is_to_go(post) {
                    going[at] = posts.begin_going(post);
                }
            }
        }
        let expected: Vec<bool> = (0..MOST).map(|post| post < size).collect();
        assert_eq!(present[..], expected[..], "seed {seed}");
        assert_eq!(posts.size(), size);
    }
}
