//! What waiting for fifty sources takes of memory: in one task with a `Select`, and in fifty tasks.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/counting.rs"]
mod counting;

use std::sync::atomic::Ordering;

use counting::LIVE;
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, spawn};
use goro_sync::channel::{Receiver, Sender, bounded};
use goro_sync::select::Select;

const SETS: usize = 200;
const SOURCES: usize = 50;

/// Bytes per source that `wait` takes, beside the channels that are waited for.
fn bytes_of(wait: fn(Vec<Receiver<u64>>)) -> isize {
    let runtime = Builder::new().workers(1).build().unwrap();
    let _inside = runtime.enter();
    let settle = || runtime.block_on(async { sleep(Duration::from_millis(50)).await });
    let channels: Vec<(Sender<u64>, Receiver<u64>)> =
        (0..SETS * SOURCES).map(|_| bounded(1)).collect();
    let (senders, mut receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
    // The first ones fill the memory that is kept for tasks of their size.
    wait(receivers.split_off(receivers.len() - SOURCES));
    settle();
    let before = LIVE.load(Ordering::Relaxed);
    let count = receivers.len();
    while !receivers.is_empty() {
        wait(receivers.split_off(receivers.len() - SOURCES));
    }
    settle();
    let bytes = LIVE.load(Ordering::Relaxed) - before;
    drop(senders);
    bytes / count as isize
}

fn in_tasks(receivers: Vec<Receiver<u64>>) {
    for receiver in receivers {
        drop(spawn(async move { while receiver.recv().await.is_ok() {} }));
    }
}

fn in_one_task(receivers: Vec<Receiver<u64>>) {
    drop(spawn(async move {
        let mut select = Select::new();
        for receiver in receivers {
            select.insert((), receiver.into_stream());
        }
        while select.next().await.is_some() {}
    }));
}

/// A task of goro's is so small that a source in a set takes as much, most of it its waker.
#[test]
fn a_source_in_a_set_takes_hardly_more_than_a_task() {
    let (task, source) = (bytes_of(in_tasks), bytes_of(in_one_task));
    println!("{task} bytes for each task, {source} for each source in a set");
    assert!(task <= 144 && source <= 168, "{task} bytes for a task, {source} for a source");
}
