//! Notifications that meet those who come, wait and go. A thread that blocks sleeps until it is
//! woken: a notification that got lost would leave it asleep for ever.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use goro_shim::Arc;

use super::*;

fn beside(
    notify: &Arc<Notify>,
    act: impl FnOnce(&Notify) + Send + 'static,
) -> loom::thread::JoinHandle<()> {
    let notify = Arc::clone(notify);
    loom::thread::spawn(move || act(&notify))
}

/// One comes before it is waited for, or after; what was written before it is seen.
#[test]
fn one_notification_is_received_once() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let written = Arc::new(AtomicUsize::new(0));
        let other = {
            let written = Arc::clone(&written);
            beside(&notify, move |notify| {
                written.store(1, Ordering::Relaxed);
                notify.notify_one();
            })
        };
        notify.blocking_notified();
        assert_eq!(written.load(Ordering::Relaxed), 1);
        other.join().unwrap();
        assert_eq!(notify.word.load(Ordering::Relaxed), 0);
    });
}

/// What was written before a notification is seen, also if that one found another kept.
#[test]
fn a_notification_that_finds_another_kept_publishes_too() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let written = Arc::new(AtomicUsize::new(0));
        notify.notify_one();
        let other = {
            let written = Arc::clone(&written);
            beside(&notify, move |notify| {
                written.store(1, Ordering::Relaxed);
                notify.notify_one();
            })
        };
        notify.blocking_notified();
        if written.load(Ordering::Relaxed) == 0 {
            notify.blocking_notified();
            assert_eq!(written.load(Ordering::Relaxed), 1);
        }
        other.join().unwrap();
    });
}

/// Pitfall 110: one for each of two who wait, and none for a third.
#[test]
fn two_notifications_reach_two() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let mut waits = [0; 3].map(|_| Box::pin(notify.notified()));
        let mut polled = || {
            let mut cx = Context::from_waker(Waker::noop());
            waits.each_mut().map(|wait| wait.as_mut().poll(&mut cx).is_ready())
        };
        assert_eq!(polled(), [false; 3]);
        let teller = beside(&notify, Notify::notify_one);
        notify.notify_one();
        teller.join().unwrap();
        assert_eq!(polled(), [true, true, false]);
        assert_eq!(notify.word.load(Ordering::Relaxed), WAITING);
    });
}

/// Pitfalls 105, 110: one that is told and dropped leaves the notification to another.
#[test]
fn a_notification_outlives_who_was_told() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let other = beside(&notify, Notify::blocking_notified);
        let teller = beside(&notify, Notify::notify_one);
        {
            let mut dropped = pin!(notify.notified());
            let polled = dropped.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_ready() {
                notify.notify_one();
            }
        }
        other.join().unwrap();
        teller.join().unwrap();
        assert_eq!(notify.word.load(Ordering::Relaxed), 0);
    });
}

/// All whose futures were made before are told; nobody is kept one.
#[test]
fn all_are_told() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let mut mine = pin!(notify.notified());
        let teller = beside(&notify, Notify::notify_waiters);
        let polled = mine.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        teller.join().unwrap();
        if polled.is_pending() {
            assert!(mine.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
        assert_eq!(notify.word.load(Ordering::Relaxed) & (PERMIT | WAITING), 0);
    });
}
