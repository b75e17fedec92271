//! How many workers a runtime has, changed while it runs: on request, or to follow the CPU quota.

use core::fmt;
use goro_shim::Arc;
use std::io;

use crate::driver::Role;
use crate::ground::Ground;
use crate::handle::Handle;
use crate::hub::MAX_WORKERS;
use crate::posts::Change;
use crate::worker::Seat;

impl Handle {
    /// How many workers the runtime has, or is about to have.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.ground().hub.workers() as usize
    }

    /// Changes the number of workers, 1 to 1024, while the runtime runs; no task is lost.
    ///
    /// New workers are started before this returns. One that is too many goes at the end of the poll
    /// that it is inside of, and what stands in its queue goes to the others; if tasks are
    /// [pinned](Self::spawn_pinned) to it, it stays for these until they have ended. From then on the
    /// runtime does not follow the CPU quota any more.
    ///
    /// # Errors
    /// [`ResizeError`]; when a thread is refused, the workers that could be had are kept.
    ///
    /// # Example
    /// ```
    /// let runtime = goro_runtime::Builder::new().workers(1).build()?;
    /// let handle = runtime.handle();
    /// handle.set_workers(4).unwrap();
    /// assert_eq!((handle.workers(), handle.metrics().workers.len()), (4, 4));
    /// handle.set_workers(2).unwrap();
    /// assert!(handle.set_workers(0).is_err());
    /// assert_eq!(handle.workers(), 2);
    /// # Ok::<(), goro_runtime::BuildError>(())
    /// ```
    pub fn set_workers(&self, workers: usize) -> Result<(), ResizeError> {
        let ground = self.ground();
        if ground.is_local() {
            return Err(ResizeError::Local);
        }
        match u32::try_from(workers) {
            Ok(0) => Err(ResizeError::NoWorkers),
            Ok(size) if workers <= MAX_WORKERS => {
                ground.follows.stop();
                ground.resize(size)
            }
            _ => Err(ResizeError::TooManyWorkers { asked: workers, limit: MAX_WORKERS }),
        }
    }
}

impl Ground {
    /// Has so many workers from now on, 1 to [`MAX_WORKERS`].
    pub(crate) fn resize(self: &Arc<Self>, workers: u32) -> Result<(), ResizeError> {
        if let Some(cause) = self.hub.refusal() {
            return Err(ResizeError::Stopped(cause.to_string()));
        }
        self.see_to(&self.hub.posts.resize(workers))
    }

    fn see_to(self: &Arc<Self>, change: &Change) -> Result<(), ResizeError> {
        self.tell(change);
        for (done, &post) in change.start.iter().enumerate() {
            if let Err(error) = self.man(post) {
                self.tell(&self.hub.posts.refused(&change.start[done..]));
                return Err(ResizeError::Thread { workers: self.hub.workers() as usize, error });
            }
        }
        Ok(())
    }

    fn tell(&self, change: &Change) {
        for &post in &change.tell {
            self.hub.nudge(post);
        }
    }

    /// Starts a worker at `post`, which nobody has.
    fn man(self: &Arc<Self>, post: u32) -> io::Result<()> {
        if !self.hub.crew.join() {
            return Err(io::Error::other("the runtime has stopped"));
        }
        let seat = Seat::new(self.hub.man(post), Arc::clone(self));
        let started = self.driver.launch(Role::Worker(seat));
        if started.is_err() {
            self.member_left();
        }
        started
    }

    /// The worker at `post` has gone.
    pub(crate) fn post_left(self: &Arc<Self>, post: u32) {
        // Is it wanted again meanwhile?
        if self.hub.posts.left(post) && !self.hub.is_closing() {
            if let Err(error) = self.man(post) {
                // Nobody waits for an answer: the runtime is smaller.
                self.tell(&self.hub.posts.refused(&[post]));
                crate::observe::worker_refused(&self.name, &error);
            }
        }
    }
}

/// Why a runtime's number of workers was not changed, or not to what was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResizeError {
    /// Zero workers were asked for.
    NoWorkers,
    /// More workers were asked for than a runtime can have.
    TooManyWorkers {
        /// How many were asked for.
        asked: usize,
        /// How many there can be.
        limit: usize,
    },
    /// It is a local runtime, which has one worker.
    Local,
    /// The runtime is shutting down; why.
    Stopped(String),
    /// A thread was refused.
    Thread {
        /// How many workers there are now.
        workers: usize,
        /// What the operating system said.
        error: io::Error,
    },
}

impl fmt::Display for ResizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => {
                f.write_str("a runtime needs at least one worker: ask for 1 or more, or drop it")
            }
            Self::TooManyWorkers { asked, limit } => {
                write!(f, "a runtime has at most {limit} workers, not {asked}: ask for fewer")
            }
            Self::Local => f.write_str(
                "a local runtime has one worker, the thread that is inside its block_on: build \
                 another kind with Builder::build",
            ),
            Self::Stopped(cause) => write!(f, "the number of workers stays as it is: {cause}"),
            Self::Thread { workers, error } => write!(
                f,
                "a thread was refused ({error}), and {workers} workers is what there is: raise the limit on processes (ulimit -u), or ask for fewer"
            ),
        }
    }
}

impl std::error::Error for ResizeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Thread { error, .. } => Some(error),
            _ => None,
        }
    }
}
