//! One thread's place to sleep, and the token that wakes it.
//!
//! ```text
//!            park                 unpark
//!  EMPTY ───────────▶ ASLEEP ────────────▶ NOTIFIED      (wake the thread)
//!  EMPTY ───────────▶ POLLING ───────────▶ NOTIFIED      (interrupt the reactor)
//!  EMPTY ────────────────────────────────▶ NOTIFIED      (nothing to do)
//!  NOTIFIED ─────────▶ EMPTY                             (park returns at once)
//! ```
//!
//! Invariants:
//! 1. Only the owning thread leaves `ASLEEP`, `POLLING` or `NOTIFIED` for `EMPTY`.
//! 2. A token given is never lost: it stands as `NOTIFIED` until the owner takes it.
//! 3. What was written before `unpark` is seen after the `park` that took its token.
//!
//! Left out: counting tokens. Ten wake-ups of a running thread are one.

use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::lock::Lock;
use goro_shim::thread::{self, Thread};
use goro_shim::time::{Instant, now};

mod patience;

pub use patience::Patience;

const EMPTY: u32 = 0;
const ASLEEP: u32 = 1;
const POLLING: u32 = 2;
const NOTIFIED: u32 = 3;

/// What the giver of a token has to do for it to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// The owner is awake and will see the token.
    Nothing,
    /// The owner sleeps on its thread: unpark it.
    Thread,
    /// The owner sleeps in the reactor: interrupt it.
    Reactor,
}

/// A place to sleep; see the module.
#[derive(Debug)]
pub struct Parker {
    state: AtomicU32,
    thread: Lock<Option<Thread>>,
    luck: patience::Luck,
}

impl Parker {
    /// A place that nobody owns.
    pub fn new() -> Self {
        let (state, thread) = (AtomicU32::new(EMPTY), Lock::new(None));
        Self { state, thread, luck: patience::Luck::default() }
    }

    /// Makes the calling thread the owner. A token that was given before is for it.
    pub fn adopt(&self) {
        let previous = self.thread.lock().replace(thread::current());
        drop(previous);
    }

    /// Ends ownership and forgets a token left over; nobody owns the place or is to be woken here.
    pub fn release(&self) {
        let previous = self.thread.lock().take();
        drop(previous);
        self.state.store(EMPTY, Ordering::Relaxed);
    }

    /// Owner: says where it is about to sleep. False when a token was waiting, which is then taken.
    fn announce(&self, place: u32) -> bool {
        // Ordering: Acquire on failure pairs with the Release half of `give`.
        match self.state.compare_exchange(EMPTY, place, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(_) => {
                self.take();
                false
            }
        }
    }

    /// Owner: says that it is about to sleep in the reactor. False: do not, a token was waiting.
    #[must_use]
    pub fn begin_polling(&self) -> bool {
        self.announce(POLLING)
    }

    /// Owner: says that it is about to sleep on its thread. False: do not, a token was waiting.
    #[must_use]
    pub fn begin_sleeping(&self) -> bool {
        self.announce(ASLEEP)
    }

    /// Whether the owner has said that it sleeps on its thread, by a glance.
    pub fn is_asleep(&self) -> bool {
        self.state.load(Ordering::Relaxed) == ASLEEP
    }

    /// Whether a token stands, by a glance.
    pub fn is_given(&self) -> bool {
        // Ordering: the read-modify-write that takes it acquires.
        self.state.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Owner: ends sleeping and takes a token if there is one.
    pub fn take(&self) -> bool {
        // Ordering: Acquire pairs with the Release half of `give`; Release orders nothing here but
        // keeps the word one chain of read-modify-writes.
        self.state.swap(EMPTY, Ordering::AcqRel) == NOTIFIED
    }

    /// Gives the token; the caller does what the answer says.
    #[must_use]
    pub fn give(&self) -> Nudge {
        // Ordering: Release pairs with the Acquire in `take`: what the giver wrote is seen by the
        // woken thread. Acquire: the giver acts on where the owner said it sleeps.
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            ASLEEP => Nudge::Thread,
            POLLING => Nudge::Reactor,
            _ => Nudge::Nothing,
        }
    }

    /// The owner could not be interrupted in the reactor after all: the token is taken back, so that
    /// the next giver tries again.
    pub fn take_back(&self) {
        // Fails when the owner has left the reactor by itself, and with the token. One that was given
        // anew to an owner who is awake is seen all the same: where it means to sleep next, not
        // finding the word empty, it takes it for a token.
        // Ordering: AcqRel keeps the word one chain of read-modify-writes.
        let _ = self.state.compare_exchange(NOTIFIED, POLLING, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Owner: sleeps on its thread until a token comes or `until` has passed. True for a token.
    pub fn sleep(&self, until: Option<Instant>) -> bool {
        !self.begin_sleeping() || self.sleep_on(until)
    }

    /// Owner, having [said](Self::begin_sleeping) that it sleeps: does so. True for a token.
    pub fn sleep_on(&self, until: Option<Instant>) -> bool {
        // Ordering: Acquire pairs with the Release half of `give`.
        while self.state.load(Ordering::Acquire) != NOTIFIED {
            match until {
                None => thread::park(),
                Some(until) => match until.checked_duration_since(now()) {
                    Some(left) if !left.is_zero() => thread::park_timeout(left),
                    _ => break,
                },
            }
        }
        self.take()
    }

    /// Wakes the thread that sleeps here.
    pub fn wake_thread(&self) {
        let thread = self.thread.lock().clone();
        if let Some(thread) = thread {
            thread.unpark();
        }
    }
}

impl Default for Parker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use goro_shim::Arc;
    use goro_shim::time::Duration;

    #[test]
    fn a_token_given_before_sleeping_is_taken_at_once() {
        let parker = Parker::new();
        parker.adopt();
        assert_eq!(parker.give(), Nudge::Nothing);
        assert!(parker.sleep(None));
    }

    #[test]
    fn a_deadline_in_the_past_ends_the_sleep_without_a_token() {
        let parker = Parker::new();
        parker.adopt();
        assert!(!parker.sleep(Some(now())));
        assert_eq!(parker.give(), Nudge::Nothing, "the owner is not asleep any more");
    }

    #[test]
    fn a_poller_is_to_be_interrupted_through_the_reactor() {
        let parker = Parker::new();
        assert!(parker.begin_polling());
        assert_eq!(parker.give(), Nudge::Reactor);
        assert!(parker.take());
        assert!(!parker.take());
    }

    #[test]
    fn a_token_taken_back_is_given_anew() {
        let parker = Parker::new();
        assert!(parker.begin_polling());
        assert_eq!(parker.give(), Nudge::Reactor);
        parker.take_back();
        assert_eq!(parker.give(), Nudge::Reactor, "the giver before could not interrupt it");
        assert!(parker.take());
        parker.take_back();
        assert!(!parker.take(), "its owner had it");
    }

    #[test]
    fn a_sleeper_wakes_for_each_of_many_tokens() {
        let (parker, taken) = (Arc::new(Parker::new()), Arc::new(Parker::new()));
        let (owner, answer) = (Arc::clone(&parker), Arc::clone(&taken));
        let far = || Some(now() + Duration::from_secs(10));
        let give = |parker: &Parker| {
            if parker.give() == Nudge::Thread {
                parker.wake_thread();
            }
        };
        taken.adopt();
        let sleeper = thread::start("sleeper".into(), None, move || {
            owner.adopt();
            for _ in 0..1_000 {
                while !owner.sleep(far()) {}
                give(&answer);
            }
        })
        .unwrap();
        for _ in 0..1_000 {
            give(&parker);
            assert!(taken.sleep(far()), "a token in ten seconds");
        }
        sleeper.join().unwrap();
    }
}
