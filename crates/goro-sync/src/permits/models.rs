//! Permits that pass from thread to thread while others come, go and are overdue.
//!
//! A newcomer keeps behind the line after one loss here, so that both regimes are met in a few steps.
//! A thread that blocks sleeps until it is woken: a turn that got lost would leave it asleep for ever.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::block::block;

/// A count that is changed in two steps, each as weak as can be: only the permit orders them.
struct Guarded {
    permits: Permits,
    count: AtomicUsize,
}

impl Guarded {
    fn new() -> Arc<Self> {
        Arc::new(Self { permits: Permits::new(1), count: AtomicUsize::new(0) })
    }

    fn add<M: Manner>(&self) {
        let held = block(self.permits.acquire::<M, 1>(1)).unwrap();
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Relaxed);
        drop(held);
    }

    fn check(&self, count: usize) {
        assert_eq!(self.count.load(Ordering::Relaxed), count);
        assert_eq!((self.permits.free(), self.permits.waiting()[0]), (1, 0));
    }
}

fn beside<S: Send + Sync + 'static>(
    shared: &Arc<S>,
    act: impl FnOnce(&S) + Send + 'static,
) -> loom::thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    loom::thread::spawn(move || act(&shared))
}

#[test]
fn two_that_wait_get_it_one_after_the_other() {
    loom::model(|| {
        let guarded = Guarded::new();
        let other = beside(&guarded, Guarded::add::<Barging>);
        guarded.add::<Barging>();
        guarded.add::<Barging>();
        other.join().unwrap();
        guarded.check(3);
    });
}

#[test]
fn a_line_that_is_fair_moves_on() {
    loom::model(|| {
        let guarded = Guarded::new();
        let other = beside(&guarded, Guarded::add::<Fair>);
        guarded.add::<Fair>();
        other.join().unwrap();
        guarded.check(2);
    });
}

/// Three want it, and the turn passes while somebody passes the line.
#[test]
fn three_get_it_each() {
    loom::model(|| {
        let guarded = Guarded::new();
        let others = [0; 2].map(|_| beside(&guarded, Guarded::add::<Barging>));
        guarded.add::<Barging>();
        others.into_iter().for_each(|other| other.join().unwrap());
        guarded.check(3);
    });
}

/// A waiter that is dropped, in line or with a turn, leaves nobody behind.
#[test]
fn who_is_dropped_hands_the_turn_on() {
    loom::model(|| {
        let guarded = Guarded::new();
        let held = guarded.permits.try_take::<1>(1).unwrap();
        let other = beside(&guarded, Guarded::add::<Barging>);
        let dropped = beside(&guarded, |guarded| {
            let mut acquire = pin!(guarded.permits.acquire::<Barging, 1>(1));
            let polled = acquire.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(polled);
        });
        drop(held);
        other.join().unwrap();
        dropped.join().unwrap();
        guarded.check(1);
    });
}

/// Pitfall 115: a waiter that has a turn and is not polled holds nobody up, once it is overdue.
#[test]
fn a_turn_that_is_not_used_goes_to_the_next() {
    loom::model(|| {
        let guarded = Guarded::new();
        let held = guarded.permits.try_take::<1>(1).unwrap();
        let mut kept = pin!(guarded.permits.acquire::<Fair, 1>(1));
        assert!(kept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(held);
        let other = beside(&guarded, Guarded::add::<Fair>);
        // The watch: as often as it takes until the other one has been and gone.
        while guarded.count.load(Ordering::Acquire) == 0 {
            guarded.permits.overdue();
            loom::thread::yield_now();
        }
        other.join().unwrap();
        assert!(kept.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    });
}

/// A writer among readers: permits add up for it, and it is told by the last one to leave.
#[test]
fn all_of_the_permits_come_together() {
    loom::model(|| {
        let permits = Arc::new(Permits::new(2));
        let mine = permits.try_take::<2>(1).unwrap();
        let reader = beside(&permits, |permits: &Permits| {
            drop(block(permits.acquire::<Sharing, 2>(1)).unwrap());
        });
        drop(mine);
        let all = block(permits.acquire::<Sharing, 2>(2)).unwrap();
        assert_eq!(permits.free(), 0);
        drop(all);
        reader.join().unwrap();
        assert_eq!((permits.free(), permits.waiting()[0]), (2, 0));
    });
}

#[test]
fn closing_reaches_everybody_or_they_see_it() {
    loom::model(|| {
        let permits = Arc::new(Permits::new(0));
        let other = beside(&permits, |permits: &Permits| {
            assert_eq!(block(permits.acquire::<Barging, 1>(1)).err(), Some(Closed));
        });
        let another = beside(&permits, |permits: &Permits| {
            assert_eq!(block(permits.acquire::<Barging, 1>(1)).err(), Some(Closed));
        });
        assert!(permits.close());
        assert!(!permits.close());
        other.join().unwrap();
        another.join().unwrap();
    });
}

/// Who gets a permit and who is told of the end agree on how many there were.
#[test]
fn a_permit_given_back_at_the_end_is_not_lost() {
    loom::model(|| {
        let permits = Arc::new(Permits::new(0));
        let giver = beside(&permits, |permits: &Permits| permits.give(1, 1));
        let closer = beside(&permits, |permits: &Permits| {
            permits.close();
        });
        let got = block(permits.acquire::<Barging, 1>(1));
        let count = got.as_ref().map_or(0, Held::count);
        giver.join().unwrap();
        closer.join().unwrap();
        assert_eq!(permits.free() + count, 1);
        drop(got);
        assert_eq!(permits.free(), 1);
    });
}
