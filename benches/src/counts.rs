//! Instructions per operation, counted by callgrind: the same for the same program, whatever else
//! the machine is doing, so a change of some per cent shows.
//!
//! Each operation is run twice, in a process of its own under callgrind, with one worker; what the
//! longer run has more, divided by how many operations it has more, is the count. Only the worker's
//! thread counts: the monitor's ticks go by the clock. Of some such pairs the least is taken.
use std::env;
use std::fs;
use std::future::poll_fn;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{Command, ExitCode, Stdio};
use std::task::Poll;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream};

use crate::mailbox::Mailbox;

/// The first argument of a process that counts, and of one that is counted.
pub const COMMAND: &str = "counts";
/// See [`COMMAND`].
pub const COUNTED: &str = "counted";

/// What a count may rise by before the check fails.
const MOST_RISE: f64 = 0.03;

/// Operations in the shorter and in the longer run, and how many pairs of runs.
const RUNS: [usize; 2] = [5_000, 25_000];
const PAIRS: usize = 3;

/// The operations, and what one is.
const OPERATIONS: &[(&str, &str)] = &[
    ("spawn_join", "a task of no work: spawned, run, joined"),
    ("wake_poll", "a task wakes itself and is polled again"),
    ("park_wake", "half a round trip between two tasks: one parks, the other wakes it"),
    ("timer", "a sleep: armed at its first poll, disarmed when it is dropped"),
    ("echo", "64 bytes over a loopback connection and back, the kernel left out"),
];

/// Runs one operation so many times: `OPERATION TIMES`.
///
/// # Errors
/// What is wrong with the arguments, or the runtime.
pub fn be_counted(arguments: &[String]) -> Result<(), String> {
    let [name, times] = arguments else { return Err("counted OPERATION TIMES".into()) };
    let times: usize = times.parse().map_err(|_| format!("{times}: not a number"))?;
    let watched = env::var_os("GORO_UNWATCHED").is_none();
    // No spare, which would take work over from a worker that callgrind slows down.
    let builder = goro::runtime::Builder::new().workers(1).monitor(watched).stall_spares(0);
    let runtime = builder.build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let name = name.clone();
    runtime.block_on(async move {
        let done = goro::spawn(async move { operate(&name, times).await }).await;
        done.map_err(|error| error.to_string())?
    })
}

async fn operate(name: &str, times: usize) -> Result<(), String> {
    match name {
        "spawn_join" => {
            for _ in 0..times / 50 {
                let tasks: Vec<_> = (0..50).map(|n| goro::spawn(async move { n })).collect();
                for task in tasks {
                    black_box(task.await).map_err(|error| error.to_string())?;
                }
            }
        }
        "wake_poll" => {
            let mut left = times;
            poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        "park_wake" => {
            let (ping, pong) = (Mailbox::shared(), Mailbox::shared());
            let (inbox, outbox) = (ping.clone(), pong.clone());
            let other = goro::spawn(async move {
                for _ in 0..times / 2 {
                    outbox.send(inbox.receive().await + 1);
                }
            });
            let mut value = 1;
            for _ in 0..times / 2 {
                ping.send(value);
                value = pong.receive().await;
            }
            black_box(value);
            other.await.map_err(|error| error.to_string())?;
        }
        "echo" => echo(times).await.map_err(|error| error.to_string())?,
        "timer" => {
            for _ in 0..times {
                let mut sleep = pin!(goro::time::sleep(Duration::from_secs(3600)));
                poll_fn(|cx| {
                    assert!(sleep.as_mut().poll(cx).is_pending(), "an hour has not passed");
                    Poll::Ready(())
                })
                .await;
            }
        }
        _ => return Err(format!("{name}: no such operation")),
    }
    Ok(())
}

async fn echo(times: usize) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let (mut server, _) = listener.accept().await?;
    let served = goro::spawn(async move {
        let mut message = [0; 64];
        for _ in 0..times {
            server.read_exact(&mut message).await?;
            server.write_all(&message).await?;
        }
        Ok::<(), io::Error>(())
    });
    let mut message = [0; 64];
    for _ in 0..times {
        client.write_all(&message).await?;
        client.read_exact(&mut message).await?;
    }
    served.await.map_err(io::Error::other)?
}

/// Counts all operations and compares them with `counts.txt` beside this package's manifest; with
/// `--write`, writes them there instead. Exits with 1 if one has risen by more than 3 %.
///
/// # Errors
/// Callgrind is missing or failed, or the file is.
pub fn check(arguments: &[String]) -> Result<ExitCode, String> {
    let write = match arguments {
        [] => false,
        [word] if word == "--write" => true,
        _ => return Err("counts [--write]".into()),
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.txt");
    let compiler = env!("GORO_BENCH_RUSTC");
    let mut text = format!("{HEADER}# {compiler}\n");
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    if !write && !recorded.lines().any(|line| line == format!("# {compiler}")) {
        println!("counts.txt was written with another compiler than {compiler}:");
        println!("the comparison says what both changed; write it again if that is the reason");
    }
    let mut risen = 0;
    for (name, about) in OPERATIONS {
        let count = count(name)?;
        text += &format!("{name:12} {count:6.0}   {about}\n");
        let before = recorded_count(&recorded, name);
        let ratio = before.map(|before| count / before);
        let verdict = match ratio {
            _ if write => "",
            None => "  NOT RECORDED",
            Some(ratio) if ratio > 1.0 + MOST_RISE => "  RISEN",
            Some(ratio) if ratio < 1.0 - MOST_RISE => "  fallen: write it down",
            Some(_) => "",
        };
        risen += usize::from(verdict == "  RISEN" || verdict == "  NOT RECORDED");
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:6.3}"));
        println!("{name:12} {count:8.1} instructions {ratio}{verdict}");
    }
    if write {
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    } else if risen > 0 {
        println!("{risen} above what benches/counts.txt allows (3 % more than it says).");
        println!(
            "If the rise is worth it: `goro-bench counts --write`, and say why in the commit."
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

const HEADER: &str = "\
# Instructions per operation, one worker, release profile, counted by callgrind.
# Written by `goro-bench counts --write`; `.ci/run counts` fails if one rises by more than 3 %.
";

fn recorded_count(text: &str, name: &str) -> Option<f64> {
    let mut rows = text.lines().map(str::split_whitespace);
    rows.find_map(|mut words| (words.next() == Some(name)).then(|| words.next()?.parse().ok())?)
}

/// Instructions of one operation.
fn count(name: &str) -> Result<f64, String> {
    let mut least = f64::MAX;
    for _ in 0..PAIRS {
        let [short, long] = RUNS.map(|times| instructions(name, times));
        least = least.min((long? - short?) / (RUNS[1] - RUNS[0]) as f64);
    }
    Ok(least)
}

/// Instructions of the busiest thread, which is the worker.
fn instructions(name: &str, times: usize) -> Result<f64, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let out = env::temp_dir().join(format!("goro-counts-{}", std::process::id()));
    fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let files = out.join("callgrind");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", files.display()))
        .arg(own)
        .args([COUNTED, name, &times.to_string()])
        .stderr(Stdio::null())
        .status();
    let status = status.map_err(|error| format!("valgrind, from Debian's package: {error}"))?;
    let totals = totals(&out);
    fs::remove_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    if !status.success() {
        return Err(format!("valgrind on {name}: {status}"));
    }
    totals?.into_iter().reduce(f64::max).ok_or_else(|| "callgrind wrote no totals".into())
}

/// The total of each thread's file.
fn totals(folder: &Path) -> Result<Vec<f64>, String> {
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut totals = Vec::new();
    for file in files {
        let file = file.map_err(|error| error.to_string())?.path();
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        totals.extend(total.and_then(|total| total.trim().parse::<f64>().ok()));
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::{OPERATIONS, be_counted, recorded_count};

    #[test]
    fn every_operation_runs() {
        for (name, _) in OPERATIONS {
            be_counted(&[(*name).to_owned(), "100".to_owned()]).unwrap();
        }
        be_counted(&["nothing".to_owned(), "100".to_owned()]).unwrap_err();
    }

    #[test]
    fn every_operation_has_its_count_on_record() {
        let recorded = include_str!("../counts.txt");
        for (name, _) in OPERATIONS {
            assert!(recorded_count(recorded, name).is_some_and(|count| count > 10.0), "{name}");
        }
        assert_eq!(recorded_count(recorded, "Instructions"), None);
    }
}
