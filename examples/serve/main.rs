//! An HTTP server on goro, with hyper: HTTP/1.1 and HTTP/2 on one port, an end that loses no
//! request, and a built-in client.
//!
//! ```text
//! cargo run --release --example serve -- --help
//! cargo run --release --example serve -- --drive 5
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `args` | the command line |
//! | `server` | accepting, and the end |
//! | `ending` | how the end is told to connections |
//! | `connection` | one connection, from first byte to last |
//! | `wire` | its stream: version, lingering close |
//! | `traffic` | its requests in hand |
//! | `service` | from request to answer |
//! | `routes` | what a request asks for |
//! | `primes` | the work for the blocking pool |
//! | `drive`, `client` | the built-in client |
//! | `histogram`, `report` | what it prints |
//! | `log` | lines on standard error |

mod args;
mod client;
mod connection;
mod drive;
mod ending;
mod histogram;
mod log;
mod primes;
mod report;
mod routes;
mod server;
mod service;
mod traffic;
mod wire;

use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use args::{Command, Load, Options};
use ending::Ending;
use futures::future::{Either, select};
use goro::net::TcpListener;
use goro::runtime::{Builder, Handle, Runtime};
use goro::signal::{SignalKind, signal};
use report::Report;
use server::{Site, Tally};

/// What a shell expects of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;
/// How long the workers' threads may take to end. A blocking job that has begun cannot be stopped.
const THREADS_END: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    let (options, load) = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => (options, None),
        Ok(Command::Drive(options, load)) => (options, Some(load)),
        Err(mistake) => {
            complain(&mistake);
            return ExitCode::from(2);
        }
    };
    let runtime = match build(&options) {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(options, load));
    runtime.shutdown_timeout(THREADS_END);
    outcome.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::FAILURE
    })
}

fn build(options: &Options) -> Result<Runtime, goro::runtime::BuildError> {
    let builder = Builder::new().name("serve");
    match options.workers {
        Some(workers) => builder.workers(workers).build(),
        None => builder.build(),
    }
}

async fn run(options: Options, load: Option<Load>) -> io::Result<ExitCode> {
    // Before the address is printed: from then on a Ctrl-C must find somebody listening.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let listener = TcpListener::bind(options.addr).await.map_err(|error| {
        let addr = options.addr;
        let text = format!("cannot listen on {addr}: {error}; choose another with --addr");
        io::Error::new(error.kind(), text)
    })?;
    let addr = listener.local_addr()?;
    let before = Handle::current().metrics();
    let shutdown = Handle::current().shutdown();
    let site = Arc::new(Site::new(options.header_timeout));
    let run = server::run(listener, Arc::clone(&site), Ending::new(shutdown.clone()));
    let mut server = goro::task::Builder::new().name("accept").spawn(run);

    let measured = match load {
        Some(load) => {
            print(&format!("driving http://{addr}, Ctrl-C to stop early\n\n"));
            Some(drive::drive(addr, load, interrupts.recv()).await)
        }
        None => {
            print(&format!("serving on http://{addr}, Ctrl-C to stop\n"));
            match select(&mut server, pin!(interrupts.recv())).await {
                // It ends when it is told to; before that, only by a panic.
                Either::Left((accepting, _)) => accepting.map_err(io::Error::other)?,
                Either::Right(_) => {}
            }
            print("ending: every request that was read is answered; Ctrl-C again to exit now\n");
            None
        }
    };

    shutdown.initiate("Ctrl-C");
    let report = match select(pin!(shutdown.wait()), pin!(interrupts.recv())).await {
        Either::Left((report, _)) => report,
        Either::Right(_) => std::process::exit(INTERRUPTED),
    };
    let tally = site.tally(!report.timed_out);
    Ok(conclude(tally, measured.map(|measured| measured.report(&before, tally))))
}

/// Says how it went, in a few words or in a report.
fn conclude(tally: Tally, report: Option<Report>) -> ExitCode {
    let Tally { answers, connections, complete } = tally;
    let Some(report) = report else {
        let left = if complete { "" } else { "; some would not close" };
        print(&format!("answered {answers} requests on {connections} connections{left}\n"));
        return ExitCode::SUCCESS;
    };
    print(&report.to_string());
    if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints, unless nobody reads: that is no reason to stop serving.
fn print(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn complain(error: &dyn std::error::Error) {
    let _ = writeln!(io::stderr(), "serve: {error}");
}
