//! Pairs of tasks that wake each other in turn, through a [`Mailbox`] each way.
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Sample;
use super::waits::{Waits, nanos_since};
use crate::mailbox::Mailbox;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// Spawns a pair that makes so many round trips, and perhaps tells how long each took.
type Pair<R> = fn(R, usize, Option<Arc<Waits>>) -> <R as Rival>::Join<u64>;

/// So many pairs, so many round trips each.
pub fn ping_pong<R: Rival>(rival: R, pairs: usize, trips: usize) -> Sample {
    fn pair<R: Rival>(rival: R, trips: usize, waits: Option<Arc<Waits>>) -> R::Join<u64> {
        let (ping, pong) = (Mailbox::shared(), Mailbox::shared());
        let (inbox, outbox) = (Arc::clone(&ping), Arc::clone(&pong));
        rival.spawn_detached(async move {
            for _ in 0..trips {
                outbox.send(inbox.receive().await + 1);
            }
        });
        rival.spawn(async move {
            let (mut value, mut own) = (1, Vec::new());
            for _ in 0..trips {
                let began = waits.is_some().then(Instant::now);
                ping.send(value);
                value = pong.receive().await;
                own.extend(began.map(nanos_since));
            }
            if let Some(waits) = waits {
                waits.end(own);
            }
            value
        })
    }
    measure(rival, pairs, trips, pair)
}

/// One pair, with a timeout of a second round each wait.
pub fn with_timeout<R: Rival>(rival: R, trips: usize) -> Sample {
    const LIMIT: Duration = Duration::from_secs(1);
    fn pair<R: Rival>(rival: R, trips: usize, waits: Option<Arc<Waits>>) -> R::Join<u64> {
        let (ping, pong) = (Mailbox::shared(), Mailbox::shared());
        let (inbox, outbox) = (Arc::clone(&ping), Arc::clone(&pong));
        rival.spawn_detached(async move {
            for _ in 0..trips {
                let value = rival.timeout(LIMIT, inbox.receive()).await;
                outbox.send(value.expect("it came in time") + 1);
            }
        });
        rival.spawn(async move {
            let (mut value, mut own) = (1, Vec::new());
            for _ in 0..trips {
                let began = waits.is_some().then(Instant::now);
                ping.send(value);
                let answer = rival.timeout(LIMIT, pong.receive()).await;
                value = answer.expect("it came in time");
                own.extend(began.map(nanos_since));
            }
            if let Some(waits) = waits {
                waits.end(own);
            }
            value
        })
    }
    measure(rival, 1, trips, pair)
}

fn measure<R: Rival>(rival: R, pairs: usize, trips: usize, pair: Pair<R>) -> Sample {
    let run = async move |trips: usize, waits: Option<&Arc<Waits>>| {
        let handles: Vec<_> = (0..pairs).map(|_| pair(rival, trips, waits.cloned())).collect();
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    };
    let (sum, reading, told) = drive(rival, async move {
        run(trips.div_ceil(10), None).await;
        let meter = Meter::start();
        let sum = run(trips, None).await;
        let reading = meter.stop();
        let waits = Waits::shared();
        run(trips.div_ceil(4), Some(&waits)).await;
        (sum, reading, waits.figures())
    });
    Sample::per_operation(sum, pairs * trips, reading).with(told)
}
