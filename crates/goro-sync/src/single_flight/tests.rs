use core::future::{pending, ready};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::block::block;

fn poll<F: Future>(future: core::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_work_moves_on_when_its_leader_is_dropped_or_panics() {
    let flights = SingleFlight::new();
    let mut dropped = Box::pin(flights.run("key", pending::<u32>));
    assert!(poll(dropped.as_mut()).is_pending());
    let mut panics = Box::pin(flights.run("key", || async { panic!("at work") }));
    let mut works = pin!(flights.run("key", || ready(7)));
    let mut shares = pin!(flights.run("key", || async { unreachable!("7 is there") }));
    assert!(poll(panics.as_mut()).is_pending());
    assert!(poll(works.as_mut()).is_pending() && poll(shares.as_mut()).is_pending());
    assert_eq!(flights.under_way(), 1);
    drop(dropped);
    assert!(catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()).is_ready())).is_err());
    drop(panics);
    assert_eq!(poll(works.as_mut()), Poll::Ready(7));
    assert_eq!(flights.under_way(), 0, "although one has not taken its value yet");
    assert_eq!(block(flights.run("key", || ready(8))), 8, "what comes later starts anew");
    assert_eq!(poll(shares.as_mut()), Poll::Ready(7));
    assert_eq!(flights.under_way(), 0);
}

#[test]
fn keys_are_apart_and_nothing_is_left_of_them() {
    let flights = SingleFlight::new();
    let mut all: Vec<_> = (0..100).map(|key| Box::pin(flights.run(key, pending::<u32>))).collect();
    assert!(all.iter_mut().all(|run| poll(run.as_mut()).is_pending()));
    assert_eq!(flights.under_way(), 100);
    assert_eq!(block(flights.run(100, || ready(1))), 1);
    all.truncate(40);
    assert_eq!(format!("{flights:?}"), "SingleFlight { under_way: 40 }");
    drop(all);
    assert_eq!(flights.under_way(), 0);
}

/// Equal hashes, and keys that look into the board when they are compared and dropped.
#[test]
fn a_key_may_use_what_it_is_a_key_of() {
    struct Key<'a>(u32, &'a SingleFlight<u32, u32>);
    impl Hash for Key<'_> {
        fn hash<H: core::hash::Hasher>(&self, hasher: &mut H) {
            self.1.under_way();
            hasher.write_u8(0);
        }
    }
    impl PartialEq for Key<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.1.under_way() == other.1.under_way() && self.0 == other.0
        }
    }
    impl Eq for Key<'_> {}
    impl Drop for Key<'_> {
        fn drop(&mut self) {
            self.1.under_way();
        }
    }
    let other = SingleFlight::new();
    let flights = SingleFlight::new();
    let mut runs: Vec<_> =
        (0..4).map(|at| Box::pin(flights.run(Key(at % 2, &other), move || ready(at)))).collect();
    let mut first = pin!(flights.run(Key(0, &other), pending::<u32>));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(runs[0].as_mut()).is_pending());
    assert_eq!(poll(runs[1].as_mut()), Poll::Ready(1));
    assert!(poll(runs[2].as_mut()).is_pending());
    assert_eq!(poll(runs[3].as_mut()), Poll::Ready(3), "1 has ended");
    assert_eq!(flights.under_way(), 1);
}
