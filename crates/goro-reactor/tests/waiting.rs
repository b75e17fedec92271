//! Waiting for a source: edges, errors, many waiters, the end of the reactor.
#![cfg(unix)]

#[path = "support/count.rs"]
mod count;

use core::task::{Context, Poll};
use std::io::{self, Read, Write};
use std::net::Shutdown;

use count::{Count, poll};
use goro_context::{Op, note};
use goro_reactor::{Direction, Reactor, Wait, Watched};
use goro_shim::Arc;
use goro_shim::time::{Duration, now};
use mio::net::UnixStream;

const READ: Direction = Direction::Read;
const WRITE: Direction = Direction::Write;

fn pair(reactor: &Reactor) -> (Watched<UnixStream>, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    (Watched::new(reactor, one).unwrap(), other)
}

/// Turns until an event has been delivered, and wakes.
fn turn(reactor: &Reactor) {
    let mut wakers = Vec::new();
    let patience = now() + Duration::from_secs(20);
    loop {
        let turn = reactor.try_turn(Wait::Until(patience), &mut wakers).unwrap().unwrap();
        assert!(!turn.timer, "no event came");
        if turn.events > 0 {
            break;
        }
    }
    goro_reactor::wake_all(&mut wakers);
}

/// Takes in the events that registering has caused, so that none is left over.
fn settle(reactor: &Reactor, stream: &Watched<UnixStream>) {
    while reactor.try_turn(Wait::No, &mut Vec::new()).unwrap().unwrap().events > 0 {}
    for direction in [READ, WRITE] {
        let count = Count::new();
        let waker = count.waker();
        let cx = &mut Context::from_waker(&waker);
        if let Poll::Ready(ready) = stream.registration().poll_ready(cx, direction) {
            stream.registration().clear(ready.unwrap());
        }
    }
}

fn read(
    stream: &Watched<UnixStream>,
    count: &Arc<Count>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    stream.registration().poll_io(cx, READ, Op::Readable, || (&**stream).read(buf))
}

/// Writes until the kernel has no more room.
fn fill(stream: &Watched<UnixStream>, count: &Arc<Count>) {
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    let write = || (&**stream).write(&[7; 4096]);
    while let Poll::Ready(written) = stream.registration().poll_io(cx, WRITE, Op::Writable, write) {
        assert!(written.unwrap() > 0);
    }
}

#[test]
fn the_system_call_is_tried_before_anything_is_waited_for() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    peer.write_all(b"early").unwrap();
    let mut buf = [0; 16];
    let Poll::Ready(Ok(5)) = read(&stream, &Count::new(), &mut buf) else { panic!("not tried") };
    assert_eq!(reactor.turns(), 0);
}

#[test]
fn each_edge_wakes_again() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    let count = Count::new();
    let mut buf = [0; 16];
    for round in 0..100 {
        assert!(read(&stream, &count, &mut buf).is_pending(), "round {round}");
        let before = count.woken();
        peer.write_all(b"edge").unwrap();
        turn(&reactor);
        assert_eq!(count.woken(), before + 1, "round {round}");
        assert!(matches!(read(&stream, &count, &mut buf), Poll::Ready(Ok(4))), "round {round}");
    }
}

/// Pitfall 146: a transfer that was cut short leaves the direction ready.
#[test]
fn a_short_transfer_does_not_mean_drained() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    peer.write_all(&[1; 100]).unwrap();
    settle(&reactor, &stream);
    let count = Count::new();
    let mut buf = [0; 64];
    assert!(read(&stream, &count, &mut buf).is_pending(), "cleared by hand");
    peer.write_all(&[1; 28]).unwrap();
    turn(&reactor);
    // Each of these asks for 64 and is given less, and no event comes between them.
    for _ in 0..8 {
        let waker = count.waker();
        let cx = &mut Context::from_waker(&waker);
        let cut = || (&*stream).read(&mut buf[..16]);
        let polled = stream.registration().poll_io(cx, READ, Op::Readable, cut);
        assert!(matches!(polled, Poll::Ready(Ok(16))), "{polled:?}");
    }
    assert!(read(&stream, &count, &mut buf).is_pending());
}

/// Pitfall 156: who asked for bytes never sees that a signal came.
#[test]
fn an_interrupted_call_is_repeated() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = pair(&reactor);
    let mut calls = 0;
    let mut interrupted = || {
        calls += 1;
        if calls % 5 == 0 { Ok(calls) } else { Err(io::ErrorKind::Interrupted.into()) }
    };
    let count = Count::new();
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    let registration = stream.registration();
    let polled = registration.poll_io(cx, READ, Op::Readable, &mut interrupted);
    assert!(matches!(polled, Poll::Ready(Ok(5))));
    assert_eq!(registration.try_io(READ, &mut interrupted).unwrap(), 10);
    let mut attempt = registration.attempt(READ, Op::Accept, &mut interrupted);
    assert!(matches!(poll(&count, &mut attempt), Poll::Ready(Ok(15))));
}

#[test]
fn other_errors_are_shown_and_leave_the_direction_ready() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = pair(&reactor);
    let count = Count::new();
    let waker = count.waker();
    let cx = &mut Context::from_waker(&waker);
    for _ in 0..3 {
        let polled = stream.registration().poll_io(cx, READ, Op::Readable, || {
            Err::<(), _>(io::ErrorKind::ConnectionReset.into())
        });
        let Poll::Ready(Err(e)) = polled else { panic!("not shown") };
        assert_eq!(e.kind(), io::ErrorKind::ConnectionReset);
    }
}

/// Pitfall 147: a hang-up reaches a parked reader and a parked writer.
#[test]
fn a_hang_up_wakes_both_directions() {
    let reactor = Reactor::new().unwrap();
    let (stream, peer) = pair(&reactor);
    let (reader, writer) = (Count::new(), Count::new());
    fill(&stream, &writer);
    assert!(read(&stream, &reader, &mut [0; 8]).is_pending());
    settle(&reactor, &stream);
    fill(&stream, &writer);
    assert!(read(&stream, &reader, &mut [0; 8]).is_pending());
    let before = (reader.woken(), writer.woken());
    drop(peer);
    turn(&reactor);
    assert_eq!((reader.woken(), writer.woken()), (before.0 + 1, before.1 + 1));
}

#[test]
fn the_end_of_reading_alone_wakes_the_reader() {
    let reactor = Reactor::new().unwrap();
    let (stream, peer) = pair(&reactor);
    let (reader, writer) = (Count::new(), Count::new());
    fill(&stream, &writer);
    settle(&reactor, &stream);
    fill(&stream, &writer);
    assert!(read(&stream, &reader, &mut [0; 8]).is_pending());
    peer.shutdown(Shutdown::Write).unwrap();
    turn(&reactor);
    assert_eq!((reader.woken(), writer.woken()), (1, 0));
    assert!(matches!(read(&stream, &reader, &mut [0; 8]), Poll::Ready(Ok(0))));
}

/// Pitfall 150: a try meets readiness as a poll does.
#[test]
fn a_try_that_would_block_unsets_readiness_and_asks_no_kernel_until_the_next_event() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    settle(&reactor, &stream);
    let mut asked = 0;
    let mut tried = || {
        stream.registration().try_io(READ, || {
            asked += 1;
            (&*stream).read(&mut [0; 8])
        })
    };
    assert_eq!(tried().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    peer.write_all(b"now").unwrap();
    turn(&reactor);
    assert_eq!(tried().unwrap(), 3);
    assert_eq!(tried().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(tried().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(asked, 2);
}

#[test]
fn any_number_of_futures_wait_for_one_direction() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    settle(&reactor, &stream);
    let counts: Vec<_> = (0..50).map(|_| Count::new()).collect();
    let mut futures: Vec<_> = counts.iter().map(|_| stream.registration().readable()).collect();
    for (future, count) in futures.iter_mut().zip(&counts) {
        assert!(poll(count, future).is_pending());
    }
    peer.write_all(b"for all").unwrap();
    turn(&reactor);
    for (future, count) in futures.iter_mut().zip(&counts) {
        assert_eq!(count.woken(), 1);
        assert!(matches!(poll(count, future), Poll::Ready(Ok(_))));
    }
}

/// Pitfall 149: an event behind which nothing is left, because another was faster, is neither an end nor an
/// error; who was woken for it waits on, and is woken by the next.
#[test]
fn who_is_woken_for_nothing_waits_on() {
    let reactor = Reactor::new().unwrap();
    let (stream, mut peer) = pair(&reactor);
    settle(&reactor, &stream);
    let (one, other) = (Count::new(), Count::new());
    for round in 1..=3 {
        assert!(read(&stream, &other, &mut [0; 8]).is_pending());
        assert!(read(&stream, &one, &mut [0; 8]).is_pending());
        peer.write_all(b"for one").unwrap();
        turn(&reactor);
        assert_eq!((one.woken(), other.woken()), (round, round));
        assert!(matches!(read(&stream, &one, &mut [0; 8]), Poll::Ready(Ok(7))));
    }
    assert!(read(&stream, &other, &mut [0; 8]).is_pending());
    peer.write_all(b"other").unwrap();
    turn(&reactor);
    assert!(matches!(read(&stream, &other, &mut [0; 8]), Poll::Ready(Ok(5))));
}

/// Pitfall 153: a future dropped while it waits leaves no waker behind.
#[test]
fn a_dropped_future_leaves_no_waker() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = pair(&reactor);
    settle(&reactor, &stream);
    let count = Count::new();
    for _ in 0..1_000 {
        let mut readable = stream.registration().readable();
        assert!(poll(&count, &mut readable).is_pending());
        let mut attempt = stream.registration().attempt(WRITE, Op::Connect, || Ok(()));
        assert!(poll(&count, &mut attempt).is_pending());
    }
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn waiting_says_for_what() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = pair(&reactor);
    settle(&reactor, &stream);
    let registration = stream.registration();
    let count = Count::new();
    note::take();
    assert!(poll(&count, &mut registration.readable()).is_pending());
    assert_eq!(note::take().op, Op::Readable);
    assert!(poll(&count, &mut registration.writable()).is_pending());
    assert_eq!(note::take().op, Op::Writable);
    assert!(poll(&count, &mut registration.attempt(READ, Op::Accept, || Ok(()))).is_pending());
    let note = note::take();
    assert_eq!((note.op, note.object), (Op::Accept, registration.id()));
}

/// Pitfall 145: a source taken out is out, and can be put somewhere else.
#[test]
fn a_source_taken_out_can_be_registered_elsewhere() {
    let (here, there) = (Reactor::new().unwrap(), Reactor::new().unwrap());
    let (stream, mut peer) = pair(&here);
    let stream = stream.into_inner().unwrap();
    assert_eq!(here.sources(), 0);
    let stream = Watched::new(&there, stream).unwrap();
    settle(&there, &stream);
    let count = Count::new();
    assert!(read(&stream, &count, &mut [0; 8]).is_pending());
    peer.write_all(b"there").unwrap();
    turn(&there);
    assert_eq!(count.woken(), 1);
    assert_eq!(here.try_turn(Wait::No, &mut Vec::new()).unwrap().unwrap().events, 0);
    drop(stream);
    assert_eq!(there.sources(), 0);
}

/// A source that goes is out of the kernel's set, also while its descriptor has a duplicate.
#[test]
fn a_dropped_source_reports_nothing_through_a_duplicate() {
    let reactor = Reactor::new().unwrap();
    let (one, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let duplicate = one.try_clone().unwrap();
    one.set_nonblocking(true).unwrap();
    drop(Watched::new(&reactor, UnixStream::from_std(one)).unwrap());
    peer.write_all(b"to the duplicate").unwrap();
    let wait = Wait::Until(now() + Duration::from_millis(5));
    let turn = reactor.try_turn(wait, &mut Vec::new()).unwrap().unwrap();
    assert!(turn.timer && turn.events == 0, "something was reported: {turn:?}");
    drop(duplicate);
}
