//! From names to addresses, where blocking is harmless.
//!
//! Left out: a resolver of goro's own. The system's knows its hosts file, its search list and its
//! caches, and blocks; hence the blocking pool.

use core::future::{Future, poll_fn};
use core::panic::Location;
use core::pin::pin;
use core::task::{Poll, ready};
use std::io;
use std::net::SocketAddr;

use futures::channel::oneshot;
use goro_context::{Kind, Op, budget, cancel, note, spawn};

use crate::address::{Target, ToSocketAddrs};
use crate::world::{self, World};

/// Looks up the addresses that `target` stands for, in the order they should be tried.
///
/// A literal address is no look-up. A name is looked up on the runtime's blocking pool, or by the
/// network of a simulated runtime.
///
/// # Errors
/// What the system says of the name; that no runtime is entered; that the runtime's blocking pool
/// takes no job (any more).
///
/// # Cancel safety
/// Detaches: a look-up under way is finished on its thread, and its answer dropped.
///
/// ```
/// let runtime = goro_runtime::Runtime::new()?;
/// let addresses = runtime.block_on(goro_net::lookup("localhost:80"))?;
/// assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn lookup(target: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    addresses(target.target()?, "lookup").await
}

/// The addresses of `target`, on behalf of `operation`.
pub(crate) async fn addresses(target: Target, operation: &str) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = match target {
        Target::Addresses(addresses) => return Ok(addresses),
        Target::Name { host, port } => (host, port),
    };
    let found = match world::here(operation)? {
        World::Simulated(network) => network.resolve(&host, port).await,
        World::Kernel(_) => on_the_pool(host.clone(), port).await,
    };
    found.map_err(|e| match cancel::cause_of(&e) {
        Some(_) => e,
        None => io::Error::new(e.kind(), format!("{operation}: looking up {host:?}: {e}")),
    })
}

async fn on_the_pool(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let (answer, answered) = oneshot::channel();
    let job = move || {
        // Nobody may be listening any more.
        let _ = answer.send(ask_the_system(&host, port));
    };
    let kind = Kind::named("look up a name", Location::caller());
    {
        // This thread may be in no runtime: then it is the default one's.
        let handle = world::handle("looking up a name")?;
        let _inside = handle.enter();
        spawn::spawn_blocking(job, kind).map_err(|refused| refused.1)?;
    }
    let mut answered = pin!(answered);
    poll_fn(|cx| {
        let spent = ready!(budget::poll_spend(cx));
        let polled = answered.as_mut().poll(cx);
        if polled.is_pending() {
            if let Some(cause) = cancel::cause() {
                return Poll::Ready(Err(cancel::io_error(cause)));
            }
            spent.refund();
            note::leave(Op::Resolve, 0);
        }
        polled.map(|answer| answer.unwrap_or_else(|_| Err(unanswered())))
    })
    .await
}

fn ask_the_system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    loop {
        match std::net::ToSocketAddrs::to_socket_addrs(&(host, port)) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            found => return found.map(Iterator::collect),
        }
    }
}

fn unanswered() -> io::Error {
    io::Error::other("the runtime stopped before its blocking pool came to it")
}
