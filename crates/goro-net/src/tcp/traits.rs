//! futures' traits for a stream, and for a shared one.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;

use futures::{AsyncRead, AsyncWrite};
use goro_context::budget;
use goro_reactor::source::StreamSource;

use super::stream::{Carrier, TcpStream};

/// The call of a simulated one, out of the way of where the operating system's is read and written.
#[cold]
#[inline(never)]
fn simulated<R>(call: impl FnOnce() -> R) -> R {
    call()
}

/// Calls a method of the stream's source: directly for the operating system's.
macro_rules! direct {
    ($stream:expr, $method:ident $arguments:tt) => {
        match $stream.carrier() {
            Carrier::Kernel(stream) => stream.$method $arguments,
            Carrier::Simulated(stream) => simulated(move || stream.$method $arguments),
        }
    };
}

/// Reads and writes are calls, so that what there is to choose keeps nobody's loop round them from being
/// inlined where it is awaited.
#[inline(never)]
fn read(stream: &TcpStream, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    direct!(stream, poll_read(cx, buf))
}

/// As [`read`].
#[inline(never)]
fn write(stream: &TcpStream, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
    direct!(stream, poll_write(cx, buf))
}

impl AsyncRead for &TcpStream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        read(*self, cx, buf)
    }

    #[inline]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        direct!(self, poll_read_vectored(cx, bufs))
    }
}

impl AsyncWrite for &TcpStream {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        write(*self, cx, buf)
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        direct!(self, poll_write_vectored(cx, bufs))
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        direct!(self, poll_flush(cx))
    }

    /// Ends writing. A connection that is gone already counts as closed.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.source().poll_flush(cx))?;
        let _spent = ready!(budget::poll_spend(cx));
        Poll::Ready(match self.shutdown(Shutdown::Write) {
            Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(()),
            ended => ended,
        })
    }
}

impl AsyncRead for TcpStream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }

    #[inline]
    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bufs)
    }
}

impl AsyncWrite for TcpStream {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buf)
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bufs)
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    /// Ends writing. A connection that is gone already counts as closed.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

/// The traits of a half, which is a stream seen from one side.
macro_rules! reads_and_writes {
    (read: [$($reader:tt)*], write: [$($writer:tt)*]) => {
        impl AsyncRead for $($reader)* {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream()).poll_read(cx, buf)
            }

            #[inline]
            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream()).poll_read_vectored(cx, bufs)
            }
        }

        impl AsyncWrite for $($writer)* {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream()).poll_write(cx, buf)
            }

            #[inline]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.stream()).poll_write_vectored(cx, bufs)
            }

            #[inline]
            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream()).poll_flush(cx)
            }

            /// Ends writing; the reading half goes on.
            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.stream()).poll_close(cx)
            }
        }
    };
}

reads_and_writes!(read: [super::ReadHalf<'_>], write: [super::WriteHalf<'_>]);
reads_and_writes!(read: [super::OwnedReadHalf], write: [super::OwnedWriteHalf]);
