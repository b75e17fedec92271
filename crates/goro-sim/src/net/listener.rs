//! Taking connections.

use core::task::{Context, Poll, Waker, ready};
use goro_context::{Op, budget, cancel, note};
use goro_reactor::source::{Accepted, ListenerSource, OptionName, StreamOption};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::lines::{Lines, Net};
use super::stream::{Stream, over, remember};

/// The number of the error of a process that has too many files open, `EMFILE`.
const TOO_MANY_FILES: i32 = if cfg!(windows) { 10_024 } else { 24 };

/// What comes in at one address, as the lines know it.
#[derive(Debug, Default)]
pub(super) struct Listening {
    /// Links that nobody has accepted yet.
    pub(super) queue: VecDeque<u64>,
    pub(super) waiting: Vec<Waker>,
}

/// Where somebody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// For addresses that every host has, the one host that is meant, if one is.
    host: Option<IpAddr>,
    pub(super) at: SocketAddr,
}

impl Spot {
    fn new(host: Option<IpAddr>, at: SocketAddr) -> Self {
        let shared = at.ip().is_unspecified() || at.ip().is_loopback();
        Self { host: host.filter(|_| shared), at }
    }
}

/// A listener.
#[derive(Debug)]
pub(super) struct Door {
    net: Arc<Net>,
    spot: Spot,
    ttl: Lock<u32>,
}

impl Door {
    pub(super) fn open(net: &Arc<Net>, at: SocketAddr) -> io::Result<Self> {
        let mut lines = net.lines();
        if lines.over {
            return Err(over());
        }
        let port = if at.port() == 0 { lines.free_port(at.ip()) } else { at.port() };
        let at = SocketAddr::new(at.ip(), port);
        let spot = Spot::new(super::host(), at);
        if lines.listening.contains_key(&spot) {
            return Err(ErrorKind::AddrInUse.into());
        }
        lines.listening.insert(spot, Listening::default());
        Ok(Self { net: Arc::clone(net), spot, ttl: Lock::new(64) })
    }
}

impl Lines {
    /// Who listens for what is sent from `host` to `to`, at that address or at every one, and how many
    /// wait.
    pub(super) fn listener_for(
        &self,
        host: Option<IpAddr>,
        to: SocketAddr,
    ) -> Option<(Spot, usize)> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, to.port()).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, to.port()).into(),
        };
        let there = if to.ip().is_loopback() { host } else { Some(to.ip()) };
        let spots = [(there, to), (None, to), (there, any), (None, any)];
        spots.into_iter().find_map(|(host, at)| {
            let spot = Spot::new(host, at);
            self.listening.get(&spot).map(|listening| (spot, listening.queue.len()))
        })
    }
}

impl ListenerSource for Door {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let spent = ready!(budget::poll_spend(cx));
        let waker = cx.waker().clone();
        let (mut lines, _) = self.net.lines_now();
        let strained = lines.once_in(lines.faults.accepts);
        let Some(listening) = lines.listening.get_mut(&self.spot) else {
            return Poll::Ready(Err(over()));
        };
        if strained && !listening.queue.is_empty() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(TOO_MANY_FILES)));
        }
        let Some(link) = listening.queue.pop_front() else {
            let known = remember(&mut listening.waiting, waker);
            drop(lines);
            drop(known);
            if let Some(cause) = cancel::cause() {
                return Poll::Ready(Err(cancel::io_error(cause)));
            }
            spent.refund();
            note::leave(Op::Accept, 0);
            return Poll::Pending;
        };
        let peer = lines.end(link, 0).map_or(self.spot.at, |end| end.address);
        drop(lines);
        drop(waker);
        Poll::Ready(Ok((Box::new(Stream::new(&self.net, link, 1)), peer)))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.spot.at)
    }

    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        match name {
            OptionName::Ttl => Ok(StreamOption::Ttl(*self.ttl.lock())),
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn set_option(&self, option: StreamOption) -> io::Result<()> {
        match option {
            StreamOption::Ttl(hops) => {
                *self.ttl.lock() = hops;
                Ok(())
            }
            _ => Err(ErrorKind::Unsupported.into()),
        }
    }
}

impl Drop for Door {
    /// Who has connected and was not accepted is sent away.
    fn drop(&mut self) {
        let (mut lines, now) = self.net.lines_now();
        let Some(listening) = lines.listening.remove(&self.spot) else { return };
        for link in listening.queue {
            lines.end(link, 1).into_iter().for_each(|end| end.closed = true);
            lines.send_reset(link, 0, false, now);
        }
        let mut waiting = listening.waiting;
        lines.ready.append(&mut waiting);
    }
}
