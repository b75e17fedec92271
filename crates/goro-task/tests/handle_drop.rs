//! Dropping the join handle, in each state of its task.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

#[path = "support/foreign.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod foreign;

use std::task::Waker;

use goro_shim::global::{Arc, Lock};
use goro_shim::thread;
use goro_task::{Ending, JoinHandle, Meta, Ran};
use home::Line;
use parts::{Gate, Yield, alive, poll_once};

/// A task whose future and output each keep a token.
struct Watched {
    handle: JoinHandle<Arc<()>>,
    gate: Gate,
    future: Arc<()>,
    output: Arc<()>,
}

fn watched(home: &'static Line) -> Watched {
    let (gate, future, output) = (Gate::default(), Arc::new(()), Arc::new(()));
    let (waits, kept, given) = (gate.clone(), future.clone(), output.clone());
    let handle = home.spawn(async move {
        let _kept = kept;
        waits.await;
        given
    });
    Watched { handle, gate, future, output }
}

impl Watched {
    /// Opens the gate, drains, and says what is still alive of future and output.
    fn finish(&self, home: &'static Line) -> (usize, usize) {
        self.gate.open();
        home.drain();
        (alive(&self.future), alive(&self.output))
    }
}

#[test]
fn while_it_is_queued() {
    let home = Line::leak();
    let mut it = watched(home);
    it.handle = replace(home, it.handle);
    assert_eq!(it.finish(home), (0, 0));
    assert_eq!(it.gate.polls(), 1, "it ran all the same");
}

#[test]
fn while_it_is_parked() {
    let home = Line::leak();
    let mut it = watched(home);
    home.drain();
    it.handle = replace(home, it.handle);
    assert_eq!((alive(&it.future), alive(&it.output)), (1, 1));
    assert_eq!(it.finish(home), (0, 0));
    assert_eq!(it.gate.polls(), 2);
}

/// A registered waker goes with the handle (pitfall 32).
#[test]
fn while_it_is_parked_and_a_waker_is_registered() {
    let home = Line::leak();
    let mut it = watched(home);
    let bell = foreign::Bell::good();
    assert!(poll_once(&mut it.handle, &bell.waker()).is_pending());
    home.drain();
    it.handle = replace(home, it.handle);
    assert_eq!(bell.alive(), 0);
    assert_eq!(it.finish(home), (0, 0));
    assert_eq!(bell.rings(), 0);
}

/// The joiner is a task that is aborted while it waits: its reference goes with the handle.
#[test]
fn while_a_task_waits_for_it() {
    let home = Line::leak();
    let it = watched(home);
    let (gate, future, output) = (it.gate, it.future, it.output);
    let joiner = home.spawn(it.handle);
    home.drain();
    joiner.abort();
    home.drain();
    assert!(home.block_on(joiner).unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(home.drain(), 1);
    assert_eq!((alive(&future), alive(&output)), (0, 0));
}

/// By the task itself, in its own poll.
#[test]
fn while_it_is_polled() {
    let home = Line::leak();
    let own: Arc<Lock<Option<JoinHandle<Arc<()>>>>> = Arc::default();
    let (output, inside) = (Arc::new(()), own.clone());
    let given = output.clone();
    let handle = home.spawn(async move {
        Yield::default().await;
        drop(inside.lock().take());
        given
    });
    *own.lock() = Some(handle);
    home.drain();
    assert!(own.lock().is_none());
    assert_eq!(alive(&output), 0);
}

#[test]
fn after_it_has_ended_unread() {
    let home = Line::leak();
    let it = watched(home);
    assert_eq!(it.finish(home), (0, 1));
    drop(it.handle);
    assert_eq!(alive(&it.output), 0);
}

/// A waker is registered, rings at the end, and the output is never asked for.
#[test]
fn after_it_has_ended_unread_with_a_waker() {
    let home = Line::leak();
    let mut it = watched(home);
    let bell = foreign::Bell::good();
    assert!(poll_once(&mut it.handle, &bell.waker()).is_pending());
    assert_eq!(it.finish(home), (0, 1));
    assert_eq!((bell.rings(), bell.alive()), (1, 0));
    drop(it.handle);
    assert_eq!(alive(&it.output), 0);
}

#[test]
fn after_its_output_was_taken() {
    let home = Line::leak();
    let mut it = watched(home);
    it.finish(home);
    let taken = home.block_on(&mut it.handle).unwrap();
    drop(it.handle);
    assert_eq!(alive(&it.output), 1);
    drop(taken);
    assert_eq!(alive(&it.output), 0);
}

#[test]
fn while_wakers_and_abort_handles_are_left() {
    let home = Line::leak();
    let it = watched(home);
    home.drain();
    let (abort, waker) = (it.handle.abort_handle(), it.gate.waker().unwrap());
    drop(it.handle);
    it.gate.open();
    waker.wake_by_ref();
    home.drain();
    assert_eq!((alive(&it.future), alive(&it.output)), (0, 0));
    assert!(abort.is_finished());
    drop(abort);
    waker.wake();
}

/// An output without a destructor needs no drop; what stands there after a panic does.
#[test]
fn failures_of_tasks_whose_outputs_need_no_drop() {
    let home = Line::leak();
    let token = Arc::new(());
    let payload = token.clone();
    let ended = home.spawn(async { 1_u64 });
    let failed = home.spawn(async move { std::panic::resume_unwind(Box::new(payload)) });
    home.drain();
    assert!(ended.is_finished() && failed.is_finished());
    drop(ended);
    assert_eq!(alive(&token), 1);
    drop::<JoinHandle<u64>>(failed);
    assert_eq!(alive(&token), 0);
}

/// Pitfalls 28, 41: handle, completion and last reference go at the same time, on three threads.
#[test]
fn on_another_thread_as_it_ends() {
    let home = Line::leak();
    let token = Arc::new(());
    for round in 0..500 {
        let given = token.clone();
        let (task, mut handle) = goro_task::spawn(async move { given }, home, Meta::OTHER);
        if round % 2 == 0 {
            assert!(poll_once(&mut handle, Waker::noop()).is_pending());
        }
        let abort = handle.abort_handle();
        let runner = thread::start("runner".into(), None, move || {
            assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
        })
        .unwrap();
        let dropper = thread::start("dropper".into(), None, move || drop(abort)).unwrap();
        drop(handle);
        runner.join().unwrap();
        dropper.join().unwrap();
        assert_eq!(alive(&token), 0);
    }
}

/// Drops the handle and gives that of some ended task, to fill its place.
fn replace(home: &'static Line, handle: JoinHandle<Arc<()>>) -> JoinHandle<Arc<()>> {
    drop(handle);
    let (task, other) = goro_task::spawn(async { Arc::new(()) }, home, Meta::OTHER);
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    other
}
