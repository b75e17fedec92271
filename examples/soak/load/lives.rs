//! Runtimes that start and stop, one after another: at whatever moment one stops, each future is dropped and
//! each handle comes to an end.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use goro::channel::bounded;
use goro::runtime::{Builder, Runtime};
use goro::task::{JoinHandle, yield_now};
use goro::time::sleep;
use goro::{spawn, spawn_blocking};

use crate::chance::Chance;
use crate::kit::Kit;
use crate::ledger::{Bodies, add};
use crate::rest::Patience;

/// Round after round on this thread, until the kit says that it is over.
pub fn lives(kit: &mut Kit) {
    while !kit.is_over() {
        life(kit);
    }
}

/// One runtime, from its beginning to its end.
pub fn life(kit: &mut Kit) {
    let bodies = Arc::new(Bodies::default());
    let built = Builder::new().workers(1 + kit.chance.below(3) as usize).name("life").build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => return kit.ledger.broken("lives", error),
    };
    if kit.plants("lives") {
        std::mem::forget(bodies.body());
    }
    let tasks: Vec<JoinHandle<()>> = (0..kit.chance.below(40))
        .map(|_| runtime.spawn(task(kit.chance.fork(), Arc::clone(&bodies), 2)))
        .collect();
    let until = kit.chance.micros(1_500);
    if kit.chance.one_in(2) {
        std::thread::sleep(until);
    }
    if let Some(task) = tasks.first().filter(|_| kit.chance.one_in(3)) {
        task.abort();
    }
    stop(runtime, kit);
    let mut patience = Patience::new();
    while bodies.left() > 0 || !tasks.iter().all(JoinHandle::is_finished) {
        if !patience.waits() {
            let open = tasks.iter().filter(|task| !task.is_finished()).count();
            kit.ledger.broken(
                "lives",
                format_args!(
                    "of {} futures {} were not dropped, and {open} handles are open",
                    bodies.made(),
                    bodies.left()
                ),
            );
            return;
        }
    }
    add(&kit.ledger.lives, 1);
}

/// Stops it in one of the ways there are.
fn stop(runtime: Runtime, kit: &mut Kit) {
    match kit.chance.below(5) {
        0 => drop(runtime.shutdown_timeout(Duration::from_secs(60))),
        1 => runtime.shutdown_background(),
        2 => {
            let end = runtime.handle().shutdown();
            end.set_grace(kit.chance.micros(500));
            end.initiate("enough");
            if kit.chance.one_in(2) {
                end.force("now");
            }
            // Jobs inside a nap are left behind, and drop what they have when it is over.
            let _report = runtime.block_on(end.wait());
        }
        // Inside itself.
        3 => drop(runtime.handle().clone().spawn(async move { drop(runtime) })),
        _ => drop(runtime),
    }
}

fn task(
    mut chance: Chance,
    bodies: Arc<Bodies>,
    depth: u64,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let body = bodies.body();
    Box::pin(async move {
        let _body = body;
        match chance.below(8) {
            0 => pending::<()>().await,
            1 => sleep(chance.micros(2_000)).await,
            2 => sleep(Duration::from_secs(1 << chance.below(30))).await,
            3 => {
                let (tx, rx) = bounded::<u64>(1);
                let body = bodies.body();
                drop(spawn(async move {
                    let _body = body;
                    yield_now().await;
                    let _sent = tx.send(1).await;
                }));
                let _received = rx.recv().await;
            }
            4 => {
                let (body, nap) = (bodies.body(), chance.micros(300));
                let job = spawn_blocking(move || {
                    let _body = body;
                    std::thread::sleep(nap);
                });
                let _ended = job.await;
            }
            5 if depth > 0 => {
                for _ in 0..chance.below(5) {
                    drop(spawn(task(chance.fork(), Arc::clone(&bodies), depth - 1)));
                }
            }
            6 => loop {
                yield_now().await;
            },
            _ => yield_now().await,
        }
    })
}
