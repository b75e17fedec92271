//! A model that fails where another order of accesses is tried, and passes where it is not.

use super::{AtomicUsize, Ordering};
use crate::{Arc, global};
use loom::sync::atomic::fence;
use loom::thread;

/// One thread loads, another loads and then subtracts; the first believes that it came first.
macro_rules! assert_that_a_load_comes_first {
    ($word:ty) => {
        loom::model(|| {
            let word = Arc::new(<$word>::new(1));
            let other = {
                let word = Arc::clone(&word);
                thread::spawn(move || {
                    if word.load(Ordering::Relaxed) == 1 {
                        word.fetch_sub(1, Ordering::Relaxed);
                    }
                })
            };
            assert_eq!(word.load(Ordering::Relaxed), 1, "another order was tried");
            other.join().unwrap();
        });
    };
}

#[test]
#[should_panic = "another order was tried"]
fn a_load_does_not_hide_another_threads_load_from_what_follows() {
    assert_that_a_load_comes_first!(AtomicUsize);
}

/// Why there is a second object beside each atomic. Where this fails, loom sees by itself what it
/// did not see before, and the atomics can be loom's own.
#[test]
fn in_looms_own_atomics_it_does() {
    assert_that_a_load_comes_first!(loom::sync::atomic::AtomicUsize);
}

/// Announcing an access orders nothing: after two loads of a word, between fences, the second thread
/// may still not see what the first one wrote before.
#[test]
#[should_panic = "an old value was read"]
fn two_loads_of_a_word_order_nothing() {
    loom::model(|| {
        let word = Arc::new(AtomicUsize::new(0));
        let data = Arc::new(AtomicUsize::new(0));
        // Not the model's, so that it orders nothing either: the first thread is done.
        let done = global::Arc::new(global::AtomicBool::new(false));
        let first = {
            let (word, data, done) = (Arc::clone(&word), Arc::clone(&data), done.clone());
            thread::spawn(move || {
                data.store(1, Ordering::Relaxed);
                fence(Ordering::Release);
                word.load(Ordering::Relaxed);
                done.store(true, Ordering::Relaxed);
            })
        };
        word.load(Ordering::Relaxed);
        let second = done.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let seen = data.load(Ordering::Relaxed);
        assert!(!second || seen == 1, "an old value was read");
        first.join().unwrap();
    });
}
