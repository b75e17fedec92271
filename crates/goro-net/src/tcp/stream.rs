//! A connected TCP stream.

use core::fmt;
use core::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use goro_reactor::Direction;
use goro_reactor::source::StreamSource;

use super::halves::{ReadHalf, WriteHalf};
use super::kernel::KernelStream;
use super::owned::{self, OwnedReadHalf, OwnedWriteHalf};
use super::{connect, kernel};
use crate::address::ToSocketAddrs;
use crate::world;

/// A connected TCP stream.
///
/// Read and written through futures' [`AsyncRead`](futures::AsyncRead) and
/// [`AsyncWrite`](futures::AsyncWrite), which `&TcpStream` has as well: one task may read while
/// another writes. Dropping it closes it.
///
/// # Cancel safety
/// A read, write, peek or wait whose future is dropped has done nothing; what it did, it has
/// reported. Combinators that make several of them (`read_exact`, `write_all`, `copy`) are partial:
/// dropped, they do not say how far they came.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use goro_net::{TcpListener, TcpStream};
/// use std::net::Shutdown;
/// use std::time::Duration;
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut one = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut other, _) = listener.accept().await?;
///     one.set_ttl(12)?;
///     one.set_linger(Some(Duration::from_secs(1)))?;
///     one.set_send_buffer_size(32 * 1024)?;
///     one.set_recv_buffer_size(32 * 1024)?;
///     assert_eq!((one.ttl()?, one.linger()?), (12, Some(Duration::from_secs(1))));
///     assert!(one.send_buffer_size()? >= 32 * 1024 && one.recv_buffer_size()? >= 32 * 1024);
///     one.set_linger(None)?;
///     // By hand: when it can be written to, what does not block.
///     one.writable().await?;
///     assert_eq!(one.try_write(b"by hand, ")?, 9);
///     // Both directions at once, lent or for good.
///     let (_reader, mut writer) = TcpStream::split(&mut one);
///     writer.write_all(b"lent, ").await?;
///     let (reader, mut writer) = one.into_split();
///     writer.write_all(b"owned").await?;
///     let whole = reader.reunite(writer).unwrap();
///     // To the standard library and back.
///     let whole = TcpStream::from_std(whole.into_std()?)?;
///     whole.shutdown(Shutdown::Write)?;
///     let mut text = String::new();
///     other.read_to_string(&mut text).await?;
///     assert_eq!(text, "by hand, lent, owned");
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
pub struct TcpStream {
    carrier: Carrier,
}

/// Whose stream it is. The operating system's is named, so that its calls are direct ones.
pub(super) enum Carrier {
    Kernel(KernelStream),
    Simulated(Box<dyn StreamSource>),
}

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// What the last address said, naming all that were tried, with the kind of the last error;
    /// that the name could not be looked up; that no runtime is entered.
    ///
    /// # Cancel safety
    /// Safe: a connection that was begun is closed.
    ///
    /// ```
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    /// let stream = TcpStream::connect(listener.local_addr()?).await?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn connect(to: impl ToSocketAddrs) -> io::Result<Self> {
        connect::connect(to.target()?).await
    }

    /// Takes over a stream of the standard library's, which becomes non-blocking.
    ///
    /// # Errors
    /// What the kernel said; that no runtime is entered, or a simulated one.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        let reactor = world::reactor("TcpStream::from_std")?;
        KernelStream::from_std(&reactor, stream).map(Self::kernel)
    }

    /// Gives the stream to the standard library. It stays non-blocking.
    ///
    /// # Errors
    /// What the kernel said; that the stream is a simulated one.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        match self.carrier {
            Carrier::Kernel(stream) => stream.into_std(),
            Carrier::Simulated(_) => Err(kernel::no_descriptor()),
        }
    }

    pub(super) fn kernel(stream: KernelStream) -> Self {
        Self { carrier: Carrier::Kernel(stream) }
    }

    pub(super) fn simulated(stream: Box<dyn StreamSource>) -> Self {
        Self { carrier: Carrier::Simulated(stream) }
    }

    pub(super) fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// For what is not worth a direct call.
    pub(super) fn source(&self) -> &dyn StreamSource {
        match &self.carrier {
            Carrier::Kernel(stream) => stream,
            Carrier::Simulated(stream) => &**stream,
        }
    }

    /// Reads some bytes without taking them: the next read sees them again. 0 at the end.
    ///
    /// # Errors
    /// What the kernel says; that the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe: nothing is taken in any case.
    ///
    /// ```
    /// # use futures::{AsyncReadExt, AsyncWriteExt};
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    /// # let mut peer = TcpStream::connect(listener.local_addr()?).await?;
    /// # let (mut stream, _) = listener.accept().await?;
    /// peer.write_all(b"!").await?;
    /// let mut byte = [0];
    /// assert_eq!(stream.peek(&mut byte).await?, 1);
    /// assert_eq!(stream.read(&mut byte).await?, 1);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.carrier {
            Carrier::Kernel(stream) => stream.peek(buf).await,
            Carrier::Simulated(stream) => poll_fn(|cx| stream.poll_peek(cx, buf)).await,
        }
    }

    /// Waits until reading is worth a try, which may yet find nothing. For use with
    /// [`try_read`](Self::try_read), in any number of tasks at once.
    ///
    /// # Errors
    /// That the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe.
    ///
    /// ```
    /// # use futures::{AsyncReadExt, AsyncWriteExt};
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    /// # let mut peer = TcpStream::connect(listener.local_addr()?).await?;
    /// # let (stream, _) = listener.accept().await?;
    /// peer.write_all(b"!").await?;
    /// let mut buf = [0; 8];
    /// let read = loop {
    ///     stream.readable().await?;
    ///     match stream.try_read(&mut buf) {
    ///         Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
    ///         read => break read?,
    ///     }
    /// };
    /// assert_eq!(read, 1);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Direction::Read).await
    }

    /// Waits until writing is worth a try, which may yet find no room. For use with
    /// [`try_write`](Self::try_write), in any number of tasks at once.
    ///
    /// # Errors
    /// That the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Direction::Write).await
    }

    async fn ready(&self, direction: Direction) -> io::Result<()> {
        match &self.carrier {
            Carrier::Kernel(stream) => {
                let mut waiter = stream.registration().waiter(direction);
                poll_fn(|cx| waiter.poll_ready(cx)).await.map(drop)
            }
            Carrier::Simulated(stream) => poll_fn(|cx| stream.poll_ready(cx, direction)).await,
        }
    }

    /// Reads what is there. Does not wait, and spends no budget.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is there; what the kernel says; that
    /// the runtime has stopped.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source().try_read(buf)
    }

    /// Writes what there is room for. Does not wait, and spends no budget.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none; what the kernel says; that the
    /// runtime has stopped.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.source().try_write(buf)
    }

    /// Ends one or both directions. After [`Shutdown::Write`] the other end reads to its end;
    /// closing the stream as an [`AsyncWrite`](futures::AsyncWrite) does the same.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source().shutdown(how)
    }

    /// Lends out the two directions, each to one user. Costs nothing.
    ///
    /// With futures' `AsyncReadExt` in scope, `stream.split()` on an owned stream is that trait's,
    /// which locks and allocates: write `TcpStream::split(&mut stream)`.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// Parts the two directions for good, or until they are
    /// [reunited](OwnedReadHalf::reunite). Costs an allocation.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        owned::part(self)
    }

    /// This end's address.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source().local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    /// What the kernel says: mostly that the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source().peer_addr()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TcpStream");
        if let Ok(local) = self.local_addr() {
            shown.field("local", &local);
        }
        // There is none any more when the other end has reset the connection.
        if let Ok(peer) = self.peer_addr() {
            shown.field("peer", &peer);
        }
        shown.finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl AsFd for TcpStream {
    /// # Panics
    /// When the stream is a simulated one, which has no descriptor.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.carrier {
            Carrier::Kernel(stream) => stream.socket().as_fd(),
            Carrier::Simulated(_) => panic!("{}", kernel::NO_DESCRIPTOR),
        }
    }
}

#[cfg(unix)]
impl AsRawFd for TcpStream {
    /// # Panics
    /// When the stream is a simulated one, which has no descriptor.
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
