//! The end of a runtime: what it drops, what it waits for, and where it may happen.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::{Builder, Runtime, spawn, task::yield_now};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn two_workers() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

#[test]
fn every_parked_future_is_dropped_and_its_handle_says_why() {
    let runtime = two_workers();
    let dropped = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..1_000)
        .map(|_| {
            let dropped = dropped.clone();
            runtime.spawn(async move {
                let _guard = OnDrop(move || {
                    dropped.fetch_add(1, Ordering::Relaxed);
                });
                std::future::pending::<()>().await;
            })
        })
        .collect();
    while runtime.metrics().tasks_parked < 1_000 {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(dropped.load(Ordering::Relaxed), 1_000);
    for handle in handles {
        let error = goro_runtime::block_on(handle).unwrap_err();
        assert!(error.is_cancelled());
        assert_eq!(error.cause(), Some(&goro_runtime::task::Cause::Shutdown));
    }
}

/// Pitfall 69: spawn after shutdown hung.
#[test]
fn a_spawn_after_the_end_resolves_to_a_cancellation() {
    let runtime = two_workers();
    let handle = runtime.handle().clone();
    drop(runtime);
    let error = handle.block_on(handle.spawn(async { 1 })).unwrap_err();
    assert!(error.is_cancelled());
    let error = handle.block_on(handle.spawn_blocking(|| 1)).unwrap_err();
    assert!(error.is_cancelled());
    let _inside = handle.enter();
    assert!(goro_runtime::try_spawn(async {}).unwrap_err().is_shutting_down());
}

/// Pitfall 66: tasks dropped under the scheduler's lock.
#[test]
fn a_destructor_may_spawn_wake_and_abort_others() {
    let runtime = two_workers();
    let handle = runtime.handle().clone();
    let refused = Arc::new(AtomicUsize::new(0));
    let others: Vec<_> =
        (0..100).map(|_| runtime.spawn(std::future::pending::<()>()).abort_handle()).collect();
    let others = Arc::new(others);
    for _ in 0..100 {
        let (handle, refused, others) = (handle.clone(), refused.clone(), others.clone());
        drop(runtime.spawn(async move {
            let _guard = OnDrop(move || {
                others.iter().for_each(goro_runtime::task::AbortHandle::abort);
                let late = handle.spawn(async {});
                if goro_runtime::block_on(late).is_err() {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
            std::future::pending::<()>().await;
        }));
    }
    while runtime.metrics().tasks_parked < 200 {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(refused.load(Ordering::Relaxed), 100);
}

/// Pitfall 37: two panics at shutdown abort the process.
#[test]
fn every_destructor_may_panic() {
    let runtime = two_workers();
    let handles: Vec<_> = (0..100)
        .map(|i| {
            runtime.spawn(async move {
                let _guard = OnDrop(move || panic!("destructor {i}"));
                std::future::pending::<()>().await;
            })
        })
        .collect();
    while runtime.metrics().tasks_parked < 100 {
        std::thread::yield_now();
    }
    drop(runtime);
    for handle in handles {
        assert!(goro_runtime::block_on(handle).unwrap_err().is_panic());
    }
}

/// Pitfall 68: task k waits, inside its poll, for the destructor of task j.
#[test]
fn a_poll_may_wait_for_anothers_destructor() {
    for _ in 0..50 {
        let runtime = two_workers();
        let (sender, receiver) = mpsc::channel::<()>();
        drop(runtime.spawn(async move {
            let _sender = sender;
            std::future::pending::<()>().await;
        }));
        let (began, begin) = mpsc::channel();
        let waiting = runtime.spawn(async move {
            began.send(()).unwrap();
            // Ends when the sender is dropped, which only the shutdown does.
            receiver.recv().is_err()
        });
        begin.recv().unwrap();
        drop(runtime);
        assert!(goro_runtime::block_on(waiting).unwrap());
    }
}

/// The same, with no worker left that could come to the end, nor a spare: the monitor ends the others.
#[test]
fn polls_that_wait_for_others_destructors_may_be_all_there_is() {
    for workers in [1, 2] {
        let runtime = Builder::new().workers(workers).stall_spares(0).build().unwrap();
        let (began, begin) = mpsc::channel();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..workers).map(|_| mpsc::channel::<()>()).unzip();
        for sender in senders {
            drop(runtime.spawn(async move {
                let _sender = sender;
                std::future::pending::<()>().await;
            }));
        }
        let stuck = receivers.into_iter().map(|receiver| {
            let began = began.clone();
            runtime.spawn(async move {
                began.send(()).unwrap();
                receiver.recv().is_err()
            })
        });
        let stuck: Vec<_> = stuck.collect();
        (0..workers).for_each(|_| begin.recv().unwrap());
        assert!(runtime.shutdown_timeout(Duration::from_secs(20)), "it ends");
        assert!(stuck.into_iter().all(|task| goro_runtime::block_on(task).unwrap()));
    }
}

#[test]
fn a_runtime_may_be_dropped_inside_its_own_task() {
    let runtime = two_workers();
    let handle = runtime.handle().clone();
    let (done, wait) = mpsc::channel();
    let task = handle.spawn(async move {
        drop(runtime);
        done.send(()).unwrap();
        yield_now().await;
    });
    wait.recv_timeout(Duration::from_secs(10)).expect("the drop came back");
    let _either = goro_runtime::block_on(task);
    assert!(handle.is_shutting_down());
}

/// Pitfall 74: a runtime dropped on its own pool thread waits for itself.
#[test]
fn a_runtime_may_be_dropped_on_its_own_blocking_thread() {
    let runtime = two_workers();
    let handle = runtime.handle().clone();
    let (done, wait) = mpsc::channel();
    drop(handle.spawn_blocking(move || {
        drop(runtime);
        done.send(()).unwrap();
    }));
    wait.recv_timeout(Duration::from_secs(10)).expect("the drop came back");
    assert!(handle.is_shutting_down());
}

#[test]
fn a_runtime_may_be_dropped_inside_a_task_of_another() {
    let outer = two_workers();
    let inner = two_workers();
    let handle = inner.handle().clone();
    outer.block_on(async move { spawn(async move { drop(inner) }).await.unwrap() });
    assert!(handle.is_shutting_down());
}

/// Pitfall 70: shutdown_timeout(0).
#[test]
fn a_shutdown_waits_no_longer_than_it_is_told() {
    for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(50)] {
        let runtime = two_workers();
        let (release, released) = mpsc::channel::<()>();
        let job = runtime.spawn_blocking(move || released.recv().is_err());
        while runtime.metrics().blocking_threads == 0 || runtime.metrics().blocking_queued > 0 {
            std::thread::yield_now();
        }
        assert!(!runtime.shutdown_timeout(timeout), "a job that runs cannot be ended");
        drop(release);
        assert!(goro_runtime::block_on(job).unwrap(), "the job went on to its end");
    }
    assert!(two_workers().shutdown_timeout(Duration::MAX));
}

/// Pitfall 73: a blocking job queued during shutdown is silently skipped.
#[test]
fn queued_blocking_jobs_are_cancelled_and_say_so() {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let running = runtime.spawn_blocking(move || released.recv().is_err());
    while runtime.metrics().blocking_queued > 0 {
        std::thread::yield_now();
    }
    let ran = Arc::new(AtomicBool::new(false));
    let flag = ran.clone();
    let queued = runtime.spawn_blocking(move || flag.store(true, Ordering::Relaxed));
    runtime.shutdown_background();
    let error = goro_runtime::block_on(queued).unwrap_err();
    assert_eq!(error.cause(), Some(&goro_runtime::task::Cause::Shutdown));
    drop(release);
    assert!(goro_runtime::block_on(running).unwrap());
    assert!(!ran.load(Ordering::Relaxed));
}

/// Pitfall 77: a task that owns its executor is never freed.
#[test]
fn a_task_that_owns_its_runtime_does_not_keep_it_for_ever() {
    let runtime = Arc::new(two_workers());
    let dropped = Arc::new(AtomicBool::new(false));
    let (flag, owner) = (dropped.clone(), runtime.clone());
    let handle = runtime.handle().clone();
    drop(runtime.spawn(async move {
        let _guard = OnDrop(move || flag.store(true, Ordering::Release));
        let _owner = owner;
        yield_now().await;
        drop(handle);
    }));
    drop(runtime);
    let began = Instant::now();
    while !dropped.load(Ordering::Acquire) {
        assert!(began.elapsed() < Duration::from_secs(10), "the task and its runtime are gone");
        std::thread::yield_now();
    }
}

/// Pitfall 74's kin: the last owner is a waker, and it is the monitor that drops it.
#[test]
fn a_runtime_may_be_dropped_on_its_own_monitor() {
    struct Owner(Mutex<Option<Runtime>>, mpsc::Sender<()>);
    impl std::task::Wake for Owner {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
            self.1.send(()).unwrap();
        }
    }
    let runtime = Builder::new().workers(1).build().unwrap();
    let handle = runtime.handle().clone();
    let (tell, told) = mpsc::channel();
    let waker = std::task::Waker::from(Arc::new(Owner(Mutex::new(Some(runtime)), tell)));
    let stuck = handle.spawn(async move {
        let mut nap = Box::pin(goro_runtime::time::sleep(Duration::from_millis(2)));
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(nap.as_mut().poll(&mut cx).is_pending());
        // The worker does not come back before the timer has fired.
        told.recv_timeout(Duration::from_secs(20)).is_ok()
    });
    assert!(goro_runtime::block_on(stuck).unwrap());
    assert!(handle.is_shutting_down());
}

/// Pitfall 67: events that arrive in shutdown.
#[test]
fn sockets_that_become_ready_as_the_runtime_ends_do_no_harm() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    for _ in 0..100 {
        let runtime = two_workers();
        let reactor = runtime.handle().reactor().unwrap();
        let dropped = Arc::new(AtomicUsize::new(0));
        let peers: Vec<_> = (0..10)
            .map(|_| {
                let (here, there) = UnixStream::pair().unwrap();
                here.set_nonblocking(true).unwrap();
                let mut source = mio::net::UnixStream::from_std(here);
                let registration = reactor.register(&mut source).unwrap();
                let count = dropped.clone();
                let guard = OnDrop(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                });
                drop(runtime.spawn(async move {
                    let _guard = guard;
                    loop {
                        let read = || (&source).read(&mut [0; 8]);
                        let op = goro_context::Op::Readable;
                        let direction = goro_reactor::Direction::Read;
                        let reading = |cx: &mut std::task::Context<'_>| {
                            registration.poll_io(cx, direction, op, read)
                        };
                        if std::future::poll_fn(reading).await.is_err() {
                            break;
                        }
                    }
                }));
                there
            })
            .collect();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    for mut peer in &peers {
                        // Refused when the other end is closed.
                        let _written = peer.write(b"x");
                    }
                }
            });
            drop(runtime);
            stop.store(true, Ordering::Relaxed);
            // The scope would wait, too, but in a way that ThreadSanitizer does not see.
            writing.join().unwrap();
        });
        assert_eq!(dropped.load(Ordering::Relaxed), 10);
    }
}

/// Every worker is inside a poll that waits for a task which no worker is left to run, nor, now, to
/// cancel: the monitor does.
#[test]
fn polls_that_wait_for_queued_tasks_are_told_of_the_end() {
    for workers in [1, 2] {
        let runtime = Builder::new().workers(workers).build().unwrap();
        let (began, begin) = mpsc::channel();
        let stuck: Vec<_> = (0..workers)
            .map(|_| {
                let began = began.clone();
                runtime.spawn(async move {
                    // One in the ring, one in the injector, one that has parked.
                    let ring = spawn(async {});
                    let handle = goro_runtime::Handle::current();
                    goro_runtime::block_on(async move {
                        let injected = handle.spawn(async {});
                        began.send(()).unwrap();
                        let parked = handle.spawn(std::future::pending::<()>());
                        (ring.await.is_err(), injected.await.is_err(), parked.await.is_err())
                    })
                })
            })
            .collect();
        for _ in 0..workers {
            begin.recv().unwrap();
        }
        assert!(runtime.shutdown_timeout(Duration::from_secs(20)), "it ends");
        for task in stuck {
            let (_, _, parked) = goro_runtime::block_on(task).unwrap();
            assert!(parked, "a task that waits for ever is cancelled");
        }
    }
}

/// Inside a task, whatever it has entered, a drop must not wait: the other runtime's end may need
/// this worker.
#[test]
fn a_runtime_dropped_inside_a_task_is_never_waited_for() {
    for inside in 0..3 {
        let (own, other, third) = (
            Builder::new().workers(1).build().unwrap(),
            Builder::new().workers(1).build().unwrap(),
            two_workers(),
        );
        let (go, gone) = mpsc::channel::<()>();
        let (began, begin) = mpsc::channel();
        // Ends only when a task of the first runtime has run.
        let needs = other.spawn(async move {
            began.send(()).unwrap();
            gone.recv_timeout(Duration::from_secs(20)).is_ok()
        });
        begin.recv().unwrap();
        let third = third.handle().clone();
        let drops = own.spawn(async move {
            drop(spawn(async move { go.send(()).unwrap() }));
            match inside {
                0 => drop(other),
                1 => goro_runtime::block_on(async { drop(other) }),
                _ => {
                    let _inside = third.enter();
                    drop(other);
                }
            }
        });
        goro_runtime::block_on(drops).unwrap();
        assert!(goro_runtime::block_on(needs).unwrap(), "case {inside}");
    }
}

/// Pitfall 27 and 25: spawns race the shutdown; each ends one way, once.
#[test]
fn spawns_that_race_the_end_are_run_or_cancelled() {
    for _ in 0..100 {
        let runtime = two_workers();
        let handle = runtime.handle().clone();
        let ends = Arc::new(AtomicUsize::new(0));
        let counted = ends.clone();
        let spawner = std::thread::spawn(move || {
            let tasks: Vec<_> = (0..200)
                .map(|_| {
                    let ends = counted.clone();
                    let guard = OnDrop(move || {
                        ends.fetch_add(1, Ordering::Relaxed);
                    });
                    handle.spawn(async move { drop(guard) })
                })
                .collect();
            tasks.into_iter().map(goro_runtime::block_on).filter(Result::is_ok).count()
        });
        drop(runtime);
        let ran = spawner.join().unwrap();
        assert!(ran <= 200);
        assert_eq!(ends.load(Ordering::Relaxed), 200, "each future was dropped once");
    }
}

/// Pitfall 75: outstanding waits for I/O are not failed when the driver stops.
#[test]
fn who_waits_for_a_socket_of_a_runtime_that_ends_gets_an_error() {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    let runtime = two_workers();
    let (here, _there) = UnixStream::pair().unwrap();
    here.set_nonblocking(true).unwrap();
    let mut source = mio::net::UnixStream::from_std(here);
    let registration = runtime.handle().reactor().unwrap().register(&mut source).unwrap();
    let (waits, waiting) = mpsc::channel();
    let outside = std::thread::spawn(move || {
        let read = || (&source).read(&mut [0; 8]);
        let (op, direction) = (goro_context::Op::Readable, goro_reactor::Direction::Read);
        goro_runtime::block_on(std::future::poll_fn(|cx| {
            let polled = registration.poll_io(cx, direction, op, read);
            let _first = waits.send(());
            polled
        }))
    });
    waiting.recv().unwrap();
    drop(runtime);
    assert!(outside.join().unwrap().is_err());
}

/// Pitfall 71: data that a job has in a buffer is lost at the end. A job that has begun is waited for.
#[test]
fn what_a_job_has_begun_to_write_is_written() {
    use std::io::Write;
    let path = std::env::temp_dir().join(format!("goro-shutdown-{}", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    let runtime = two_workers();
    let (began, begun) = mpsc::channel();
    let job = runtime.spawn_blocking(move || {
        let mut file = std::io::BufWriter::with_capacity(1 << 20, file);
        began.send(()).unwrap();
        for line in 0..10_000 {
            writeln!(file, "{line}").unwrap();
        }
        file.flush().unwrap();
    });
    begun.recv().unwrap();
    drop(runtime);
    assert!(goro_runtime::block_on(job).is_ok());
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(written.lines().last(), Some("9999"));
}
