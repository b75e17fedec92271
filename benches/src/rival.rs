//! What a workload may ask of the runtime it is run on: the least that all rivals have.
//!
//! Invariants:
//! 1. A [`Rival`] is started once per process, before anything is timed, and never stopped: one
//!    sample is one process, so one that cannot be dropped (smol's) is treated as all others are.
//!    What can be dropped is a [`Stop`], too.
//! 2. Each method is the call that this rival's users write; none is made faster or slower here.
//!    The adapters cost at most a `match` on a ready value.
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

pub mod channels;
mod fixed;
pub mod go;
mod goro;
mod kit;
mod smol;
pub mod talk;
mod tokio;
pub mod web;

pub use fixed::Fixed;
pub use goro::{Goro, Runtime as GoroRuntime};
pub use kit::Kit;
pub use smol::{Owned as OwnedSmol, Smol, THREADS};
pub use tokio::{Runtime as TokioRuntime, Tokio};

/// The one that the goals are for.
pub const GORO: &str = "goro";

/// The rivals' names, in the order in which a round runs them.
pub const NAMES: &[&str] = &[GORO, "tokio", "smol", "static", go::GO];

/// The columns of the workloads of channels, in order: a crate of channels, and the runtime that it
/// runs on where that is not the usual one (goro for goro's, tokio for the others).
pub const CHANNELS: &[&str] = &[
    GORO,
    "kanal",
    "goro+tokio",
    "kanal+goro",
    "flume",
    "async-channel",
    "crossbeam",
    "mpsc",
    go::GO,
];

/// Where a column stands in a round; unknown ones last.
pub fn place(name: &str) -> usize {
    NAMES.iter().chain(CHANNELS).position(|known| *known == name).unwrap_or(usize::MAX)
}

/// Whether a column is a rival: not goro, and with no part of goro's beside another's.
pub fn is_one(name: &str) -> bool {
    name != GORO && !name.contains('+')
}

/// The name as it stands in either list.
pub fn named(name: &str) -> Option<&'static str> {
    NAMES.iter().chain(CHANNELS).copied().find(|known| *known == name)
}

/// A started runtime, as a copyable way to reach it.
pub trait Rival: Copy + Send + Sync + 'static {
    /// The handle of a task; awaiting it gives the output.
    type Join<T: Send + 'static>: Future<Output = T> + Send + 'static;
    /// A listening TCP socket.
    type Listener: Send + Sync + 'static;
    /// A TCP connection.
    type Stream: Send + 'static;
    /// The locks that come with it.
    type Kit: Kit;

    /// Starts the runtime with so many worker threads.
    fn start(workers: usize) -> Self;

    /// Spawns from a task of this runtime.
    fn spawn<F>(self, future: F) -> Self::Join<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static;

    /// Spawns many from a task of this runtime: with one call where there is one.
    fn spawn_many<F>(
        self,
        futures: impl Iterator<Item = F>,
    ) -> impl Iterator<Item = Self::Join<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        futures.map(move |future| self.spawn(future))
    }

    /// Spawns from a task of this runtime, giving up the handle.
    fn spawn_detached<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Spawns from a thread that is none of this runtime's, giving up the handle.
    fn spawn_foreign<F>(self, future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Lets other tasks run once.
    fn yield_now(self) -> impl Future<Output = ()> + Send;

    /// Waits.
    fn sleep(self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Waits for the future at most so long.
    fn timeout<F>(
        self,
        duration: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send
    where
        F: Future<Output: Send> + Send;

    /// Listens on a free loopback port.
    fn listen(self) -> impl Future<Output = io::Result<(Self::Listener, SocketAddr)>> + Send;

    /// Takes the next connection.
    fn accept(listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Connects.
    fn connect(self, to: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Reads once; 0 bytes are the end.
    fn read(
        stream: &mut Self::Stream,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes everything.
    fn write_all(
        stream: &mut Self::Stream,
        bytes: &[u8],
    ) -> impl Future<Output = io::Result<()>> + Send;
}

/// A runtime that its user can end.
pub trait Stop: Sized {
    /// Builds it, with so many worker threads.
    fn open(workers: usize) -> Self;

    /// Spawns from outside, giving up the handle.
    fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// Ends it; every future has been dropped when this returns.
    fn stop(self);
}

/// Runs a future as a task of the rival while this thread sleeps, and gives its output.
///
/// Not the rival's `block_on`: then this thread would be one more worker to some rivals.
pub fn drive<R, F>(rival: R, future: F) -> F::Output
where
    R: Rival,
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (output, outcome) = mpsc::channel();
    rival.spawn_foreign(async move {
        let _ = output.send(future.await);
    });
    outcome.recv().expect("the driving task panicked")
}

/// A handle whose result is always `Ok`: no workload panics or aborts a task.
pub struct Joined<J>(pub J);

impl<J, T, E> Future for Joined<J>
where
    J: Future<Output = Result<T, E>> + Unpin,
    E: Debug,
{
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context).map(|result| result.expect("a workload's task failed"))
    }
}
