//! Everything that can be ready at once spends the task's budget.
#![cfg(unix)]

#[path = "support/count.rs"]
mod count;

use core::future::Future;
use core::task::{Context, Poll};
use std::io;

use count::{Count, poll};
use goro_context::{CurrentTask, Kind, Op, TaskId, budget, task};
use goro_reactor::{Direction, Reactor, Watched};
use mio::net::UnixStream;

const READ: Direction = Direction::Read;

/// How often `op` is ready before it lets others run; it must then have woken its task.
fn ready_in_a_row(mut op: impl FnMut(&mut Context<'_>) -> Poll<()>) -> u32 {
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let count = Count::new();
    let waker = count.waker();
    let mut ready = 0;
    while op(&mut Context::from_waker(&waker)).is_ready() {
        ready += 1;
        assert!(ready <= budget::LIMIT, "never lets go");
    }
    assert_eq!(count.woken(), 1, "a task that lets go wants to run again");
    ready
}

/// Pitfall 124: operations that complete at once, also with an error, let others run.
#[test]
fn successes_errors_and_readiness_all_spend() {
    let reactor = Reactor::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let stream = Watched::new(&reactor, one).unwrap();
    let registration = stream.registration();
    let ok = |cx: &mut Context<'_>| {
        registration.poll_io(cx, READ, Op::Readable, || Ok(())).map(Result::unwrap)
    };
    assert_eq!(ready_in_a_row(ok), budget::LIMIT);
    let error = |cx: &mut Context<'_>| {
        let failed = || Err::<(), io::Error>(io::ErrorKind::ConnectionReset.into());
        registration.poll_io(cx, READ, Op::Readable, failed).map(Result::unwrap_err).map(drop)
    };
    assert_eq!(ready_in_a_row(error), budget::LIMIT);
    let interrupted = |cx: &mut Context<'_>| {
        let interrupted = || Err::<(), io::Error>(io::ErrorKind::Interrupted.into());
        registration.poll_io(cx, READ, Op::Readable, interrupted).map(Result::unwrap)
    };
    assert_eq!(ready_in_a_row(interrupted), 0, "the calls themselves are counted");
    let readable = |cx: &mut Context<'_>| {
        core::pin::pin!(registration.readable()).poll(cx).map(Result::unwrap).map(drop)
    };
    assert_eq!(ready_in_a_row(readable), budget::LIMIT);
}

#[test]
fn waiting_is_free() {
    let reactor = Reactor::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let stream = Watched::new(&reactor, one).unwrap();
    let registration = stream.registration();
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    budget::reset();
    let count = Count::new();
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    for _ in 0..1_000 {
        let polled = registration.poll_io(cx, READ, Op::Readable, || {
            Err::<(), io::Error>(io::ErrorKind::WouldBlock.into())
        });
        assert!(polled.is_pending());
        assert!(poll(&count, &mut registration.readable()).is_pending());
    }
    assert_eq!((budget::remaining(), count.woken()), (budget::LIMIT, 0));
}
