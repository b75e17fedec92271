//! The production runtime under a seed: the same scheduler, timers, sockets and shutdown, on one
//! thread, in an order drawn from a number, with a clock that jumps.
//!
//! ```
//! use goro_runtime::time::{Duration, sleep};
//! use goro_sim::Sim;
//!
//! let sum = Sim::new(7).run(async {
//!     let hour = goro_runtime::spawn(sleep(Duration::from_secs(3600)));
//!     let sum = goro_runtime::spawn(async { 1 + 2 });
//!     hour.await.unwrap();
//!     sum.await.unwrap()
//! });
//! assert_eq!(sum.unwrap(), 3);
//! ```
//!
//! [`explore`] runs a program under many seeds. One that fails is printed as `GORO_SEED=..`, and
//! with that variable set only that seed runs: step by step the same run, byte for byte the same
//! [`Log`].
//!
//! # How it stands on the runtime
//!
//! The engine is goro-runtime's scripted driver (`goro_runtime::driver::scripted`, whose header says
//! what is an actor, where the choice points are, and what makes the order deterministic). This crate
//! is its script: who goes first ([`Schedule`]), how long a step takes, when to give up, what is
//! written down, and how all of that is drawn from one seed.
//!
//! Invariants:
//! 1. Whatever is drawn comes from the seed's two generators (the schedule's, and everybody
//!    else's), asked in the order of the steps; nothing is drawn from the system, from addresses or
//!    from hashed order.
//! 2. Tasks are named in logs and reports by the order in which they first ran: their ids depend on
//!    what ran in the process before.
//! 3. Nothing of the runtime's is stubbed: what is not simulated (real threads, `std::sync`, foreign
//!    I/O) is real, and outside of the seed's reach.
//!
//! Left out: the order of accesses to memory within a step, weak memory included; the models do that.
#![forbid(unsafe_code)]

mod cancel;
mod contract;
mod explore;
mod failure;
mod faults;
mod here;
mod log;
pub mod mock;
pub mod net;
mod schedule;
mod sim;
mod world;

pub use cancel::cancel_at_every_point;
pub use contract::{PollContract, poll_contract};
pub use explore::{explore, explore_while};
pub use failure::{Failure, Stall, Waiting};
pub use faults::Faults;
pub use goro_context::{Kind, Op};
pub use here::{advance, busy, wait_quiescent};
pub use log::Log;
pub use schedule::Schedule;
pub use sim::Sim;
