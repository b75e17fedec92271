//! Everything at once, for a while: is anything lost, left over, or growing?
//!
//! ```text
//! cargo run --release --example soak -- 60 --seed 7
//! ```
//!
//! One runtime lives as long as the run. Its load is made in *legs* of a minute; at the *rest* after each, when
//! all of it has been joined, nothing may be left: no future, no task, no thread, no descriptor. Resident memory
//! is sampled there. Beside it, runtimes start and stop. What a round can check by itself, it checks.
//!
//! | invariant | what is checked | where |
//! |---|---|---|
//! | conservation | values made = received + given back + dropped; sent = received + dropped on the way | `ledger` |
//! | order | a receiver gets one sender's values in order | `load/channels` |
//! | answers | oneshot, watch, broadcast, request: the right value, the last value, each value | `load/answers` |
//! | trees | each node of a tree of tasks ran once | `load/trees` |
//! | timers | none is early, none takes for ever | `load/clock` |
//! | bytes | what an echo server got comes back | `load/sockets` |
//! | endings | nobody is left of what was cancelled, aborted or is over | `load/endings` |
//! | panics | each is its task's outcome | `load/panics` |
//! | lives | a runtime that stops at any moment: drops = spawns, and each handle ends | `load/lives` |
//! | progress | each part of the load comes to the end of its round | here |
//! | bodies | at rest: every future was dropped | `rest` |
//! | registry | at rest: no task lives, none is listed or queued | `rest` |
//! | descriptors, threads | at rest, and at the end: as many as at the beginning | `rest`, here |
//! | memory | the slope of resident memory, after the warm-up | `slope` |
//!
//! Each of them can be seen to fail: `GORO_SOAK_PLANT` (`plan`). The rest is `load` (what runs), `chance` (its
//! choices), `machine` (what the kernel says), `plant` (faults beside the load).
//!
//! It may be stopped and continued, as by a frozen container: time is only waited for, never measured.

mod chance;
mod kit;
mod ledger;
mod load;
mod machine;
mod plan;
mod plant;
mod rest;
mod slope;

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use chance::Chance;
use goro::runtime::{Builder, Runtime};
use kit::Kit;
use ledger::Ledger;
use machine::Machine;
use plan::Plan;
use rest::Patience;
use slope::{Sample, Trend};

/// How many workers there are at rest.
const WORKERS: usize = 2;
/// How long a leg is; shorter in a run of less than eight minutes.
const LEG: Duration = Duration::from_secs(60);
const LEGS: u32 = 8;
/// How often it is looked at whether anything is broken.
const LOOK: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let plant = std::env::var("GORO_SOAK_PLANT").ok().filter(|plant| !plant.is_empty());
    let plan = match Plan::parse(std::env::args().skip(1), plant) {
        Ok(plan) => plan,
        Err(None) => {
            print!("{}", plan::HELP);
            return ExitCode::SUCCESS;
        }
        Err(Some(mistake)) => {
            eprintln!("soak: {mistake} (see soak --help)");
            return ExitCode::from(2);
        }
    };
    let seed = plan.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("soak: {:.1} minutes, seed {seed}", plan.length.as_secs_f64() / 60.0);
    let ledger = Arc::new(Ledger::default());
    let samples = soak(&plan, seed, &ledger);
    conclude(&ledger, &samples, seed)
}

/// Runs it all, and gives what memory there was at each rest.
fn soak(plan: &Plan, seed: u64, ledger: &Arc<Ledger>) -> Vec<Sample> {
    let mut kit = Kit {
        chance: Chance::new(seed),
        ledger: Arc::clone(ledger),
        plant: plan.plant.as_deref().map(Arc::from),
        only: plan.only.as_deref().map(Arc::from),
        over: Arc::new(AtomicBool::new(false)),
    };
    // What a process starts once stays: the thread that keeps time where there is no runtime, too.
    goro::CancellationToken::new().with_timeout(LOOK).blocking_cancelled();
    for _ in 0..20 {
        load::life(&mut kit);
        if !ledger.faults().is_empty() {
            return Vec::new();
        }
    }
    let before = settled();
    let runtime = build();
    let first = settled();
    let (began, mut samples) = (Instant::now(), Vec::new());
    let leg = LEG.min(plan.length / LEGS);
    while began.elapsed() < plan.length && ledger.faults().is_empty() {
        if !run_leg(&runtime, &mut kit, leg) {
            return samples;
        }
        rest::rest(&runtime, ledger, &first);
        samples.push((began.elapsed().as_secs_f64() / 3600.0, Machine::read().memory));
        tell(ledger, &samples, began);
    }
    drop(runtime);
    let back = |machine: Machine| (machine.descriptors, machine.threads);
    if !Patience::new().until(|| back(Machine::read()) == back(before)) {
        let now = Machine::read();
        ledger.equal("threads", "at the end", now.threads, before.threads);
        ledger.equal("descriptors", "at the end", now.descriptors, before.descriptors);
    }
    samples
}

fn build() -> Runtime {
    let keep_alive = Duration::from_millis(300);
    let builder = Builder::new().workers(WORKERS).name("soak").blocking_keep_alive(keep_alive);
    let runtime = builder.build().expect("a runtime can be had");
    runtime.block_on(async {
        goro::spawn(goro::time::sleep(Duration::from_millis(5))).await.expect("a nap is taken");
    });
    runtime
}

/// What the machine says when threads that are about to end have ended.
fn settled() -> Machine {
    thread::sleep(Duration::from_secs(1));
    Machine::read()
}

/// One leg, and the size of the runtime as it was before. False when a part of the load does not end.
fn run_leg(runtime: &Runtime, kit: &mut Kit, length: Duration) -> bool {
    kit.over = Arc::new(AtomicBool::new(false));
    let parts = load::start(runtime, kit);
    let mut apart = kit.fork();
    let lives = thread::spawn(move || {
        if apart.runs("lives") {
            load::lives(&mut apart);
        }
    });
    plant::plant(kit, runtime);
    let began = Instant::now();
    while began.elapsed() < length && kit.ledger.faults().is_empty() {
        thread::sleep(LOOK);
    }
    kit.over.store(true, Relaxed);
    for (name, part) in parts {
        if !Patience::new().until(|| part.is_finished()) {
            let metrics = runtime.metrics();
            kit.ledger.broken("progress", format_args!("{name} does not end: {metrics:?}"));
            return false;
        }
        if let Err(error) = runtime.block_on(part) {
            kit.ledger.broken("progress", format_args!("{name}: {error}"));
        }
    }
    if !Patience::new().until(|| lives.is_finished()) {
        kit.ledger.broken("progress", "the lives do not end");
        return false;
    }
    if lives.join().is_err() {
        kit.ledger.broken("progress", "the lives have panicked");
    }
    if let Err(error) = runtime.handle().set_workers(WORKERS) {
        kit.ledger.broken("progress", error);
    }
    true
}

/// A line.
fn tell(ledger: &Ledger, samples: &[Sample], began: Instant) {
    let machine = Machine::read();
    let many = |count: u64| count as f64 / 1e6;
    println!(
        "{:6.1} min  {:.1} MiB  {} fds  {} threads  {:.2} M futures  {:.2} M values  {:.2} M timers  {} MB echoed  {} endings  {} panics  {} stalls  {} resizes  {} runtimes",
        began.elapsed().as_secs_f64() / 60.0,
        samples.last().map_or(0.0, |sample| sample.1),
        machine.descriptors,
        machine.threads,
        many(ledger.bodies.made()),
        many(ledger.values.made.load(Relaxed)),
        many(ledger.sleeps.load(Relaxed)),
        ledger.bytes.load(Relaxed) / 1_000_000,
        ledger.endings.load(Relaxed),
        ledger.panics.load(Relaxed),
        ledger.stalls.load(Relaxed),
        ledger.resizes.load(Relaxed),
        ledger.lives.load(Relaxed),
    );
}

/// What it came to.
fn conclude(ledger: &Ledger, samples: &[Sample], seed: u64) -> ExitCode {
    if let Some(trend) = Trend::of(samples) {
        println!(
            "memory: {:+.2} MiB an hour by the line, {:+.2} MiB in {:.2} hours after the warm-up",
            trend.slope, trend.growth, trend.hours
        );
        if let Some(fault) = trend.fault() {
            ledger.broken("memory", fault);
        }
    }
    let values = [
        &ledger.values.made,
        &ledger.values.received,
        &ledger.values.returned,
        &ledger.values.dropped,
    ];
    let [made, received, returned, dropped] = values.map(|count| count.load(Relaxed));
    println!(
        "values: {made} made = {received} received + {returned} given back + {dropped} dropped"
    );
    let faults = ledger.faults();
    if faults.is_empty() {
        println!("soak: every invariant held (seed {seed})");
        return ExitCode::SUCCESS;
    }
    println!("soak: {} broken, the first: {} (seed {seed})", faults.len(), faults[0]);
    ExitCode::FAILURE
}
