//! A tree of tasks that send numbers upwards.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Sample;
use crate::mailbox::Mailbox;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

const CHILDREN: u64 = 10;

/// A tree of that depth, ten children to a node; its leaves send 1, 2, 3 ... to their parents, and
/// those the sums. Each child has a mailbox of its own.
pub fn skynet<R: Rival>(rival: R, depth: u32) -> Sample {
    let leaves = CHILDREN.pow(depth);
    let (sum, reading) = drive(rival, async move {
        tree(rival, leaves / CHILDREN).await;
        let meter = Meter::start();
        let sum = tree(rival, leaves).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, usize::try_from(leaves).expect("they fit into memory"), reading)
}

async fn tree<R: Rival>(rival: R, leaves: u64) -> u64 {
    let answer = Mailbox::shared();
    rival.spawn_detached(node(rival, 1, leaves, Arc::clone(&answer)));
    answer.receive().await
}

/// Boxed, since a future cannot contain itself. A leaf is a task of its own, without the box.
fn node<R: Rival>(
    rival: R,
    first: u64,
    leaves: u64,
    answer: Arc<Mailbox>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let each = leaves / CHILDREN;
        let child = |at| {
            let (sum, first) = (Mailbox::shared(), first + at * each);
            let outbox = Arc::clone(&sum);
            match each {
                1 => rival.spawn_detached(async move { outbox.send(first) }),
                _ => rival.spawn_detached(node(rival, first, each, outbox)),
            }
            sum
        };
        let sums: Vec<_> = (0..CHILDREN).map(child).collect();
        let mut total = 0;
        for sum in sums {
            total += sum.receive().await;
        }
        answer.send(total);
    })
}
