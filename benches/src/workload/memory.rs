//! What a task that waits takes of memory.
use std::sync::Arc;

use super::Sample;
use super::parking::{Event, Wait};
use crate::meter::{self, Meter};
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
