//! From addresses to a connected stream.
//!
//! Invariants:
//! 1. Addresses are tried in their order, one at a time; the first that answers wins.
//! 2. A socket is handed out only when its connection stands: writable alone may as well mean that
//!    it was refused.
//!
//! Left out: trying several addresses at once (Happy Eyeballs).

use std::io;
use std::net::SocketAddr;

use goro_context::{Op, cancel};
use goro_reactor::{Direction, Reactor};

use super::kernel::KernelStream;
use super::stream::TcpStream;
use crate::address::Target;
use crate::world::{self, World};
use crate::{failure, resolve};

const OPERATION: &str = "TcpStream::connect";

pub(super) async fn connect(target: Target) -> io::Result<TcpStream> {
    let world = world::here(OPERATION)?;
    let addresses = resolve::addresses(target, OPERATION).await?;
    let mut last = None;
    for &address in &addresses {
        let tried = match &world {
            World::Kernel(reactor) => over_kernel(reactor, address).await,
            World::Simulated(network) => network.connect(address).await.map(TcpStream::simulated),
        };
        match tried {
            Ok(stream) => return Ok(stream),
            // Not the address's fault: the others would be given up, too.
            Err(e) if cancel::cause_of(&e).is_some() => return Err(e),
            Err(e) => last = Some(e),
        }
    }
    Err(failure::at_all(OPERATION, addresses, last))
}

async fn over_kernel(reactor: &Reactor, address: SocketAddr) -> io::Result<TcpStream> {
    let stream = KernelStream::begin_connect(reactor, address)?;
    let connected = || stream.connected();
    stream.registration().attempt(Direction::Write, Op::Connect, connected).await?;
    Ok(TcpStream::kernel(stream))
}
