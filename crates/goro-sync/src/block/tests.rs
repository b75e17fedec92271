use std::panic::{AssertUnwindSafe, catch_unwind};

use goro_context::host::{BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use goro_context::time::{self, Duration, Instant};
use goro_context::{CurrentTask, Kind, TaskId, budget, task};
use goro_shim::Arc;
use goro_shim::atomic::AtomicUsize;

use super::*;
use crate::testing::for_ever;
use crate::wait::Timed;
use crate::wait::semaphore::{Acquire, Semaphore};

/// A host that counts what blocks on it, and keeps no time.
struct Counting(AtomicUsize);

impl Host for Counting {
    fn now(&self) -> Instant {
        goro_shim::time::now()
    }
    fn arm(&'static self, _: Instant, _: &Waker) -> Result<TimerKey, Gone> {
        Err(Gone)
    }
    fn rearm(&'static self, _: TimerKey, _: &Waker) -> bool {
        false
    }
    fn disarm(&'static self, _: TimerKey) {}
    fn spawn(&'static self, future: BoxedFuture, _: Kind) -> Result<TaskId, BoxedFuture> {
        Err(future)
    }
    fn blocking(&'static self, job: &mut dyn FnMut()) {
        self.0.fetch_add(1, Ordering::AcqRel);
        job();
    }
    fn spawn_blocking(&'static self, job: Job, _: Kind) -> Result<(), Refused> {
        Err(Refused(job, std::io::ErrorKind::Unsupported.into()))
    }
}

fn in_a_thread<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::start("blocked".into(), None, body).unwrap()
}

#[test]
fn a_thread_sleeps_until_it_is_served() {
    let semaphore = Arc::new(Semaphore::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let semaphore = Arc::clone(&semaphore);
            in_a_thread(move || (0..1000).for_each(|_| block(semaphore.acquire())))
        })
        .collect();
    (0..3000).for_each(|_| semaphore.release());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

#[test]
fn only_a_call_that_has_to_wait_is_declared() {
    let host = for_ever(Counting(AtomicUsize::new(0)));
    let semaphore = Arc::new(Semaphore::new(1));
    let entered = host::enter(host);
    block(semaphore.acquire());
    assert_eq!(host.0.load(Ordering::Acquire), 0);
    let releases = {
        let semaphore = Arc::clone(&semaphore);
        in_a_thread(move || semaphore.release())
    };
    while semaphore.counts()[0] == 0 {
        thread::yield_now();
    }
    block(semaphore.acquire());
    assert_eq!(host.0.load(Ordering::Acquire), 0);
    drop(releases.join());

    let releases = {
        let semaphore = Arc::clone(&semaphore);
        in_a_thread(move || {
            while semaphore.counts()[1] == 0 {
                thread::yield_now();
            }
            semaphore.release();
        })
    };
    block(semaphore.acquire());
    releases.join().unwrap();
    assert_eq!(host.0.load(Ordering::Acquire), 1);

    // What is ready does not wait for a budget either.
    semaphore.release();
    let task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset_to(0);
    block(semaphore.acquire());
    assert_eq!(host.0.load(Ordering::Acquire), 1);
    drop((task, entered));
}

#[test]
fn a_time_limit_wakes_the_thread_with_nobody_entered() {
    let semaphore = Semaphore::new(0);
    let began = time::now();
    let mut timed = Timed::after(Duration::from_millis(20), semaphore.acquire());
    let outcome = block(core::future::poll_fn(|cx| timed.poll(cx)));
    assert!(outcome.is_err());
    assert!(time::now() - began >= Duration::from_millis(20));
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}

/// A future that blocks on another one while it is polled.
struct Nested<'a>(Acquire<'a>, &'a Semaphore);

impl Future for Nested<'_> {
    type Output = ();
    fn poll(mut self: core::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        block(self.1.acquire());
        core::pin::Pin::new(&mut self.0).poll(cx)
    }
}

#[test]
fn a_call_inside_another_ones_poll_has_a_bed_of_its_own() {
    let outer = Arc::new(Semaphore::new(0));
    let inner = Arc::new(Semaphore::new(0));
    let thread = {
        let (outer, inner) = (Arc::clone(&outer), Arc::clone(&inner));
        in_a_thread(move || block(Nested(outer.acquire(), &inner)))
    };
    inner.release();
    while outer.counts()[1] == 0 {
        thread::yield_now();
    }
    // The outer wait is woken, and blocks inside again before it is served.
    outer.release();
    inner.release();
    thread.join().unwrap();
    assert_eq!((outer.counts(), inner.counts()), ([0, 0, 0], [0, 0, 0]));
}

#[test]
fn a_panic_passes_through_and_the_thread_can_block_again() {
    let semaphore = Semaphore::new(1);
    let panics = core::future::poll_fn(|_| -> Poll<()> { std::panic::resume_unwind(Box::new(7)) });
    let payload = catch_unwind(AssertUnwindSafe(|| block(panics))).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&7));
    block(semaphore.acquire());
    assert_eq!(semaphore.counts(), [0, 0, 0]);
}
