//! On a clock that the tests move.

use core::future::{Future, pending, poll_fn, ready};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::io;
use std::task::Wake;

use futures::{Stream, StreamExt};
use goro_context::host::{BoxedFuture, Entered, Gone, Host, Job, Refused, TimerKey};
use goro_context::note::{self, Op, WaitNote};
use goro_context::{Cause, CurrentTask, Kind, TaskId, budget, host, task, time as clock};
use goro_shim::global::{Arc, AtomicUsize, Lock, Ordering};

use super::*;

mod interval;
mod sleep;
mod timeout;

const SECOND: Duration = Duration::from_secs(1);
const NANO: Duration = Duration::from_nanos(1);

/// Pitfall 131: the durations at which timed calls have overflowed, here or there.
const AWKWARD: [Duration; 6] = [
    Duration::ZERO,
    NANO,
    Duration::from_nanos(999_999),
    Duration::from_millis(1 << 31),
    Duration::from_millis(i64::MAX as u64),
    Duration::MAX,
];

/// A host whose time stands still until a test moves it.
struct Scripted {
    now: Lock<Instant>,
    looks: AtomicUsize,
    timers: Lock<BTreeMap<u64, (Instant, Waker)>>,
    arms: AtomicUsize,
}

/// A scripted host, entered, and a task of its that is polled by hand.
struct Stage {
    host: &'static Scripted,
    wakes: Arc<AtomicUsize>,
    waker: Waker,
    _task: task::Scope,
    _entered: Entered,
}

struct Count(Arc<AtomicUsize>);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A host for ever, in sight of whoever looks for leaks.
fn for_ever(host: Scripted) -> &'static Scripted {
    static KEPT: Lock<Vec<&'static Scripted>> = Lock::new(Vec::new());
    let kept: &'static Scripted = Box::leak(Box::new(host));
    KEPT.lock().push(kept);
    kept
}

impl Stage {
    fn new() -> Self {
        let host = for_ever(Scripted {
            now: Lock::new(goro_shim::time::now()),
            looks: AtomicUsize::new(0),
            timers: Lock::new(BTreeMap::new()),
            arms: AtomicUsize::new(0),
        });
        let wakes = Arc::new(AtomicUsize::new(0));
        let waker = Waker::from(Arc::new(Count(Arc::clone(&wakes))));
        let entered = host::enter(host);
        let current = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
        budget::reset();
        Self { host, wakes, waker, _task: current, _entered: entered }
    }

    fn now(&self) -> Instant {
        *self.host.now.lock()
    }

    /// Polls once, with a full budget.
    fn poll<F: Future + Unpin>(&self, mut future: F) -> Poll<F::Output> {
        self.poll_pinned(Pin::new(&mut future))
    }

    fn poll_pinned<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        budget::reset();
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Moves the clock and fires what is due.
    fn advance(&self, by: Duration) {
        let now = {
            let mut now = self.host.now.lock();
            *now += by;
            *now
        };
        let due: BTreeMap<_, _> = {
            let mut timers = self.host.timers.lock();
            let (due, kept) = core::mem::take(&mut *timers).into_iter().partition(|t| t.1.0 <= now);
            *timers = kept;
            due
        };
        due.into_values().for_each(|(_, waker)| waker.wake());
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::Acquire)
    }

    fn looks(&self) -> usize {
        self.host.looks.load(Ordering::Acquire)
    }

    fn arms(&self) -> usize {
        self.host.arms.load(Ordering::Acquire)
    }

    fn armed(&self) -> Vec<Instant> {
        self.host.timers.lock().values().map(|(at, _)| *at).collect()
    }
}

impl Host for Scripted {
    fn now(&self) -> Instant {
        self.looks.fetch_add(1, Ordering::AcqRel);
        *self.now.lock()
    }

    fn arm(&'static self, at: Instant, waker: &Waker) -> Result<TimerKey, Gone> {
        let waker = waker.clone();
        let key = self.arms.fetch_add(1, Ordering::AcqRel) as u64;
        self.timers.lock().insert(key, (at, waker));
        Ok(TimerKey(key))
    }

    fn rearm(&'static self, key: TimerKey, waker: &Waker) -> bool {
        let waker = waker.clone();
        let former = match self.timers.lock().get_mut(&key.0) {
            Some((_, armed)) => Ok(core::mem::replace(armed, waker)),
            None => Err(waker),
        };
        former.is_ok()
    }

    fn disarm(&'static self, key: TimerKey) {
        let former = self.timers.lock().remove(&key.0);
        drop(former);
    }

    fn spawn(&'static self, future: BoxedFuture, _kind: Kind) -> Result<TaskId, BoxedFuture> {
        Err(future)
    }

    fn blocking(&'static self, job: &mut dyn FnMut()) {
        job();
    }

    fn spawn_blocking(&'static self, job: Job, _kind: Kind) -> Result<(), Refused> {
        Err(Refused(job, io::ErrorKind::Unsupported.into()))
    }
}
