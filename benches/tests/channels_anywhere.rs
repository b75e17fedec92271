//! goro's channels under executors that are not goro: they ask nothing of whoever runs them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test of other runtimes")]

use std::time::Duration;

use goro::channel::{Receiver, RecvTimeoutError, Sender, bounded};

/// Sends, receives, waits for time to pass and for the end: whatever needs a wake or a timer.
async fn conversation(tx: Sender<u64>, rx: Receiver<u64>) -> u64 {
    let limit = Duration::from_millis(5);
    assert_eq!(rx.recv_timeout(limit).await, Err(RecvTimeoutError::Timeout));
    let sender = async move {
        for number in 0..10_000 {
            tx.send(number).await.expect("the receiver lives");
        }
    };
    let receiver = async move {
        let mut sum = 0;
        while let Ok(number) = rx.recv().await {
            sum += number;
        }
        sum
    };
    let ((), sum) = smol::future::zip(sender, receiver).await;
    sum
}

const SUM: u64 = 9_999 * 10_000 / 2;

#[test]
fn under_tokio() {
    for capacity in [0, 1, 128, usize::MAX] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
        let runtime = runtime.expect("tokio starts");
        let (tx, rx) = bounded(capacity);
        let sum = runtime.block_on(async move { tokio::spawn(conversation(tx, rx)).await });
        assert_eq!(sum.expect("it does not panic"), SUM);
    }
}

#[test]
fn under_smol() {
    for capacity in [0, 1, 128, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        assert_eq!(smol::block_on(smol::spawn(conversation(tx, rx))), SUM);
    }
}

/// goro-sync's own tests run under futures' executor; here a thread and a task of tokio's talk.
#[test]
fn between_a_thread_and_a_task() {
    let (tx, rx) = bounded(3);
    let sender = std::thread::spawn(move || {
        (0..1_000_u64).for_each(|number| tx.blocking_send(number).expect("the receiver lives"));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("tokio starts");
    let received = runtime.block_on(async move {
        let mut count = 0;
        while rx.recv().await.is_ok() {
            count += 1;
        }
        count
    });
    sender.join().expect("it does not panic");
    assert_eq!(received, 1_000);
}
