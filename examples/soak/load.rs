//! All that runs at once: each part makes a round after the other until it is told to stop.
//!
//! A round ends with everything joined and checked, so that at a rest between two rounds nothing is left.

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use goro::task::JoinHandle;
use goro::time::sleep;

use crate::kit::Kit;

mod answers;
mod channels;
mod clock;
mod endings;
mod lives;
mod panics;
mod sizes;
mod sockets;
mod stalls;
mod trees;

pub use lives::{life, lives};

type Part = fn(&mut Kit) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

/// The parts that are tasks of the one runtime that lives as long as the run.
const PARTS: [(&str, Part); 10] = [
    ("channels", |kit| Box::pin(channels::round(kit))),
    ("channels", |kit| Box::pin(channels::round(kit))),
    ("answers", |kit| Box::pin(answers::round(kit))),
    ("clock", |kit| Box::pin(clock::round(kit))),
    ("endings", |kit| Box::pin(endings::round(kit))),
    ("panics", |kit| Box::pin(panics::round(kit))),
    ("sizes", |kit| Box::pin(sizes::round(kit))),
    ("sockets", |kit| Box::pin(sockets::round(kit))),
    ("stalls", |kit| Box::pin(stalls::round(kit))),
    ("trees", |kit| Box::pin(trees::round(kit))),
];

/// Starts them.
pub fn start(
    runtime: &goro::runtime::Runtime,
    kit: &mut Kit,
) -> Vec<(&'static str, JoinHandle<()>)> {
    let all = kit.fork();
    let runs = |name: &str| all.runs(name);
    let _inside = runtime.enter();
    let start = |(name, part): (&'static str, Part)| {
        let mut kit = kit.fork();
        let rounds = async move {
            if kit.plants("progress") {
                pending::<()>().await;
            }
            while !kit.is_over() {
                part(&mut kit).await;
                // Not too many rounds of the short kinds.
                let pause = kit.chance.micros(3_000);
                sleep(pause + Duration::from_micros(200)).await;
            }
        };
        (name, goro::task::Builder::new().name(name).spawn(rounds))
    };
    PARTS.into_iter().filter(|(name, _)| runs(name)).map(start).collect()
}
