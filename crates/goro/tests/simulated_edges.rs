//! Simulations at their edges: what outlives them, what is nested in them, what is enormous, and who
//! else runs beside them.
#![cfg(all(feature = "net", feature = "sim"))]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro::runtime::Handle;
use goro::sim::{self, Failure, Sim, explore};
use goro::task::yield_now;
use goro::time::{now, sleep};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_outlives_a_run_is_cancelled_and_refused() {
    explore(20, |sim| {
        let (task, handle, waker) = sim
            .run(async {
                let task = goro::spawn(std::future::pending::<()>());
                yield_now().await;
                let waker = std::future::poll_fn(|cx| std::task::Poll::Ready(cx.waker().clone()));
                let kept = goro::spawn(async move {
                    let waker = waker.await;
                    yield_now().await;
                    waker
                });
                (task, Handle::current(), kept.await.unwrap())
            })
            .unwrap();
        assert!(task.is_finished());
        assert!(goro::block_on(task).unwrap_err().is_cancelled());
        assert!(handle.is_shutting_down());
        let late = handle.spawn(async { 1 });
        assert!(goro::block_on(late).unwrap_err().is_cancelled());
        let job = handle.spawn_blocking(|| 1);
        assert!(goro::block_on(job).unwrap_err().is_cancelled());
        waker.wake();
    });
}

#[test]
fn destructors_at_the_end_may_spawn_and_all_of_it_is_dropped() {
    struct Spawns(Arc<AtomicUsize>, u32);
    impl Drop for Spawns {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
            if self.1 > 0 && Handle::try_current().is_ok() {
                drop(goro::spawn(keep(self.0.clone(), self.1 - 1)));
            }
        }
    }
    fn keep(count: Arc<AtomicUsize>, depth: u32) -> impl Future<Output = ()> + Send {
        count.fetch_add(1, Ordering::Relaxed);
        let spawns = Spawns(count, depth);
        async move {
            let _spawns = spawns;
            std::future::pending::<()>().await;
        }
    }
    explore(50, |sim| {
        let alive = Arc::new(AtomicUsize::new(0));
        let count = alive.clone();
        sim.run(async move {
            for _ in 0..10 {
                drop(goro::spawn(keep(count.clone(), 3)));
            }
            yield_now().await;
            yield_now().await;
        })
        .unwrap();
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_run_on_a_runtimes_thread_is_a_run_like_others() {
    let on_a_worker = goro::runtime::Runtime::new().unwrap().block_on(async {
        goro::spawn(async { Sim::new(5).trace(busy()).1.to_string() }).await.unwrap()
    });
    assert_eq!(on_a_worker, Sim::new(5).trace(busy()).1.to_string());
}

async fn busy() {
    let tasks: Vec<_> = (0..10_u32)
        .map(|n| {
            goro::spawn(async move {
                for _ in 0..n {
                    yield_now().await;
                }
                sleep(Duration::from_micros(n.into())).await;
                goro::spawn_blocking(move || n).await.unwrap()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn runs_on_several_threads_at_once_do_not_touch() {
    let log = |seed| Sim::new(seed).trace(busy()).1.to_string();
    let alone: Vec<_> = (0..40).map(log).collect();
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(move || (0..40).map(log).collect::<Vec<_>>())).collect();
    for thread in threads {
        assert!(thread.join().unwrap() == alone);
    }
}

#[test]
fn jobs_may_do_what_threads_may() {
    explore(20, |sim| {
        let sum = sim.run(async {
            let job = goro::spawn_blocking(|| {
                sim::busy(SECOND);
                let task = goro::spawn(async {
                    sleep(SECOND).await;
                    2
                });
                1 + goro::block_on(task).unwrap()
            });
            job.await.unwrap()
        });
        assert_eq!(sum.unwrap(), 3);
    });
}

#[test]
fn a_panic_in_a_task_is_its_joiners_and_the_run_goes_on() {
    explore(20, |sim| {
        let ended = sim.run(async {
            let panics = goro::spawn(async {
                sleep(SECOND).await;
                std::panic::resume_unwind(Box::new("in a poll"));
            });
            let told = panics.await.unwrap_err();
            assert!(told.is_panic());
            goro::spawn(async { 1 }).await.unwrap()
        });
        assert_eq!(ended.unwrap(), 1);
    });
}

#[test]
fn a_panic_of_a_run_leaves_the_thread_as_it_was() {
    for seed in 0..20 {
        let run = || {
            Sim::new(seed).run(async {
                drop(goro::spawn(std::future::pending::<()>()));
                sleep(SECOND).await;
                std::panic::resume_unwind(Box::new("planted"));
            })
        };
        let panicked = std::panic::catch_unwind(run);
        assert!(panicked.is_err());
        assert!(Handle::try_current().is_err(), "nothing is entered any more");
        assert!(goro::block_on(async { now() }).elapsed() < 60 * SECOND, "the clock is real again");
    }
}

#[test]
fn the_longest_sleep_ends_like_others() {
    let slept = Sim::new(1).run(async {
        let began = now();
        sleep(Duration::MAX).await;
        sim::advance(Duration::MAX).await;
        now() - began
    });
    assert!(slept.unwrap() >= 60 * 365 * 24 * 3_600 * SECOND);
}

/// A wait inside a poll that nothing can end is the run's failure, also where nobody joins the task.
#[test]
fn a_block_on_that_waits_for_ever_stalls_the_run() {
    explore(20, |sim| {
        let failure = sim
            .workers(2)
            .run(async {
                drop(goro::task::Builder::new().name("hangs").spawn(async {
                    let never = goro::spawn(std::future::pending::<()>());
                    goro::block_on(never).unwrap();
                }));
                sleep(SECOND).await;
                std::future::pending::<()>().await;
            })
            .unwrap_err();
        let text = failure.to_string();
        assert!(matches!(failure, Failure::Stalled(_)), "{text}");
        let (_, hangs) = text.split_once("\"hangs\" spawned at").expect("it is named");
        let (hangs, _) = hangs.split_once('\n').unwrap();
        assert!(hangs.contains("waits inside its poll: join of task #"), "{text}");
        assert!(text.contains("waits: external"), "{text}");
    });
}

#[test]
fn a_main_future_that_blocks_for_ever_stalls_the_run() {
    let failure =
        Sim::new(1).run(async { goro::block_on(std::future::pending::<()>()) }).unwrap_err();
    assert!(matches!(failure, Failure::Stalled(_)), "{failure}");
}

#[test]
fn quiet_can_be_waited_for_inside_a_poll() {
    explore(20, |sim| {
        let quiet = sim.workers(2).run(async {
            goro::spawn(async {
                let began = now();
                goro::block_on(sim::wait_quiescent());
                now() - began < SECOND
            })
            .await
            .unwrap()
        });
        assert!(quiet.unwrap());
    });
}

#[test]
fn who_is_busy_beside_somebody_endless_is_given_up() {
    let endless = Sim::new(4).workers(2).max_steps(20_000).run(async {
        drop(goro::spawn(async {
            loop {
                yield_now().await;
            }
        }));
        goro::spawn(async { sim::busy(3_600 * SECOND) }).await.unwrap();
    });
    let failure = endless.unwrap_err();
    assert!(matches!(failure, Failure::Endless { .. }), "{failure}");
}
