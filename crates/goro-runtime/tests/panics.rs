//! Panics of tasks, destructors, wakers and subscribers: each is told once, and nothing else stops.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn, task::yield_now};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::panic::{panic_any, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, Once, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

const LONG: Duration = Duration::from_secs(20);

/// A runtime whose name tells its events from those of the other tests.
fn named(name: &str, workers: usize) -> Runtime {
    Builder::new().workers(workers).name(name).build().unwrap()
}

/// Panics without the hook's message, of which thousands would be slow.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("quiet"))
}

/// Each worker can be inside a poll at the same time as all others.
fn assert_all_work(runtime: &Runtime, workers: usize) {
    let barrier = Arc::new(Barrier::new(workers));
    let (met, meets) = mpsc::channel();
    for _ in 0..workers {
        let (barrier, met) = (barrier.clone(), met.clone());
        drop(runtime.spawn(async move {
            barrier.wait();
            met.send(()).unwrap();
        }));
    }
    for _ in 0..workers {
        meets.recv_timeout(LONG).expect("every worker is there");
    }
}

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Pitfall 38: each panic killed a worker.
#[test]
fn after_ten_thousand_panics_all_workers_run_in_parallel() {
    let runtime = named("ten-thousand", 4);
    for _ in 0..100 {
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                runtime.spawn(async move {
                    if n % 2 == 0 {
                        yield_now().await;
                    }
                    panic_quietly()
                })
            })
            .collect();
        for task in tasks {
            let result: Result<(), _> = block_on(task);
            assert!(result.unwrap_err().is_panic());
        }
    }
    let metrics = runtime.metrics();
    assert_eq!((metrics.tasks_panicked, metrics.tasks_live), (10_000, 0));
    assert_all_work(&runtime, 4);
}

#[test]
fn a_panic_in_a_poll_is_the_joiners_and_nobody_elses() {
    let runtime = named("poll", 1);
    let (other, panics) = (
        runtime.spawn(async {
            yield_now().await;
            7
        }),
        runtime.spawn(async { panic_any(41_u8) }),
    );
    let result: Result<(), _> = block_on(panics);
    assert_eq!(result.unwrap_err().into_panic().downcast_ref(), Some(&41_u8));
    assert_eq!(block_on(other).unwrap(), 7);
}

#[test]
fn a_panic_in_a_futures_destructor_is_the_joiners() {
    let runtime = named("future", 1);
    let done = runtime.spawn(async {
        let _guard = OnDrop(|| panic_quietly());
        7
    });
    assert!(block_on(done).unwrap_err().is_panic());
    let aborted = runtime.spawn(async {
        let _guard = OnDrop(|| panic_quietly());
        pending::<()>().await;
    });
    aborted.abort();
    let unpolled = block_on(aborted).unwrap_err();
    assert!(unpolled.is_cancelled() || unpolled.is_panic());
    assert_all_work(&runtime, 1);
}

#[test]
fn a_panic_in_an_outputs_destructor_stops_nobody() {
    let runtime = named("output", 2);
    let dropped = Arc::new(AtomicUsize::new(0));
    for round in 0..200 {
        let dropped = dropped.clone();
        let task = runtime.spawn(async move {
            OnDrop(move || {
                dropped.fetch_add(1, Ordering::Relaxed);
                panic_quietly()
            })
        });
        if round % 2 == 0 {
            while !task.is_finished() {
                std::thread::yield_now();
            }
        }
        drop(task);
    }
    while runtime.metrics().tasks_live > 0 {
        std::thread::yield_now();
    }
    assert_all_work(&runtime, 2);
    drop(runtime);
    assert_eq!(dropped.load(Ordering::Relaxed), 200);
}

#[test]
fn a_panic_in_a_payloads_destructor_stops_nobody() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic_quietly()
        }
    }
    let runtime = named("payload", 2);
    for _ in 0..100 {
        drop(runtime.spawn(async { resume_unwind(Box::new(Payload)) }));
        drop(runtime.spawn_blocking(|| resume_unwind(Box::new(Payload))));
        let kept = runtime.spawn(async { resume_unwind(Box::new(Payload)) });
        let result: Result<(), _> = block_on(kept);
        // Dropped here, it would panic here: it is the joiner's now.
        let error = std::mem::ManuallyDrop::new(result.unwrap_err());
        assert!(error.is_panic());
    }
    assert_all_work(&runtime, 2);
}

/// A waker that panics in one of its four ways.
fn grumpy_waker(clone: bool, wake: bool, release: bool) -> Waker {
    const CLONE: usize = 1;
    const WAKE: usize = 2;
    const DROP: usize = 4;
    struct Grumpy(usize);
    impl Wake for Grumpy {
        fn wake(self: Arc<Self>) {
            if self.0 & WAKE != 0 {
                panic_quietly()
            }
        }
    }
    impl Drop for Grumpy {
        fn drop(&mut self) {
            if self.0 & DROP != 0 {
                panic_quietly()
            }
        }
    }
    let ways = usize::from(clone) * CLONE + usize::from(wake) * WAKE + usize::from(release) * DROP;
    Waker::from(Arc::new(Grumpy(ways)))
}

fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Fired by a worker, by the monitor, and by the end of the runtime.
#[test]
fn timers_with_wakers_that_panic_keep_no_other_from_firing() {
    for busy in [false, true] {
        let runtime = named("timers", 1);
        let handle = runtime.handle().clone();
        let naps = runtime.spawn(async move {
            let mut grumpy = Vec::new();
            for _ in 0..20 {
                let mut nap = sleep(Duration::from_millis(2));
                let waker = std::mem::ManuallyDrop::new(grumpy_waker(false, true, true));
                assert!(poll_once(&mut nap, &waker).is_pending());
                grumpy.push(nap);
            }
            let other = spawn(sleep(Duration::from_millis(2)));
            yield_now().await;
            if busy {
                handle.busy(Duration::from_millis(8));
            }
            other.await.unwrap();
        });
        block_on(naps).unwrap();
        assert_all_work(&runtime, 1);
    }
}

#[test]
fn a_join_with_a_waker_that_panics_is_the_joiners_loss() {
    let runtime = named("join", 1);
    let (release, released) = mpsc::channel::<()>();
    let mut task = runtime.spawn(async move { released.recv().is_err() });
    let waker = std::mem::ManuallyDrop::new(grumpy_waker(false, true, true));
    assert!(poll_once(&mut task, &waker).is_pending());
    drop(release);
    while !task.is_finished() {
        std::thread::yield_now();
    }
    assert_all_work(&runtime, 1);
    assert!(block_on(task).unwrap());
}

#[test]
fn a_waker_whose_clone_panics_leaves_nothing_armed_and_nothing_locked() {
    const TABLE: RawWakerVTable = RawWakerVTable::new(|_| panic_quietly(), drop, drop, drop);
    let runtime = named("clone", 1);
    let task = runtime.spawn(async {
        // SAFETY: the table uses no data.
        let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &TABLE)) };
        let mut nap = sleep(LONG);
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll_once(&mut nap, &waker).is_pending()
        }));
        assert!(polled.is_err());
        drop(nap);
        sleep(Duration::from_millis(1)).await;
    });
    block_on(task).unwrap();
}

/// Counts the events of each runtime; panics itself at some.
#[derive(Default)]
struct Log {
    panics: Mutex<BTreeMap<(String, &'static str), usize>>,
}

#[derive(Default)]
struct RuntimeOf(String);

impl Visit for RuntimeOf {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "runtime" {
            value.clone_into(&mut self.0);
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

struct Tell(Arc<Log>);

impl Subscriber for Tell {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("goro::")
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut of = RuntimeOf::default();
        event.record(&mut of);
        let grumpy = of.0 == "grumpy" || event.metadata().target() == "goro::waker";
        let target = event.metadata().target();
        *self.0.panics.lock().unwrap().entry((of.0, target)).or_default() += 1;
        if grumpy {
            panic_quietly()
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The log of this process, in which all events end up from the first call on.
fn log() -> Arc<Log> {
    static LOG: Mutex<Option<Arc<Log>>> = Mutex::new(None);
    static ONCE: Once = Once::new();
    let log = LOG.lock().unwrap().get_or_insert_default().clone();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Tell(log.clone())).unwrap());
    log
}

fn told(log: &Log, runtime: &str, target: &'static str) -> usize {
    log.panics.lock().unwrap().get(&(runtime.to_owned(), target)).copied().unwrap_or(0)
}

#[test]
fn each_panic_is_told_once() {
    let log = log();
    let runtime = named("telling", 2);
    for _ in 0..50 {
        let tasks = [
            runtime.spawn(async { panic_quietly() }),
            runtime.spawn(async { drop(OnDrop(|| panic_quietly())) }),
            runtime.spawn(async {}),
            runtime.spawn_blocking(|| panic_quietly()),
        ];
        for task in tasks {
            let _ended = block_on(task);
        }
    }
    for _ in 0..10 {
        drop(runtime.spawn(async {
            let _guard = OnDrop(|| panic_quietly());
            pending::<()>().await;
        }));
    }
    while runtime.metrics().tasks_parked < 10 {
        std::thread::yield_now();
    }
    let handle = runtime.handle().clone();
    drop(runtime);
    assert_eq!(handle.metrics().tasks_panicked, 110);
    assert_eq!(told(&log, "telling", "goro::task"), 110);
    assert_eq!(told(&log, "telling", "goro::blocking"), 50);
}

/// A subscriber is the user's code too: its panic must not end a worker, the monitor, or a thread
/// of the blocking pool.
#[test]
fn a_subscriber_that_panics_stops_nobody() {
    let log = log();
    let runtime = Builder::new().workers(3).name("grumpy").blocking_threads(1).build().unwrap();
    for _ in 0..20 {
        let task = runtime.spawn(async { panic_quietly() });
        let result: Result<(), _> = block_on(task);
        assert!(result.unwrap_err().is_panic());
        let job = runtime.spawn_blocking(|| panic_quietly());
        let result: Result<(), _> = block_on(job);
        assert!(result.unwrap_err().is_panic());
    }
    let armed = runtime.spawn(async {
        let mut nap = sleep(Duration::from_millis(1));
        let waker = std::mem::ManuallyDrop::new(grumpy_waker(false, true, false));
        assert!(poll_once(&mut nap, &waker).is_pending());
        sleep(Duration::from_millis(3)).await;
    });
    block_on(armed).unwrap();
    assert_all_work(&runtime, 3);
    assert_eq!(block_on(runtime.spawn_blocking(|| 5)).unwrap(), 5);
    assert!(runtime.metrics().blocking_threads <= 1);
    assert!(runtime.shutdown_timeout(LONG), "all threads are still there to end");
    assert_eq!(told(&log, "grumpy", "goro::task"), 20);
}
