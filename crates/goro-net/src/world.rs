//! Where sockets are made: the reactor of the runtime this code runs in, or its simulated network; in no
//! runtime, the reactor of the process's default one.

use std::io;

use goro_reactor::Reactor;
use goro_reactor::source::Network;
use goro_runtime::Handle;
use goro_shim::Arc;

/// What carries the bytes.
#[derive(Debug)]
pub(crate) enum World {
    /// The operating system, watched by this reactor.
    Kernel(Arc<Reactor>),
    /// A network that a simulation made up.
    Simulated(Arc<dyn Network>),
}

/// The world of the runtime this thread is in.
///
/// # Errors
/// With no runtime and none that could be started: says that `operation` needs one.
pub(crate) fn here(operation: &str) -> io::Result<World> {
    #[cfg(test)]
    if let Some(network) = made_up::network() {
        return Ok(World::Simulated(network));
    }
    let handle = handle(operation)?;
    match handle.network() {
        Some(network) => Ok(World::Simulated(network)),
        None => handle.reactor().map(World::Kernel),
    }
}

/// The reactor of the runtime this thread is in, for what only the operating system has.
///
/// # Errors
/// As [`here`], and in a simulated runtime.
pub(crate) fn reactor(operation: &str) -> io::Result<Arc<Reactor>> {
    match here(operation)? {
        World::Kernel(reactor) => Ok(reactor),
        World::Simulated(_) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "{operation}: a simulated runtime has no use for the operating system's sockets"
            ),
        )),
    }
}

/// The runtime this thread is in, or the process's default one.
pub(crate) fn handle(operation: &str) -> io::Result<Handle> {
    Handle::or_default().map_err(|error| {
        io::Error::other(format!("{operation} needs the reactor of a runtime, but {error}"))
    })
}

/// A network that stands in for the operating system's in this thread's unit tests.
#[cfg(test)]
pub(crate) mod made_up {
    use core::cell::RefCell;

    use goro_reactor::source::Network;
    use goro_shim::Arc;
    use goro_shim::thread::thread_local;

    thread_local! {
        static NETWORK: RefCell<Option<Arc<dyn Network>>> = const { RefCell::new(None) };
    }

    pub(crate) fn network() -> Option<Arc<dyn Network>> {
        NETWORK.with(|cell| cell.borrow().clone())
    }

    pub(crate) fn install(network: Arc<dyn Network>) {
        NETWORK.with(|cell| *cell.borrow_mut() = Some(network));
    }
}
