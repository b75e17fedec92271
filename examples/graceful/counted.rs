//! A stream that counts requests as accepted when their first byte is read.
//!
//! For clients that send a request when the one before it was answered. An answer counts when hyper has it; what
//! the connection had not sent when it ended is taken back.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use futures::io::{AsyncRead, AsyncWrite};

use super::Tally;

/// What one connection has been asked.
#[derive(Clone, Debug)]
pub struct Count {
    tally: Arc<Tally>,
    /// A request was begun, and has no answer.
    open: Arc<AtomicBool>,
    /// An answer is on its way out.
    unsent: Arc<AtomicBool>,
}

impl Count {
    /// The request in hand has its answer.
    pub fn answers(&self) {
        self.unsent.store(true, Relaxed);
        self.open.store(false, Relaxed);
        self.tally.answered.fetch_add(1, Relaxed);
    }
}

pub struct Counted<S> {
    stream: S,
    count: Count,
}

impl<S> Counted<S> {
    pub fn new(stream: S, tally: Arc<Tally>) -> Self {
        let count = Count { tally, open: Arc::default(), unsent: Arc::default() };
        Self { stream, count }
    }

    pub fn count(&self) -> Count {
        self.count.clone()
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        if self.count.unsent.load(Relaxed) {
            self.count.tally.answered.fetch_sub(1, Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if matches!(read, Poll::Ready(Ok(1..))) && !self.count.open.swap(true, Relaxed) {
            self.count.tally.accepted.fetch_add(1, Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        // Answers are short: the kernel takes all of one, or none.
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.count.unsent.store(false, Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
