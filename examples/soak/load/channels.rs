//! Channels of every flavour, with ends that leave, operations that are given up, and tasks that are aborted.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::StreamExt;
use goro::channel::{Builder, Overflow, Receiver, Sender, TryRecvError};
use goro::spawn;
use goro::task::{JoinHandle, yield_now};

use crate::chance::Chance;
use crate::kit::{Kit, given_turns, yields};
use crate::ledger::{Body, Round, Value, add};

/// How the ends of a round behave.
#[derive(Clone, Copy)]
struct Manners {
    /// Receivers take some values on approval, and give some of them back.
    leases: bool,
    /// Receivers go before the channel is over.
    leave: bool,
}

pub async fn round(kit: &mut Kit) {
    let chance = &mut kit.chance;
    let (flavour, (tx, rx)) = channel(chance);
    let round = Round::new(&kit.ledger);
    let manners = Manners { leases: chance.one_in(3), leave: chance.one_in(4) };
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    let so_many = 1 + chance.below(400);
    let senders = 1 + chance.below(4);
    for sender in 0..senders {
        let (tx, round, kit) = (tx.clone(), Arc::clone(&round), (kit.fork(), kit.body()));
        tasks.push(spawn(send(tx, round, kit, (sender << 32)..(sender << 32) + so_many)));
    }
    for _ in 0..=kit.chance.below(3) {
        tasks.push(spawn(receive(rx.clone(), manners, (kit.fork(), kit.body()))));
    }
    drop((tx, rx));
    let aborts = kit.chance.one_in(4);
    if aborts {
        for _ in 0..=kit.chance.below(3) {
            yields(kit.chance.below(20)).await;
            tasks[kit.chance.below(tasks.len() as u64) as usize].abort();
            add(&kit.ledger.endings, 1);
        }
    }
    for task in tasks {
        match task.await {
            Err(error) if !aborts || error.is_panic() => {
                kit.ledger.broken("conservation", format_args!("{flavour}: {error}"));
            }
            _ => {}
        }
    }
    round.close(flavour, !aborts);
}

fn channel(chance: &mut Chance) -> (&'static str, (Sender<Value>, Receiver<Value>)) {
    let overflow = match chance.below(6) {
        0 => Overflow::Reject,
        1 => Overflow::DropNewest,
        2 => Overflow::DropOldest,
        _ => Overflow::Wait,
    };
    let builder = Builder::new().overflow(overflow);
    let builder = if chance.one_in(2) { builder.on_undelivered(drop) } else { builder };
    match chance.below(5) {
        0 => ("a rendezvous", builder.bounded(0)),
        1 => ("one place", builder.bounded(1)),
        2 => ("some places", builder.bounded(2 + chance.below(30) as usize)),
        3 => ("many places", builder.bounded(256)),
        _ => ("an unbounded channel", builder.unbounded()),
    }
}

async fn send(
    tx: Sender<Value>,
    round: Arc<Round>,
    (mut kit, _body): (Kit, Body),
    numbers: Range<u64>,
) {
    let sent = |so_many: u64| add(&round.sent, so_many);
    let mut numbers = numbers;
    while let Some(number) = numbers.next() {
        if kit.plants("conservation") && kit.chance.one_in(50) {
            std::mem::forget(round.value(number));
        }
        let number = if kit.plants("order") && kit.chance.one_in(9) { 0 } else { number };
        let (value, turns) = (round.value(number), kit.chance.below(5));
        match kit.chance.below(10) {
            0 => match tx.try_send(value) {
                Ok(()) => sent(1),
                Err(error) => error.into_inner().returned(),
            },
            1 => match tx.send_timeout(value, kit.chance.micros(300)).await {
                Ok(()) => sent(1),
                Err(error) => error.into_inner().returned(),
            },
            2 => match given_turns(tx.reserve(), turns).await {
                Ok(Ok(permit)) => match permit.send(value) {
                    Ok(()) => sent(1),
                    Err(error) => error.into_inner().returned(),
                },
                _ => value.returned(),
            },
            3 => {
                let more = numbers.by_ref().take(7).map(|number| round.value(number));
                let all: Vec<Value> = std::iter::once(value).chain(more).collect();
                let so_many = all.len() as u64;
                let unsent = match given_turns(tx.send_many(all), turns).await {
                    Ok(Ok(())) => Vec::new(),
                    Ok(Err(error)) => error.unsent,
                    Err(given_up) => given_up.into_inner(),
                };
                sent(so_many - unsent.len() as u64);
                unsent.into_iter().for_each(Value::returned);
            }
            4..7 => match given_turns(tx.send(value), turns).await {
                Ok(Ok(())) => sent(1),
                Ok(Err(error)) => error.into_inner().returned(),
                Err(given_up) => match given_up.into_inner() {
                    Some(value) => value.returned(),
                    // At a rendezvous it was received meanwhile.
                    None => sent(1),
                },
            },
            _ => match tx.send(value).await {
                Ok(()) => sent(1),
                Err(error) => error.into_inner().returned(),
            },
        }
    }
}

async fn receive(rx: Receiver<Value>, manners: Manners, (mut kit, _body): (Kit, Body)) {
    let mut last: [Option<u64>; 4] = [None; 4];
    let (ledger, counted) = (Arc::clone(&kit.ledger), AtomicU64::new(0));
    let mut take = |value: Value| {
        add(&counted, 1);
        let number = value.received();
        let last = &mut last[(number >> 32) as usize];
        // What is given back comes again after what others took meanwhile.
        if !manners.leases && last.is_some_and(|last| last >= number) {
            ledger.broken("order", format_args!("{number:x} was received after {last:x?}"));
        }
        *last = Some(number);
    };
    let stay = if manners.leave { kit.chance.below(200) } else { u64::MAX };
    let mut many = Vec::new();
    while counted.load(Relaxed) < stay {
        let turns = kit.chance.below(5);
        let over = match kit.chance.below(8) {
            0 => match rx.try_recv() {
                Ok(value) => {
                    take(value);
                    false
                }
                Err(TryRecvError::Empty) => {
                    yield_now().await;
                    false
                }
                Err(_) => true,
            },
            1 => match rx.recv_timeout(kit.chance.micros(300) + Duration::from_micros(1)).await {
                Ok(value) => {
                    take(value);
                    false
                }
                Err(_) => {
                    rx.is_closed() && rx.is_empty() && rx.recv().await.map(&mut take).is_err()
                }
            },
            2 => {
                let received = given_turns(rx.recv_many(&mut many, 9), turns).await;
                let over = matches!(received, Ok(Err(_)));
                drop(received);
                many.drain(..).for_each(&mut take);
                over
            }
            3 if manners.leases => match given_turns(rx.recv_lease(), turns).await {
                Ok(Ok(lease)) if kit.chance.one_in(2) => {
                    take(lease.accept());
                    false
                }
                Ok(Ok(lease)) => {
                    yield_now().await;
                    drop(lease);
                    false
                }
                Ok(Err(_)) => true,
                Err(_given_up) => false,
            },
            4 => rx.stream().next().await.map(&mut take).is_none(),
            5 => match given_turns(rx.recv(), turns).await {
                Ok(received) => received.map(&mut take).is_err(),
                Err(_given_up) => false,
            },
            _ => rx.recv().await.map(&mut take).is_err(),
        };
        if over {
            break;
        }
    }
}
