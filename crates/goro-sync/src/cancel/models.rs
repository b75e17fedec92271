//! Cancellations that meet what changes the tree, and those who come and go.
//!
//! Nodes are counted by std's `Arc` here, as in a program: loom's has no weak end. What a model tries in
//! every order is the steps between the counts, each of which begins with a node's lock.

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};

use super::*;

fn beside<R: Send + 'static>(
    token: &CancellationToken,
    act: impl FnOnce(CancellationToken) -> R + Send + 'static,
) -> loom::thread::JoinHandle<R> {
    let token = token.clone();
    loom::thread::spawn(move || act(token))
}

fn cause(text: &'static str) -> Option<Cause> {
    Some(Cause::new(text))
}

/// Pitfall 118: told through the list, or born cancelled.
#[test]
fn a_child_that_is_made_meanwhile_is_cancelled() {
    loom::model(|| {
        let root = CancellationToken::new();
        let _first = root.child_token();
        let other = beside(&root, |root| root.cancel_with("ended"));
        let child = root.child_token();
        let grandchild = child.child_token();
        assert!(other.join().unwrap());
        assert_eq!(child.cause(), cause("ended"));
        assert_eq!(grandchild.cause(), cause("ended"));
    });
}

/// Pitfall 119: whoever looks and then waits is woken, and sees what was written before.
#[test]
fn who_waits_meanwhile_is_told() {
    loom::model(|| {
        let root = CancellationToken::new();
        let child = root.child_token();
        let written = Arc::new(AtomicUsize::new(0));
        let others = [child.clone(), child].map(|child| {
            let written = Arc::clone(&written);
            loom::thread::spawn(move || {
                assert_eq!(child.blocking_cancelled(), Cause::Cancelled);
                assert_eq!(written.load(Ordering::Relaxed), 1);
            })
        });
        written.store(1, Ordering::Relaxed);
        assert!(root.cancel());
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// Whoever only looks sees what was written before.
#[test]
fn who_sees_it_sees_what_came_before() {
    loom::model(|| {
        let root = CancellationToken::new();
        let written = Arc::new(AtomicUsize::new(0));
        let other = {
            let written = Arc::clone(&written);
            beside(&root, move |root| {
                if root.is_cancelled() {
                    assert_eq!(written.load(Ordering::Relaxed), 1);
                }
            })
        };
        written.store(1, Ordering::Relaxed);
        root.cancel();
        other.join().unwrap();
    });
}

/// A token that goes leaves those below it, and those beside it, where they are.
#[test]
fn a_child_that_goes_meanwhile_takes_nobody_along() {
    loom::model(|| {
        let root = CancellationToken::new();
        let (child, brother) = (root.child_token(), root.child_token());
        let grandchild = child.child_token();
        let leaf = root.child_token();
        let other = loom::thread::spawn(move || drop((child, leaf)));
        assert!(root.cancel_with("ended"));
        assert_eq!(grandchild.cause(), cause("ended"));
        assert_eq!(brother.cause(), cause("ended"));
        other.join().unwrap();
    });
}

/// A place that is vacated and taken again is the new child's.
#[test]
fn a_child_that_comes_as_another_goes_is_told() {
    loom::model(|| {
        let root = CancellationToken::new();
        let (only, one, two) = (root.child_token(), root.child_token(), root.child_token());
        let other = loom::thread::spawn(move || drop(one));
        let new = root.child_token();
        other.join().unwrap();
        assert!(root.cancel());
        assert!([only, two, new].iter().all(CancellationToken::is_cancelled));
    });
}

/// One cause for each token, and the one that came first where they meet goes on from there.
#[test]
fn two_causes_do_not_mix() {
    loom::model(|| {
        let root = CancellationToken::new();
        let child = root.child_token();
        let grandchild = child.child_token();
        let other = beside(&child, |child| child.cancel_with("below"));
        let above = root.cancel_with("above");
        let below = other.join().unwrap();
        assert!(above);
        assert_eq!(root.cause(), cause("above"));
        assert_eq!(child.cause(), if below { cause("below") } else { cause("above") });
        assert_eq!(grandchild.cause(), child.cause());
    });
}

#[test]
fn of_two_who_cancel_the_same_one_does() {
    loom::model(|| {
        let root = CancellationToken::new();
        let other = beside(&root, |root| root.cancel_with("there"));
        let here = root.cancel_with("here");
        let there = other.join().unwrap();
        assert!(here != there);
        assert_eq!(root.cause(), if here { cause("here") } else { cause("there") });
    });
}

/// Below several: told once, by whoever is first; the others forget it.
#[test]
fn a_token_below_two_has_one_of_their_causes() {
    loom::model(|| {
        let (one, two) = (CancellationToken::new(), CancellationToken::new());
        let other = beside(&two, |two| two.cancel_with("two"));
        let both = CancellationToken::any([&one, &two]);
        one.cancel_with("one");
        other.join().unwrap();
        assert!(both.cause() == cause("one") || both.cause() == cause("two"));
        let watched = std::sync::Arc::downgrade(&both.node);
        drop(both);
        assert!(watched.upgrade().is_none());
    });
}

#[test]
fn a_token_below_two_that_goes_meanwhile_is_forgotten() {
    loom::model(|| {
        let (one, two) = (CancellationToken::new(), CancellationToken::new());
        let both = CancellationToken::any([&one, &two]);
        let watched = std::sync::Arc::downgrade(&both.node);
        let other = loom::thread::spawn(move || drop(both));
        one.cancel();
        other.join().unwrap();
        assert!(watched.upgrade().is_none());
        assert!(two.cancel());
    });
}

/// A closure is called, or dropped uncalled; never both, never neither.
#[test]
fn a_closure_that_is_taken_back_meanwhile_is_called_or_not() {
    loom::model(|| {
        let root = CancellationToken::new();
        let (called, held) = (Arc::new(AtomicUsize::new(0)), std::sync::Arc::new(()));
        let guard = {
            let (called, held) = (Arc::clone(&called), std::sync::Arc::clone(&held));
            root.on_cancel(move |_| {
                called.fetch_add(1, Ordering::Relaxed);
                drop(held);
            })
        };
        let other = loom::thread::spawn(move || drop(guard));
        root.cancel();
        other.join().unwrap();
        assert!(called.load(Ordering::Relaxed) <= 1);
        assert_eq!(std::sync::Arc::strong_count(&held), 1);
    });
}

/// A waiter that gives up meanwhile leaves nothing behind.
#[test]
fn a_waiter_that_gives_up_meanwhile_leaves_nobody_asleep() {
    use core::pin::pin;
    use core::task::{Context, Waker};
    loom::model(|| {
        let root = CancellationToken::new();
        let other = beside(&root, |root| root.blocking_cancelled());
        {
            let mut waits = pin!(root.cancelled());
            let polled = waits.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        root.cancel();
        assert_eq!(other.join().unwrap(), Cause::Cancelled);
    });
}
