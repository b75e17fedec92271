//! Workers, idle protocol, monitor, timers, blocking pool, shutdown: what drives tasks.
//!
//! The pieces, from what lives longest to what lives shortest:
//!
//! | piece | what it is | lives |
//! |---|---|---|
//! | `Hub` | the immortal part of a runtime: shards, injector, who sleeps | for ever; leased from a pool |
//! | `Shard` | one worker's share of it: queue, registry, wheel, counters | for ever, in its hub |
//! | `Ground` | what one lease of a hub stands on: driver, configuration, end of life | until the last handle and thread let go |
//! | `Worker` | a shard's owner, as a value with `step(&self)` | as long as its thread |
//! | [`Driver`](driver::Driver) | the seam to the outside: clock, threads, parking, blocking jobs | with its ground |
//!
//! Invariants:
//! 1. A task's home is a `&'static Shard`: a waker that outlives its runtime finds a shard, never
//!    freed memory, and touches it only while its task is live.
//! 2. A hub goes back to the pool only when no task of its lease is live and no thread, handle or
//!    guard refers to it.
//! 3. A running worker's push owes nobody a wake-up; a push from outside owes one (`idle`).
//! 4. No user code runs under a lock, and no thread holds two locks.
//! 5. The operating system is reached through the driver only, so that the same scheduler runs on
//!    threads and, step by step, on one thread with a clock of its own.
//!
//! Left out: spare workers and the default runtime.
#![forbid(unsafe_code)]

mod alarm;
mod block_on;
mod blocking;
mod builder;
mod counters;
mod current;
pub mod driver;
mod ground;
mod handle;
mod hub;
mod idle;
mod job;
pub mod metrics;
mod monitor;
mod observe;
mod parker;
mod runtime;
mod shard;
pub mod signal;
mod spawn;
pub mod task;
pub mod time;
mod timers;
mod worker;

pub use block_on::block_on;
pub use builder::{BuildError, Builder};
pub use handle::{EnterGuard, Handle, NoRuntime};
pub use runtime::Runtime;
pub use spawn::{SpawnError, spawn, spawn_blocking, try_spawn};
