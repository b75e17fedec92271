//! Waiting for a number of tasks, as Go's `WaitGroup` does.
//!
//! Invariants:
//! 1. `members` is raised before a member exists and lowered after it has gone; a task's member goes
//!    with its future, however that ends.
//! 2. Whoever lowers it to zero notifies all who wait; whoever waits makes its notification before it
//!    looks, so one of the two sees the other.
//!
//! Left out: what the tasks give (their handles have it), and their errors.

use core::fmt;
use core::future::Future;

use goro_shim::global::{Arc, AtomicUsize, Ordering};
use goro_sync::Notify;
use goro_task::JoinHandle;

use crate::spawn::spawn;

/// Waits until all of its members have gone: tasks that it has started, and guards.
///
/// Clones are of one group.
///
/// # Example
/// ```
/// # let runtime = goro_runtime::Runtime::new().unwrap();
/// # runtime.block_on(async {
/// use goro_runtime::task::WaitGroup;
///
/// let group = WaitGroup::new();
/// for number in 0..3 {
///     group.go(async move { println!("{number}") });
/// }
/// group.wait().await;
/// # });
/// ```
///
/// ```
/// use goro_runtime::task::WaitGroup;
///
/// let runtime = goro_runtime::Runtime::new().unwrap();
/// runtime.block_on(async {
///     let all = WaitGroup::new();
///     let member = all.add();
///     assert_eq!(all.members(), 1);
///     drop(member);
///     all.wait().await;
/// });
/// ```
#[derive(Clone, Default)]
pub struct WaitGroup(Arc<Group>);

#[derive(Default)]
struct Group {
    members: AtomicUsize,
    empty: Notify,
}

impl WaitGroup {
    /// A group of nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that is a member until it ends: when it is done, panics, is aborted, or dropped
    /// by a shutdown.
    ///
    /// # Panics
    /// As [`spawn`](crate::spawn) does.
    #[track_caller]
    pub fn go<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let member = self.add();
        let task = async move {
            // Gone with the future, before the task's end is told.
            let _member = member;
            future.await
        };
        spawn(task)
    }

    /// A member that is none of the group's tasks: it is one until it is dropped.
    pub fn add(&self) -> Member {
        self.0.members.fetch_add(1, Ordering::Relaxed);
        Member(self.clone())
    }

    /// How many members there are.
    pub fn members(&self) -> usize {
        self.0.members.load(Ordering::Relaxed)
    }

    /// Waits until there is a moment without members; at once if this is one.
    ///
    /// # Cancel safety
    /// Safe: waiting changes nothing.
    pub async fn wait(&self) {
        loop {
            let empty = self.0.empty.notified();
            // Ordering: Acquire pairs with the Release of the last member to go.
            if self.0.members.load(Ordering::Acquire) == 0 {
                return;
            }
            empty.await;
        }
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").field("members", &self.members()).finish()
    }
}

/// Keeps a [`WaitGroup`] waiting until it is dropped.
#[derive(Debug)]
#[must_use = "it is a member until it is dropped"]
pub struct Member(WaitGroup);

impl Drop for Member {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire in `wait`; AcqRel, so that the last one to go has
        // seen all that the others did, and passes it on.
        if self.0.0.members.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.0.empty.notify_waiters();
        }
    }
}
