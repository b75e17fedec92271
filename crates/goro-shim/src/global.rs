//! What process-wide statics are made of.
//!
//! Always std's, also under loom: loom's atomics cannot be built in a `static`, and what stands in
//! a static (id blocks, the table of kinds, pools of immortal parts) is not what a model explores.

pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub use std::sync::{Arc, OnceLock, Weak};

pub use crate::lock::plain::{Guard, Lock};
