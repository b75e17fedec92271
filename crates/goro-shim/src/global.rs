//! What process-wide statics are made of.
//!
//! Always std's, also under loom: loom's atomics cannot be built in a `static`, and what stands in
//! a static (id blocks, the table of kinds, pools of immortal parts) is not what a model explores.

#[cfg(not(goro_tsan))]
pub use std::sync::OnceLock;
pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub use std::sync::{Arc, Weak};

pub use crate::lock::plain::{Guard, Lock};
#[cfg(goro_tsan)]
pub use once::OnceLock;

#[cfg(goro_tsan)]
mod once;
