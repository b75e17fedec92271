//! Locks as their users meet them: guards, parts of values, threads, panics, sizes.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use futures::executor::block_on;
use futures::future::{FutureExt, join_all};
use goro_context::{CurrentTask, Kind, Op, TaskId, budget, note, task};
use goro_sync::{
    AcquireError, Barrier, Event, FairMutex, Mutex, MutexGuard, Notify, OnceCell, OwnedMutexGuard,
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
    Semaphore, TryAcquireError, names,
};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

#[test]
fn threads_and_tasks_add_up() {
    static COUNT: Mutex<usize> = Mutex::new(0);
    static FAIR: FairMutex<usize> = FairMutex::new(0);
    static SHARED: RwLock<usize> = RwLock::new(0);
    let threads: Vec<_> = (0..4)
        .map(|at| {
            thread::spawn(move || {
                for _ in 0..2_000 {
                    match at % 2 {
                        0 => *COUNT.blocking_lock() += 1,
                        _ => block_on(async { *COUNT.lock().await += 1 }),
                    }
                    *FAIR.blocking_lock() += 1;
                    let before = *SHARED.blocking_read();
                    let mut writer = SHARED.blocking_write();
                    assert!(*writer >= before);
                    *writer += 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let counts = [*COUNT.blocking_lock(), *FAIR.blocking_lock(), *SHARED.blocking_read()];
    assert_eq!(counts, [8_000; 3]);
}

#[test]
fn a_part_of_a_value_is_locked_with_it() {
    let lock = Mutex::new((1, [2, 3]));
    let part = MutexGuard::map(block_on(lock.lock()), |pair| &mut pair.1[..]);
    let none = MutexGuard::filter_map(part, |part| part.get_mut(5)).unwrap_err();
    let mut one = MutexGuard::filter_map(none, |part| part.get_mut(1)).unwrap();
    *one += 1;
    assert!(lock.try_lock().is_err());
    drop(one);
    assert_eq!(lock.into_inner(), (1, [2, 4]));

    let lock = RwLock::new((String::from("a"), 1));
    let name = RwLockReadGuard::map(lock.blocking_read(), |pair| pair.0.as_str());
    assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    assert_eq!(&*name, "a");
    drop(name);
    let mut name = RwLockWriteGuard::map(lock.blocking_write(), |pair| &mut pair.0);
    name.push('b');
    let name = RwLockWriteGuard::downgrade(name);
    assert_eq!(lock.try_read().map(|pair| pair.0.len()), Ok(2));
    assert_eq!((name.len(), lock.try_write().is_err()), (2, true));
}

#[test]
fn owned_guards_keep_their_lock_alive() {
    let lock: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    let guard = lock.clone().try_lock_owned().unwrap();
    assert!(lock.clone().try_lock_owned().is_err());
    let mut last = OwnedMutexGuard::map(guard, |bytes| bytes.last_mut().unwrap());
    let other = Arc::downgrade(&lock);
    drop(lock);
    *last = 9;
    let lock = other.upgrade().unwrap();
    drop(last);
    assert_eq!(&*lock.blocking_lock(), [1, 2, 9]);
    drop(lock);
    assert!(other.upgrade().is_none());

    let fair = Arc::new(FairMutex::new(1));
    let guard = block_on(fair.clone().lock_owned());
    assert!(fair.clone().try_lock_owned().is_err());
    drop(guard);
    *fair.clone().blocking_lock_owned() += 1;
    assert_eq!(*fair.try_lock().unwrap(), 2);

    let shared = Arc::new(RwLock::new((1, 2)));
    let mut writer = block_on(shared.clone().write_owned());
    assert!(shared.clone().try_read_owned().is_err());
    writer.0 = 3;
    let reader = OwnedRwLockWriteGuard::downgrade(writer);
    let part = OwnedRwLockReadGuard::map(reader, |pair| &pair.0);
    assert!(shared.clone().try_write_owned().is_err());
    assert_eq!((*part, *block_on(shared.clone().read_owned())), (3, (3, 2)));
    drop(part);
    assert!(shared.try_write_owned().is_ok());
}

/// No poisoning: the lock is given back by the unwinding, and the value is as it was left.
#[test]
fn a_panic_gives_the_lock_back() {
    let (lock, shared) = (Mutex::new(1), RwLock::new(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = lock.blocking_lock();
        let mut writer = shared.blocking_write();
        *guard = 2;
        *writer = 2;
        panic!("while it holds both")
    }));
    assert!(panicked.is_err());
    assert_eq!((*lock.try_lock().unwrap(), *shared.try_write().unwrap()), (2, 2));
    let guard = lock.try_lock().unwrap();
    let mapped = AssertUnwindSafe(|| {
        drop(MutexGuard::map(guard, |_: &mut i32| -> &mut i32 { panic!("in map") }));
    });
    assert!(catch_unwind(mapped).is_err());
    assert!(lock.try_lock().is_ok());
}

#[test]
fn a_writer_keeps_new_readers_out_and_then_all_get_in() {
    let lock = RwLock::new(0);
    let reader = lock.blocking_read();
    let mut writer = Box::pin(lock.write());
    assert!(writer.as_mut().now_or_never().is_none());
    assert!(lock.try_read().is_err(), "a writer is first in line");
    let mut late: Vec<_> = (0..3).map(|_| Box::pin(lock.read())).collect();
    assert!(late.iter_mut().all(|read| read.as_mut().now_or_never().is_none()));
    drop(reader);
    *block_on(writer) = 1;
    let all = block_on(join_all(late));
    assert!(all.len() == 3 && all.iter().all(|read| **read == 1));
}

#[test]
fn more_than_there_is_is_an_error() {
    let permits = Semaphore::new(2);
    let error = block_on(permits.acquire_many(3)).unwrap_err();
    assert_eq!(error, AcquireError::MoreThanTotal { wanted: 3, total: 2 });
    assert!(error.to_string().contains("ask for fewer"), "{error}");
    assert!(matches!(
        permits.try_acquire_many(3),
        Err(TryAcquireError::MoreThanTotal { wanted: 3, total: 2 })
    ));
    let held = permits.try_acquire_many(2).unwrap();
    assert!(matches!(permits.try_acquire(), Err(TryAcquireError::TooFew)));
    assert_eq!(permits.try_acquire_many(0).unwrap().count(), 0, "none is had at once");
    held.forget();
    assert_eq!((permits.total(), permits.available()), (0, 0));
    // One may be waited for where there is none yet.
    let mut waits = Box::pin(permits.acquire());
    assert!(waits.as_mut().now_or_never().is_none());
    permits.add(1).unwrap();
    assert_eq!(block_on(waits).unwrap().count(), 1);
}

/// Pitfall 114: neither the count overflows nor is what was closed opened again.
#[test]
fn too_many_permits_are_refused() {
    let permits = Semaphore::new(1);
    let held = permits.try_acquire().unwrap();
    assert!(permits.add(Semaphore::MAX).is_err());
    assert!(permits.add(usize::MAX).is_err());
    permits.add(Semaphore::MAX - 1).unwrap();
    assert!(permits.add(1).is_err());
    drop(held);
    assert_eq!((permits.available(), permits.total()), (Semaphore::MAX, Semaphore::MAX));
    assert_eq!(permits.remove(usize::MAX), Semaphore::MAX);
    assert!(catch_unwind(|| Semaphore::new(Semaphore::MAX + 1)).is_err());

    assert!(permits.close() && !permits.close());
    permits.add(5).unwrap();
    assert_eq!(block_on(permits.acquire()).err(), Some(AcquireError::Closed));
    assert!(matches!(permits.try_acquire_many(99), Err(TryAcquireError::Closed)));
}

#[test]
fn permits_are_parted_and_joined() {
    let permits = Arc::new(Semaphore::new(5));
    let mut four = permits.clone().try_acquire_many_owned(4).unwrap();
    let one = four.split(1).unwrap();
    assert!(four.split(4).is_none());
    assert_eq!((four.count(), one.count(), permits.available()), (3, 1, 1));
    four.merge(one).unwrap();
    let other = Arc::new(Semaphore::new(1));
    let stranger = block_on(other.clone().acquire_owned()).unwrap();
    assert_eq!(four.merge(stranger).unwrap_err().count(), 1);
    assert_eq!(other.available(), 1);
    let mut borrowed = permits.try_acquire().unwrap();
    assert!(borrowed.split(2).is_none());
    let part = borrowed.split(1).unwrap();
    borrowed.merge(part).unwrap();
    drop((four, borrowed));
    assert_eq!(permits.available(), 5);
}

#[test]
fn threads_take_permits_and_are_let_go() {
    let (permits, all) = (Arc::new(Semaphore::new(2)), Arc::new(Barrier::new(3)));
    let event = Arc::new(Event::new());
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (permits, all, event) = (permits.clone(), all.clone(), event.clone());
            thread::spawn(move || {
                for _ in 0..500 {
                    drop(permits.blocking_acquire().unwrap());
                    drop(permits.blocking_acquire_many(2).unwrap());
                }
                let leader = all.blocking_wait().is_leader();
                if leader {
                    event.set();
                }
                event.blocking_wait();
                leader
            })
        })
        .collect();
    let leaders = threads.into_iter().filter(|_| true).map(|thread| thread.join().unwrap());
    assert_eq!(leaders.filter(|leader| *leader).count(), 1);
    assert_eq!(permits.available(), 2);
}

/// The future is polled once; what the task that polled it is noted to wait for.
fn noted<F: Future>(future: F) -> (Op, Option<String>) {
    assert!(Box::pin(future).now_or_never().is_none());
    let note = note::take();
    (note.op, names::of(note.object).map(|name| name.to_string()))
}

#[test]
fn a_wait_says_what_for() {
    let (lock, fair) = (Mutex::named("orders", 0), FairMutex::named(String::from("stock"), 0));
    let (shared, permits) = (RwLock::named("routes", 0), Semaphore::named("seats", 0));
    let _held = (lock.blocking_lock(), fair.blocking_lock(), shared.blocking_read());
    let name = |name: &str| Some(name.to_string());
    assert_eq!(noted(lock.lock()), (Op::Lock, name("orders")));
    assert_eq!(noted(fair.lock()), (Op::Lock, name("stock")));
    assert_eq!(noted(shared.write()), (Op::Lock, name("routes")));
    assert_eq!(noted(permits.acquire()), (Op::Acquire, name("seats")));
    assert_eq!(noted(Notify::new().notified()), (Op::Notified, None));
    assert_eq!(noted(Event::new().wait()), (Op::Notified, None));
    assert_eq!(noted(Barrier::new(2).wait()), (Op::Barrier, None));
}

/// Pitfall 125: what is always ready lets others run when the task's budget is spent.
#[test]
fn a_free_lock_costs_budget() {
    fn served<T>(mut once: impl FnMut() -> Option<T>) -> usize {
        let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
        budget::reset();
        (0..1_000).take_while(|_| once().is_some()).count()
    }
    const LIMIT: usize = budget::LIMIT as usize;
    let (lock, shared, permits) = (Mutex::new(0), RwLock::new(0), Semaphore::new(1));
    let (notify, event, barrier) = (Notify::new(), Event::new(), Barrier::new(1));
    event.set();
    assert_eq!(served(|| Box::pin(lock.lock()).now_or_never()), LIMIT);
    assert_eq!(served(|| Box::pin(shared.read()).now_or_never()), LIMIT);
    assert_eq!(served(|| Box::pin(permits.acquire()).now_or_never()), LIMIT);
    assert_eq!(served(|| event.wait().now_or_never()), LIMIT);
    assert_eq!(served(|| barrier.wait().now_or_never()), LIMIT);
    let one = || {
        notify.notify_one();
        notify.notified().now_or_never()
    };
    assert_eq!(served(one), LIMIT);
}

/// At most four fifths of tokio 1.54's: 40 for a mutex, 48 for a lock of readers, 40 for a semaphore,
/// 32 for a notification, 56 for a cell of a word.
#[test]
#[cfg(target_pointer_width = "64")]
fn what_nobody_waits_for_is_small() {
    assert!(size_of::<Mutex<()>>() <= 32);
    assert!(size_of::<FairMutex<()>>() <= 32);
    assert!(size_of::<RwLock<()>>() <= 38);
    assert!(size_of::<Semaphore>() <= 32);
    assert!(size_of::<Notify>() <= 25);
    assert!(size_of::<Event>() <= 25);
    assert!(size_of::<OnceCell<usize>>() <= 44);
    assert!(size_of::<Barrier>() <= 44);
}

/// Pitfall 17: formatting never waits, and shows what can be seen.
#[test]
fn everything_can_be_printed_in_every_state() {
    let (lock, shared, permits) = (Mutex::new(1), RwLock::new(2), Semaphore::new(3));
    assert_eq!(format!("{lock:?}"), "Mutex { value: 1 }");
    let guard = lock.blocking_lock();
    assert_eq!(format!("{lock:?} {guard:?} {guard}"), "Mutex { value: <locked> } 1 1");
    let writer = shared.blocking_write();
    assert_eq!(format!("{shared:?} {writer:?}"), "RwLock { value: <locked> } 2");
    let permit = permits.try_acquire_many(2).unwrap();
    let text = format!("{permits:?} {permit:?}");
    assert_eq!(text, "Semaphore { available: 1, total: 3, closed: false } Permit { count: 2, .. }");
    let notify = Notify::new();
    notify.notify_one();
    assert_eq!(format!("{notify:?}"), "Notify { kept: true, waited_for: false }");
    let fair = FairMutex::new(4);
    assert_eq!(
        format!("{fair:?} {:?}", lock.try_lock().unwrap_err()),
        "FairMutex(Mutex { value: 4 }) TryLockError(())"
    );
    let (barrier, event) = (Barrier::new(2), Event::new());
    let text =
        format!("{barrier:?} {:?} {:?} {:?}", event.wait(), barrier.wait(), notify.notified());
    assert!(text.starts_with("Barrier { number: 2, arrived: 0 } WaitForEvent"), "{text}");
}
