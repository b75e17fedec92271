//! Sockets that are always ready let others run.

#[path = "support/run.rs"]
mod support;

use core::future::Future;
use core::pin::pin;
use core::task::Context;
use std::io::{IoSlice, IoSliceMut};

use futures::{AsyncReadExt, AsyncWriteExt};
use goro_context::{CurrentTask, Kind, TaskId, budget, task};
use goro_net::TcpStream;
use goro_runtime::{Builder, spawn};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, AtomicU64, Ordering};
use support::{fill, listener, pair, patiently, runtime};

/// How often in a row `op` makes a future that is ready at once, inside one poll of a task.
fn ready_in_a_row<F: Future>(mut op: impl FnMut() -> F) -> u32 {
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let mut ready = 0;
    let cx = &mut Context::from_waker(core::task::Waker::noop());
    while pin!(op()).poll(cx).is_ready() {
        ready += 1;
        assert!(ready <= budget::LIMIT, "never lets go");
    }
    ready
}

/// Pitfalls 124, 125: each operation that is ready at once spends, errors included.
#[test]
fn every_operation_lets_go_within_its_budget() {
    let runtime = runtime();
    let (client, server) = runtime.block_on(pair());
    let (client, mut server) = (&client, server);
    runtime.block_on(server.write_all(&[1; 4096])).unwrap();
    runtime.block_on(client.readable()).unwrap();
    let limit = budget::LIMIT;
    let mut byte = [0];
    assert_eq!(ready_in_a_row(|| async move { (&*client).read(&mut [0]).await.unwrap() }), limit);
    assert_eq!(ready_in_a_row(|| async move { (&*client).write(&[1]).await.unwrap() }), limit);
    let vectored = || async move {
        let mut one = [0];
        (&*client).read_vectored(&mut [IoSliceMut::new(&mut one)]).await.unwrap()
    };
    assert_eq!(ready_in_a_row(vectored), limit);
    let vectored =
        || async move { (&*client).write_vectored(&[IoSlice::new(b"1")]).await.unwrap() };
    assert_eq!(ready_in_a_row(vectored), limit);
    assert_eq!(ready_in_a_row(|| async move { (&*client).read(&mut []).await.unwrap() }), limit);
    assert_eq!(ready_in_a_row(|| async move { client.peek(&mut [0]).await.unwrap() }), limit);
    assert_eq!(ready_in_a_row(|| client.readable()), limit);
    assert_eq!(ready_in_a_row(|| client.writable()), limit);
    assert_eq!(ready_in_a_row(|| async move { (&*client).close().await.unwrap() }), limit);
    let failing = || async move { (&*client).write(&[1]).await.unwrap_err() };
    assert_eq!(ready_in_a_row(failing), limit, "errors spend as well");
    assert_eq!(client.try_read(&mut byte).unwrap(), 1, "the bytes were enough");
}

#[test]
fn accepting_lets_go_within_its_budget() {
    let runtime = runtime();
    let listener = runtime.block_on(listener());
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> =
        (0..200).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let accepting = || async { listener.accept().await.unwrap() };
    assert_eq!(ready_in_a_row(accepting), budget::LIMIT);
    drop(clients);
}

/// A task whose socket is always ready shares its one worker with another.
#[test]
fn a_flood_does_not_keep_a_sibling_from_running() {
    let runtime = Builder::new().workers(1).build().unwrap();
    runtime.block_on(patiently(async {
        let (client, server) = pair().await;
        let stop = Arc::new(AtomicBool::new(false));
        let pump = |stream: TcpStream| {
            let stop = Arc::clone(&stop);
            spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    (&stream).write_all(&[0; 16]).await.unwrap();
                    (&stream).read_exact(&mut [0; 16]).await.unwrap();
                }
                drop(stream);
            })
        };
        fill(&client);
        fill(&server);
        let turns = Arc::new(AtomicU64::new(0));
        let sibling = {
            let turns = Arc::clone(&turns);
            spawn(async move {
                for _ in 0..1_000 {
                    turns.fetch_add(1, Ordering::Relaxed);
                    goro_runtime::task::yield_now().await;
                }
            })
        };
        let pumps = [pump(client), pump(server)];
        sibling.await.unwrap();
        assert_eq!(turns.load(Ordering::Relaxed), 1_000);
        stop.store(true, Ordering::Relaxed);
        drop(pumps);
    }));
}
