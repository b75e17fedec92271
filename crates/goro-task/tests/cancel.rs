//! Being asked to end: who hears of it, and what becomes of those who do not listen.

#![cfg(not(loom))]
#![allow(clippy::disallowed_types, reason = "a test waits for another thread as a program does")]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/home.rs"]
mod home;

use goro_context::alarm::{Alarm, Ring};
use goro_context::cancel::{self, Ambient, CancelSource};
use goro_context::inherit::Head;
use goro_context::time::{self, Duration};
use goro_context::{Cause, Gone};
use goro_shim::global::{Arc, AtomicUsize, Ordering};
use goro_shim::lock::Lock;
use goro_task::{JoinHandle, Meta};
use std::any::Any;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

fn listens() -> impl Future<Output = Cause> {
    poll_fn(|_| cancel::cause().map_or(Poll::Pending, Poll::Ready))
}

/// Lets time pass on this thread.
fn pass(time: Duration) {
    struct Tell(Sender<()>);
    impl Ring for Tell {
        fn ring(&self, _kept: Result<(), Gone>) {
            let _gone = self.0.send(());
        }
    }
    let (tell, told) = channel();
    let alarm = Alarm::set(time::after(time), Tell(tell)).unwrap();
    told.recv().unwrap();
    drop(alarm);
}

#[test]
fn one_that_listens_ends_by_itself() {
    let home = home::Line::leak();
    let handle = home.spawn(listens());
    home.drain();
    let outcome = home.block_on(handle.cancel("enough"));
    assert_eq!(outcome.unwrap(), Cause::new("enough"));
    assert!(home.registry_of().is_empty());
}

#[test]
fn one_that_has_ended_gives_its_late_result() {
    let home = home::Line::leak();
    let handle = home.spawn(async { 5 });
    home.drain();
    assert_eq!(home.block_on(handle.cancel(Cause::Shutdown)).unwrap(), 5);
}

#[test]
fn one_that_has_not_begun_begins_and_hears() {
    let home = home::Line::leak();
    let handle = home.spawn(async { cancel::check() });
    assert_eq!(home.block_on(handle.cancel("early")).unwrap(), Err(Cause::new("early")));
}

#[test]
fn one_that_does_not_listen_is_dropped_when_the_grace_is_over() {
    let home = home::Line::leak();
    let handle = home.spawn(pending::<()>());
    home.drain();
    let start = time::now();
    let grace = Duration::from_millis(30);
    let mut cancelling = handle.cancel("enough").grace(grace);
    let error = loop {
        home.drain();
        let polled = Pin::new(&mut cancelling).poll(&mut Context::from_waker(Waker::noop()));
        match polled {
            Poll::Ready(outcome) => break outcome.unwrap_err(),
            Poll::Pending => pass(Duration::from_millis(1)),
        }
    };
    assert_eq!(error.cause(), Some(&Cause::new("enough")));
    assert!(time::now() >= start + grace);
    assert!(home.registry_of().is_empty());
}

#[test]
fn no_grace_is_an_abort() {
    let home = home::Line::leak();
    let handle = home.spawn(listens());
    home.drain();
    let error = home.block_on(handle.cancel("now").grace(Duration::ZERO)).unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::new("now")));
}

/// Nobody has to wait for a cancellation.
#[test]
fn it_goes_on_when_nobody_waits() {
    let home = home::Line::leak();
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let counts = Counts(Arc::clone(&dropped));
    let handle = home.spawn(async move {
        let _counts = counts;
        pending::<()>().await;
    });
    home.drain();
    drop(handle.cancel("enough").grace(Duration::from_millis(5)));
    home.drain();
    assert_eq!(dropped.load(Ordering::Relaxed), 0, "it has its grace");
    while dropped.load(Ordering::Relaxed) == 0 {
        pass(Duration::from_millis(1));
        home.drain();
    }
}

/// Once it is asked, each of its polls and each task that it spawns hear of it; the first cause counts.
#[test]
fn it_stays_asked() {
    let home = home::Line::leak();
    let mut heard = Vec::new();
    let handle: JoinHandle<_> = home.spawn(poll_fn(move |cx| {
        heard.extend(cancel::cause());
        cx.waker().wake_by_ref();
        let below = goro_context::inherit::find::<Ambient>().and_then(|token| token.cause());
        assert_eq!(below, heard.last().cloned());
        if heard.len() < 3 { Poll::Pending } else { Poll::Ready(heard.clone()) }
    }));
    let task = home.next().unwrap();
    handle.ask(Cause::new("first"));
    handle.ask(Cause::new("second"));
    home.spawn(async {}).abort();
    if let goro_task::Ran::Again(again) = task.run(home) {
        drop_into(home, again);
    }
    assert_eq!(home.block_on(handle).unwrap(), vec![Cause::new("first"); 3]);
}

fn drop_into(home: &'static home::Line, task: goro_task::Runnable<home::Line>) {
    use goro_task::Home;
    home.schedule(task);
}

/// An abort after a question drops the task for the question's cause.
#[test]
fn the_first_who_asked_gives_the_cause() {
    let home = home::Line::leak();
    let handle = home.spawn(pending::<()>());
    home.drain();
    handle.ask(Cause::Deadline);
    home.drain();
    handle.abort_with(Cause::new("aborted"));
    assert_eq!(home.block_on(handle).unwrap_err().cause(), Some(&Cause::Deadline));
}

/// What covers an inherited token covers it for the one task that was asked.
#[test]
fn a_question_covers_what_was_inherited() {
    let home = home::Line::leak();
    let meta = Meta { inherit: Head::EMPTY.push(Ambient::never()), ..Meta::OTHER };
    let (task, handle) = goro_task::spawn(listens(), home, meta);
    drop_into(home, task);
    home.drain();
    handle.ask(Cause::new("asked"));
    assert_eq!(home.block_on(handle).unwrap(), Cause::new("asked"));
}

/// A token that is never cancelled, and who stands in line at it.
#[derive(Default)]
struct Line(Lock<Vec<u64>>);

impl CancelSource for Line {
    fn cause(&self) -> Option<Cause> {
        None
    }

    fn register(&self, _waker: &Waker) -> u64 {
        let mut keys = self.0.lock();
        let key = keys.last().map_or(1, |last| last + 1);
        keys.push(key);
        key
    }

    fn unregister(&self, key: u64) {
        self.0.lock().retain(|&listed| listed != key);
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A token that outlives many tasks remembers none of them.
#[test]
fn who_has_ended_stands_in_line_at_no_token() {
    let home = home::Line::leak();
    let line = Arc::new(Line::default());
    let standing = || line.0.lock().len();
    let spawn = |ends: bool| {
        let mut parked = false;
        let future = poll_fn(move |_| {
            let ready = ends && parked;
            parked = true;
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        let token = Ambient::from_shared(line.clone());
        let meta = Meta { inherit: Head::EMPTY.push(token), ..Meta::OTHER };
        let (task, handle) = goro_task::spawn(future, home, meta);
        drop_into(home, task);
        home.drain();
        handle
    };
    let (ends, aborted) = (spawn(true), spawn(false));
    assert_eq!(standing(), 2);
    ends.ask(Cause::new("wakes it"));
    home.drain();
    assert_eq!(standing(), 1);
    aborted.abort();
    home.drain();
    assert_eq!(standing(), 0);
}
