//! Where hyper puts the futures that must run beside a connection: HTTP/2's streams, and the
//! connection of an HTTP/2 client.

use std::future::Future;

use goro_runtime::{Handle, task};
use hyper::rt::Executor;

/// The kind under which hyper's tasks are counted and listed, unless another is chosen.
const KIND: &str = "hyper";

/// Runs hyper's background futures as goro tasks, of the kind `hyper`.
///
/// ```
/// use goro_hyper::GoroExecutor;
///
/// let http = hyper::server::conn::http2::Builder::new(GoroExecutor::new());
/// ```
///
/// # Panics
/// Made by [`new`](Self::new), it spawns on the runtime of the task that drives the connection, and
/// panics where there is none: on a plain thread, or under another executor. Use
/// [`on`](Self::on) there.
///
/// ```
/// let streams = goro_hyper::GoroExecutor::new().kind("streams");
/// let http = hyper::server::conn::http2::Builder::new(streams);
/// ```
#[derive(Clone, Debug)]
pub struct GoroExecutor {
    handle: Option<Handle>,
    kind: &'static str,
}

impl GoroExecutor {
    /// Spawns on the runtime that is current when hyper has something to spawn.
    #[must_use]
    pub const fn new() -> Self {
        Self { handle: None, kind: KIND }
    }

    /// Spawns on this runtime, from wherever the connection is driven.
    ///
    /// ```
    /// use goro_hyper::GoroExecutor;
    /// use hyper::rt::Executor;
    ///
    /// let runtime = goro_runtime::Runtime::new()?;
    /// // No runtime is entered here.
    /// GoroExecutor::on(runtime.handle().clone()).execute(async {});
    /// assert_eq!(runtime.metrics().tasks_spawned, 1);
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    #[must_use]
    pub const fn on(handle: Handle) -> Self {
        Self { handle: Some(handle), kind: KIND }
    }

    /// Counts and lists the tasks under this name instead of `hyper`.
    #[must_use]
    pub const fn kind(mut self, name: &'static str) -> Self {
        self.kind = name;
        self
    }
}

impl Default for GoroExecutor {
    fn default() -> Self {
        Self::new()
    }
}

impl<F> Executor<F> for GoroExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let _inside = self.handle.as_ref().map(Handle::enter);
        // The task is detached: hyper keeps its own means to end it.
        drop(task::Builder::new().name(self.kind).spawn(future));
    }
}
