//! Polls that do not return for a while, and blocks that say that they are some; others go on meanwhile.

use std::thread;

use goro::channel::bounded;
use goro::task::block_in_place;
use goro::{block_on, spawn, spawn_blocking};

use crate::kit::{Kit, yields};
use crate::ledger::add;

pub async fn round(kit: &mut Kit) {
    let (tx, rx) = bounded(1);
    let (body, other) = (kit.body(), kit.body());
    let (long, kind) = (kit.chance.micros(25_000), kit.chance.below(5));
    let stuck = spawn(async move {
        let _body = body;
        match kind {
            0 => thread::sleep(long),
            1 => block_in_place(|| thread::sleep(long)),
            // Only others can end these two.
            2 => assert!(block_in_place(|| rx.blocking_recv()).is_ok()),
            3 => assert!(block_on(rx.recv()).is_ok()),
            _ => spawn_blocking(move || thread::sleep(long)).await.expect("a nap does not panic"),
        }
    });
    let helper = spawn(async move {
        let _body = other;
        // The receiver goes with the stuck task, or has it.
        let _news = tx.send(()).await;
    });
    let mut jobs = Vec::new();
    for _ in 0..kit.chance.below(12) {
        let (body, nap) = (kit.body(), kit.chance.micros(2_000));
        jobs.push(spawn_blocking(move || {
            let _body = body;
            thread::sleep(nap);
        }));
    }
    yields(kit.chance.below(20)).await;
    for job in jobs {
        if kit.chance.one_in(3) {
            job.abort();
        }
        if job.await.is_err_and(|error| error.is_panic()) {
            kit.ledger.broken("panics", "a nap has panicked");
        }
    }
    for task in [stuck, helper] {
        if let Err(error) = task.await {
            kit.ledger
                .broken("progress", format_args!("a block of kind {kind} ended with {error}"));
        }
    }
    add(&kit.ledger.stalls, 1);
}
