//! The seam under the sockets: what a byte stream, a listener and a network must do.
//!
//! goro-net's socket types are made of these, over the operating system or over a network that a
//! simulation made up; the same `TcpStream` either way.
//!
//! What every implementation owes:
//! 1. Methods take `&self`: reading and writing happen at once from different tasks, and several
//!    tasks may poll one direction. A waker may replace another only if the replaced one is woken
//!    no later than the next change of readiness.
//! 2. Each try spends the task's budget ([`goro_context::budget`]), errors included.
//! 3. Waiting leaves a note ([`goro_context::note`]).
//!    Where an operation would have to wait, and the code that runs was asked to stop, it gives up instead
//!    ([`goro_context::cancel::io_error`]).
//! 4. Interrupted operations are repeated inside. Transfers may be short; only `WouldBlock` of the
//!    `try_` methods, or `Pending`, means that nothing more can be had now.
//! 5. Nothing panics because its network or reactor is gone; operations then return errors.
//!
//! Left out: datagrams, and how a network chooses its addresses.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};

use crate::interest::Direction;

/// A connected stream of bytes.
pub trait StreamSource: fmt::Debug + Send + Sync {
    /// Reads some bytes; 0 at the end of the stream, or if `buf` is empty.
    ///
    /// # Errors
    /// What the network says.
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Reads some bytes into several buffers in turn; as provided, into the first that has room.
    ///
    /// # Errors
    /// What the network says.
    fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter_mut().find(|buf| !buf.is_empty());
        self.poll_read(cx, first.map_or(&mut [], |buf| &mut **buf))
    }

    /// Reads some bytes and leaves them to be read again.
    ///
    /// # Errors
    /// What the network says.
    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes some bytes.
    ///
    /// # Errors
    /// What the network says.
    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// Writes some bytes of several buffers in turn; as provided, of the first that has any.
    ///
    /// # Errors
    /// What the network says.
    fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[], |buf| &**buf))
    }

    /// Waits until what was written has left this process; as provided, it has.
    ///
    /// # Errors
    /// What the network says.
    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Waits until a try in `direction` is worth while. May be untrue.
    ///
    /// # Errors
    /// What the network says.
    fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>>;

    /// As [`poll_read`](Self::poll_read), or [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    /// What the network says.
    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// As [`poll_write`](Self::poll_write), or [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    /// What the network says.
    fn try_write(&self, buf: &[u8]) -> io::Result<usize>;

    /// Ends one or both directions.
    ///
    /// # Errors
    /// What the network says.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    /// This end's address.
    ///
    /// # Errors
    /// What the network says.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The other end's address.
    ///
    /// # Errors
    /// What the network says.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Reads the option called `name`; as provided, there are none.
    ///
    /// # Errors
    /// What the network says; [`Unsupported`](io::ErrorKind::Unsupported) if it has no such option.
    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        Err(no_option(name))
    }

    /// Sets an option; as provided, there are none.
    ///
    /// # Errors
    /// As [`option`](Self::option).
    fn set_option(&self, option: StreamOption) -> io::Result<()> {
        Err(no_option(option.name()))
    }
}

/// What connections come in at.
pub trait ListenerSource: fmt::Debug + Send + Sync {
    /// Takes the next connection and says where it comes from.
    ///
    /// # Errors
    /// What the network says. A connection that was given up by its other end is skipped inside.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>>;

    /// Where connections come in.
    ///
    /// # Errors
    /// What the network says.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Reads the option called `name`; as provided, there are none.
    ///
    /// # Errors
    /// What the network says; [`Unsupported`](io::ErrorKind::Unsupported) if it has no such option.
    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        Err(no_option(name))
    }

    /// Sets an option; as provided, there are none.
    ///
    /// # Errors
    /// As [`option`](Self::option).
    fn set_option(&self, option: StreamOption) -> io::Result<()> {
        Err(no_option(option.name()))
    }
}

/// A connection that came in, and where from.
pub type Accepted = (Box<dyn StreamSource>, SocketAddr);

/// A connection being made. Dropping it gives the connection up.
pub type Connecting =
    Pin<Box<dyn Future<Output = io::Result<Box<dyn StreamSource>>> + Send + 'static>>;

/// A name being looked up.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static>>;

/// What connects addresses: stands in for the operating system's network.
pub trait Network: fmt::Debug + Send + Sync {
    /// Connects to one address.
    fn connect(&self, to: SocketAddr) -> Connecting;

    /// Starts to take connections at one address; port 0 stands for one that is free.
    ///
    /// # Errors
    /// What the network says.
    fn listen(&self, at: SocketAddr) -> io::Result<Box<dyn ListenerSource>>;

    /// Looks `host` up; as provided, this network knows no names.
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let error = io::Error::new(
            io::ErrorKind::Unsupported,
            format!("this network looks no names up, asked for {host}:{port}"),
        );
        Box::pin(core::future::ready(Err(error)))
    }
}

/// A stream's or listener's option, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamOption {
    /// Whether small writes leave at once (`TCP_NODELAY`).
    NoDelay(bool),
    /// How many routers a packet may pass (`IP_TTL`).
    Ttl(u32),
    /// How long closing waits for what was written to leave (`SO_LINGER`), in whole seconds.
    Linger(Option<Duration>),
    /// Whether a silent connection is probed, and after how long a silence (`SO_KEEPALIVE`,
    /// `TCP_KEEPIDLE`), in whole seconds.
    KeepAlive(Option<Duration>),
    /// Bytes the kernel keeps for reading (`SO_RCVBUF`).
    RecvBufferSize(usize),
    /// Bytes the kernel keeps that were written (`SO_SNDBUF`).
    SendBufferSize(usize),
}

/// The name of a [`StreamOption`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionName {
    /// Of [`StreamOption::NoDelay`].
    NoDelay,
    /// Of [`StreamOption::Ttl`].
    Ttl,
    /// Of [`StreamOption::Linger`].
    Linger,
    /// Of [`StreamOption::KeepAlive`].
    KeepAlive,
    /// Of [`StreamOption::RecvBufferSize`].
    RecvBufferSize,
    /// Of [`StreamOption::SendBufferSize`].
    SendBufferSize,
}

impl StreamOption {
    /// The option's name.
    pub fn name(self) -> OptionName {
        match self {
            Self::NoDelay(_) => OptionName::NoDelay,
            Self::Ttl(_) => OptionName::Ttl,
            Self::Linger(_) => OptionName::Linger,
            Self::KeepAlive(_) => OptionName::KeepAlive,
            Self::RecvBufferSize(_) => OptionName::RecvBufferSize,
            Self::SendBufferSize(_) => OptionName::SendBufferSize,
        }
    }
}

fn no_option(name: OptionName) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this network has no option {name:?}"))
}
