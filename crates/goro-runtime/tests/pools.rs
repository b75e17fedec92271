//! Named pools: their sizes, their bounds, and jobs that are cancelled while they wait.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::blocking::{self, Config, Pool};
use goro_runtime::task::{Cause, JoinHandle};
use goro_runtime::time::Duration;
use goro_runtime::{BuildError, Builder, Runtime, block_on, spawn_blocking, try_spawn_blocking};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

const LONG: Duration = Duration::from_secs(20);

fn with(pool: Config) -> (Runtime, Pool) {
    let runtime = Builder::new().workers(1).blocking_pool(pool).build().unwrap();
    let pool = runtime.handle().blocking_pool("named").expect("it was given to the builder");
    (runtime, pool)
}

fn named() -> Config {
    Config::new("named")
}

/// Keeps a thread of `pool` until the sender goes.
fn occupy(pool: &Pool) -> (mpsc::Sender<()>, JoinHandle<bool>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, wait) = mpsc::channel();
    let job = pool.spawn(move || {
        begun.send(()).unwrap();
        released.recv().is_err()
    });
    wait.recv_timeout(LONG).expect("it is begun");
    (release, job)
}

fn cause<T>(job: JoinHandle<T>) -> Option<Cause> {
    block_on(job).err().and_then(|error| error.cause().cloned())
}

#[test]
fn what_no_pool_can_be_is_refused() {
    let build = |pool| Builder::new().workers(1).blocking_pool(pool).build().unwrap_err();
    for name in ["named", "blocking"] {
        let error = build(Config::new(name).most(0));
        assert!(matches!(error, BuildError::NoBlockingThreads), "{error:?}");
        let error = build(Config::new(name).least(3).most(2));
        assert!(matches!(error, BuildError::PoolSize { least: 3, most: 2, .. }), "{error:?}");
        assert!(error.to_string().contains(name));
    }
    assert!(matches!(build(Config::new("a\0b")), BuildError::Name(_)));
    let twice = Builder::new().blocking_pool(named()).blocking_pool(named());
    let error = twice.build().unwrap_err();
    assert!(matches!(&error, BuildError::PoolTwice(name) if name == "named"), "{error:?}");
    let scripted = Builder::new().blocking_pool(named().most(0)).build_scripted(Some(1));
    assert!(matches!(scripted.unwrap_err(), BuildError::NoBlockingThreads));
}

#[test]
fn huge_sizes_are_no_more_than_bounds() {
    let (_runtime, pool) =
        with(named().most(usize::MAX).queue(usize::MAX).keep_alive(Duration::MAX));
    assert_eq!(block_on(pool.spawn(|| 4)).unwrap(), 4);
    let (_runtime, pool) = with(named().most(usize::MAX).queue(0).keep_alive(Duration::ZERO));
    assert_eq!(block_on(pool.try_spawn(|| 5).unwrap()).unwrap(), 5);
}

#[test]
fn pools_are_found_by_their_names_and_run_beside_each_other() {
    let (runtime, pool) = with(named().most(1));
    assert!(runtime.handle().blocking_pool("no such").is_none());
    let (release, job) = occupy(&pool);
    assert_eq!(block_on(runtime.spawn_blocking(|| 1)).unwrap(), 1, "not behind that one");
    let every = runtime.handle().blocking_pool("blocking").expect("every runtime has it");
    assert_eq!((every.name(), pool.name()), ("blocking", "named"));
    assert_eq!(every.metrics().begun, 1);
    let names: Vec<_> = runtime.metrics().pools.into_iter().map(|pool| pool.name).collect();
    assert_eq!(names, ["blocking", "named"]);
    drop(release);
    assert!(block_on(job).unwrap());
}

#[test]
fn threads_are_called_after_their_pool() {
    let builder = Builder::new().workers(1).name("x").blocking_pool(Config::new("dns"));
    let runtime = builder.build().unwrap();
    let name = || std::thread::current().name().map(str::to_owned);
    let dns = runtime.handle().blocking_pool("dns").unwrap();
    assert_eq!(block_on(dns.spawn(name)).unwrap().as_deref(), Some("x-dns"));
    assert_eq!(block_on(runtime.spawn_blocking(name)).unwrap().as_deref(), Some("x-blocking"));
}

/// The least are there from the start and stay; the others go when they have been idle.
#[test]
fn the_least_stay_and_the_others_go() {
    let (_runtime, pool) = with(named().least(2).most(8).keep_alive(Duration::from_millis(1)));
    assert_eq!(pool.metrics().threads, 2, "started with the runtime");
    for _ in 0..20 {
        let barrier = Arc::new(std::sync::Barrier::new(8));
        let jobs: Vec<_> = (0..8)
            .map(|_| {
                let barrier = barrier.clone();
                pool.spawn(move || barrier.wait().is_leader())
            })
            .collect();
        let leaders = jobs.into_iter().map(block_on).filter(|l| matches!(l, Ok(true)));
        assert_eq!(leaders.count(), 1);
        while pool.metrics().threads > 2 {
            std::thread::yield_now();
        }
    }
    assert_eq!(pool.metrics().threads, 2);
    // Ending waits for those that sleep without a deadline, too.
}

#[test]
fn a_full_pool_gives_the_closure_back() {
    for (most, queue) in [(1, 0), (1, 2), (2, 1)] {
        let (runtime, pool) = with(named().most(most).queue(queue));
        let held: Vec<_> = (0..most).map(|_| occupy(&pool)).collect();
        let queued: Vec<_> = (0..queue).map(|n| pool.try_spawn(move || n).unwrap()).collect();
        let refused = pool.try_spawn(|| "back").unwrap_err();
        assert!(refused.is_full() && !refused.is_shutting_down());
        assert!(refused.thread_error().is_none());
        assert!(refused.to_string().contains("Config::queue"), "{refused}");
        assert_eq!(refused.into_closure()(), "back");
        assert_eq!(cause(pool.spawn(|| ())), Some(Cause::Limit));
        assert_eq!((pool.metrics().refused, pool.metrics().queued), (2, queue));
        for (release, job) in held {
            drop(release);
            assert!(block_on(job).unwrap());
        }
        for (n, job) in queued.into_iter().enumerate() {
            assert_eq!(block_on(job).unwrap(), n);
        }
        assert_eq!(block_on(pool.try_spawn(|| 9).unwrap()).unwrap(), 9, "there is room again");
        drop(runtime);
        let refused = pool.try_spawn(|| 1).unwrap_err();
        assert!(refused.is_shutting_down());
        assert_eq!(cause(pool.spawn(|| ())), Some(Cause::Shutdown));
    }
}

#[test]
fn the_pool_of_every_runtime_can_be_bounded() {
    let pool = Config::new("blocking").most(1).queue(0);
    let runtime = Builder::new().workers(1).blocking_pool(pool).build().unwrap();
    let (release, job) = occupy(&runtime.handle().blocking_pool("blocking").unwrap());
    let _inside = runtime.enter();
    assert!(try_spawn_blocking(|| ()).unwrap_err().is_full());
    assert_eq!(cause(spawn_blocking(|| ())), Some(Cause::Limit));
    drop(release);
    assert!(block_on(job).unwrap());
}

/// All threads are taken, so nobody will come for it: it ends all the same.
#[test]
fn an_aborted_job_ends_while_it_waits_and_its_place_is_free() {
    let (_runtime, pool) = with(named().most(1).queue(1));
    let (release, job) = occupy(&pool);
    for round in 0..100 {
        let ran = Arc::new(AtomicBool::new(false));
        let flag = ran.clone();
        let queued = pool.try_spawn(move || flag.store(true, Ordering::SeqCst)).unwrap();
        assert!(pool.try_spawn(|| ()).unwrap_err().is_full(), "round {round}");
        queued.abort();
        assert_eq!(cause(queued), Some(Cause::Aborted));
        assert_eq!(Arc::strong_count(&ran), 1, "the closure is dropped");
        assert!(!ran.load(Ordering::SeqCst));
        assert_eq!(pool.metrics().queued, 0);
    }
    drop(release);
    assert!(block_on(job).unwrap());
}

/// Who aborts may hold what the closure's destructor wants.
#[test]
fn an_abort_runs_no_destructor_of_the_closures() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (_runtime, pool) = with(named().most(1));
    let (release, job) = occupy(&pool);
    let lock = Arc::new(Mutex::new(0));
    let captured = Locks(lock.clone());
    let queued = pool.spawn(move || drop(captured));
    {
        let _held = lock.lock().unwrap();
        queued.abort();
    }
    assert_eq!(cause(queued), Some(Cause::Aborted));
    assert_eq!(*lock.lock().unwrap(), 1);
    drop(release);
    assert!(block_on(job).unwrap());
}

/// An abort meets the thread that comes for the job: it runs, or it does not, and the handle knows.
#[test]
fn an_abort_that_meets_the_thread_is_told_apart() {
    let (_runtime, pool) = with(named().most(2));
    for round in 0..2_000 {
        let ran = Arc::new(AtomicUsize::new(0));
        let counted = ran.clone();
        let job = pool.spawn(move || counted.fetch_add(1, Ordering::SeqCst));
        for _ in 0..round % 400 * 10 {
            std::hint::spin_loop();
        }
        job.abort();
        let ended = block_on(job);
        let expected = usize::from(ended.is_ok());
        assert_eq!(ran.load(Ordering::SeqCst), expected, "round {round}: {ended:?}");
    }
    assert_eq!(pool.metrics().queued, 0);
}

/// Begins a job that runs until it should stop.
fn obedient(pool: &Pool) -> JoinHandle<u32> {
    let (begun, wait) = mpsc::channel();
    let job = pool.spawn(move || {
        begun.send(blocking::is_cancelled()).unwrap();
        while !blocking::is_cancelled() {
            std::thread::yield_now();
        }
        11
    });
    assert!(!wait.recv_timeout(LONG).expect("it is begun"));
    job
}

#[test]
fn a_job_that_runs_can_ask_whether_it_should_stop() {
    assert!(!blocking::is_cancelled(), "no job");
    let (runtime, pool) = with(named().most(1));
    let job = obedient(&pool);
    job.abort();
    // It ran to its end, which an abort cannot prevent.
    assert_eq!(block_on(job).unwrap(), 11);
    assert!(!block_on(pool.spawn(blocking::is_cancelled)).unwrap(), "the job's, not the thread's");
    let job = obedient(&pool);
    drop(runtime);
    assert_eq!(block_on(job).unwrap(), 11);
}

#[test]
fn waits_for_a_thread_are_recorded() {
    let (runtime, pool) = with(named().most(1));
    assert_eq!(pool.metrics().waits.count(), 0);
    let (release, job) = occupy(&pool);
    let queued: Vec<_> = (0..9).map(|n| pool.spawn(move || n)).collect();
    let hold = Duration::from_millis(30);
    std::thread::sleep(hold);
    drop(release);
    assert!(block_on(job).unwrap());
    assert!(queued.into_iter().all(|job| block_on(job).is_ok()));
    let metrics = runtime.handle().metrics();
    let waits = metrics.pools[1].waits;
    assert_eq!((waits.count(), metrics.pools[1].begun), (10, 10));
    assert!(waits.longest() >= hold && waits.total() >= hold * 9);
    assert!(waits.quantile(0.5) >= hold, "{waits:?}");
}

/// 1,000 jobs block at once: as many threads as the pool may have, and none when they have idled.
#[test]
fn a_thousand_jobs_that_block_leave_nothing_behind() {
    let (_runtime, pool) = with(named().most(40).keep_alive(Duration::from_millis(20)));
    let (release, released) = crossbeam_channel::unbounded::<()>();
    let jobs: Vec<_> = (0..1_000)
        .map(|_| {
            let released = released.clone();
            pool.spawn(move || released.recv().is_err())
        })
        .collect();
    assert_eq!(pool.metrics().threads, 40);
    drop(release);
    assert!(jobs.into_iter().all(|job| block_on(job).unwrap()));
    while pool.metrics().threads > 0 {
        std::thread::yield_now();
    }
    assert_eq!((pool.metrics().queued, pool.metrics().begun), (0, 1_000));
}

/// Aborted jobs are let go in a script as on threads.
#[test]
fn a_script_forgets_an_aborted_job() {
    let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
    let ran = script
        .run(async {
            let ran = Arc::new(AtomicBool::new(false));
            let flag = ran.clone();
            let job = spawn_blocking(move || flag.store(true, Ordering::SeqCst));
            job.abort();
            assert_eq!(job.await.unwrap_err().cause(), Some(&Cause::Aborted));
            let other = spawn_blocking(|| 3).await.unwrap();
            assert_eq!(other, 3);
            ran.load(Ordering::SeqCst)
        })
        .unwrap();
    assert!(!ran);
}

#[cfg(target_os = "linux")]
mod refused {
    use super::*;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::process::Command;

    fn address_space() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmSize:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Pitfalls 158 and 160: a thread is refused; the closure comes back, nobody spins, and once
    /// there are threads again, jobs run.
    #[test]
    fn a_refused_thread_gives_the_closure_back() {
        let test = "refused::a_refused_thread_gives_the_closure_back";
        if std::env::var_os("GORO_TEST_PART").is_none() {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", test, "--nocapture"]).env("GORO_TEST_PART", "1");
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8(output.stdout).unwrap().contains("it came back"));
            return;
        }
        let stack = 1_usize << 33;
        let builder = Builder::new().workers(1).stack_size(stack);
        let runtime = builder.blocking_pool(named().most(4)).build().unwrap();
        let pool = runtime.handle().blocking_pool("named").unwrap();
        let before = getrlimit(Resource::As);
        let room = address_space() + stack as u64 / 2;
        setrlimit(Resource::As, Rlimit { current: Some(room), ..before }).unwrap();
        let refused = pool.try_spawn(|| 6).unwrap_err();
        assert!(refused.thread_error().is_some() && !refused.is_full());
        assert!(refused.to_string().contains("ulimit -u"), "{refused}");
        assert_eq!(refused.into_closure()(), 6);
        assert!(block_on(pool.spawn(|| ())).is_err());
        let metrics = pool.metrics();
        assert_eq!((metrics.threads, metrics.queued, metrics.refused), (0, 0, 2));

        // The least that are to stay are refused: so is the runtime.
        let few =
            Builder::new().workers(1).blocking_pool(named().least(2).most(2)).stack_size(stack);
        let error = few.build().unwrap_err();
        assert!(matches!(error, BuildError::Thread { .. }), "{error:?}");
        setrlimit(Resource::As, before).unwrap();
        assert_eq!(block_on(pool.try_spawn(|| 7).unwrap()).unwrap(), 7);
        println!("it came back");
    }
}

/// What a thousand jobs that block leave behind: no thread, and no memory but what the allocator keeps
/// once for having had so many threads, which the first round is for.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_jobs_that_block_give_their_memory_back() {
    let test = "a_thousand_jobs_that_block_give_their_memory_back";
    if std::env::var_os("GORO_TEST_PART").is_none() {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env("GORO_TEST_PART", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("given back"));
        return;
    }
    let keep_alive = Duration::from_millis(50);
    let runtime = Builder::new().workers(2).blocking_keep_alive(keep_alive).build().unwrap();
    let size = threads();
    let first = a_thousand_block(&runtime, size);
    for round in 0..4 {
        let again = a_thousand_block(&runtime, size);
        println!("{first} kB, then {again} kB: given back");
        assert!(again * 10 <= first * 12, "round {round}: {first} kB, then {again} kB");
    }
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Has a thousand jobs block at once, waits until their threads have gone, and returns how many kB are
/// resident then.
#[cfg(target_os = "linux")]
fn a_thousand_block(runtime: &Runtime, size: usize) -> u64 {
    let (release, released) = crossbeam_channel::unbounded::<()>();
    let jobs: Vec<_> = (0..1_000_u32)
        .map(|n| {
            let released = released.clone();
            runtime.spawn_blocking(move || {
                let stack = std::hint::black_box([n; 8_192]);
                released.recv().is_err() && stack[7] == n
            })
        })
        .collect();
    assert_eq!(runtime.metrics().blocking_threads, 512, "as many as there may be");
    drop(release);
    assert!(jobs.into_iter().all(|job| block_on(job).unwrap()));
    while runtime.metrics().blocking_threads > 0 || threads() > size {
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
