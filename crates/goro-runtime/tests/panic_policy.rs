//! What a panic leads to, by runtime and by group; and what its record says.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, Group, PanicPolicy, Policy, TaskGroup, yield_now};
use goro_runtime::time::{Duration, sleep};
use goro_runtime::{Builder, Runtime, block_on, spawn, task};
use goro_sync::cancel;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Mutex, OnceLock};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Panics without the hook's message.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("quiet"))
}

struct PanicOnDrop;
impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic_quietly()
    }
}

/// One event's fields.
type Record = BTreeMap<&'static str, String>;

#[derive(Default)]
struct Fields(Record);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// Keeps what is told of panics.
struct Tell;

static TOLD: Mutex<Vec<Record>> = Mutex::new(Vec::new());

impl Subscriber for Tell {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        if ["goro::task", "goro::blocking"].contains(&event.metadata().target()) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            TOLD.lock().unwrap().push(fields.0);
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// A runtime with this policy, whose events are kept from now on.
fn runtime(name: &str, policy: PanicPolicy) -> Runtime {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| tracing::subscriber::set_global_default(Tell).unwrap());
    Builder::new().workers(2).name(name).panic_policy(policy).build().unwrap()
}

/// What was told of this runtime's panics.
fn records(runtime: &str) -> Vec<Record> {
    let told = TOLD.lock().unwrap();
    told.iter().filter(|record| record["runtime"] == runtime).cloned().collect()
}

/// Until no task of it is live.
fn wait_for_all(runtime: &Runtime) {
    while runtime.metrics().tasks_live > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_record_names_the_task_its_site_its_id_and_its_age_though_nobody_joins() {
    let runtime = runtime("log", PanicPolicy::default());
    let handle = runtime.handle().clone();
    let (line, id) = runtime.block_on(async move {
        // From a worker, whose ids say when they were given.
        spawn(async {
            let line = line!() + 1;
            let old = task::Builder::new().name("old").spawn(async {
                sleep(Duration::from_millis(700)).await;
                panic_quietly()
            });
            (line, old.id())
        })
        .await
        .unwrap()
    });
    drop(handle.spawn(async { panic_quietly() }));
    drop(runtime.spawn_blocking(|| panic_quietly()));
    wait_for_all(&runtime);
    while records("log").len() < 3 {
        std::thread::yield_now();
    }
    drop(runtime);
    let told = records("log");
    assert_eq!(told.len(), 3, "{told:?}");
    let old = told.iter().find(|record| record["task.name"] == "old").expect("it has a name");
    assert_eq!(old["task.id"], id.get().to_string());
    assert!(old["loc.file"].ends_with("panic_policy.rs"), "{old:?}");
    assert_eq!(old["loc.line"], line.to_string());
    let age = |record: &Record| record["task.age_ms"].parse::<u64>().unwrap();
    assert!((400..60_000).contains(&age(old)), "{old:?}");
    let job = told.iter().find(|record| record["message"].contains("job")).expect("of the job");
    assert!(age(job) < 60_000 && job.contains_key("task.id"), "{job:?}");
}

#[test]
fn what_is_ignored_is_counted_and_not_told() {
    let runtime = runtime("ignore", PanicPolicy::Ignore);
    for _ in 0..10 {
        drop(runtime.spawn(async {
            yield_now().await;
            panic_quietly()
        }));
        drop(runtime.spawn_blocking(|| panic_quietly()));
    }
    wait_for_all(&runtime);
    assert_eq!(runtime.metrics().tasks_panicked, 10);
    drop(runtime);
    assert_eq!(records("ignore"), []);
}

#[test]
fn a_panic_stops_the_runtime_that_is_to_stop() {
    for blocking in [false, true] {
        let name = if blocking { "stop job" } else { "stop" };
        let runtime = runtime(name, PanicPolicy::Shutdown);
        let others: Vec<_> = (0..20).map(|_| runtime.spawn(pending::<()>())).collect();
        if blocking {
            drop(runtime.spawn_blocking(|| panic_quietly()));
        } else {
            drop(runtime.spawn(async { panic_quietly() }));
        }
        for other in others {
            assert_eq!(block_on(other).unwrap_err().cause(), Some(&Cause::Shutdown));
        }
        let late = block_on(runtime.spawn(async {}));
        assert_eq!(late.unwrap_err().cause(), Some(&Cause::Shutdown));
        wait_for_all(&runtime);
        drop(runtime);
        assert_eq!(records(name).len(), 1);
    }
}

/// A group under which failures concern nobody else: one child waits to be asked, the other one panics. What the
/// first one gave.
async fn supervised(of: TaskGroup<(), &'static str>) -> &'static str {
    let (say, said) = std::sync::mpsc::channel();
    let ran = of
        .policy(Policy::Supervise)
        .run(async move |group: Group<(), &'static str>| {
            group
                .spawn(async move {
                    let asked = goro_runtime::time::timeout(
                        Duration::from_millis(300),
                        cancel::cancelled(),
                    );
                    let cause = asked.await;
                    let saying = match cause {
                        Ok(Cause::Panicked(_)) => "asked",
                        Ok(_) => "asked for another reason",
                        Err(_) => "left alone",
                    };
                    say.send(saying).unwrap();
                    Ok(())
                })
                .await
                .ok();
            let panics = async {
                yield_now().await;
                panic_quietly()
            };
            group.spawn(panics).await.ok();
            Ok(())
        })
        .await;
    assert_eq!(ran, Ok(()));
    said.recv().expect("it says what it was told")
}

#[test]
fn a_panic_cancels_the_group_that_is_to_be_cancelled() {
    let of_runtime = runtime("cancel", PanicPolicy::CancelGroup);
    assert_eq!(of_runtime.block_on(supervised(TaskGroup::new())), "asked");
    let log = TaskGroup::new().panic_policy(PanicPolicy::Log);
    assert_eq!(of_runtime.block_on(supervised(log)), "left alone", "the group's own counts");
    // Where there is no group.
    assert!(of_runtime.block_on(of_runtime.spawn(async { panic_quietly() })).is_err());
    assert_eq!(of_runtime.block_on(of_runtime.spawn(async { 7 })).unwrap(), 7);
    drop(of_runtime);
    assert_eq!(records("cancel").len(), 3);

    let other = runtime("cancel in one", PanicPolicy::Log);
    assert_eq!(other.block_on(supervised(TaskGroup::new())), "left alone");
    let own = TaskGroup::new().panic_policy(PanicPolicy::CancelGroup);
    assert_eq!(other.block_on(supervised(own)), "asked");
    drop(other);
    assert_eq!(records("cancel in one").len(), 2);
}

#[test]
fn a_groups_policy_counts_for_its_tasks_alone() {
    // Polls and destructors; the destructors run as the group is aborted.
    let group = |policy| async move {
        let ran = TaskGroup::new()
            .policy(Policy::Supervise)
            .panic_policy(policy)
            .grace(Duration::ZERO)
            .run(async |group: Group<(), &'static str>| {
                group.spawn(async { panic_quietly() }).await.ok();
                let parked = async {
                    let _guard = PanicOnDrop;
                    pending().await
                };
                group.spawn(parked).await.ok();
                while group.running() > 1 {
                    sleep(Duration::from_millis(1)).await;
                }
                sleep(Duration::from_millis(1)).await;
                group.cancel("enough");
                Ok(())
            })
            .await;
        assert_eq!(ran.unwrap_err().dropped, 1);
    };
    let quiet = runtime("quiet group", PanicPolicy::Log);
    quiet.block_on(group(PanicPolicy::Ignore));
    assert_eq!((records("quiet group").len(), quiet.metrics().tasks_panicked), (0, 2));
    assert!(quiet.block_on(quiet.spawn(async { panic_quietly() })).is_err());
    drop(quiet);
    assert_eq!(records("quiet group").len(), 1);

    let loud = runtime("loud group", PanicPolicy::Ignore);
    loud.block_on(group(PanicPolicy::Log));
    assert!(loud.block_on(loud.spawn(async { panic_quietly() })).is_err());
    drop(loud);
    assert_eq!(records("loud group").len(), 2);

    let stops = runtime("stopping group", PanicPolicy::Ignore);
    let other = stops.spawn(pending::<()>());
    stops.spawn(async move {
        let group = TaskGroup::new().panic_policy(PanicPolicy::Shutdown);
        let panics = async |group: Group<(), &'static str>| {
            group.spawn(async { panic_quietly() }).await.ok();
            pending().await
        };
        let _ran: Result<(), _> = group.run(panics).await;
    });
    assert_eq!(block_on(other).unwrap_err().cause(), Some(&Cause::Shutdown));
}
