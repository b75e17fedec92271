//! Pairs of tasks that wake each other in turn, through a [`Mailbox`] each way.
use std::sync::Arc;
use std::time::Duration;

use super::Sample;
use crate::mailbox::Mailbox;
use crate::meter::Meter;
use crate::rival::{Rival, drive};

/// So many pairs, so many round trips each.
pub fn ping_pong<R: Rival>(rival: R, pairs: usize, trips: usize) -> Sample {
    fn pair<R: Rival>(rival: R, trips: usize) -> R::Join<u64> {
        let (ping, pong) = (Mailbox::shared(), Mailbox::shared());
        let (inbox, outbox) = (Arc::clone(&ping), Arc::clone(&pong));
        rival.spawn_detached(async move {
            for _ in 0..trips {
                outbox.send(inbox.receive().await + 1);
            }
        });
        rival.spawn(async move {
            let mut value = 1;
            for _ in 0..trips {
                ping.send(value);
                value = pong.receive().await;
            }
            value
        })
    }
    measure(rival, pairs, trips, pair)
}

/// One pair, with a timeout of a second round each wait.
pub fn with_timeout<R: Rival>(rival: R, trips: usize) -> Sample {
    const LIMIT: Duration = Duration::from_secs(1);
    fn pair<R: Rival>(rival: R, trips: usize) -> R::Join<u64> {
        let (ping, pong) = (Mailbox::shared(), Mailbox::shared());
        let (inbox, outbox) = (Arc::clone(&ping), Arc::clone(&pong));
        rival.spawn_detached(async move {
            for _ in 0..trips {
                let value = rival.timeout(LIMIT, inbox.receive()).await;
                outbox.send(value.expect("it came in time") + 1);
            }
        });
        rival.spawn(async move {
            let mut value = 1;
            for _ in 0..trips {
                ping.send(value);
                let answer = rival.timeout(LIMIT, pong.receive()).await;
                value = answer.expect("it came in time");
            }
            value
        })
    }
    measure(rival, 1, trips, pair)
}

fn measure<R: Rival>(
    rival: R,
    pairs: usize,
    trips: usize,
    pair: fn(R, usize) -> R::Join<u64>,
) -> Sample {
    let run = async move |trips: usize| {
        let handles: Vec<_> = (0..pairs).map(|_| pair(rival, trips)).collect();
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        sum
    };
    let (sum, reading) = drive(rival, async move {
        run(trips.div_ceil(10)).await;
        let meter = Meter::start();
        let sum = run(trips).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, pairs * trips, reading)
}
