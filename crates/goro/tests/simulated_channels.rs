//! Channels under the production scheduler, in an order drawn from a seed: tasks that send and
//! receive in every way, are aborted, time out, and drop their ends. Whatever happens, each value is
//! in one place in the end, and nobody who could go is left waiting.
//!
//! `GORO_SEEDS` runs so many seeds of each flavour; `.ci/run simulator` runs ten thousand.
#![cfg(feature = "sim")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;
#[path = "support/ledger.rs"]
mod ledger;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use draw::Draw;
use goro::channel::{Builder, Receiver, Sender};
use goro::sim::explore;
use goro::time::{sleep, timeout};
use ledger::{Ledger, Value};

const SEEDS: u64 = 100;
/// The longest pause, in microseconds.
const LONGEST: u64 = 2_000;
const VALUES: usize = 24;

async fn send(tx: &Sender<Value>, value: Value, draw: &mut Draw) -> bool {
    match draw.below(5) {
        0 => tx.try_send(value).is_ok(),
        1 => tx.send_timeout(value, draw.time()).await.is_ok(),
        2 => match timeout(draw.time(), tx.reserve()).await {
            Ok(Ok(permit)) => {
                draw.pause().await;
                permit.send(value).is_ok()
            }
            _ => false,
        },
        _ => tx.send(value).await.is_ok(),
    }
}

async fn receive(rx: &Receiver<Value>, draw: &mut Draw) -> Option<Value> {
    match draw.below(5) {
        0 => rx.try_recv().ok(),
        1 => rx.recv_timeout(draw.time()).await.ok(),
        2 => timeout(draw.time(), rx.recv()).await.ok()?.ok(),
        3 => {
            let lease = rx.recv_lease().await.ok()?;
            draw.pause().await;
            // Dropped, it goes back.
            (draw.below(3) > 0).then(|| lease.accept())
        }
        _ => rx.recv().await.ok(),
    }
}

fn under_seeds(capacity: usize) {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let ledger = Ledger::of(VALUES);
        let counts = Arc::clone(&ledger);
        let ended = sim.run(program(capacity, Draw(seed), ledger));
        let receivers_stayed = ended.unwrap_or_else(|failure| panic!("{failure}"));
        let (received, dropped) = (counts.received.lock().unwrap(), counts.dropped.lock().unwrap());
        assert!(received.iter().all(|&times| times <= 1), "twice: {received:?}");
        assert_eq!(*dropped, *counts.made.lock().unwrap(), "lost, or dropped twice");
        let (received, sent) = (received.iter().sum::<usize>(), counts.sent.load(Ordering::SeqCst));
        // A sender that is aborted may not have learned that it had sent.
        assert!(!receivers_stayed || received >= sent, "{received} of {sent} received");
    });
}

/// Answers whether the receivers stayed to the end.
async fn program(capacity: usize, mut draw: Draw, ledger: Arc<Ledger>) -> bool {
    let (tx, rx) = Builder::new().name("orders").bounded(capacity);
    let mut tasks = Vec::new();
    for part in 0..3 {
        let (tx, ledger, mut draw) = (tx.clone(), Arc::clone(&ledger), Draw(draw.below(1 << 30)));
        tasks.push(goro::spawn(async move {
            for number in (part..VALUES).step_by(3) {
                draw.pause().await;
                let value = ledger.make(number);
                if send(&tx, value, &mut draw).await {
                    ledger.sent.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
    drop(tx);
    for _ in 0..2 {
        let (rx, ledger, mut draw) = (rx.clone(), Arc::clone(&ledger), Draw(draw.below(1 << 30)));
        tasks.push(goro::spawn(async move {
            while !rx.is_closed() {
                if let Some(value) = receive(&rx, &mut draw).await {
                    ledger.got(&value);
                }
                draw.pause().await;
            }
            while let Ok(value) = rx.recv().await {
                ledger.got(&value);
            }
        }));
    }
    // One task in three is aborted at some time.
    let mut whole = true;
    for (index, task) in tasks.iter().enumerate() {
        if draw.below(3) == 0 {
            sleep(draw.time()).await;
            task.abort();
            whole &= index < 3;
        }
    }
    drop(rx);
    for task in tasks {
        let _aborted = task.await;
    }
    whole
}

#[test]
fn a_rendezvous_under_seeds() {
    under_seeds(0);
}

#[test]
fn one_place_under_seeds() {
    under_seeds(1);
}

#[test]
fn places_under_seeds() {
    under_seeds(3);
}

#[test]
fn no_limit_under_seeds() {
    under_seeds(usize::MAX);
}
