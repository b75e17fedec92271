//! The word alone, at the edges that whole tasks cannot be brought to.

use goro_shim::Arc;
use goro_shim::atomic::AtomicBool;
use loom::thread;

use super::*;

/// One less than the limit of wakes, and one reference for each of two wakers.
fn nearly_saturated() -> Word {
    Word(AtomicU64::new(LIVE | JOIN | (MAX_WAKES - WAKE) | (2 * REF)))
}

/// Wakes beyond the limit are not counted, but are neither lost nor without effect on what the
/// next poll sees.
fn wakes_at_the_limit(wake: fn(&Word) -> bool) {
    loom::model(move || {
        let word = Arc::new(nearly_saturated());
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let wakers: Vec<_> = (0..2)
            .map(|which| {
                let (word, flags) = (word.clone(), flags.clone());
                thread::spawn(move || {
                    flags[which].store(true, Ordering::Relaxed);
                    wake(&word)
                })
            })
            .collect();
        let poll = |owned: bool| {
            let mut seen_all = false;
            let mut more = owned;
            while more {
                let Begin::Poll(seen) = word.begin_poll() else { panic!("nobody aborts") };
                seen_all = flags.iter().all(|flag| flag.load(Ordering::Relaxed));
                more = word.end_pending(seen) == End::Again;
            }
            seen_all
        };
        let mut seen_all = poll(true);
        for waker in wakers {
            if waker.join().unwrap() {
                seen_all = poll(true);
            }
        }
        assert!(seen_all, "a wake at the limit was lost");
        assert!(word.snapshot().is_parked());
    });
}

#[test]
fn wakes_by_reference_at_the_limit_are_not_lost() {
    wakes_at_the_limit(|word| word.wake_by_ref() == Wake::Schedule);
}

#[test]
fn owned_wakes_at_the_limit_are_not_lost() {
    wakes_at_the_limit(|word| word.wake_owned() == WakeOwned::Schedule);
}

/// Aborts at the limit mark the word whatever the count does meanwhile.
#[test]
fn an_abort_at_the_limit_is_not_lost() {
    loom::model(|| {
        let word = Arc::new(nearly_saturated());
        let waker = {
            let word = word.clone();
            thread::spawn(move || word.wake_owned() == WakeOwned::Schedule)
        };
        let aborter = {
            let word = word.clone();
            thread::spawn(move || word.abort(Reason(3)) == Some(Wake::Schedule))
        };
        let mut owned = true;
        let mut aborted = false;
        while owned {
            match word.begin_poll() {
                Begin::Poll(seen) => owned = word.end_pending(seen) == End::Again,
                Begin::Asked(..) => panic!("nobody asks"),
                Begin::Abort(reason) => {
                    assert_eq!(reason, Reason(3));
                    aborted = true;
                    break;
                }
            }
        }
        let took_over = [waker.join().unwrap(), aborter.join().unwrap()];
        if aborted {
            assert_eq!(took_over, [false; 2], "the poller owned the runnable all along");
        } else {
            assert_ne!(took_over[0], took_over[1], "one of the two took over from the poller");
            assert_eq!(word.begin_poll(), Begin::Abort(Reason(3)));
        }
    });
}
