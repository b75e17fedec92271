//! The server: accepts, and at its end waits until every request that was read is answered.
//!
//! | after Ctrl-C | |
//! |---|---|
//! | 0 s | connections that stand in the kernel's queue are accepted, then the port is closed |
//! | up to 7 s | what was read is answered; connections that go quiet are closed |
//! | 7 s | what is still worked on is answered with 503 |
//! | 8 s | the end, whoever is still there |

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::future::{Either, select};
use goro::net::{TcpListener, TcpStream};
use goro::runtime::Guard;
use goro::time::timeout;

use super::connection::{self, Protocols};
use super::ending::Ending;
use super::log::Log;

/// How long connections are still taken from the kernel's queue.
const SWEEP: Duration = Duration::from_millis(10);

/// What all connections share.
#[derive(Debug)]
pub struct Site {
    pub protocols: Protocols,
    pub log: Log,
    connections: AtomicU64,
    answers: AtomicU64,
}

/// What a server has done.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    pub connections: u64,
    pub answers: u64,
    /// No connection had to be left behind.
    pub complete: bool,
}

impl Site {
    pub fn new(header_timeout: Duration) -> Self {
        Self {
            protocols: Protocols::new(header_timeout),
            log: Log::new(),
            connections: AtomicU64::new(0),
            answers: AtomicU64::new(0),
        }
    }

    /// What was done so far.
    pub fn tally(&self, complete: bool) -> Tally {
        let (connections, answers) = (self.connections.load(Relaxed), self.answers.load(Relaxed));
        Tally { connections, answers, complete }
    }

    /// Another request has its answer.
    pub fn count_answer(&self) {
        self.answers.fetch_add(1, Relaxed);
    }
}

/// Accepts until the end begins; then the connections go on as the table above says, which the runtime waits for.
pub async fn run(listener: TcpListener, site: Arc<Site>, ending: Ending) {
    // Until the port is closed, the end waits for this, too.
    let Ok(guard) = ending.guard() else { return };
    accept_until(&listener, &site, &ending, &guard).await;
    // Before anybody is told to close: a client that connects anew must find the port closed, not
    // a queue that nobody takes it from.
    accept_queued(&listener, &site, &ending, &guard).await;
}

async fn accept_until(listener: &TcpListener, site: &Arc<Site>, ending: &Ending, guard: &Guard) {
    loop {
        let accept = std::pin::pin!(listener.accept());
        match select(ending.ending(), accept).await {
            Either::Left(_) => return,
            Either::Right((accepted, _)) => begin(accepted, site, ending, guard),
        }
    }
}

/// Takes what the kernel has accepted already: those clients may have sent a request.
async fn accept_queued(listener: &TcpListener, site: &Arc<Site>, ending: &Ending, guard: &Guard) {
    let accept_all = async {
        loop {
            begin(listener.accept().await, site, ending, guard);
        }
    };
    // The timeout is how it ends.
    let _ = timeout(SWEEP, accept_all).await;
}

fn begin(
    accepted: io::Result<(TcpStream, SocketAddr)>,
    site: &Arc<Site>,
    ending: &Ending,
    guard: &Guard,
) {
    match accepted {
        Ok((stream, client)) => {
            site.connections.fetch_add(1, Relaxed);
            // Answers are small and leave at once. A socket that cannot say so still works.
            let _ = stream.set_nodelay(true);
            let serve = connection::serve(stream, client, Arc::clone(site), ending.clone());
            // Guarded: the end waits for it, and what it spawns is let through.
            drop(guard.spawn_named("connection", serve));
        }
        // The listener has waited already if the process is out of descriptors.
        Err(error) => site.log.line(format_args!("a connection was not accepted: {error}")),
    }
}
