//! The code of the lock that ships, over loom's flag.
//!
//! Left out: three threads. Two that wait would let each other run for ever.

use crate::Arc;
use crate::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[allow(unreachable_pub, dead_code, reason = "a second time, for a model that needs a part of it")]
#[path = "plain.rs"]
mod plain;

mod parts {
    pub(super) use super::{Backoff, Flag as AtomicBool};
    pub(super) use crate::atomic::Ordering;
}

/// loom's flag, made at its first use, since the lock is made in a constant.
#[derive(Debug)]
struct Flag(crate::global::OnceLock<crate::atomic::AtomicBool>);

impl Flag {
    const fn new(taken: bool) -> Self {
        assert!(!taken, "a lock is made untaken");
        Self(crate::global::OnceLock::new())
    }
}

impl core::ops::Deref for Flag {
    type Target = crate::atomic::AtomicBool;
    fn deref(&self) -> &Self::Target {
        self.0.get_or_init(Default::default)
    }
}

/// Lets another thread run instead of waiting.
struct Backoff;

impl Backoff {
    fn new() -> Self {
        Self
    }

    fn pause(&mut self) {
        thread::yield_now();
    }
}

/// A lock, and a count that is changed under it in two steps, each as weak as can be: who comes next
/// sees the count only if the lock sees to it.
struct Guarded {
    lock: plain::Lock<()>,
    count: AtomicUsize,
}

impl Guarded {
    fn new() -> Arc<Self> {
        let guarded = Self { lock: plain::Lock::new(()), count: AtomicUsize::new(0) };
        // The flag is made here, before other threads come.
        drop(guarded.lock.lock());
        Arc::new(guarded)
    }

    fn add_under(&self, guard: plain::Guard<'_, ()>) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Relaxed);
        drop(guard);
    }

    fn add(&self) {
        self.add_under(self.lock.lock());
    }
}

fn beside(guarded: &Arc<Guarded>, act: impl Fn(&Guarded) + 'static) -> thread::JoinHandle<()> {
    let guarded = Arc::clone(guarded);
    thread::spawn(move || act(&guarded))
}

/// Pitfall 18: an unlock that publishes nothing.
#[test]
fn two_threads_take_turns() {
    loom::model(|| {
        let guarded = Guarded::new();
        let other = beside(&guarded, Guarded::add);
        guarded.add();
        guarded.add();
        other.join().unwrap();
        assert_eq!(guarded.count.load(Ordering::Relaxed), 3);
    });
}

/// Who does not wait gets the lock, with all that was done under it, or nothing.
#[test]
fn who_does_not_wait_may_go_without() {
    loom::model(|| {
        let guarded = Guarded::new();
        let other = beside(&guarded, Guarded::add);
        let got = guarded.lock.try_lock().map(|guard| guarded.add_under(guard)).is_some();
        other.join().unwrap();
        assert_eq!(guarded.count.load(Ordering::Relaxed), 1 + usize::from(got));
        assert!(guarded.lock.try_lock().is_some(), "everybody has given it back");
    });
}
