//! Channel ends that are played by scripts.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::{Duration, now, timeout};
use goro_runtime::{spawn, spawn_blocking};
use goro_sim::mock::{Receives, Sends};
use goro_sim::{Sim, explore};
use goro_sync::channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};

const SECOND: Duration = Duration::from_secs(1);

/// The code under test: passes on what comes, doubled, until either end is closed.
async fn doubles(from: Receiver<u32>, to: Sender<u32>) -> String {
    loop {
        let value = match from.recv().await {
            Ok(value) => value,
            Err(closed) => return format!("from: {closed}"),
        };
        if let Err(closed) = to.send(value * 2).await {
            return format!("to: {closed}");
        }
    }
}

#[test]
fn both_ends_of_a_stage_are_scripts() {
    explore(50, |sim| {
        let ended = sim.run(async {
            let (from, sent) = Sends::script().send(1).delay(SECOND).send(2).send(3).play(1);
            let script = Receives::script().expect(2).expect_nothing_for(SECOND / 2).expect(4);
            let (to, received) = script.expect_that("six", |six| *six == 6).play(1);
            let ended = doubles(from, to).await;
            sent.await;
            received.await;
            ended
        });
        assert!(ended.unwrap().starts_with("from: "));
    });
}

#[test]
fn an_error_is_injected_at_either_end() {
    explore(50, |sim| {
        let told = sim.run(async {
            let (from, sent) = Sends::script().send(1).close_with("no more power").play(4);
            let (to, received) = Receives::script().expect(2).play(4);
            let upstream = doubles(from, to).await;
            sent.await;
            received.await;
            let (from, sent) = Sends::script().send(1).delay(SECOND).send(2).play(4);
            let (to, received) =
                Receives::script().expect(2).close_with("the disk is full").play(4);
            let downstream = doubles(from, to).await;
            sent.await;
            received.await;
            (upstream, downstream)
        });
        let (upstream, downstream) = told.unwrap();
        assert!(upstream.starts_with("from: ") && upstream.contains("no more power"), "{upstream}");
        assert!(downstream.starts_with("to: "), "{downstream}");
        assert!(downstream.contains("the disk is full"), "{downstream}");
    });
}

#[test]
fn a_delay_makes_the_other_end_wait() {
    explore(50, |sim| {
        let waited = sim.run(async {
            let (to, received) = Receives::script().delay(5 * SECOND).expect(1).expect(2).play(1);
            let began = now();
            to.send(1).await.unwrap();
            assert!(now() - began < SECOND, "there was room");
            to.send(2).await.unwrap();
            let waited = now() - began;
            received.await;
            waited
        });
        assert!((5 * SECOND..6 * SECOND).contains(&waited.unwrap()));
    });
}

/// What the panic of a program says whose script was not kept to.
fn complaint(program: impl Future<Output = ()> + 'static) -> String {
    let run = AssertUnwindSafe(|| Sim::new(3).run(program));
    let payload = catch_unwind(run).expect_err("the script was kept to");
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_script_that_is_not_kept_to_names_its_step() {
    let here = |told: &str, part: &str| {
        assert!(told.contains("tests/mock.rs:") && told.contains(part), "{part:?}: {told}");
    };
    let told = complaint(async {
        let (to, played) = Receives::script().expect(1).expect(2).play(4);
        to.send(1).await.unwrap();
        to.send(3).await.unwrap();
        played.await;
    });
    here(&told, "expected 2, and 3 was sent");
    let told = complaint(async {
        let (to, played) = Receives::script().expect(1).play(4);
        drop(to);
        played.await;
    });
    here(&told, "nothing more was sent");
    let told = complaint(async {
        let (to, played) = Receives::script().expect(1).delay(SECOND).play(4);
        to.send(1).await.unwrap();
        to.send(2).await.unwrap();
        played.await;
    });
    here(&told, "more was sent than the script expects");
    let told = complaint(async {
        let (to, played) = Receives::script().expect_nothing_for(SECOND).play(4);
        to.send(1).await.unwrap();
        played.await;
    });
    here(&told, "nothing was to be");
    let told = complaint(async {
        let (from, played) = Sends::script().delay(SECOND).send(1).play(4);
        drop(from);
        played.await;
    });
    here(&told, "nobody receives it");
}

/// Where nobody looks at the script, the code under test does not wait for ever either.
#[test]
fn after_a_step_that_was_not_met_the_channel_is_closed() {
    let ended = Sim::new(1).run(async {
        let (to, played) = Receives::script().expect(1).expect(2).play(1);
        to.send(7).await.unwrap();
        drop(played);
        timeout(SECOND, to.closed()).await.is_ok() && to.send(8).await.is_err()
    });
    assert!(ended.unwrap());
}

/// Blocking forms let the run go on, from a job and from a task; where they never end it is a stall.
#[test]
fn operations_that_block_do_not_hold_the_run_up() {
    explore(50, |sim| {
        let sum = sim.workers(2).run(async {
            let (from, sent) = Sends::script().delay(SECOND).send(20).delay(SECOND).send(1).play(0);
            let job = from.clone();
            // One after the other: of two such waits the outer one could not return first.
            let job = spawn_blocking(move || job.blocking_recv().unwrap()).await.unwrap();
            let task = spawn(async move { from.blocking_recv().unwrap() }).await.unwrap();
            sent.await;
            job + task
        });
        assert_eq!(sum.unwrap(), 21);
    });
    let stalled = Sim::new(1).workers(2).run(async {
        let (_sender, receiver) = bounded::<u32>(1);
        spawn(async move { receiver.blocking_recv().is_ok() }).await.unwrap()
    });
    let failure = stalled.unwrap_err().to_string();
    assert!(failure.contains("waits inside its poll: recv"), "{failure}");
}

#[test]
fn scripts_are_played_on_real_threads_too() {
    let runtime = goro_runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (from, sent) = Sends::script().send(20).send(1).play(0);
        let (to, received) = Receives::script().expect(40).expect(2).play(0);
        assert!(spawn(doubles(from, to)).await.unwrap().starts_with("from: "));
        sent.await;
        received.await;
    });
}
