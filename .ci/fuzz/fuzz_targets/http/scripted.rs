//! A stream that gives and takes bytes as a script has it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use arbitrary::{Result, Unstructured};
use futures::io::{AsyncRead, AsyncWrite};
use goro_shim::global::{Arc, Lock};

/// What the stream does at its next read or write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// So many bytes, and the next ones at the next call.
    Take(u8),
    Wait,
    Fail,
    /// The end, early.
    End,
}

impl Cut {
    pub(crate) fn draw(from: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match from.int_in_range(0..=15)? {
            0..10 => Self::Take(from.int_in_range(1..=40)?),
            10..14 => Self::Wait,
            14 => Self::Fail,
            _ => Self::End,
        })
    }

    /// Whether it keeps some of the bytes from arriving.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Fail | Self::End)
    }
}

/// What became of the bytes.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) given: usize,
    pub(crate) answers: Vec<u8>,
}

pub(crate) struct Scripted {
    bytes: Vec<u8>,
    /// By turns; whole after the last.
    cuts: Vec<Cut>,
    next: usize,
    over: bool,
    log: Arc<Lock<Log>>,
}

impl Scripted {
    pub(crate) fn new(bytes: &[u8], cuts: Vec<Cut>) -> (Self, Arc<Lock<Log>>) {
        let log = Arc::new(Lock::new(Log::default()));
        let stream = Self { bytes: bytes.to_vec(), cuts, next: 0, over: false, log: log.clone() };
        (stream, log)
    }

    /// How many of `most` bytes go through now; none at the end.
    fn turn(&mut self, most: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.over {
            return Poll::Ready(Ok(0));
        }
        let cut = self.cuts.get(self.next).copied();
        self.next += 1;
        match cut {
            None => Poll::Ready(Ok(most)),
            Some(Cut::Take(bytes)) => Poll::Ready(Ok(most.min(bytes.into()))),
            Some(Cut::Wait) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Cut::Fail) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            Some(Cut::End) => {
                self.over = true;
                Poll::Ready(Ok(0))
            }
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let given = self.log.lock().given;
        let left = self.bytes.len() - given;
        if left == 0 {
            return Poll::Ready(Ok(0));
        }
        self.turn(left.min(buf.len()), cx).map_ok(|read| {
            buf[..read].copy_from_slice(&self.bytes[given..given + read]);
            // What is behind it must not be taken for bytes.
            buf[read..].fill(0x5a);
            self.log.lock().given += read;
            read
        })
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.turn(buf.len(), cx).map(|written| match written {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::BrokenPipe.into()),
            Ok(written) => {
                self.log.lock().answers.extend(&buf[..written]);
                Ok(written)
            }
            Err(error) => Err(error),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.over = true;
        Poll::Ready(Ok(()))
    }
}
