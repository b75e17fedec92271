use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::catch_unwind;

use goro_shim::global::{AtomicUsize, Ordering};

use super::*;
use crate::testing::{CountingWaker, poll_with};

mod against_a_model;
mod deadlines;

fn small_stack<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    goro_shim::thread::start("small".into(), Some(64 * 1024), f).unwrap().join().unwrap()
}

/// A line of tokens, each derived from the one before.
fn chain(root: &CancellationToken, length: usize) -> CancellationToken {
    (0..length).fold(root.clone(), |token, _| token.child_token())
}

const MANY: usize = 1_000_000;

/// Pitfall 118.
#[test]
fn a_chain_of_a_million_is_cancelled_and_dropped_on_a_small_stack() {
    small_stack(|| {
        let root = CancellationToken::new();
        let (told, dropped) = (chain(&root, MANY), chain(&root, MANY));
        drop(dropped);
        assert_eq!(root.node.children(), 1);
        assert!(root.cancel_with("ended"));
        assert_eq!(told.cause(), Some(Cause::new("ended")));
        drop(told);
        drop(root);
    });
}

/// Pitfall 118.
#[test]
fn a_fan_of_a_million_is_cancelled_and_dropped_on_a_small_stack() {
    small_stack(|| {
        let root = CancellationToken::new();
        let children: Vec<_> = (0..MANY).map(|_| root.child_token()).collect();
        assert_eq!(root.node.children(), MANY);
        assert!(root.cancel());
        assert!(children.iter().all(|child| child.cause() == Some(Cause::Cancelled)));
    });
}

#[test]
fn a_chain_below_several_is_dropped_on_a_small_stack() {
    small_stack(|| {
        let root = CancellationToken::new();
        let other = CancellationToken::new();
        let last =
            (0..MANY / 4).fold(root.clone(), |token, _| CancellationToken::any([&token, &other]));
        assert!(!last.is_cancelled());
        drop(last);
        assert_eq!((root.node.children(), other.node.children()), (0, 0));
    });
}

#[test]
fn a_cause_reaches_all_below_and_none_above() {
    let root = CancellationToken::new();
    let (left, right) = (root.child_token(), root.child_token());
    let below = left.child_token();
    assert!(left.cancel_with("left"));
    assert_eq!(below.cause(), Some(Cause::new("left")));
    assert!(!root.is_cancelled() && !right.is_cancelled());
    assert!(root.cancel_with("root"));
    assert!(!right.cancel());
    assert_eq!(right.cause(), Some(Cause::new("root")));
    assert_eq!(left.cause(), Some(Cause::new("left")), "the first cause counts");
    assert_eq!(left.child_token().cause(), Some(Cause::new("left")), "born cancelled");
}

#[test]
fn children_that_go_are_forgotten_and_their_places_used_again() {
    let root = CancellationToken::new();
    let mut children: Vec<_> = (0..1_000).map(|_| root.child_token()).collect();
    for _ in 0..10 {
        let kept = children.split_off(500);
        drop(core::mem::replace(&mut children, kept));
        assert_eq!(root.node.children(), 500);
        children.extend((0..500).map(|_| root.child_token()));
        assert_eq!(root.node.children(), 1_000);
        assert!(capacity(&root) <= 1_024, "places are used again");
    }
    children.truncate(2);
    assert!(capacity(&root) <= 1_024);
    drop(children);
    assert_eq!((root.node.children(), capacity(&root)), (0, 0));
}

fn capacity(token: &CancellationToken) -> usize {
    let asked = token.node.with_open((), |open, ()| {
        open.retinue_mut().map_or(0, |retinue| retinue.children.capacity())
    });
    asked.unwrap_or(0)
}

/// A node lives while something below it does, and no longer.
#[test]
fn nothing_is_left_of_a_tree() {
    let root = CancellationToken::new();
    let weak = Arc::downgrade(&root.node);
    let leaf = root.child_token().child_token();
    root.on_cancel(|_| ()).keep();
    drop(root);
    assert!(weak.upgrade().is_some());
    drop(leaf);
    assert!(weak.upgrade().is_none());
}

#[test]
fn the_first_who_waits_needs_no_memory() {
    let token = CancellationToken::new();
    let waker = CountingWaker::new();
    let mut waits = token.cancelled();
    assert!(poll_with(&mut waits, &waker.waker()).is_pending());
    let retinue = token.node.with_open((), |open, ()| open.retinue_mut().is_some());
    assert!(!retinue.unwrap());
    drop(waits);
    assert_eq!(waker.references(), 1, "no waker is kept");
}

#[test]
fn all_who_wait_are_woken_once() {
    let root = CancellationToken::new();
    let token = root.child_token();
    let wakers: Vec<_> = (0..40).map(|_| CountingWaker::new()).collect();
    let mut waits: Vec<_> = wakers.iter().map(|_| token.cancelled()).collect();
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        assert!(poll_with(wait, &waker.waker()).is_pending());
        assert!(poll_with(wait, &waker.waker()).is_pending());
    }
    // Some leave, the first among them; one comes in its place.
    waits.drain(..3);
    let late = CountingWaker::new();
    let mut wait = token.clone().cancelled_owned();
    assert!(poll_with(&mut wait, &late.waker()).is_pending());
    assert!(root.cancel_with("ended"));
    assert_eq!(wakers.iter().map(CountingWaker::count).sum::<usize>(), 37);
    assert_eq!((late.count(), wakers[0].count()), (1, 0));
    assert!(wakers.iter().all(|waker| waker.references() == 1));
    for wait in &mut waits {
        assert_eq!(poll_with(wait, Waker::noop()), Poll::Ready(Cause::new("ended")));
    }
    assert_eq!(poll_with(&mut wait, Waker::noop()), Poll::Ready(Cause::new("ended")));
}

#[test]
fn who_comes_with_another_waker_is_woken_by_that() {
    let token = CancellationToken::new();
    let (old, new) = (CountingWaker::new(), CountingWaker::new());
    let mut waits = [token.cancelled(), token.cancelled()];
    for wait in &mut waits {
        assert!(poll_with(wait, &old.waker()).is_pending());
        assert!(poll_with(wait, &new.waker()).is_pending());
    }
    token.cancel();
    assert_eq!((old.count(), new.count()), (0, 2));
}

#[test]
fn closures_are_called_once_with_the_cause_after_all_below_were_told() {
    let root = CancellationToken::new();
    let below = chain(&root, 10);
    let calls = Arc::new(AtomicUsize::new(0));
    let called = |token: &CancellationToken| {
        let (calls, below) = (Arc::clone(&calls), below.clone());
        token.on_cancel(move |cause| {
            assert_eq!(below.cause(), Some(cause));
            calls.fetch_add(1, Ordering::Relaxed);
        })
    };
    let (kept, taken_back) = (called(&root), called(&root));
    called(&root).keep();
    drop(taken_back);
    root.cancel_with("ended");
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    let _at_once = called(&root);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    drop(kept);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[test]
fn a_closure_that_panics_stops_no_other() {
    let token = CancellationToken::new();
    let told = Arc::new(AtomicUsize::new(0));
    for number in 0..3 {
        let told = Arc::clone(&told);
        token
            .on_cancel(move |_| {
                told.fetch_add(1, Ordering::Relaxed);
                assert!(number != 1, "the second one panics");
            })
            .keep();
    }
    assert!(catch_unwind(|| token.cancel()).unwrap());
    assert_eq!(told.load(Ordering::Relaxed), 3);
}

#[test]
fn a_future_that_is_always_ready_is_cancelled_too() {
    let token = CancellationToken::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let mut run = Box::pin(token.run_until_cancelled(core::future::poll_fn(|cx| {
        polls.fetch_add(1, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    })));
    let waker = CountingWaker::new();
    let mut poll = || Pin::new(&mut run).poll(&mut Context::from_waker(&waker.waker()));
    assert!(poll().is_pending());
    let before = waker.count();
    token.cancel_with("enough");
    assert_eq!(waker.count(), before + 1);
    assert_eq!(poll(), Poll::Ready(Err(Cause::new("enough"))));
    assert_eq!(polls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_future_that_is_given_up_is_dropped_before_the_error_is_told() {
    let token = CancellationToken::new();
    let held = Arc::new(());
    let mut run = {
        let held = Arc::clone(&held);
        Box::pin(token.run_until_cancelled(async move {
            let _held = held;
            core::future::pending::<()>().await;
        }))
    };
    assert!(poll_with(&mut run, Waker::noop()).is_pending());
    token.cancel();
    assert!(poll_with(&mut run, Waker::noop()).is_ready());
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_guard_cancels_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    let same = token.child_token().drop_guard().disarm();
    assert!(!same.is_cancelled());
    drop(same.clone().drop_guard());
    assert!(same.is_cancelled() && !token.is_cancelled());
}

#[test]
fn a_token_below_several_takes_the_first_cause_and_is_forgotten_by_the_others() {
    let sources = [(); 3].map(|()| CancellationToken::new());
    let any = CancellationToken::any(&sources);
    let below = any.child_token();
    sources[1].cancel_with("one of them");
    assert_eq!(below.cause(), Some(Cause::new("one of them")));
    assert!(sources.iter().all(|source| source.node.children() == 0));
    let late = CancellationToken::any(&sources);
    assert_eq!(late.cause(), Some(Cause::new("one of them")));
    assert!(sources.iter().all(|source| source.node.children() == 0));
    assert!(!CancellationToken::any([]).is_cancelled());
}

#[test]
fn tokens_may_be_shared_and_sent() {
    fn check_shared<T: Send + Sync + Unpin + 'static>() {}
    check_shared::<CancellationToken>();
    check_shared::<WaitForCancellationOwned>();
    check_shared::<OnCancel>();
    let token = CancellationToken::new();
    let text = format!("{token:?} {:?} {:?}", token.cancelled(), token.on_cancel(|_| ()));
    assert!(text.contains("cause: None"), "{text}");
    let there = goro_shim::thread::start("other".into(), None, {
        let token = token.clone();
        move || token.cancel()
    })
    .unwrap();
    assert_eq!(token.blocking_cancelled(), Cause::Cancelled);
    assert!(there.join().unwrap());
}
