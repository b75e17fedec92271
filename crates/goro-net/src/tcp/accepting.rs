//! Taking connections, one or a stream of them.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::SocketAddr;

use futures::Stream;
use futures::stream::FusedStream;
use goro_context::Op;
use goro_context::time::Deadline;
use goro_reactor::{Direction, Waiter};

use super::kernel::KernelStream;
use super::listener::{Carrier, KernelListener, TcpListener};
use super::stream::TcpStream;

/// One who accepts: keeps its place and its pause between polls.
pub(super) struct Accepting<'a> {
    from: From<'a>,
}

enum From<'a> {
    Kernel { listener: &'a KernelListener, waiter: Waiter<'a>, pause: Option<Deadline> },
    Simulated(&'a dyn goro_reactor::source::ListenerSource),
}

impl<'a> Accepting<'a> {
    pub(super) fn new(listener: &'a TcpListener) -> Self {
        let from = match listener.carrier() {
            Carrier::Kernel(listener) => {
                let waiter = listener.socket.registration().waiter(Direction::Read);
                From::Kernel { listener, waiter, pause: None }
            }
            Carrier::Simulated(listener) => From::Simulated(&**listener),
        };
        Self { from }
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        match &mut self.from {
            From::Simulated(listener) => {
                let accepted = ready!(listener.poll_accept(cx));
                Poll::Ready(accepted.map(|(stream, peer)| (TcpStream::simulated(stream), peer)))
            }
            From::Kernel { listener, waiter, pause } => loop {
                ready!(listener.strain.poll_over(cx, pause));
                let accept = || listener.socket.accept();
                let tried = ready!(waiter.poll_io(cx, Op::Accept, accept));
                let Some(accepted) = listener.strain.settle(tried) else { continue };
                return Poll::Ready(accepted.and_then(|(stream, peer)| {
                    let stream = KernelStream::watch(&listener.reactor, stream)?;
                    Ok((TcpStream::kernel(stream), peer))
                }));
            },
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
