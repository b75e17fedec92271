use core::time::Duration;
use goro_shim::global::{Arc, AtomicBool, AtomicUsize, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Wake;

use super::*;
use crate::testing::{Wakes, for_ever};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(5);

fn timers(start: fn(&'static Timers) -> io::Result<()>) -> &'static Timers {
    for_ever(Timers::new(start))
}

fn nobody(_: &'static Timers) -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
}

/// Pretends to have started a thread, which never comes.
fn never_comes(_: &'static Timers) -> io::Result<()> {
    Ok(())
}

/// A waker that writes its number to a log.
struct Numbered {
    number: usize,
    log: Arc<Lock<Vec<usize>>>,
    wakes: Arc<Wakes>,
}

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.log.lock().push(self.number);
        self.wakes.waker().wake();
    }
}

struct Log {
    log: Arc<Lock<Vec<usize>>>,
    wakes: Arc<Wakes>,
}

impl Log {
    fn new() -> Self {
        Self { log: Arc::default(), wakes: Wakes::new() }
    }

    fn waker(&self, number: usize) -> Waker {
        let (log, wakes) = (Arc::clone(&self.log), Arc::clone(&self.wakes));
        Waker::from(Arc::new(Numbered { number, log, wakes }))
    }

    fn when_there_are(&self, count: usize) -> Vec<usize> {
        self.wakes.wait_for(count);
        self.log.lock().clone()
    }
}

#[test]
fn deadlines_fire_in_their_order_and_equal_ones_in_the_order_of_arming() {
    // The thread starts when all are armed, so that none fires before an earlier one is armed.
    let timers = timers(never_comes);
    let log = Log::new();
    let base = time::now();
    // Three equal ones at each of a hundred points, armed from the last to the first; more than a
    // batch.
    let mut expected = Vec::new();
    for point in (0..100_u32).rev() {
        let first = point as usize * 3;
        for number in first..first + 3 {
            timers.arm(base + point * Duration::from_micros(1), &log.waker(number)).unwrap();
        }
        expected.extend(first..first + 3);
    }
    expected.sort_unstable();
    start(timers).unwrap();
    assert_eq!(log.when_there_are(300), expected);
    assert_eq!(timers.armed(), 0);
}

#[test]
fn an_earlier_deadline_is_not_kept_waiting_by_a_later_one() {
    let timers = timers(start);
    let log = Log::new();
    let far = timers.arm(time::now() + HOUR, &log.waker(0)).unwrap();
    for number in 1..=3 {
        let at = time::now() + SOON;
        timers.arm(at, &log.waker(number)).unwrap();
        assert_eq!(log.when_there_are(number).len(), number);
        assert!(time::now() >= at);
    }
    timers.disarm(far);
    assert_eq!(timers.armed(), 0);
}

#[test]
fn a_past_deadline_fires_at_once_and_the_farthest_is_accepted() {
    let timers = timers(start);
    let log = Log::new();
    timers.arm(crate::time::after(Duration::MAX), &log.waker(0)).unwrap();
    timers.arm(time::now() + Duration::from_secs(u64::from(u32::MAX) * 8), &log.waker(0)).unwrap();
    timers.arm(time::now() - SOON, &log.waker(1)).unwrap();
    assert_eq!(log.when_there_are(1), [1]);
    assert_eq!(timers.armed(), 2);
}

#[test]
fn the_waker_armed_last_is_woken_and_stale_keys_are_nobodys() {
    let timers = timers(start);
    let log = Log::new();
    let key = timers.arm(time::now() + SOON, &log.waker(1)).unwrap();
    let waker = log.waker(2);
    // The thread may be quicker than these two; whoever it wakes is then the one armed last.
    let replaced = timers.rearm(key, &waker) && timers.rearm(key, &waker);
    let woken = log.when_there_are(1);
    assert!(woken == [2] || !replaced, "{woken:?}");
    assert!(!timers.rearm(key, &waker));
    timers.disarm(key);
    let next = timers.arm(time::now() + HOUR, &waker).unwrap();
    timers.disarm(key);
    assert_ne!(key, next);
    assert_eq!(timers.armed(), 1);
}

#[test]
fn cancelled_deadlines_leave_no_memory() {
    let timers = timers(never_comes);
    let far = time::now() + HOUR;
    let shared = Wakes::new();
    let waker = shared.waker();
    let keys: Vec<_> =
        (0..10_000_u32).map(|n| timers.arm(far + n * SOON, &waker).unwrap()).collect();
    let (kept, cancelled) = keys.split_at(10);
    for key in cancelled {
        timers.disarm(*key);
        let state = timers.state.lock();
        assert!(state.heap.len() <= 2 * state.wakers.len() + SLACK);
    }
    assert_eq!(timers.armed(), kept.len());
    assert!(timers.state.lock().heap.capacity() <= 4 * SLACK);
    // The test's own two, and the kept.
    assert_eq!(Arc::strong_count(&shared), 2 + kept.len());
    // Arming and cancelling for ever stays within the same bound.
    for _ in 0..10_000 {
        timers.disarm(timers.arm(far, &waker).unwrap());
    }
    assert!(timers.state.lock().heap.len() <= 2 * kept.len() + SLACK + 1);
}

#[test]
fn a_waker_that_panics_holds_nobody_up() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            resume_unwind(Box::new(()));
        }
    }
    impl Drop for Bad {
        fn drop(&mut self) {
            if !goro_shim::thread::panicking() {
                resume_unwind(Box::new(()));
            }
        }
    }
    let timers = timers(start);
    let log = Log::new();
    let at = time::now() + SOON;
    for number in 0..10 {
        let bad = Waker::from(Arc::new(Bad));
        timers.arm(at, &bad).unwrap();
        timers.arm(at, &log.waker(number)).unwrap();
        // On a machine that stood still it is the last one by now.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(bad)));
    }
    assert_eq!(log.when_there_are(10), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_refused_thread_is_an_error_that_leaves_nothing_and_heals() {
    static ALLOWED: AtomicBool = AtomicBool::new(false);
    fn sometimes(timers: &'static Timers) -> io::Result<()> {
        if ALLOWED.load(Ordering::Acquire) { start(timers) } else { nobody(timers) }
    }
    let timers = timers(sometimes);
    let log = Log::new();
    let waker = log.waker(1);
    for _ in 0..3 {
        assert_eq!(timers.arm(time::now() + SOON, &waker), Err(Gone));
        assert_eq!((timers.armed(), timers.state.lock().heap.len()), (0, 0));
    }
    ALLOWED.store(true, Ordering::Release);
    timers.arm(time::now() + SOON, &waker).unwrap();
    assert_eq!(log.when_there_are(1), [1]);
}

/// Whoever arms while another one is starting the thread relies on it; refused, it is woken to
/// find out, instead of waiting for ever.
#[test]
fn a_refused_thread_wakes_those_who_relied_on_it() {
    static RELIER: Lock<Option<Waker>> = Lock::new(None);
    fn armed_meanwhile_then_refused(timers: &'static Timers) -> io::Result<()> {
        let waker = RELIER.lock().take().unwrap();
        timers.arm(time::now() + HOUR, &waker).expect("someone is starting a thread");
        nobody(timers)
    }
    let timers = timers(armed_meanwhile_then_refused);
    let log = Log::new();
    *RELIER.lock() = Some(log.waker(1));
    assert_eq!(timers.arm(time::now() + HOUR, &log.waker(0)), Err(Gone));
    assert_eq!(log.when_there_are(1), [1], "the relier, not the starter");
    assert_eq!(timers.armed(), 0);
}

#[test]
fn however_many_come_at_once_one_thread_is_started() {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    fn counted(timers: &'static Timers) -> io::Result<()> {
        STARTS.fetch_add(1, Ordering::AcqRel);
        start(timers)
    }
    let timers = timers(counted);
    assert_eq!(STARTS.load(Ordering::Acquire), 0, "lazily");
    let threads: Vec<_> = (0..8)
        .map(|i| {
            let arm = move || {
                let log = Log::new();
                for number in 1..=20 {
                    timers
                        .arm(time::now() + number * Duration::from_micros(50), &log.waker(0))
                        .unwrap();
                }
                log.when_there_are(20).len()
            };
            thread::start(format!("armer {i}"), None, arm).unwrap()
        })
        .collect();
    assert_eq!(threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>(), 160);
    assert_eq!(STARTS.load(Ordering::Acquire), 1);
}

#[test]
fn with_nothing_due_the_thread_sleeps() {
    let timers = timers(start);
    let log = Log::new();
    for far in [None, Some(HOUR)] {
        if let Some(far) = far {
            timers.arm(time::now() + far, &log.waker(0)).unwrap();
        }
        timers.arm(time::now() + SOON, &log.waker(1)).unwrap();
        log.when_there_are(1);
        thread::sleep(4 * SOON);
    }
    // Each arm wakes it, each deadline, and the kernel now and then for nothing.
    assert!(timers.state.lock().looks < 50);
}

#[test]
fn a_thread_left_behind_by_a_fork_is_replaced() {
    let timers = timers(start);
    let log = Log::new();
    let parents = fork::generation().wrapping_sub(1);
    timers.state.lock().thread = Keeper::Running(parents, thread::current());
    timers.arm(time::now() + SOON, &log.waker(1)).unwrap();
    assert_eq!(log.when_there_are(1), [1]);
}

#[test]
fn it_runs_no_tasks_and_hands_them_back() {
    let timers = timers(nobody);
    assert!(timers.spawn(Box::pin(async {}), Kind::OTHER).is_err());
    assert!(timers.spawn_blocking(Box::new(|| ()), Kind::OTHER).is_err());
    let mut ran = false;
    timers.blocking(&mut || ran = true);
    assert!(ran);
}
