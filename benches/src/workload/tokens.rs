//! Trees of cancellation tokens: what a node costs, and how soon those who wait end.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Sample;
use crate::meter::{self, Meter};
use crate::rival::{Kit, Rival, drive};
use crate::stats::{histogram, percentile};

/// Set, it has the latencies of each sample printed on standard error.
const HISTOGRAMS: &str = "GORO_BENCH_HISTOGRAMS";

/// Children of each node.
const WIDTH: usize = 10;

/// So many tokens, each but the first a child of one before it; ten to a node.
fn grow<K: Kit>(nodes: usize) -> Vec<K::Token> {
    let mut tokens = Vec::with_capacity(nodes);
    tokens.push(K::token());
    for number in 1..nodes {
        tokens.push(K::child_token(&tokens[(number - 1) / WIDTH]));
    }
    tokens
}

/// Makes a tree of so many tokens, cancels its root, asks each whether it is cancelled, and drops them.
pub fn tree<R: Rival>(_: R, nodes: usize) -> Sample {
    let once = |nodes: usize| {
        let handles = Vec::<<R::Kit as Kit>::Token>::with_capacity(nodes).capacity()
            * size_of::<<R::Kit as Kit>::Token>();
        let before = meter::resident();
        let meter = Meter::start();
        let tokens = grow::<R::Kit>(nodes);
        let made = meter.stop().wall;
        let grown = meter::resident().saturating_sub(before + handles as u64);
        let meter = Meter::start();
        R::Kit::cancel(&tokens[0]);
        let cancelled = meter.stop().wall;
        let told = tokens.iter().filter(|token| R::Kit::is_cancelled(token)).count();
        let meter = Meter::start();
        drop(tokens);
        let dropped = meter.stop().wall;
        let per = |time: Duration| time.as_nanos() as f64 / nodes as f64;
        let all = per(made + cancelled + dropped);
        let bytes = grown as f64 / nodes as f64;
        let values = vec![all, bytes, per(made), per(cancelled), per(dropped)];
        Sample { checksum: told as u64, values }
    };
    // So little that the tree itself has to ask for its memory.
    once(nodes.div_ceil(100));
    once(nodes)
}

/// So many tasks wait for tokens of a tree, one each; from the cancellation of its root to the end of each.
pub fn tasks<R: Rival>(rival: R, tasks: usize) -> Sample {
    let run = move |tasks: usize| async move {
        let tokens = grow::<R::Kit>(tasks);
        let waiting = Arc::new(AtomicUsize::new(0));
        let joins: Vec<_> = tokens
            .iter()
            .map(|token| {
                let (token, waiting) = (token.clone(), Arc::clone(&waiting));
                rival.spawn(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    R::Kit::cancelled(&token).await;
                    Instant::now()
                })
            })
            .collect();
        while waiting.load(Ordering::Relaxed) < tasks {
            rival.yield_now().await;
        }
        rival.sleep(Duration::from_millis(20)).await;
        let meter = Meter::start();
        let cancelled = Instant::now();
        R::Kit::cancel(&tokens[0]);
        let mut nanos = Vec::with_capacity(tasks);
        for join in joins {
            let late = join.await.saturating_duration_since(cancelled);
            nanos.push(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
        }
        (nanos, meter.stop())
    };
    drive(rival, run(tasks.div_ceil(10)));
    let (mut nanos, reading) = drive(rival, run(tasks));
    nanos.sort_unstable();
    if std::env::var_os(HISTOGRAMS).is_some() {
        let kit = std::any::type_name::<R::Kit>();
        eprintln!("{kit}: from the cancellation to a task's end\n{}", histogram(&nanos));
    }
    let micros = |percent| percentile(&nanos, percent) as f64 / 1e3;
    let longest = nanos.last().copied().unwrap_or_default() as f64 / 1e3;
    let cpu = reading.cpu.as_nanos() as f64 / tasks as f64;
    let values = vec![longest, micros(50), micros(90), micros(99), cpu];
    Sample { checksum: nanos.len() as u64, values }
}
