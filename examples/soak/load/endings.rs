//! Tokens, groups, aborts: whoever was waited for is gone, and has heard why.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use goro::cancel::{CancellationToken, cancelled};
use goro::channel::bounded;
use goro::spawn;
use goro::task::{JoinSet, Policy, TaskGroup};
use goro::time::{sleep, timeout};

use crate::kit::{Kit, yields};
use crate::ledger::{Bodies, add};

pub async fn round(kit: &mut Kit) {
    match kit.chance.below(4) {
        0 => group(kit).await,
        1 => tokens(kit).await,
        2 => aborts(kit).await,
        _ => set(kit).await,
    }
    add(&kit.ledger.endings, 1);
}

/// When a group is over, none of its children is left, however it came to be over.
async fn group(kit: &mut Kit) {
    let bodies = Arc::new(Bodies::default());
    let policy = [Policy::FailFast, Policy::Collect, Policy::FirstOk, Policy::Supervise];
    let policy = policy[kit.chance.below(4) as usize];
    let group = TaskGroup::<u64, u64>::new().policy(policy).grace(kit.chance.micros(3_000));
    let (mut inside, made) = (kit.fork(), Arc::clone(&bodies));
    let ends_by_itself = matches!(policy, Policy::Collect | Policy::Supervise);
    let ended = group.run(async move |group| {
        for child in 0..inside.chance.below(40) {
            let (mut kit, body) = (inside.fork(), made.body());
            if kit.plants("endings") {
                std::mem::forget(made.body());
            }
            let started = group.spawn(async move {
                let _body = body;
                match kit.chance.below(8) {
                    // Until it is asked to end.
                    0 if !ends_by_itself => sleep(Duration::from_secs(3600)).await,
                    1 => return Err(child),
                    2 => drop(timeout(kit.chance.micros(2_000), cancelled()).await),
                    _ => yields(kit.chance.below(6)).await,
                }
                Ok(child)
            });
            if started.await.is_err() {
                break;
            }
        }
        if !ends_by_itself {
            group.cancel("enough");
        }
        Ok(())
    });
    let _outcome = ended.await;
    kit.ledger.equal("endings", "children of a group that is over", bodies.left(), 0);
}

/// Whoever waits below a token hears of it.
async fn tokens(kit: &mut Kit) {
    let root = CancellationToken::new();
    let heard = Arc::new(AtomicU64::new(0));
    let (mut tokens, mut tasks) = (vec![root.clone()], JoinSet::new());
    for _ in 0..kit.chance.below(60) {
        let above = &tokens[kit.chance.below(tokens.len() as u64) as usize];
        let token = match kit.chance.below(4) {
            0 => above.with_timeout(kit.chance.micros(3_000)),
            _ => above.child_token(),
        };
        let (body, heard, below) = (kit.body(), Arc::clone(&heard), token.clone());
        let kind = kit.chance.below(3);
        tasks.spawn(async move {
            let _body = body;
            match kind {
                0 => drop(below.cancelled().await),
                1 => drop(below.run_until_cancelled(pending::<()>()).await),
                _ => {
                    let (tx, rx) = bounded::<u64>(1);
                    // It gives up, since it would wait for ever.
                    let refused = below.scope(rx.recv()).await;
                    assert!(refused.is_err(), "nobody has sent anything");
                    drop(tx);
                }
            }
            add(&heard, 1);
        });
        tokens.push(token);
    }
    yields(kit.chance.below(9)).await;
    root.cancel_with("enough");
    let so_many = tasks.len() as u64;
    tasks.join_all().await;
    kit.ledger.equal("endings", "who heard of a token", heard.load(Relaxed), so_many);
}

/// A task that was aborted, or has ended, is gone when its handle says so.
async fn aborts(kit: &mut Kit) {
    for _ in 0..kit.chance.below(100) {
        let bodies = Bodies::default();
        let (mut inside, body) = (kit.fork(), bodies.body());
        let task = spawn(async move {
            let _body = body;
            match inside.chance.below(4) {
                0 => pending::<()>().await,
                1 => sleep(inside.chance.micros(500)).await,
                _ => yields(inside.chance.below(5)).await,
            }
        });
        yields(kit.chance.below(4)).await;
        if kit.chance.one_in(2) {
            task.abort();
            let _ended = task.await;
        } else {
            let grace = kit.chance.micros(400);
            let _ended = task.cancel("enough").grace(grace).await;
        }
        kit.ledger.equal("endings", "futures of a task that has ended", bodies.left(), 0);
    }
}

/// A set that was shut down has nobody left.
async fn set(kit: &mut Kit) {
    let bodies = Bodies::default();
    let mut set = JoinSet::new();
    for _ in 0..kit.chance.below(80) {
        let (body, turns) = (bodies.body(), kit.chance.below(9));
        set.spawn(async move {
            let _body = body;
            yields(turns).await;
            if turns == 0 {
                pending::<()>().await;
            }
        });
    }
    yields(kit.chance.below(5)).await;
    set.shutdown().await;
    kit.ledger.equal("endings", "tasks of a set that was shut down", bodies.left(), 0);
}
