//! Taking connections, one or a stream of them.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::SocketAddr;

use futures::Stream;
use futures::stream::FusedStream;
use goro_context::time::Deadline;
use goro_context::{Op, budget, cancel, note};
use goro_reactor::source::{ListenerSource, StreamSource};
use goro_reactor::{Direction, Waiter};

use super::kernel::KernelStream;
use super::listener::{Carrier, KernelListener, TcpListener};
use super::strain::Strain;
use super::stream::TcpStream;

/// One who accepts: keeps its place and its pause between polls.
pub(super) struct Accepting<'a> {
    from: From<'a>,
    strain: &'a Strain,
    pause: Option<Deadline>,
}

enum From<'a> {
    Kernel { listener: &'a KernelListener, waiter: Waiter<'a> },
    Simulated(&'a dyn ListenerSource),
}

/// A connection that was taken and is not watched yet.
enum Taken {
    Kernel(mio::net::TcpStream),
    Simulated(Box<dyn StreamSource>),
}

impl<'a> Accepting<'a> {
    pub(super) fn new(listener: &'a TcpListener) -> Self {
        let from = match listener.carrier() {
            Carrier::Kernel(listener) => {
                let waiter = listener.socket.registration().waiter(Direction::Read);
                From::Kernel { listener, waiter }
            }
            Carrier::Simulated(listener) => From::Simulated(&**listener),
        };
        Self { from, strain: listener.strain(), pause: None }
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        loop {
            if self.strain.poll_over(cx, &mut self.pause).is_pending() {
                let Some(cause) = cancel::cause() else { return Poll::Pending };
                // Paid for as every try: who asks again and again lets others run meanwhile.
                let _spent = ready!(budget::poll_spend(cx));
                // It does not wait.
                let _op = note::take();
                return Poll::Ready(Err(cancel::io_error(cause)));
            }
            let tried = ready!(self.from.poll_take(cx));
            let Some(taken) = self.strain.settle(tried) else { continue };
            return Poll::Ready(taken.and_then(|(taken, peer)| Ok((self.from.open(taken)?, peer))));
        }
    }
}

impl From<'_> {
    fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Taken, SocketAddr)>> {
        match self {
            Self::Simulated(listener) => {
                listener.poll_accept(cx).map_ok(|(stream, peer)| (Taken::Simulated(stream), peer))
            }
            Self::Kernel { listener, waiter } => waiter
                .poll_io(cx, Op::Accept, || listener.socket.accept())
                .map_ok(|(stream, peer)| (Taken::Kernel(stream), peer)),
        }
    }

    fn open(&self, taken: Taken) -> io::Result<TcpStream> {
        match (self, taken) {
            (Self::Kernel { listener, .. }, Taken::Kernel(stream)) => {
                KernelStream::watch(&listener.reactor, stream).map(TcpStream::kernel)
            }
            (_, Taken::Simulated(stream)) => Ok(TcpStream::simulated(stream)),
            (Self::Simulated(_), Taken::Kernel(_)) => {
                unreachable!("a simulated listener takes no connection of the kernel's")
            }
        }
    }
}

/// The connections that come in, as a stream without an end; made by [`TcpListener::incoming`].
///
/// # Cancel safety
/// Safe: a connection is given out or still waits to be accepted.
#[must_use = "a stream does nothing unless polled"]
pub struct Incoming<'a>(pub(super) Accepting<'a>);

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll(cx).map(|accepted| Some(accepted.map(|(stream, _)| stream)))
    }
}

impl FusedStream for Incoming<'_> {
    fn is_terminated(&self) -> bool {
        false
    }
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}
