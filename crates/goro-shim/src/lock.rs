//! A short lock that costs one read-modify-write: compare-and-swap to take, a store to give back.
//!
//! std's mutex must swap on unlock to learn whether a thread sleeps in the kernel: twice the price
//! uncontended (22 against 12 ns), five times under contention on two cores. Nobody ever sleeps in
//! the kernel for this one: who finds it taken stays away for a moment, then yields, then naps.
//!
//! Rules for whoever takes it:
//! 1. Hold it for tens of nanoseconds: move data, never call a waker, a destructor or a closure of
//!    the user's. (Hence no poisoning: nothing that panics runs inside.)
//! 2. No thread holds two goro locks, except the reactor's slab and then one source's.
//!
//! Left out: fairness (critical sections are too short to starve anyone) and blocking in the
//! kernel (the nap of [`Backoff`] covers a holder that was preempted; a plain `yield` would
//! livelock under real-time priorities).

use core::cell::Cell;
use core::time::Duration;

#[cfg(loom)]
pub use model::{Guard, Lock};
#[cfg(not(loom))]
pub use plain::{Guard, Lock};

pub(crate) mod plain;

mod parts {
    pub(super) use super::Backoff;
    pub(super) use crate::global::{AtomicBool, Ordering};
}

std::thread_local! {
    static PAUSES: Cell<u32> = const { Cell::new(0) };
}

/// How often this thread has stayed away from a lock that was taken, each time for about
/// [`PAUSE`]; it wraps. Where that is a good part of the time, cores are in each other's way.
pub fn pauses() -> u32 {
    PAUSES.with(Cell::get)
}

/// About how long a pause is.
pub const PAUSE: Duration = Duration::from_micros(1);

/// Waiting with growing patience: seven pauses of about a microsecond, 8 yields, then naps of 50 us
/// doubling to 1 ms.
///
/// A pause is many times as long as what it waits for. Two cores that come back as soon as they can fetch
/// the lock's line from each other for every step, at five times the price of the step; one that stays
/// away leaves the other some twenty steps of its own.
#[derive(Debug)]
pub struct Backoff(u32);

impl Backoff {
    const PAUSES: u32 = 7;
    const YIELDS: u32 = Self::PAUSES + 8;

    /// How often a pause tells the core that it waits: 0.8 us, or 3 where the core takes its time.
    const HINTS: u32 = 64;

    /// Starts impatient.
    pub const fn new() -> Self {
        Self(0)
    }

    /// Waits a little, and longer the next time.
    pub fn pause(&mut self) {
        if self.0 < Self::PAUSES {
            PAUSES.with(|pauses| pauses.set(pauses.get().wrapping_add(1)));
            for _ in 0..Self::HINTS {
                core::hint::spin_loop();
            }
        } else if self.0 < Self::YIELDS {
            crate::thread::yield_os();
        } else {
            let doublings = (self.0 - Self::YIELDS).min(5);
            let nap = Duration::from_micros(50 << doublings);
            crate::thread::sleep(nap.min(Duration::from_millis(1)));
        }
        self.0 = self.0.saturating_add(1);
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(loom)]
mod model {
    //! loom's mutex behind the same face: spinning would only multiply a model's executions.

    use crate::atomic::AtomicBool;

    /// A short lock; see the module.
    #[derive(Debug)]
    pub struct Lock<T>(loom::sync::Mutex<T>, AtomicBool);

    /// Access to a [`Lock`]'s value, until dropped.
    pub type Guard<'a, T> = loom::sync::MutexGuard<'a, T>;

    impl<T> Lock<T> {
        /// Makes an untaken lock.
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value), AtomicBool::new(false))
        }

        /// Takes the lock, waiting for its holder.
        pub fn lock(&self) -> Guard<'_, T> {
            self.0.lock().expect("no user code runs under a goro lock, so none panics there")
        }

        /// Takes the lock if nobody has it.
        pub fn try_lock(&self) -> Option<Guard<'_, T>> {
            self.0.try_lock().ok()
        }

        /// A flag beside the lock.
        pub fn hint(&self) -> &AtomicBool {
            &self.1
        }

        /// The value, with no locking: the borrow shows that nobody else is here.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().expect("no user code runs under a goro lock, so none panics there")
        }

        /// Takes the value out.
        pub fn into_inner(self) -> T {
            self.0.into_inner().expect("no user code runs under a goro lock, so none panics there")
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{Arc, thread};

    #[test]
    fn increments_from_many_threads_are_all_kept() {
        let lock = Arc::new(Lock::new(0_u64));
        let threads: Vec<_> = (0..4)
            .map(|i| {
                let lock = Arc::clone(&lock);
                thread::start(format!("adder {i}"), None, move || {
                    for _ in 0..50_000 {
                        *lock.lock() += 1;
                    }
                })
                .unwrap()
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*lock.lock(), 200_000);
    }

    #[test]
    fn try_lock_fails_while_taken_and_succeeds_after() {
        let lock = Lock::new(());
        let guard = lock.lock();
        assert!(lock.try_lock().is_none());
        drop(guard);
        assert!(lock.try_lock().is_some());
    }

    #[test]
    fn a_holder_that_sleeps_is_waited_for() {
        let lock = Arc::new(Lock::new(1));
        let mut guard = lock.lock();
        let other = {
            let lock = Arc::clone(&lock);
            thread::start("waiter".into(), None, move || *lock.lock()).unwrap()
        };
        thread::sleep(core::time::Duration::from_millis(20));
        *guard = 2;
        drop(guard);
        assert_eq!(other.join().unwrap(), 2);
    }
}

#[cfg(all(test, loom))]
mod models;
