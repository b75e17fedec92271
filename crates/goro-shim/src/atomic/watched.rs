//! loom's atomics in such a way that models try every order of their accesses.
//!
//! loom tries another order of two accesses when it sees that they depend on each other, and it
//! compares each access with the last one only. A load is the last access, and so hides the load of
//! another thread that came before it from the store that comes after it: with `load` in one thread
//! and `load; fetch_sub` in another, the first thread never loads what the subtraction left. Here
//! each access is announced on a second object first, where any two accesses depend on each other.
//!
//! That object is a condition variable nobody waits for, since to notify one orders nothing else. A
//! relaxed read-modify-write would not do: two fences with one between them synchronise.
//!
//! Left out: what no model uses yet.

use loom::sync::{Condvar, atomic as plain};

use super::Ordering;

macro_rules! watched {
    ($(#[$about:meta])* $name:ident $(<$T:ident>)?, $value:ty, $plain:ty) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name $(<$T>)? {
            turns: Condvar,
            word: $plain,
        }

        impl $(<$T>)? $name $(<$T>)? {
            /// An atomic that holds `value`.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                Self { turns: Condvar::new(), word: <$plain>::new(value) }
            }

            #[track_caller]
            fn watched(&self) -> &$plain {
                self.turns.notify_one();
                &self.word
            }

            /// As std's.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                self.watched().load(order)
            }

            /// As std's.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.watched().store(value, order);
            }

            /// As std's.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.watched().swap(value, order)
            }

            /// As std's.
            ///
            /// # Errors
            /// The value that was found instead of `current`.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                next: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.watched().compare_exchange(current, next, success, failure)
            }

            /// As std's, but fails only if the value is another one.
            ///
            /// # Errors
            /// The value that was found instead of `current`.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                next: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, next, success, failure)
            }
        }
    };
}

macro_rules! counted {
    ($name:ident, $value:ty) => {
        watched!(
            /// A number.
            $name, $value, plain::$name
        );

        impl $name {
            /// Calls `f` with the value; the borrow shows that no other access is left.
            #[track_caller]
            pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut $value) -> R) -> R {
                self.word.with_mut(f)
            }

            /// As std's.
            #[track_caller]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.watched().fetch_add(value, order)
            }

            /// As std's.
            #[track_caller]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.watched().fetch_sub(value, order)
            }

            /// As std's.
            #[track_caller]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.watched().fetch_and(value, order)
            }

            /// As std's.
            #[track_caller]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.watched().fetch_or(value, order)
            }

            /// As std's.
            ///
            /// # Errors
            /// The value for which `f` had no other.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut now = self.load(fetch);
                while let Some(next) = f(now) {
                    match self.compare_exchange(now, next, set, fetch) {
                        Ok(old) => return Ok(old),
                        Err(other) => now = other,
                    }
                }
                Err(now)
            }
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(0)
            }
        }
    };
}

watched!(
    /// A flag.
    AtomicBool, bool, plain::AtomicBool
);
watched!(
    /// A pointer.
    AtomicPtr<T>, *mut T, plain::AtomicPtr<T>
);
counted!(AtomicU8, u8);
counted!(AtomicU32, u32);
counted!(AtomicU64, u64);
counted!(AtomicUsize, usize);

impl AtomicBool {
    /// As std's.
    #[track_caller]
    pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
        self.watched().fetch_or(value, order)
    }
}

impl Default for AtomicBool {
    #[track_caller]
    fn default() -> Self {
        Self::new(false)
    }
}
