//! What a task that waits takes of memory.
use std::sync::Arc;
use std::time::Duration;

use super::Sample;
use super::parking::{Event, Wait};
use crate::mailbox::Countdown;
use crate::meter::{self, Meter};
use crate::rival::channels::Channels;
use crate::rival::talk::Talk;
use crate::rival::{Rival, drive};

/// So many detached tasks, whose futures have 16 bytes and the payload, wait for one event.
///
/// With no warm-up of the same size, which would leave behind the memory to be counted.
pub fn parked<R: Rival, const PAYLOAD: usize>(rival: R, tasks: usize) -> Sample {
    async fn park<R: Rival, const PAYLOAD: usize>(rival: R, event: &Arc<Event>, tasks: usize) {
        for _ in 0..tasks {
            rival.spawn_detached(Wait::<PAYLOAD>::new(event));
        }
    }
    let (parked, bytes, reading) = drive(rival, async move {
        let first = Event::for_tasks(1000);
        park::<_, PAYLOAD>(rival, &first, 1000).await;
        first.full().await;
        let event = Event::for_tasks(tasks);
        let before = meter::resident();
        let meter = Meter::start();
        park::<_, PAYLOAD>(rival, &event, tasks).await;
        let parked = event.full().await;
        let reading = meter.stop();
        let bytes = meter::resident().saturating_sub(before);
        (parked, bytes, reading)
    });
    let per_task = |total: u128| total as f64 / tasks as f64;
    let values = vec![per_task(bytes.into()), per_task(reading.cpu.as_nanos())];
    Sample { checksum: parked as u64, values }
}

type Sender<R> = <<R as Talk>::Channels as Channels>::Tx<u64>;

/// So many detached tasks, each of which receives from a channel of its own, with one place and nothing
/// in it.
pub fn on_own_channels<R: Talk>(rival: R, tasks: usize) -> Sample {
    /// How long the last ones may take from where they are counted to where they wait.
    const SETTLE: Duration = Duration::from_millis(50);
    async fn park<R: Talk>(rival: R, senders: &mut [Option<Sender<R>>]) {
        let everyone = Countdown::of(senders.len());
        for sender in senders {
            let (tx, mut rx) = R::Channels::make::<u64>(Some(1));
            *sender = Some(tx);
            let everyone = Arc::clone(&everyone);
            rival.spawn_detached(async move {
                everyone.finish();
                drop(everyone);
                R::Channels::receive(&mut rx).await;
            });
        }
        everyone.wait().await;
        rival.sleep(SETTLE).await;
    }
    let none = |count| std::iter::repeat_with(|| None).take(count).collect::<Vec<_>>();
    let (parked, bytes, reading) = drive(rival, async move {
        let mut first = none(1000);
        park(rival, &mut first).await;
        let mut senders = none(tasks);
        let before = meter::resident();
        let meter = Meter::start();
        park(rival, &mut senders).await;
        let reading = meter.stop();
        let bytes = meter::resident().saturating_sub(before);
        let parked = senders.iter().flatten().count();
        (parked, bytes, reading)
    });
    let per_task = |total: u128| total as f64 / tasks as f64;
    let values = vec![per_task(bytes.into()), per_task(reading.cpu.as_nanos())];
    Sample { checksum: parked as u64, values }
}

/// So many channels of each kind, with nothing in them and nobody at them.
pub fn channels<R: Talk>(_: R, count: usize) -> Sample {
    /// All of them, too, so that the next ones are not made of what these leave behind.
    fn each<T>(count: usize, make: impl Fn() -> T) -> (Vec<Option<T>>, f64) {
        // In memory before the first one is made: its own place is not counted.
        let mut all: Vec<_> = std::iter::repeat_with(|| None).take(count).collect();
        let before = meter::resident();
        all.fill_with(|| Some(make()));
        let grown = meter::resident().saturating_sub(before);
        (all, grown as f64 / count as f64)
    }
    let (_one_place, one) = each(count, || R::Channels::make::<u64>(Some(1)));
    let (_places, many) = each(count, || R::Channels::make::<u64>(Some(128)));
    let (_answers, oneshot) = each(count, R::oneshot);
    Sample { checksum: count as u64, values: vec![one, many, oneshot] }
}
