//! hyper's timer over goro's clocks: the system's, and one that a test moves.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};
use futures::task::noop_waker_ref;
use goro_hyper::{GoroIo, GoroTimer};
use goro_runtime::{Builder, time};
use hyper::Response;
use hyper::rt::{Sleep, Timer};
use hyper::service::service_fn;

const HOUR: Duration = Duration::from_secs(3600);

fn poll_once(sleep: &mut Pin<Box<dyn Sleep>>) -> Poll<()> {
    sleep.as_mut().poll(&mut Context::from_waker(noop_waker_ref()))
}

/// Polled with the waker of the task that asks.
async fn assert_pending(sleep: &mut Pin<Box<dyn Sleep>>) {
    let polled = poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
}

fn address(sleep: &Pin<Box<dyn Sleep>>) -> usize {
    std::ptr::from_ref::<dyn Sleep>(&**sleep).addr()
}

#[test]
fn a_reset_moves_the_same_sleep_both_ways() {
    let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
    let passed = script.run(async {
        let start = GoroTimer.now();
        let mut sleep = GoroTimer.sleep(HOUR);
        let before = address(&sleep);
        assert_pending(&mut sleep).await;

        // Later, once its timer is armed.
        GoroTimer.reset(&mut sleep, start + 3 * HOUR);
        assert_pending(&mut sleep).await;
        time::sleep(2 * HOUR).await;
        assert_pending(&mut sleep).await;
        sleep.as_mut().await;
        let later = GoroTimer.now() - start;

        // Again, and earlier.
        GoroTimer.reset(&mut sleep, start + 9 * HOUR);
        assert_pending(&mut sleep).await;
        GoroTimer.reset(&mut sleep, start + 5 * HOUR);
        sleep.as_mut().await;
        assert_eq!(address(&sleep), before, "a reset must not allocate");
        (later, GoroTimer.now() - start)
    });
    let (later, earlier) = passed.unwrap();
    let hours = |hours: u32| hours * HOUR..hours * HOUR + Duration::from_secs(1);
    assert!(hours(3).contains(&later), "{later:?}");
    assert!(hours(5).contains(&earlier), "{earlier:?}");
}

/// A sleep that another timer made cannot be moved.
#[test]
fn a_strangers_sleep_is_replaced() {
    struct Never;
    impl Future for Never {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }
    impl Sleep for Never {}

    let mut sleep: Pin<Box<dyn Sleep>> = Box::pin(Never);
    assert!(poll_once(&mut sleep).is_pending());
    GoroTimer.reset(&mut sleep, GoroTimer.now());
    assert!(poll_once(&mut sleep).is_ready());
}

#[test]
fn the_past_is_ready_and_the_farthest_future_is_not() {
    let now = GoroTimer.now();
    for mut sleep in [
        GoroTimer.sleep(Duration::ZERO),
        GoroTimer.sleep_until(now),
        GoroTimer.sleep_until(now.checked_sub(HOUR).unwrap_or(now)),
    ] {
        assert!(poll_once(&mut sleep).is_ready());
        assert!(poll_once(&mut sleep).is_ready(), "once ready it stays so");
    }
    assert!(poll_once(&mut GoroTimer.sleep(Duration::MAX)).is_pending());
}

/// With no runtime, on a plain thread.
#[test]
fn a_sleep_on_a_plain_thread_is_woken() {
    let start = GoroTimer.now();
    futures::executor::block_on(GoroTimer.sleep(Duration::from_millis(5)));
    assert!(start.elapsed() >= Duration::from_millis(5));
}

/// A stream on which nothing ever happens.
struct Silence;

impl AsyncRead for Silence {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Silence {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// hyper's own timeout, an hour of it, by the runtime's clock.
#[test]
fn a_header_read_timeout_goes_by_the_hosts_clock() {
    let began = GoroTimer.now();
    let mut script = Builder::new().workers(1).build_scripted(Some(2)).unwrap();
    let ended = script.run(async {
        let service = service_fn(|_| async { Ok::<_, Infallible>(Response::new(String::new())) });
        hyper::server::conn::http1::Builder::new()
            .timer(GoroTimer)
            .header_read_timeout(HOUR)
            .serve_connection(GoroIo::new(Silence), service)
            .await
    });
    let error = ended.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(began.elapsed() < HOUR);
}

/// Sleeps that are ready at once let others run, as every operation of goro's does.
#[test]
fn ready_sleeps_spend_the_budget() {
    let mut script = Builder::new().workers(1).build_scripted(Some(3)).unwrap();
    let polls = script.run(async {
        let mut slept = 0;
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            while slept < 1000 {
                match GoroTimer.sleep(Duration::ZERO).as_mut().poll(cx) {
                    Poll::Ready(()) => slept += 1,
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        })
        .await;
        polls
    });
    assert!(polls.unwrap() > 5);
}
