//! The faults on tokio.

use std::future::{Future, pending};
use std::net::TcpListener as StdListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio::sync::mpsc::channel as bounded;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::Said;
use crate::parts::{
    Calls, Drops, Fairness, OnDrop, PanicsOnDrop, Told, Value, caught, crowd, judged,
    limit_threads, on_a_thread, poll_once, slowest_exchange, soon, strained,
};

fn runtime(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime")
}

/// Whether the runtime still does what it is there for.
fn works(runtime: &Runtime) -> &'static str {
    let seven = runtime.spawn(async { 7 });
    if matches!(runtime.block_on(seven), Ok(7)) { "goes on" } else { "does not go on" }
}

pub(crate) fn drop_panics_on_abort() -> Said {
    let runtime = runtime(2);
    let held = PanicsOnDrop;
    let task = runtime.spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    thread::sleep(Duration::from_millis(20));
    task.abort();
    let error = runtime.block_on(task).expect_err("it cannot have ended well");
    judged(works(&runtime) == "goes on", format!("panic: {}, goes on", error.is_panic()))
}

pub(crate) fn output_panics() -> Said {
    let runtime = runtime(2);
    let task = runtime.spawn(async { PanicsOnDrop });
    soon(|| task.is_finished());
    let dropped = caught(|| drop(task));
    judged(dropped.is_ok(), format!("{}, {}", told(&dropped), works(&runtime)))
}

fn told(dropped: &Result<(), String>) -> &'static str {
    if dropped.is_ok() { "contained" } else { "panics in whoever drops the handle" }
}

pub(crate) fn payload_panics() -> Said {
    let runtime = runtime(2);
    drop(runtime.spawn(async { std::panic::panic_any(PanicsOnDrop) }));
    thread::sleep(Duration::from_millis(50));
    judged(works(&runtime) == "goes on", works(&runtime))
}

static RUNTIMES: Told<Runtime> = Told::new();

pub(crate) fn dropped_in_task() -> Said {
    let runtime = runtime(2);
    let task = runtime.spawn(async { drop(RUNTIMES.hear()) });
    RUNTIMES.tell(runtime);
    match on_a_thread(move || smol::block_on(task)) {
        Some(Ok(())) => Ok("ends".to_owned()),
        Some(Err(error)) if error.is_cancelled() => Ok("ends".to_owned()),
        Some(Err(_)) => Err("panics in the task".to_owned()),
        None => Err("hangs".to_owned()),
    }
}

pub(crate) fn dropped_on_blocking_thread() -> Said {
    let runtime = runtime(2);
    let job = runtime.spawn_blocking(|| drop(RUNTIMES.hear()));
    RUNTIMES.tell(runtime);
    match on_a_thread(move || smol::block_on(job)) {
        Some(_) => Ok("ends".to_owned()),
        None => Err("hangs".to_owned()),
    }
}

pub(crate) fn nested_block_on() -> Said {
    let runtime = runtime(2);
    let inner = caught(|| runtime.block_on(async { runtime.handle().block_on(async { 7 }) }));
    judged(inner == Ok(7), if inner == Ok(7) { "works" } else { "panics" })
}

pub(crate) fn spawned_late() -> Said {
    let runtime = runtime(2);
    let handle = runtime.handle().clone();
    drop(runtime);
    let task = handle.spawn(async {});
    match on_a_thread(move || smol::block_on(task)) {
        Some(Err(error)) if error.is_cancelled() => Ok("its handle says cancelled".to_owned()),
        Some(_) => Err("runs".to_owned()),
        None => Err("hangs".to_owned()),
    }
}

pub(crate) fn spawning_from_drop() -> Said {
    let (runtime, drops) = (runtime(2), Drops::default());
    for _ in 0..100 {
        let (outer, inner, handle) = (drops.one(), drops.one(), runtime.handle().clone());
        let spawns = OnDrop(Some(move || {
            drop(outer);
            drop(handle.spawn(async move {
                let _inner = inner;
                pending::<()>().await;
            }));
        }));
        drop(runtime.spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
    }
    thread::sleep(Duration::from_millis(20));
    drop(runtime);
    soon(|| drops.seen() == 200);
    judged(drops.seen() == 200, format!("{} of 200 dropped", drops.seen()))
}

pub(crate) fn stuck_job() -> Said {
    let runtime = runtime(2);
    drop(runtime.spawn_blocking(|| thread::sleep(Duration::from_secs(6))));
    thread::sleep(Duration::from_millis(20));
    let began = Instant::now();
    runtime.shutdown_timeout(Duration::from_millis(200));
    let took = began.elapsed();
    judged(took < Duration::from_secs(2), format!("returns at {} ms", took.as_millis()))
}

pub(crate) fn late_sleep() -> Said {
    let first = runtime(1);
    let late = {
        let _inside = first.enter();
        sleep(Duration::from_millis(50))
    };
    drop(first);
    match on_a_thread(move || caught(|| smol::block_on(late))) {
        Some(Ok(())) => Ok("wakes".to_owned()),
        Some(Err(_)) => Err("panics".to_owned()),
        None => Err("hangs".to_owned()),
    }
}

struct Node(
    #[expect(dead_code, reason = "it is there to be dropped")] JoinHandle<Option<Box<Node>>>,
);

pub(crate) fn nested_outputs() -> Said {
    let runtime = runtime(1);
    let mut last: JoinHandle<Option<Box<Node>>> = runtime.spawn(async { None });
    for _ in 0..1_000_000 {
        let before = last;
        last = runtime.spawn(async move { Some(Box::new(Node(before))) });
    }
    let end = runtime.spawn(async {});
    drop(runtime.block_on(end));
    soon(|| last.is_finished());
    drop(last);
    Ok("dropped".to_owned())
}

pub(crate) fn no_thread() -> Said {
    limit_threads(0);
    refused_at_build()
}

pub(crate) fn no_second_thread() -> Said {
    limit_threads(1);
    refused_at_build()
}

fn refused_at_build() -> Said {
    match caught(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().map(drop)) {
        Ok(Err(_)) => Ok("an error".to_owned()),
        Ok(Ok(())) => Ok("builds".to_owned()),
        Err(_) => Err("panics".to_owned()),
    }
}

pub(crate) fn no_blocking_thread() -> Said {
    let runtime = runtime(2);
    drop(runtime.block_on(runtime.spawn(async {})));
    limit_threads(0);
    let job = caught(|| runtime.spawn_blocking(|| 7));
    match job.map(|job| {
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(2), job).await })
    }) {
        Ok(Ok(Err(error))) => judged(error.is_cancelled(), "its handle says cancelled"),
        Ok(Ok(Ok(_))) => Ok("runs".to_owned()),
        Ok(Err(_)) => Err("waits for ever".to_owned()),
        Err(_) => Err("panics in the caller".to_owned()),
    }
}

pub(crate) fn no_descriptor() -> Said {
    let runtime = runtime(2);
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let _clients = crowd(address);
        let (errors, ticks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (count, tick) = (errors.clone(), ticks.clone());
        drop(tokio::spawn(async move {
            let mut kept = Vec::new();
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => kept.push(stream),
                    Err(_) => {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }));
        drop(tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(10)).await;
                tick.fetch_add(1, Ordering::Relaxed);
            }
        }));
        thread::sleep(Duration::from_secs(1));
        strained(errors.load(Ordering::Relaxed), ticks.load(Ordering::Relaxed))
    })
}

pub(crate) fn always_ready() -> Said {
    let runtime = runtime(1);
    let ran = Arc::new(AtomicBool::new(false));
    let (sibling, seen) = (ran.clone(), ran);
    let busy = runtime.spawn(async move {
        let (tx, mut rx) = bounded(1);
        drop(tokio::spawn(async move { sibling.store(true, Ordering::Relaxed) }));
        let (began, mut received) = (Instant::now(), 0_usize);
        while !seen.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(1) {
            tx.send(()).await.expect("open");
            rx.recv().await.expect("open");
            received += 1;
        }
        (seen.load(Ordering::Relaxed), received)
    });
    let (ran, received) = runtime.block_on(busy).expect("it ends");
    judged(ran, if ran { format!("after {received}") } else { format!("never ({received})") })
}

pub(crate) fn woken_by_blocker() -> Said {
    let runtime = runtime(2);
    let (tx, rx) = tokio::sync::oneshot::channel();
    let woken = runtime.spawn(async move {
        let told: Instant = rx.await.expect("it is told");
        told.elapsed()
    });
    thread::sleep(Duration::from_millis(50));
    drop(runtime.spawn(async move {
        let _ = tx.send(Instant::now());
        thread::sleep(Duration::from_millis(800));
    }));
    let late = runtime.block_on(woken).expect("it ends");
    judged(late < Duration::from_millis(100), format!("{:.1} ms", late.as_secs_f64() * 1e3))
}

pub(crate) fn echo_beside_blocker() -> Said {
    let runtime = runtime(2);
    let listener = StdListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    drop(runtime.spawn(async move {
        listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(listener).expect("a listener");
        let (mut stream, _): (TcpStream, _) = listener.accept().await.expect("a client");
        let mut buf = [0; 64];
        while stream.read_exact(&mut buf).await.is_ok() && stream.write_all(&buf).await.is_ok() {}
    }));
    drop(runtime.spawn(async {
        loop {
            sleep(Duration::from_millis(100)).await;
            thread::sleep(Duration::from_millis(700));
        }
    }));
    let slowest = slowest_exchange(address, Duration::from_secs(3)).map_err(|e| e.to_string())?;
    judged(slowest < Duration::from_millis(100), format!("{:.1} ms", slowest.as_secs_f64() * 1e3))
}

pub(crate) fn unpolled_at_lock() -> Said {
    let runtime = runtime(2);
    let lock = Arc::new(Mutex::new(()));
    let held = lock.try_lock().expect("free");
    let mut next = Box::pin(lock.lock());
    assert!(poll_once(&mut next, Waker::noop()).is_pending(), "it is held");
    let behind = lock.clone();
    let behind = runtime.spawn(async move { drop(behind.lock().await) });
    thread::sleep(Duration::from_millis(50));
    drop(held);
    let served = soon(|| behind.is_finished());
    judged(served, if served { "gets it" } else { "never gets it" })
}

pub(crate) fn fair_select() -> Said {
    runtime(1).block_on(async {
        let ((to_a, mut a), (to_b, mut b)) = (bounded(1), bounded(1));
        let mut fairness = Fairness::new();
        for _ in 0..20_000 {
            let (_, _) = (to_a.try_send(()), to_b.try_send(()));
            tokio::select! {
                _ = a.recv() => fairness.won(true),
                _ = b.recv() => fairness.won(false),
            }
        }
        fairness.said()
    })
}

pub(crate) fn reentrant_waker() -> Said {
    let ended = on_a_thread(|| {
        let (tx, mut rx) = bounded::<u8>(4);
        let again = tx.clone();
        let waker = Waker::from(Arc::new(Calls(move || {
            let _ = again.try_send(2);
        })));
        let pending = rx.poll_recv(&mut Context::from_waker(&waker)).is_pending();
        pending && tx.try_send(1).is_ok() && matches!(rx.try_recv(), Ok(1))
    });
    match ended {
        Some(true) => Ok("fine".to_owned()),
        Some(false) => Err("loses".to_owned()),
        None => Err("deadlock".to_owned()),
    }
}

pub(crate) fn panicking_value() -> Said {
    let drops = Drops::default();
    let (tx, rx) = bounded(10);
    for nth in 0..10 {
        let value = if nth == 4 { Value::Panics } else { Value::Counts(drops.one()) };
        assert!(tx.try_send(value).is_ok(), "room");
    }
    let ends = caught(|| drop(rx)).and(caught(|| drop(tx)));
    judged(drops.seen() == 9, format!("{} of 9 dropped, {}", drops.seen(), how(&ends)))
}

fn how(ends: &Result<(), String>) -> &'static str {
    if ends.is_ok() { "contained" } else { "the panic comes through" }
}

pub(crate) fn left_in_channel() -> Said {
    let drops = Drops::default();
    let (tx, rx) = bounded(10);
    for _ in 0..10 {
        assert!(tx.try_send(drops.one()).is_ok(), "room");
    }
    drop(rx);
    let freed = drops.seen();
    drop(tx);
    judged(freed == 10, format!("{freed} of 10 freed"))
}

pub(crate) fn huge_channel() -> Said {
    made(i64::MAX as usize)
}

pub(crate) fn large_channel() -> Said {
    made(1 << 40)
}

fn made(capacity: usize) -> Said {
    let made = caught(|| {
        let (tx, mut rx) = bounded(capacity);
        let sent = tx.try_send(7_u64).is_ok();
        let mut future = pin!(rx.recv());
        sent && future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            == Poll::Ready(Some(7))
    });
    judged(made == Ok(true), if made == Ok(true) { "fine" } else { "panics" })
}
