//! What is told of a long poll: one warning for each spawn site, or name, and minute.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/warnings.rs"]
mod warnings;

use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Handle, task};
use warnings::Warnings;

async fn slow(busy: Handle, naps: u32) {
    for _ in 0..naps {
        busy.busy(Duration::from_millis(30));
        sleep(Duration::from_secs(10)).await;
    }
}

#[test]
fn one_warning_for_each_site_and_minute_names_the_task() {
    let log = Warnings::of("goro::stall");
    tracing::subscriber::with_default(log.clone(), || {
        let builder = Builder::new().workers(1).name("reported");
        let mut script = builder.build_scripted(Some(1)).unwrap();
        let handle = script.handle();
        // In 65 s: the named one twice, the other sites once.
        let _inside = handle.enter();
        drop(task::Builder::new().name("slow").spawn(slow(handle.clone(), 7)));
        let line = line!() + 1;
        drop(handle.spawn(slow(handle.clone(), 2)));
        drop(handle.spawn(slow(handle.clone(), 1)));
        script.run_until_stalled();
        let warnings = log.heard();
        let of = |field, value: &str| {
            warnings.iter().filter(|fields| fields[field] == value).collect::<Vec<_>>()
        };
        assert_eq!((warnings.len(), of("task.name", "slow").len()), (4, 2), "{warnings:?}");
        assert_eq!(of("loc.line", &line.to_string()).len(), 1);
        for fields in &warnings {
            assert_eq!((&*fields["runtime"], fields["message"].is_empty()), ("reported", false));
            assert!(fields["loc.file"].ends_with("stall_report.rs"));
            assert!(fields["worker"].parse::<u32>().is_ok() && fields["task.id"] != "0");
            assert!((10..=30).contains(&fields["busy_ms"].parse::<u32>().unwrap()));
        }
    });
}
