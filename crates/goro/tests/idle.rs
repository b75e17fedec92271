//! A program that waits does nothing: no thread wakes, however many tasks and sockets wait.
#![cfg(all(target_os = "linux", feature = "net"))]
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream};
use goro::runtime::{Builder, Runtime};
use goro::task::JoinHandle;
use goro::time::{Duration, sleep};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::process::Command;

const TASKS: usize = 10_000;
const CONNECTIONS: usize = 1_000;

/// How long nothing may happen, in seconds; 2 unless this variable says otherwise.
const SECONDS: &str = "GORO_IDLE_SECONDS";

/// Says that this is the process in which the test is run alone.
const ALONE: &str = "GORO_IDLE_ALONE";

/// What all threads but this one have done so far.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    threads: usize,
    /// Times they gave up their processor: a thread that wakes up does so to sleep again.
    switches: u64,
    /// Nanoseconds on a processor, where the kernel counts them: a thread that spins gives up
    /// nothing.
    running: u64,
}

impl Done {
    fn by_now() -> Self {
        let here = std::fs::read_link("/proc/thread-self").unwrap();
        let mut done = Self { threads: 0, switches: 0, running: 0 };
        for thread in std::fs::read_dir("/proc/self/task").unwrap() {
            let thread = thread.unwrap().path();
            if thread.file_name() == here.file_name() {
                continue;
            }
            let status = std::fs::read_to_string(thread.join("status")).unwrap();
            let switches = status.lines().find_map(|line| {
                line.strip_prefix("voluntary_ctxt_switches:").map(|count| count.trim().to_owned())
            });
            let schedule = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            done.threads += 1;
            done.switches += switches.unwrap().parse::<u64>().unwrap();
            let running = schedule.split_whitespace().next().map(str::parse::<u64>);
            done.running += running.and_then(Result::ok).unwrap_or_default();
        }
        done
    }
}

/// Waits until everything has settled: nothing was done for a tenth of a second.
fn settled() -> Done {
    loop {
        let before = Done::by_now();
        std::thread::sleep(Duration::from_millis(100));
        if before == Done::by_now() {
            return before;
        }
    }
}

type Connection = [JoinHandle<io::Result<u8>>; 2];

/// Both ends of a connection, each held by a task that waits for a byte from the other.
async fn connection(listener: &TcpListener) -> io::Result<Connection> {
    let connect = TcpStream::connect(listener.local_addr()?);
    let (connected, accepted) = futures::future::try_join(connect, listener.accept()).await?;
    let echo = |mut stream: TcpStream, first: bool| async move {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        if first {
            stream.write_all(&byte).await?;
        }
        Ok(byte[0])
    };
    Ok([goro::spawn(echo(connected, false)), goro::spawn(echo(accepted.0, true))])
}

/// Ten thousand tasks that wait, half of them for a time far away, and a thousand connections.
fn crowd(runtime: &Runtime) -> (Vec<JoinHandle<()>>, Vec<Connection>) {
    let tasks = (0..TASKS)
        .map(|n| match n % 2 {
            0 => runtime.spawn(std::future::pending()),
            _ => runtime.spawn(sleep(Duration::from_secs(3_600 + n as u64))),
        })
        .collect();
    let connections = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(connection(&listener).await?);
        }
        Ok::<_, io::Error>(connections)
    });
    (tasks, connections.unwrap())
}

fn stay_idle(seconds: u64) {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let builder = Builder::new().workers(4).blocking_keep_alive(Duration::from_millis(1));
    let runtime = builder.build().unwrap();
    let (tasks, connections) = crowd(&runtime);
    // A thread of the blocking pool has come and gone before the quiet begins.
    runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
    let waiting = TASKS + 2 * CONNECTIONS;
    while runtime.metrics().tasks_parked < waiting || runtime.metrics().sleeping < 4 {
        std::thread::yield_now();
    }
    let before = settled();
    std::thread::sleep(Duration::from_secs(seconds));
    assert_eq!(Done::by_now(), before, "in {seconds} quiet seconds");
    println!("quiet: {before:?}");
    // They do wait, and not for ever: whatever is left of a stream that is dropped is its end.
    let [task, ..] = tasks.as_slice() else { unreachable!("there are ten thousand") };
    task.abort();
    let last = tasks.into_iter().next().unwrap();
    assert!(runtime.block_on(last).unwrap_err().is_cancelled());
    let [one, other] = connections.into_iter().next().unwrap();
    one.abort();
    assert!(runtime.block_on(one).unwrap_err().is_cancelled());
    assert!(runtime.block_on(other).unwrap().is_err(), "the other end was closed");
}

#[test]
fn nothing_moves_while_everything_waits() {
    let seconds = std::env::var(SECONDS).map_or(2, |value| value.parse::<u64>().unwrap());
    if std::env::var_os(ALONE).is_some() {
        return stay_idle(seconds);
    }
    // In a process of its own: other tests' threads would not be still.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_moves_while_everything_waits", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("quiet: "), "{output:#?}");
}
