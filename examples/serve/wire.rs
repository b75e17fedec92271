//! A connection's stream as HTTP sees it: it gives back what was read to find out the version,
//! counts heads while the server is ending, and closes without destroying its last answer.
//!
//! Closing: when a socket is closed with unread bytes in it, the kernel sends a reset, and a reset
//! makes the client's kernel throw away what it had not yet read, such as the answer that says why
//! (431 to a head that goes on and on). So the writing direction ends first, and what still comes
//! in is read and thrown away, for a while.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use goro::time::{Sleep, sleep};

use super::traffic::{BlankLines, Traffic};

/// What an HTTP/2 client sends first (RFC 9113, section 3.4).
const PREFACE: [u8; 24] = *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a closed connection is read on.
const LINGER: Duration = Duration::from_secs(2);

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 and HTTP/1.1.
    One,
    /// HTTP/2 with prior knowledge.
    Two,
}

/// A stream whose first bytes were read already.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    first: First,
    traffic: Arc<Traffic>,
    lines: BlankLines,
    /// The client has closed its direction, or the connection is broken.
    ended: bool,
    /// Set while closing.
    linger: Option<Sleep>,
}

/// The bytes read to find out the version.
#[derive(Debug, Default)]
struct First {
    bytes: [u8; PREFACE.len()],
    read: usize,
    given: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        let lines = BlankLines::default();
        Self { stream, first: First::default(), traffic, lines, ended: false, linger: None }
    }

    /// Reads until the version is clear: at the first byte that differs from HTTP/2's preface, or
    /// at its end. `None` if the client closes before it has sent anything.
    ///
    /// Cancel safety: Safe; what was read is kept.
    ///
    /// # Errors
    /// The stream's.
    pub async fn version(&mut self) -> io::Result<Option<Version>> {
        let first = &mut self.first;
        while first.read < PREFACE.len() {
            match self.stream.read(&mut first.bytes[first.read..]).await? {
                0 if first.read == 0 => return Ok(None),
                // An HTTP/1 parser has the word for what is missing.
                0 => return Ok(Some(Version::One)),
                read => first.read += read,
            }
            if !PREFACE.starts_with(&first.bytes[..first.read]) {
                return Ok(Some(Version::One));
            }
        }
        Ok(Some(Version::Two))
    }

    /// Notes what was read; `full` if there was no room for more.
    fn note(&mut self, bytes: &[u8], full: bool) {
        if self.traffic.is_ending() {
            let heads = self.lines.count(bytes);
            self.traffic.read_heads(heads, full || !self.lines.at_head_start());
        } else {
            self.lines.skip(bytes);
        }
    }

    /// Notes whether the socket takes more.
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.traffic.set_blocked(written.is_pending());
        written
    }

    /// Reads and throws away until the client closes or the time is up.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| sleep(LINGER));
        let mut bytes = [0; 4096];
        while !self.ended && Pin::new(&mut *linger).poll(cx).is_pending() {
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut bytes));
            self.ended = matches!(read, Ok(0) | Err(_));
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let wire = &mut *self;
        if wire.traffic.is_closed() {
            return Poll::Ready(Ok(0));
        }
        let first = &mut wire.first;
        let read = if first.given < first.read {
            let rest = &first.bytes[first.given..first.read];
            let given = rest.len().min(buf.len());
            buf[..given].copy_from_slice(&rest[..given]);
            first.given += given;
            given
        } else {
            let read = ready!(Pin::new(&mut wire.stream).poll_read(cx, buf));
            wire.ended |= matches!(read, Ok(0) | Err(_)) && !buf.is_empty();
            read?
        };
        wire.note(&buf[..read], read == buf.len());
        Poll::Ready(Ok(read))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.stream).poll_close(cx))?;
        }
        ready!(self.poll_linger(cx));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::{PREFACE, Traffic, Version, Wire};
    use futures::io::{AsyncRead, AsyncReadExt, AsyncWrite, Cursor};
    use std::io::{self, IoSlice};
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    fn wire(bytes: &[u8]) -> (Wire<Cursor<Vec<u8>>>, Arc<Traffic>) {
        let traffic = Arc::new(Traffic::default());
        (Wire::new(Cursor::new(bytes.to_vec()), traffic.clone()), traffic)
    }

    #[test]
    fn the_first_bytes_decide_the_version_and_are_given_back() {
        let get = b"GET / HTTP/1.1\r\n\r\n".as_slice();
        let pri = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx".as_slice();
        for (bytes, version) in [
            (b"".as_slice(), None),
            (b"P", Some(Version::One)),
            (get, Some(Version::One)),
            (pri, Some(Version::One)),
            (&PREFACE, Some(Version::Two)),
            (&[&PREFACE, get].concat(), Some(Version::Two)),
        ] {
            let (mut wire, _) = wire(bytes);
            let mut back = Vec::new();
            goro::block_on(async {
                assert_eq!(wire.version().await.unwrap(), version, "{bytes:?}");
                wire.read_to_end(&mut back).await.unwrap();
            });
            assert_eq!(back, bytes);
        }
    }

    /// Whether the answer to a request may say "close", after one read into so much room.
    fn is_last_after(bytes: &[u8], room: usize) -> bool {
        let (mut wire, traffic) = wire(bytes);
        traffic.end();
        goro::block_on(wire.read(&mut vec![0; room])).unwrap();
        let _in_hand = traffic.begin();
        traffic.is_last_answer()
    }

    #[test]
    fn an_answer_is_the_last_only_if_nothing_more_is_to_be_seen() {
        let head = b"GET / HTTP/1.1\r\n\r\n";
        assert!(is_last_after(head, 1000));
        assert!(!is_last_after(&head.repeat(2), 1000), "another head");
        assert!(!is_last_after(&[head, b"G".as_slice()].concat(), 1000), "a part of one");
        assert!(!is_last_after(head, head.len()), "there may be more in the kernel");
    }

    #[test]
    fn a_closed_wire_reads_nothing_more() {
        let (mut wire, traffic) = wire(b"bytes");
        traffic.close();
        assert_eq!(goro::block_on(wire.read(&mut [0; 8])).unwrap(), 0);
    }

    /// Takes what is written at every other try.
    #[derive(Default)]
    struct Choking {
        takes: bool,
    }

    impl AsyncRead for Choking {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Choking {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.takes = !self.takes;
            if self.takes { Poll::Pending } else { Poll::Ready(Ok(buf.len())) }
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_connection_that_cannot_write_is_not_quiet() {
        let traffic = Arc::new(Traffic::default());
        let mut wire = Wire::new(Choking::default(), traffic.clone());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut wire).poll_write(&mut cx, b"x").is_pending());
        assert!(!traffic.is_quiet_since(0));
        assert!(Pin::new(&mut wire).poll_write(&mut cx, b"x").is_ready());
        assert!(traffic.is_quiet_since(0));
        let bufs = [IoSlice::new(b"x")];
        assert!(Pin::new(&mut wire).poll_write_vectored(&mut cx, &bufs).is_pending());
        assert!(!traffic.is_quiet_since(0));
    }
}
