//! What a worker does between lying down and sleeping, one call at a time.

use super::*;
use crate::time::sleep;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use goro_shim::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn one_worker() -> Scripted {
    crate::Builder::new().workers(1).build_scripted(Some(1)).unwrap()
}

/// The monitor may have seen it asleep for that moment, and sleep itself by now.
#[test]
fn a_worker_that_gets_up_at_once_arms_the_alarm() {
    let script = one_worker();
    drop(script.handle().spawn(async {}));
    script.cast.stage.state.lock().alarm = None;
    assert!(
        script.cast.actors.borrow()[0].worker.lie_down().is_none(),
        "a task stands in the injector"
    );
    assert!(script.cast.stage.state.lock().alarm.is_some());
}

/// Everybody asleep has been woken for the end; who comes later must see it.
#[test]
fn a_worker_that_lies_down_after_the_end_gets_up_at_once() {
    let script = one_worker();
    script.cast.ground.close();
    assert!(script.cast.actors.borrow()[0].worker.lie_down().is_none());
}

/// Who lies down and gets up at once has been awake all the time.
#[test]
fn the_time_before_a_sleep_that_was_none_counts_too() {
    let mut script = one_worker();
    script.cast.stage.state.lock().now += Duration::from_millis(5);
    drop(script.handle().spawn(async {}));
    assert!(
        script.cast.actors.borrow()[0].worker.lie_down().is_none(),
        "a task stands in the injector"
    );
    script.run_until_stalled();
    assert_eq!(script.handle().metrics().busy(), Duration::from_millis(5));
}

/// Otherwise it would get up and lie down in a circle until it looks round, up to 61 times.
#[test]
fn what_made_a_worker_get_up_is_done_when_it_lies_down_again() {
    let script = one_worker();
    let actors = script.cast.actors.borrow();
    let worker = &actors[0].worker;
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    worker.begin();
    let mut nap = pin!(sleep(Duration::from_millis(1)));
    assert_eq!(nap.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
    script.cast.stage.state.lock().now += Duration::from_millis(2);
    assert!(worker.lie_down().is_none(), "a timer is due");
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(worker.lie_down().is_some());
    worker.end();
}
