//! What would have to wait, in code that was asked to stop, tries once more and gives up.
#![cfg(unix)]

#[path = "support/count.rs"]
mod count;

use core::task::{Context, Poll};
use std::io::{self, ErrorKind};

use count::{Count, poll};
use goro_context::cancel::{self, Ambient};
use goro_context::inherit::{self, Head};
use goro_context::{Cause, CurrentTask, Kind, Op, TaskId, budget, note, task};
use goro_reactor::{Direction, Left, Reactor, Watched};
use mio::net::UnixStream;

const READ: Direction = Direction::Read;

fn asked<R>(f: impl FnOnce() -> R) -> R {
    let mut inherited = Head::EMPTY.push(Ambient::cancelled(Cause::Shutdown));
    inherit::with(&mut inherited, f)
}

fn blocked<R>() -> io::Result<R> {
    Err(ErrorKind::WouldBlock.into())
}

fn is_given_up<R>(polled: Poll<io::Result<R>>) -> bool {
    let Poll::Ready(Err(error)) = polled else { return false };
    cancel::cause_of(&error) == Some(&Cause::Shutdown) && note::take().op == Op::Nothing
}

/// Of which no event has told; and interrupted, it is no last try.
#[test]
fn what_the_last_try_has_is_had() {
    let reactor = Reactor::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let stream = Watched::new(&reactor, one).unwrap();
    let registration = stream.registration();
    let waker = Count::new().waker();
    let cx = &mut Context::from_waker(&waker);
    // Seen to be empty: from here on it waits for an event.
    assert!(registration.poll_io(cx, READ, Op::Readable, blocked::<u8>).is_pending());

    let mut tries = [Ok(7), Err(ErrorKind::Interrupted.into())].map(Some);
    let mut left = 2;
    let polled = asked(|| {
        registration.poll_io(cx, READ, Op::Readable, || {
            left -= 1;
            tries[left].take().expect("each once")
        })
    });
    assert!(matches!(polled, Poll::Ready(Ok(7))));
    let read = || Ok((8, Left::Perhaps));
    assert!(matches!(asked(|| registration.poll_read(cx, Op::Readable, read)), Poll::Ready(Ok(8))));
    let mut waiter = registration.waiter(READ);
    let polled = asked(|| waiter.poll_io(cx, Op::Readable, || Ok(9)));
    assert!(matches!(polled, Poll::Ready(Ok(9))));
}

/// Whoever asks again and again lets others run, and what waits in nobody's name leaves no note.
#[test]
fn giving_up_is_paid_for_and_leaves_no_note() {
    let reactor = Reactor::new().unwrap();
    let (one, _other) = UnixStream::pair().unwrap();
    let stream = Watched::new(&reactor, one).unwrap();
    let registration = stream.registration();
    let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    let count = Count::new();
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    assert!(registration.poll_io(cx, READ, Op::Readable, blocked::<u8>).is_pending());
    budget::reset();
    for _ in 0..budget::LIMIT / 4 {
        assert!(is_given_up(asked(|| registration.poll_io(cx, READ, Op::Readable, blocked::<u8>))));
        let read = blocked::<(u8, Left)>;
        assert!(is_given_up(asked(|| registration.poll_read(cx, Op::Readable, read))));
        let mut waiter = registration.waiter(READ);
        assert!(is_given_up(asked(|| waiter.poll_io(cx, Op::Accept, blocked::<u8>))));
        assert!(is_given_up(asked(|| poll(&count, &mut registration.readable()))));
    }
    assert_eq!((budget::remaining(), count.woken()), (0, 0));
}
