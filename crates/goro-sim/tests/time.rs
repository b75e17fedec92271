//! Virtual time: it jumps when nothing can run, and passes inside polls when asked to.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::yield_now;
use goro_runtime::time::{Duration, now, sleep, timeout};
use goro_runtime::{block_on, spawn, spawn_blocking};
use goro_sim::{Failure, Sim, advance, busy, explore, wait_quiescent};
use std::cell::Cell;
use std::rc::Rc;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[test]
fn years_pass_in_no_time_and_not_a_tick_too_early() {
    explore(20, |sim| {
        let slept = sim.run(async {
            let before = now();
            sleep(10 * YEAR).await;
            now() - before
        });
        let slept = slept.unwrap();
        assert!((10 * YEAR..10 * YEAR + Duration::from_millis(1)).contains(&slept), "{slept:?}");
    });
}

#[test]
fn with_steps_that_take_no_time_the_clock_is_exact_to_its_tick() {
    let tick = Duration::from_nanos(1 << 14);
    explore(20, |sim| {
        let elapsed = sim.step_time(Duration::ZERO).run(async {
            let before = now();
            for _ in 0..100 {
                yield_now().await;
            }
            let still = now() - before;
            sleep(Duration::from_secs(1)).await;
            (still, now() - before)
        });
        let (still, slept) = elapsed.unwrap();
        assert_eq!(still, Duration::ZERO);
        assert!(slept <= Duration::from_secs(1) + 2 * tick, "{slept:?}");
    });
}

/// Whoever waits for a deadline by asking again and again gets there: every step takes a little.
#[test]
fn time_passes_while_somebody_spins() {
    explore(20, |sim| {
        let spun = sim.run(async {
            let due = now() + Duration::from_millis(1);
            let spinner = spawn(async move {
                while now() < due {
                    yield_now().await;
                }
            });
            spinner.await.is_ok()
        });
        assert!(spun.unwrap());
    });
}

#[test]
fn a_run_without_end_is_given_up() {
    let spin = || async {
        loop {
            yield_now().await;
        }
    };
    let failure = Sim::new(9).max_steps(10_000).run(spawn_of(spin())).unwrap_err();
    let Failure::Endless { seed: 9, steps: 10_000.., .. } = failure else { panic!("{failure}") };
    assert!(failure.to_string().contains("GORO_SEED=9"), "{failure}");
    let nested = async move { spawn(async move { block_on(spin()) }).await };
    let given_up = Sim::new(9).workers(2).max_steps(10_000).run(nested).unwrap_err();
    assert!(matches!(given_up, Failure::Endless { .. }), "{given_up}");
}

async fn spawn_of(endless: impl Future<Output = ()> + Send + 'static) {
    spawn(endless).await.unwrap();
}

#[test]
fn advancing_runs_what_comes_due_and_nothing_later() {
    explore(50, |sim| {
        let ran = sim.run(async {
            let ended = Rc::new(Cell::new(0));
            let tasks: Vec<_> = (1..=10).map(|n| spawn(sleep(Duration::from_secs(n)))).collect();
            for done in 0..10 {
                ended.set(tasks.iter().filter(|task| task.is_finished()).count());
                assert_eq!(ended.get(), done);
                advance(Duration::from_millis(1_000)).await;
            }
            wait_quiescent().await;
            tasks.iter().filter(|task| task.is_finished()).count()
        });
        assert_eq!(ran.unwrap(), 10);
    });
}

/// Pitfall 60: nobody is taken to wait who is about to be run.
#[test]
fn quiet_is_when_everybody_waits() {
    explore(100, |sim| {
        let quiet = sim.run(async {
            let working = spawn(async {
                for _ in 0..50 {
                    spawn(yield_now()).await.unwrap();
                }
            });
            let sleeping = spawn(sleep(Duration::from_secs(1)));
            let before = now();
            wait_quiescent().await;
            assert!(now() - before < Duration::from_secs(1));
            (working.is_finished(), sleeping.is_finished())
        });
        assert_eq!(quiet.unwrap(), (true, false));
    });
}

/// A poll that takes a second holds up its own worker, not timers elsewhere.
#[test]
fn stalls_exist_and_do_not_spread() {
    explore(50, |sim| {
        let workers = sim.workers(2);
        let in_time = workers.run(async {
            let stuck = spawn(async { busy(Duration::from_secs(1)) });
            let began = now();
            let in_time = spawn(async move {
                sleep(Duration::from_millis(100)).await;
                now() - began < Duration::from_millis(200)
            });
            stuck.await.unwrap();
            in_time.await.unwrap()
        });
        assert!(in_time.unwrap());
    });
}

#[test]
fn a_timeout_ends_what_takes_too_long_and_a_job_ends_by_itself() {
    explore(50, |sim| {
        let both = sim.run(async {
            let late = timeout(Duration::from_millis(5), std::future::pending::<()>()).await;
            (late.is_err(), spawn_blocking(|| 7).await.unwrap())
        });
        assert_eq!(both.unwrap(), (true, 7));
    });
}

#[test]
fn a_simulation_inside_a_simulation_has_a_clock_of_its_own() {
    let outer = Sim::new(1).run(async {
        let before = now();
        Sim::new(2).run(sleep(YEAR)).unwrap();
        assert!(now() - before < Duration::from_secs(1));
        spawn(sleep(Duration::from_secs(1))).await.is_ok()
    });
    assert!(outer.unwrap());
}

#[test]
#[should_panic(expected = "wait_quiescent is for code inside a simulation")]
fn quiet_is_for_simulations() {
    block_on(wait_quiescent());
}

#[test]
#[should_panic(expected = "from inside")]
fn a_panic_of_the_future_is_the_runs() {
    let _never: Result<(), _> = Sim::new(1).run(async {
        yield_now().await;
        panic!("from inside")
    });
}
