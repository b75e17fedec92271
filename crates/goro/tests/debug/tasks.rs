//! Tasks, their handles and outcomes, and what holds them together.

use std::panic::resume_unwind;
use std::pin::pin;
use std::time::Duration;

use goro::runtime::{Builder, Runtime};
use goro::task::{
    self, AbortOnDrop, Cause, ChildError, Group, GroupError, JoinSet, PanicPolicy, Policy,
    TaskGroup, WaitGroup, local_scope, scope_blocking,
};

use crate::shown::{Shown, waits};

fn runtime() -> Runtime {
    Builder::new().workers(1).name("shown").build().unwrap()
}

pub(crate) fn tasks(shown: &mut Shown) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let waiting = task::Builder::new().name("waiting").spawn(std::future::pending::<u8>());
    shown.add("task::Builder", "plain", &task::Builder::new());
    shown.add("task::Builder", "named", &task::Builder::new().name("waiting"));
    shown.add("task::Id", "some", &waiting.id());
    shown.add("task::JoinHandle", "waiting", &waiting);
    let abort = waiting.abort_handle();
    shown.add("task::AbortHandle", "waiting", &abort);
    abort.ask(Cause::new("stop"));
    shown.add("task::AbortHandle", "asked", &abort);
    let waiting: AbortOnDrop<u8> = waiting.abort_on_drop();
    shown.add("task::AbortOnDrop", "waiting", &waiting);
    let waiting = waiting.detach();
    let cancelling = waiting.cancel("enough").grace(Duration::ZERO);
    shown.add("task::Cancelling", "not polled", &cancelling);
    let cancelled = goro::block_on(cancelling).unwrap_err();
    shown.add("task::JoinError", "cancelled", &cancelled);
    while !abort.is_finished() {
        std::thread::yield_now();
    }
    shown.add("task::AbortHandle", "ended", &abort);
    let done = goro::spawn(async { 1 });
    while !done.is_finished() {
        std::thread::yield_now();
    }
    shown.add("task::JoinHandle", "ended", &done);
    let panics = goro::spawn(async { resume_unwind(Box::new("quiet")) });
    let panicked: Result<u8, _> = goro::block_on(panics);
    shown.add("task::JoinError", "panicked", &panicked.unwrap_err());
    shown.add("task::YieldNow", "not polled", &task::yield_now());
    for (state, cause) in [
        ("aborted", Cause::Aborted),
        ("cancelled", Cause::Cancelled),
        ("late", Cause::Deadline),
        ("draining", Cause::Draining),
        ("at the limit", Cause::Limit),
        ("refused", Cause::Refused),
        ("shut down", Cause::Shutdown),
        ("in words", Cause::new("enough")),
        ("panicked", Cause::Panicked("quiet".into())),
    ] {
        shown.add("task::Cause", state, &cause);
    }
}

pub(crate) fn groups(shown: &mut Shown) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let mut set = JoinSet::new();
    shown.add("task::JoinSet", "empty", &set);
    set.spawn(std::future::pending::<()>());
    shown.add("task::JoinSet", "one", &set);
    let group = TaskGroup::<u8, u8>::new();
    shown.add("task::TaskGroup", "plain", &group);
    let limited = TaskGroup::<u8, u8>::new().policy(Policy::Collect).limit(3);
    shown.add("task::TaskGroup", "limited", &limited);
    let failed = goro::block_on(limited.run(async |group: Group<u8, u8>| {
        shown.add("task::Group", "empty", &group);
        group.spawn(async { Err(7) }).await.unwrap();
        group.spawn(async { resume_unwind(Box::new("quiet")) }).await.unwrap();
        shown.add_blurred("task::Group", "with tasks", &group);
        Ok(())
    }));
    let failed: GroupError<u8> = failed.unwrap_err();
    shown.add("task::GroupError", "two", &failed);
    shown.add("task::ChildError", "failed", &ChildError::Failed(7));
    shown.add("task::ChildError", "panicked", &ChildError::<u8>::Panicked(Cause::new("quiet")));
    shown.add("task::ChildError", "cancelled", &ChildError::<u8>::Cancelled(Cause::Aborted));
    for (state, policy) in [
        ("collect", Policy::Collect),
        ("fail fast", Policy::FailFast),
        ("first", Policy::FirstOk),
        ("supervise", Policy::Supervise),
    ] {
        shown.add("task::Policy", state, &policy);
    }
    for (state, policy) in [
        ("cancel", PanicPolicy::CancelGroup),
        ("ignore", PanicPolicy::Ignore),
        ("log", PanicPolicy::Log),
        ("shut down", PanicPolicy::Shutdown),
    ] {
        shown.add("task::PanicPolicy", state, &policy);
    }
    let all = WaitGroup::new();
    shown.add("task::WaitGroup", "empty", &all);
    let member = all.add();
    shown.add("task::WaitGroup", "one", &all);
    shown.add("task::Member", "inside", &member);
}

pub(crate) fn scopes(shown: &mut Shown) {
    let runtime = runtime();
    let _inside = runtime.enter();
    let event = goro::sync::Event::new();
    scope_blocking(|scope| {
        shown.add("task::Scope", "empty", scope);
        let child = scope.spawn(event.wait());
        shown.add("task::Scope", "one child", scope);
        shown.add("task::ScopedChild", "waiting", &child);
        event.set();
    });
    let mut over = pin!(local_scope(async |scope| {
        shown.add("task::LocalScope", "empty", &scope);
        let child = scope.spawn(std::future::pending::<()>());
        shown.add("task::LocalChild", "waiting", &child);
    }));
    waits(&mut over);
}
