//! A program of a little of everything, for `.ci/run kernel` to run while the kernel refuses, interrupts
//! and cuts short what it is asked. Under no fault it is a test like others.
//!
//! It judges itself. Each request is answered, byte for byte, or ends with an error that says what failed;
//! each sleep ends; each job gives its value or an error; the runtime ends. It prints one line, and exits
//! with
//!
//! | code | if |
//! |---|---|
//! | 0 | all of this holds |
//! | 3 | it could not begin, and an error said why |
//! | 4 | something was lost, wrong, stuck, or panicked |
//!
//! It is both ends of its connections. So where it may have few descriptors (`FEW_DESCRIPTORS` is set), and
//! its clients have taken the last, whom they wait for is not accepted: they give up, and that is told as an
//! error, too.
//!
//! What it does not see, being dead, whoever runs it must: that it hangs, or is killed.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the runtime as a program does"
)]

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream};
use goro::runtime::Builder;
use goro::signal::{SignalKind, signal};
use goro::task::JoinSet;
use goro::time::{sleep, timeout};

const CLIENTS: usize = 4;
const CONNECTIONS: usize = 5;
const EXCHANGES: usize = 4;
const SLEEPS: usize = 40;
const JOBS: usize = 20;
/// What takes longer than this is lost. Nothing of it takes long by itself.
const LONG: Duration = Duration::from_secs(8);
/// How long a client waits for an end that may get no descriptor.
const PATIENT: Duration = Duration::from_millis(300);

/// What became of everything.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    failed: AtomicUsize,
    lost: AtomicUsize,
    wrong: AtomicUsize,
    slept: AtomicUsize,
    jobs: AtomicUsize,
    jobs_failed: AtomicUsize,
    errors: Mutex<BTreeMap<String, usize>>,
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

impl Tally {
    fn note(&self, what: &str, error: &impl Display) {
        *self.errors.lock().unwrap().entry(format!("{what}: {error}")).or_default() += 1;
    }

    fn add(count: &AtomicUsize, by: usize) {
        count.fetch_add(by, Ordering::Relaxed);
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        // As a test runner asks.
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("under_faults: test");
        }
        return ExitCode::SUCCESS;
    }
    std::panic::set_hook(Box::new(|info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        eprintln!("{info}");
    }));
    let runtime = match Builder::new().workers(2).name("faults").build() {
        Ok(runtime) => runtime,
        Err(error) => return not_begun(&error),
    };
    let tally = Arc::new(Tally::default());
    let began = runtime.block_on(program(tally.clone()));
    let ended = runtime.shutdown_timeout(LONG);
    if let Err(error) = began {
        return if ended { not_begun(&error) } else { verdict(&tally, ended) };
    }
    verdict(&tally, ended)
}

fn not_begun(error: &dyn std::error::Error) -> ExitCode {
    let panics = PANICS.load(Ordering::Relaxed);
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(deeper) = source {
        if !text.contains(&deeper.to_string()) {
            text = format!("{text}: {deeper}");
        }
        source = deeper.source();
    }
    println!("ended: {text}; {panics} panics; cpu {} ms", cpu_ms());
    ExitCode::from(if panics == 0 { 3 } else { 4 })
}

fn verdict(tally: &Tally, ended: bool) -> ExitCode {
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let (answered, failed) = (of(&tally.answered), of(&tally.failed));
    let (lost, wrong, panics) = (of(&tally.lost), of(&tally.wrong), of(&PANICS));
    let (slept, jobs, jobs_failed) = (of(&tally.slept), of(&tally.jobs), of(&tally.jobs_failed));
    let all = CLIENTS * CONNECTIONS * EXCHANGES;
    let errors: Vec<String> = tally
        .errors
        .lock()
        .unwrap()
        .iter()
        .map(|(text, times)| format!("{times} x {text}"))
        .collect();
    println!(
        "{answered} of {all} answered, {failed} failed, {lost} lost, {wrong} wrong; \
         {slept} of {SLEEPS} slept; {jobs} of {JOBS} jobs, {jobs_failed} failed; {panics} panics; \
         {}; cpu {} ms; errors: [{}]",
        if ended { "shut down" } else { "STUCK" },
        cpu_ms(),
        errors.join(", "),
    );
    // What failed must have been told.
    let told = (failed == 0 && jobs_failed == 0) || !errors.is_empty();
    let whole = answered + failed == all && slept == SLEEPS && jobs + jobs_failed == JOBS;
    let good = whole && told && ended && lost == 0 && wrong == 0 && panics == 0;
    ExitCode::from(if good { 0 } else { 4 })
}

async fn program(tally: Arc<Tally>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = goro::spawn(serve(listener, tally.clone()));
    let mut all = JoinSet::new();
    for client in 0..CLIENTS {
        all.spawn(ask(client, address, tally.clone()));
    }
    for nth in 0..SLEEPS {
        let tally = tally.clone();
        all.spawn(async move {
            sleep(Duration::from_micros(300 * nth as u64)).await;
            Tally::add(&tally.slept, 1);
        });
    }
    for nth in 0..JOBS {
        let tally = tally.clone();
        all.spawn(async move {
            match goro::spawn_blocking(move || nth * nth).await {
                Ok(square) if square == nth * nth => Tally::add(&tally.jobs, 1),
                Ok(_) => Tally::add(&tally.wrong, 1),
                Err(error) => {
                    tally.note("job", &error);
                    Tally::add(&tally.jobs_failed, 1);
                }
            }
        });
    }
    all.spawn(hear(tally.clone()));
    all.spawn(resolve(address, tally.clone()));
    if timeout(4 * LONG, async { while all.join_next().await.is_some() {} }).await.is_err() {
        Tally::add(&tally.lost, 1);
        tally.note("everybody", &"has not ended");
    }
    server.abort();
    drop(server.await);
    Ok(())
}

/// Accepts for as long as it lives, whatever it is told.
async fn serve(listener: TcpListener, tally: Arc<Tally>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let tally = tally.clone();
                drop(goro::spawn(async move {
                    if let Err(error) = echo(stream).await {
                        tally.note("server", &error);
                    }
                }));
            }
            Err(error) => {
                tally.note("accept", &error);
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buf = vec![0; 4096];
    loop {
        let read = stream.read(&mut buf).await?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(&buf[..read]).await?;
    }
}

/// One client: a few connections, one after the other, with a few requests on each.
async fn ask(client: usize, address: SocketAddr, tally: Arc<Tally>) {
    let few = std::env::var_os("FEW_DESCRIPTORS").is_some();
    for connection in 0..CONNECTIONS {
        let mut open = EXCHANGES;
        let limit = if few { PATIENT } else { LONG };
        match timeout(limit, converse(client + connection, address, &tally, &mut open)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tally.note("client", &error);
                Tally::add(&tally.failed, open);
            }
            Err(elapsed) if few => {
                tally.note("client", &elapsed);
                Tally::add(&tally.failed, open);
            }
            Err(_) => Tally::add(&tally.lost, open),
        }
    }
}

/// Asks and is answered; `open` says how many requests are not.
async fn converse(
    seed: usize,
    address: SocketAddr,
    tally: &Tally,
    open: &mut usize,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    while *open > 0 {
        // From a few bytes to more than the echo takes at once.
        let length = 5 + 2777 * (*open - 1);
        let request: Vec<u8> = (0..length).map(|at| (at * 7 + seed + *open) as u8).collect();
        let mut answer = vec![0; length];
        stream.write_all(&request).await?;
        stream.read_exact(&mut answer).await?;
        *open -= 1;
        Tally::add(if answer == request { &tally.answered } else { &tally.wrong }, 1);
    }
    Ok(())
}

/// Sends itself a signal, and hears it.
async fn hear(tally: Arc<Tally>) {
    match signal(SignalKind::user_defined1()) {
        Ok(mut signals) => {
            let own = rustix::process::getpid();
            if let Err(error) = rustix::process::kill_process(own, rustix::process::Signal::USR1) {
                return tally.note("kill", &error);
            }
            if timeout(LONG, signals.recv()).await.is_err() {
                Tally::add(&tally.lost, 1);
                tally.note("signal", &"not heard");
            }
        }
        Err(error) => tally.note("signal", &error),
    }
}

/// Finds itself by name.
async fn resolve(address: SocketAddr, tally: Arc<Tally>) {
    match timeout(LONG, goro::net::lookup(("localhost", address.port()))).await {
        Ok(Ok(found)) if !found.is_empty() => {}
        Ok(Ok(_)) => Tally::add(&tally.wrong, 1),
        Ok(Err(error)) => tally.note("lookup", &error),
        Err(_) => Tally::add(&tally.lost, 1),
    }
}

/// What the process has used, by the kernel's count in hundredths of a second.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}
