//! Blocking jobs: how many threads they get, how long those stay, and that no job is lost.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::JoinHandle;
use goro_runtime::time::Duration;
use goro_runtime::{Builder, Handle, Runtime, block_on, spawn, spawn_blocking};
use std::cell::RefCell;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

const LONG: Duration = Duration::from_secs(20);

fn pool_of(threads: usize) -> Runtime {
    Builder::new().workers(1).blocking_threads(threads).build().unwrap()
}

/// Waits for a handle from a plain thread; `None` when it does not resolve.
fn resolved<T: Send + 'static>(
    handle: JoinHandle<T>,
) -> Option<Result<T, goro_runtime::task::JoinError>> {
    let (ended, wait) = mpsc::channel();
    std::thread::spawn(move || ended.send(block_on(handle)));
    wait.recv_timeout(LONG).ok()
}

#[test]
fn no_more_threads_than_allowed_and_no_job_lost() {
    for limit in [1, 2, 5] {
        let runtime = pool_of(limit);
        let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs: Vec<_> = (0..200)
            .map(|n| {
                let (inside, most) = (inside.clone(), most.clone());
                runtime.spawn_blocking(move || {
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    n
                })
            })
            .collect();
        let sum: i32 = jobs.into_iter().map(|job| block_on(job).unwrap()).sum();
        assert_eq!(sum, 199 * 200 / 2);
        assert!(most.load(Ordering::SeqCst) <= limit);
        assert!(runtime.metrics().blocking_threads <= limit);
    }
}

#[test]
fn as_many_jobs_block_at_once_as_there_may_be_threads() {
    let runtime = pool_of(4);
    let barrier = Arc::new(std::sync::Barrier::new(4));
    let jobs: Vec<_> = (0..4)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn_blocking(move || barrier.wait().is_leader())
        })
        .collect();
    let leaders = jobs.into_iter().filter_map(resolved).filter(|leader| matches!(leader, Ok(true)));
    assert_eq!(leaders.count(), 1);
}

#[test]
fn jobs_beyond_the_limit_wait_and_are_counted() {
    let runtime = pool_of(1);
    let (release, released) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || released.recv().is_err());
    while runtime.metrics().blocking_queued > 0 {
        std::thread::yield_now();
    }
    let ran = Arc::new(AtomicUsize::new(0));
    let queued: Vec<_> = (0..1_000)
        .map(|_| {
            let ran = ran.clone();
            runtime.spawn_blocking(move || ran.fetch_add(1, Ordering::Relaxed))
        })
        .collect();
    let metrics = runtime.metrics();
    assert_eq!((metrics.blocking_threads, metrics.blocking_queued), (1, 1_000));
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    drop(release);
    assert!(block_on(first).unwrap());
    for job in queued {
        block_on(job).unwrap();
    }
    assert_eq!(ran.load(Ordering::Relaxed), 1_000);
    assert_eq!(runtime.metrics().blocking_queued, 0);
}

#[test]
fn idle_threads_end_and_a_later_job_starts_one_again() {
    let runtime =
        Builder::new().workers(1).blocking_keep_alive(Duration::from_millis(1)).build().unwrap();
    for round in 0..50 {
        assert_eq!(block_on(runtime.spawn_blocking(move || round)).unwrap(), round);
        while runtime.metrics().blocking_threads > 0 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn any_keep_alive_will_do() {
    for keep_alive in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let runtime = Builder::new().workers(1).blocking_keep_alive(keep_alive).build().unwrap();
        for n in 0..200 {
            assert_eq!(block_on(runtime.spawn_blocking(move || n)).unwrap(), n);
        }
        let burst: Vec<_> = (0..200).map(|n| runtime.spawn_blocking(move || n)).collect();
        for (n, job) in burst.into_iter().enumerate() {
            assert_eq!(block_on(job).unwrap(), n);
        }
    }
}

#[test]
fn panics_cost_no_thread() {
    let runtime = pool_of(2);
    for n in 0..1_000 {
        // Without the hook's message.
        let job = runtime.spawn_blocking(move || resume_unwind(Box::new(n)));
        let result: Result<(), _> = block_on(job);
        assert_eq!(result.unwrap_err().into_panic().downcast_ref(), Some(&n));
    }
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let pair: Vec<_> = (0..2)
        .map(|_| {
            let barrier = barrier.clone();
            runtime.spawn_blocking(move || barrier.wait().is_leader())
        })
        .collect();
    for job in pair {
        assert!(resolved(job).expect("both threads are there").is_ok());
    }
    assert!(runtime.metrics().blocking_threads <= 2);
}

#[test]
fn a_job_is_inside_its_runtime() {
    let runtime = Builder::new().workers(1).name("inside").build().unwrap();
    let job = runtime.spawn_blocking(|| {
        let task = spawn(async { 1 });
        let job = spawn_blocking(|| 2);
        (Handle::current().name().to_owned(), block_on(task).unwrap() + block_on(job).unwrap())
    });
    assert_eq!(block_on(job).unwrap(), ("inside".to_owned(), 3));
}

/// Pitfall 73: a job queued during shutdown is run or cancelled, never neither.
#[test]
fn jobs_that_race_the_end_are_run_or_cancelled() {
    for round in 0..400 {
        let runtime = Builder::new()
            .workers(1)
            .blocking_threads(2)
            .blocking_keep_alive(Duration::from_micros(round % 3 * 50))
            .build()
            .unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let handle = runtime.handle().clone();
                std::thread::spawn(move || {
                    let jobs: Vec<_> = (0..20).map(|n| handle.spawn_blocking(move || n)).collect();
                    (0..).zip(jobs).map(|(n, job)| (n, block_on(job))).collect::<Vec<_>>()
                })
            })
            .collect();
        for _ in 0..round * 3 {
            std::hint::spin_loop();
        }
        drop(runtime);
        for thread in threads {
            for (n, result) in thread.join().unwrap() {
                match result {
                    Ok(value) => assert_eq!(value, n),
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
        }
    }
}

/// Once the pool is closed, jobs that no thread has begun are cancelled, also by a thread that is
/// free to run them.
#[test]
fn nothing_begins_once_the_pool_is_closed() {
    for _ in 0..200 {
        let runtime = pool_of(2);
        let closed = Arc::new(AtomicBool::new(false));
        let jobs: Vec<_> = (0..40)
            .map(|_| {
                let closed = closed.clone();
                runtime.spawn_blocking(move || closed.load(Ordering::SeqCst))
            })
            .collect();
        let handle = runtime.handle().clone();
        drop(runtime);
        closed.store(true, Ordering::SeqCst);
        assert!(handle.is_shutting_down());
        for job in jobs {
            if let Ok(late) = block_on(job) {
                assert!(!late, "a job began after the end of the runtime");
            }
        }
    }
}

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn what_a_cancelled_job_has_captured_may_panic_and_spawn() {
    let runtime = pool_of(1);
    let (release, released) = mpsc::channel::<()>();
    let first = runtime.spawn_blocking(move || released.recv().is_err());
    while runtime.metrics().blocking_queued > 0 {
        std::thread::yield_now();
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let queued: Vec<_> = (0..50)
        .map(|n| {
            let (dropped, handle) = (dropped.clone(), runtime.handle().clone());
            let guard = OnDrop(move || {
                dropped.fetch_add(1, Ordering::Relaxed);
                drop(handle.spawn_blocking(|| ()));
                drop(handle.spawn(async {}));
                assert!(n % 2 == 0, "destructor {n}");
            });
            runtime.spawn_blocking(move || drop(guard))
        })
        .collect();
    runtime.shutdown_background();
    for job in queued {
        assert!(resolved(job).expect("it ends").is_err());
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 50);
    drop(release);
    assert!(block_on(first).unwrap());
}

fn in_own_process(test: &str) -> Option<String> {
    if std::env::var_os("GORO_TEST_PART").is_some() {
        return None;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("GORO_TEST_PART", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{test}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Pitfall 74: also by a job that has no handle, such as a name look-up.
#[test]
fn a_runtime_may_be_dropped_by_a_job_without_a_handle() {
    let runtime = pool_of(1);
    let handle = runtime.handle().clone();
    let (done, wait) = mpsc::channel();
    {
        let _inside = handle.enter();
        let host = goro_context::host::current().unwrap();
        let job = Box::new(move || {
            assert_eq!(Handle::current().name(), "goro");
            drop(runtime);
            done.send(()).unwrap();
        });
        host.spawn_blocking(job, goro_context::Kind::OTHER).unwrap();
    }
    wait.recv_timeout(LONG).expect("the drop came back");
    assert!(handle.is_shutting_down());
}

/// Pitfall 74 again: by a thread-local of one of its own threads, when that ends for want of work.
#[test]
fn a_runtime_may_be_dropped_by_a_thread_local_of_its_own_thread() {
    thread_local! {
        static KEPT: RefCell<Option<Arc<Runtime>>> = const { RefCell::new(None) };
    }
    let test = "a_runtime_may_be_dropped_by_a_thread_local_of_its_own_thread";
    if let Some(printed) = in_own_process(test) {
        assert!(printed.contains("the runtime is gone"), "{printed}");
        return;
    }
    let builder = Builder::new().workers(1).blocking_keep_alive(Duration::from_millis(1));
    let runtime = Arc::new(builder.build().unwrap());
    let (handle, kept) = (runtime.handle().clone(), runtime.clone());
    let (done, wait) = mpsc::channel();
    let watch = OnDrop(move || done.send(()).unwrap());
    // Dropped when the runtime stops.
    drop(runtime.spawn(async move {
        let _watch = watch;
        std::future::pending::<()>().await;
    }));
    drop(runtime.spawn_blocking(move || KEPT.set(Some(kept))));
    drop(runtime);
    wait.recv_timeout(LONG).expect("the last owner was the thread-local");
    assert!(handle.is_shutting_down());
    println!("the runtime is gone");
}

#[cfg(target_os = "linux")]
mod refused {
    use super::*;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    fn address_space() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmSize:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Pitfall 158: when every thread is refused, a job that counted on another's thread must not
    /// wait for it for ever.
    #[test]
    fn no_job_is_queued_for_a_thread_that_never_came() {
        let test = "refused::no_job_is_queued_for_a_thread_that_never_came";
        if let Some(printed) = in_own_process(test) {
            assert!(printed.contains("every job was answered"), "{printed}");
            return;
        }
        let stack = 1_usize << 33;
        for limit in [1, 64] {
            let builder = Builder::new().workers(1).stack_size(stack).blocking_threads(limit);
            let runtime = builder.build().unwrap();
            let start = Arc::new(std::sync::Barrier::new(4));
            let answered = Arc::new(Mutex::new(Vec::new()));
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (start, answered) = (start.clone(), answered.clone());
                    let handle = runtime.handle().clone();
                    std::thread::spawn(move || {
                        start.wait();
                        for round in 0..500 {
                            let result = block_on(handle.spawn_blocking(move || round));
                            answered.lock().unwrap().push(result.is_err());
                        }
                    })
                })
                .collect();
            let before = getrlimit(Resource::As);
            let room = address_space() + stack as u64 / 2;
            setrlimit(Resource::As, Rlimit { current: Some(room), ..before }).unwrap();
            start.wait();
            for thread in threads {
                thread.join().unwrap();
            }
            setrlimit(Resource::As, before).unwrap();
            let answered = answered.lock().unwrap();
            assert_eq!(answered.len(), 1_500);
            assert!(answered.iter().any(|&refused| refused), "no thread was refused");
        }
        println!("every job was answered");
    }
}

#[test]
fn a_job_runs_although_nobody_holds_its_handle() {
    let runtime = pool_of(2);
    let ran = Arc::new(AtomicBool::new(false));
    let flag = ran.clone();
    drop(runtime.spawn_blocking(move || flag.store(true, Ordering::Release)));
    while !ran.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    assert_eq!(block_on(runtime.spawn_blocking(|| 7)).unwrap(), 7);
}
