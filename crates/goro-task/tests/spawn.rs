//! A task from its spawn to its end.
#![cfg(not(loom))]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;
#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/parts.rs"]
mod parts;

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use goro_context::inherit::{self, Head};
use goro_context::{Kind, task};
use goro_shim::global::{Arc, Lock};
use goro_shim::thread;
use goro_shim::word::Word;
use goro_task::{
    AbortHandle, AbortOnDrop, Ending, JoinError, JoinHandle, Meta, Parcel, Ran, Registry, Runnable,
};
use home::Line;
use parts::{Gate, OnDrop, Yield, alive};

#[test]
fn a_task_runs_when_its_runnable_is_run_and_not_before() {
    let home = Line::leak();
    let ran = Arc::new(());
    let token = ran.clone();
    let (task, handle) = goro_task::spawn(async move { drop(token) }, home, Meta::OTHER);
    assert_eq!((alive(&ran), handle.is_finished()), (1, false));
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!((alive(&ran), handle.is_finished()), (0, true));
}

#[test]
fn a_task_without_a_handle_runs_and_its_output_is_dropped_at_once() {
    let home = Line::leak();
    let output = Arc::new(());
    let token = output.clone();
    let task = goro_task::spawn_detached(async move { token }, home, Meta::OTHER);
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(alive(&output), 0);
}

#[test]
fn a_task_that_yields_is_given_back_to_its_runner_each_time() {
    let home = Line::leak();
    let future = async {
        for _ in 0..3 {
            Yield::default().await;
        }
        "after three yields"
    };
    let (mut task, handle) = goro_task::spawn(future, home, Meta::OTHER);
    for _ in 0..3 {
        task = match task.run(home) {
            Ran::Again(task) => task,
            other => panic!("not woken during its poll: {other:?}"),
        };
        assert!(home.next().is_none(), "whoever has the runnable is the only one");
    }
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(home.block_on(handle).unwrap(), "after three yields");
}

#[test]
fn a_task_that_waits_is_scheduled_once_by_its_first_wake() {
    let home = Line::leak();
    let gate = Gate::default();
    let handle = home.spawn(gate.clone());
    assert_eq!(home.drain(), 1);
    let waker = gate.waker().unwrap();
    waker.wake_by_ref();
    waker.wake_by_ref();
    waker.wake();
    assert!(home.next().map(|task| task.run(home)).is_some_and(|r| matches!(r, Ran::Parked)));
    assert!(home.next().is_none());
    gate.open();
    assert_eq!(home.drain(), 1);
    assert!(handle.is_finished());
}

/// A task's wakes go to where it was spawned until it first parks, then to where it parked.
#[test]
fn wakes_go_to_the_home_where_the_task_first_parked() {
    let (spawned_at, parked_at, later) = (Line::leak(), Line::leak(), Line::leak());
    let gate = Gate::default();
    let (task, handle) = goro_task::spawn(gate.clone(), spawned_at, Meta::OTHER);
    assert!(matches!(task.run(parked_at), Ran::Parked));
    gate.waker().unwrap().wake();
    assert!(spawned_at.next().is_none());
    let task = parked_at.next().expect("scheduled where it first parked");
    // Run elsewhere, it stays at home where it is.
    assert!(matches!(task.run(later), Ran::Parked));
    gate.open();
    assert!(later.next().is_none());
    assert_eq!(parked_at.drain(), 1);
    assert!(handle.is_finished());
}

#[test]
fn a_runnable_is_one_word_and_survives_the_way_through_it() {
    assert_eq!(size_of::<Option<Runnable<Line>>>(), size_of::<usize>());
    assert_eq!(size_of::<JoinHandle<[u8; 100]>>(), 3 * size_of::<usize>());
    let home = Line::leak();
    let (task, handle) = goro_task::spawn(async { 3 }, home, Meta::OTHER);
    let (id, word) = (task.id(), task.into_word());
    // SAFETY: the word came from a runnable of this type, and is turned back once.
    let task = unsafe { Runnable::<Line>::from_word(word) };
    assert_eq!(task.id(), id);
    let _ = task.run(home);
    assert_eq!(home.block_on(handle).unwrap(), 3);
}

#[test]
fn id_and_kind_are_the_same_everywhere() {
    let home = Line::leak();
    let kind = Kind::named("digger", std::panic::Location::caller());
    let seen = Arc::new(Lock::new(Vec::new()));
    let (in_poll, in_drop) = (seen.clone(), seen.clone());
    let on_drop = OnDrop(move || in_drop.lock().push(task::current()));
    let future = async move {
        in_poll.lock().push(task::current());
        drop(on_drop);
    };
    let (runnable, handle) = goro_task::spawn(future, home, Meta::new(kind));
    let abort = handle.abort_handle();
    let ids = [runnable.id(), handle.id(), abort.id()];
    assert_eq!([runnable.kind(), handle.kind(), abort.kind()], [kind; 3]);
    let _ = runnable.run(home);
    let seen = seen.lock();
    for current in seen.iter() {
        assert_eq!(current.map(|task| (task.id, task.kind)), Some((ids[0], kind)));
    }
    assert_eq!((seen.len(), ids), (2, [ids[0]; 3]));
    assert_eq!(task::current(), None);
}

/// The destructor of a cancelled task's future runs as that task, too.
#[test]
fn a_cancelled_future_is_dropped_as_its_task() {
    let home = Line::leak();
    let seen = Arc::new(Lock::new(None));
    let in_drop = seen.clone();
    let on_drop = OnDrop(move || *in_drop.lock() = task::current());
    let (runnable, handle) = goro_task::spawn(async move { drop(on_drop) }, home, Meta::OTHER);
    drop(runnable);
    assert_eq!(seen.lock().map(|task| task.id), Some(handle.id()));
}

#[test]
fn what_is_inherited_is_current_in_polls_and_destructors_and_dropped_with_the_future() {
    let home = Line::leak();
    let token = Arc::new(());
    let seen = Arc::new(Lock::new(Vec::new()));
    let (in_poll, in_drop) = (seen.clone(), seen.clone());
    let on_drop = OnDrop(move || in_drop.lock().push(inherit::find::<u32>()));
    let future = async move {
        let _on_drop = on_drop;
        in_poll.lock().push(inherit::find::<u32>());
        Yield::default().await;
        in_poll.lock().push(inherit::find::<u32>());
        goro_task::spawn(async { inherit::find::<u32>() }, home, Meta::new(Kind::OTHER))
    };
    let inherit = Head::EMPTY.push(token.clone()).push(7_u32);
    let (runnable, handle) = goro_task::spawn(future, home, Meta { inherit, ..Meta::OTHER });
    let Ran::Again(runnable) = runnable.run(home) else { panic!("it yields") };
    assert_eq!(inherit::find::<u32>(), None);
    assert!(matches!(runnable.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(*seen.lock(), [Some(7); 3]);
    let (child, childs) = home.block_on(handle).unwrap();
    let _ = child.run(home);
    assert_eq!(home.block_on(childs).unwrap(), Some(7), "a child inherits the list");
    assert_eq!(alive(&token), 0);
}

/// Pitfall 43: a future of a mebibyte, one that is aligned to 4 KiB, and one of no size at all.
#[test]
fn futures_of_any_size_and_alignment() {
    #[repr(align(4096))]
    struct Page(u8);

    let home = Line::leak();
    // On a thread's usual stack, unless the compiler copies it whenever it changes hands.
    let stack = if cfg!(debug_assertions) { 8 << 20 } else { 2 << 20 };
    let big = thread::start("big".into(), Some(stack), || {
        let sum = |big: &[u8]| big.iter().map(|&byte| usize::from(byte)).sum::<usize>();
        goro_task::spawn(
            async move {
                let big = [1_u8; 1 << 20];
                Yield::default().await;
                sum(&big)
            },
            home,
            Meta::OTHER,
        )
    });
    let (task, handle) = big.unwrap().join().unwrap();
    let Ran::Again(task) = task.run(home) else { panic!("it yields") };
    assert!(matches!(task.run(home), Ran::Finished(Ending::Done)));
    assert_eq!(home.block_on(handle).unwrap(), 1 << 20);

    let page = Page(9);
    let handle = home.spawn(async move {
        let at = (&raw const page).addr();
        Yield::default().await;
        (at % 4096, page)
    });
    let (misaligned, page) = home.block_on(handle).unwrap();
    assert_eq!((misaligned, page.0), (0, 9));

    let handle = home.spawn(std::future::ready(()));
    assert_eq!(size_of_val(&std::future::ready(())), 1);
    home.block_on(handle).unwrap();
    home.block_on(home.spawn(poll_fn(|_| Poll::Ready(())))).unwrap();
}

/// A future is never moved once it was polled.
#[test]
fn a_future_stays_where_it_was_first_polled() {
    struct Address(Option<usize>, u8);
    impl Future for Address {
        type Output = bool;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
            let here = (&raw const self.1).addr();
            self.1 += 1;
            if self.1 < 4 {
                cx.waker().wake_by_ref();
                let before = self.0.replace(here);
                assert!(before.is_none_or(|before| before == here));
                return Poll::Pending;
            }
            Poll::Ready(self.0 == Some(here))
        }
    }
    let home = Line::leak();
    let handle = home.spawn(Address(None, 0));
    assert!(home.block_on(handle).unwrap());
}

/// Pitfall 17: everything can be formatted in every state.
#[test]
fn everything_can_be_formatted_at_any_time() {
    let home = Line::leak();
    let (task, handle) = goro_task::spawn(Gate::default(), home, Meta::OTHER);
    let abort = handle.abort_handle();
    let texts = [format!("{task:?}"), format!("{handle:?}"), format!("{abort:?}")];
    assert!(texts.iter().all(|text| text.contains("TaskId(")), "{texts:?}");
    assert!(format!("{handle:?}").contains("finished: false"));
    assert!(format!("{:?}", task.run(home)).contains("Parked"));
    abort.abort();
    home.drain();
    assert!(format!("{handle:?}").contains("finished: true"));
    let error = home.block_on(handle).unwrap_err();
    assert!(format!("{error:?}").contains("Aborted"));
    assert!(format!("{:?} {:?}", home.registry_of(), Meta::OTHER).contains("Registry"));
}

/// Pitfalls 2, 6: what may cross threads and what may not is decided at compile time.
#[test]
fn handles_cross_threads_exactly_when_their_outputs_may() {
    fn crosses<T: Send + Sync>(_: PhantomData<T>) -> bool {
        true
    }
    assert!(crosses(PhantomData::<Runnable<Line>>));
    assert!(crosses(PhantomData::<JoinHandle<std::cell::Cell<u8>>>));
    assert!(crosses(PhantomData::<AbortOnDrop<std::cell::Cell<u8>>>));
    assert!(crosses(PhantomData::<(AbortHandle, JoinError)>));
    assert!(crosses(PhantomData::<(Parcel<Line>, Registry<Line>)>));
}
