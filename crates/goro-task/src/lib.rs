//! One task: header, state word, memory, runnable, waker, join, abort.
//!
//! A task is a future in one allocation with everything that is needed to run it, wake it, wait for
//! it and stop it. This crate knows no queue, no thread and no runtime: whoever has a [`Runnable`]
//! may poll the task once, and whoever wakes it hands the next runnable to its [`Home`].
//!
//! ```text
//!            spawn                    run -> Parked             wake (any thread)
//!   future --------> Runnable, JoinHandle -------> (registry) ------------------> Home::schedule
//!                        |    run -> Again: back of a queue                           |
//!                        '-- run -> Finished: outcome to the handle, joiner woken <---'
//! ```
//!
//! Costs, in read-modify-writes on the task's word: spawn, run and join one; a wake one; the end of
//! a poll that parks one. No clock is read, no thread-local touched but those of `goro-context`.
//!
//! Invariants:
//! 1. Possessing the runnable is the right to poll; [`state`](self) has the diagram.
//! 2. No user code that runs here (polls, destructors, wakers of joiners) can unwind out of here,
//!    or leave a task half-ended.
//! 3. Unsafe code is what this crate is for; nothing unsafe shows in its interface but
//!    [`goro_shim::word::Word`].
//!
//! Left out: queues (goro-queue), who runs what when (goro-runtime), groups and scopes.
#![deny(unsafe_code)]

mod abort;
mod allocation;
mod cancelling;
mod causes;
mod cell;
mod error;
mod header;
mod home;
mod join;
mod local;
#[cfg(all(test, loom))]
mod models;
mod registry;
mod runnable;
mod spawn;
mod state;
mod waker;

pub use abort::{AbortHandle, AbortOnDrop};
pub use allocation::trim;
pub use cancelling::{Cancelling, GRACE};
pub use error::JoinError;
pub use home::{Home, Homes, Meta};
pub use join::JoinHandle;
pub use local::{
    Deed, LocalOwner, LocalRan, LocalRunnable, OwnerId, Parcel, spawn_local, spawn_remote,
};
pub use registry::{Aborted, Activity, Registry, TaskView};
pub use runnable::{Ending, Ran, Runnable};
pub use spawn::{spawn, spawn_detached};
pub use waker::{expect_wakes, trust_wakers};
