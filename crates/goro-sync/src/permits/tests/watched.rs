//! What a line asks of the thread's host: a timer that watches turns, which fires here when the test says
//! so or while it is being armed; and wakes behind what is ready.

use std::collections::BTreeMap;

use goro_context::host::{self, BoxedFuture, Gone, Host, Job, Refused, TimerKey};
use goro_context::time::Instant;
use goro_context::{Kind, TaskId};
use goro_shim::atomic::AtomicU64;
use goro_shim::lock::Lock;

use super::*;
use crate::testing::for_ever;

/// A host whose time stands still, and whose timers fire when a test says so.
struct Scripted {
    now: Instant,
    armed: Lock<BTreeMap<u64, Waker>>,
    keys: AtomicU64,
    /// The first timer fires before whoever arms it has its key.
    hasty: bool,
    /// Wakes behind what is ready.
    behind: AtomicU32,
}

impl Scripted {
    fn new(hasty: bool) -> &'static Self {
        for_ever(Self {
            now: goro_shim::time::now(),
            armed: Lock::new(BTreeMap::new()),
            keys: AtomicU64::new(0),
            hasty,
            behind: AtomicU32::new(0),
        })
    }

    /// Fires what is armed.
    fn fire(&self) {
        let due = core::mem::take(&mut *self.armed.lock());
        due.into_values().for_each(Waker::wake);
    }
}

impl Host for Scripted {
    fn now(&self) -> Instant {
        self.now
    }
    fn arm(&'static self, _: Instant, waker: &Waker) -> Result<TimerKey, Gone> {
        let key = self.keys.fetch_add(1, Ordering::AcqRel);
        match self.hasty && key == 0 {
            true => waker.wake_by_ref(),
            false => drop(self.armed.lock().insert(key, waker.clone())),
        }
        Ok(TimerKey(key))
    }
    fn rearm(&'static self, _: TimerKey, _: &Waker) -> bool {
        false
    }
    fn disarm(&'static self, key: TimerKey) {
        let disarmed = self.armed.lock().remove(&key.0);
        drop(disarmed);
    }
    fn spawn(&'static self, future: BoxedFuture, _: Kind) -> Result<TaskId, BoxedFuture> {
        Err(future)
    }
    fn blocking(&'static self, job: &mut dyn FnMut()) {
        job();
    }
    fn spawn_blocking(&'static self, job: Job, _: Kind) -> Result<(), Refused> {
        Err(Refused(job, std::io::ErrorKind::Unsupported.into()))
    }
    fn wake_behind(&'static self, waker: Waker) {
        self.behind.fetch_add(1, Ordering::AcqRel);
        waker.wake();
    }
}

/// `N` in a line in which nobody is passed, the first of which has just been given its turn.
fn line<const N: usize>(permits: &Permits) -> [(acquire::Acquire<'_, Fair, 1>, Arc<Wakes>); N] {
    let held = permits.try_take::<1>(1).unwrap();
    let mut line = wakes().map(|wakes| (permits.acquire::<Fair, 1>(1), wakes));
    line.iter_mut().for_each(|(waits, wakes)| assert!(poll(waits, wakes).is_pending()));
    drop(held);
    let woken = line.each_ref().map(|(_, wakes)| wakes.take());
    assert_eq!(woken, core::array::from_fn(|at| u32::from(at == 0)));
    line
}

#[test]
fn who_comes_while_a_turn_is_out_calls_nobody() {
    let _entered = host::enter(Scripted::new(false));
    let permits = Permits::new(1);
    let [(_first, a), (_second, b)] = line(&permits);
    let [c] = wakes();
    let mut late = permits.acquire::<Fair, 1>(1);
    assert!(poll(&mut late, &c).is_pending());
    assert_eq!((a.take(), b.take(), c.take()), (0, 0, 0));
    assert_eq!(permits.waiting(), [2, 1]);
}

/// The one that is passed by is never polled again; after it, each comes when its permit is given back.
#[test]
fn a_turn_that_is_overdue_does_not_count_any_more() {
    let host = Scripted::new(false);
    let _entered = host::enter(host);
    let permits = Permits::new(1);
    let [_stale, (mut next, b), (_third, c)] = line(&permits);
    host.fire();
    assert_eq!((b.take(), c.take()), (1, 0));
    let got = poll(&mut next, &b);
    assert!(got.is_ready());
    drop(got);
    assert_eq!(c.take(), 1);
}

#[test]
fn a_timer_that_fires_while_it_is_armed_is_armed_once_more() {
    let host = Scripted::new(true);
    let _entered = host::enter(host);
    let permits = Permits::new(1);
    let [_stale, (_next, b)] = line(&permits);
    host.fire();
    assert_eq!(b.take(), 1);
}

/// Who has a permit of several is about to give it back and to take it again: the one that tries before
/// that has lost. Of one permit, whoever has a turn comes next.
#[test]
fn one_of_several_is_woken_behind_what_is_ready() {
    let host = Scripted::new(false);
    let _entered = host::enter(host);
    let [a] = wakes();
    let (several, only) = (Permits::new(1), Permits::new(1));
    let held = (several.try_take::<1>(1).unwrap(), only.try_take::<1>(1).unwrap());
    let mut shares = several.acquire::<Sharing, 1>(1);
    let mut alone = only.acquire::<Barging, 1>(1);
    assert!(poll(&mut shares, &a).is_pending() && poll(&mut alone, &a).is_pending());
    drop(held.0);
    assert_eq!((a.take(), host.behind.load(Ordering::Acquire)), (1, 1));
    drop(held.1);
    assert_eq!((a.take(), host.behind.load(Ordering::Acquire)), (1, 1));
}
