//! Scopes: futures that may borrow from whoever waits for them.
//!
//! | | its children | whoever opens it | is over when |
//! |---|---|---|---|
//! | [`local_scope`] | are polled within its own poll, in the caller's task | awaits | all have ended, or it is dropped |
//! | [`scope_blocking`] | are tasks, and run in parallel | blocks its thread | all have ended, whatever happens |
//!
//! Left out: children in parallel, and a caller that awaits. What holds a future may leak it, half-way, in safe
//! code: `mem::forget`, a cycle of `Arc`s. Its borrows end all the same, while tasks on other threads use what
//! they borrowed. A future cannot defend itself: no destructor runs, and nobody asks it. So either the children
//! are inside of the future, and are leaked along with it, or the wait is one that cannot be left: a thread's.

mod blocking;
mod local;

pub use blocking::{Scope, ScopedChild, scope_blocking};
pub use local::{LocalChild, LocalScope, local_scope};
