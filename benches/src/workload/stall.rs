//! Polls that go on for long, and how late everybody else is meanwhile.
//!
//! A hundred tasks sleep a millisecond at a time and a connection echoes one message a millisecond,
//! beside tasks that do not come back from a poll for a while, again and again.
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Sample;
use crate::mailbox::Mailbox;
use crate::rival::{Rival, drive};
use crate::stats::percentile;

const SLEEPERS: usize = 100;
const NAP: Duration = Duration::from_millis(1);
const MESSAGE: usize = 64;

/// What a long poll does.
#[derive(Clone, Copy)]
pub enum Poll {
    /// Computes for 50 ms.
    Computes,
    /// Sleeps in the kernel for 100 ms.
    Sleeps,
}

impl Poll {
    fn go_on(self) {
        match self {
            Self::Computes => {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(50) {}
            }
            Self::Sleeps => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// How late sleepers wake, and how long an echo takes, beside so many long polls for so many
/// milliseconds. The checksum counts who has come to the end.
pub fn stall<R: Rival>(rival: R, hogs: usize, poll: Poll, millis: usize) -> Sample {
    let (ended, late, echoes) = drive(rival, async move {
        let end = Instant::now() + Duration::from_millis(millis as u64);
        measure(rival, hogs, poll, end).await.expect("loopback works")
    });
    let mut values = Vec::new();
    for mut nanos in [late, echoes] {
        nanos.sort_unstable();
        values.extend([99, 100].map(|percent| percentile(&nanos, percent) as f64 / 1e3));
    }
    Sample { checksum: ended, values }
}

/// How late a task runs that was woken by one which then blocks for 20 ms, again and again. The other
/// workers have nothing to do.
pub fn woken<R: Rival>(rival: R, rounds: usize) -> Sample {
    let begin = Instant::now();
    let late = drive(rival, async move {
        let mut late = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let (call, answer) = (Mailbox::shared(), Mailbox::shared());
            let (heard, answered) = (call.clone(), answer.clone());
            let sleeper = rival.spawn(async move {
                let woken = heard.receive().await;
                let late = nanos(begin.elapsed()).saturating_sub(woken);
                answered.send(1);
                late
            });
            // It waits by the time that it is woken.
            rival.sleep(NAP).await;
            let blocker = rival.spawn(async move {
                call.send(nanos(begin.elapsed()));
                thread::sleep(Duration::from_millis(20));
            });
            late.push(sleeper.await);
            blocker.await;
            answer.receive().await;
        }
        late
    });
    let mut sorted = late;
    sorted.sort_unstable();
    let values = [99, 100].map(|percent| percentile(&sorted, percent) as f64 / 1e3).into();
    Sample { checksum: sorted.len() as u64, values }
}

async fn measure<R: Rival>(
    rival: R,
    hogs: usize,
    poll: Poll,
    end: Instant,
) -> io::Result<(u64, Vec<u64>, Vec<u64>)> {
    let (listener, address) = rival.listen().await?;
    rival.spawn_detached(async move {
        let stream = R::accept(&listener).await.expect("accept");
        serve::<R>(stream).await.expect("serve");
    });
    let stream = rival.connect(address).await?;
    let echo = rival.spawn(async move { ask(rival, stream, end).await.expect("echo") });
    let sleepers: Vec<_> = (0..SLEEPERS).map(|_| rival.spawn(naps(rival, end))).collect();
    rival.sleep(Duration::from_millis(20)).await;
    let over = Arc::new(AtomicBool::new(false));
    let hogs: Vec<_> = (0..hogs)
        .map(|_| {
            let over = over.clone();
            rival.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    poll.go_on();
                    rival.yield_now().await;
                }
            })
        })
        .collect();
    let (mut ended, mut late) = (0, Vec::new());
    for sleeper in sleepers {
        late.extend(sleeper.await);
        ended += 1;
    }
    let echoes = echo.await;
    over.store(true, Ordering::Relaxed);
    for hog in hogs {
        hog.await;
        ended += 1;
    }
    Ok((ended, late, echoes))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

async fn naps<R: Rival>(rival: R, end: Instant) -> Vec<u64> {
    let mut late = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        rival.sleep(NAP).await;
        late.push(nanos(start.elapsed().saturating_sub(NAP)));
    }
    late
}

async fn ask<R: Rival>(rival: R, mut stream: R::Stream, end: Instant) -> io::Result<Vec<u64>> {
    let (mut taken, mut message) = (Vec::new(), [7; MESSAGE]);
    while Instant::now() < end {
        rival.sleep(NAP).await;
        let start = Instant::now();
        R::write_all(&mut stream, &message).await?;
        let mut filled = 0;
        while filled < MESSAGE {
            match R::read(&mut stream, &mut message[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        taken.push(nanos(start.elapsed()));
    }
    Ok(taken)
}

async fn serve<R: Rival>(mut stream: R::Stream) -> io::Result<()> {
    let mut buffer = [0; MESSAGE];
    loop {
        match R::read(&mut stream, &mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => R::write_all(&mut stream, &buffer[..count]).await?,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
