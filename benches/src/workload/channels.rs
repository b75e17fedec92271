//! Messages through one channel, from so many senders to so many receivers.
//!
//! The name of a workload says what it is: `channel_4_1_cap128_64b` has four senders, one receiver,
//! a place for 128 messages, and 64 bytes in each.
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::waits::{Waits, nanos_since};
use super::{BATCHES, Sample};
use crate::meter::Meter;
use crate::rival::channels::{AsyncChannel, Channels, Flume, Kanal, Mpsc, OfGoro};
use crate::rival::{Goro, Rival, Tokio, drive};

/// What begins the name of a workload of channels.
const PREFIX: &str = "channel_";

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    senders: usize,
    receivers: usize,
    capacity: Option<usize>,
    bytes: usize,
}

impl Shape {
    fn of(name: &str) -> Option<Self> {
        let mut words = name.strip_prefix(PREFIX)?.split('_');
        let mut word = || words.next();
        Some(Self {
            senders: word()?.parse().ok()?,
            receivers: word()?.parse().ok()?,
            capacity: match word()? {
                "unbounded" => None,
                capacity => Some(capacity.strip_prefix("cap")?.parse().ok()?),
            },
            bytes: word()?.strip_suffix('b')?.parse().ok()?,
        })
    }
}

/// A message, with a number in it.
trait Message: Send + 'static {
    fn of(number: u64) -> Self;
    fn number(&self) -> u64;
}

impl<const WORDS: usize> Message for [u64; WORDS] {
    fn of(number: u64) -> Self {
        [number; WORDS]
    }
    fn number(&self) -> u64 {
        self[WORDS - 1]
    }
}

/// Runs the workload of that name in a column of channels; `None` if there is no such thing.
pub fn run(name: &str, column: &str, workers: usize, messages: usize) -> Option<Sample> {
    if name == BATCHES.name {
        return (column == "goro").then(|| batches(Goro::start(workers), messages));
    }
    let shape = Shape::of(name)?;
    match column {
        "goro" => Some(measure::<_, OfGoro>(Goro::start(workers), shape, messages)),
        "goro+tokio" => Some(measure::<_, OfGoro>(Tokio::start(workers), shape, messages)),
        "kanal" => Some(measure::<_, Kanal>(Tokio::start(workers), shape, messages)),
        "kanal+goro" => Some(measure::<_, Kanal>(Goro::start(workers), shape, messages)),
        "flume" => Some(measure::<_, Flume>(Tokio::start(workers), shape, messages)),
        "async-channel" => Some(measure::<_, AsyncChannel>(Tokio::start(workers), shape, messages)),
        "mpsc" => Some(measure::<_, Mpsc>(Tokio::start(workers), shape, messages)),
        "crossbeam" => Some(threads(shape, messages)),
        _ => None,
    }
}

fn measure<R: Rival, C: Channels>(rival: R, shape: Shape, messages: usize) -> Sample {
    match shape.bytes {
        8 => sized::<R, C, [u64; 1]>(rival, shape, messages),
        _ => sized::<R, C, [u64; 8]>(rival, shape, messages),
    }
}

fn sized<R: Rival, C: Channels, M: Message>(rival: R, shape: Shape, messages: usize) -> Sample {
    let (sum, reading, told) = drive(rival, async move {
        stream::<R, C, M>(rival, shape, messages.div_ceil(10), None).await;
        let meter = Meter::start();
        let sum = stream::<R, C, M>(rival, shape, messages, None).await;
        let reading = meter.stop();
        let waits = Waits::shared();
        stream::<R, C, M>(rival, shape, messages.div_ceil(4), Some(&waits)).await;
        (sum, reading, waits.figures())
    });
    Sample::per_operation(sum, messages, reading).with(told)
}

/// The senders tell how long each send took.
async fn stream<R: Rival, C: Channels, M: Message>(
    rival: R,
    shape: Shape,
    messages: usize,
    waits: Option<&Arc<Waits>>,
) -> u64 {
    let (tx, rx) = C::make::<M>(shape.capacity);
    let more = (1..shape.receivers).map(|_| C::another(&rx).expect("many receivers"));
    let mut ends: Vec<_> = more.collect();
    ends.push(rx);
    let receivers: Vec<_> = ends
        .into_iter()
        .map(|mut rx| {
            rival.spawn(async move {
                let mut sum = 0;
                while let Some(message) = C::receive(&mut rx).await {
                    sum += message.number();
                }
                sum
            })
        })
        .collect();
    for sender in 0..shape.senders {
        let (tx, waits) = (tx.clone(), waits.cloned());
        rival.spawn_detached(async move {
            let mut own = Vec::new();
            for number in (sender..messages).step_by(shape.senders) {
                let began = waits.is_some().then(Instant::now);
                C::send(&tx, M::of(number as u64)).await;
                own.extend(began.map(nanos_since));
            }
            // Told before its end of the channel goes: the receivers' ends are waited for.
            if let Some(waits) = waits {
                waits.end(own);
            }
            drop(tx);
        });
    }
    drop(tx);
    let mut sum = 0;
    for receiver in receivers {
        sum += receiver.await;
    }
    sum
}

/// Ten values at a time, through a channel that has room for them.
fn batches<R: Rival>(rival: R, rounds: usize) -> Sample {
    const BATCH: u64 = 10;
    let (tx, rx) = goro::channel::bounded(128);
    let (sum, many, single) = drive(rival, async move {
        let (mut sum, mut received) = (0, Vec::new());
        let meter = Meter::start();
        for _ in 0..rounds {
            assert!(tx.send_many(0..BATCH).await.is_ok());
            while received.len() < BATCH as usize {
                assert!(rx.recv_many(&mut received, BATCH as usize).await.is_ok());
            }
            sum += received.drain(..).sum::<u64>();
        }
        let many = meter.stop();
        let meter = Meter::start();
        for _ in 0..rounds {
            for number in 0..BATCH {
                assert!(tx.send(number).await.is_ok());
            }
            for _ in 0..BATCH {
                sum += rx.recv().await.unwrap_or(0);
            }
        }
        (sum, many, meter.stop())
    });
    let nanos = many.wall.as_nanos() as f64;
    let per_value = nanos / (rounds as f64 * BATCH as f64);
    Sample { checksum: sum, values: vec![nanos / single.wall.as_nanos() as f64, per_value] }
}

/// crossbeam's channels, each end on a thread.
fn threads(shape: Shape, messages: usize) -> Sample {
    match shape.bytes {
        8 => threads_sized::<[u64; 1]>(shape, messages),
        _ => threads_sized::<[u64; 8]>(shape, messages),
    }
}

fn threads_sized<M: Message>(shape: Shape, messages: usize) -> Sample {
    thread_stream::<M>(shape, messages.div_ceil(10), None);
    let meter = Meter::start();
    let sum = thread_stream::<M>(shape, messages, None);
    let reading = meter.stop();
    let waits = Waits::shared();
    thread_stream::<M>(shape, messages.div_ceil(4), Some(&waits));
    Sample::per_operation(sum, messages, reading).with(waits.figures())
}

fn thread_stream<M: Message>(shape: Shape, messages: usize, waits: Option<&Arc<Waits>>) -> u64 {
    let (tx, rx) = match shape.capacity {
        Some(capacity) => crossbeam_channel::bounded::<M>(capacity),
        None => crossbeam_channel::unbounded(),
    };
    let receivers: Vec<_> = (0..shape.receivers)
        .map(|_| {
            let rx = rx.clone();
            thread::spawn(move || rx.iter().map(|message| message.number()).sum::<u64>())
        })
        .collect();
    for sender in 0..shape.senders {
        let (tx, waits) = (tx.clone(), waits.cloned());
        thread::spawn(move || {
            let mut own = Vec::new();
            for number in (sender..messages).step_by(shape.senders) {
                let began = waits.is_some().then(Instant::now);
                tx.send(M::of(number as u64)).expect("there are receivers");
                own.extend(began.map(nanos_since));
            }
            if let Some(waits) = waits {
                waits.end(own);
            }
            drop(tx);
        });
    }
    drop(tx);
    receivers.into_iter().map(|receiver| receiver.join().expect("it does not panic")).sum()
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::workload::{Among, BATCHES, every};

    #[test]
    fn every_name_says_its_shape() {
        let channels = every().filter(|workload| workload.among == Among::Channels);
        for workload in channels.filter(|workload| workload.name != BATCHES.name) {
            assert!(Shape::of(workload.name).is_some(), "{}", workload.name);
        }
        let shape = Shape { senders: 4, receivers: 1, capacity: Some(128), bytes: 64 };
        assert_eq!(Shape::of("channel_4_1_cap128_64b"), Some(shape));
        assert_eq!(Shape::of("channel_4_1_cap128"), None);
    }
}
