//! What the monitor sees to: work, timers and sockets behind a worker that does not come round.
//!
//! A poll that blocks here ends only when what it waits for has happened elsewhere; with a monitor
//! that does not see to it, the test hangs.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_context::Op;
use goro_reactor::Direction;
use goro_runtime::driver::scripted::Scripted;
use goro_runtime::task::{self, yield_now};
use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn};
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(20);

fn workers(count: usize) -> Runtime {
    Builder::new().workers(count).build().unwrap()
}

fn script(workers: usize, seed: u64) -> Scripted {
    Builder::new().workers(workers).build_scripted(Some(seed)).unwrap()
}

/// Tells a channel that it was woken.
struct Tell(mpsc::Sender<()>);

impl Wake for Tell {
    fn wake(self: Arc<Self>) {
        let _gone = self.0.send(());
    }
}

fn telling() -> (Waker, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    (Waker::from(Arc::new(Tell(sender))), receiver)
}

/// Polls `future` once with `waker`.
fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Pitfall 47: what a task has spawned before it blocks its worker is run by another.
#[test]
fn what_stands_behind_a_long_poll_is_run_by_a_sleeper() {
    let runtime = workers(2);
    for count in 1..20 {
        let (done, wait) = mpsc::channel();
        let blocked = runtime.spawn(async move {
            for _ in 0..count {
                let done = done.clone();
                drop(spawn(async move { done.send(()).unwrap() }));
            }
            (0..count).all(|_| wait.recv_timeout(LONG).is_ok())
        });
        assert!(block_on(blocked).unwrap(), "{count} tasks behind it");
    }
}

#[test]
fn the_timers_of_a_stuck_worker_fire() {
    let runtime = workers(1);
    let fired = runtime.spawn(async {
        let (waker, woken) = telling();
        let mut nap = sleep(SOON);
        assert!(poll_once(&mut nap, &waker).is_pending());
        woken.recv_timeout(LONG).is_ok()
    });
    assert!(block_on(fired).unwrap());
}

#[test]
fn the_timers_of_outsiders_fire_while_every_worker_is_stuck() {
    let runtime = workers(1);
    let (release, released) = mpsc::channel::<()>();
    let (began, begin) = mpsc::channel();
    let stuck = runtime.spawn(async move {
        began.send(()).unwrap();
        released.recv_timeout(LONG).is_ok()
    });
    begin.recv().unwrap();
    runtime.block_on(sleep(SOON));
    release.send(()).unwrap();
    assert!(block_on(stuck).unwrap());
}

/// One end of a pair of sockets, watched by a runtime's reactor.
struct Watched {
    source: mio::net::UnixStream,
    registration: goro_reactor::Registration,
}

impl Watched {
    fn pair(runtime: &Runtime) -> (Self, UnixStream) {
        let (here, there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let mut source = mio::net::UnixStream::from_std(here);
        let reactor = runtime.handle().reactor().unwrap();
        let registration = reactor.register(&mut source).unwrap();
        (Self { source, registration }, there)
    }

    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        let read = || (&self.source).read(&mut [0_u8; 8]);
        self.registration.poll_io(cx, Direction::Read, Op::Readable, read)
    }
}

/// Pitfall 64: one blocked task holds the driver, and there is no spare that would have it instead.
#[test]
fn the_reactor_is_turned_while_every_worker_is_stuck() {
    let runtime = Builder::new().workers(1).stall_spares(0).build().unwrap();
    let (watched, mut there) = Watched::pair(&runtime);
    let (began, begin) = mpsc::channel();
    let stuck = runtime.spawn(async move {
        let (waker, woken) = telling();
        let mut cx = Context::from_waker(&waker);
        assert!(watched.poll_read(&mut cx).is_pending());
        began.send(()).unwrap();
        woken.recv_timeout(LONG).is_ok() && watched.poll_read(&mut cx).is_ready()
    });
    begin.recv().unwrap();
    there.write_all(b"x").unwrap();
    assert!(block_on(stuck).unwrap());
}

/// Waits on a plain thread for a deadline that this runtime keeps; false when it never came.
fn outsider_waits(handle: &goro_runtime::Handle, time: Duration) -> bool {
    let _inside = handle.enter();
    let (waker, woken) = telling();
    let mut nap = sleep(time);
    poll_once(&mut nap, &waker).is_ready() || woken.recv_timeout(LONG).is_ok()
}

/// A worker that runs dry just while the monitor looks at the reactor must not be the last one to
/// have thought of it.
#[test]
fn somebody_minds_outsiders_whenever_a_worker_runs_dry() {
    let runtime = workers(1);
    for round in 0..400_u64 {
        let handle = runtime.handle().clone();
        // A little longer than a period: the worker lies down as the monitor looks, now and then.
        let busy = Duration::from_micros(950 + round % 100);
        drop(runtime.spawn(async move { handle.busy(busy) }));
        assert!(outsider_waits(runtime.handle(), Duration::from_millis(3)), "round {round}");
    }
}

/// The same with every choice drawn from a seed: who lies down when, and who finds the place taken.
#[test]
fn no_deadline_of_an_outsider_is_forgotten_whatever_the_order() {
    for seed in 0..400 {
        let mut script = script(1 + (seed % 3) as usize, seed);
        let handle = script.handle();
        let mut naps = Vec::new();
        for round in 0..20_u64 {
            let (waker, woken) = telling();
            let mut nap = {
                let _inside = handle.enter();
                sleep(Duration::from_micros((seed * 31 + round * 977) % 3_000 + 1))
            };
            {
                let _inside = handle.enter();
                assert!(poll_once(&mut nap, &waker).is_pending());
            }
            naps.push((nap, woken));
            let busy = handle.clone();
            drop(handle.spawn(async move {
                busy.busy(Duration::from_micros(seed % 7 * 150));
                sleep(Duration::from_micros(round * 61)).await;
            }));
            for _ in 0..(seed + round) % 23 {
                script.step();
            }
        }
        script.run_until_stalled();
        for (round, (_, woken)) in naps.iter().enumerate() {
            assert!(woken.try_recv().is_ok(), "seed {seed}: deadline {round} was forgotten");
        }
    }
}

/// Timers are looked at between two polls every 61 polls, which is late when polls are slow.
#[test]
fn a_slow_worker_is_asked_to_look_at_its_timers() {
    let mut script = script(1, 3);
    let handle = script.handle();
    script
        .run(async move {
            let over = Arc::new(AtomicBool::new(false));
            let slow: Vec<_> = (0..8)
                .map(|_| {
                    let (handle, over) = (handle.clone(), over.clone());
                    spawn(async move {
                        while !over.load(Ordering::Relaxed) {
                            handle.busy(Duration::from_micros(700));
                            yield_now().await;
                        }
                    })
                })
                .collect();
            for _ in 0..10 {
                let due = now() + SOON;
                sleep(SOON).await;
                // By the clock of the script: a period to notice, one to be asked, and the polls
                // that stand before.
                assert!(now() - due < Duration::from_millis(10), "late by {:?}", now() - due);
            }
            over.store(true, Ordering::Relaxed);
            for task in slow {
                task.await.unwrap();
            }
        })
        .unwrap();
}

/// Work from outside is looked at every 61 polls, which is late when polls are slow.
#[test]
fn a_slow_worker_is_asked_to_look_at_what_came_from_outside() {
    let mut script = script(1, 4);
    let handle = script.handle();
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..8 {
        let (busy, over) = (handle.clone(), over.clone());
        drop(handle.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                busy.busy(Duration::from_micros(700));
                yield_now().await;
            }
        }));
    }
    for _ in 0..200 {
        script.step();
    }
    let before = script.now();
    let late = handle.spawn(async move {
        over.store(true, Ordering::Relaxed);
        now()
    });
    script.run_until_stalled();
    let took = block_on(late).unwrap() - before;
    assert!(took < Duration::from_millis(10), "it stood there for {took:?}");
}

/// Two tasks that wake each other `rounds` times: tiny polls, out of the next slot, where nobody
/// takes them away.
async fn ping_pong(rounds: usize) {
    #[derive(Default)]
    struct Table(Mutex<(usize, Option<Waker>)>);
    impl Table {
        /// Waits until the count of turns is odd, or is even, and makes it the other.
        async fn turn(&self, parity: usize) {
            poll_fn(|cx| {
                let mut table = self.0.lock().unwrap();
                let mine = table.0 % 2 == parity;
                table.0 += usize::from(mine);
                let other = table.1.replace(cx.waker().clone());
                drop(table);
                match other.filter(|_| mine) {
                    Some(other) => other.wake(),
                    None if mine => {}
                    None => return Poll::Pending,
                }
                if mine { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }
    let table = Arc::new(Table::default());
    let other = table.clone();
    let partner = spawn(async move {
        for _ in 0..rounds {
            other.turn(1).await;
        }
    });
    for _ in 0..rounds {
        table.turn(0).await;
    }
    partner.await.unwrap();
}

/// A worker whose polls were tiny a moment ago does not share at once. What stands for longer than
/// a period is offered all the same.
#[test]
fn what_has_stood_for_a_period_is_offered() {
    for tiny in 100..108 {
        let mut script = script(2, 5);
        let handle = script.handle();
        let ran_by = script
            .run(async move {
                ping_pong(tiny).await;
                let slow: Vec<_> = (0..14)
                    .map(|_| {
                        let handle = handle.clone();
                        spawn(async move {
                            handle.busy(Duration::from_micros(900));
                            let here = task::try_id().map(task::Id::get);
                            let workers = handle.metrics().workers;
                            workers.iter().position(|worker| worker.current_task == here)
                        })
                    })
                    .collect();
                let mut ran_by = Vec::new();
                for task in slow {
                    ran_by.push(task.await.unwrap().unwrap());
                }
                ran_by
            })
            .unwrap();
        let first = ran_by.iter().filter(|&&worker| worker == 0).count();
        assert!((3..=11).contains(&first), "after {tiny} tiny polls: {ran_by:?}");
    }
}

/// A waker that takes its time is run by a worker that neither looks asleep nor on its way.
#[test]
fn a_waker_that_blocks_holds_up_nobody_else() {
    struct Block(Mutex<Option<mpsc::Receiver<()>>>, AtomicBool);
    impl Wake for Block {
        fn wake(self: Arc<Self>) {
            let released = self.0.lock().unwrap().take();
            let released = released.expect("woken once");
            self.1.store(released.recv_timeout(LONG).is_ok(), Ordering::Release);
        }
    }
    let runtime = workers(2);
    for _ in 0..20 {
        let (release, released) = mpsc::channel();
        let block = Arc::new(Block(Mutex::new(Some(released)), AtomicBool::new(false)));
        let waker = Waker::from(block.clone());
        let (watched, mut there) = Watched::pair(&runtime);
        assert!(watched.poll_read(&mut Context::from_waker(&waker)).is_pending());
        // Everybody sleeps when it comes: whoever sleeps in the reactor runs the waker.
        while runtime.metrics().sleeping < 2 {
            std::thread::yield_now();
        }
        there.write_all(b"x").unwrap();
        while block.0.lock().unwrap().is_some() {
            std::thread::yield_now();
        }
        // What comes from outside now is run by the other one, each time.
        for _ in 0..20 {
            let task = runtime.spawn(async {});
            let (waker, woken) = telling();
            let mut ended = Box::pin(task);
            let done = poll_once(&mut ended, &waker).is_ready();
            assert!(done || woken.recv_timeout(LONG).is_ok(), "it waits for the waker");
        }
        release.send(()).unwrap();
        while !block.1.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

/// Blocks that ended tasks have left behind go back to the system, when nobody has needed them for
/// a while.
#[test]
fn the_memory_of_a_burst_goes_back() {
    let mut script = script(1, 7);
    let burst = async {
        let tasks: Vec<_> = (0..5000).map(|_| spawn(async {})).collect();
        for task in tasks {
            task.await.unwrap();
        }
    };
    script.run(burst).unwrap();
    goro_task::trim();
    let a_while = async {
        for _ in 0..2500 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    script.run(a_while).unwrap();
    assert_eq!(goro_task::trim(), 0, "bytes were left to be given back");
}
