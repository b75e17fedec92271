//! A cell that several would fill.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::block::block;

/// Pitfall 19: one makes it, the first fails, and all who wait get what the next one makes.
#[test]
fn a_failure_is_made_good_by_the_next() {
    loom::model(|| {
        let cell = Arc::new((OnceCell::new(), AtomicUsize::new(0)));
        let get = |cell: &(OnceCell<usize>, AtomicUsize)| {
            let made = block(cell.0.get_or_try_init(|| async {
                // Ordering: Relaxed; a counter.
                match cell.1.fetch_add(1, Ordering::Relaxed) {
                    0 => Err(()),
                    count => Ok(count),
                }
            }));
            made.copied()
        };
        let others = [0; 2].map(|_| {
            let cell = Arc::clone(&cell);
            loom::thread::spawn(move || get(&cell))
        });
        let mut all = Vec::from(others.map(|other| other.join().unwrap()));
        all.push(get(&cell));
        assert_eq!(all.iter().filter(|made| made.is_err()).count(), 1);
        assert!(all.iter().all(|made| made.is_err() || *made == Ok(1)));
    });
}

/// One that is dropped while it makes the value leaves that to another.
#[test]
fn the_making_is_handed_on() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let other = {
            let cell = Arc::clone(&cell);
            loom::thread::spawn(move || *block(cell.get_or_init(|| async { 1 })))
        };
        {
            let mut dropped = pin!(cell.get_or_init(core::future::pending::<usize>));
            let polled = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending | Poll::Ready(&1)));
        }
        assert_eq!(other.join().unwrap(), 1);
    });
}
