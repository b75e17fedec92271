//! What this crate's tests look at and script: wakes, and a host with a clock that they move.

use core::task::Waker;
use core::time::Duration;
use std::any::Any;
use std::collections::BTreeMap;
use std::task::Wake;

use goro_shim::global::{Arc, AtomicBool, AtomicUsize, Lock, Ordering};
use goro_shim::time::Instant;

use crate::host::{BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use crate::kind::Kind;
use crate::task::TaskId;

/// A value for ever, as hosts must be: in sight of whoever looks for leaks.
pub(crate) fn for_ever<T: Send + Sync>(value: T) -> &'static T {
    static KEPT: Lock<Vec<&'static (dyn Any + Send + Sync)>> = Lock::new(Vec::new());
    let kept: &'static T = Box::leak(Box::new(value));
    KEPT.lock().push(kept);
    kept
}

/// Counts the wakes of its wakers, and unparks the thread that made it.
pub(crate) struct Wakes {
    count: AtomicUsize,
    thread: goro_shim::thread::Thread,
}

impl Wakes {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { count: AtomicUsize::new(0), thread: goro_shim::thread::current() })
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Parks this thread until the count is reached.
    pub(crate) fn wait_for(&self, count: usize) {
        while self.count() < count {
            goro_shim::thread::park();
        }
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::AcqRel);
        self.thread.unpark();
    }
}

/// A host whose time stands still until a test moves it.
pub(crate) struct Scripted {
    now: Lock<Instant>,
    timers: Lock<BTreeMap<u64, (Instant, Waker)>>,
    pub(crate) arms: AtomicUsize,
    pub(crate) rearms: AtomicUsize,
    pub(crate) disarms: AtomicUsize,
    pub(crate) blocked: AtomicUsize,
    /// How often the clock was read.
    pub(crate) looks: AtomicUsize,
    /// Up to when it owns to have fired; `None` says nothing of any time.
    tells: Lock<Option<Instant>>,
    stopped: AtomicBool,
    panics: AtomicBool,
}

impl Scripted {
    pub(crate) fn new() -> &'static Self {
        for_ever(Self {
            now: Lock::new(goro_shim::time::now()),
            timers: Lock::new(BTreeMap::new()),
            arms: AtomicUsize::new(0),
            rearms: AtomicUsize::new(0),
            disarms: AtomicUsize::new(0),
            blocked: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
            tells: Lock::new(None),
            stopped: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        })
    }

    /// Moves the clock, fires what is due, and owns to it from then on.
    pub(crate) fn advance_and_tell(&self, by: Duration) {
        self.advance(by);
        *self.tells.lock() = Some(*self.now.lock());
    }

    /// Sets the clock, firing nothing.
    pub(crate) fn set_now(&self, now: Instant) {
        *self.now.lock() = now;
    }

    /// Moves the clock and fires what is due, leaving the rest.
    pub(crate) fn advance(&self, by: Duration) {
        let now = {
            let mut now = self.now.lock();
            *now += by;
            *now
        };
        let due: BTreeMap<_, _> = {
            let mut timers = self.timers.lock();
            let (due, kept) = core::mem::take(&mut *timers).into_iter().partition(|t| t.1.0 <= now);
            *timers = kept;
            due
        };
        due.into_values().for_each(|(_, waker)| waker.wake());
    }

    /// Stops: wakes everybody, and arms nothing any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let all = core::mem::take(&mut *self.timers.lock());
        all.into_values().for_each(|(_, waker)| waker.wake());
    }

    /// Panics in the next arm, as a waker does that panics when cloned.
    pub(crate) fn panic_at_next_arm(&self) {
        self.panics.store(true, Ordering::Release);
    }

    /// The points in time armed, in order.
    pub(crate) fn armed(&self) -> Vec<Instant> {
        let mut armed: Vec<_> = self.timers.lock().values().map(|(at, _)| *at).collect();
        armed.sort();
        armed
    }

    /// Arms, re-arms and disarms asked for so far.
    pub(crate) fn calls(&self) -> [usize; 3] {
        [&self.arms, &self.rearms, &self.disarms].map(|n| n.load(Ordering::Acquire))
    }
}

impl Host for Scripted {
    fn now(&self) -> Instant {
        self.looks.fetch_add(1, Ordering::AcqRel);
        *self.now.lock()
    }

    fn has_fired(&self, at: Instant) -> bool {
        self.tells.lock().is_some_and(|until| at <= until)
    }

    fn arm(&'static self, at: Instant, waker: &Waker) -> Result<TimerKey, Gone> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(Gone);
        }
        if self.panics.swap(false, Ordering::AcqRel) {
            std::panic::resume_unwind(Box::new("a clone that panics"));
        }
        let waker = waker.clone();
        let key = self.arms.fetch_add(1, Ordering::AcqRel) as u64;
        self.timers.lock().insert(key, (at, waker));
        Ok(TimerKey(key))
    }

    fn rearm(&'static self, key: TimerKey, waker: &Waker) -> bool {
        self.rearms.fetch_add(1, Ordering::AcqRel);
        let waker = waker.clone();
        let former = match self.timers.lock().get_mut(&key.0) {
            Some((_, armed)) => Ok(core::mem::replace(armed, waker)),
            None => Err(waker),
        };
        former.is_ok()
    }

    fn disarm(&'static self, key: TimerKey) {
        self.disarms.fetch_add(1, Ordering::AcqRel);
        let former = self.timers.lock().remove(&key.0);
        drop(former);
    }

    fn spawn(&'static self, future: BoxedFuture, _kind: Kind) -> Result<TaskId, BoxedFuture> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(future);
        }
        let mut future = future;
        let mut cx = core::task::Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_ready(), "this host polls once");
        Ok(TaskId::next())
    }

    fn blocking(&'static self, job: &mut dyn FnMut()) {
        self.blocked.fetch_add(1, Ordering::AcqRel);
        job();
    }

    fn spawn_blocking(&'static self, job: Job, _kind: Kind) -> Result<(), Refused> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(Refused(job, std::io::ErrorKind::WouldBlock.into()));
        }
        job();
        Ok(())
    }
}
