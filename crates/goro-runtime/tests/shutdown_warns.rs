//! A drain that will not be done in time says so while something can still be done about it: when what is left,
//! divided by the rate so far, is more than the time that is left. In a script's time, over a whole shutdown.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/warnings.rs"]
mod warnings;

use goro_runtime::driver::scripted::Scripted;
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, DrainPolicy, ShutdownHandle, ShutdownReport};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use warnings::Warnings;

const SECOND: Duration = Duration::from_secs(1);
const TENTH: &[Duration] = &[Duration::from_millis(100)];

type Fields = BTreeMap<&'static str, String>;

/// Goes on until the end has come.
fn ended(script: &mut Scripted, shutdown: &ShutdownHandle) -> ShutdownReport {
    loop {
        if let Some(report) = shutdown.report() {
            return report;
        }
        assert!(script.step(), "it stands still");
    }
}

/// A fixed drain of ten seconds, of a queue that is so deep and loses one value in each of these pauses, again and
/// again; what was said, and the report.
fn drain(deep: usize, pauses: &'static [Duration], seed: u64) -> (Vec<Fields>, ShutdownReport) {
    let log = Warnings::of("goro::shutdown");
    let report = tracing::subscriber::with_default(log.clone(), || {
        let builder = Builder::new().workers(1).name("drained");
        let mut script = builder.build_scripted(Some(seed)).unwrap();
        let shutdown = script.handle().shutdown();
        shutdown.set_policy(DrainPolicy::fixed(10 * SECOND));
        let depth = Arc::new(AtomicUsize::new(deep));
        let gauge = depth.clone();
        shutdown.track_depth("jobs", move || gauge.load(Ordering::Relaxed));
        drop(script.handle().spawn(async move {
            for pause in pauses.iter().cycle() {
                sleep(*pause).await;
                if depth.fetch_sub(1, Ordering::Relaxed) == 1 {
                    break;
                }
            }
        }));
        shutdown.initiate("SIGTERM");
        ended(&mut script, &shutdown)
    });
    // What is said when the time is up is another warning.
    let of_rate = |fields: &Fields| fields.contains_key("needed_ms");
    (log.heard().into_iter().filter(of_rate).collect(), report)
}

fn number(fields: &Fields, name: &str) -> u64 {
    fields[name].parse().unwrap()
}

/// Ten a second, and two hundred to go: twice as long as there is.
#[test]
fn a_drain_that_is_too_slow_is_told_of_once_and_early() {
    for seed in 0..20 {
        let (said, report) = drain(200, TENTH, seed);
        assert!(report.timed_out, "{report}");
        assert_eq!(said.len(), 1, "{said:?}");
        let said = &said[0];
        assert_eq!(said["runtime"], "drained");
        // By the first value that has gone, a tenth of a second after the beginning.
        let (left, needed) = (number(said, "left"), number(said, "needed_ms"));
        let remaining = number(said, "remaining_ms");
        assert_eq!(left, 199);
        assert!(needed > remaining && (15_000..30_000).contains(&needed), "{said:?}");
        assert!((9_500..10_000).contains(&remaining), "{said:?}");
    }
}

/// Ten a second, and fifty to go: it ends when nothing is left, not when the time is up.
#[test]
fn a_drain_that_will_do_is_not_warned_about_and_ends_early() {
    for seed in 0..20 {
        let (said, report) = drain(50, TENTH, seed);
        assert!(said.is_empty(), "{said:?}");
        assert!(!report.timed_out, "{report}");
        assert!((5 * SECOND..6 * SECOND).contains(&report.drain), "{report}");
        assert_eq!((report.queues[0].before, report.queues[0].after), (50, 0));
    }
}

/// Fast at first, and then one value takes all the time: that it will not do is seen when the rate has fallen.
#[test]
fn a_rate_that_falls_is_seen_while_it_falls() {
    const MS: Duration = Duration::from_millis(10);
    const PAUSES: [Duration; 4] = [MS, MS, MS, Duration::from_secs(11)];
    let (said, report) = drain(6, &PAUSES, 1);
    assert!(report.timed_out, "{report}");
    assert_eq!(said.len(), 1, "{said:?}");
    // Three have gone, and three are left: when half of the time is over.
    let remaining = number(&said[0], "remaining_ms");
    assert_eq!(number(&said[0], "left"), 3);
    assert!((4_500..=5_000).contains(&remaining), "{said:?}");
}

/// One piece of work that does not end has no rate: half of the time is its limit.
#[test]
fn work_that_does_not_move_is_told_of_at_half_time() {
    let log = Warnings::of("goro::shutdown");
    tracing::subscriber::with_default(log.clone(), || {
        let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
        let shutdown = script.handle().shutdown();
        let guard = shutdown.guard().unwrap();
        shutdown.initiate("SIGTERM");
        assert!(ended(&mut script, &shutdown).timed_out);
        drop(guard);
    });
    let said: Vec<_> =
        log.heard().into_iter().filter(|fields| fields.contains_key("needed_ms")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let remaining = number(&said[0], "remaining_ms");
    assert_eq!(number(&said[0], "left"), 1);
    assert!((4_000..=5_000).contains(&remaining), "{said:?}");
}
