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
