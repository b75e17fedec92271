//! Names of tasks: a number for each, which says when it was made.
//!
//! ```text
//!   51                          20 19                 6 5          0
//!  ┌──────────────────────────────┬────────────────────┬────────────┐
//!  │ the tick: of 2^27 ns (134 ms)│ block of that tick │ in a block │
//!  └──────────────────────────────┴────────────────────┴────────────┘
//! ```
//!
//! A thread takes a block of ids at a time, and a block's number begins with the tick in which it was
//! taken. So a task's age costs no byte of it, and nothing where it is made: whoever runs tasks has the
//! thread take another block once the one in hand is of an earlier tick, at moments when it has looked at
//! the clock anyway.
//!
//! Invariants:
//! 1. An id is given once per process, and never again before the ticks have come round: in 18 years.
//!    Block follows block; the next one is the first of its tick, or the one after the last.
//! 2. An id is of no later tick than the one in which it was given, unless more than eight million were
//!    given in each second for a while: then blocks run ahead of the clock.
//!
//! Left out: the time of a simulation. An id says when it was given by the system's clock.

use core::cell::Cell;
use core::fmt;
use core::num::NonZeroU64;

use goro_shim::global::{AtomicU64, OnceLock, Ordering};
use goro_shim::time::{self, Duration, Instant};

/// Names one task for the life of the process.
///
/// Ids say nothing about the order of spawns on different threads.
///
/// ```
/// use goro_context::TaskId;
/// let (a, b) = (TaskId::next(), TaskId::next());
/// assert_ne!(a, b);
/// assert_eq!(TaskId::from_u64(42).unwrap().to_string(), "42");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub(super) NonZeroU64);

/// How many bits an id has, so that one word holds it and its kind.
pub(super) const ID_BITS: u32 = 52;

/// How many of them count within a block.
const PLACE_BITS: u32 = 6;

/// How many count the blocks of a tick.
const BLOCK_BITS: u32 = 14;

/// How many bits of a time in nanoseconds are below a tick.
const TICK_BITS: u32 = 27;

/// What the first tick is called: in tests the last one is not far.
const FIRST: u64 = if cfg!(debug_assertions) { (1 << 32) - 10 } else { 0 };

local! {
    /// The next id of this thread's block; a multiple of a block's size means that it is used up.
    static NEXT_ID: Cell<u64> = Cell::new(0)
}

impl TaskId {
    /// An id that nobody has had.
    #[inline]
    pub fn next() -> Self {
        NEXT_ID.with(|next| {
            let id = match NonZeroU64::new(next.get()) {
                Some(id) if id.get() % (1 << PLACE_BITS) != 0 => id,
                _ => first_of_block(),
            };
            next.set(id.get() + 1);
            Self(id)
        })
    }

    /// The id with this number, as a dump keeps it; `None` for zero.
    #[inline]
    pub const fn from_u64(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The id as a number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// How long ago it was given, to within a quarter of a second, by the system's clock also in a
    /// simulation.
    ///
    /// Of a task that was made by a thread which neither works for a runtime nor waits in its `block_on`, this
    /// is an upper bound: the time since that thread took a block of ids, of which there are 64.
    ///
    /// ```
    /// use goro_context::TaskId;
    /// use std::time::Duration;
    /// assert!(TaskId::next().age() < Duration::from_secs(60));
    /// ```
    pub fn age(self) -> Duration {
        let made = (self.get() >> (PLACE_BITS + BLOCK_BITS)) as u32;
        let ticks = (tick(time::now()) as u32).wrapping_sub(made);
        // Of a later tick: blocks have run ahead.
        let ticks = if ticks > u32::MAX / 2 { 0 } else { ticks };
        Duration::from_nanos(u64::from(ticks) << TICK_BITS)
    }
}

/// Sees to it that the ids which this thread gives are of the tick of `now`, by the system's clock, which the
/// caller has just read.
#[inline]
pub fn date_ids(now: Instant) {
    NEXT_ID.with(|next| {
        if next.get() >> (PLACE_BITS + BLOCK_BITS) != tick(now) % (1 << 32) {
            next.set(0);
        }
    });
}

/// As [`date_ids`], after a time of which nobody knows how long it was: the thread has slept.
#[inline]
pub fn redate_ids() {
    NEXT_ID.with(|next| next.set(0));
}

/// The ticks that have begun by `now`.
#[inline]
fn tick(now: Instant) -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = *BEGAN.get_or_init(|| now);
    let since = now.saturating_duration_since(began);
    // In 584 years.
    FIRST + ((since.as_nanos() as u64) >> TICK_BITS)
}

/// The first id of a block nobody has. It ends before the next multiple of a block's size.
#[cold]
fn first_of_block() -> NonZeroU64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = tick(time::now());
    let mut taken = 0;
    let _ = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
        taken = block_after(last, now);
        Some(taken)
    });
    NonZeroU64::MIN.saturating_add((taken << PLACE_BITS) % (1 << ID_BITS))
}

/// The block that follows the `last` one, if it is taken `now`.
fn block_after(last: u64, now: u64) -> u64 {
    (last + 1).max(now << BLOCK_BITS)
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn id_of(tick: u64) -> TaskId {
        let number = (tick << (PLACE_BITS + BLOCK_BITS) | 1) % (1 << ID_BITS);
        TaskId::from_u64(number).unwrap()
    }

    #[test]
    fn block_follows_block_and_none_is_before_its_tick() {
        assert_eq!(block_after(0, 0), 1);
        assert_eq!(block_after(1, 0), 2);
        assert_eq!(block_after(7, 3), 3 << BLOCK_BITS);
        assert_eq!(block_after(3 << BLOCK_BITS, 3), (3 << BLOCK_BITS) + 1);
        let ahead = 9 << BLOCK_BITS;
        assert_eq!(block_after(ahead, 3), ahead + 1, "more than fit into their ticks");
    }

    /// Also across the point where ticks come round, and for ids that are ahead of the clock.
    #[test]
    fn an_id_says_how_old_it_is() {
        let now = tick(time::now());
        let old = |ticks: u64| id_of(now.wrapping_sub(ticks) % (1 << 32)).age();
        let tick = Duration::from_nanos(1 << TICK_BITS);
        for ticks in [1, 5, 100, 1 << 20] {
            assert!(old(ticks) >= tick * ticks as u32, "{ticks}");
            assert!(old(ticks) < tick * ticks as u32 + Duration::from_secs(60), "{ticks}");
        }
        assert_eq!(id_of(now + 1_000).age(), Duration::ZERO);
    }

    #[test]
    fn ids_are_of_the_tick_that_the_thread_was_told() {
        let later = time::now() + Duration::from_secs(1);
        let (before, same) = (TaskId::next(), TaskId::next());
        let block = |id: TaskId| id.get() >> PLACE_BITS;
        assert_eq!(block(before), block(same));
        date_ids(later);
        let dated = TaskId::next();
        assert_ne!(block(dated), block(same), "it had none of that tick in hand");
        redate_ids();
        assert_ne!(block(TaskId::next()), block(dated));
    }
}
