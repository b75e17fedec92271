//! The number of workers, changed under all the rest.

use goro::runtime::Handle;
use goro::time::sleep;

use crate::kit::Kit;
use crate::ledger::add;

pub async fn round(kit: &mut Kit) {
    let handle = Handle::current();
    let workers = 1 + kit.chance.below(6) as usize;
    let resized = if kit.is_over() { Ok(()) } else { handle.set_workers(workers) };
    if let Err(error) = resized {
        kit.ledger.broken("progress", error);
    }
    add(&kit.ledger.resizes, 1);
    let pause = kit.chance.micros(60_000);
    sleep(pause).await;
}
