//! Dropping a future at each of the points at which it may be dropped.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use goro_context::{CurrentTask, Kind, TaskId, budget, task};
use std::panic::Location;

use crate::here;

/// Runs what `start` makes up to its first point and drops it there, then another one up to its
/// second point, and so on, until one is done; returns how many points there are.
///
/// A point is where the future returned `Pending`: an await that waits, and with goro's own
/// operations also one that is ready at once, since each poll gets one of them done.
///
/// After each drop, and after the last one was done, `check` is called with the number of points
/// that were passed: here the test says what must hold. In a simulation everything else has come to
/// rest by then.
///
/// # Panics
/// When `check` does, or the future.
///
/// ```
/// use goro_sim::{Sim, cancel_at_every_point};
/// use std::sync::Mutex;
///
/// // Gives back what it has taken, wherever it is dropped.
/// struct Lent<'a>(&'a Mutex<u32>);
/// impl Drop for Lent<'_> {
///     fn drop(&mut self) {
///         *self.0.lock().unwrap() += 1;
///     }
/// }
/// Sim::new(1).run(async {
///     let left = Mutex::new(1);
///     let lend = || async {
///         *left.lock().unwrap() -= 1;
///         let _lent = Lent(&left);
///         goro_runtime::task::yield_now().await;
///         goro_runtime::task::yield_now().await;
///     };
///     let points = cancel_at_every_point(lend, |_| assert_eq!(*left.lock().unwrap(), 1)).await;
///     assert_eq!(points, 2);
/// }).unwrap();
/// ```
#[track_caller]
pub fn cancel_at_every_point<F: Future>(
    mut start: impl FnMut() -> F,
    mut check: impl FnMut(usize),
) -> impl Future<Output = usize> {
    let kind = Kind::named("cancelled at every point", Location::caller());
    async move {
        let mut points = 0;
        loop {
            let done = up_to(points, start(), kind).await;
            if here::current().is_some() {
                here::wait_quiescent().await;
            }
            check(points);
            if done {
                return points;
            }
            points += 1;
        }
    }
}

/// Polls `future` until it has passed so many points and met another, where it is dropped; true when
/// it was done before.
async fn up_to<F: Future>(points: usize, future: F, kind: Kind) -> bool {
    let mut future = pin!(future);
    let mut passed = 0;
    let me = CurrentTask { id: TaskId::next(), kind };
    poll_fn(|cx| {
        // Outside of tasks the budget is not asked, and its points would not be seen.
        let _task = task::current().is_none().then(|| task::enter(me));
        match budget::with(1, || Pin::new(&mut future).as_mut().poll(cx)) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if passed == points => Poll::Ready(false),
            Poll::Pending => {
                passed += 1;
                Poll::Pending
            }
        }
    })
    .await
}
