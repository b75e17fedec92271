//! An HTTP service that ends well: `cargo run --release --example graceful -- 127.0.0.1:7001`, then SIGTERM or
//! Ctrl-C.
//!
//! A request counts as accepted once its first byte was read, and every one that was is answered. Connections
//! that stand in the kernel's queue are taken before the port is closed. Each connection is guarded work; hyper
//! is told to finish what it has. `--naive` drops everything instead, for comparison; `--work N` has each request
//! take N microseconds.

mod counted;

use std::convert::Infallible;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use counted::Counted;
use goro::net::{TcpListener, TcpStream};
use goro::runtime::{Runtime, ShutdownHandle};
use goro::{select, time};
use goro_hyper::{GoroIo, GoroTimer};
use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;

/// How long connections are still taken from the kernel's queue.
const SWEEP: Duration = Duration::from_millis(10);
/// How long a client may take to send a request's head.
const HEAD: Duration = Duration::from_secs(1);

/// Requests of which a byte was read, and answers.
#[derive(Debug, Default)]
pub struct Tally {
    pub accepted: AtomicU64,
    pub answered: AtomicU64,
}

impl Tally {
    fn open(&self) -> u64 {
        let answered = self.answered.load(Relaxed);
        self.accepted.load(Relaxed).saturating_sub(answered)
    }
}

struct Options {
    addr: String,
    naive: bool,
    work: Duration,
}

fn options() -> Options {
    let mut options =
        Options { addr: "127.0.0.1:7001".into(), naive: false, work: Duration::from_millis(2) };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--naive" => options.naive = true,
            "--work" => {
                let micros = args.next().and_then(|micros| micros.parse().ok());
                options.work = Duration::from_micros(micros.expect("--work takes microseconds"));
            }
            _ => options.addr = arg,
        }
    }
    options
}

fn main() -> io::Result<ExitCode> {
    let Options { addr, naive, work } = options();
    let runtime = Runtime::new()?;
    let shutdown = runtime.handle().shutdown();
    shutdown.listen_signals()?;
    let tally = Arc::new(Tally::default());
    let listener = runtime.block_on(TcpListener::bind(addr))?;
    println!("serving on http://{}", listener.local_addr()?);

    let count = tally.clone();
    shutdown.track_depth("requests", move || count.open() as usize);
    if naive {
        let end = shutdown.clone();
        shutdown.on_drain(0, move || async move { end.force("naively") });
    }
    let accepting = accept(listener, shutdown.clone(), tally.clone(), work);
    drop(runtime.spawn(accepting));

    let report = runtime.block_on(shutdown.wait());
    let (accepted, lost) = (tally.accepted.load(Relaxed), tally.open());
    let queue: usize = report.queues.iter().map(|queue| queue.before).sum();
    let drain = report.drain.as_secs_f64() * 1e3;
    let mut out = io::stdout();
    writeln!(out, "accepted {accepted} lost {lost} queue {queue} drain {drain:.1} ms")?;
    writeln!(out, "{report}")?;
    Ok(report.exit_code().into())
}

/// Accepts until the end begins, and then what has connected by then.
async fn accept(
    listener: TcpListener,
    shutdown: ShutdownHandle,
    tally: Arc<Tally>,
    work: Duration,
) {
    // Until the port is closed, the end waits.
    let Ok(guard) = shutdown.guard() else { return };
    let serve = |accepted: io::Result<(TcpStream, _)>| match accepted {
        Ok((stream, _)) => {
            // Answers are short and leave at once. A socket that cannot say so still works.
            let _ = stream.set_nodelay(true);
            let connection = connection(stream, shutdown.clone(), tally.clone(), work);
            drop(guard.spawn_named("connection", connection));
        }
        Err(error) => eprintln!("not accepted: {error}"),
    };
    loop {
        select! {
            accepted = listener.accept() => serve(accepted),
            _ = shutdown.draining() => break,
        }
    }
    let rest = async {
        loop {
            serve(listener.accept().await);
        }
    };
    // The timeout is how it ends.
    let _ = time::timeout(SWEEP, rest).await;
}

async fn connection(
    stream: TcpStream,
    shutdown: ShutdownHandle,
    tally: Arc<Tally>,
    work: Duration,
) {
    let counted = Counted::new(stream, tally);
    let count = counted.count();
    let service = service_fn(move |_request| {
        let count = count.clone();
        async move {
            time::sleep(work).await;
            count.answers();
            Ok::<_, Infallible>(Response::new("done\n".to_owned()))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(GoroTimer).header_read_timeout(HEAD);
    let mut connection = pin!(http.serve_connection(GoroIo::new(counted), service));
    let ended = select! {
        ended = connection.as_mut() => Some(ended),
        _ = shutdown.draining() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // Clients that go, or say nothing for too long.
    drop(ended);
}
