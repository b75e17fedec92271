//! The operating system's sockets, behind the source seam.
//!
//! Invariants:
//! 1. Every descriptor is non-blocking and closed on exec from the call that makes it, where the
//!    platform can do that.
//! 2. A descriptor that an error path drops is closed by its owner; none is kept raw.
//! 3. An empty buffer is no reason to wait: the kernel would answer "would block" to it.

use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};

use goro_context::{Op, budget};
use goro_reactor::source::{OptionName, StreamOption, StreamSource};
use goro_reactor::{Direction, Left, Reactor, Registration, Watched};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::left::Tell;
use super::options;

/// How many connections may wait to be accepted; the kernel cuts it to its own limit.
const BACKLOG: i32 = 4096;

/// A stream of the operating system's.
#[derive(Debug)]
pub(crate) struct KernelStream {
    watched: Watched<mio::net::TcpStream>,
    tell: Tell,
}

impl KernelStream {
    /// Watches a stream that is non-blocking already.
    pub(crate) fn watch(reactor: &Reactor, stream: mio::net::TcpStream) -> io::Result<Self> {
        Ok(Self { watched: Watched::new(reactor, stream)?, tell: Tell::default() })
    }

    pub(crate) fn from_std(reactor: &Reactor, stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::watch(reactor, mio::net::TcpStream::from_std(stream))
    }

    pub(crate) fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.tell.end(&self.watched);
        self.watched.into_inner().map(Into::into)
    }

    pub(crate) fn socket(&self) -> &mio::net::TcpStream {
        &self.watched
    }

    pub(crate) fn registration(&self) -> &Registration {
        self.watched.registration()
    }

    /// Begins to connect; the stream becomes writable, or reports an error, when that is decided.
    pub(crate) fn begin_connect(reactor: &Reactor, to: SocketAddr) -> io::Result<Self> {
        let socket = open(to)?;
        match socket.connect(&to.into()) {
            Ok(()) => {}
            Err(e) if is_under_way(&e) => {}
            Err(e) => return Err(e),
        }
        Self::watch(reactor, mio::net::TcpStream::from_std(socket.into()))
    }

    pub(crate) async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let peek = || if buf.is_empty() { Ok(0) } else { self.watched.peek(buf) };
        self.registration().attempt(Direction::Read, Op::Readable, peek).await
    }

    /// Whether the connection stands; "would block" while that is not decided.
    pub(crate) fn connected(&self) -> io::Result<()> {
        if let Some(failed) = self.watched.take_error()? {
            return Err(failed);
        }
        match self.watched.peer_addr() {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotConnected => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            // Some systems answer so for a socket that is still connecting.
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(e) => Err(e),
        }
    }
}

/// Writes some of `buf`. (On Linux not through the C library, whose calls can be cancelled: asking
/// whether one has been takes 27 ns.)
#[inline]
fn send(socket: &mio::net::TcpStream, buf: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    let sent = rustix::net::send(socket, buf, rustix::net::SendFlags::NOSIGNAL)?;
    #[cfg(not(target_os = "linux"))]
    let sent = { socket }.write(buf)?;
    Ok(sent)
}

/// Why a simulated socket cannot do as asked.
pub(super) const NO_DESCRIPTOR: &str = "this socket belongs to a simulated network and has no \
    descriptor of the operating system's; make it in a runtime that is not simulated";

pub(super) fn no_descriptor() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, NO_DESCRIPTOR)
}

/// An interrupted connect goes on in the background like any other.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let in_progress = error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error());
    #[cfg(not(unix))]
    let in_progress = false;
    let kind = error.kind();
    in_progress || kind == io::ErrorKind::WouldBlock || kind == io::ErrorKind::Interrupted
}

fn open(for_address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(for_address);
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    let socket = {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket
    };
    Ok(socket)
}

/// Starts to take connections at `at`.
pub(crate) fn listen(at: SocketAddr) -> io::Result<mio::net::TcpListener> {
    let socket = open(at)?;
    // A restarted server must not wait for its predecessor's last connections to be forgotten. On
    // Windows the option means that anyone may take the address over.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

impl StreamSource for KernelStream {
    #[inline]
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.registration().poll_read(cx, Op::Readable, || {
            if buf.is_empty() { Ok((0, Left::Perhaps)) } else { self.tell.read(self.socket(), buf) }
        })
    }

    fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let empty = bufs.iter().all(|buf| buf.is_empty());
        self.registration().poll_read(cx, Op::Readable, || {
            if empty {
                Ok((0, Left::Perhaps))
            } else {
                self.tell.read_vectored(self.socket(), bufs)
            }
        })
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.registration().poll_io(cx, Direction::Read, Op::Readable, || {
            if buf.is_empty() { Ok(0) } else { self.watched.peek(buf) }
        })
    }

    #[inline]
    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.registration().poll_io(cx, Direction::Write, Op::Writable, || send(self.socket(), buf))
    }

    fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.registration()
            .poll_io(cx, Direction::Write, Op::Writable, || self.socket().write_vectored(bufs))
    }

    fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        let spent = ready!(budget::poll_spend(cx));
        let polled = self.registration().poll_ready(cx, direction);
        if polled.is_pending() {
            spent.refund();
        }
        polled.map_ok(drop)
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.registration().try_io(Direction::Read, || self.socket().read(buf))
    }

    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.registration().try_io(Direction::Write, || self.socket().write(buf))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.watched.shutdown(how)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.watched.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.watched.peer_addr()
    }

    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        options::get(&SockRef::from(self.socket()), name)
    }

    fn set_option(&self, option: StreamOption) -> io::Result<()> {
        options::set(&SockRef::from(self.socket()), option)
    }
}
