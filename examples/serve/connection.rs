//! One connection, from its first byte to its last.
//!
//! Invariants:
//! 1. A client that says nothing costs a socket for the header timeout, in either version and
//!    before the version is clear.
//! 2. Once the server is ending, a connection closes when it is quiet: nothing in hand, and nothing
//!    new for a while, so that what is on its way when the end begins is still answered.
//!
//! Left out: clients that close their direction and still want an answer. To see that a client has
//! gone while its answer is worked on, the end of its stream is taken for its end.
//!
//! The version is found out here rather than by hyper-util's `auto` server, because both of these
//! must hold also while it is unclear: there, a client that sends nothing stays for ever.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use goro::net::TcpStream;
use goro::time::timeout;
use goro_hyper::{GoroExecutor, GoroIo, GoroTimer};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;

use super::ending::Ending;
use super::server::Site;
use super::service::Desk;
use super::traffic::Traffic;
use super::wire::{Version, Wire};

/// The most bytes of a request's head; the answer to more is 431. (In HTTP/2 up to four times as
/// much; beyond that h2 takes it for abuse and ends the connection.)
const MAX_HEAD: usize = 32 * 1024;
/// The most that hyper buffers of what a client sends.
const MAX_BUFFER: usize = 64 * 1024;
/// Requests that one HTTP/2 connection may have in hand.
const MAX_STREAMS: u32 = 256;
/// How long a connection is silent before it counts as quiet, once the server is ending.
const QUIET: Duration = Duration::from_millis(500);

/// hyper's settings, made once.
#[derive(Clone, Debug)]
pub struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<GoroExecutor>,
    header_timeout: Duration,
}

impl Protocols {
    pub fn new(header_timeout: Duration) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(GoroTimer)
            .header_read_timeout(header_timeout)
            .max_header_size(MAX_HEAD)
            .max_buf_size(MAX_BUFFER);
        let mut http2 = http2::Builder::new(GoroExecutor::new().kind("http2 stream"));
        http2
            .timer(GoroTimer)
            .max_header_list_size(MAX_HEAD as u32)
            .max_concurrent_streams(MAX_STREAMS);
        Self { http1, http2, header_timeout }
    }
}

/// Serves a connection until either side closes it.
pub async fn serve(stream: TcpStream, client: SocketAddr, site: Arc<Site>, ending: Ending) {
    let traffic = Arc::new(Traffic::default());
    let mut wire = Wire::new(stream, Arc::clone(&traffic));
    let version = match version(&mut wire, site.protocols.header_timeout, &ending).await {
        Ok(Some(version)) => version,
        Ok(None) => return,
        Err(error) => {
            site.log.line(format_args!("{client} is gone: {error}"));
            return;
        }
    };
    let desk = Desk { site: Arc::clone(&site), ending, traffic: Arc::clone(&traffic), client };
    let desk = Arc::new(desk);
    let result = match version {
        Version::One => http1(wire, desk).await,
        Version::Two => http2(wire, desk).await,
    };
    match result {
        // The request that the client left behind is in the log already.
        Err(_) if traffic.abandoned() => {}
        // An idle client, most of the time; hyper does not tell it from a slow one.
        Err(error) if error.is_timeout() => {}
        Err(error) => site.log.line(format_args!("{client}: {}", Chain(&error))),
        Ok(()) => {}
    }
}

/// The client's version; `None` if it sends nothing for too long.
async fn version(
    wire: &mut Wire<TcpStream>,
    header_timeout: Duration,
    ending: &Ending,
) -> io::Result<Option<Version>> {
    {
        let version = pin!(wire.version());
        match timeout(header_timeout, select(version, ending.ending())).await {
            Ok(Either::Left((version, _))) => return version,
            Ok(Either::Right(_)) => {}
            Err(_) => return Ok(None),
        }
    }
    timeout(QUIET, wire.version()).await.unwrap_or(Ok(None))
}

async fn http1(wire: Wire<TcpStream>, desk: Arc<Desk>) -> Result<(), hyper::Error> {
    let (traffic, ending) = (Arc::clone(&desk.traffic), desk.ending.clone());
    let builder = desk.site.protocols.http1.clone();
    let service = service_fn(move |request| Arc::clone(&desk).answer(request));
    let mut connection = pin!(builder.serve_connection(GoroIo::new(wire), service));

    if let Either::Left((result, _)) = select(&mut connection, ending.ending()).await {
        return result;
    }
    traffic.end();
    loop {
        let begun = traffic.begun();
        match timeout(QUIET, &mut connection).await {
            Ok(result) => return result,
            Err(_) if traffic.is_quiet_since(begun) => break,
            Err(_) => {}
        }
    }
    // Earlier, this would lose what was read behind a request in hand. hyper goes on to wait for the
    // rest of a first head of which a part has come in; the end of the stream ends that.
    connection.as_mut().graceful_shutdown();
    traffic.close();
    connection.await
}

async fn http2(wire: Wire<TcpStream>, desk: Arc<Desk>) -> Result<(), hyper::Error> {
    let (traffic, ending) = (Arc::clone(&desk.traffic), desk.ending.clone());
    let Protocols { http2, header_timeout, .. } = desk.site.protocols.clone();
    let service = service_fn(move |request| Arc::clone(&desk).answer(request));
    let mut connection = pin!(http2.serve_connection(GoroIo::new(wire), service));

    loop {
        let begun = traffic.begun();
        match timeout(header_timeout, select(&mut connection, ending.ending())).await {
            Ok(Either::Left((result, _))) => return result,
            Ok(Either::Right(_)) => break,
            Err(_) if traffic.is_quiet_since(begun) => break,
            Err(_) => {}
        }
    }
    // Tells the client which requests will still be answered. hyper waits until those are sent, and
    // until the client has confirmed it: one that has asked for nothing is not worth the wait, and
    // the others may be slow to take their answers, but not for ever.
    connection.as_mut().graceful_shutdown();
    loop {
        let begun = traffic.begun();
        let patience = if begun == 0 { QUIET } else { header_timeout };
        match timeout(patience, &mut connection).await {
            Ok(result) => return result,
            Err(_) if traffic.is_quiet_since(begun) => return Ok(()),
            Err(_) => {}
        }
    }
}

/// An error and what caused it, in one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let causes = std::iter::successors(self.0.source(), |error| error.source());
        causes.into_iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}
