//! Which runtime is the current one: inside tasks, jobs, guards, destructors, and one in another.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::time::{Duration, now, sleep};
use goro_runtime::{Builder, EnterGuard, Handle, Runtime, block_on, spawn, spawn_blocking};
use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};

const LONG: Duration = Duration::from_secs(20);

fn named(name: &str, workers: usize) -> Runtime {
    Builder::new().workers(workers).name(name).build().unwrap()
}

/// The name of the runtime that is current here.
fn here() -> Option<String> {
    Handle::try_current().ok().map(|handle| handle.name().to_owned())
}

struct OnDrop<F: FnMut()>(F);
impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Every order of 0..n.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let insert = |order: Vec<usize>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, n - 1);
            order
        })
    };
    orders(n - 1).into_iter().flat_map(insert).collect()
}

/// Enters all of `handles`, leaves them in `order`, and checks after each step that the youngest
/// living guard decides, or else `outside`.
fn assert_youngest_decides(handles: &[&Handle], order: &[usize], outside: Option<&str>) {
    let mut guards: Vec<Option<EnterGuard<'_>>> = Vec::new();
    for handle in handles {
        guards.push(Some(handle.enter()));
        assert_eq!(here().as_deref(), Some(handle.name()));
    }
    for &guard in order {
        drop(guards[guard].take());
        let youngest = guards.iter().rposition(Option::is_some).map(|at| handles[at].name());
        assert_eq!(here().as_deref(), youngest.or(outside), "left in order {order:?}");
    }
}

/// Pitfall 63: guards left in the wrong order.
#[test]
fn the_youngest_living_guard_decides_in_any_order() {
    let (a, b) = (named("a", 1), named("b", 1));
    let handles = [a.handle(), b.handle(), a.handle(), b.handle()];
    for order in orders(4) {
        assert_youngest_decides(&handles, &order, None);
    }
}

/// Pitfall 63: the same inside a task, where the worker must be its runtime's again afterwards,
/// and only then.
#[test]
fn guards_of_a_task_leave_its_worker_as_it_was() {
    let (own, other) = (named("own", 1), named("other", 1));
    let other = other.handle().clone();
    let task = own.spawn(async move {
        let own = Handle::current();
        let handles = [&other, &own, &other, &own];
        for order in orders(4) {
            assert_youngest_decides(&handles, &order, Some("own"));
            // A worker's spawn goes to its own queue, an outsider's to the shared one.
            let child = spawn(pending::<()>());
            let metrics = own.metrics();
            assert_eq!((metrics.injected, metrics.workers[0].queued), (0, 1), "{order:?}");
            child.abort();
            drop(child);
            goro_runtime::task::yield_now().await;
        }
    });
    block_on(task).unwrap();
}

#[test]
fn between_two_guards_left_in_the_wrong_order_spawns_go_to_the_one_that_lives() {
    let (own, other) = (named("own", 1), named("other", 1));
    let handle = other.handle().clone();
    let task = own.spawn(async move {
        let first = handle.enter();
        let second = handle.enter();
        drop(first);
        let task = spawn(async { here() });
        drop(second);
        task.await.unwrap()
    });
    assert_eq!(block_on(task).unwrap().as_deref(), Some("other"));
    assert_eq!((own.metrics().tasks_spawned, other.metrics().tasks_spawned), (1, 1));
}

#[test]
fn the_current_runtime_is_known_in_each_place() {
    assert_eq!(here(), None);
    let error = Handle::try_current().unwrap_err();
    assert!(error.to_string().contains("Handle::enter"));
    let runtime = named("a", 1);
    assert_eq!(here(), None, "a runtime is not entered by being there");
    assert_eq!(runtime.block_on(async { here() }).as_deref(), Some("a"));
    assert_eq!(block_on(async { here() }), None);
    let inside = |handle: &Handle| {
        let (task, job) = (handle.spawn(async { here() }), handle.spawn_blocking(here));
        [block_on(task).unwrap(), block_on(job).unwrap()]
    };
    assert_eq!(inside(runtime.handle()), [Some("a".to_owned()), Some("a".to_owned())]);
    let nested = runtime.spawn(async {
        let task = spawn(async { here() });
        let job = spawn_blocking(|| block_on(async { here() }));
        (block_on(async { here() }), task.await.unwrap(), job.await.unwrap())
    });
    let a = Some("a".to_owned());
    assert_eq!(block_on(nested).unwrap(), (a.clone(), a.clone(), a));
    assert_eq!(here(), None);
}

#[test]
fn destructors_at_the_end_know_their_runtime() {
    let runtime = named("a", 1);
    let (tell, told) = mpsc::channel();
    let guard = OnDrop(move || tell.send(here()).unwrap());
    drop(runtime.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    while runtime.metrics().tasks_parked < 1 {
        std::thread::yield_now();
    }
    drop(runtime);
    assert_eq!(told.recv().unwrap().as_deref(), Some("a"));
}

#[test]
fn one_runtime_inside_another() {
    let (a, b) = (named("a", 2), named("b", 2));
    let (inner, outer) = (b.handle().clone(), a.handle().clone());
    let places = a.block_on(async move {
        let task = spawn(async move {
            let there = inner.block_on(async {
                let child = spawn(async { here() });
                (here(), child.await.unwrap())
            });
            let back = spawn(async { here() }).await.unwrap();
            let forth = inner.spawn(async move { outer.block_on(async { here() }) });
            (there, back, forth.await.unwrap(), here())
        });
        task.await.unwrap()
    });
    let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
    assert_eq!(places, ((b.clone(), b), a.clone(), a.clone(), a));
}

/// A guard keeps no worker and no runtime going, and may outlive both.
#[test]
fn a_guard_may_outlive_its_runtime() {
    let runtime = named("a", 1);
    let handle = runtime.handle().clone();
    let guard = handle.enter();
    drop(runtime);
    assert_eq!(here().as_deref(), Some("a"));
    assert!(block_on(spawn(async {})).unwrap_err().is_cancelled());
    assert!(block_on(spawn_blocking(|| ())).unwrap_err().is_cancelled());
    // The next runtime gets another hub: this one is still known here.
    let next = named("next", 1);
    assert_eq!(next.block_on(async { spawn(async { here() }).await }).unwrap().unwrap(), "next");
    assert_eq!(here().as_deref(), Some("a"));
    drop(guard);
    assert_eq!(here(), None);
}

/// A guard that a task leaves in a thread-local of its worker is dropped after the worker's end.
#[test]
fn a_guard_may_outlive_its_worker() {
    thread_local! {
        static KEPT: RefCell<Option<Left>> = const { RefCell::new(None) };
    }
    /// Leaves the other runtime when its thread ends, and spawns once more.
    struct Left(Option<EnterGuard<'static>>, Handle, mpsc::Sender<bool>);
    impl Drop for Left {
        fn drop(&mut self) {
            drop(self.0.take());
            let late = block_on(self.1.spawn(async {}));
            let _gone = self.2.send(late.is_err() && here().is_none());
        }
    }
    let (own, other) = (named("own", 1), named("other", 1));
    let other: &'static Handle = Box::leak(Box::new(other.handle().clone()));
    let (tell, told) = mpsc::channel();
    let handle = own.handle().clone();
    let task = own.spawn(async move {
        let guard = Some(other.enter());
        KEPT.set(Some(Left(guard, handle, tell)));
    });
    block_on(task).unwrap();
    drop(own);
    assert!(told.recv_timeout(LONG).unwrap());
}

/// A guard that is forgotten is its task's affair, not that of all who come after it.
#[test]
fn a_forgotten_guard_does_not_stay_on_its_worker() {
    let (own, other) = (named("own", 1), named("other", 1));
    let other: &'static Handle = Box::leak(Box::new(other.handle().clone()));
    let forgets = own.spawn(async move {
        let _kept = std::mem::ManuallyDrop::new(other.enter());
    });
    block_on(forgets).unwrap();
    let mut places = Vec::new();
    while places.last().is_none_or(|place| *place != Some("own".to_owned())) {
        assert!(places.len() < 100, "{places:?}");
        places.push(block_on(own.spawn(async { here() })).unwrap());
    }
    let child = own.spawn(async { spawn(async { here() }).await.unwrap() });
    assert_eq!(block_on(child).unwrap().as_deref(), Some("own"));
    drop(own);
}

/// Whoever keeps a task's host and uses it elsewhere is an outsider: only its worker counts and
/// pushes without a read-modify-write.
#[test]
fn a_host_kept_from_a_task_may_be_used_from_any_thread() {
    let runtime = named("a", 2);
    let host = runtime.spawn(async { goro_context::host::current().unwrap() });
    let host = block_on(host).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let ran = ran.clone();
            std::thread::spawn(move || {
                for _ in 0..5_000 {
                    let ran = ran.clone();
                    let task = Box::pin(async move {
                        ran.fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(host.spawn(task, goro_context::Kind::OTHER).is_ok());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    while ran.load(Ordering::Relaxed) < 20_000 {
        std::thread::yield_now();
    }
    assert_eq!(runtime.metrics().tasks_spawned, 20_001);
    assert!(runtime.shutdown_timeout(LONG), "nothing is counted that is not there");
}

#[test]
fn a_timer_armed_with_a_sleeping_workers_host_wakes_the_worker() {
    struct Tell(mpsc::Sender<()>);
    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }
    let runtime = named("a", 1);
    for _ in 0..20 {
        let host = block_on(runtime.spawn(async { goro_context::host::current().unwrap() }));
        let host = host.unwrap();
        while runtime.metrics().sleeping < 1 {
            std::thread::yield_now();
        }
        let (tell, told) = mpsc::channel();
        let waker = Waker::from(Arc::new(Tell(tell)));
        host.arm(now() + Duration::from_millis(2), &waker).unwrap();
        assert!(told.recv_timeout(LONG).is_ok(), "the worker sleeps until then, not for ever");
    }
}

/// A sleep armed in a runtime that is gone goes by the kernel's clock, whoever has the hub now.
#[test]
fn a_sleep_that_outlives_its_runtime_is_shown_no_scripts_clock() {
    let runtime = named("a", 1);
    let time = Duration::from_millis(300);
    let due = now() + time;
    let mut nap = sleep(time);
    let mut cx = Context::from_waker(Waker::noop());
    {
        let _inside = runtime.enter();
        assert!(Pin::new(&mut nap).poll(&mut cx).is_pending());
    }
    drop(runtime);
    let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
    script.run(sleep(Duration::from_secs(3_600))).unwrap();
    let early = Pin::new(&mut nap).poll(&mut cx).is_ready();
    assert!(!early || now() >= due, "an hour has passed in the script only");
    block_on(nap);
    assert!(now() >= due);
}
