//! The registry: who is listed when, what a dump shows, and how shutdown reaches everyone.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use std::future::{pending, poll_fn};
use std::task::Poll;

use goro_context::{Cause, Kind, Op, WaitNote, note};
use goro_shim::global::{Arc, AtomicU32, Lock, OnceLock, Ordering};
use goro_shim::thread;
use goro_task::{
    Activity, Ending, Home, JoinHandle, Meta, Parcel, Ran, Registry, Runnable, TaskView,
};
use home::Line;
use parts::{Gate, Yield, alive};

fn views<H: Home>(registry: &Registry<H>) -> Vec<TaskView> {
    let mut views = Vec::new();
    registry.for_each(|view| views.push(*view));
    views
}

#[test]
fn a_task_is_listed_from_its_first_park_to_its_end() {
    let home = Line::leak();
    let gate = Gate::default();
    let waits = gate.clone();
    let (task, handle) = goro_task::spawn(
        async move {
            Yield::default().await;
            waits.await;
            Yield::default().await;
        },
        home,
        Meta::OTHER,
    );
    let registry = home.registry_of();
    assert!(registry.is_empty(), "not at its spawn");
    let Ran::Again(task) = task.run(home) else { panic!("it yields") };
    assert!(registry.is_empty(), "not when it yields");
    assert!(matches!(task.run(home), Ran::Parked));
    assert_eq!((registry.len(), views(registry)[0].id), (1, handle.id()));
    gate.open();
    let Some(Ran::Again(task)) = home.next().map(|task| task.run(home)) else {
        panic!("it yields")
    };
    assert_eq!(registry.len(), 1, "still, wherever it is");
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert!(registry.is_empty());
}

#[test]
fn a_task_that_parks_elsewhere_later_stays_where_it_was_listed() {
    let (first, second) = (Line::leak(), Line::leak());
    let gate = Gate::default();
    let (task, _handle) = goro_task::spawn(gate.clone(), first, Meta::OTHER);
    assert!(matches!(task.run(first), Ran::Parked));
    gate.waker().unwrap().wake();
    assert!(matches!(first.next().unwrap().run(second), Ran::Parked));
    assert_eq!((first.registry_of().len(), second.registry_of().len()), (1, 0));
    gate.open();
    assert!(matches!(first.next().unwrap().run(second), Ran::Finished(_)));
    assert_eq!((first.registry_of().len(), second.registry_of().len()), (0, 0));
}

/// A home with a clock.
struct Clocked {
    line: Lock<Vec<Runnable<Clocked>>>,
    registry: Registry<Clocked>,
    now: AtomicU32,
}

static HOME: OnceLock<Clocked> = OnceLock::new();

impl Home for Clocked {
    fn number(&'static self) -> u32 {
        0
    }
    fn numbered(_: u32) -> &'static Self {
        HOME.get().expect("it was made before its first task")
    }
    fn registry(&'static self) -> &'static Registry<Self> {
        &self.registry
    }
    fn schedule(&'static self, task: Runnable<Self>) {
        self.line.lock().push(task);
    }
    fn schedule_local(&'static self, parcel: Parcel<Self>) {
        unreachable!("{parcel:?}");
    }
    fn coarse_now(&'static self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }
}

#[test]
fn a_view_says_what_a_task_waits_for_and_since_when() {
    let home = HOME.get_or_init(|| Clocked {
        line: Lock::default(),
        registry: Registry::default(),
        now: AtomicU32::new(u32::MAX - 1),
    });
    let kind = Kind::named("waits", std::panic::Location::caller());
    let noted = |op: Op, object: u64| {
        poll_fn(move |_| {
            note::leave(op, object);
            Poll::<()>::Pending
        })
    };
    let future = noted(Op::Recv, u64::MAX);
    let (task, handle) = goro_task::spawn(future, home, Meta::new(kind));
    assert!(matches!(task.run(home), Ran::Parked));
    let view = views(&home.registry)[0];
    assert_eq!((view.id, view.kind), (handle.id(), kind));
    assert_eq!(view.wait, WaitNote { op: Op::Recv, object: u64::MAX >> 26 });
    assert_eq!((view.since, view.joinable), ((1 << 20) - 2, true));
    assert_eq!(note::take(), WaitNote::NOTHING, "the note was the task's");
    drop(handle);
    assert!(!views(&home.registry)[0].joinable);
    // Without a note of goro's, what it waits for is something else.
    home.now.store(7, Ordering::Relaxed);
    let (task, _handle) = goro_task::spawn(pending::<()>(), home, Meta::OTHER);
    assert!(matches!(task.run(home), Ran::Parked));
    let view = views(&home.registry)[1];
    assert_eq!((view.wait.op, view.since), (Op::External, 7));
    drop(home.registry.abort_some(9, &Cause::Shutdown));
    assert!(home.line.lock().is_empty() && home.registry.is_empty());
}

#[test]
fn a_view_says_whether_a_task_is_parked_stuck_runnable_or_aborted() {
    let home = Line::leak();
    let gate = Gate::default();
    let handle = home.spawn(gate.clone());
    home.drain();
    let activity = || views(home.registry_of())[0].activity;
    assert_eq!(activity(), Activity::Parked);
    let waker = gate.waker().unwrap();
    waker.wake_by_ref();
    assert_eq!(activity(), Activity::Runnable);
    home.drain();
    drop((waker, gate.waker()));
    assert_eq!(activity(), Activity::Stuck);
    handle.abort();
    assert_eq!(activity(), Activity::Aborted);
    home.drain();
    assert!(views(home.registry_of()).is_empty());
}

fn parked(home: &'static Line, count: usize, token: &Arc<()>) -> Vec<JoinHandle<()>> {
    let spawn = |_| {
        let kept = token.clone();
        home.spawn(async move {
            let _kept = kept;
            pending::<()>().await;
        })
    };
    let handles = (0..count).map(spawn).collect();
    home.drain();
    handles
}

#[test]
fn shutdown_aborts_in_portions_each_task_once() {
    let home = Line::leak();
    let token = Arc::new(());
    let handles = parked(home, 100, &token);
    handles[3].abort();
    let (mut portions, mut found) = (0, 0);
    loop {
        let aborted = home.registry_of().abort_some(30, &Cause::new("stopping"));
        portions += 1;
        found += aborted.runnables.len();
        assert!(aborted.runnables.len() <= 30);
        for task in aborted.runnables {
            assert!(matches!(task.run(home), Ran::Finished(Ending::Cancelled)));
        }
        if aborted.is_last {
            break;
        }
    }
    assert_eq!((portions, found), (4, 99));
    home.drain();
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
    for (n, handle) in handles.into_iter().enumerate() {
        let cause = if n == 3 { Cause::Aborted } else { Cause::new("stopping") };
        assert_eq!(home.block_on(handle).unwrap_err().cause(), Some(&cause));
    }
}

/// Tasks that are aborted already take no room in a portion, and once the end was reached the next
/// call begins anew.
#[test]
fn portions_hold_tasks_that_are_not_aborted_yet() {
    let home = Line::leak();
    let token = Arc::new(());
    let handles = parked(home, 50, &token);
    handles[..40].iter().for_each(JoinHandle::abort);
    let first = home.registry_of().abort_some(10, &Cause::Shutdown);
    assert_eq!(first.runnables.len(), 10);
    while !home.registry_of().abort_some(10, &Cause::Shutdown).is_last {}
    drop(first);
    home.drain();
    let _later = parked(home, 5, &token);
    let again = home.registry_of().abort_some(10, &Cause::Shutdown);
    assert_eq!((again.runnables.len(), again.is_last), (5, true));
    drop(again);
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
}

/// Pitfall 25: a task that is running when shutdown aborts ends as cancelled at its next poll, and
/// comes back from no portion.
#[test]
fn shutdown_leaves_a_queued_task_to_its_queue() {
    let home = Line::leak();
    let gate = Gate::default();
    let handle = home.spawn(gate.clone());
    home.drain();
    gate.waker().unwrap().wake();
    let aborted = home.registry_of().abort_some(9, &Cause::Shutdown);
    assert!(aborted.runnables.is_empty() && aborted.is_last);
    home.drain();
    assert_eq!(home.block_on(handle).unwrap_err().cause(), Some(&Cause::Shutdown));
    assert_eq!(gate.polls(), 1);
}

#[test]
fn a_closed_registry_lists_nobody_and_cancels_who_would_park() {
    let home = Line::leak();
    let token = Arc::new(());
    let listed = parked(home, 1, &token);
    home.registry_of().close(Cause::new("closed"));
    let late = parked(home, 1, &token);
    assert!(late[0].is_finished());
    assert_eq!((alive(&token), home.registry_of().len()), (1, 1));
    // One that never waits is not concerned.
    assert_eq!(home.block_on(home.spawn(async { 2 })).unwrap(), 2);
    drop(home.registry_of().abort_some(9, &Cause::Shutdown));
    for handle in late.into_iter().chain(listed) {
        assert!(home.block_on(handle).unwrap_err().is_cancelled());
    }
    home.registry_of().reopen();
    let handles = parked(home, 1, &token);
    assert_eq!((handles[0].is_finished(), home.registry_of().len()), (false, 1));
    drop(home.registry_of().abort_some(9, &Cause::Shutdown));
    assert_eq!(alive(&token), 0);
}

/// A portion begun before the registry was closed does not hide tasks from those after it.
#[test]
fn closing_begins_the_portions_anew() {
    let home = Line::leak();
    let token = Arc::new(());
    let handles = parked(home, 10, &token);
    let first = home.registry_of().abort_some(5, &Cause::Shutdown);
    assert!(!first.is_last);
    drop(first);
    let _more = parked(home, 3, &token);
    home.registry_of().close(Cause::Shutdown);
    while !home.registry_of().abort_some(4, &Cause::Shutdown).is_last {}
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
    assert!(handles.iter().all(JoinHandle::is_finished));
}

#[test]
fn a_trimmed_registry_still_knows_everyone() {
    let home = Line::leak();
    let token = Arc::new(());
    let handles = parked(home, 1000, &token);
    for handle in &handles[..990] {
        handle.abort();
    }
    home.drain();
    home.registry_of().trim();
    assert_eq!(home.registry_of().len(), 10);
    drop(home.registry_of().abort_some(usize::MAX, &Cause::Shutdown));
    home.registry_of().trim();
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
    let _again = parked(home, 5, &token);
    assert_eq!(home.registry_of().len(), 5);
    drop(home.registry_of().abort_some(usize::MAX, &Cause::Shutdown));
}

/// A dump beside tasks that park and end sees only what was there.
#[test]
fn dumps_beside_running_tasks() {
    let home = Line::leak();
    let token = Arc::new(());
    let worker = {
        let token = token.clone();
        thread::start("worker".into(), None, move || {
            for _ in 0..300 {
                let handles = parked(home, 5, &token);
                handles.iter().for_each(JoinHandle::abort);
                home.drain();
            }
        })
        .unwrap()
    };
    while !worker.is_finished() {
        for view in views(home.registry_of()) {
            assert_eq!((view.kind, view.wait.op), (Kind::OTHER, Op::External));
        }
        home.registry_of().trim();
    }
    worker.join().unwrap();
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
}
