//! An echo server with more and more connections. The clients are another process, with one thread of
//! tokio's whoever serves.
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::meter::Meter;
use crate::rival::{Goro, Rival, Tokio, drive};
use crate::stats::curve;
use crate::workload::{Sample, descriptors, echoes};

/// The hidden first argument that makes the program the clients.
pub const LOAD: &str = "load";

const WORKERS: usize = 2;
const MESSAGE: usize = 64;
/// Requests over all connections, at least.
const REQUESTS: usize = 20_000;
/// Requests of each connection, at least.
const EACH: usize = 2;

pub(super) fn sample(column: &str, connections: usize) -> Option<Sample> {
    let connections = connections.min(descriptors());
    Some(match column {
        "goro" => measure(Goro::start(WORKERS), connections),
        "tokio" => measure(Tokio::start(WORKERS), connections),
        _ => return None,
    })
}

fn measure<R: Rival>(rival: R, connections: usize) -> Sample {
    let address = drive(rival, async move {
        let (listener, address) = rival.listen().await.expect("loopback works");
        rival.spawn_detached(async move {
            loop {
                let stream = R::accept(&listener).await.expect("accept");
                rival.spawn_detached(async move { echoes::<R>(stream).await.expect("serve") });
            }
        });
        address
    });
    let each = (REQUESTS / connections).max(EACH);
    let (told, cpu) = drive_clients(address, connections, each).expect("the clients run");
    let requests = (connections * each) as f64;
    let [time, p50, p99] = told;
    let values = vec![time, p50, p99, cpu / requests];
    Sample { checksum: (connections * each) as u64, values }
}

/// What the clients told, and the CPU nanoseconds that this process took meanwhile.
fn drive_clients(to: SocketAddr, connections: usize, each: usize) -> io::Result<([f64; 3], f64)> {
    let arguments =
        [LOAD, &to.to_string(), &connections.to_string(), &each.to_string()].map(str::to_owned);
    let mut clients = Command::new(env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = BufReader::new(clients.stdout.take().expect("it is piped"));
    let mut line = String::new();
    said.read_line(&mut line)?;
    let meter = Meter::start();
    clients.stdin.take().expect("it is piped").write_all(b"go\n")?;
    line.clear();
    said.read_line(&mut line)?;
    let cpu = meter.stop().cpu;
    clients.wait()?;
    let told: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let told = <[f64; 3]>::try_from(told).map_err(|_| io::Error::other("the clients failed"))?;
    Ok((told, cpu.as_nanos() as f64))
}

/// The clients: `ADDRESS CONNECTIONS EACH`. They connect, say so, wait for a line, and send so many
/// requests each. Prints nanoseconds a request, and two percentiles in microseconds.
///
/// # Errors
///
/// What is wrong with the arguments or with a connection, in words.
pub fn load(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("{LOAD} ADDRESS CONNECTIONS EACH");
    let [address, connections, each] = arguments else { return Err(usage()) };
    let address: SocketAddr = address.parse().map_err(|_| usage())?;
    let connections: usize = connections.parse().map_err(|_| usage())?;
    let each: usize = each.parse().map_err(|_| usage())?;
    descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let all = runtime.block_on(all(address, connections, each));
    let (nanos, took) = all.map_err(|error| format!("the clients: {error}"))?;
    let requests = nanos.len() as f64;
    let [p50, _, p99, ..] = curve(nanos);
    println!("{} {} {}", took / requests, p50 as f64 / 1e3, p99 as f64 / 1e3);
    Ok(())
}

async fn all(to: SocketAddr, connections: usize, each: usize) -> io::Result<(Vec<u64>, f64)> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        // Once before it counts, so that the server's backlog never overflows.
        ask(&mut stream, 1).await?;
        streams.push(stream);
    }
    println!("ready");
    io::stdin().read_line(&mut String::new())?;
    let began = Instant::now();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|mut stream| tokio::spawn(async move { ask(&mut stream, each).await }))
        .collect();
    let mut nanos = Vec::with_capacity(connections * each);
    for client in clients {
        nanos.extend(client.await.map_err(io::Error::other)??);
    }
    Ok((nanos, began.elapsed().as_nanos() as f64))
}

async fn ask(stream: &mut TcpStream, requests: usize) -> io::Result<Vec<u64>> {
    let (mut nanos, mut message) = (Vec::with_capacity(requests), [7; MESSAGE]);
    for _ in 0..requests {
        let began = Instant::now();
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        nanos.push(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(nanos)
}
