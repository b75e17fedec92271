//! Making a connection.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use goro_context::{Op, cancel, note};
use goro_reactor::source::StreamSource;
use goro_shim::Arc;
use goro_shim::time::Instant;
use std::io;
use std::net::{IpAddr, SocketAddr};

use super::HERE;
use super::agenda::Occurrence;
use super::lines::Net;
use super::stream::{Stream, over};

/// Somebody who connects, as the lines know it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) from: SocketAddr,
    /// The host that it connects from, if it is on one.
    pub(super) host: Option<IpAddr>,
    pub(super) to: SocketAddr,
    pub(super) began: Instant,
    pub(super) outcome: Option<io::Result<u64>>,
    pub(super) waker: Option<Waker>,
}

/// A connection being made. Dropped, it is given up.
#[derive(Debug)]
pub(super) struct Dial {
    net: Arc<Net>,
    to: SocketAddr,
    attempt: Option<u64>,
}

impl Dial {
    pub(super) fn new(net: Arc<Net>, to: SocketAddr) -> Self {
        Self { net, to, attempt: None }
    }

    fn begin(&self) -> io::Result<u64> {
        let host = super::host();
        let near = if self.to.ip().is_loopback() { self.to.ip() } else { HERE };
        let ip = host.unwrap_or(near);
        let (mut lines, began) = self.net.lines_now();
        if lines.over {
            return Err(over());
        }
        let from = SocketAddr::new(ip, lines.free_port(ip));
        let id = lines.id();
        let attempt = Attempt { from, host, to: self.to, began, outcome: None, waker: None };
        lines.attempts.insert(id, attempt);
        let arrives = began + lines.latency();
        lines.later(arrives, Occurrence::Knock { attempt: id, tries: 0 });
        Ok(id)
    }
}

impl Future for Dial {
    type Output = io::Result<Box<dyn StreamSource>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = match self.attempt {
            Some(id) => id,
            None => {
                let id = self.begin()?;
                self.attempt = Some(id);
                id
            }
        };
        let waker = cx.waker().clone();
        let before;
        let outcome = {
            let (mut lines, _) = self.net.lines_now();
            let Some(attempt) = lines.attempts.get_mut(&id) else {
                return Poll::Ready(Err(over()));
            };
            match attempt.outcome.take() {
                None => {
                    before = attempt.waker.replace(waker);
                    None
                }
                Some(outcome) => {
                    before = None;
                    lines.attempts.remove(&id);
                    Some(outcome)
                }
            }
        };
        drop(before);
        match outcome {
            None => {
                if let Some(cause) = cancel::cause() {
                    return Poll::Ready(Err(cancel::io_error(cause)));
                }
                note::leave(Op::Connect, id);
                Poll::Pending
            }
            Some(outcome) => {
                self.attempt = None;
                let net = &self.net;
                let stream = |link| Box::new(Stream::new(net, link, 0)) as Box<dyn StreamSource>;
                Poll::Ready(outcome.map(stream))
            }
        }
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        if let Some(id) = self.attempt {
            // Its waker goes when the lock is given back.
            let attempt;
            let (mut lines, now) = self.net.lines_now();
            attempt = lines.attempts.remove(&id);
            if let Some(Attempt { outcome: Some(Ok(link)), .. }) = attempt {
                lines.close_end(link, 0, now);
            }
        }
    }
}
