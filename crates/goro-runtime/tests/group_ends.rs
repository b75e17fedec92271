//! What a group does: each policy, against each end of a child, with all that happens, in order.
//!
//! Two children: *one*, which ends in the way that is looked at once both run and the body is done, and the
//! *other*, which gives 2 after 50 ms unless it is asked to end, and then gives an error. Under many schedules.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::FutureExt;
use futures::future::Either;
use goro_runtime::Builder;
use goro_runtime::task::{ChildError, Group, GroupError, Policy, TaskGroup};
use goro_runtime::time::{Duration, sleep, timeout};
use goro_sync::{Event, cancel};
use std::any::Any;
use std::future::pending;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};

/// How the child ends that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Ok,
    Error,
    Panic,
    /// It cancels the group, and then gives an error.
    Cancel,
    /// The group has a deadline.
    Deadline,
    /// Whoever runs the group drops it; and this one does not end when it is asked.
    ParentDrop,
}

use End::{Cancel, Deadline, Error, Ok as Success, Panic, ParentDrop};

/// What happens, in order; then what whoever runs the group gets.
type Row = (End, &'static str, &'static str);

const FAIL_FAST: [Row; 6] = [
    (
        Success,
        "body done, one gone, given 1, other done, other gone, given 2, deferred, deferred gone",
        "ok",
    ),
    (
        Error,
        "body done, one gone, other asked, other gone, deferred, deferred gone",
        "failed: one failed, and 1 more",
    ),
    (
        Panic,
        "body done, one gone, other asked, other gone, deferred, deferred gone",
        "panics: one panicked",
    ),
    (
        Cancel,
        "body done, one gone, other asked, other gone, deferred, deferred gone",
        "failed: one was asked, and 1 more",
    ),
    (
        Deadline,
        "body done, other asked, other gone, one gone, deferred, deferred gone",
        "failed: other was asked, and 1 more",
    ),
    (
        ParentDrop,
        "body done, deferred gone, run dropped, other asked, other gone, one gone",
        "nothing",
    ),
];

const COLLECT: [Row; 6] = [
    (
        Success,
        "body done, one gone, given 1, other done, other gone, given 2, deferred, deferred gone",
        "ok",
    ),
    (
        Error,
        "body done, one gone, other done, other gone, given 2, deferred, deferred gone",
        "failed: one failed, and 0 more",
    ),
    (
        Panic,
        "body done, one gone, other done, other gone, given 2, deferred, deferred gone",
        "panicked: one panicked, and 0 more",
    ),
    (
        Cancel,
        "body done, one gone, other asked, other gone, deferred, deferred gone",
        "failed: one was asked, and 1 more",
    ),
    (
        Deadline,
        "body done, other asked, other gone, one gone, deferred, deferred gone",
        "failed: other was asked, and 1 more",
    ),
    (
        ParentDrop,
        "body done, deferred gone, run dropped, other asked, other gone, one gone",
        "nothing",
    ),
];

const FIRST_OK: [Row; 6] = [
    (
        Success,
        "body done, one gone, other asked, other gone, deferred, deferred gone, given 1",
        "ok",
    ),
    (Error, "body done, one gone, other done, other gone, deferred, deferred gone, given 2", "ok"),
    (Panic, "body done, one gone, other done, other gone, deferred, deferred gone, given 2", "ok"),
    (
        Cancel,
        "body done, one gone, other asked, other gone, deferred, deferred gone",
        "failed: one was asked, and 1 more",
    ),
    (
        Deadline,
        "body done, other asked, other gone, one gone, deferred, deferred gone",
        "failed: other was asked, and 1 more",
    ),
    (
        ParentDrop,
        "body done, deferred gone, run dropped, other asked, other gone, one gone",
        "nothing",
    ),
];

const SUPERVISE: [Row; 6] = [
    (
        Success,
        "body done, one gone, given 1, other done, other gone, given 2, deferred, deferred gone",
        "ok",
    ),
    (Error, "body done, one gone, other done, other gone, given 2, deferred, deferred gone", "ok"),
    (Panic, "body done, one gone, other done, other gone, given 2, deferred, deferred gone", "ok"),
    (Cancel, "body done, one gone, other asked, other gone, deferred, deferred gone", "ok"),
    (Deadline, "body done, other asked, other gone, one gone, deferred, deferred gone", "ok"),
    (
        ParentDrop,
        "body done, deferred gone, run dropped, other asked, other gone, one gone",
        "nothing",
    ),
];

/// What has happened.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn read(&self) -> String {
        self.0.lock().unwrap().join(", ")
    }
}

/// Notes that it was dropped.
struct Gone(Log, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// Who tells whom that something has happened.
#[derive(Default)]
struct Marks {
    other_runs: Event,
    body_done: Event,
    other_gone: Event,
}

async fn other(log: Log, marks: Arc<Marks>) -> Result<u32, &'static str> {
    let gone = Gone(log.clone(), "other gone");
    marks.other_runs.set();
    let lasts = pin!(sleep(Duration::from_millis(50)));
    let ended = match futures::future::select(lasts, pin!(cancel::cancelled())).await {
        Either::Left(_) => {
            log.note("other done");
            Ok(2)
        }
        Either::Right(_) => {
            log.note("other asked");
            Err("other was asked")
        }
    };
    drop(gone);
    marks.other_gone.set();
    ended
}

async fn one(
    end: End,
    log: Log,
    marks: Arc<Marks>,
    group: Group<u32, &'static str>,
) -> Result<u32, &'static str> {
    let _gone = Gone(log, "one gone");
    marks.other_runs.wait().await;
    marks.body_done.wait().await;
    match end {
        Success => Ok(1),
        Error => Err("one failed"),
        Panic => resume_unwind(Box::new("one panicked")),
        Cancel => {
            group.cancel("on request");
            Err("one was asked")
        }
        Deadline => {
            cancel::cancelled().await;
            // So that it is not by chance which of them ends first.
            marks.other_gone.wait().await;
            Err("one was asked")
        }
        ParentDrop => pending().await,
    }
}

type Ran = Result<Result<(), GroupError<&'static str>>, Box<dyn Any + Send>>;

/// What whoever runs the group gets, in words.
fn words(ran: Ran) -> String {
    let error = match ran {
        Err(payload) => return format!("panics: {}", payload.downcast_ref::<&str>().unwrap()),
        Ok(Ok(())) => return "ok".to_owned(),
        Ok(Err(error)) => error,
    };
    let first = match error.first {
        ChildError::Failed(error) => format!("failed: {error}"),
        ChildError::Panicked(cause) => cause.to_string(),
        ChildError::Cancelled(cause) => format!("cancelled: {cause}"),
    };
    assert_eq!(error.dropped, 0, "all have ended by themselves");
    format!("{first}, and {} more", error.others.len())
}

async fn program(policy: Policy, end: End, log: Log) -> String {
    let marks = Arc::new(Marks::default());
    let given = log.clone();
    let mut group = TaskGroup::new()
        .policy(policy)
        .grace(Duration::from_secs(60))
        .each(move |value: u32| given.note(format!("given {value}")));
    if end == Deadline {
        group = group.timeout(Duration::from_millis(5));
    }
    let body = {
        let log = log.clone();
        move |group: Group<u32, &'static str>| async move {
            let deferred = Gone(log.clone(), "deferred gone");
            group.defer_async(async move { deferred.0.note("deferred") });
            group.spawn(other(log.clone(), marks.clone())).await.unwrap();
            group.spawn(one(end, log.clone(), marks.clone(), group.clone())).await.unwrap();
            log.note("body done");
            marks.body_done.set();
            Ok(())
        }
    };
    let run = AssertUnwindSafe(group.run(body)).catch_unwind();
    if end != ParentDrop {
        return words(run.await);
    }
    let mut run = Box::pin(run);
    assert!(timeout(Duration::from_millis(5), &mut run).await.is_err());
    drop(run);
    log.note("run dropped");
    sleep(Duration::from_secs(61)).await;
    "nothing".to_owned()
}

fn check_rows(policy: Policy, rows: [Row; 6]) {
    for (end, order, gets) in rows {
        for seed in 0..20 {
            let log = Log::default();
            let mut script = Builder::new().workers(2).build_scripted(Some(seed)).unwrap();
            let got = script.run(program(policy, end, log.clone())).unwrap();
            let what = format!("{policy:?}, {end:?}, seed {seed}");
            assert_eq!((log.read().as_str(), got.as_str()), (order, gets), "{what}");
        }
    }
}

#[test]
fn failing_fast() {
    check_rows(Policy::FailFast, FAIL_FAST);
}

#[test]
fn collecting() {
    check_rows(Policy::Collect, COLLECT);
}

#[test]
fn the_first_success() {
    check_rows(Policy::FirstOk, FIRST_OK);
}

#[test]
fn supervising() {
    check_rows(Policy::Supervise, SUPERVISE);
}
