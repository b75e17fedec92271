//! What a TCP connection that waits takes of memory.
//!
//! The clients live in another process, this program run once more, so that only the server's side
//! is counted, and only what the process holds of it: the kernel's buffers are the same for all.
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Sample;
use crate::mailbox::Countdown;
use crate::meter::{self, Meter};
use crate::rival::{Rival, drive};

/// The hidden first argument that makes the program the clients.
pub const CLIENT: &str = "connect";

/// Connections before the first look at the memory.
const WARM_UP: usize = 100;

/// Descriptors that are kept for other things.
const SPARE: u64 = 200;

/// How long the tasks may take to come to their reads.
const SETTLE: Duration = Duration::from_millis(100);

/// So many connections, or as many as there may be descriptors, each with a task that has greeted
/// its client and reads.
pub fn idle<R: Rival>(rival: R, connections: usize) -> Sample {
    let connections = connections.min(room());
    let (greeted, bytes, reading) = drive(rival, async move {
        let (listener, address) = rival.listen().await.expect("loopback works");
        let clients = start_clients(address, WARM_UP + connections).expect("clients start");
        serve(rival, &listener, WARM_UP).await;
        let before = meter::resident();
        let meter = Meter::start();
        let greeted = serve(rival, &listener, connections).await;
        let reading = meter.stop();
        let bytes = meter::resident().saturating_sub(before);
        stop_clients(clients);
        (greeted, bytes, reading)
    });
    let each = |total: u128| total as f64 / connections as f64;
    let values = vec![each(bytes.into()), each(reading.cpu.as_nanos())];
    Sample { checksum: greeted, values }
}

/// Accepts so many and waits until each of them is read from.
async fn serve<R: Rival>(rival: R, listener: &R::Listener, connections: usize) -> u64 {
    let everyone = Countdown::of(connections);
    let mut accepted = 0;
    for _ in 0..connections {
        let mut stream = R::accept(listener).await.expect("accept");
        let everyone = std::sync::Arc::clone(&everyone);
        rival.spawn_detached(async move {
            R::write_all(&mut stream, &[1]).await.expect("greet");
            everyone.finish();
            let _ = R::read(&mut stream, &mut [0; 64]).await;
        });
        accepted += 1;
    }
    everyone.wait().await;
    rival.sleep(SETTLE).await;
    accepted
}

/// How many connections there may be, having asked for as many as this user can have.
pub fn room() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let soft = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, soft).expect("up to the hard limit it is granted");
    let most = limit.maximum.map_or(usize::MAX as u64, |most| most.saturating_sub(SPARE));
    usize::try_from(most).unwrap_or(usize::MAX)
}

fn start_clients(to: SocketAddr, count: usize) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args([CLIENT, &to.to_string(), &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
}

/// They go when their standard input ends.
fn stop_clients(mut clients: Child) {
    drop(clients.stdin.take());
    clients.wait().expect("a child can be waited for");
}

/// The clients: connects so often, one after another, and keeps all until its input ends.
///
/// # Errors
///
/// What is wrong with the arguments or with a connection, in words.
pub fn client(arguments: &[String]) -> Result<(), String> {
    let usage = || format!("{CLIENT} ADDRESS COUNT");
    let [address, count] = arguments else { return Err(usage()) };
    let address: SocketAddr = address.parse().map_err(|_| usage())?;
    let count: usize = count.parse().map_err(|_| usage())?;
    room();
    let connect = |_| {
        let mut stream = TcpStream::connect(address)?;
        // Waits for the greeting, so that the server's backlog never overflows.
        stream.read_exact(&mut [0])?;
        io::Result::Ok(stream)
    };
    let streams = (0..count).map(connect).collect::<io::Result<Vec<_>>>();
    let streams = streams.map_err(|error| format!("the clients: {error}"))?;
    io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
    drop(streams);
    io::stdout().flush().map_err(|error| error.to_string())
}
