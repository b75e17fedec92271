//! One wrapper between the two stream traits: futures-io streams for hyper, and hyper's streams
//! (an upgraded connection) for those who speak futures-io.
//!
//! Invariants:
//! 1. What one `poll_read` took from the stream is in hyper's buffer when it returns: the wrapper
//!    holds no bytes back, so [`GoroIo::into_inner`] loses none.
//! 2. Bytes of the scratch buffer beyond those just read never reach hyper.
//!
//! hyper hands out memory that may be uninitialised, and futures-io reads into initialised bytes.
//! Filling hyper's buffer with zeros first would cost its whole size per read, and advancing its
//! cursor needs `unsafe`. So the stream reads into a buffer of the thread's, and what it read is
//! copied. A buffer per stream would do the same, at the price of its size for every idle connection.
//! Measured, for reads of 100 bytes into 8 KiB and of 64 KiB into 64 KiB: 11 ns and 3.5 us; zeroing
//! and advancing 195 ns and 2.9 us; handing out uninitialised bytes, which no futures-io stream may
//! be given, 3 ns and 1.3 us. The read's system call costs a multiple of that.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use pin_project_lite::pin_project;

/// The most bytes that one read takes from a stream.
const SCRATCH: usize = 64 * 1024;

pin_project! {
    /// A futures-io stream as hyper wants it, or the other way round.
    ///
    /// ```no_run
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// use goro_hyper::GoroIo;
    /// use goro_net::TcpStream;
    /// use http_body_util::Empty;
    /// use hyper::body::Bytes;
    ///
    /// let stream = TcpStream::connect("localhost:8080").await?;
    /// let (sender, connection) =
    ///     hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(GoroIo::new(stream)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Round [`hyper::upgrade::Upgraded`] it is an [`AsyncRead`] and [`AsyncWrite`].
    ///
    /// # Cancel safety
    /// Safe: a future dropped while it waits has read or written nothing.
    ///
    /// ```
    /// use goro_hyper::GoroIo;
    /// use std::pin::Pin;
    ///
    /// let mut io = GoroIo::new(futures::io::Cursor::new(vec![1, 2])).vectored(false);
    /// assert_eq!(io.get_ref().position(), 0);
    /// io.get_mut().set_position(1);
    /// assert_eq!(Pin::new(&mut io).get_pin_mut().position(), 1);
    /// assert_eq!(io.into_inner().into_inner(), [1, 2]);
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct GoroIo<T> {
        #[pin]
        stream: T,
        vectored: bool,
    }
}

impl<T> GoroIo<T> {
    /// Wraps a stream that writes several buffers with one operation, as sockets do.
    pub const fn new(stream: T) -> Self {
        Self { stream, vectored: true }
    }

    /// Says whether the stream writes several buffers with one operation. If not, hyper copies an
    /// answer's head and body together rather than writing them apart.
    #[must_use]
    pub const fn vectored(mut self, vectored: bool) -> Self {
        self.vectored = vectored;
        self
    }

    /// The stream.
    pub const fn get_ref(&self) -> &T {
        &self.stream
    }

    /// The stream, to change it.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.stream
    }

    /// The stream, pinned.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut T> {
        self.project().stream
    }

    /// Gives the stream back. The wrapper holds no bytes of it.
    pub fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: AsyncRead> Read for GoroIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.project().stream;
        with_scratch(|scratch| {
            let room = buf.remaining().min(scratch.len());
            // Panic: the stream's read may; the scratch buffer is then freed, and nothing is lost.
            let read = ready!(stream.poll_read(cx, &mut scratch[..room]))?;
            let Some(bytes) = scratch[..room].get(..read) else {
                return Poll::Ready(Err(overrun(read, room)));
            };
            buf.put_slice(bytes);
            Poll::Ready(Ok(()))
        })
    }
}

impl<T: AsyncWrite> Write for GoroIo<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    /// Ends the writing direction only: what the peer still sends can be read.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_close(cx)
    }
}

impl<T: Read> AsyncRead for GoroIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(self.project().stream.poll_read(cx, buf.unfilled()))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

impl<T: Write> AsyncWrite for GoroIo<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(cx)
    }
}

thread_local! {
    /// The thread's buffer, while nobody reads with it.
    static IDLE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends `f` the thread's buffer. One that is called while another read is under way (a stream made
/// of streams), or when the thread's locals are gone, gets a buffer of its own.
fn with_scratch<R>(f: impl FnOnce(&mut [u8]) -> R) -> R {
    let idle = IDLE.try_with(Cell::take).ok().flatten();
    let mut scratch = idle.unwrap_or_else(|| vec![0; SCRATCH].into_boxed_slice());
    let result = f(&mut scratch);
    // Without its locals the thread is ending, and the buffer is freed here.
    let _ = IDLE.try_with(|idle| idle.set(Some(scratch)));
    result
}

#[cold]
fn overrun(claimed: usize, room: usize) -> io::Error {
    io::Error::other(format!("the stream claims to have read {claimed} bytes into {room}"))
}
