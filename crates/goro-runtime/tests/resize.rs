//! The number of workers, changed while the runtime runs: no task is lost, and it comes to be so many.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, LocalRuntime, ResizeError, Runtime, block_on, spawn, spawn_local};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};

fn pool(workers: usize) -> Runtime {
    Builder::new().workers(workers).name("resize").build().unwrap()
}

/// Threads of this process that are workers of a runtime called so.
#[cfg(target_os = "linux")]
fn worker_threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let comms =
        tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    comms.filter(|comm| comm.starts_with(&format!("{name}-worker"))).count()
}

#[test]
fn sizes_that_no_runtime_can_have_are_refused() {
    let runtime = pool(2);
    let handle = runtime.handle();
    assert!(matches!(handle.set_workers(0), Err(ResizeError::NoWorkers)));
    for asked in [1025, 1 << 32, (1 << 32) + 1, usize::MAX] {
        let error = handle.set_workers(asked).unwrap_err();
        assert!(matches!(error, ResizeError::TooManyWorkers { limit: 1024, .. }), "{error:?}");
        assert!(error.to_string().contains("at most 1024"));
    }
    assert_eq!(handle.workers(), 2);
    let local = LocalRuntime::new().unwrap();
    assert!(matches!(local.handle().set_workers(2), Err(ResizeError::Local)));
    let handle = handle.clone();
    drop(runtime);
    assert!(matches!(handle.set_workers(1), Err(ResizeError::Stopped(_))));
}

/// As many tasks block at once as there are workers, after each change (and no spare helps).
#[test]
fn the_size_is_what_was_asked_for() {
    let builder = Builder::new().workers(1).block_spares(0).stall_spares(0);
    let runtime = builder.build().unwrap();
    for size in [4, 1, 3, 8, 2] {
        runtime.handle().set_workers(size).unwrap();
        assert_eq!((runtime.handle().workers(), runtime.metrics().workers.len()), (size, size));
        let barrier = Arc::new(Barrier::new(size));
        let tasks: Vec<_> = (0..size)
            .map(|_| {
                let barrier = barrier.clone();
                runtime.spawn(async move { barrier.wait().is_leader() })
            })
            .collect();
        let leaders = tasks.into_iter().map(|task| block_on(task).unwrap()).filter(|&leads| leads);
        assert_eq!(leaders.count(), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_are_too_many_end() {
    let runtime = Builder::new().workers(2).name("ends").build().unwrap();
    for size in [6, 1, 4, 2] {
        runtime.handle().set_workers(size).unwrap();
        while worker_threads("ends") != size {
            std::thread::yield_now();
        }
        assert_eq!(block_on(runtime.spawn(async { 5 })).unwrap(), 5);
    }
}

/// Tasks that wait, run, sleep and spawn, while the size changes all the time.
#[test]
fn no_task_is_lost_while_the_size_changes() {
    let runtime = pool(2);
    let stop = Arc::new(AtomicBool::new(false));
    let (handle, stopped) = (runtime.handle().clone(), stop.clone());
    let resizer = std::thread::spawn(move || {
        let mut rounds = 0_usize;
        while !stopped.load(Ordering::Relaxed) {
            handle.set_workers(1 + rounds * 7 % 9).unwrap();
            rounds += 1;
            std::thread::sleep(Duration::from_micros(300));
        }
        rounds
    });
    let ended = Arc::new(AtomicUsize::new(0));
    for round in 0..20 {
        let tasks: Vec<_> = (0..200_u64)
            .map(|n| {
                let ended = ended.clone();
                runtime.spawn(async move {
                    for _ in 0..n % 5 {
                        yield_now().await;
                    }
                    sleep(Duration::from_micros(n * 10)).await;
                    let more = spawn(async move { n });
                    assert_eq!(more.await.unwrap(), n);
                    ended.fetch_add(1, Ordering::Relaxed);
                })
            })
            .collect();
        for task in tasks {
            block_on(task).unwrap();
        }
        assert_eq!(ended.load(Ordering::Relaxed), (round + 1) * 200);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(resizer.join().unwrap() > 10);
    assert_eq!(runtime.metrics().tasks_live, 0);
}

/// A timer of a worker that goes is kept, to the microsecond it was armed for or later.
#[test]
fn a_timer_outlives_its_worker() {
    let runtime = pool(8);
    let sleepers: Vec<_> = (0..64)
        .map(|_| {
            runtime.spawn(async {
                let began = std::time::Instant::now();
                sleep(Duration::from_millis(60)).await;
                began.elapsed()
            })
        })
        .collect();
    while runtime.metrics().tasks_parked < 64 {
        std::thread::yield_now();
    }
    runtime.handle().set_workers(1).unwrap();
    for sleeper in sleepers {
        assert!(block_on(sleeper).unwrap() >= Duration::from_millis(60), "fired early");
    }
}

/// A worker with tasks of its own stays for these, and takes no other.
#[test]
fn a_worker_stays_for_its_local_tasks() {
    let runtime = pool(2);
    let (release, mut released) = (Arc::new(AtomicBool::new(false)), None);
    let wait = release.clone();
    let (ready, is_ready) = mpsc::channel();
    let pinned = runtime.handle().spawn_pinned(1, move || async move {
        let here = Rc::new(std::thread::current().id());
        ready.send(()).unwrap();
        while !wait.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
        let other = here.clone();
        let same = spawn_local(async move { *other == std::thread::current().id() });
        same.await.unwrap() && *here == std::thread::current().id()
    });
    is_ready.recv().unwrap();
    runtime.handle().set_workers(1).unwrap();
    let refused = block_on(runtime.handle().spawn_pinned(1, || async {})).unwrap_err();
    assert!(refused.cause().unwrap().to_string().contains("count from 0"), "{refused:?}");
    for n in 0..100 {
        assert_eq!(block_on(runtime.spawn(async move { n })).unwrap(), n);
    }
    assert!(!pinned.is_finished());
    // Larger again before it could go: it is the same one.
    runtime.handle().set_workers(2).unwrap();
    released.replace(block_on(runtime.handle().spawn_pinned(1, || async { 3 })).unwrap());
    assert_eq!(released, Some(3));
    runtime.handle().set_workers(1).unwrap();
    release.store(true, Ordering::SeqCst);
    assert!(block_on(pinned).unwrap());
}

#[test]
fn a_task_may_change_the_size_of_its_own_runtime() {
    let runtime = pool(4);
    for size in [1, 5, 2] {
        let handle = runtime.handle().clone();
        let task = runtime.spawn(async move {
            handle.set_workers(size).unwrap();
            yield_now().await;
            spawn(async move { size }).await.unwrap()
        });
        assert_eq!(block_on(task).unwrap(), size);
    }
}

#[test]
fn changes_that_meet_end_as_one_of_them() {
    let runtime = pool(3);
    for _ in 0..50 {
        let threads: Vec<_> = [1, 6]
            .map(|size| {
                let handle = runtime.handle().clone();
                std::thread::spawn(move || handle.set_workers(size).unwrap())
            })
            .into_iter()
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!([1, 6].contains(&runtime.handle().workers()));
        assert_eq!(block_on(runtime.spawn(async { 2 })).unwrap(), 2);
    }
}

#[test]
fn a_change_that_races_the_end() {
    for round in 0..100 {
        let runtime = pool(2);
        let handle = runtime.handle().clone();
        let resizer = std::thread::spawn(move || {
            (0..20).map(|n| handle.set_workers(1 + n % 6)).filter(Result::is_err).count()
        });
        let tasks: Vec<_> = (0..50).map(|n| runtime.spawn(async move { n })).collect();
        for _ in 0..round * 50 {
            std::hint::spin_loop();
        }
        drop(runtime);
        for task in tasks {
            let ended = block_on(task);
            assert!(ended.is_ok() || ended.unwrap_err().cause() == Some(&Cause::Shutdown));
        }
        assert!(resizer.join().unwrap() <= 20);
    }
}

#[test]
fn the_next_runtime_starts_anew() {
    for _ in 0..30 {
        let runtime = pool(1);
        runtime.handle().set_workers(5).unwrap();
        drop(runtime);
        let runtime = pool(2);
        assert_eq!(runtime.metrics().workers.len(), 2);
        assert_eq!(block_on(runtime.spawn(async { 8 })).unwrap(), 8);
    }
}

/// Under every order of a script, with tasks, timers and pinned tasks; and at the end nothing is left.
#[test]
fn under_any_schedule_nothing_is_lost() {
    for seed in 0..400_u64 {
        let mut script = Builder::new().workers(3).build_scripted(Some(seed)).unwrap();
        let handle = script.handle();
        let done = script
            .run(async move {
                let mut done = 0;
                for round in 0..12_u64 {
                    let size = 1 + (seed + round * 5) % 6;
                    handle.set_workers(size as usize).unwrap();
                    let pinned = handle.spawn_pinned((size / 2) as usize, move || async move {
                        let own = Rc::new(round);
                        sleep(Duration::from_micros(round)).await;
                        *own
                    });
                    let tasks: Vec<_> = (0..8_u64)
                        .map(|n| {
                            spawn(async move {
                                sleep(Duration::from_micros((seed + n) % 4 * 50)).await;
                                yield_now().await;
                                n
                            })
                        })
                        .collect();
                    if round % 2 == 0 {
                        handle.set_workers(1).unwrap();
                    }
                    for (n, task) in (0..).zip(tasks) {
                        assert_eq!(task.await.unwrap(), n);
                        done += 1;
                    }
                    // It may have been refused, if its worker was told to go before.
                    assert!(pinned.await.map_or(true, |found| found == round));
                }
                done
            })
            .unwrap();
        assert_eq!(done, 96, "seed {seed}");
        script.run_until_stalled();
        let metrics = script.handle().metrics();
        assert_eq!((metrics.tasks_live, metrics.injected), (0, 0), "seed {seed}");
    }
}

/// Local tasks that wait on several workers, as a script ends.
#[test]
fn a_script_ends_with_local_tasks_that_wait() {
    for seed in 0..50 {
        let mut script = Builder::new().workers(3).build_scripted(Some(seed)).unwrap();
        let handle = script.handle();
        let tasks: Vec<_> =
            (0..9).map(|n| handle.spawn_pinned(n % 3, std::future::pending::<()>)).collect();
        script.run_until_stalled();
        assert_eq!(script.handle().metrics().tasks_parked, 9);
        drop(script);
        for task in tasks {
            assert_eq!(block_on(task).unwrap_err().cause(), Some(&Cause::Shutdown));
        }
    }
}

/// A thread that the script refuses leaves the runtime as large as it could be made.
#[cfg(target_os = "linux")]
mod refused {
    use super::*;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    fn address_space() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmSize:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    #[test]
    fn a_refused_thread_leaves_what_could_be_had() {
        let test = "refused::a_refused_thread_leaves_what_could_be_had";
        if std::env::var_os("GORO_TEST_PART").is_none() {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", test, "--nocapture"]).env("GORO_TEST_PART", "1");
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(String::from_utf8(output.stdout).unwrap().contains("it goes on"));
            return;
        }
        let stack = 1_usize << 33;
        let runtime = Builder::new().workers(1).stack_size(stack).build().unwrap();
        let before = getrlimit(Resource::As);
        // Room for one more.
        let room = address_space() + stack as u64 + stack as u64 / 2;
        setrlimit(Resource::As, Rlimit { current: Some(room), ..before }).unwrap();
        let error = runtime.handle().set_workers(6).unwrap_err();
        assert!(matches!(error, ResizeError::Thread { workers: 2, .. }), "{error:?}");
        assert!(error.to_string().contains("ulimit -u"), "{error}");
        assert_eq!(runtime.handle().workers(), 2);
        assert_eq!(block_on(runtime.spawn(async { 1 })).unwrap(), 1);
        setrlimit(Resource::As, before).unwrap();
        runtime.handle().set_workers(6).unwrap();
        assert_eq!(runtime.handle().workers(), 6);
        assert_eq!(block_on(runtime.spawn(async { 2 })).unwrap(), 2);
        println!("it goes on");
    }
}
