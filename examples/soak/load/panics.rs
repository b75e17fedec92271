//! Panics in polls, destructors and jobs: each is its task's outcome and nobody else's.

use std::panic::resume_unwind;

use goro::{spawn, spawn_blocking};

use crate::kit::{Kit, yields};
use crate::ledger::{Body, add};

/// Panics when it is dropped, without a word.
struct Bomb {
    _body: Body,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            resume_unwind(Box::new("planted"));
        }
    }
}

pub async fn round(kit: &mut Kit) {
    let mut tasks = Vec::new();
    for _ in 0..1 + kit.chance.below(60) {
        let (body, turns) = (kit.body(), kit.chance.below(4));
        let kind = kit.chance.below(5);
        let spared = kit.plants("panics");
        let task = match kind {
            0 => spawn(async move {
                let _body = body;
                yields(turns).await;
                if !spared {
                    resume_unwind(Box::new("planted"));
                }
            }),
            1 => spawn(async move {
                let _bomb = Bomb { _body: body };
                yields(turns).await;
            }),
            2 => spawn_blocking(move || {
                let _body = body;
                resume_unwind(Box::new("planted"));
            }),
            3 => {
                let task = spawn(async move {
                    let _bomb = Bomb { _body: body };
                    std::future::pending::<()>().await;
                });
                yields(turns).await;
                task.abort();
                task
            }
            _ => spawn(async move {
                let _body = body;
                yields(turns).await;
            }),
        };
        tasks.push((kind, task));
    }
    for (kind, task) in tasks {
        let ended = task.await;
        let as_wanted = match kind {
            0..3 => ended.as_ref().is_err_and(|error| error.is_panic()),
            // Aborted, it panics as it is dropped.
            3 => ended.is_err(),
            _ => ended.is_ok(),
        };
        if !as_wanted {
            kit.ledger.broken("panics", format_args!("kind {kind} ended with {ended:?}"));
        }
        add(&kit.ledger.panics, u64::from(kind < 4));
    }
}
