//! The end of a reactor: everyone who waits is told, nobody hangs, nothing panics.
#![cfg(unix)]

#[path = "support/count.rs"]
mod count;

use core::task::{Context, Poll, Waker};
use std::io::Read;

use count::{Count, Explosive, poll};
use goro_context::Op;
use goro_reactor::{Direction, Reactor, Watched, wake_all};
use goro_shim::{Arc, thread};
use mio::net::UnixStream;

const READ: Direction = Direction::Read;

fn pair(reactor: &Reactor) -> (Watched<UnixStream>, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    (Watched::new(reactor, one).unwrap(), other)
}

fn read(stream: &Watched<UnixStream>, waker: &Waker) -> Poll<std::io::Result<usize>> {
    let cx = &mut Context::from_waker(waker);
    stream.registration().poll_io(cx, READ, Op::Readable, || (&**stream).read(&mut [0; 8]))
}

fn assert_stopped<T: core::fmt::Debug>(polled: Poll<std::io::Result<T>>) {
    let Poll::Ready(Err(e)) = polled else { panic!("{polled:?}") };
    assert!(e.to_string().contains("runtime that drove this I/O source has stopped"), "{e}");
}

#[test]
fn closing_wakes_all_who_wait_and_tells_them() {
    let reactor = Reactor::new().unwrap();
    let streams: Vec<_> = (0..20).map(|_| pair(&reactor)).collect();
    let count = Count::new();
    let mut futures = Vec::new();
    for (stream, _) in &streams {
        assert!(read(stream, &count.waker()).is_pending());
        let mut readable = stream.registration().readable();
        assert!(poll(&count, &mut readable).is_pending());
        futures.push(readable);
    }
    reactor.close();
    assert_eq!(count.woken(), 40);
    for ((stream, _), future) in streams.iter().zip(&mut futures) {
        assert_stopped(read(stream, &count.waker()));
        assert_stopped(poll(&count, future));
        assert_stopped(Poll::Ready(stream.registration().try_io(READ, || Ok(()))));
    }
    let (one, _other) = UnixStream::pair().unwrap();
    assert_stopped(Poll::Ready(Watched::new(&reactor, one)));
}

#[test]
fn sources_that_outlive_their_reactor_get_errors() {
    let reactor = Reactor::new().unwrap();
    let (stream, _peer) = pair(&reactor);
    let count = Count::new();
    assert!(read(&stream, &count.waker()).is_pending());
    drop(reactor);
    assert_eq!(count.woken(), 1);
    assert_stopped(read(&stream, &count.waker()));
    assert!(stream.into_inner().is_ok());
}

#[test]
fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    let reactor = Reactor::new().unwrap();
    let explosive = Waker::from(Arc::new(Explosive));
    let streams: Vec<_> = (0..3).map(|_| pair(&reactor)).collect();
    let count = Count::new();
    for (stream, _) in &streams {
        assert!(read(stream, &explosive).is_pending());
        assert!(read(stream, &count.waker()).is_pending());
    }
    reactor.close();
    assert_eq!(count.woken(), 3);
    let mut wakers = vec![explosive.clone(), count.waker(), explosive, count.waker()];
    wake_all(&mut wakers);
    assert!(wakers.is_empty());
    assert_eq!(count.woken(), 5);
}

/// Closing races with registering and waiting: whatever the order, nobody is left asleep.
#[test]
fn closing_beside_registering_leaves_nobody_asleep() {
    for _ in 0..200 {
        let reactor = Arc::new(Reactor::new().unwrap());
        let waiter = {
            let reactor = Arc::clone(&reactor);
            thread::start("waiter".into(), None, move || {
                let (one, other) = UnixStream::pair().unwrap();
                let Ok(stream) = Watched::new(&reactor, one) else { return };
                let count = Count::new();
                if read(&stream, &count.waker()).is_pending() {
                    while count.woken() == 0 {
                        thread::yield_now();
                    }
                }
                assert_stopped(read(&stream, &count.waker()));
                drop(other);
            })
            .unwrap()
        };
        reactor.close();
        waiter.join().unwrap();
    }
}
