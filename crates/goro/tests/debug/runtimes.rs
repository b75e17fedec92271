//! Runtimes: what is built, what runs, what ends, and what is said of it.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use goro::BlockOnError;
use goro::blocking::Config;
use goro::runtime::{
    BuildError, Builder, DrainPolicy, Held, LocalRuntime, Phase, ResizeError, Runtime,
};
use goro::signal::SignalKind;
use goro::task::Cause;

use crate::shown::Shown;

pub(crate) fn building(shown: &mut Shown) {
    shown.add("runtime::Builder", "plain", &Builder::new());
    shown.add("runtime::Builder", "with a size and a name", &Builder::new().workers(3).name("x"));
    let name = || String::from("disk");
    for (state, error) in [
        ("local with workers", BuildError::LocalWorkers(3)),
        ("name", BuildError::Name(name())),
        ("no threads for jobs", BuildError::NoBlockingThreads),
        ("no tasks", BuildError::NoTasks),
        ("no workers", BuildError::NoWorkers),
        ("size of a pool", BuildError::PoolSize { name: name(), least: 3, most: 2 }),
        ("two pools", BuildError::PoolTwice(name())),
        ("no reactor", BuildError::Reactor(io::ErrorKind::Other.into())),
        ("no thread", BuildError::Thread { started: 1, error: io::ErrorKind::Other.into() }),
        ("too many spares", BuildError::TooManySpares { asked: 9, limit: 8 }),
        ("too many workers", BuildError::TooManyWorkers { asked: 9, limit: 8 }),
        ("a variable", BuildError::Variable(String::from("GORO_WORKERS"))),
    ] {
        shown.add("runtime::BuildError", state, &error);
    }
    for (state, error) in [
        ("local", ResizeError::Local),
        ("none", ResizeError::NoWorkers),
        ("stopped", ResizeError::Stopped(name())),
        ("no thread", ResizeError::Thread { workers: 1, error: io::ErrorKind::Other.into() }),
        ("too many", ResizeError::TooManyWorkers { asked: 9, limit: 8 }),
    ] {
        shown.add("runtime::ResizeError", state, &error);
    }
    shown.add("runtime::DrainPolicy", "fixed", &DrainPolicy::fixed(Duration::from_secs(1)));
    let second = Duration::from_secs(1);
    shown.add("runtime::DrainPolicy", "adaptive", &DrainPolicy::adaptive(second, second, second));
    let kinds = [("interrupt", SignalKind::interrupt()), ("other", SignalKind::hangup())];
    kinds.iter().for_each(|(state, kind)| shown.add("signal::SignalKind", state, kind));
}

pub(crate) fn running(shown: &mut Shown) {
    shown.add("runtime::NoRuntime", "none", &goro::runtime::Handle::try_current().unwrap_err());
    shown.add("SpawnError", "no runtime", &goro::try_spawn(async {}).unwrap_err());
    let (stalled, stall) = mpsc::channel();
    let runtime = Builder::new()
        .workers(1)
        .name("shown")
        .max_tasks(1)
        .stall_threshold(Duration::from_millis(1))
        .on_stall(move |stall| {
            let _only_the_first = stalled.send(*stall);
        })
        .build()
        .unwrap();
    shown.add("runtime::Runtime", "running", &runtime);
    shown.add("runtime::Handle", "running", runtime.handle());
    shown.add("runtime::EnterGuard", "inside", &runtime.enter());
    let long = runtime.spawn(async {
        std::thread::sleep(Duration::from_millis(50));
        goro::runtime::Handle::current().block_on(std::future::ready(()));
    });
    let seen = stall.recv_timeout(Duration::from_secs(20)).unwrap();
    shown.add_blurred("runtime::Stall", "seen", &seen);
    runtime.block_on(long).unwrap();
    let waits = runtime.spawn(std::future::pending::<()>());
    let inside = runtime.enter();
    shown.add("SpawnError", "at the limit", &goro::try_spawn(async {}).unwrap_err());
    drop(inside);
    waits.abort();
    let mut metrics = runtime.metrics();
    // Whether it is in a poll just now is chance.
    metrics.workers[0].current_task = None;
    shown.add_blurred("runtime::WorkerMetrics", "running", &metrics.workers[0]);
    metrics.workers.clear();
    metrics.spares.clear();
    shown.add_blurred("runtime::Metrics", "running", &metrics);
    let local = LocalRuntime::new().unwrap();
    shown.add("runtime::LocalRuntime", "running", &local);
    let inner = local.handle().clone();
    let itself = local.block_on(async move { inner.try_block_on(std::future::ready(1)).map(drop) });
    if let Err(error) = itself {
        shown.add("BlockOnError", "a task on its own end", &error);
    }
    shown.add("BlockOnError", "itself", &BlockOnError::<u8>::Itself);
    shown.add("BlockOnError", "at the limit", &BlockOnError::Limit { future: 1, limit: 2 });
    let handle = runtime.handle().clone();
    let signal = runtime.block_on(async { goro::signal::signal(SignalKind::user_defined2()) });
    shown.add("signal::Signal", "listening", &signal.unwrap());
    drop(runtime);
    shown.add("runtime::Handle", "stopped", &handle);
    let _inside = handle.enter();
    shown.add("SpawnError", "stopped", &goro::try_spawn(async {}).unwrap_err());
}

pub(crate) fn ending(shown: &mut Shown) {
    for (state, phase) in [
        ("running", Phase::Running),
        ("draining", Phase::Draining),
        ("terminating", Phase::Terminating),
        ("stopped", Phase::Stopped),
    ] {
        shown.add("runtime::Phase", state, &phase);
    }
    for (state, held) in
        [("guard", Held::Guard), ("job", Held::Job), ("poll", Held::Poll), ("task", Held::Task)]
    {
        shown.add("runtime::Held", state, &held);
    }
    let runtime = Runtime::new().unwrap();
    let end = runtime.handle().shutdown();
    shown.add("runtime::ShutdownHandle", "running", &end);
    let guard = end.guard().unwrap();
    shown.add("runtime::Guard", "held", &guard);
    let guarded = end.guard().unwrap().scope(std::future::ready(1));
    shown.add("runtime::Guarded", "not polled", &guarded);
    drop(guarded);
    end.set_policy(DrainPolicy::fixed(Duration::from_secs(3600)));
    end.initiate(Cause::new("enough"));
    shown.add("runtime::ShutdownHandle", "draining", &end);
    drop(guard);
    assert!(goro::block_on(end.wait()).is_clean());
    shown.add("runtime::ShutdownHandle", "stopped", &end);

    let runtime = Runtime::new().unwrap();
    let end = runtime.handle().shutdown();
    let guard = end.guard().unwrap();
    end.track_depth("orders", || 3);
    end.set_policy(DrainPolicy::none());
    end.initiate(Cause::new("enough"));
    let report = goro::block_on(end.wait());
    drop(guard);
    shown.add_blurred("runtime::ShutdownReport", "stopped", &report);
    shown.add("runtime::QueueReport", "never empty", &report.queues[0]);
    let held = report.held.first().or(report.slowest.as_ref());
    shown.add_blurred("runtime::Holdup", "a guard", held.expect("a guard was held"));
}

pub(crate) fn pools(shown: &mut Shown) {
    let config = || Config::new("disk").least(1).most(1).queue(0);
    shown.add("blocking::Config", "sized", &config());
    let runtime = Builder::new().workers(1).blocking_pool(config()).build().unwrap();
    let pool = runtime.handle().blocking_pool("disk").unwrap();
    shown.add("blocking::Pool", "running", &pool);
    let (go_on, waits) = mpsc::channel::<()>();
    let job = pool.spawn(move || waits.recv().is_err());
    shown.add("blocking::Refused", "full", &pool.try_spawn(|| 1).unwrap_err());
    drop(go_on);
    assert!(goro::block_on(job).unwrap());
    let metrics = pool.metrics();
    shown.add_blurred("runtime::PoolMetrics", "one refused", &metrics);
    shown.add_blurred("runtime::Waits", "some", &metrics.waits);
    drop(runtime);
    shown.add("blocking::Refused", "stopped", &pool.try_spawn(|| 1).unwrap_err());
}
