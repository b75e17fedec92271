//! Ending in an orderly way, and saying how it went: [`ShutdownHandle`].
//!
//! ```text
//!            initiate                 nothing is left; time is up; forced            nobody is left; given up
//!  Running ────────────▶ Draining ──────────────────────────────────▶ Terminating ────────────────────▶ Stopped
//!     │                     ▲                                              ▲
//!     └──── the runtime is dropped: both at once, with no time for either ─┘
//! ```
//!
//! | entering | in this order |
//! |---|---|
//! | Draining | 1. the phase: one caller wins. 2. Spawns are refused, but those of guarded work. 3. Tasks are counted: the report begins here. 4. [`is_ready`](ShutdownHandle::is_ready) is false. 5. [`draining`](ShutdownHandle::draining) completes. 6. Hooks run, the highest priority first |
//! | Terminating | 1. the phase: no guard is out, unless time is up or somebody forces it. 2. All spawns are refused. 3. [`terminating`](ShutdownHandle::terminating) completes. 4. Every task is asked to end: polled once more, and told so by its operations. 5. When the grace is over, whoever waits is dropped, and jobs that have not begun. 6. Whoever is in a poll or in a foreign thread's hand is waited for, for a second |
//! | Stopped | 1. the report: who is still there is named. 2. The phase. 3. [`wait`](ShutdownHandle::wait) completes |
//!
//! | who | may spawn while it drains |
//! |---|---|
//! | a task that runs in a [`Guard`]'s scope, and those it spawns | yes |
//! | whoever has a guard, through it | yes |
//! | everybody else | no: `try_spawn` gives the future back, `spawn`'s handle resolves to [`Cause::Draining`] |
//!
//! **What a guard is.** Work in hand: a connection, a request, a value that was taken from a queue. The drain is
//! over when no guard is out. Tasks without one are not waited for by the drain; they are asked to end after it.
//!
//! **Who conducts.** Nobody for this alone: see `unit`. So an end may begin anywhere, in a task, a destructor, a
//! signal's thread. Nobody can wait for the end of the runtime that runs him: a task of it is ended by what it
//! waits for, so [`wait`](ShutdownHandle::wait) belongs into `block_on`, or on another runtime.
//!
//! **A group** is ended in the same way, by itself ([`ShutdownHandle::of_group`]).
//!
//! | file | what |
//! |---|---|
//! | `phase` | the phases, the guards' count, whose turn it is to look: the protocol, with its models |
//! | `guard` | guards, and who is covered by them |
//! | `unit` | one end: what a look does |
//! | `drain` | hooks, queues, how much is left |
//! | `policy` | how long a drain may take |
//! | `queues` | what is looked into |
//! | `subject` | what ends: a runtime (a group: `group::ending`) |
//! | `report` | what is said afterwards |
//! | `signals` | signals that begin it |
//! | `handle` | what users have of it |
//!
//! Left out: a delay between not being ready and refusing work, for balancers that are slow to notice. Whoever
//! needs it sleeps between two steps of its own: `set_ready(false)`, a sleep, `initiate`.

pub(crate) mod phase;

#[cfg(not(loom))]
mod drain;
#[cfg(not(loom))]
mod guard;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod policy;
#[cfg(not(loom))]
mod queues;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod signals;
#[cfg(not(loom))]
mod subject;
#[cfg(not(loom))]
mod unit;

#[cfg(not(loom))]
pub use guard::{Guard, Guarded};
#[cfg(not(loom))]
pub use handle::ShutdownHandle;
#[cfg(not(loom))]
pub use phase::Phase;
#[cfg(not(loom))]
pub use policy::DrainPolicy;
#[cfg(not(loom))]
pub use queues::{Queue, QueueReport};
#[cfg(not(loom))]
pub use report::{Held, Holdup, ShutdownReport};
#[cfg(not(loom))]
pub(crate) use subject::{Census, Subject};
#[cfg(not(loom))]
pub(crate) use unit::Unit;
