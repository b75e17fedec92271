//! What is told of a long poll: one warning for each spawn site, or name, and minute.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Handle, task};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// The fields of each warning of a stall.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "goro::stall" && *metadata.level() == tracing::Level::WARN
    }
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

async fn slow(busy: Handle, naps: u32) {
    for _ in 0..naps {
        busy.busy(Duration::from_millis(30));
        sleep(Duration::from_secs(10)).await;
    }
}

#[test]
fn one_warning_for_each_site_and_minute_names_the_task() {
    let log = Log::default();
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
        let warnings = log.0.lock().unwrap();
        let of = |field, value: &str| {
            warnings.iter().filter(|fields| fields[field] == value).collect::<Vec<_>>()
        };
        assert_eq!((warnings.len(), of("task.name", "slow").len()), (4, 2), "{warnings:?}");
        assert_eq!(of("loc.line", &line.to_string()).len(), 1);
        for fields in &*warnings {
            assert_eq!((&*fields["runtime"], fields["message"].is_empty()), ("reported", false));
            assert!(fields["loc.file"].ends_with("stall_report.rs"));
            assert!(fields["worker"].parse::<u32>().is_ok() && fields["task.id"] != "0");
            assert!((10..=30).contains(&fields["busy_ms"].parse::<u32>().unwrap()));
        }
    });
}
