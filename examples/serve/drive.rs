//! The built-in client: a closed loop on each connection, which sends its next request when it has
//! the answer to the last one.
//!
//! A closed loop slows down with the server, so its latencies say how long requests take, not how
//! long they would take at a given rate.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures::future::{join_all, select};
use goro::runtime::{Handle, Metrics};
use goro::time::{sleep, timeout};

use super::args::Load;
use super::client::Client;
use super::histogram::Histogram;
use super::report::{Report, Row, Worker};
use super::server::Tally;

/// What is asked for, and the answer that is right.
struct Target {
    path: &'static str,
    answer: &'static str,
    /// How many of each [`ROUND`] requests go there.
    share: usize,
}

const TARGETS: [Target; 3] = [
    Target { path: "/", answer: "goro serves: /work?ms=N /compute?n=N\n", share: 8 },
    Target { path: "/work?ms=1", answer: "slept for 1 ms\n", share: 1 },
    Target { path: "/compute?n=1000", answer: "168\n", share: 1 },
];
/// Requests after which the mix begins anew.
const ROUND: usize = 10;

/// A request without an answer for so long is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection that failed waits until it is made anew.
const RETRY: Duration = Duration::from_millis(20);

/// What the client saw.
pub struct Measured {
    load: Load,
    elapsed: Duration,
    scores: Vec<Score>,
}

/// What the requests to one target came to.
#[derive(Clone)]
struct Score {
    latencies: Histogram,
    sent: u64,
    right: u64,
}

/// Drives the server until the load's time is over or `interrupted` completes, and every request
/// that was sent has its answer or is given up.
pub async fn drive(
    addr: SocketAddr,
    load: Load,
    interrupted: impl Future<Output = ()>,
) -> Measured {
    let started = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let connections: Vec<_> = (0..load.connections)
        .map(|index| {
            let turn = closed_loop(addr, index, Arc::clone(&stop));
            goro::task::Builder::new().name("closed loop").spawn(turn)
        })
        .collect();
    select(pin!(sleep(load.duration)), pin!(interrupted)).await;
    stop.store(true, Relaxed);

    let mut scores = vec![Score::new(); TARGETS.len()];
    for connection in join_all(connections).await {
        // A connection's panic must not pass for one that sent nothing.
        let seen = connection.unwrap_or_else(|error| panic!("a closed loop ended: {error}"));
        scores.iter_mut().zip(&seen).for_each(|(score, more)| score.merge(more));
    }
    Measured { load, elapsed: started.elapsed(), scores }
}

async fn closed_loop(addr: SocketAddr, index: usize, stop: Arc<AtomicBool>) -> Vec<Score> {
    let mut scores = vec![Score::new(); TARGETS.len()];
    let mut client = None;
    // Each connection begins the mix elsewhere, so that they do not all sleep at the same time.
    for turn in index.. {
        if stop.load(Relaxed) {
            break;
        }
        let target = target_of(turn);
        let begun = Instant::now();
        let right = matches!(timeout(PATIENCE, ask(addr, &mut client, target)).await, Ok(true));
        scores[target].count(right.then(|| begun.elapsed()));
        if !right {
            client = None;
            sleep(RETRY).await;
        }
    }
    scores
}

/// Whether the answer came and was right.
async fn ask(addr: SocketAddr, client: &mut Option<Client>, target: usize) -> bool {
    if client.is_none() {
        *client = Client::connect(addr).await.ok();
    }
    let Some(client) = client else { return false };
    let Target { path, answer, .. } = &TARGETS[target];
    client.get(path).await.is_ok_and(|(status, body)| status == 200 && body == answer.as_bytes())
}

/// The target of a connection's `turn`-th request: the rare ones spread over the round.
fn target_of(turn: usize) -> usize {
    let turn = turn % ROUND;
    let mut end = 0;
    TARGETS
        .iter()
        .position(|target| {
            end += target.share;
            turn < end
        })
        .unwrap_or(0)
}

impl Score {
    fn new() -> Self {
        Self { latencies: Histogram::new(), sent: 0, right: 0 }
    }

    fn count(&mut self, right_after: Option<Duration>) {
        self.sent += 1;
        if let Some(latency) = right_after {
            self.right += 1;
            self.latencies.record(latency);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.sent += other.sent;
        self.right += other.right;
    }
}

impl Measured {
    /// What there is to say, with what the server and the runtime have to say about it.
    pub fn report(self, before: &Metrics, tally: Tally) -> Report {
        let after = Handle::current().metrics();
        let share = |busy: Duration| busy.as_secs_f64() / self.elapsed.as_secs_f64();
        let workers = after.workers.iter().zip(&before.workers).map(|(after, before)| Worker {
            busy: share(after.busy.saturating_sub(before.busy)),
            polls: after.polls - before.polls,
            parks: after.parks - before.parks,
            steals: after.steals - before.steals,
        });
        let rows = TARGETS.iter().zip(self.scores).map(|(target, score)| Row {
            target: target.path,
            latencies: score.latencies,
            sent: score.sent,
            right: score.right,
        });
        Report {
            connections: self.load.connections,
            elapsed: self.elapsed,
            rows: rows.collect(),
            tasks: after.tasks_spawned - before.tasks_spawned,
            workers: workers.collect(),
            served: tally.answers,
            drained: tally.complete,
        }
    }
}
