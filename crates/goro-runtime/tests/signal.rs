//! Ctrl-C: heard by whoever listens, counted one by one, and with no runtime needed.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]
#![cfg(unix)]

use goro_runtime::signal::{Interrupts, ctrl_c, interrupts};
use goro_runtime::time::{Duration, timeout};
use goro_runtime::{Builder, block_on, spawn};
use rustix::process::{Signal, getpid, kill_process};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

fn interrupt() {
    kill_process(getpid(), Signal::INT).unwrap();
}

struct Nobody;
impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// Whether an interrupt is there already; waits for none.
fn heard(listener: &mut Interrupts) -> bool {
    let waker = Waker::from(Arc::new(Nobody));
    listener.poll_recv(&mut Context::from_waker(&waker)).is_ready()
}

/// One test: interrupts are the process's, and tests beside it would hear these.
#[test]
fn interrupts_reach_each_listener_once_each() {
    let mut first = interrupts().unwrap();
    assert!(!heard(&mut first));
    interrupt();
    block_on(first.recv());
    assert!(!heard(&mut first), "one interrupt was sent");

    // Two that come while nobody looks are two.
    let mut second = interrupts().unwrap();
    let mut early = interrupts().unwrap();
    for _ in 0..2 {
        interrupt();
        // The kernel merges signals that wait to be delivered; this one has been.
        block_on(early.recv());
    }
    for listener in [&mut first, &mut second] {
        block_on(async {
            listener.recv().await;
            listener.recv().await;
        });
        assert!(!heard(listener));
    }
    assert!(!heard(&mut interrupts().unwrap()), "a listener hears what comes after it");

    // A recv that is dropped has taken nothing, and its waker is gone.
    let watched = Arc::new(Nobody);
    {
        let waker = Waker::from(watched.clone());
        assert!(first.poll_recv(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(first);
    assert_eq!(Arc::strong_count(&watched), 1);

    // A task of a runtime hears it too; so do many.
    let runtime = Builder::new().workers(2).build().unwrap();
    runtime.block_on(async {
        let listeners: Vec<_> = (0..100)
            .map(|_| {
                let mut listener = interrupts().unwrap();
                spawn(async move { listener.recv().await })
            })
            .collect();
        let waiting = spawn(async { ctrl_c().await.is_ok() });
        while runtime.metrics().tasks_parked < 101 {
            goro_runtime::task::yield_now().await;
        }
        interrupt();
        for listener in listeners {
            listener.await.unwrap();
        }
        assert!(waiting.await.unwrap());
        let silence = timeout(Duration::from_millis(20), ctrl_c()).await;
        assert!(silence.is_err(), "nobody sent another");
    });
}
