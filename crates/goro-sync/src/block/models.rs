//! Threads that sleep for a permit, and those who give one.

use goro_shim::Arc;

use super::block;
use crate::wait::semaphore::Semaphore;

/// Two threads block, two permits come: a wake that got lost would leave one asleep for ever.
#[test]
fn every_thread_that_sleeps_is_woken() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let sleeper = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || block(semaphore.acquire()))
        };
        let giver = {
            let semaphore = Arc::clone(&semaphore);
            loom::thread::spawn(move || semaphore.release())
        };
        semaphore.release();
        block(semaphore.acquire());
        sleeper.join().unwrap();
        giver.join().unwrap();
        assert_eq!(semaphore.counts(), [0, 0, 0]);
    });
}

/// What was written before the wake is seen after it.
#[test]
fn a_wake_carries_what_was_written_before_it() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let written = Arc::new(goro_shim::atomic::AtomicUsize::new(0));
        let giver = {
            let (semaphore, written) = (Arc::clone(&semaphore), Arc::clone(&written));
            loom::thread::spawn(move || {
                written.store(1, goro_shim::atomic::Ordering::Relaxed);
                semaphore.release();
            })
        };
        block(semaphore.acquire());
        assert_eq!(written.load(goro_shim::atomic::Ordering::Relaxed), 1);
        giver.join().unwrap();
    });
}
