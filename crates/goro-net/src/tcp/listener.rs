//! What connections come in at.

use core::fmt;
use core::future::poll_fn;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use goro_reactor::source::{ListenerSource, OptionName, StreamOption};
use goro_reactor::{Reactor, Watched};
use goro_shim::Arc;
use socket2::SockRef;

use super::accepting::{Accepting, Incoming};
use super::kernel;
use super::options::{self, mistaken, value};
use super::strain::Strain;
use super::stream::TcpStream;
use crate::address::ToSocketAddrs;
use crate::world::{self, World};
use crate::{failure, resolve};

/// A socket that takes TCP connections.
///
/// # Example
/// ```
/// # use goro_net::{TcpListener, TcpStream};
/// # let runtime = goro_runtime::Runtime::new()?;
/// # runtime.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (stream, peer) = listener.accept().await?;
/// assert_eq!(client.local_addr()?, peer);
/// assert_eq!(stream.peer_addr()?, peer);
/// # Ok::<(), std::io::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```
/// use goro_net::TcpListener;
///
/// goro_runtime::block_on(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     listener.set_ttl(12)?;
///     assert_eq!((listener.ttl()?, listener.strained()), (12, 0));
///     let listener = TcpListener::from_std(listener.into_std()?)?;
///     assert!(listener.local_addr()?.port() > 0);
///     std::io::Result::Ok(())
/// })
/// .unwrap();
/// ```
pub struct TcpListener {
    carrier: Carrier,
    strain: Strain,
}

/// Whose listener it is.
pub(super) enum Carrier {
    Kernel(KernelListener),
    Simulated(Box<dyn ListenerSource>),
}

/// A listener of the operating system's.
pub(super) struct KernelListener {
    pub(super) socket: Watched<mio::net::TcpListener>,
    /// Where the accepted streams are watched: with their listener, whoever accepts them.
    pub(super) reactor: Arc<Reactor>,
}

impl TcpListener {
    /// Takes connections at the first of the addresses that can be had; port 0 stands for one that
    /// is free.
    ///
    /// On Unix the address may be one that a former server's last connections still remember
    /// (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// What the last address said, naming all that were tried; that the name could not be looked
    /// up; that no runtime is entered.
    ///
    /// # Cancel safety
    /// Safe: no socket is left behind.
    pub async fn bind(at: impl ToSocketAddrs) -> io::Result<Self> {
        const OPERATION: &str = "TcpListener::bind";
        let world = world::here(OPERATION)?;
        let addresses = resolve::addresses(at.target()?, OPERATION).await?;
        let mut last = None;
        for &address in &addresses {
            let tried = match &world {
                World::Kernel(reactor) => {
                    kernel::listen(address).and_then(|socket| Self::watch(reactor, socket))
                }
                World::Simulated(network) => {
                    let listener = network.listen(address);
                    listener.map(|listener| Self::over(Carrier::Simulated(listener)))
                }
            };
            match tried {
                Ok(listener) => return Ok(listener),
                Err(e) => last = Some(e),
            }
        }
        Err(failure::at_all(OPERATION, addresses, last))
    }

    /// Takes over a listener of the standard library's, which becomes non-blocking.
    ///
    /// # Errors
    /// What the kernel said; that no runtime is entered, or a simulated one.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        let reactor = world::reactor("TcpListener::from_std")?;
        listener.set_nonblocking(true)?;
        Self::watch(&reactor, mio::net::TcpListener::from_std(listener))
    }

    /// Gives the listener to the standard library. It stays non-blocking.
    ///
    /// # Errors
    /// What the kernel said; that the listener is a simulated one.
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        match self.carrier {
            Carrier::Kernel(listener) => listener.socket.into_inner().map(Into::into),
            Carrier::Simulated(_) => Err(kernel::no_descriptor()),
        }
    }

    fn watch(reactor: &Arc<Reactor>, socket: mio::net::TcpListener) -> io::Result<Self> {
        let socket = Watched::new(reactor, socket)?;
        let reactor = Arc::clone(reactor);
        Ok(Self::over(Carrier::Kernel(KernelListener { socket, reactor })))
    }

    fn over(carrier: Carrier) -> Self {
        Self { carrier, strain: Strain::new() }
    }

    pub(super) fn strain(&self) -> &Strain {
        &self.strain
    }

    pub(super) fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// Takes the next connection and says where it comes from. Any number of tasks may do so at
    /// once.
    ///
    /// Connections that are lost before they are accepted are passed over. When the process, or the
    /// machine, has run out of descriptors or memory, accepting waits inside and tries again, after
    /// 5 ms at first and 1 s at last: see [`strained`](Self::strained).
    ///
    /// # Errors
    /// What the kernel says of the listener itself; that the runtime has stopped.
    ///
    /// # Cancel safety
    /// Safe: a connection is given out or still waits to be accepted.
    ///
    /// ```
    /// # use futures::FutureExt;
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// assert!(listener.accept().now_or_never().is_none(), "given up, with nothing lost");
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (_, peer) = listener.accept().await?;
    /// assert_eq!(client.local_addr()?, peer);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut accepting = Accepting::new(self);
        poll_fn(|cx| accepting.poll(cx)).await
    }

    /// The connections that come in, as a stream without an end. Errors are items, and do not end
    /// it.
    ///
    /// ```
    /// # use futures::StreamExt;
    /// # use goro_net::{TcpListener, TcpStream};
    /// # let runtime = goro_runtime::Runtime::new()?;
    /// # runtime.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let mut incoming = listener.incoming();
    /// let stream = incoming.next().await.expect("there is no end")?;
    /// assert_eq!(stream.peer_addr()?, client.local_addr()?);
    /// # Ok::<(), std::io::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming(Accepting::new(self))
    }

    /// How many tries to accept have failed for want of descriptors or memory. If it grows, raise
    /// the limit or hold fewer connections.
    pub fn strained(&self) -> u64 {
        self.strain.failures()
    }

    /// Where connections come in: with port 0 asked for, the one that was found.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.carrier {
            Carrier::Kernel(listener) => listener.socket.local_addr(),
            Carrier::Simulated(listener) => listener.local_addr(),
        }
    }

    /// How many routers a packet of the accepted connections may pass (`IP_TTL`,
    /// `IPV6_UNICAST_HOPS`).
    ///
    /// # Errors
    /// What the kernel says; a simulated network may have no such option.
    pub fn ttl(&self) -> io::Result<u32> {
        match &self.carrier {
            Carrier::Kernel(listener) => {
                match options::get(&SockRef::from(&*listener.socket), OptionName::Ttl)? {
                    StreamOption::Ttl(hops) => Ok(hops),
                    other => Err(mistaken(OptionName::Ttl, other)),
                }
            }
            Carrier::Simulated(listener) => value!(listener, Ttl),
        }
    }

    /// Sets [`ttl`](Self::ttl).
    ///
    /// # Errors
    /// As [`ttl`](Self::ttl).
    pub fn set_ttl(&self, hops: u32) -> io::Result<()> {
        let option = StreamOption::Ttl(hops);
        match &self.carrier {
            Carrier::Kernel(listener) => options::set(&SockRef::from(&*listener.socket), option),
            Carrier::Simulated(listener) => listener.set_option(option),
        }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TcpListener");
        if let Ok(local) = self.local_addr() {
            shown.field("local", &local);
        }
        shown.field("strained", &self.strained()).finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl AsFd for TcpListener {
    /// # Panics
    /// When the listener is a simulated one, which has no descriptor.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.carrier {
            Carrier::Kernel(listener) => listener.socket.as_fd(),
            Carrier::Simulated(_) => panic!("{}", kernel::NO_DESCRIPTOR),
        }
    }
}

#[cfg(unix)]
impl AsRawFd for TcpListener {
    /// # Panics
    /// When the listener is a simulated one, which has no descriptor.
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
