//! The network of a simulation: goro-net's own socket types over memory, and what can go wrong.
//!
//! ```
//! # // goro-net is this crate's neighbour, whose types its examples cannot name; the facade's can.
//! use goro_sim::{Sim, net};
//! use std::net::{IpAddr, Ipv4Addr};
//!
//! let server = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
//! Sim::new(1).run(async move {
//!     net::name("server", server);
//!     net::partition(server, net::HERE);
//!     assert!(net::connections().is_empty());
//!     net::heal_all();
//! }).unwrap();
//! ```
//!
//! **Hosts** are addresses. All code runs at [`HERE`] (and at the loopback address, for those who
//! connect to it), unless it is wrapped by [`on`], or spawned by code that is. Whoever listens at
//! every address, or at the loopback one, does so on its own host if it is on one, and on all if not.
//!
//! **Bytes** travel in segments, each with a latency drawn from the seed, in order, never faster than
//! the bandwidth; what was written and not yet read is never more than the window. Transfers may be
//! cut short. A lost segment is late by its retransmission, as TCP makes it.
//!
//! **Connecting** takes a round trip, needs a listener with room in its backlog, and is tried again
//! as kernels do, for [`Conditions::connect_timeout`].
//!
//! **What ends a connection**: closing (what was not read by then resets it), [`reset`], and time: what
//! cannot be delivered for [`Conditions::give_up`], behind a [`partition`] for example. An end that has
//! [vanished](vanish) leaves the other half-open.
//!
//! Left out: datagrams, Unix sockets, keep-alive probes, congestion.

use core::future::{Future, poll_fn};
use core::ops::Range;
use core::pin::pin;
use goro_context::inherit;
use goro_shim::Arc;
use goro_shim::time::Duration;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

mod agenda;
mod connect;
mod lines;
mod listener;
mod stream;

pub(crate) use lines::{Net, Shared};

/// The address of code that does not say otherwise.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// How the network of a run behaves.
///
/// ```
/// use goro_sim::{Sim, net::Conditions};
/// use std::time::Duration;
/// let slow = Conditions::new().latency(Duration::from_millis(80)..Duration::from_millis(120));
/// Sim::new(1).network(slow.bandwidth(Some(10_000))).run(async {}).unwrap();
/// ```
///
/// ```
/// use goro_sim::{Sim, net::Conditions};
/// use std::time::Duration;
///
/// let bad = Conditions::new()
///     .window(4_096)
///     .backlog(8)
///     .short_once_in(3)
///     .lose_once_in(100)
///     .connect_timeout(Duration::from_secs(5))
///     .give_up(Duration::from_secs(60));
/// Sim::new(1).network(bad).run(async {}).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use = "conditions do nothing until a simulation has them"]
pub struct Conditions {
    pub(crate) latency: Range<Duration>,
    pub(crate) bandwidth: Option<u64>,
    pub(crate) window: usize,
    pub(crate) backlog: usize,
    pub(crate) short_once_in: u32,
    pub(crate) lose_once_in: u32,
    pub(crate) connect_timeout: Duration,
    pub(crate) give_up: Duration,
}

impl Conditions {
    /// A local network on a good day: 50 to 150 us one way, no limit to bandwidth, windows of
    /// 64 KiB, every transfer whole, nothing lost.
    pub fn new() -> Self {
        Self {
            latency: Duration::from_micros(50)..Duration::from_micros(150),
            bandwidth: None,
            window: 64 * 1024,
            backlog: 128,
            short_once_in: 0,
            lose_once_in: 0,
            connect_timeout: Duration::from_secs(60),
            give_up: Duration::from_secs(120),
        }
    }

    /// How long a segment takes, one way.
    pub fn latency(mut self, one_way: Range<Duration>) -> Self {
        self.latency = one_way;
        self
    }

    /// Bytes a second in each direction of a connection; `None` is no limit.
    pub fn bandwidth(mut self, bytes_per_second: Option<u64>) -> Self {
        self.bandwidth = bytes_per_second;
        self
    }

    /// How many bytes may have been written and not been read, at least one.
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = bytes.max(1);
        self
    }

    /// How many connections may wait to be accepted, at least one; more are tried again later.
    pub fn backlog(mut self, connections: usize) -> Self {
        self.backlog = connections.max(1);
        self
    }

    /// One in so many reads and writes transfers less than it could; 0 is none.
    pub fn short_once_in(mut self, transfers: u32) -> Self {
        self.short_once_in = transfers;
        self
    }

    /// One in so many segments is lost, and comes 200 ms later; 0 is none.
    pub fn lose_once_in(mut self, segments: u32) -> Self {
        self.lose_once_in = segments;
        self
    }

    /// How long connecting is tried. Default: a minute.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long delivering is tried before the connection is given up. Default: two minutes.
    pub fn give_up(mut self, limit: Duration) -> Self {
        self.give_up = limit;
        self
    }
}

impl Default for Conditions {
    fn default() -> Self {
        Self::new()
    }
}

fn net(who: &str) -> Arc<Net> {
    Arc::clone(crate::here::world(who).net())
}

/// Nothing gets through between two hosts, in either direction, until [`heal`].
///
/// # Panics
/// Outside of a simulation, like all functions of this module.
///
/// ```
/// use goro_sim::{Sim, net};
///
/// let (one, other) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
/// Sim::new(1)
///     .run(async move {
///         net::partition(one, other);
///         net::heal(one, other);
///         net::heal_all();
///         let port = ([10, 0, 0, 2], 80).into();
///         assert_eq!((net::reset(port), net::reset_all(), net::vanish(port)), (0, 0, 0));
///         assert_eq!(net::on(other, async { 7 }).await, 7);
///     })
///     .unwrap();
/// ```
pub fn partition(one: IpAddr, other: IpAddr) {
    net("net::partition").cut(one, other);
}

/// Ends a [`partition`]. What was held up is tried again, at the latest 30 s later.
///
/// # Panics
/// Outside of a simulation.
pub fn heal(one: IpAddr, other: IpAddr) {
    net("net::heal").mend(Some((one, other)));
}

/// Ends every [`partition`].
///
/// # Panics
/// Outside of a simulation.
pub fn heal_all() {
    net("net::heal_all").mend(None);
}

/// The connections that stand, each as the address that connected and the one that was connected to.
///
/// # Panics
/// Outside of a simulation.
#[must_use]
pub fn connections() -> Vec<(SocketAddr, SocketAddr)> {
    net("net::connections").connections()
}

/// Resets every connection that has this address at one of its ends: both ends get
/// `ConnectionReset`, and what was under way is lost. Returns how many.
///
/// # Panics
/// Outside of a simulation.
pub fn reset(address: SocketAddr) -> usize {
    net("net::reset").reset(|end| end == address)
}

/// Resets every connection.
///
/// # Panics
/// Outside of a simulation.
pub fn reset_all() -> usize {
    net("net::reset_all").reset(|_| true)
}

/// Makes every connection's end at this address vanish without a word, as when its machine loses
/// power: the other end is half-open, and learns of it when what it sends is answered by a reset.
/// Returns how many.
///
/// # Panics
/// Outside of a simulation.
pub fn vanish(address: SocketAddr) -> usize {
    net("net::vanish").vanish(address)
}

/// Lets a host's name be looked up. `localhost` is known without.
///
/// # Panics
/// Outside of a simulation.
pub fn name(host: &str, address: IpAddr) {
    net("net::name").name(host, address);
}

/// The host that a future is on, among what its tasks inherit.
#[derive(Clone, Copy)]
struct Host(IpAddr);

/// The host that the code running here is on, if it was put on one.
fn host() -> Option<IpAddr> {
    inherit::find::<Host>().map(|host| host.0)
}

/// Runs `future`, and the tasks that it spawns, on the host with this address: what they connect
/// comes from there.
///
/// # Cancel safety
/// That of `future`.
pub async fn on<F: Future>(address: IpAddr, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut head = inherit::head().push(Host(address));
    poll_fn(|cx| inherit::with(&mut head, || future.as_mut().poll(cx))).await
}
