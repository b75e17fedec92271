//! A stream's options: by name for the operating system's sockets, by method for everyone.

use core::time::Duration;
use std::io;

use goro_reactor::source::{OptionName, StreamOption};
use socket2::{SockRef, TcpKeepalive};

use super::stream::TcpStream;

/// Reads one option of a socket.
pub(crate) fn get(socket: &SockRef<'_>, name: OptionName) -> io::Result<StreamOption> {
    Ok(match name {
        OptionName::NoDelay => StreamOption::NoDelay(socket.tcp_nodelay()?),
        OptionName::Ttl => StreamOption::Ttl(ttl(socket)?),
        OptionName::Linger => StreamOption::Linger(socket.linger()?),
        OptionName::KeepAlive => StreamOption::KeepAlive(silence(socket)?),
        OptionName::RecvBufferSize => StreamOption::RecvBufferSize(socket.recv_buffer_size()?),
        OptionName::SendBufferSize => StreamOption::SendBufferSize(socket.send_buffer_size()?),
        unknown => return Err(unsupported(unknown)),
    })
}

/// Sets one option of a socket.
pub(crate) fn set(socket: &SockRef<'_>, option: StreamOption) -> io::Result<()> {
    match option {
        StreamOption::NoDelay(yes) => socket.set_tcp_nodelay(yes),
        StreamOption::Ttl(hops) => set_ttl(socket, hops),
        StreamOption::Linger(how_long) => socket.set_linger(how_long),
        StreamOption::KeepAlive(None) => socket.set_keepalive(false),
        StreamOption::KeepAlive(Some(silence)) => {
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(silence))
        }
        StreamOption::RecvBufferSize(bytes) => socket.set_recv_buffer_size(bytes),
        StreamOption::SendBufferSize(bytes) => socket.set_send_buffer_size(bytes),
        unknown => Err(unsupported(unknown.name())),
    }
}

/// The kernel knows the limit by another name for each version of IP.
fn ttl(socket: &SockRef<'_>) -> io::Result<u32> {
    match socket.domain()? {
        socket2::Domain::IPV6 => socket.unicast_hops_v6(),
        _ => socket.ttl_v4(),
    }
}

fn set_ttl(socket: &SockRef<'_>, hops: u32) -> io::Result<()> {
    match socket.domain()? {
        socket2::Domain::IPV6 => socket.set_unicast_hops_v6(hops),
        _ => socket.set_ttl_v4(hops),
    }
}

fn silence(socket: &SockRef<'_>) -> io::Result<Option<Duration>> {
    if socket.keepalive()? { socket.tcp_keepalive_time().map(Some) } else { Ok(None) }
}

fn unsupported(name: OptionName) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("sockets here have no option {name:?}"))
}

/// The value of an option that was asked for by name.
macro_rules! value {
    ($from:expr, $option:ident) => {
        match $from.option(OptionName::$option)? {
            StreamOption::$option(value) => Ok(value),
            other => Err(mistaken(OptionName::$option, other)),
        }
    };
}
pub(super) use value;

/// A simulated network answered a question with something else's answer.
pub(super) fn mistaken(name: OptionName, answer: StreamOption) -> io::Error {
    let text = format!("the network was asked for {name:?} and answered with {answer:?}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// # Options
///
/// Each returns what the kernel says; a simulated network may have no such option
/// ([`Unsupported`](io::ErrorKind::Unsupported)).
impl TcpStream {
    /// Whether small writes leave at once instead of being gathered (`TCP_NODELAY`).
    ///
    /// # Errors
    /// As for all options.
    ///
    /// ```
    /// # use goro_net::{TcpListener, TcpStream};
    /// # use std::time::Duration;
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// # let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    /// let stream = TcpStream::connect(listener.local_addr()?).await?;
    /// stream.set_nodelay(true)?;
    /// assert!(stream.nodelay()?);
    /// stream.set_keepalive(Some(Duration::from_secs(60)))?;
    /// assert_eq!(stream.keepalive()?, Some(Duration::from_secs(60)));
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn nodelay(&self) -> io::Result<bool> {
        value!(self.source(), NoDelay)
    }

    /// Sets [`nodelay`](Self::nodelay).
    ///
    /// # Errors
    /// As for all options.
    pub fn set_nodelay(&self, yes: bool) -> io::Result<()> {
        self.source().set_option(StreamOption::NoDelay(yes))
    }

    /// How many routers a packet may pass (`IP_TTL`, `IPV6_UNICAST_HOPS`).
    ///
    /// # Errors
    /// As for all options.
    pub fn ttl(&self) -> io::Result<u32> {
        value!(self.source(), Ttl)
    }

    /// Sets [`ttl`](Self::ttl).
    ///
    /// # Errors
    /// As for all options.
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        self.source().set_option(StreamOption::Ttl(hops))
    }

    /// How long closing the stream keeps what was written, in whole seconds (`SO_LINGER`); `None`
    /// leaves it to the kernel, zero resets the connection.
    ///
    /// More than zero makes the *drop* of a stream block its thread until the other end has taken
    /// everything: prefer to close, and read to the end.
    ///
    /// # Errors
    /// As for all options.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        value!(self.source(), Linger)
    }

    /// Sets [`linger`](Self::linger).
    ///
    /// # Errors
    /// As for all options.
    pub fn set_linger(&self, how_long: Option<Duration>) -> io::Result<()> {
        self.source().set_option(StreamOption::Linger(how_long))
    }

    /// After how long a silence, in whole seconds, the kernel probes whether the other end is still
    /// there (`SO_KEEPALIVE`, `TCP_KEEPIDLE`); `None` if never.
    ///
    /// # Errors
    /// As for all options.
    pub fn keepalive(&self) -> io::Result<Option<Duration>> {
        value!(self.source(), KeepAlive)
    }

    /// Sets [`keepalive`](Self::keepalive).
    ///
    /// # Errors
    /// As for all options.
    pub fn set_keepalive(&self, silence: Option<Duration>) -> io::Result<()> {
        self.source().set_option(StreamOption::KeepAlive(silence))
    }

    /// How many bytes the kernel keeps for reading (`SO_RCVBUF`).
    ///
    /// # Errors
    /// As for all options.
    pub fn recv_buffer_size(&self) -> io::Result<usize> {
        value!(self.source(), RecvBufferSize)
    }

    /// Asks for [`recv_buffer_size`](Self::recv_buffer_size); the kernel may choose another.
    ///
    /// # Errors
    /// As for all options.
    pub fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.source().set_option(StreamOption::RecvBufferSize(bytes))
    }

    /// How many bytes that were written the kernel keeps (`SO_SNDBUF`).
    ///
    /// # Errors
    /// As for all options.
    pub fn send_buffer_size(&self) -> io::Result<usize> {
        value!(self.source(), SendBufferSize)
    }

    /// Asks for [`send_buffer_size`](Self::send_buffer_size); the kernel may choose another.
    ///
    /// # Errors
    /// As for all options.
    pub fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.source().set_option(StreamOption::SendBufferSize(bytes))
    }
}
