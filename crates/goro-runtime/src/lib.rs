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
#![deny(unsafe_code)]
#![cfg_attr(
    loom,
    allow(dead_code, unreachable_pub, reason = "a model builds the protocols without their users")
)]

mod alarm;
mod counters;
mod crew;
mod desk;
mod ends;
mod gate;
mod idle;
mod limit;
mod mailbox;
mod members;
mod posts;
mod published;
mod shutdown;
mod spares;
mod timers;
mod watcher;

// The protocols above are what a model explores; the rest needs threads with deadlines, descriptors
// and statics, which loom has not.
#[cfg(not(loom))]
mod alone;
#[cfg(not(loom))]
mod batch;
#[cfg(not(loom))]
mod block_on;
#[cfg(not(loom))]
pub mod blocking;
#[cfg(not(loom))]
mod builder;
#[cfg(not(loom))]
mod closing;
#[cfg(not(loom))]
pub mod coop;
#[cfg(not(loom))]
mod current;
#[cfg(not(loom))]
mod default;
#[cfg(not(loom))]
pub mod driver;
#[cfg(not(loom))]
mod ground;
#[cfg(not(loom))]
mod group;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod hub;
#[cfg(not(loom))]
mod job;
#[cfg(not(loom))]
mod join_set;
#[cfg(not(loom))]
mod local;
#[cfg(not(loom))]
pub mod metrics;
#[cfg(not(loom))]
mod monitor;
#[cfg(not(loom))]
mod observe;
#[cfg(not(loom))]
mod panics;
#[cfg(not(loom))]
mod quota;
#[cfg(not(loom))]
mod refused;
#[cfg(not(loom))]
mod runtime;
#[cfg(not(loom))]
mod scope;
#[cfg(not(loom))]
mod shard;
#[cfg(not(loom))]
pub mod signal;
#[cfg(not(loom))]
mod size;
#[cfg(not(loom))]
mod spawn;
#[cfg(not(loom))]
mod stall;
#[cfg(not(loom))]
pub mod task;
#[cfg(not(loom))]
pub mod time;
#[cfg(not(loom))]
mod wait_group;
#[cfg(not(loom))]
mod worker;

#[cfg(not(loom))]
pub use batch::spawn_many;
#[cfg(not(loom))]
pub use block_on::{BlockOnError, block_on, try_block_on};
#[cfg(not(loom))]
pub use builder::{BuildError, Builder};
#[cfg(not(loom))]
pub use handle::{EnterGuard, Handle, NoRuntime};
#[cfg(not(loom))]
pub use local::{LocalRuntime, spawn_local, try_spawn_local};
#[cfg(not(loom))]
pub use runtime::Runtime;
#[cfg(not(loom))]
pub use shutdown::{
    DrainPolicy, Guard, Guarded, Held, Holdup, Phase, Queue, QueueReport, ShutdownHandle,
    ShutdownReport,
};
#[cfg(not(loom))]
pub use size::ResizeError;
#[cfg(not(loom))]
pub use spawn::{SpawnError, spawn, spawn_blocking, try_spawn, try_spawn_blocking};
#[cfg(not(loom))]
pub use stall::Stall;
