//! The faults on smol, whose executor is one for the process and cannot be dropped.

use std::future::{Future, pending};
use std::net::TcpListener as StdListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use smol::channel::bounded;
use smol::lock::Mutex;
use smol::net::{TcpListener, TcpStream};
use smol::{Task, Timer, block_on, spawn};

use crate::Said;
use crate::parts::{
    Calls, Drops, Fairness, PanicsOnDrop, Value, caught, crowd, judged, limit_threads, on_a_thread,
    poll_once, slowest_exchange, soon, strained,
};

/// Whether the executor still does what it is there for.
fn works() -> &'static str {
    match on_a_thread(|| smol::block_on(smol::spawn(async { 7 }))) {
        Some(7) => "goes on",
        _ => "does not go on",
    }
}

pub(crate) fn drop_panics_on_abort() -> Said {
    let held = PanicsOnDrop;
    let task = spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    thread::sleep(Duration::from_millis(20));
    let none = block_on(task.cancel()).is_none();
    judged(none && works() == "goes on", works())
}

pub(crate) fn output_panics() -> Said {
    let task = spawn(async { PanicsOnDrop });
    soon(|| task.is_finished());
    let dropped = caught(|| drop(task));
    judged(dropped.is_ok(), format!("{}, {}", told(&dropped), works()))
}

fn told(dropped: &Result<(), String>) -> &'static str {
    if dropped.is_ok() { "contained" } else { "panics in whoever drops the handle" }
}

pub(crate) fn payload_panics() -> Said {
    spawn(async { std::panic::panic_any(PanicsOnDrop) }).detach();
    thread::sleep(Duration::from_millis(50));
    judged(works() == "goes on", works())
}

pub(crate) fn nested_block_on() -> Said {
    let inner = caught(|| block_on(async { block_on(async { 7 }) }));
    judged(inner == Ok(7), if inner == Ok(7) { "works" } else { "panics" })
}

struct Node(#[expect(dead_code, reason = "it is there to be dropped")] Task<Option<Box<Node>>>);

pub(crate) fn nested_outputs() -> Said {
    let mut last: Task<Option<Box<Node>>> = spawn(async { None });
    for _ in 0..1_000_000 {
        let before = last;
        last = spawn(async move { Some(Box::new(Node(before))) });
    }
    block_on(spawn(async {}));
    soon(|| last.is_finished());
    drop(last);
    Ok("dropped".to_owned())
}

pub(crate) fn no_thread() -> Said {
    limit_threads(0);
    first_spawn()
}

pub(crate) fn no_second_thread() -> Said {
    limit_threads(1);
    first_spawn()
}

/// It starts its threads when a task is spawned first.
fn first_spawn() -> Said {
    match caught(|| block_on(spawn(async { 7 }))) {
        Ok(_) => Ok("runs".to_owned()),
        Err(_) => Err("panics".to_owned()),
    }
}

pub(crate) fn no_blocking_thread() -> Said {
    block_on(spawn(async {}));
    limit_threads(0);
    let began = cpu();
    let job = smol::unblock(|| 7);
    let limit = async {
        Timer::after(Duration::from_secs(2)).await;
        0
    };
    let got = block_on(smol::future::or(job, limit));
    let spun = cpu() - began;
    match got {
        7 => Ok("runs".to_owned()),
        _ if spun > 1_000 => Err(format!("waits for ever, using {spun} ms of 2 s")),
        _ => Err("waits for ever".to_owned()),
    }
}

/// What the process has used, in milliseconds.
fn cpu() -> u64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as u64 * 1_000 + used.tv_nsec as u64 / 1_000_000
}

pub(crate) fn no_descriptor() -> Said {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let _clients = crowd(address);
        let (errors, ticks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (count, tick) = (errors.clone(), ticks.clone());
        spawn(async move {
            let mut kept = Vec::new();
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => kept.push(stream),
                    Err(_) => {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        })
        .detach();
        spawn(async move {
            loop {
                Timer::after(Duration::from_millis(10)).await;
                tick.fetch_add(1, Ordering::Relaxed);
            }
        })
        .detach();
        thread::sleep(Duration::from_secs(1));
        strained(errors.load(Ordering::Relaxed), ticks.load(Ordering::Relaxed))
    })
}

pub(crate) fn always_ready() -> Said {
    let ran = Arc::new(AtomicBool::new(false));
    let (sibling, seen) = (ran.clone(), ran);
    let busy = spawn(async move {
        let (tx, rx) = bounded(1);
        spawn(async move { sibling.store(true, Ordering::Relaxed) }).detach();
        let (began, mut received) = (Instant::now(), 0_usize);
        while !seen.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(1) {
            tx.send(()).await.expect("open");
            rx.recv().await.expect("open");
            received += 1;
        }
        (seen.load(Ordering::Relaxed), received)
    });
    let (ran, received) = block_on(busy);
    judged(ran, if ran { format!("after {received}") } else { format!("never ({received})") })
}

pub(crate) fn woken_by_blocker() -> Said {
    let (tx, rx) = futures::channel::oneshot::channel();
    let woken = spawn(async move {
        let told: Instant = rx.await.expect("it is told");
        told.elapsed()
    });
    thread::sleep(Duration::from_millis(50));
    spawn(async move {
        let _ = tx.send(Instant::now());
        thread::sleep(Duration::from_millis(800));
    })
    .detach();
    let late = block_on(woken);
    judged(late < Duration::from_millis(100), format!("{:.1} ms", late.as_secs_f64() * 1e3))
}

pub(crate) fn echo_beside_blocker() -> Said {
    let listener = StdListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    spawn(async move {
        let listener = smol::Async::new(listener).expect("a listener");
        let listener = TcpListener::from(listener);
        let (mut stream, _): (TcpStream, _) = listener.accept().await.expect("a client");
        let mut buf = [0; 64];
        while stream.read_exact(&mut buf).await.is_ok() && stream.write_all(&buf).await.is_ok() {}
    })
    .detach();
    spawn(async {
        loop {
            Timer::after(Duration::from_millis(100)).await;
            thread::sleep(Duration::from_millis(700));
        }
    })
    .detach();
    let slowest = slowest_exchange(address, Duration::from_secs(3)).map_err(|e| e.to_string())?;
    judged(slowest < Duration::from_millis(100), format!("{:.1} ms", slowest.as_secs_f64() * 1e3))
}

pub(crate) fn unpolled_at_lock() -> Said {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.try_lock().expect("free");
    let mut next = Box::pin(lock.lock());
    assert!(poll_once(&mut next, Waker::noop()).is_pending(), "it is held");
    let behind = lock.clone();
    let behind = spawn(async move { drop(behind.lock().await) });
    thread::sleep(Duration::from_millis(50));
    drop(held);
    let served = soon(|| behind.is_finished());
    judged(served, if served { "gets it" } else { "never gets it" })
}

pub(crate) fn fair_select() -> Said {
    block_on(async {
        let ((to_a, a), (to_b, b)) = (bounded(1), bounded(1));
        let mut fairness = Fairness::new();
        for _ in 0..20_000 {
            let (_, _) = (to_a.try_send(()), to_b.try_send(()));
            let first = async { a.recv().await.is_ok() };
            let second = async { b.recv().await.is_err() };
            fairness.won(smol::future::race(first, second).await);
        }
        fairness.said()
    })
}

pub(crate) fn reentrant_waker() -> Said {
    let ended = on_a_thread(|| {
        let (tx, rx) = bounded::<u8>(4);
        let again = tx.clone();
        let waker = Waker::from(Arc::new(Calls(move || {
            let _ = again.try_send(2);
        })));
        let mut recv = pin!(rx.recv());
        let pending = recv.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
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
        let (tx, rx) = bounded(capacity);
        let mut future = pin!(rx.recv());
        let sent = tx.try_send(7_u64).is_ok();
        sent && future.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(Ok(7))
    });
    judged(made == Ok(true), if made == Ok(true) { "fine" } else { "panics" })
}
