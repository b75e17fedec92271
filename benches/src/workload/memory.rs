//! What a task that waits takes of memory.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use goro_shim::lock::Lock;

use super::Sample;
use crate::mailbox::Countdown;
use crate::meter::{self, Meter};
use crate::rival::{Rival, drive};

/// So many detached tasks wait for one event that does not come.
pub fn parked<R: Rival>(rival: R, tasks: usize) -> Sample {
    let (parked, bytes, reading) = drive(rival, async move {
        let _warm_up = park(rival, Event::with_room(1000)).await;
        let event = Event::with_room(tasks);
        let before = meter::resident();
        let meter = Meter::start();
        let event = park(rival, event).await;
        let reading = meter.stop();
        let bytes = meter::resident().saturating_sub(before);
        (event.waiters.lock().len(), bytes, reading)
    });
    let per_task = |total: u128| total as f64 / tasks as f64;
    let values = vec![per_task(bytes.into()), per_task(reading.cpu.as_nanos())];
    Sample { checksum: parked as u64, values }
}

/// What the tasks wait for: a list of wakers, in memory before the first one comes.
struct Event {
    waiters: Lock<Vec<Waker>>,
    room: usize,
}

impl Event {
    fn with_room(room: usize) -> Arc<Self> {
        let mut waiters = vec![Waker::noop().clone(); room];
        waiters.clear();
        Arc::new(Self { waiters: Lock::new(waiters), room })
    }
}

/// Fills the event with waiting tasks.
async fn park<R: Rival>(rival: R, event: Arc<Event>) -> Arc<Event> {
    let everyone = Countdown::of(event.room);
    for _ in 0..event.room {
        let (event, arrival) = (Arc::clone(&event), Some(Arc::clone(&everyone)));
        rival.spawn_detached(Wait { event, arrival });
    }
    everyone.wait().await;
    event
}

/// Waits for an [`Event`], having said once that it has come. 16 bytes.
struct Wait {
    event: Arc<Event>,
    arrival: Option<Arc<Countdown>>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(arrival) = self.arrival.take() {
            let waker = context.waker().clone();
            self.event.waiters.lock().push(waker);
            arrival.finish();
        }
        Poll::Pending
    }
}
