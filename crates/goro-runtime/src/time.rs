//! Waiting for time to pass: sleeps, timeouts, intervals.
//!
//! Everything here is a [`Deadline`] in a different dress, and a deadline asks whoever runs the
//! thread; so these futures work in goro's tasks, under any other executor and on plain threads
//! (where one timer thread for the whole process keeps them), and can be carried from one to the
//! other.
//!
//! Invariants:
//! 1. Never early: what is late by the clock's reading is late, what is not is not ready.
//! 2. A timer is registered at the first `Pending`, and not before: a timeout round a future that
//!    is ready costs neither a timer nor a look at the clock.
//! 3. Whatever is dropped holds no timer any longer.
//! 4. Any `Duration` and any `Instant` will do: zero and the past are ready at once, and what lies
//!    further than thirty years ahead is taken for thirty years.
//! 5. Ready operations spend the task's budget, so that a loop of sleeps of zero lets others run.
//!    A timeout spends none: it looks at its deadline also when its future has used up the budget.
//!
//! The clock is the operating system's monotonic one, `CLOCK_MONOTONIC` on Linux: it never goes
//! backwards, wall-clock changes do not touch it, and **it stands still while the machine is
//! suspended**. A simulated runtime's clock takes its place on that runtime: [`now`] reads the one
//! that counts here, `Instant::now` does not.
//!
//! Left out: wall-clock alarms, and coalescing of timers.

pub use goro_context::time::{Deadline, Duration, Instant, now};

mod interval;
mod sleep;
mod timeout;

pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};

#[cfg(test)]
mod tests;
