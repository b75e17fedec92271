//! Why a runtime was not built, and what to do about it.

use core::fmt;
use std::io;

use super::WORKERS_VARIABLE;

/// Why a runtime was not built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// Zero workers were asked for, by the builder or by `GORO_WORKERS`.
    NoWorkers,
    /// More workers were asked for than a runtime can have.
    TooManyWorkers {
        /// How many were asked for.
        asked: usize,
        /// How many there can be.
        limit: usize,
    },
    /// More spare workers were asked for than a runtime can have.
    TooManySpares {
        /// How many were asked for, for both reasons together.
        asked: usize,
        /// How many there can be.
        limit: usize,
    },
    /// A local runtime was to have so many workers; it has one.
    LocalWorkers(usize),
    /// `GORO_WORKERS` is set to something that is not a number; its value.
    Variable(String),
    /// A blocking pool of no threads was asked for.
    NoBlockingThreads,
    /// A blocking pool was to have more threads at least than at most.
    PoolSize {
        /// Which pool.
        name: String,
        /// How many at least.
        least: usize,
        /// How many at most.
        most: usize,
    },
    /// Two blocking pools were to be called so.
    PoolTwice(String),
    /// A limit of no tasks was asked for.
    NoTasks,
    /// The name has a NUL byte in it, which no thread's name can have.
    Name(String),
    /// The descriptors of the reactor or of the monitor's timer were refused.
    Reactor(io::Error),
    /// A thread was refused.
    Thread {
        /// How many of the runtime's threads had started; they have ended again.
        started: usize,
        /// What the operating system said.
        error: io::Error,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => {
                f.write_str("a runtime needs at least one worker: ask for 1 or more, or for none to get one per processor")
            }
            Self::TooManyWorkers { asked, limit } => {
                write!(f, "a runtime has at most {limit} workers, not {asked}: ask for fewer")
            }
            Self::TooManySpares { asked, limit } => write!(
                f,
                "a runtime has at most {limit} spare workers, not {asked}: ask for fewer with stall_spares and block_spares"
            ),
            Self::LocalWorkers(asked) => write!(
                f,
                "a local runtime has one worker, not {asked}: ask for none, or for a runtime with Builder::build"
            ),
            Self::Variable(value) => write!(
                f,
                "{WORKERS_VARIABLE}={value:?} is not a number of workers: set it to 1 or more, or unset it"
            ),
            Self::NoBlockingThreads => {
                f.write_str("the blocking pool needs at least one thread: ask for 1 or more")
            }
            Self::PoolSize { name, least, most } => write!(
                f,
                "the blocking pool {name:?} cannot have {least} threads at least and {most} at most: lower Config::least, or raise Config::most"
            ),
            Self::PoolTwice(name) => {
                write!(f, "two blocking pools are called {name:?}: give one of them another name")
            }
            Self::NoTasks => f.write_str(
                "a limit of 0 tasks lets nothing run: ask for 1 or more, or set no limit",
            ),
            Self::Name(name) => {
                write!(f, "a thread cannot be called {name:?}: take the NUL byte out of the name")
            }
            Self::Reactor(error) => {
                write!(f, "the reactor's descriptors were refused ({error}): {}", remedy(error))
            }
            Self::Thread { started, error } => write!(
                f,
                "a thread was refused after {started} had started ({error}): raise the limit on processes (ulimit -u), or ask for fewer workers"
            ),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Reactor(error) | Self::Thread { error, .. } => Some(error),
            Self::NoWorkers
            | Self::TooManyWorkers { .. }
            | Self::TooManySpares { .. }
            | Self::Variable(_)
            | Self::LocalWorkers(_)
            | Self::NoBlockingThreads
            | Self::PoolSize { .. }
            | Self::PoolTwice(_)
            | Self::NoTasks
            | Self::Name(_) => None,
        }
    }
}

impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        let kind = match &error {
            BuildError::Reactor(source) | BuildError::Thread { error: source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// What helps where the reactor's descriptors, or their place in its poll, were refused.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            "raise what one user may have watched (fs.epoll.max_user_watches), or watch less"
        }
        io::ErrorKind::OutOfMemory => "leave the process more memory",
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => {
            "let the sandbox allow epoll, eventfd and timerfd"
        }
        _ => "raise the limit on open files (ulimit -n), or close some",
    }
}

#[cfg(all(test, not(loom), unix))]
mod tests {
    use super::*;

    #[test]
    fn a_refused_reactor_names_what_helps_against_that_refusal() {
        let cases = [
            (rustix::io::Errno::MFILE, "ulimit -n"),
            (rustix::io::Errno::NFILE, "ulimit -n"),
            (rustix::io::Errno::NOSPC, "fs.epoll.max_user_watches"),
            (rustix::io::Errno::NOMEM, "more memory"),
            (rustix::io::Errno::PERM, "sandbox"),
            (rustix::io::Errno::NOSYS, "sandbox"),
        ];
        for (error, helps) in cases {
            let text = BuildError::Reactor(error.into()).to_string();
            assert!(text.contains(helps), "{text}");
        }
    }
}
