//! `select!`, races and sets over channels under the production scheduler, in an order drawn from a seed:
//! tasks that wait to send and to receive at several channels at once, with time limits, tokens, aborts and
//! ends that are dropped. Whatever wins, what lost has done nothing: each value is in one place in the end,
//! and nobody who could go is left waiting.
//!
//! `GORO_SEEDS` runs so many seeds of each; `.ci/run simulator` runs ten thousand.
#![cfg(feature = "sim")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;
#[path = "support/ledger.rs"]
mod ledger;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use draw::Draw;
use goro::CancellationToken;
use goro::channel::{Receiver, Sender, bounded};
use goro::race;
use goro::race::OneOf2;
use goro::select::{Select, Selected};
use goro::sim::explore;
use goro::time::sleep;
use ledger::{Ledger, Value};

const SEEDS: u64 = 100;
/// The longest pause, in microseconds.
const LONGEST: u64 = 2_000;
const VALUES: usize = 24;
const SENDERS: usize = 3;

type Senders = [Sender<Value>; 3];
type Receivers = [Receiver<Value>; 3];

/// Sends one value of two into one of the channels, or into none. Says whether a send said yes.
async fn send(
    [a, b, c]: &Senders,
    value: Value,
    other: Value,
    token: &CancellationToken,
    draw: &mut Draw,
) -> bool {
    match draw.below(5) {
        // What loses is dropped with its future.
        0 => goro::select! {
            sent = a.send(value) => sent.is_ok(),
            sent = b.send(other) => sent.is_ok(),
        },
        1 => goro::select! {
            Ok(permit) = a.reserve() => permit.send(value).is_ok(),
            Ok(permit) = b.reserve() => permit.send(value).is_ok(),
            Ok(permit) = c.reserve() => permit.send(other).is_ok(),
            timeout(draw.time()) => false,
            else => false,
        },
        2 => goro::select! {
            biased;
            _ = token.cancelled() => false,
            sent = c.send(value) => sent.is_ok(),
            () = sleep(draw.time()) => false,
        },
        3 => goro::select! {
            Ok(permit) = c.reserve(), if draw.below(2) == 0 => permit.send(value).is_ok(),
            Ok(permit) = a.reserve() => permit.send(other).is_ok(),
            default => false,
        },
        _ => match race((b.send(value), c.send(other))).await {
            OneOf2::A(sent) | OneOf2::B(sent) => sent.is_ok(),
        },
    }
}

/// What one wait gave.
enum Got {
    Value(Value),
    Nothing,
    /// All channels are closed, and empty.
    End,
}

async fn receive([a, b, c]: &Receivers, token: &CancellationToken, draw: &mut Draw) -> Got {
    match draw.below(5) {
        0 => goro::select! {
            Ok(value) = a.recv() => Got::Value(value),
            Ok(value) = b.recv() => Got::Value(value),
            Ok(value) = c.recv() => Got::Value(value),
            else => Got::End,
        },
        1 => goro::select! {
            biased;
            Ok(value) = c.recv() => Got::Value(value),
            Ok(value) = a.recv(), if draw.below(3) > 0 => Got::Value(value),
            timeout(draw.time()) => Got::Nothing,
            else => Got::Nothing,
        },
        2 => goro::select! {
            Ok(value) = b.recv() => Got::Value(value),
            Ok(value) = a.recv() => Got::Value(value),
            default => Got::Nothing,
        },
        3 => goro::select! {
            Ok(value) = a.recv() => Got::Value(value),
            Ok(lease) = b.recv_lease() => {
                draw.pause().await;
                // Dropped, it goes back.
                if draw.below(3) > 0 { Got::Value(lease.accept()) } else { Got::Nothing }
            }
            _ = token.cancelled() => Got::Nothing,
            () = sleep(draw.time()) => Got::Nothing,
        },
        _ => match race((sleep(draw.time()), c.recv())).await {
            OneOf2::A(()) | OneOf2::B(Err(_)) => Got::Nothing,
            OneOf2::B(Ok(value)) => Got::Value(value),
        },
    }
}

async fn receive_all(
    receivers: &Receivers,
    ledger: &Ledger,
    token: &CancellationToken,
    draw: &mut Draw,
) {
    // For a while in any way, and then in one that comes to the end.
    for _ in 0..draw.below(30) {
        match receive(receivers, token, draw).await {
            Got::Value(value) => ledger.got(&value),
            Got::Nothing => draw.pause().await,
            Got::End => return,
        }
    }
    let mut set = Select::new();
    for (name, receiver) in receivers.iter().enumerate() {
        set.insert(name, receiver.stream());
    }
    let mut ended = 0;
    while let Some(selected) = set.next().await {
        match selected {
            Selected::Item(_, value) => ledger.got(&value),
            Selected::Ended(_) => ended += 1,
        }
        draw.pause().await;
    }
    assert_eq!(ended, receivers.len(), "each ends once");
}

/// Answers whether the receivers stayed to the end.
async fn program(capacities: [usize; 3], mut draw: Draw, ledger: Arc<Ledger>) -> bool {
    let (senders, receivers): (Vec<_>, Vec<_>) = capacities.map(bounded).into_iter().unzip();
    let senders = Senders::try_from(senders).unwrap_or_else(|_| unreachable!("three"));
    let receivers = Receivers::try_from(receivers).unwrap_or_else(|_| unreachable!("three"));
    let token = CancellationToken::new();
    let mut tasks = Vec::new();
    for part in 0..SENDERS {
        let (senders, ledger, token) = (senders.clone(), Arc::clone(&ledger), token.child_token());
        let mut draw = Draw(draw.below(1 << 30));
        tasks.push(goro::spawn(async move {
            for number in (2 * part..VALUES).step_by(2 * SENDERS) {
                draw.pause().await;
                let (value, other) = (ledger.make(number), ledger.make(number + 1));
                if send(&senders, value, other, &token, &mut draw).await {
                    ledger.sent.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
    drop(senders);
    for _ in 0..2 {
        let (receivers, ledger) = (receivers.clone(), Arc::clone(&ledger));
        let (token, mut draw) = (token.clone(), Draw(draw.below(1 << 30)));
        tasks.push(goro::spawn(async move {
            receive_all(&receivers, &ledger, &token, &mut draw).await;
        }));
    }
    // One task in three is aborted at some time, and in one run of three the token is cancelled.
    let mut whole = true;
    for (index, task) in tasks.iter().enumerate() {
        if draw.below(3) == 0 {
            sleep(draw.time()).await;
            task.abort();
            whole &= index < SENDERS;
        }
    }
    if draw.below(3) == 0 {
        sleep(draw.time()).await;
        token.cancel();
    }
    drop(receivers);
    for task in tasks {
        match task.await {
            Ok(()) => {}
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
    whole
}

fn under_seeds(capacities: [usize; 3]) {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        let ledger = Ledger::of(VALUES);
        let counts = Arc::clone(&ledger);
        let ended = sim.run(program(capacities, Draw(seed), ledger));
        let receivers_stayed = ended.unwrap_or_else(|failure| panic!("{failure}"));
        let (received, dropped) = (counts.received.lock().unwrap(), counts.dropped.lock().unwrap());
        assert!(received.iter().all(|&times| times <= 1), "twice: {received:?}");
        assert_eq!(*dropped, *counts.made.lock().unwrap(), "lost, or dropped twice");
        let (received, sent) = (received.iter().sum::<usize>(), counts.sent.load(Ordering::SeqCst));
        // A sender that is aborted may not have learned that it had sent.
        assert!(!receivers_stayed || received >= sent, "{received} of {sent} received");
    });
}

#[test]
fn selects_that_meet_at_a_rendezvous_under_seeds() {
    under_seeds([0, 0, 0]);
}

#[test]
fn selects_over_channels_of_each_sort_under_seeds() {
    under_seeds([0, 1, 3]);
}

#[test]
fn selects_over_channels_without_limits_under_seeds() {
    under_seeds([usize::MAX, 1, usize::MAX]);
}
