//! What else may end a `select!`: a default, a timeout, having no arm left.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::executor::block_on;
use goro_sync::select;
use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Polls once.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Ready or not, by a flag.
async fn ready_if(flag: bool) {
    if !flag {
        pending::<()>().await;
    }
}

#[test]
fn default_runs_when_no_arm_is_ready_now() {
    let mut waiting = pin!(pending::<u32>());
    let taken = poll_once(async {
        select! { n = &mut waiting => n, default => 1 }
    });
    assert_eq!(taken, Poll::Ready(1));
    for _ in 0..100 {
        let taken = poll_once(async {
            select! { n = ready(2) => n, default => 1 }
        });
        assert_eq!(taken, Poll::Ready(2));
    }
    assert_eq!(
        poll_once(async {
            select! { n = ready(2), if false => n, default => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        poll_once(async {
            select! { Some(n) = ready(None) => n, default => 1 }
        }),
        Poll::Ready(1)
    );
}

/// Pitfall 120: a select of nothing but what else may end it.
#[test]
fn what_else_may_end_it_may_stand_alone() {
    assert_eq!(
        poll_once(async {
            select! { else => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        poll_once(async {
            select! { default => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        block_on(async {
            select! { timeout(Duration::from_millis(1)) => 1 }
        }),
        1
    );
    assert_eq!(
        block_on(async {
            select! { timeout(Duration::ZERO) => { 1 } else => 2 }
        }),
        2
    );
}

#[test]
fn a_timeout_runs_when_nothing_was_ready_for_so_long() {
    let began = Instant::now();
    let outcome = block_on(async {
        select! {
            () = pending() => "arm",
            () = ready(()), if false => "arm",
            timeout(Duration::from_millis(3)) => "timeout",
        }
    });
    assert_eq!(outcome, "timeout");
    assert!(began.elapsed() >= Duration::from_millis(3));
}

#[test]
fn an_arm_that_is_ready_when_the_time_is_up_comes_first() {
    let is_ready = Cell::new(false);
    let mut future = pin!(async {
        select! {
            () = poll_fn(|_| if is_ready.get() { Poll::Ready(()) } else { Poll::Pending }) => "arm",
            timeout(Duration::from_millis(1)) => "timeout",
        }
    });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    std::thread::sleep(Duration::from_millis(2));
    is_ready.set(true);
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Ready("arm"));
}

#[test]
#[should_panic(expected = "add `else => ..`")]
fn a_select_that_can_never_end_says_what_is_missing() {
    block_on(async {
        select! { n = ready(1), if false => n }
    });
}

/// A host that counts what it is asked.
mod timer {
    use super::*;
    use goro_context::host::{self, BoxedFuture, Gone, Host, Job, Refused, TimerKey};
    use goro_context::{Kind, TaskId};
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Counting {
        clock: AtomicU32,
        armed: AtomicU32,
        disarmed: AtomicU32,
    }

    impl Host for Counting {
        fn now(&self) -> Instant {
            self.clock.fetch_add(1, Ordering::Relaxed);
            Instant::now()
        }
        fn arm(&'static self, _: Instant, _: &Waker) -> Result<TimerKey, Gone> {
            self.armed.fetch_add(1, Ordering::Relaxed);
            Ok(TimerKey(1))
        }
        fn rearm(&'static self, _: TimerKey, _: &Waker) -> bool {
            true
        }
        fn disarm(&'static self, _: TimerKey) {
            self.disarmed.fetch_add(1, Ordering::Relaxed);
        }
        fn spawn(&'static self, future: BoxedFuture, _: Kind) -> Result<TaskId, BoxedFuture> {
            Err(future)
        }
        fn blocking(&'static self, job: &mut dyn FnMut()) {
            job();
        }
        fn spawn_blocking(&'static self, job: Job, _: Kind) -> Result<(), Refused> {
            Err(Refused(job, std::io::ErrorKind::Unsupported.into()))
        }
    }

    #[test]
    fn no_clock_is_read_and_no_timer_armed_when_an_arm_is_ready() {
        static HOST: Counting = Counting {
            clock: AtomicU32::new(0),
            armed: AtomicU32::new(0),
            disarmed: AtomicU32::new(0),
        };
        let _host = host::enter(&HOST);
        let counts =
            || [&HOST.clock, &HOST.armed, &HOST.disarmed].map(|n| n.load(Ordering::Relaxed));
        let select = |ready| async move {
            select! {
                () = ready_if(ready) => 1,
                () = pending() => 2,
                timeout(Duration::from_secs(3600)) => 3,
            }
        };
        assert_eq!(poll_once(select(true)), Poll::Ready(1));
        assert_eq!(counts(), [0, 0, 0]);
        assert_eq!(poll_once(select(false)), Poll::Pending);
        assert_eq!(counts(), [1, 1, 1]);
    }
}
