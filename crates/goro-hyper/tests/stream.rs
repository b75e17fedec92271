//! `GoroIo` over streams that misbehave or are made of streams.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite, Cursor};
use futures::task::noop_waker_ref;
use goro_hyper::GoroIo;
use hyper::rt::{Read, ReadBuf, Write};

/// Reads once into a buffer of `room` bytes.
fn read(io: &mut (impl Read + Unpin), room: usize) -> Poll<io::Result<Vec<u8>>> {
    let mut memory = vec![0; room];
    let mut buf = ReadBuf::new(&mut memory);
    let mut cx = Context::from_waker(noop_waker_ref());
    Pin::new(io).poll_read(&mut cx, buf.unfilled()).map_ok(|()| buf.filled().to_vec())
}

fn ready<T>(poll: Poll<io::Result<T>>) -> T {
    match poll {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => panic!("pending"),
    }
}

#[test]
fn bytes_come_through_whole_and_in_order_whatever_the_room() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    for room in [1, 7, 4096, 65_536, 65_537, 1 << 20] {
        let mut io = GoroIo::new(Cursor::new(bytes.clone()));
        let mut all = Vec::new();
        // A byte at a time is slow, and its first thousand say as much as all of them.
        while all.len() < bytes.len().min(room * 1000) {
            let part = ready(read(&mut io, room));
            assert!(!part.is_empty() && part.len() <= room);
            all.extend(part);
        }
        assert!(all == bytes[..all.len()], "room {room}");
    }
}

#[test]
fn the_end_of_the_stream_and_no_room_read_nothing() {
    let mut io = GoroIo::new(Cursor::new(vec![1, 2]));
    assert_eq!(ready(read(&mut io, 0)), []);
    assert_eq!(ready(read(&mut io, 8)), [1, 2]);
    assert_eq!(ready(read(&mut io, 8)), []);
    assert_eq!(io.into_inner().position(), 2);
}

/// What a stream does at its next reads.
enum Turn {
    Claim(usize),
    Wait,
    Fail,
    Panic,
    Give(&'static [u8]),
}

struct Scripted(VecDeque<Turn>);

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0.pop_front() {
            Some(Turn::Claim(bytes)) => Poll::Ready(Ok(bytes)),
            Some(Turn::Wait) => Poll::Pending,
            Some(Turn::Fail) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Some(Turn::Panic) => panic!("in poll_read"),
            Some(Turn::Give(bytes)) => {
                buf[..bytes.len()].copy_from_slice(bytes);
                Poll::Ready(Ok(bytes.len()))
            }
            None => Poll::Ready(Ok(0)),
        }
    }
}

/// Pitfall 20: a reader that says it has read more than there is room for.
#[test]
fn a_stream_that_claims_too_much_is_an_error_and_gives_nothing() {
    let mut io = GoroIo::new(Scripted([Turn::Claim(9), Turn::Claim(usize::MAX)].into()));
    for _ in 0..2 {
        let Poll::Ready(Err(error)) = read(&mut io, 8) else { panic!("no error") };
        assert!(error.to_string().contains("claims"), "{error}");
    }
}

/// Pitfall 20: a reader that panics.
/// Waiting, failing or panicking in a read spoils neither the stream nor the next one.
#[test]
fn reads_go_on_after_any_outcome() {
    let turns = [Turn::Wait, Turn::Fail, Turn::Panic, Turn::Give(b"after all")];
    let mut io = GoroIo::new(Scripted(turns.into()));
    assert!(read(&mut io, 16).is_pending());
    let Poll::Ready(Err(error)) = read(&mut io, 16) else { panic!("no error") };
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(catch_unwind(AssertUnwindSafe(|| read(&mut io, 16))).is_err());
    assert_eq!(ready(read(&mut io, 16)), b"after all");
}

/// A read inside a read: the inner one must not share the outer one's buffer.
#[test]
fn a_stream_may_be_made_of_streams() {
    struct Doubled(GoroIo<GoroIo<Cursor<Vec<u8>>>>);
    impl AsyncRead for Doubled {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            buf.fill(b'x');
            let read = AsyncRead::poll_read(Pin::new(&mut self.0), cx, &mut buf[2..]);
            assert_eq!(&buf[..2], b"xx", "the inner read wrote into the outer one's bytes");
            buf[..2].copy_from_slice(b"<>");
            read.map_ok(|read| read + 2)
        }
    }
    let mut io = GoroIo::new(Doubled(GoroIo::new(GoroIo::new(Cursor::new(b"inner".to_vec())))));
    assert_eq!(ready(read(&mut io, 64)), b"<>inner");
}

/// Counts the writes of each sort.
#[derive(Default)]
struct Writes {
    single: usize,
    vectored: usize,
    closed: bool,
}

impl AsyncWrite for Writes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.single += 1;
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.vectored += 1;
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

#[test]
fn writes_reach_the_stream_as_they_were_made() {
    let mut cx = Context::from_waker(noop_waker_ref());
    let mut io = GoroIo::new(Writes::default());
    assert!(Write::is_write_vectored(&io) && !Write::is_write_vectored(&io.vectored(false)));

    let bufs = [IoSlice::new(b"head"), IoSlice::new(b"body")];
    io = GoroIo::new(Writes::default());
    assert_eq!(ready(Write::poll_write_vectored(Pin::new(&mut io), &mut cx, &bufs)), 8);
    assert_eq!(ready(Write::poll_write(Pin::new(&mut io), &mut cx, b"one")), 3);
    ready(Write::poll_flush(Pin::new(&mut io), &mut cx));
    ready(Write::poll_shutdown(Pin::new(&mut io), &mut cx));
    let Writes { single, vectored, closed } = io.into_inner();
    assert_eq!((single, vectored, closed), (1, 1, true));
}
