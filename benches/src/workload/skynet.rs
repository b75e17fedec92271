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
/// those the sums to theirs. All children of a node send to one mailbox, which has room for one.
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
    let answer = Mailbox::for_many();
    rival.spawn_detached(node(rival, 1, leaves, Arc::clone(&answer)));
    answer.receive().await
}

/// Boxed, since a future cannot contain itself. A leaf is a task of its own, without the box.
fn node<R: Rival>(
    rival: R,
    first: u64,
    leaves: u64,
    parent: Arc<Mailbox>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let (each, inbox) = (leaves / CHILDREN, Mailbox::for_many());
        for at in 0..CHILDREN {
            let (first, parent) = (first + at * each, Arc::clone(&inbox));
            match each {
                1 => rival.spawn_detached(async move { parent.deliver(first).await }),
                _ => rival.spawn_detached(node(rival, first, each, parent)),
            }
        }
        let mut total = 0;
        for _ in 0..CHILDREN {
            total += inbox.receive().await;
        }
        parent.deliver(total).await;
    })
}
