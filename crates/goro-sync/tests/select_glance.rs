//! `select!` glances at its arms before it waits at any: what that spares, and that nothing is missed.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::executor::block_on;
use futures::stream::{FuturesUnordered, StreamExt};
use goro_sync::cancel::CancellationToken;
use goro_sync::channel::{RecvFuture, bounded};

use goro_sync::{Notify, broadcast, select, watch};

#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that counts, and how many hold it: more than one beside the counter does.
fn counting() -> (Arc<Counting>, Waker) {
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    (counting, waker)
}

fn held(counting: &Arc<Counting>) -> usize {
    Arc::strong_count(counting) - 2
}

/// An arm that notes how many hold the waker when it is asked.
fn last_to_be_asked(counting: &Arc<Counting>) -> impl Future<Output = usize> {
    let counting = Arc::clone(counting);
    poll_fn(move |_| Poll::Ready(held(&counting) - 1))
}

#[test]
fn who_finds_something_has_stood_nowhere() {
    let (_sends, receives) = bounded::<u32>(1);
    let (full, _full) = bounded::<u32>(1);
    full.try_send(0).unwrap();
    let (_says, mut hears) = broadcast::channel::<u32>(1, broadcast::OnLag::Wait);
    let (_turns, mut looks) = watch::channel(0);
    let (notify, token) = (Notify::new(), CancellationToken::new());
    let (counting, waker) = counting();
    let mut selects = pin!(async {
        select! {
            biased;
            _ = receives.recv() => None,
            _ = full.send(1) => None,
            _ = full.reserve() => None,
            _ = hears.recv() => None,
            _ = looks.changed() => None,
            () = notify.notified() => None,
            _ = token.cancelled() => None,
            _ = token.clone().cancelled_owned() => None,
            holders = last_to_be_asked(&counting) => Some(holders),
        }
    });
    let polled = selects.as_mut().poll(&mut Context::from_waker(&waker));
    assert_eq!(polled, Poll::Ready(Some(0)));
}

#[test]
fn who_finds_nothing_is_woken_by_each() {
    let (sends, receives) = bounded::<u32>(1);
    let (full, empties) = bounded::<u32>(1);
    let (says, mut hears) = broadcast::channel::<u32>(1, broadcast::OnLag::Wait);
    let (turns, mut looks) = watch::channel(0);
    let (notify, token) = (Notify::new(), CancellationToken::new());
    for arm in 0..6 {
        if full.is_empty() {
            full.try_send(0).unwrap();
        }
        let (counting, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        let mut selects = pin!(async {
            select! {
                _ = receives.recv() => 0,
                _ = full.send(1) => 1,
                _ = full.reserve() => 1,
                _ = hears.recv() => 2,
                _ = looks.changed() => 3,
                () = notify.notified() => 4,
                _ = token.cancelled() => 5,
                _ = token.clone().cancelled_owned() => 5,
            }
        });
        assert_eq!(selects.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!((counting.woken(), held(&counting)), (0, 8), "it stands in each line, once");
        match arm {
            0 => sends.try_send(1).unwrap(),
            1 => assert_eq!(empties.try_recv(), Ok(0)),
            2 => _ = says.try_send(1).unwrap(),
            3 => turns.send(1).unwrap(),
            4 => notify.notify_one(),
            _ => _ = token.cancel(),
        }
        assert!(counting.woken() >= 1, "arm {arm}");
        assert_eq!(selects.as_mut().poll(&mut cx), Poll::Ready(arm));
    }
}

#[test]
fn all_others_are_asked_once_a_poll() {
    let (_sender, receiver) = bounded::<u32>(1);
    let asked = AtomicUsize::new(0);
    let mut selects = pin!(async {
        select! {
            _ = receiver.recv() => {}
            () = poll_fn(|_| { asked.fetch_add(1, Ordering::SeqCst); Poll::Pending }) => {}
        }
    });
    for polls in 1..=3 {
        assert!(selects.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(asked.load(Ordering::SeqCst), polls);
    }
}

/// A set asks again only those who were woken, so a glance through it would be its last look.
#[test]
fn what_is_around_an_operation_is_polled_in_earnest() {
    let (sender, receiver) = bounded::<u32>(1);
    let (_other, others) = bounded::<u32>(1);
    let mut set: FuturesUnordered<RecvFuture<'_, u32>> = FuturesUnordered::new();
    set.push(receiver.recv());
    let (counting, waker) = counting();
    let mut cx = Context::from_waker(&waker);
    let mut selects = pin!(async {
        select! {
            _ = others.recv() => None,
            item = set.next() => item.and_then(Result::ok),
        }
    });
    assert_eq!(selects.as_mut().poll(&mut cx), Poll::Pending);
    sender.try_send(3).unwrap();
    assert!(counting.woken() > 0);
    assert_eq!(selects.as_mut().poll(&mut cx), Poll::Ready(Some(3)));
}

/// First come, first served: also for one that stood in line before it became an arm.
#[test]
fn an_arm_that_stood_in_line_keeps_its_place() {
    let (sender, receiver) = bounded::<u32>(1);
    let mut first = receiver.recv();
    let mut second = receiver.recv();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut first).poll(&mut cx).is_pending());
    assert!(Pin::new(&mut second).poll(&mut cx).is_pending());
    let (counting, waker) = counting();
    let mut selects = pin!(async {
        select! {
            item = first => item.ok(),
            () = std::future::pending() => None,
        }
    });
    let mut own = Context::from_waker(&waker);
    assert_eq!(selects.as_mut().poll(&mut own), Poll::Pending);
    sender.try_send(1).unwrap();
    assert_eq!(counting.woken(), 1, "the first in line is called");
    assert_eq!(selects.as_mut().poll(&mut own), Poll::Ready(Some(1)));
}

/// A select that is polled for something else is still before those that came later.
#[test]
fn an_arm_that_is_asked_again_keeps_its_place() {
    let (sender, receiver) = bounded::<u32>(1);
    sender.try_send(0).unwrap();
    let mut selects = pin!(async {
        select! {
            sent = sender.send(1) => sent.is_ok(),
            () = std::future::pending() => false,
        }
    });
    let (counting, waker) = counting();
    let mut own = Context::from_waker(&waker);
    assert_eq!(selects.as_mut().poll(&mut own), Poll::Pending);
    let mut second = sender.send(2);
    assert!(Pin::new(&mut second).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(selects.as_mut().poll(&mut own), Poll::Pending);
    assert_eq!((receiver.try_recv(), counting.woken()), (Ok(0), 1), "the first in line is called");
    assert_eq!(selects.as_mut().poll(&mut own), Poll::Ready(true));
    assert_eq!(receiver.try_recv(), Ok(1));
}

/// An arm that was only glanced at would not hear that it is to stop.
#[test]
fn default_is_taken_by_who_has_polled() {
    let (full, _empties) = bounded::<u32>(1);
    full.try_send(0).unwrap();
    let (_sender, receiver) = bounded::<u32>(1);
    let token = CancellationToken::new();
    token.cancel();
    let gave_up = block_on(token.scope(async {
        select! {
            item = receiver.recv() => item.is_err(),
            default => false,
        }
    }));
    assert!(gave_up);
}
