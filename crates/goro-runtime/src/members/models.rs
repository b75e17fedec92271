//! The end of a group, against its members and against the end of whoever waits for it.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};
use std::task::Wake;

use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::thread::{Thread, current, park};
use goro_shim::{Arc, global};
use goro_sync::Notified;
use loom::thread;

use super::Members;

/// A member's handle: says that it was asked to end.
type Handle = Arc<AtomicUsize>;

struct Group {
    members: Members<Handle>,
    /// What members have done.
    done: AtomicUsize,
}

impl Group {
    fn new() -> Arc<Self> {
        Arc::new(Self { members: Members::new(), done: AtomicUsize::new(0) })
    }

    fn wait(&self) {
        while let Some(left) = self.members.close_or_wait() {
            block(left);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: global::Arc<Self>) {
        self.0.unpark();
    }
}

/// As a thread waits.
fn block(left: Notified<'_>) {
    let waker = Waker::from(global::Arc::new(Unpark(current())));
    let mut left = pin!(left);
    while left.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        park();
    }
}

/// Whoever waits goes on when both have left, and sees what they did; and nobody comes after that.
#[test]
fn it_is_over_when_all_have_left() {
    loom::model(|| {
        let group = Group::new();
        let threads = [0; 2].map(|_| {
            let (member, group) = (group.members.enter().unwrap(), Arc::clone(&group));
            thread::spawn(move || {
                group.done.fetch_add(1, Ordering::Relaxed);
                drop(group.members.leave(member));
            })
        });
        group.wait();
        assert_eq!(group.done.load(Ordering::Relaxed), 2);
        assert!(group.members.enter().is_none() && group.members.count() == 0);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// A member that lets in another before it leaves is never the last one.
#[test]
fn one_that_comes_before_the_last_has_left_is_waited_for() {
    loom::model(|| {
        let group = Group::new();
        let first = group.members.enter().unwrap();
        let thread = {
            let group = Arc::clone(&group);
            thread::spawn(move || {
                let second = group.members.enter().expect("while one is inside it is open");
                drop(group.members.leave(first));
                group.done.store(1, Ordering::Relaxed);
                drop(group.members.leave(second));
            })
        };
        group.wait();
        assert_eq!(group.done.load(Ordering::Relaxed), 1);
        thread.join().unwrap();
    });
}

/// Whoever waits goes, and ends all: each that comes meanwhile is refused, or is ended, or has left by itself.
#[test]
fn whoever_comes_as_it_is_dropped_is_refused_or_ended() {
    loom::model(|| {
        let group = Group::new();
        let thread = {
            let group = Arc::clone(&group);
            thread::spawn(move || {
                let Some(member) = group.members.enter() else { return None };
                let handle: Handle = Arc::new(AtomicUsize::new(0));
                let kept = group.members.keep(member, Arc::clone(&handle));
                assert!(kept.unused.is_none(), "it is inside");
                if let Some(late) = kept.late {
                    late.store(1, Ordering::Relaxed);
                }
                Some(handle)
            })
        };
        let left = group.members.close();
        let handles = group.members.end_all();
        assert!(handles.len() <= left);
        handles.iter().for_each(|handle| handle.store(1, Ordering::Relaxed));
        if let Some(handle) = thread.join().unwrap() {
            assert_eq!(handle.load(Ordering::Relaxed), 1, "nobody has ended it");
        } else {
            assert_eq!(left, 0);
        }
    });
}
