//! Waiting for a task's end.
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

use std::collections::VecDeque;
use std::task::{Poll, Waker};

use goro_context::{CurrentTask, Kind, Op, TaskId, WaitNote, budget, note, task};
use goro_shim::global::{Arc, Lock};
use goro_shim::thread;
use goro_task::{Ending, Meta, Ran, Runnable};
use home::Line;
use parts::{Gate, OnDrop, alive, poll_once};

#[test]
fn a_handle_gives_the_output_before_and_after_the_end() {
    let home = Line::leak();
    let mut early = home.spawn(async { 1 });
    assert!(poll_once(&mut early, Waker::noop()).is_pending());
    assert_eq!(home.block_on(&mut early).unwrap(), 1);
    let mut late = home.spawn(async { 2 });
    home.drain();
    let Poll::Ready(output) = poll_once(&mut late, Waker::noop()) else { panic!("it has ended") };
    assert_eq!(output.unwrap(), 2);
    assert!(late.is_finished() && late.id() != early.id());
}

#[test]
#[should_panic(expected = "polled after it gave its result")]
fn a_handle_polled_after_its_result_panics() {
    let home = Line::leak();
    let mut handle = home.spawn(async {});
    home.block_on(&mut handle).unwrap();
    let _ = poll_once(&mut handle, Waker::noop());
}

#[test]
fn tasks_wait_for_tasks() {
    let home = Line::leak();
    let gate = Gate::default();
    let inner = home.spawn(gate.clone());
    let middle = home.spawn(async move { inner.await.map(|()| "inner") });
    let outer = home.spawn(async move { middle.await.unwrap() });
    home.drain();
    assert!(!outer.is_finished());
    gate.open();
    assert_eq!(home.block_on(outer).unwrap().unwrap(), "inner");
}

/// A registered waker rings once, at the end, and is not kept.
#[test]
fn a_foreign_waker_rings_once_when_the_task_ends() {
    let home = Line::leak();
    let gate = Gate::default();
    let mut handle = home.spawn(gate.clone());
    let bell = foreign::Bell::good();
    assert!(poll_once(&mut handle, &bell.waker()).is_pending());
    home.drain();
    assert_eq!((bell.rings(), bell.alive()), (0, 1));
    gate.open();
    home.drain();
    assert_eq!((bell.rings(), bell.alive()), (1, 0));
    assert!(poll_once(&mut handle, &bell.waker()).is_ready());
    assert_eq!(bell.alive(), 0);
}

/// Polled again with a waker that wakes the same, a handle does not register again.
#[test]
fn the_same_waker_is_registered_once() {
    let home = Line::leak();
    let mut handle = home.spawn(async {});
    let bell = foreign::Bell::good();
    let waker = bell.waker();
    for _ in 0..5 {
        assert!(poll_once(&mut handle, &waker).is_pending());
    }
    let clones = bell.clones.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!((clones, bell.alive()), (1, 2));
}

/// Pitfall 32: a waker that was replaced is dropped, and only the last one rings.
#[test]
fn another_waker_replaces_the_one_registered() {
    let home = Line::leak();
    let mut handle = home.spawn(async {});
    let bells = [foreign::Bell::good(), foreign::Bell::good()];
    for bell in [&bells[0], &bells[1], &bells[0], &bells[1]] {
        assert!(poll_once(&mut handle, &bell.waker()).is_pending());
    }
    assert_eq!((bells[0].alive(), bells[1].alive()), (0, 1));
    home.drain();
    assert_eq!((bells[0].rings(), bells[1].rings()), (0, 1));
}

/// Pitfall 22: what the future's destructor did is visible when the join returns.
#[test]
fn the_future_is_gone_when_the_join_returns() {
    let home = Line::leak();
    for abort in [false, true] {
        let token = Arc::new(());
        let kept = token.clone();
        let gate = Gate::default();
        let handle = home.spawn({
            let gate = gate.clone();
            async move {
                let _kept = kept;
                gate.await;
            }
        });
        home.drain();
        if abort {
            handle.abort();
        } else {
            gate.open();
        }
        assert_eq!(home.block_on(handle).is_err(), abort);
        assert_eq!(alive(&token), 0);
    }
}

/// The other way round: a joiner is woken after the future is gone.
#[test]
fn the_joiner_is_woken_after_the_future_is_dropped() {
    let home = Line::leak();
    let order = Arc::new(Lock::new(Vec::new()));
    let (dropped, joined) = (order.clone(), order.clone());
    let on_drop = OnDrop(move || dropped.lock().push("dropped"));
    let handle = home.spawn(std::future::poll_fn(move |_| {
        let _captured = &on_drop;
        Poll::Ready(())
    }));
    let waiter = home.spawn(async move {
        handle.await.unwrap();
        joined.lock().push("joined");
    });
    home.block_on(waiter).unwrap();
    assert_eq!(*order.lock(), ["dropped", "joined"]);
}

#[test]
fn a_wait_given_up_loses_nothing() {
    let home = Line::leak();
    let gate = Gate::default();
    let bell = foreign::Bell::good();
    let mut handle = home.spawn({
        let gate = gate.clone();
        async move {
            gate.await;
            "kept"
        }
    });
    assert!(poll_once(&mut &mut handle, &bell.waker()).is_pending());
    gate.open();
    home.drain();
    assert_eq!(home.block_on(&mut handle).unwrap(), "kept");
    assert_eq!(bell.rings(), 1);
}

/// Pitfall 36: joining spends budget, so joining a thousand ended tasks lets others run.
#[test]
fn joining_spends_budget_and_waiting_does_not() {
    let home = Line::leak();
    let mut ended: Vec<_> = (0..200).map(|n| home.spawn(async move { n })).collect();
    let mut waiting = home.spawn(Gate::default());
    home.drain();
    budget::reset();
    let scope = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    for _ in 0..1000 {
        assert!(poll_once(&mut waiting, Waker::noop()).is_pending());
    }
    assert_eq!(budget::remaining(), budget::LIMIT);
    let bell = foreign::Bell::good();
    let ready = ended.iter_mut().filter_map(|h| match poll_once(h, &bell.waker()) {
        Poll::Ready(output) => Some(output.unwrap()),
        Poll::Pending => None,
    });
    assert_eq!(ready.count(), budget::LIMIT as usize);
    assert_eq!(bell.rings(), 200 - budget::LIMIT as usize);
    drop(scope);
    budget::reset();
    let rest = ended[budget::LIMIT as usize..].iter_mut();
    for (n, handle) in rest.enumerate() {
        let Poll::Ready(output) = poll_once(handle, Waker::noop()) else { panic!("it has ended") };
        assert_eq!(output.unwrap(), n + budget::LIMIT as usize);
    }
}

#[test]
fn a_wait_is_noted_as_a_join_of_that_task() {
    let home = Line::leak();
    let mut handle = home.spawn(Gate::default());
    assert!(poll_once(&mut handle, Waker::noop()).is_pending());
    assert_eq!(note::take(), WaitNote { op: Op::Join, object: handle.id().get() });
}

#[test]
fn an_output_is_taken_on_another_thread() {
    let home = Line::leak();
    let (task, handle) = goro_task::spawn(async { vec![1, 2, 3] }, home, Meta::OTHER);
    let joiner = thread::start("joiner".into(), None, move || home.block_on(handle)).unwrap();
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(joiner.join().unwrap().unwrap(), [1, 2, 3]);
}

/// Many joins across two threads, one of which waits while the other runs.
#[test]
fn ten_thousand_outputs_cross_threads_none_lost() {
    let home = Line::leak();
    let token = Arc::new(());
    let line: Arc<Lock<Option<VecDeque<Runnable<Line>>>>> =
        Arc::new(Lock::new(Some(VecDeque::new())));
    let queue = line.clone();
    let runner = thread::start("runner".into(), None, move || {
        let next = || queue.lock().as_mut().map(VecDeque::pop_front);
        while let Some(next) = next() {
            match next {
                Some(task) => assert!(matches!(task.run(home), Ran::Finished(Ending::Done))),
                None => thread::yield_now(),
            }
        }
    })
    .unwrap();
    let mut sum = 0_u64;
    for n in 0..10_000_u64 {
        let kept = token.clone();
        let (task, handle) = goro_task::spawn(async move { (n, kept) }, home, Meta::OTHER);
        line.lock().as_mut().unwrap().push_back(task);
        sum += home.block_on(handle).unwrap().0;
    }
    *line.lock() = None;
    runner.join().unwrap();
    assert_eq!((sum, alive(&token)), (9_999 * 10_000 / 2, 0));
}
