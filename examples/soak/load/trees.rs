//! Trees of tasks: each node is counted once, whoever joins it, and an aborted tree leaves nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use goro::spawn;
use goro::task::{JoinSet, yield_now};

use crate::kit::{Kit, yields};
use crate::ledger::add;

pub async fn round(kit: &mut Kit) {
    let (fan, depth) = [(1, 200), (2, 9), (3, 6), (8, 3), (400, 1)][kit.chance.below(5) as usize];
    let visited = Arc::new(AtomicU64::new(0));
    let mut root = spawn(node(kit.fork(), fan, depth, Arc::clone(&visited)));
    if kit.chance.one_in(4) {
        yields(kit.chance.below(40)).await;
        root.abort();
        // Its children go on, and come to their ends: they are joined by nobody.
        let _ended = (&mut root).await;
        return;
    }
    if let Err(error) = root.await {
        kit.ledger.broken("trees", format_args!("the root ended with {error}"));
    }
    let wanted = (0..=depth).map(|level| u64::pow(fan, level)).sum();
    kit.ledger.equal("trees", "nodes", visited.load(Relaxed), wanted);
}

fn node(
    mut kit: Kit,
    fan: u64,
    depth: u32,
    visited: Arc<AtomicU64>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let body = kit.body();
    Box::pin(async move {
        let _body = body;
        add(&visited, 1);
        if depth == 0 {
            return;
        }
        let fan = if kit.plants("trees") && kit.chance.one_in(9) { fan - 1 } else { fan };
        let mut children = JoinSet::new();
        for _ in 0..fan {
            children.spawn(node(kit.fork(), fan, depth - 1, Arc::clone(&visited)));
        }
        if kit.chance.one_in(2) {
            yield_now().await;
        }
        if kit.chance.one_in(2) {
            while let Some(child) = children.join_next().await {
                child.expect("a node does not panic");
            }
        } else {
            children.join_all().await;
        }
    })
}
