//! Sleeps, timeouts and intervals where they are at their limits: in length, in place, in time.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use goro_runtime::driver::scripted::Scripted;
use goro_runtime::time::{
    Duration, Interval, MissedTickBehavior, Sleep, interval, interval_at, now, sleep, sleep_until,
    timeout, timeout_at,
};
use goro_runtime::{Builder, Runtime, block_on, spawn, task::yield_now};

const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_millis(10);
const NANO: Duration = Duration::from_nanos(1);

/// Pitfall 131: the durations at which timed calls have overflowed, here or there.
const AWKWARD: [Duration; 6] = [
    Duration::ZERO,
    NANO,
    Duration::from_nanos(999_999),
    Duration::from_millis(1 << 31),
    Duration::from_millis(i64::MAX as u64),
    Duration::MAX,
];

fn two_workers() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

fn script(seed: u64) -> Scripted {
    Builder::new().workers(2).build_scripted(Some(seed)).unwrap()
}

/// Polls once, so that it is registered with whoever runs this.
async fn armed(mut nap: Sleep) -> Sleep {
    poll_fn(|cx| {
        assert!(Pin::new(&mut nap).poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    nap
}

/// Pitfall 128: around every power of two of nanoseconds up to years, on a clock that jumps.
#[test]
fn a_sleep_of_any_length_is_never_early_and_hardly_late() {
    // The wheel counts in ticks of 2^14 ns; a sleep ends within two of them.
    let two_ticks = Duration::from_nanos(1 << 15);
    let mut script = script(1);
    script
        .run(async move {
            let mut naps = Vec::new();
            for power in 0..59_u32 {
                for nanos in [(1_u64 << power) - 1, 1 << power, (1 << power) + 1] {
                    naps.push(spawn(async move {
                        let due = now() + Duration::from_nanos(nanos);
                        sleep(Duration::from_nanos(nanos)).await;
                        let end = now();
                        assert!(end >= due, "{nanos} ns: early");
                        assert!(end - due <= two_ticks, "{nanos} ns: late by {:?}", end - due);
                    }));
                }
            }
            for nap in naps {
                nap.await.unwrap();
            }
        })
        .unwrap();
}

/// Pitfall 128 again: the same, from many points in the clock's life.
#[test]
fn short_sleeps_are_short_at_any_uptime() {
    let mut script = script(2);
    script
        .run(async {
            let two_ticks = Duration::from_nanos(1 << 15);
            for power in 20..57_u32 {
                sleep(Duration::from_nanos((1 << power) - (1 << 19))).await;
                for short in [NANO, Duration::from_micros(20), Duration::from_millis(3)] {
                    let due = now() + short;
                    sleep(short).await;
                    assert!((due..=due + two_ticks).contains(&now()), "2^{power} ns, {short:?}");
                }
            }
        })
        .unwrap();
}

#[test]
fn sleeps_end_in_the_order_of_their_deadlines() {
    for seed in 0..20 {
        let order = Arc::new(Mutex::new(Vec::new()));
        let noted = order.clone();
        script(seed)
            .run(async move {
                let start = now();
                let naps: Vec<_> = (0..200_u32)
                    .map(|n| {
                        let (place, order) = (n * 77 % 200, noted.clone());
                        spawn(async move {
                            sleep_until(start + place * Duration::from_millis(1)).await;
                            order.lock().unwrap().push(place);
                        })
                    })
                    .collect();
                for nap in naps {
                    nap.await.unwrap();
                }
            })
            .unwrap();
        assert_eq!(*order.lock().unwrap(), (0..200).collect::<Vec<_>>(), "seed {seed}");
    }
}

/// Pitfall 131, on the real thing: nothing overflows, the endless ones are given up on.
#[test]
fn any_duration_will_do_in_every_timed_call() {
    let runtime = two_workers();
    runtime.block_on(async {
        for duration in AWKWARD {
            let short = duration < SOON;
            // A sleep that has ended counts even if the limit has passed as well.
            assert_eq!(timeout(SOON, sleep(duration)).await.is_ok(), short, "{duration:?}");
            assert!(timeout(duration, std::future::ready(1)).await.is_ok());
            if !duration.is_zero() {
                let mut ticks: Interval = interval(duration);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                ticks.tick().await;
                assert_eq!(timeout(SOON, ticks.tick()).await.is_ok(), short, "{duration:?}");
                ticks.reset_after(duration);
                assert_eq!(timeout(SOON, ticks.tick()).await.is_ok(), short, "{duration:?}");
            }
        }
    });
}

/// Pitfall 138.
#[test]
fn thousands_of_sleeps_on_all_workers_are_never_early() {
    let runtime = two_workers();
    let naps: Vec<_> = (0..5_000_u64)
        .map(|n| {
            runtime.spawn(async move {
                let due = now() + Duration::from_micros(n * 7919 % 30_000);
                sleep_until(due).await;
                now() >= due
            })
        })
        .collect();
    for nap in naps {
        assert!(block_on(nap).unwrap(), "a sleep was early");
    }
}

/// Polled with one runtime, awaited without any, after the runtime's end.
#[test]
fn a_sleep_of_a_dropped_runtime_ends_elsewhere() {
    let runtime = two_workers();
    let nap = runtime.block_on(armed(sleep(SOON)));
    let due = nap.deadline();
    drop(runtime);
    block_on(nap);
    assert!(now() >= due);
}

/// As before, but somebody is asleep waiting for it when the runtime goes: it must be told.
#[test]
fn a_runtime_that_stops_hands_on_the_sleeps_awaited_elsewhere() {
    let runtime = two_workers();
    let nap = runtime.block_on(armed(sleep(SOON * 20)));
    let due = nap.deadline();
    let (waits, waiting) = mpsc::channel();
    let elsewhere = std::thread::spawn(move || {
        block_on(async move {
            let nap = armed(nap).await;
            waits.send(()).unwrap();
            nap.await;
        });
        now() >= due
    });
    waiting.recv().unwrap();
    drop(runtime);
    assert!(elsewhere.join().unwrap());
}

/// A sleep armed in a runtime that is gone is dropped while the next runtime, which may live in the
/// same place, has armed its own: it must not take that one's timer with it.
#[test]
fn a_stale_sleep_takes_nobodys_timer_with_it() {
    for _ in 0..20 {
        let runtime = two_workers();
        let stale: Vec<_> = (0..8).map(|_| runtime.block_on(armed(sleep(HOUR)))).collect();
        drop(runtime);
        let runtime = two_workers();
        let (told, tell) = mpsc::channel();
        std::thread::spawn(move || {
            let mut stale = Some(stale);
            let mut naps: Vec<_> = (0..8).map(|_| sleep(SOON)).collect();
            runtime.block_on(poll_fn(move |cx| {
                let asleep = naps.iter_mut().any(|nap| Pin::new(nap).poll(cx).is_pending());
                // Only now, with nobody to poll them again but their own timers.
                drop(stale.take());
                if asleep { Poll::Pending } else { Poll::Ready(()) }
            }));
            told.send(()).unwrap();
        });
        tell.recv_timeout(SOON * 1_000).expect("a timer was lost");
    }
}

/// A runtime on a simulated clock has lived for years; whoever comes after it lives now.
#[test]
fn a_clock_that_ran_ahead_leaves_the_next_runtimes_alone() {
    for seed in 0..3 {
        script(seed).run(sleep(HOUR * 24 * 365 * 9)).unwrap();
        script(seed)
            .run(async {
                let due = now() + SOON;
                sleep_until(due).await;
                assert!(now() >= due && now() - due < SOON);
            })
            .unwrap();
        two_workers().block_on(async { assert!(timeout(SOON, pending::<()>()).await.is_err()) });
    }
}

/// Pitfall 130: polled by one runtime's task, reset and awaited in another runtime.
#[test]
fn a_sleep_moves_between_runtimes_and_is_reset_there() {
    let (first, second) = (two_workers(), two_workers());
    for (before, after) in [(HOUR, SOON), (SOON, SOON * 2)] {
        let mut nap = first.block_on(armed(sleep(before)));
        let due = now() + after;
        second.block_on(async move {
            nap.reset(due);
            spawn(nap).await.unwrap();
        });
        assert!(now() >= due);
    }
}

#[test]
fn without_a_runtime_all_of_it_works_too() {
    block_on(async {
        assert!(timeout(SOON, pending::<()>()).await.is_err());
        assert_eq!(timeout(HOUR, async { 7 }).await, Ok(7));
        assert!(timeout_at(now() - SOON, pending::<()>()).await.is_err());
        let start = now();
        let mut ticks = interval_at(start + NANO, Duration::from_millis(1));
        for n in 0..5_u32 {
            let due = ticks.tick().await;
            assert_eq!(due, start + NANO + n * Duration::from_millis(1));
            assert!(now() >= due);
        }
    });
}

/// Sleeps that nobody will see the end of do not hold a runtime up.
#[test]
fn pending_timers_do_not_delay_the_end_of_a_runtime() {
    let runtime = two_workers();
    let naps: Vec<_> =
        (0..10_000_u32).map(|n| runtime.spawn(async move { sleep(HOUR * n).await })).collect();
    while runtime.metrics().tasks_parked < 9_999 {
        std::thread::yield_now();
    }
    drop(runtime);
    let ended = naps.into_iter().filter(goro_runtime::task::JoinHandle::is_finished).count();
    assert_eq!(ended, 10_000);
}

/// Pitfall 125: a loop of what is ready at once shares its worker.
#[test]
fn a_loop_of_ready_timers_lets_others_run() {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    script(3)
        .run(async move {
            let greedy = spawn(async move {
                let mut rounds = 0_u64;
                while !seen.load(Ordering::Relaxed) {
                    sleep(Duration::ZERO).await;
                    let _ = timeout(Duration::ZERO, sleep(Duration::ZERO)).await;
                    rounds += 1;
                }
                rounds
            });
            let others: Vec<_> = (0..4).map(|_| spawn(yield_now())).collect();
            for other in others {
                other.await.unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            assert!(greedy.await.unwrap() > 0);
        })
        .unwrap();
}

/// Pitfall 123: in a task, with the real budget.
#[test]
fn a_future_that_is_always_ready_inside_times_out() {
    let runtime = two_workers();
    let greedy = async {
        loop {
            sleep(Duration::ZERO).await;
        }
    };
    let limited = runtime.spawn(timeout::<_>(SOON, Box::pin(greedy)));
    let result: Result<(), _> = block_on(limited).unwrap();
    assert_eq!(result.unwrap_err().allowed(), Some(SOON));
}

/// Pitfall 130: what is dropped before its time leaves nothing to wake up for.
#[test]
fn a_storm_of_cancelled_timers_leaves_a_runtime_asleep() {
    let mut script = script(4);
    script
        .run(async {
            for _ in 0..20_000 {
                drop(armed(sleep(HOUR)).await);
            }
        })
        .unwrap();
    let before = script.now();
    script.run_until_stalled();
    assert!(script.now() - before < HOUR, "somebody woke up for a timer that was cancelled");
}

/// Pitfall 61: a timer fires although the runtime is only ever driven by short calls.
#[test]
fn timers_fire_between_short_block_ons() {
    let runtime = two_workers();
    let fired = Arc::new(AtomicUsize::new(0));
    let count = fired.clone();
    runtime.spawn(async move {
        let mut ticks = interval(Duration::from_millis(1));
        loop {
            ticks.tick().await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    while fired.load(Ordering::Relaxed) < 5 {
        runtime.block_on(yield_now());
    }
    assert_eq!(runtime.metrics().tasks_live, 1, "the ticker goes on");
}
