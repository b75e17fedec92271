//! What code inside a simulation may ask of it.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;
use goro_runtime::Handle;
use goro_runtime::time::{Duration, sleep};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicBool, Ordering};
use goro_shim::thread::thread_local;

use crate::world::World;

thread_local! {
    /// The simulations that run on this thread, one inside the other.
    static HERE: RefCell<Vec<Arc<World>>> = const { RefCell::new(Vec::new()) };
}

/// A simulation runs on this thread until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(());

pub(crate) fn enter(world: &Arc<World>) -> Running {
    HERE.with(|here| here.borrow_mut().push(Arc::clone(world)));
    Running(())
}

impl Drop for Running {
    fn drop(&mut self) {
        let world = HERE.with(|here| here.borrow_mut().pop());
        drop(world);
    }
}

pub(crate) fn current() -> Option<Arc<World>> {
    HERE.try_with(|here| here.borrow().last().cloned()).ok().flatten()
}

#[track_caller]
pub(crate) fn world(who: &str) -> Arc<World> {
    match current() {
        Some(world) => world,
        None => panic!("{who} is for code inside a simulation: call it in Sim::run"),
    }
}

/// Lets `duration` pass inside a poll, as a computation would: this task's worker is held up, while
/// other workers, the monitor and timers go on.
///
/// Outside of a simulation it spins.
///
/// # Panics
/// When no runtime is entered.
///
/// ```
/// use goro_runtime::time::{Duration, now};
/// goro_sim::Sim::new(1).run(async {
///     let before = now();
///     goro_sim::busy(Duration::from_secs(1));
///     assert!(now() - before >= Duration::from_secs(1));
/// }).unwrap();
/// ```
#[track_caller]
pub fn busy(duration: Duration) {
    Handle::current().busy(duration);
}

/// Waits until nothing can run at this moment of the clock: everybody waits for a deadline, for
/// this very call, or for ever.
///
/// # Panics
/// Outside of a simulation.
///
/// # Cancel safety
/// Safe.
///
/// ```
/// goro_sim::Sim::new(1).run(async {
///     let task = goro_runtime::spawn(async {
///         for _ in 0..100 {
///             goro_runtime::task::yield_now().await;
///         }
///     });
///     goro_sim::wait_quiescent().await;
///     assert!(task.is_finished());
/// }).unwrap();
/// ```
pub async fn wait_quiescent() {
    let world = world("wait_quiescent");
    let reached = Arc::new(AtomicBool::new(false));
    poll_fn(|cx| {
        if reached.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        world.when_quiet(&reached, cx.waker());
        Poll::Pending
    })
    .await;
}

/// Moves the clock on by `duration`: whatever comes due on the way runs at its time, and when this
/// returns everything that could run has run.
///
/// The clock jumps by itself when nothing can run; this is for looking at what has happened by a
/// certain time.
///
/// # Panics
/// Outside of a simulation.
///
/// # Cancel safety
/// Safe; the time that has passed has passed.
///
/// ```
/// use goro_runtime::time::{Duration, sleep};
/// goro_sim::Sim::new(1).run(async {
///     let minute = goro_runtime::spawn(sleep(Duration::from_secs(60)));
///     goro_sim::advance(Duration::from_secs(59)).await;
///     assert!(!minute.is_finished());
///     goro_sim::advance(Duration::from_secs(2)).await;
///     assert!(minute.is_finished());
/// }).unwrap();
/// ```
pub async fn advance(duration: Duration) {
    sleep(duration).await;
    wait_quiescent().await;
}
