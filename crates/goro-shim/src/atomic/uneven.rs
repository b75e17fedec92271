//! A pair of fences of which one costs nothing: for a protocol in which one side acts all the time and
//! the other hardly ever.
//!
//! Of two threads that each write, fence, then read what the other wrote, at least one sees the other's
//! write, as with two [`fence_seqcst`](super::fence_seqcst)s, if one of them uses the heavy fence. (Of two light
//! ones nothing is promised.) The light one only keeps the compiler from moving accesses; the heavy one
//! has the kernel run a barrier on every processor that runs a thread of this process, and all others
//! have had one when they were taken off theirs (`membarrier`, a few microseconds).
//!
//! The names and the contract are those of C++'s proposal P1202, which lets a model take two full fences for
//! the pair; loom's does.
//!
//! Invariant: where there is no such call, [`has_heavy`] says so, always the same, and nobody leans on the light
//! one.

#[cfg(loom)]
use super::fence_seqcst;

/// The fence of whoever acts all the time; see the module.
#[cfg(not(loom))]
#[inline]
pub fn fence_light() {
    // Ordering: SeqCst towards the compiler; towards other threads the heavy fence makes it one.
    std::sync::atomic::compiler_fence(super::Ordering::SeqCst);
}

/// As above, for models.
#[cfg(loom)]
pub fn fence_light() {
    fence_seqcst();
}

/// The fence of whoever acts hardly ever; see the module. False when the kernel refused it, and then it was
/// none.
#[cfg(not(loom))]
#[must_use = "a fence that was refused orders nothing"]
pub fn fence_heavy() -> bool {
    has_heavy() && barrier()
}

/// As above, for models.
#[cfg(loom)]
#[must_use = "a fence that was refused orders nothing"]
pub fn fence_heavy() -> bool {
    fence_seqcst();
    true
}

/// Whether [`fence_heavy`] works here. The first call asks the kernel, which takes it some milliseconds where
/// the process has several threads.
///
/// Not for ThreadSanitizer, which does not see what the kernel does.
#[cfg(not(loom))]
#[inline]
pub fn has_heavy() -> bool {
    static HEAVY: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *HEAVY.get_or_init(|| cfg!(not(any(goro_tsan, miri))) && register() && barrier())
}

/// As above, for models.
#[cfg(loom)]
pub fn has_heavy() -> bool {
    true
}

#[cfg(all(not(loom), target_os = "linux"))]
fn register() -> bool {
    use rustix::thread::{MembarrierCommand, MembarrierQuery, membarrier, membarrier_query};
    membarrier_query().contains(MembarrierQuery::PRIVATE_EXPEDITED)
        && membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
}

#[cfg(all(not(loom), target_os = "linux"))]
fn barrier() -> bool {
    use rustix::thread::{MembarrierCommand, membarrier};
    membarrier(MembarrierCommand::PrivateExpedited).is_ok()
}

#[cfg(all(not(loom), not(target_os = "linux")))]
fn register() -> bool {
    false
}

#[cfg(all(not(loom), not(target_os = "linux")))]
fn barrier() -> bool {
    false
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{AtomicU32, Ordering, spin_loop};
    use super::*;
    use crate::{Arc, CachePadded, thread};

    const ROUNDS: u32 = 2_000;

    /// Looks at the other thread's word so often before it lets others run.
    const PATIENCE: u32 = 1_000;

    #[derive(Default)]
    struct Pair {
        turn: CachePadded<AtomicU32>,
        light: CachePadded<AtomicU32>,
        heavy: CachePadded<AtomicU32>,
        seen: CachePadded<AtomicU32>,
        done: CachePadded<AtomicU32>,
    }

    fn wait_for(word: &AtomicU32, value: u32) {
        let mut looks = 0;
        while word.load(Ordering::Acquire) != value {
            looks += 1;
            if looks % PATIENCE == 0 {
                std::thread::yield_now();
            }
            spin_loop();
        }
    }

    /// Each writes the number of the round, fences, and reads the other's word.
    #[test]
    fn one_of_the_two_sees_the_other() {
        if !has_heavy() {
            return;
        }
        let pair = Arc::new(Pair::default());
        let other = Arc::clone(&pair);
        let light = thread::start("light".into(), None, move || {
            for round in 1..=ROUNDS {
                wait_for(&other.turn, round);
                other.light.store(round, Ordering::Relaxed);
                fence_light();
                let seen = other.heavy.load(Ordering::Relaxed);
                other.seen.store(seen, Ordering::Relaxed);
                other.done.store(round, Ordering::Release);
            }
        })
        .unwrap();
        for round in 1..=ROUNDS {
            pair.turn.store(round, Ordering::Release);
            pair.heavy.store(round, Ordering::Relaxed);
            assert!(fence_heavy());
            let seen = pair.light.load(Ordering::Relaxed);
            wait_for(&pair.done, round);
            let other = pair.seen.load(Ordering::Relaxed);
            assert!(seen == round || other == round, "round {round}: {seen} and {other}");
        }
        light.join().unwrap();
    }
}
