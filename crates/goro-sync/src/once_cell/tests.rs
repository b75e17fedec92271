use core::future::{pending, poll_fn, ready};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::block::block;
use crate::testing::{CountingWaker, poll_with};

fn poll<F: Future>(future: core::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn the_making_goes_from_one_that_is_dropped_or_fails_or_panics_to_the_next() {
    let cell = OnceCell::new();
    let mut first = Box::pin(cell.get_or_init(pending::<u32>));
    assert!(poll(first.as_mut()).is_pending());
    let mut fails = pin!(cell.get_or_try_init(|| ready(Err("no"))));
    assert!(poll(fails.as_mut()).is_pending());
    let mut panics = pin!(cell.get_or_init(|| async { panic!("in an initialiser") }));
    assert!(poll(panics.as_mut()).is_pending());
    let mut makes = pin!(cell.get_or_init(|| ready(7)));
    assert!(poll(makes.as_mut()).is_pending());
    assert_eq!(cell.set(1), Err(SetError::Making(1)));

    drop(first);
    assert_eq!(poll(fails.as_mut()), Poll::Ready(Err("no")));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(panics.as_mut()).is_ready())).is_err());
    assert_eq!(poll(makes.as_mut()), Poll::Ready(&7));
    assert_eq!(cell.set(2), Err(SetError::Set(2)));
    assert_eq!(cell.get(), Some(&7));
}

/// One who was told and is not polled keeps nobody behind it from the value.
#[test]
fn all_who_wait_are_told_of_the_value_at_once() {
    let cell = OnceCell::new();
    let mut tries = 0;
    let mut makes = pin!(cell.get_or_init(|| poll_fn(|_| {
        tries += 1;
        if tries > 1 { Poll::Ready(7) } else { Poll::Pending }
    })));
    assert!(poll(makes.as_mut()).is_pending());
    let wakers = [(); 3].map(|()| CountingWaker::new());
    let mut waits = [(); 3].map(|()| Box::pin(cell.get_or_init(|| async { unreachable!() })));
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        assert!(poll_with(wait, &waker.waker()).is_pending());
    }
    assert_eq!(poll(makes.as_mut()), Poll::Ready(&7));
    assert_eq!(wakers.each_ref().map(CountingWaker::count), [1, 1, 1]);
    assert!(waits.iter_mut().rev().all(|wait| poll(wait.as_mut()) == Poll::Ready(&7)));
}

#[test]
fn a_value_that_is_set_is_there_for_all() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.set(String::from("a")), Ok(()));
    assert_eq!(cell.set(String::from("b")).unwrap_err().into_inner(), "b");
    assert_eq!(block(cell.get_or_init(|| async { unreachable!() })), "a");
    assert_eq!(cell.take().as_deref(), Some("a"));
    assert_eq!(block(cell.get_or_init(|| async { String::from("c") })), "c");
    assert_eq!(
        format!("{cell:?} {:?}", OnceCell::from(1)),
        r#"OnceCell(Some("c")) OnceCell(Some(1))"#
    );
}

#[test]
fn a_lazy_cell_asks_again_after_a_failure() {
    let tries = core::cell::Cell::new(0);
    let lazy = LazyCell::new(|| {
        tries.set(tries.get() + 1);
        ready(if tries.get() < 3 { Err(tries.get()) } else { Ok("made") })
    });
    assert_eq!(block(lazy.try_get()), Err(1));
    assert_eq!((block(lazy.try_get()), lazy.get_now()), (Err(2), None));
    assert_eq!((block(lazy.try_get()), block(lazy.try_get())), (Ok(&"made"), Ok(&"made")));
    assert_eq!((tries.get(), lazy.into_inner()), (3, Some("made")));
}
