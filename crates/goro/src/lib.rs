//! goro: an async executor with the working comfort of goroutines.
//!
//! ```
//! #[goro::main]
//! async fn main() {
//!     let hello = goro::spawn(async { "hello" });
//!     println!("{}", hello.await.unwrap());
//! }
//! ```
//!
//! # Three ways of use
//!
//! - **A program** puts [`#[goro::main]`](macro@main) on its main function.
//! - **A library** only spawns ([`spawn`], or [`try_spawn`], which gives the future back where no
//!   runtime is entered) and leaves the choice of runtime to the program.
//! - **An existing program** holds a [`runtime::Runtime`] and enters it where it likes
//!   ([`runtime::Handle`]).
//!
//! # What it promises
//!
//! - A task's panic stays in its handle. A dropped handle detaches the task.
//! - Nothing is lost at shutdown: each task's future is dropped, each handle resolves.
//! - Every leaf operation spends from a budget, so that a task that is always ready does not keep
//!   others from running.
//!
//! # What it cannot do
//!
//! Take a worker away from a future that does not return from its poll, offer a sound parallel
//! scope that borrows, or stop a blocking closure that runs.
#![forbid(unsafe_code)]

pub use goro_runtime::{SpawnError, block_on, spawn, spawn_blocking, try_spawn};

/// Tasks: handles to them, names for them, and yielding.
pub mod task {
    pub use goro_runtime::task::*;
}

/// Runtimes: building, entering and stopping them.
pub mod runtime {
    pub use goro_runtime::metrics::{Metrics, WorkerMetrics};
    pub use goro_runtime::{BuildError, Builder, EnterGuard, Handle, NoRuntime, Runtime};
}

/// Time: sleeping, deadlines, intervals.
pub mod time {
    pub use goro_runtime::time::*;
}

/// Sockets.
#[cfg(feature = "net")]
pub mod net {
    pub use goro_net::*;
}

/// Signals of the operating system.
pub mod signal {
    pub use goro_runtime::signal::{Interrupts, ctrl_c, interrupts};
}

#[cfg(feature = "macros")]
pub use goro_macros::{main, test};

/// Spawns a block as a task: `go! { .. }` is `goro::spawn(async move { .. })`.
///
/// # Example
/// ```
/// # #[goro::main]
/// # async fn main() {
/// let name = String::from("goro");
/// let task = goro::go! { name.len() };
/// assert_eq!(task.await.unwrap(), 4);
/// # }
/// ```
#[macro_export]
macro_rules! go {
    ($($body:tt)*) => {
        $crate::spawn(async move { $($body)* })
    };
}

/// What the attributes expand to; not for anyone else.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    use crate::runtime::{BuildError, Builder, Runtime};
    use core::future::Future;

    fn build(workers: Option<usize>) -> Result<Runtime, BuildError> {
        let builder = Builder::new();
        match workers {
            Some(workers) => builder.workers(workers).build(),
            None => builder.build(),
        }
    }

    /// Runs a program's main future; a runtime that cannot be built ends the program with an
    /// error on standard error and exit code 1.
    pub fn main<F: Future>(workers: Option<usize>, main: F) -> F::Output {
        match build(workers) {
            Ok(runtime) => runtime.block_on(main),
            Err(error) => {
                eprintln!("error: the goro runtime was not started: {error}");
                std::process::exit(1)
            }
        }
    }

    /// Runs a test's future.
    ///
    /// # Panics
    /// When the runtime cannot be built.
    pub fn test<F: Future>(workers: Option<usize>, test: F) -> F::Output {
        match build(workers) {
            Ok(runtime) => runtime.block_on(test),
            Err(error) => panic!("the goro runtime was not started: {error}"),
        }
    }
}

/// The README's program, kept compiling.
#[cfg(all(doctest, feature = "macros", feature = "net"))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
