//! One value, the latest value, values for all, and questions.

use std::time::Duration;

use goro::broadcast::OnLag;
use goro::task::{JoinSet, yield_now};
use goro::{broadcast, oneshot, request, watch};

use crate::kit::{Kit, yields};
use crate::ledger::{Round, add};

pub async fn round(kit: &mut Kit) {
    match kit.chance.below(4) {
        0 => once(kit).await,
        1 => latest(kit).await,
        2 => for_all(kit).await,
        _ => questions(kit).await,
    }
}

/// Pairs, of which some ends go.
async fn once(kit: &mut Kit) {
    let round = Round::new(&kit.ledger);
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let (tx, rx) = oneshot::channel();
        let (mut giver, mut taker) = (kit.fork(), kit.fork());
        let (bodies, sending) = ([kit.body(), kit.body()], round.clone());
        let [one, two] = bodies;
        tasks.spawn(async move {
            let _body = one;
            yields(giver.chance.below(3)).await;
            let value = sending.value(number);
            if giver.chance.one_in(5) {
                return value.returned();
            }
            match tx.send(value) {
                Ok(()) => add(&sending.sent, 1),
                Err(back) => back.0.returned(),
            }
        });
        tasks.spawn(async move {
            let _body = two;
            yields(taker.chance.below(3)).await;
            if taker.chance.one_in(5) {
                return;
            }
            if let Ok(value) = rx.await {
                value.received();
            }
        });
    }
    tasks.join_all().await;
    round.close("a oneshot", true);
}

/// Whoever watches sees numbers that grow, and the last of them.
async fn latest(kit: &mut Kit) {
    let (tx, rx) = watch::channel(0_u64);
    let last = 1 + kit.chance.below(300);
    let mut tasks = JoinSet::new();
    for _ in 0..1 + kit.chance.below(5) {
        let (mut rx, ledger, body) = (rx.clone(), kit.ledger.clone(), kit.body());
        let planted = kit.plants("answers");
        tasks.spawn(async move {
            let _body = body;
            let mut seen = *rx.borrow_and_update();
            while rx.changed().await.is_ok() {
                let now = *rx.borrow_and_update();
                if now < seen {
                    ledger.broken("answers", format_args!("watch: {now} came after {seen}"));
                }
                seen = now;
            }
            ledger.equal("answers", "watch: the last", seen + u64::from(planted), last);
        });
    }
    drop(rx);
    for number in 1..=last {
        tx.send_replace(number);
        if kit.chance.one_in(3) {
            yield_now().await;
        }
    }
    drop(tx);
    tasks.join_all().await;
}

/// Each receiver gets each value in order, or is told how many it has missed.
async fn for_all(kit: &mut Kit) {
    let on_lag = [OnLag::Wait, OnLag::Skip, OnLag::Disconnect][kit.chance.below(3) as usize];
    let (tx, rx) = broadcast::channel(1 + kit.chance.below(64) as usize, on_lag);
    let so_many = kit.chance.below(500);
    let mut tasks = JoinSet::new();
    for _ in 0..1 + kit.chance.below(4) {
        let (mut rx, mut kit, body) = (rx.clone(), kit.fork(), kit.body());
        tasks.spawn(async move {
            let _body = body;
            let mut next = 0_u64;
            let cut_off = loop {
                match rx.recv().await {
                    Ok(number) => {
                        kit.ledger.equal("answers", "broadcast", number, next);
                        next += 1;
                    }
                    Err(broadcast::RecvError::Lagged(missed)) => next += missed,
                    Err(error) => break matches!(error, broadcast::RecvError::Disconnected),
                }
                if kit.chance.one_in(40) {
                    yields(kit.chance.below(30)).await;
                }
            };
            if !cut_off {
                kit.ledger.equal("answers", "broadcast: values", next, so_many);
            }
        });
    }
    drop(rx);
    for number in 0..so_many {
        // All may have been cut off.
        if tx.send(number).await.is_err() {
            break;
        }
        if kit.chance.one_in(50) {
            yield_now().await;
        }
    }
    drop(tx);
    tasks.join_all().await;
}

/// An answer is the one to the question; a server that drops it, and a caller that gives up, are errors.
async fn questions(kit: &mut Kit) {
    let (client, server) = request::channel::<u64, u64>(kit.chance.below(9) as usize);
    let mut tasks = JoinSet::new();
    for _ in 0..1 + kit.chance.below(3) {
        let (server, mut kit, body) = (server.clone(), kit.fork(), kit.body());
        tasks.spawn(async move {
            let _body = body;
            while let Ok((question, reply)) = server.next().await {
                yields(kit.chance.below(3)).await;
                if !kit.chance.one_in(10) {
                    let _unwanted = reply.send(question + 1);
                }
            }
        });
    }
    drop(server);
    for caller in 0..1 + kit.chance.below(6) {
        let (client, mut kit, body) = (client.clone(), kit.fork(), kit.body());
        tasks.spawn(async move {
            let _body = body;
            for question in (caller * 1000)..(caller * 1000 + 60) {
                let limit = match kit.chance.below(4) {
                    0 => kit.chance.micros(200),
                    _ => Duration::from_secs(600),
                };
                if let Ok(answer) = client.call_timeout(question, limit).await {
                    kit.ledger.equal("answers", "request", answer, question + 1);
                }
            }
        });
    }
    drop(client);
    tasks.join_all().await;
}
