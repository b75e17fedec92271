//! Timers: none is early, none is forgotten, and what is given up is gone.

use std::time::{Duration, Instant};

use goro::task::JoinSet;
use goro::time::{interval, sleep, timeout};

use crate::kit::{Kit, given_turns};
use crate::ledger::add;

pub async fn round(kit: &mut Kit) {
    let mut tasks = JoinSet::new();
    for _ in 0..1 + kit.chance.below(300) {
        let (kit, body) = (kit.fork(), kit.body());
        tasks.spawn(async move {
            let _body = body;
            one(kit).await;
        });
    }
    // Each ends by itself, whatever its deadline was.
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            kit.ledger.broken("timers", error);
        }
    }
}

async fn one(mut kit: Kit) {
    let asked = kit.chance.micros(20_000);
    let began = Instant::now();
    let waited = match kit.chance.below(6) {
        0 => {
            // Long ones that are given up. (Both are over where the machine has stood still.)
            let far = Duration::from_secs(1 << kit.chance.below(40));
            let given_up = timeout(asked, sleep(far)).await;
            let took = began.elapsed();
            if given_up.is_ok() && took < far {
                kit.ledger.broken("timers", format_args!("{far:?} were over in {took:?}"));
            }
            asked
        }
        1 => {
            let limit = Duration::from_secs(3600);
            let woken = timeout(limit, sleep(asked)).await.is_ok();
            if !woken && began.elapsed() < limit {
                kit.ledger
                    .broken("timers", format_args!("an hour was over in {:?}", began.elapsed()));
            }
            asked
        }
        2 => {
            let mut nap = Box::pin(sleep(Duration::from_secs(3600)));
            let _turns = given_turns(&mut nap, 2).await;
            let at = goro::time::now() + asked;
            nap.as_mut().get_mut().reset(at);
            nap.await;
            asked
        }
        3 => {
            let period = asked / 4 + Duration::from_micros(1);
            let mut ticks = interval(period);
            for _ in 0..4 {
                ticks.tick().await;
            }
            // The first comes at once.
            period * 3
        }
        _ => {
            let early = if kit.plants("timers") { asked / 2 } else { asked };
            sleep(early).await;
            asked
        }
    };
    add(&kit.ledger.sleeps, 1);
    let took = began.elapsed();
    if took < waited {
        kit.ledger.broken("timers", format_args!("{waited:?} were over in {took:?}"));
    }
}
