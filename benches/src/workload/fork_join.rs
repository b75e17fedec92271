//! A tree of tasks, each of which waits for its children.
use std::future::Future;
use std::pin::Pin;

use super::Sample;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// The Fibonacci number of `n`, with a task for each node of the recursion but the root.
pub fn fib<R: Rival>(rival: R, n: u32) -> Sample {
    let (sum, reading) = drive(rival, async move {
        node(rival, n - 4).await;
        let meter = Meter::start();
        let sum = node(rival, n).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, tasks(n), reading)
}

/// Boxed, since a future cannot contain itself; the root's box is the only one that is no task's.
fn node<R: Rival>(rival: R, n: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        if n < 2 {
            return u64::from(n);
        }
        let left = rival.spawn(node(rival, n - 1));
        let right = rival.spawn(node(rival, n - 2));
        left.await + right.await
    })
}

/// How many tasks that takes.
fn tasks(n: u32) -> usize {
    let (mut this, mut next) = (0, 0);
    for _ in 1..n {
        (this, next) = (next, this + next + 2);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::tasks;

    #[test]
    fn every_inner_node_has_two_tasks() {
        assert_eq!([0, 1, 2, 3, 4].map(tasks), [0, 0, 2, 4, 8]);
    }
}
