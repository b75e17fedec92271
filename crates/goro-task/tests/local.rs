//! Tasks whose future stays on its thread.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use goro_context::Cause;
use goro_shim::global::{Arc, Lock};
use goro_shim::thread::{self, Token};
use goro_task::{
    Deed, Ending, JoinHandle, LocalOwner, LocalRan, LocalRunnable, Meta, OwnerId, spawn_local,
};
use home::Line;
use parts::{Gate, OnDrop, PanicsOnDrop, Yield, alive};

/// Runs a local task, and what its parcels bring, until nothing waits.
fn drain(home: &'static Line, owner: &LocalOwner, first: Option<LocalRunnable<Line>>) {
    let mut next = first;
    loop {
        let task = match next.take() {
            Some(task) => task,
            None => match home.next_parcel() {
                Some(parcel) => owner.open(parcel).expect("this owner's"),
                None => return,
            },
        };
        if let LocalRan::Again(task) = task.run(home) {
            next = Some(task);
        }
    }
}

#[test]
fn a_future_and_an_output_that_cannot_be_sent() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let polls = Rc::new(Cell::new(0));
    let (inside, gate) = (polls.clone(), Gate::default());
    let waits = gate.clone();
    let future = async move {
        inside.set(inside.get() + 1);
        Yield::default().await;
        inside.set(inside.get() + 1);
        waits.await;
        Rc::new("local")
    };
    let (task, handle) = spawn_local(future, home, &owner, Meta::OTHER);
    let (id, kind) = (task.id(), task.kind());
    assert_eq!((handle.id(), handle.kind()), (id, kind));
    drain(home, &owner, Some(task));
    assert_eq!((polls.get(), Rc::strong_count(&polls)), (2, 2));
    assert_eq!(home.registry_of().len(), 1);
    gate.open();
    drain(home, &owner, None);
    assert_eq!(Rc::strong_count(&polls), 1);
    assert_eq!(*home.block_on(handle).unwrap(), "local");
    assert!(home.registry_of().is_empty());
}

/// Where a future was polled and dropped.
#[derive(Clone, Default)]
struct Places(Arc<Lock<Vec<Token>>>);

impl Places {
    fn note(&self) {
        self.0.lock().push(thread::token());
    }

    fn are_all_here(&self, count: usize) -> bool {
        *self.0.lock() == vec![thread::token(); count]
    }
}

fn watched(
    home: &'static Line,
    owner: &LocalOwner,
    places: &Places,
) -> (LocalRunnable<Line>, JoinHandle<()>, Gate) {
    let gate = Gate::default();
    let (polled, dropped, waits) = (places.clone(), places.clone(), gate.clone());
    let on_drop = OnDrop(move || dropped.note());
    let future = async move {
        let _on_drop = on_drop;
        polled.note();
        waits.await;
        polled.note();
    };
    let (task, handle) = spawn_local(future, home, owner, Meta::OTHER);
    (task, handle, gate)
}

/// Pitfall 21: aborted from another thread, while parked and while queued, it is dropped on its
/// own; the handle may be elsewhere.
#[test]
fn an_abort_from_another_thread_drops_the_future_on_its_own() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    for parked in [true, false] {
        let places = Places::default();
        let (task, handle, _gate) = watched(home, &owner, &places);
        let first = if parked {
            drain(home, &owner, Some(task));
            None
        } else {
            Some(task)
        };
        let elsewhere = thread::start("elsewhere".into(), None, move || {
            handle.abort_with(Cause::new("from afar"));
            handle
        });
        let handle = elsewhere.unwrap().join().unwrap();
        drain(home, &owner, first);
        let joiner = thread::start("joiner".into(), None, move || home.block_on(handle)).unwrap();
        let error = joiner.join().unwrap().unwrap_err();
        assert_eq!(error.cause(), Some(&Cause::new("from afar")));
        assert!(places.are_all_here(if parked { 2 } else { 1 }));
    }
}

#[test]
fn wakes_from_other_threads_bring_it_home() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let places = Places::default();
    let (task, handle, gate) = watched(home, &owner, &places);
    drain(home, &owner, Some(task));
    thread::start("waker".into(), None, move || gate.open()).unwrap().join().unwrap();
    assert!(home.next().is_none(), "never scheduled as one that may run anywhere");
    drain(home, &owner, None);
    home.block_on(handle).unwrap();
    assert!(places.are_all_here(3));
}

#[test]
fn only_its_owner_opens_a_parcel() {
    let (home, owner, stranger) = (Line::leak(), LocalOwner::new(), LocalOwner::default());
    let (task, handle, gate) = watched(home, &owner, &Places::default());
    let id = task.id();
    drain(home, &owner, Some(task));
    gate.open();
    let parcel = home.next_parcel().unwrap();
    let parcel = stranger.open(parcel).expect_err("another owner's");
    assert_eq!(parcel.id(), id);
    // The wrong owner on another thread fares no better.
    let far = thread::start("far".into(), None, move || LocalOwner::new().open(parcel).err());
    let parcel = far.unwrap().join().unwrap().expect("another owner's");
    assert!(format!("{parcel:?}").contains("Parcel"));
    let task = owner.open(parcel).unwrap();
    assert!(format!("{task:?}").contains("LocalRunnable"));
    drain(home, &owner, Some(task));
    assert!(handle.is_finished());
}

#[test]
fn a_local_runnable_dropped_or_cancelled_cancels_here() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let places = Places::default();
    let (task, handle, _) = watched(home, &owner, &places);
    drop(task);
    assert!(home.block_on(handle).unwrap_err().is_cancelled());
    let (task, handle, _) = watched(home, &owner, &places);
    assert_eq!(task.cancel(Cause::Shutdown), Ending::Cancelled);
    assert_eq!(home.block_on(handle).unwrap_err().cause(), Some(&Cause::Shutdown));
    assert!(places.are_all_here(2));
}

#[test]
fn panics_of_local_tasks_are_their_outcome() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let bad = Rc::new(PanicsOnDrop("local destructor"));
    let future = async move {
        let _bad = bad;
        pending::<()>().await;
    };
    let (task, handle) = spawn_local(future, home, &owner, Meta::OTHER);
    handle.abort();
    assert!(matches!(task.run(home), LocalRan::Finished(Ending::Panicked)));
    assert!(home.block_on(handle).unwrap_err().is_panic());
}

/// Shutdown finds parked local tasks as parcels.
#[test]
fn the_registry_gives_local_tasks_as_parcels() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let token = Arc::new(());
    for n in 0..10 {
        let kept = token.clone();
        let future = async move {
            pending::<()>().await;
            drop(kept);
        };
        if n % 2 == 0 {
            let (task, _) = spawn_local(future, home, &owner, Meta::OTHER);
            drain(home, &owner, Some(task));
        } else {
            drop(home.spawn(future));
            home.drain();
        }
    }
    let aborted = home.registry_of().abort_some(usize::MAX, &Cause::Shutdown);
    assert_eq!((aborted.runnables.len(), aborted.parcels.len()), (5, 5));
    assert!(format!("{aborted:?}").contains("is_last: true"));
    for parcel in aborted.parcels {
        let task = owner.open(parcel).unwrap();
        assert_eq!(task.cancel(Cause::Shutdown), Ending::Cancelled);
    }
    drop(aborted.runnables);
    assert_eq!((alive(&token), home.registry_of().len()), (0, 0));
}

/// A parcel that nobody opens leaks its future, rather than dropping it on a wrong thread.
#[test]
fn a_parcel_dropped_elsewhere_drops_no_future_there() {
    let (home, owner) = (Line::leak(), LocalOwner::new());
    let places = Places::default();
    let (task, handle, gate) = watched(home, &owner, &places);
    drain(home, &owner, Some(task));
    gate.open();
    let parcel = home.next_parcel().unwrap();
    thread::start("wrong".into(), None, move || drop(parcel)).unwrap().join().unwrap();
    assert!(places.are_all_here(1));
    assert!(!handle.is_finished());
    // What is leaked stays reachable from here, so that leak checkers are content.
    static LEAKED: Lock<Vec<JoinHandle<()>>> = Lock::new(Vec::new());
    LEAKED.lock().push(handle);
}

/// A task made on another thread: its future is made, polled and dropped on the owner's.
#[test]
fn a_task_sent_here_is_made_here() {
    let home = Line::leak();
    let deed = Deed::new();
    let id = deed.id();
    assert_eq!(OwnerId::from_u64(id.get()), id);
    let places = Places::default();
    let (made, dropped) = (places.clone(), places.clone());
    let sender = thread::start("sender".into(), None, move || {
        let make = move || {
            made.note();
            let on_drop = OnDrop(move || dropped.note());
            let here = Rc::new(7);
            async move {
                let _on_drop = on_drop;
                *here
            }
        };
        goro_task::spawn_remote(make, home, id, Meta::OTHER)
    });
    let (parcel, handle) = sender.unwrap().join().unwrap();
    let stranger = LocalOwner::new();
    let parcel = stranger.open(parcel).expect_err("it is another's");
    let owner = deed.take_up();
    assert_eq!(owner.id(), id);
    drain(home, &owner, Some(owner.open(parcel).expect("this owner's")));
    assert_eq!(home.block_on(handle).unwrap(), 7);
    assert!(places.are_all_here(2));
}

#[test]
fn a_task_sent_here_may_be_cancelled_before_it_is_made() {
    let (home, deed) = (Line::leak(), Deed::default());
    let make = || -> std::future::Pending<()> { panic!("it is never made") };
    let (parcel, handle) = goro_task::spawn_remote(make, home, deed.id(), Meta::OTHER);
    handle.abort();
    let task = deed.take_up().open(parcel).expect("this owner's");
    assert!(matches!(task.run(home), LocalRan::Finished(Ending::Cancelled)));
    assert!(home.block_on(handle).unwrap_err().is_cancelled());
}
