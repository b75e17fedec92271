//! Deadlines where nobody has installed anything: plain threads, other executors.

use core::future::poll_fn;
use core::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;
use goro_context::{Deadline, fallback, time};
use goro_shim::thread;

async fn sleep(duration: Duration) -> time::Instant {
    let mut deadline = Deadline::at(time::after(duration));
    poll_fn(|cx| deadline.poll(cx)).await;
    deadline.deadline()
}

#[test]
fn deadlines_are_kept_under_another_executor_and_never_early() {
    let sleepers: Vec<_> = (0..4_u64)
        .map(|thread| {
            let body = move || {
                let sleeps = (0..50).map(|n| Duration::from_micros(200 * (n * 7 % 50) + thread));
                let ends = block_on(join_all(sleeps.map(|duration| async move {
                    let at = sleep(duration).await;
                    (at, time::now())
                })));
                assert!(ends.iter().all(|(at, now)| now >= at));
                ends.len()
            };
            thread::start(format!("sleeper {thread}"), None, body).unwrap()
        })
        .collect();
    assert_eq!(sleepers.into_iter().map(|t| t.join().unwrap()).sum::<usize>(), 200);
}

#[test]
fn one_that_is_dropped_before_its_time_is_forgotten() {
    let far = Duration::from_secs(3600);
    block_on(async {
        let mut never = Deadline::at(time::after(Duration::MAX));
        let mut far = Deadline::at(time::after(far));
        poll_fn(|cx| {
            assert!(never.poll(cx).is_pending() && far.poll(cx).is_pending());
            core::task::Poll::Ready(())
        })
        .await;
        assert!(never.is_armed() && far.is_armed());
        assert!(fallback::armed() >= 2);
    });
}

#[test]
fn a_deadline_may_be_polled_by_one_thread_and_then_by_another() {
    let mut deadline = Deadline::at(time::after(Duration::from_millis(10)));
    block_on(poll_fn(|cx| {
        assert!(deadline.poll(cx).is_pending());
        core::task::Poll::Ready(())
    }));
    let body = move || {
        block_on(poll_fn(|cx| deadline.poll(cx)));
        time::now() >= deadline.deadline()
    };
    assert!(thread::start("second".into(), None, body).unwrap().join().unwrap());
}
