//! A runtime without a monitor: what a worker does not come to is still found by another.
//!
//! A poll that blocks here ends only when what it waits for has happened elsewhere.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::Op;
use goro_reactor::Direction;
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn, task::yield_now};
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};

const LONG: Duration = Duration::from_secs(20);

/// Tells a channel that it was woken.
struct Tell(mpsc::Sender<()>);

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        let _gone = self.0.send(());
    }
}

fn telling() -> (Waker, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    (Waker::from(Arc::new(Tell(sender))), receiver)
}

/// Polls `future` once with `waker`.
fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// One end of a pair of sockets, watched by a runtime's reactor.
struct Watched {
    source: mio::net::UnixStream,
    registration: goro_reactor::Registration,
}

impl Watched {
    fn pair(runtime: &Runtime) -> (Self, UnixStream) {
        let (here, there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let mut source = mio::net::UnixStream::from_std(here);
        let reactor = runtime.handle().reactor().unwrap();
        let registration = reactor.register(&mut source).unwrap();
        (Self { source, registration }, there)
    }

    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let read = || (&self.source).read(&mut [0_u8; 8]);
        self.registration.poll_io(cx, Direction::Read, Op::Readable, read)
    }
}

/// Waits on a plain thread for a deadline that this runtime keeps; false when it never came.
fn outsider_waits(handle: &goro_runtime::Handle, time: Duration) -> bool {
    let _inside = handle.enter();
    let (waker, woken) = telling();
    let mut nap = sleep(time);
    poll_once(&mut nap, &waker).is_ready() || woken.recv_timeout(LONG).is_ok()
}

fn two_unwatched() -> Runtime {
    Builder::new().workers(2).monitor(false).build().unwrap()
}

/// Pitfalls 46 and 47. Also when the other worker is just on its way to sleep, and the push has
/// seen it searching: nobody comes by later.
#[test]
fn what_stands_behind_a_long_poll_is_run_by_a_sleeper() {
    let runtime = two_unwatched();
    for _ in 0..3_000 {
        let (done, wait) = mpsc::channel();
        let blocked = runtime.spawn(async move {
            drop(spawn(async move { done.send(()).unwrap() }));
            wait.recv_timeout(LONG).is_ok()
        });
        assert!(block_on(blocked).unwrap());
    }
}

/// Pitfall 48: the next slot cannot be left to a monitor that is not there.
#[test]
fn what_stands_in_the_next_slot_is_run_by_a_sleeper() {
    let runtime = two_unwatched();
    for _ in 0..1_000 {
        let (ran, wait) = mpsc::channel();
        let (waker, parked) = waiting_task(&runtime, ran);
        parked.recv().unwrap();
        let blocked = runtime.spawn(async move {
            waker.lock().unwrap().take().unwrap().wake();
            wait.recv_timeout(LONG).is_ok()
        });
        assert!(block_on(blocked).unwrap());
    }
}

type Kept = Arc<Mutex<Option<Waker>>>;

/// A task that leaves its waker, says that it has, and tells `ran` when it is polled again.
fn waiting_task(runtime: &Runtime, ran: mpsc::Sender<()>) -> (Kept, mpsc::Receiver<()>) {
    let kept = Kept::default();
    let keep = kept.clone();
    let (parks, parked) = mpsc::channel();
    let polls = AtomicUsize::new(0);
    drop(runtime.spawn(poll_fn(move |cx| {
        if polls.fetch_add(1, Ordering::Relaxed) == 1 {
            ran.send(()).unwrap();
            return Poll::Ready(());
        }
        *keep.lock().unwrap() = Some(cx.waker().clone());
        parks.send(()).unwrap();
        Poll::Pending
    })));
    (kept, parked)
}

/// The one that slept in the reactor is inside a long poll: the other one takes its place.
#[test]
fn somebody_minds_outsiders_while_the_other_is_stuck() {
    let runtime = two_unwatched();
    for _ in 0..20 {
        let (watched, mut there) = Watched::pair(&runtime);
        let (release, released) = mpsc::channel::<()>();
        let (began, begin) = mpsc::channel();
        let stuck = runtime.spawn(async move {
            poll_fn(|cx| watched.poll_read(cx)).await.unwrap();
            began.send(()).unwrap();
            released.recv_timeout(LONG).is_ok()
        });
        while runtime.metrics().sleeping < 2 || runtime.metrics().tasks_parked < 1 {
            std::thread::yield_now();
        }
        there.write_all(b"x").unwrap();
        begin.recv().unwrap();
        assert!(outsider_waits(runtime.handle(), Duration::from_millis(2)));
        release.send(()).unwrap();
        assert!(block_on(stuck).unwrap());
    }
}

/// Pitfall 64's kin: a worker that never sleeps looks at its sockets and timers in between.
#[test]
fn a_busy_worker_looks_round() {
    let runtime = Builder::new().workers(1).monitor(false).build().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..3 {
        let end = over.clone();
        drop(runtime.spawn(async move {
            while !end.load(Ordering::Relaxed) {
                yield_now().await;
            }
        }));
    }
    let (watched, mut there) = Watched::pair(&runtime);
    let (waits, waiting) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    drop(runtime.spawn(async move {
        sleep(Duration::from_millis(1)).await;
        let read = poll_fn(|cx| {
            let polled = watched.poll_read(cx);
            if polled.is_pending() {
                waits.send(()).unwrap();
            }
            polled
        });
        tell.send(read.await.is_ok()).unwrap();
    }));
    waiting.recv_timeout(LONG).unwrap();
    there.write_all(b"x").unwrap();
    assert_eq!(told.recv_timeout(LONG), Ok(true));
    assert!(outsider_waits(runtime.handle(), Duration::from_millis(1)));
    over.store(true, Ordering::Relaxed);
}

/// The second push has seen the worker that the first one woke on its way, and has woken nobody:
/// that worker must, before it blocks in the first task.
#[test]
fn two_from_outside_that_wait_for_each_other_meet() {
    let runtime = two_unwatched();
    for _ in 0..2_000 {
        let ((tell_a, told_a), (tell_b, told_b)) = (mpsc::channel(), mpsc::channel());
        let meets = |tell: mpsc::Sender<()>, told: mpsc::Receiver<()>| async move {
            tell.send(()).unwrap();
            told.recv_timeout(LONG).is_ok()
        };
        let (a, b) = (runtime.spawn(meets(tell_a, told_b)), runtime.spawn(meets(tell_b, told_a)));
        assert!(block_on(a).unwrap() && block_on(b).unwrap());
    }
}
