//! Locks, signals, cells, pools, tokens.

use std::sync::Arc;
use std::time::Duration;

use goro::cancel::{self, CancellationToken};
use goro::sync::{
    Barrier, Event, FairMutex, LazyCell, Mutex, MutexGuard, Notify, OnceCell, OwnedMutexGuard,
    Pool, RwLock, RwLockReadGuard, Semaphore, SingleFlight,
};

use crate::shown::{Shown, poll, waits};

pub(crate) fn locks(shown: &mut Shown) {
    let lock = Arc::new(Mutex::new(1));
    shown.add("sync::Mutex", "free", &lock);
    let guard = lock.blocking_lock();
    shown.add("sync::Mutex", "held by another", &lock);
    shown.add("sync::MutexGuard", "whole", &guard);
    shown.add("sync::TryLockError", "held", &lock.try_lock().unwrap_err());
    let part = MutexGuard::map(guard, |value| value);
    drop(part);
    let owned = lock.clone().try_lock_owned().unwrap();
    shown.add("sync::OwnedMutexGuard", "whole", &owned);
    drop(OwnedMutexGuard::map(owned, |value| value));
    let fair = FairMutex::new(2);
    shown.add("sync::FairMutex", "free", &fair);
    let held = fair.try_lock().unwrap();
    shown.add("sync::FairMutex", "held by another", &fair);
    drop(held);
    let shared = Arc::new(RwLock::new(3));
    shown.add("sync::RwLock", "free", &shared);
    let reader = shared.blocking_read();
    shown.add("sync::RwLockReadGuard", "whole", &reader);
    drop(RwLockReadGuard::map(reader, |value| value));
    let writer = shared.blocking_write();
    shown.add("sync::RwLock", "held by another", &shared);
    shown.add("sync::RwLockWriteGuard", "whole", &writer);
    drop(writer);
    let reader = shared.clone().try_read_owned().unwrap();
    shown.add("sync::OwnedRwLockReadGuard", "whole", &reader);
    drop(reader);
    let writer = shared.clone().try_write_owned().unwrap();
    shown.add("sync::OwnedRwLockWriteGuard", "whole", &writer);
}

pub(crate) fn signals(shown: &mut Shown) {
    let permits = Arc::new(Semaphore::new(2));
    shown.add("sync::Semaphore", "all there", &permits);
    let permit = permits.try_acquire().unwrap();
    shown.add("sync::Permit", "one", &permit);
    let owned = permits.clone().try_acquire_owned().unwrap();
    shown.add("sync::OwnedPermit", "one", &owned);
    shown.add("sync::Semaphore", "none there", &permits);
    shown.add("sync::TryAcquireError", "too few", &permits.try_acquire().unwrap_err());
    let more = permits.try_acquire_many(3).unwrap_err();
    shown.add("sync::TryAcquireError", "never so many", &more);
    let more = goro::block_on(permits.acquire_many(3)).unwrap_err();
    shown.add("sync::AcquireError", "never so many", &more);
    shown.add("sync::TooManyPermits", "too many", &permits.add(usize::MAX).unwrap_err());
    permits.close();
    shown.add("sync::Semaphore", "closed", &permits);
    shown.add("sync::TryAcquireError", "closed", &permits.try_acquire().unwrap_err());
    let closed = goro::block_on(permits.acquire()).unwrap_err();
    shown.add("sync::AcquireError", "closed", &closed);
    let notify = Notify::new();
    shown.add("sync::Notify", "nobody", &notify);
    let mut notified = Box::pin(notify.notified());
    shown.add("sync::Notified", "not polled", &notified);
    waits(&mut notified);
    shown.add("sync::Notified", "waiting", &notified);
    shown.add("sync::Notify", "waited for", &notify);
    notify.notify_one();
    assert!(poll(&mut notified).is_ready());
    notify.notify_one();
    shown.add("sync::Notify", "kept", &notify);
    let event = Event::new();
    shown.add("sync::Event", "not set", &event);
    shown.add("sync::WaitForEvent", "not polled", &event.wait());
    event.set();
    shown.add("sync::Event", "set", &event);
    let barrier = Barrier::new(2);
    shown.add("sync::Barrier", "nobody", &barrier);
    let (mut one, mut other) = (Box::pin(barrier.wait()), Box::pin(barrier.wait()));
    shown.add("sync::WaitAtBarrier", "not polled", &one);
    waits(&mut one);
    shown.add("sync::Barrier", "one waits", &barrier);
    let passed = goro::block_on(&mut other);
    shown.add("sync::BarrierWait", "last", &passed);
    shown.add("sync::BarrierWait", "another", &goro::block_on(&mut one));
}

pub(crate) fn cells_and_pools(shown: &mut Shown) {
    let cell = OnceCell::new();
    shown.add("sync::OnceCell", "empty", &cell);
    let mut making = Box::pin(cell.get_or_init(std::future::pending));
    waits(&mut making);
    shown.add("sync::SetError", "being made", &cell.set(2).unwrap_err());
    drop(making);
    cell.set(1).unwrap();
    shown.add("sync::OnceCell", "full", &cell);
    shown.add("sync::SetError", "set", &cell.set(2).unwrap_err());
    let lazy = LazyCell::new(async || 5);
    shown.add("sync::LazyCell", "empty", &lazy);
    goro::block_on(lazy.get());
    shown.add("sync::LazyCell", "full", &lazy);
    let pool = Pool::new(2, || 1);
    shown.add("sync::Pool", "empty", &pool);
    let value = pool.get();
    shown.add("sync::Pooled", "taken", &value);
    drop(value);
    shown.add("sync::Pool", "one idle", &pool);
    shown.add("sync::PoolStats", "one made", &pool.stats());
    let flights = SingleFlight::<u8, u8>::new();
    shown.add("sync::SingleFlight", "empty", &flights);
    let mut work = Box::pin(flights.run(1, std::future::pending));
    waits(&mut work);
    shown.add("sync::SingleFlight", "one under way", &flights);
}

pub(crate) fn tokens(shown: &mut Shown) {
    let token = CancellationToken::new();
    shown.add("cancel::CancellationToken", "open", &token);
    shown.add("cancel::WaitForCancellation", "not polled", &token.cancelled());
    shown.add("cancel::WaitForCancellationOwned", "not polled", &token.clone().cancelled_owned());
    shown.add("cancel::OnCancel", "kept", &token.on_cancel(|_| ()));
    shown.add("cancel::DropGuard", "armed", &token.child_token().drop_guard());
    let run = Box::pin(token.run_until_cancelled(std::future::ready(1)));
    shown.add("cancel::RunUntilCancelled", "not polled", &run);
    shown.add("cancel::Scope", "not polled", &token.scope(std::future::ready(1)));
    shown.add("cancel::Shield", "not polled", &cancel::shield(std::future::ready(1)));
    shown.add("cancel::Cancelled", "not polled", &cancel::cancelled());
    let timed = token.with_timeout(Duration::from_secs(3600));
    shown.add("cancel::CancellationToken", "with a deadline", &timed);
    token.cancel_with("enough");
    shown.add("cancel::CancellationToken", "cancelled with words", &token);
    let other = CancellationToken::new();
    other.cancel();
    shown.add("cancel::CancellationToken", "cancelled", &other);
}
