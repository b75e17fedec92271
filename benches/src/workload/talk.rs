//! What tasks say to each other in more than one channel: answers, latest values, values for all, and
//! whichever comes first.
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use super::Sample;
use super::waits::{Waits, nanos_since};
use crate::meter::Meter;
use crate::rival::channels::Channels;
use crate::rival::drive;
use crate::rival::talk::{Rx, Talk, Watch};

type Tx<R> = <<R as Talk>::Channels as Channels>::Tx<u64>;

/// Runs it small, then times it.
fn timed<R, F, G>(rival: R, size: usize, operations: usize, run: F) -> Sample
where
    R: Talk,
    F: Fn(usize) -> G + Send + 'static,
    G: Future<Output = u64> + Send,
{
    let (sum, reading) = drive(rival, async move {
        run(size.div_ceil(10)).await;
        let meter = Meter::start();
        let sum = run(size).await;
        (sum, meter.stop())
    });
    Sample::per_operation(sum, operations, reading)
}

fn channel<R: Talk>(capacity: usize) -> (Tx<R>, Rx<R>) {
    R::Channels::make(Some(capacity))
}

/// Four tasks send so many messages each through channels of 16; one receives from whichever is
/// ready.
pub fn select_4<R: Talk>(rival: R, messages: usize) -> Sample {
    timed(rival, messages, messages * 4, move |messages| async move {
        let mut from = Vec::with_capacity(4);
        for _ in 0..4 {
            let (tx, rx) = channel::<R>(16);
            from.push(rx);
            rival.spawn_detached(async move {
                for message in 0..messages {
                    R::Channels::send(&tx, message as u64).await;
                }
            });
        }
        let Ok(mut from) = <[Rx<R>; 4]>::try_from(from) else { unreachable!("there are four") };
        let mut sum = 0;
        for _ in 0..messages * 4 {
            sum += R::either(&mut from).await;
        }
        sum
    })
}

/// One task sends so many messages to each of 50 channels of 16; one receives from whichever is
/// ready.
pub fn select_50<R: Talk>(rival: R, messages: usize) -> Sample {
    timed(rival, messages, messages * 50, move |messages| async move {
        let (to, from) = (0..50).map(|_| channel::<R>(16)).unzip();
        feed(rival, to, messages);
        R::merged(from).await
    })
}

/// The same with a task for each channel.
pub fn receive_50<R: Talk>(rival: R, messages: usize) -> Sample {
    timed(rival, messages, messages * 50, move |messages| async move {
        let (to, from): (Vec<_>, Vec<_>) = (0..50).map(|_| channel::<R>(16)).unzip();
        feed(rival, to, messages);
        let receivers: Vec<_> = from.into_iter().map(|rx| rival.spawn(sum::<R>(rx))).collect();
        let mut sum = 0;
        for receiver in receivers {
            sum += receiver.await;
        }
        sum
    })
}

fn feed<R: Talk>(rival: R, to: Vec<Tx<R>>, messages: usize) {
    rival.spawn_detached(async move {
        for message in 0..messages {
            for tx in &to {
                R::Channels::send(tx, message as u64).await;
            }
        }
    });
}

async fn sum<R: Talk>(mut rx: Rx<R>) -> u64 {
    let mut sum = 0;
    while let Some(message) = R::Channels::receive(&mut rx).await {
        sum += message;
    }
    sum
}

/// So many pairs, of which one asks so often, with a oneshot for the answer, and one answers.
pub fn request<R: Talk>(rival: R, pairs: usize, trips: usize) -> Sample {
    let run = move |trips: usize, waits: Option<Arc<Waits>>| async move {
        let pair = |_| {
            let waits = waits.clone();
            let (tx, mut rx) = R::Channels::make::<(u64, R::Reply)>(Some(16));
            rival.spawn_detached(async move {
                while let Some((question, reply)) = R::Channels::receive(&mut rx).await {
                    R::reply(reply, question + 1);
                }
            });
            rival.spawn(async move {
                let (mut value, mut own) = (0, Vec::new());
                for _ in 0..trips {
                    let began = waits.is_some().then(Instant::now);
                    let (reply, answer) = R::oneshot();
                    R::Channels::send(&tx, (value, reply)).await;
                    value = answer.await;
                    own.extend(began.map(nanos_since));
                }
                if let Some(waits) = waits {
                    waits.end(own);
                }
                value
            })
        };
        let clients: Vec<_> = (0..pairs).map(pair).collect();
        let mut sum = 0;
        for client in clients {
            sum += client.await;
        }
        sum
    };
    let (sum, reading, told) = drive(rival, async move {
        run(trips.div_ceil(10), None).await;
        let meter = Meter::start();
        let sum = run(trips, None).await;
        let reading = meter.stop();
        let waits = Waits::shared();
        run(trips.div_ceil(4), Some(Arc::clone(&waits))).await;
        (sum, reading, waits.figures())
    });
    Sample::per_operation(sum, trips * pairs, reading).with(told)
}

/// The primes below so much, each with a task that lets through what it does not divide.
pub fn sieve<R: Talk>(rival: R, limit: usize) -> Sample {
    timed(rival, limit, 1_000_000, move |limit| async move {
        let (tx, mut rx) = channel::<R>(16);
        rival.spawn_detached(async move {
            for number in 2..limit {
                R::Channels::send(&tx, number as u64).await;
            }
        });
        let mut sum = 0;
        while let Some(prime) = R::Channels::receive(&mut rx).await {
            sum += prime;
            let (tx, next) = channel::<R>(16);
            let mut from = std::mem::replace(&mut rx, next);
            rival.spawn_detached(async move {
                while let Some(number) = R::Channels::receive(&mut from).await {
                    if number % prime != 0 {
                        R::Channels::send(&tx, number).await;
                    }
                }
            });
        }
        sum
    })
}

/// One task sends so many messages to eight, each by a channel of its own or all by one, and these to
/// one that sums; 100 places each.
pub fn pipeline<R: Talk>(rival: R, own: bool, messages: usize) -> Sample {
    timed(rival, messages, messages, move |messages| async move {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for worker in 0..8 {
            if own || worker == 0 {
                let (tx, rx) = channel::<R>(100);
                to.push(tx);
                from.push(rx);
            } else {
                from.push(R::Channels::another(&from[0]).expect("many receivers"));
            }
        }
        let (tx, rx) = channel::<R>(100);
        for mut input in from {
            let tx = tx.clone();
            rival.spawn_detached(async move {
                while let Some(message) = R::Channels::receive(&mut input).await {
                    R::Channels::send(&tx, message * 2 + 1).await;
                }
            });
        }
        drop(tx);
        rival.spawn_detached(async move {
            for message in 0..messages {
                R::Channels::send(&to[message % to.len()], message as u64).await;
            }
        });
        sum::<R>(rx).await
    })
}

/// One task sets a number so often; each time, eight see it before it goes on.
pub fn watch<R: Talk>(rival: R, turns: usize) -> Sample {
    timed(rival, turns, turns, move |turns| async move {
        let (dial, eye) = R::Watch::at_zero();
        let (tx, mut seen) = channel::<R>(8);
        for _ in 0..8 {
            let (mut eye, tx) = (eye.clone(), tx.clone());
            rival.spawn_detached(async move {
                for _ in 0..turns {
                    R::Channels::send(&tx, R::Watch::look(&mut eye).await).await;
                }
            });
        }
        let mut sum = 0;
        for turn in 1..=turns {
            R::Watch::turn(&dial, turn as u64);
            for _ in 0..8 {
                sum += R::Channels::receive(&mut seen).await.expect("eight look");
            }
        }
        sum
    })
}

/// One task sends so many batches of 1000 to eight that hear all; it waits for them after each.
pub fn broadcast<R: Talk>(rival: R, batches: usize) -> Sample {
    const BATCH: usize = 1000;
    timed(rival, batches, batches * BATCH, move |batches| async move {
        let (mouth, ears) = R::broadcast(1024, 8);
        let (tx, mut done) = channel::<R>(8);
        for mut ear in ears {
            let tx = tx.clone();
            rival.spawn_detached(async move {
                for _ in 0..batches {
                    let mut sum = 0;
                    for _ in 0..BATCH {
                        sum += R::hear(&mut ear).await;
                    }
                    R::Channels::send(&tx, sum).await;
                }
            });
        }
        let mut sum = 0;
        for _ in 0..batches {
            for number in 0..BATCH {
                R::say(&mouth, number as u64).await;
            }
            for _ in 0..8 {
                sum += R::Channels::receive(&mut done).await.expect("eight hear");
            }
        }
        sum
    })
}
