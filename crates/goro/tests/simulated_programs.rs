//! Programs drawn from a seed, over tasks, timers, jobs and sockets, on a machine and a network drawn
//! from the same: whatever they do and whatever befalls them, nothing is lost, nothing is done twice,
//! and nothing is left when all is quiet.
//!
//! `.ci/run simulator` runs ten thousand of them; `GORO_SEED` runs one, `GORO_SEEDS` so many.
#![cfg(all(feature = "net", feature = "sim"))]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::{AsyncReadExt, AsyncWriteExt, future};
use goro::net::{TcpListener, TcpStream};
use goro::sim::net::{self, Conditions};
use goro::sim::{Faults, Sim, busy, explore, wait_quiescent};
use goro::task::{AbortHandle, JoinHandle, yield_now};
use goro::time::{now, sleep, timeout};
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Under so many seeds, unless the step or the reader says otherwise.
const SEEDS: u64 = 150;
const SERVERS: u64 = 3;
const PORT: u16 = 80;
const SECOND: Duration = Duration::from_secs(1);

/// A small generator, so that programs stay what they are whatever the runtime draws.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// What happens to a program beside what it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Nothing.
    Calm,
    /// What a program has to bear without noticing.
    Rough,
    /// Connections are reset and cut off, and transfers fail.
    Storm,
}

/// What all tasks of a program share and count.
struct Counts {
    weather: Weather,
    /// Futures and jobs, made and dropped.
    made: AtomicUsize,
    dropped: AtomicUsize,
    /// Those that a panic has ended; perhaps nobody has waited for them.
    panicked: AtomicUsize,
    /// Closures run, of those that were accepted; none twice.
    jobs: AtomicUsize,
    /// Requests that were answered, and that ended in an error.
    answered: AtomicUsize,
    failed: AtomicUsize,
    cancelled: AtomicUsize,
    aborts: Mutex<Vec<AbortHandle>>,
}

struct Alive(Arc<Counts>);

impl Alive {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.made.fetch_add(1, Ordering::Relaxed);
        Self(counts.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
        if std::thread::panicking() {
            self.0.panicked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn server(number: u64) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, 10 + number as u8))
}

/// Sends back what comes, until its client has said all.
async fn echo(mut stream: TcpStream, counts: Arc<Counts>, mut draw: Draw) -> io::Result<()> {
    let _alive = Alive::new(&counts);
    let mut bytes = vec![0; 1 + draw.below(300) as usize];
    loop {
        // A client that has vanished says nothing for ever.
        let read = timeout(600 * SECOND, stream.read(&mut bytes)).await??;
        if read == 0 {
            return stream.close().await;
        }
        if draw.below(10) == 0 {
            sleep(Duration::from_micros(draw.below(500))).await;
        }
        stream.write_all(&bytes[..read]).await?;
    }
}

/// Serves on its host until it is aborted. Nobody but the weather may end a connection.
async fn serve(counts: Arc<Counts>, mut draw: Draw) {
    let _alive = Alive::new(&counts);
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (counts, draw) = (counts.clone(), Draw(draw.next()));
        goro::spawn(async move {
            // A client may be aborted at any moment, so an error proves nothing here.
            let _ended = echo(stream, counts, draw).await;
        });
    }
}

/// Asks a server for some bytes back, as a client with a deadline does.
async fn request(counts: &Counts, draw: &mut Draw) {
    let sent: Vec<u8> = (0..draw.below(3_000)).map(|at| (at * 7 + draw.0 % 251) as u8).collect();
    let to = SocketAddr::new(server(draw.below(SERVERS)), PORT);
    let (part, whole) = (1 + draw.below(400) as usize, sent.len());
    let mut back = Vec::new();
    let ended = async {
        let (mut from, mut to) = TcpStream::connect(to).await?.into_split();
        let send = async {
            for bytes in sent.chunks(part) {
                to.write_all(bytes).await?;
            }
            to.close().await
        };
        future::try_join(send, from.read_to_end(&mut back)).await
    };
    // Where a reset was lost behind a partition, nothing comes for ever.
    let ended = timeout(600 * SECOND, ended).await.unwrap_or_else(|late| Err(late.into()));
    assert!(sent.starts_with(&back), "something else came back");
    match ended {
        Ok(_) => {
            assert_eq!(back.len(), whole, "cut short without a word");
            counts.answered.fetch_add(1, Ordering::Relaxed);
        }
        Err(error) => {
            assert!(counts.weather == Weather::Storm, "in fair weather: {error}");
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn job(counts: &Arc<Counts>) {
    let (alive, counted) = (Alive::new(counts), counts.clone());
    let job = goro::spawn_blocking(move || {
        let _alive = alive;
        counted.jobs.fetch_add(1, Ordering::Relaxed)
    });
    job.await.expect("jobs are refused to nobody here");
}

async fn nap(draw: &mut Draw) {
    let (nap, began) = (Duration::from_nanos(draw.below(5_000_000)), now());
    sleep(nap).await;
    assert!(now() - began >= nap, "woken early");
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

fn client(counts: Arc<Counts>, seed: u64, depth: u64) -> Body {
    let alive = Alive::new(&counts);
    Box::pin(async move {
        let _alive = alive;
        let mut draw = Draw(seed);
        let mut children: Vec<JoinHandle<()>> = Vec::new();
        for _ in 0..draw.below(7) {
            match draw.below(16) {
                0..=2 => yield_now().await,
                3..=4 => nap(&mut draw).await,
                5 => busy(Duration::from_micros(draw.below(3_000))),
                6..=8 if depth > 0 => {
                    let child = goro::spawn(client(counts.clone(), draw.next(), depth - 1));
                    if draw.below(4) == 0 {
                        counts.aborts.lock().unwrap().push(child.abort_handle());
                    }
                    children.push(child);
                }
                9 => {
                    let abort = counts.aborts.lock().unwrap().pop();
                    abort.iter().for_each(AbortHandle::abort);
                }
                10 => job(&counts).await,
                11 => {
                    // Given up in the middle, wherever that is.
                    let patience = Duration::from_micros(draw.below(2_000));
                    let _late = timeout(patience, request(&counts, &mut draw)).await;
                }
                12..=14 => request(&counts, &mut draw).await,
                _ => drop(children.pop()),
            }
        }
        for child in children {
            match child.await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => {
                    counts.cancelled.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
}

/// Cuts hosts off and heals them, and resets connections, for a while.
async fn storm(mut draw: Draw) {
    for _ in 0..draw.below(12) {
        sleep(Duration::from_micros(draw.below(3_000))).await;
        let connections = net::connections();
        match draw.below(4) {
            0 => net::partition(net::HERE, server(draw.below(SERVERS))),
            1 => net::heal_all(),
            _ if connections.is_empty() => {}
            2 => {
                let chosen = connections[draw.below(connections.len() as u64) as usize];
                assert_eq!(net::reset(chosen.0), 1);
            }
            _ => {
                let chosen = connections[draw.below(connections.len() as u64) as usize];
                assert_eq!(net::vanish(chosen.0), 1);
            }
        }
    }
    net::heal_all();
}

/// The machine and the network that the seed says.
fn surroundings(sim: Sim, draw: &mut Draw, weather: Weather) -> Sim {
    let millis = Duration::from_millis;
    let latency = [(0, 1), (1, 3), (20, 60)][draw.below(3) as usize];
    let conditions = Conditions::new()
        .latency(millis(latency.0)..millis(latency.1))
        .bandwidth([None, Some(100_000), Some(2_000_000)][draw.below(3) as usize])
        .window([64, 1_000, 64 * 1024][draw.below(3) as usize])
        .backlog([1, 4, 128][draw.below(3) as usize])
        .give_up(30 * SECOND);
    let sim = match draw.below(4) {
        0 => sim.monitor(false),
        _ => sim,
    };
    match weather {
        Weather::Calm => sim.network(conditions),
        Weather::Rough => {
            let conditions = conditions.short_once_in(3).lose_once_in(50);
            sim.network(conditions).faults(Faults::bearable())
        }
        Weather::Storm => {
            let faults = Faults::bearable().failed_transfers(100).failed_connects(30);
            sim.network(conditions.short_once_in(5).lose_once_in(20)).faults(faults)
        }
    }
}

async fn program(counts: Arc<Counts>, mut draw: Draw) {
    let servers = (0..SERVERS)
        .map(|number| {
            let serve = serve(counts.clone(), Draw(draw.next()));
            goro::spawn(net::on(server(number), serve)).abort_on_drop()
        })
        .collect::<Vec<_>>();
    // The clients come when everybody listens.
    wait_quiescent().await;
    let weather = (counts.weather == Weather::Storm).then(|| goro::spawn(storm(Draw(draw.next()))));
    let clients: Vec<_> = (0..1 + draw.below(4))
        .map(|_| goro::spawn(client(counts.clone(), draw.next(), 2)))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    if let Some(weather) = weather {
        weather.await.unwrap();
    }
    // Clients that nobody has waited for come to their ends, and what has vanished is given up.
    sleep(3_600 * SECOND).await;
    drop(servers);
    wait_quiescent().await;
    let metrics = goro::runtime::Handle::current().metrics();
    if metrics.tasks_live > 0 {
        // Whoever is left is named as waiting for ever.
        std::future::pending::<()>().await;
    }
    assert_eq!(metrics.injected, 0, "what is left has never run");
    assert_eq!(net::connections(), [], "connections are left");
}

#[test]
fn every_program_comes_to_rest_with_nothing_left() {
    let mut seen = [0; 5];
    explore(SEEDS, |sim| {
        let mut draw = Draw(!sim.seed());
        let weather = [Weather::Calm, Weather::Rough, Weather::Storm][draw.below(3) as usize];
        let counts = Arc::new(Counts {
            weather,
            made: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            panicked: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            aborts: Mutex::default(),
        });
        let sim = surroundings(sim, &mut draw, weather);
        sim.run(program(counts.clone(), draw)).unwrap();
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert_eq!(count(&counts.made), count(&counts.dropped), "a future or a job is left");
        assert_eq!(count(&counts.panicked), 0, "a task has panicked");
        let numbers = [&counts.made, &counts.jobs, &counts.answered, &counts.failed];
        for (seen, number) in seen.iter_mut().zip(numbers.map(count)) {
            *seen += number;
        }
        seen[4] += count(&counts.cancelled);
    });
    if std::env::var_os("GORO_SEED").is_none() {
        println!("made, jobs, answered, failed, cancelled: {seen:?}");
        assert!(seen.iter().all(|&number| number > 5), "dull programs: {seen:?}");
    }
}
