//! How a run fails other than by a panic.

use core::fmt;
use goro_context::{Kind, Op};
use goro_runtime::BuildError;
use goro_shim::time::Duration;

/// Why a run came to no end. Its text names what waits, and how to run it again.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// Nothing can ever run again.
    Stalled(Stall),
    /// It went on and on, and was given up.
    Endless {
        /// The run's seed.
        seed: u64,
        /// After so many steps.
        steps: u64,
        /// So long after it began, on its own clock.
        at: Duration,
    },
    /// The runtime was not built, for a fault that was asked for.
    Build(BuildError),
}

/// Nothing can ever run again, and who waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stall {
    /// The run's seed.
    pub seed: u64,
    /// So long after it began, on its own clock.
    pub at: Duration,
    /// What the future that was run waits for.
    pub main: Op,
    /// Each task that has parked, by its number.
    pub tasks: Vec<Waiting>,
}

/// A task that waits for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Its number in this run: the order in which tasks first ran, from 1.
    pub number: u32,
    /// The kind it belongs to: its name, or where it was spawned.
    pub kind: Kind,
    /// What it waits for: [`Op::External`] if no operation of goro's.
    pub op: Op,
    /// The number of the task whose end it waits for.
    pub joins: Option<u32>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled(stall) => stall.fmt(f),
            Self::Endless { seed, steps, at } => write!(
                f,
                "given up after {steps} steps, {at:?} into the run: something goes on without end \
                 (raise Sim::max_steps if it does not)\nrun it again with GORO_SEED={seed}"
            ),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "stalled {:?} into the run: nothing can run, and no deadline is left",
            self.at
        )?;
        writeln!(f, "  main waits: {}", self.main)?;
        for task in &self.tasks {
            writeln!(f, "  {task}")?;
        }
        write!(f, "run it again with GORO_SEED={}", self.seed)
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.kind.site();
        let site = format!("{}:{}:{}", site.file(), site.line(), site.column());
        write!(f, "task #{}", self.number)?;
        if self.kind.name() != site {
            write!(f, " {:?}", self.kind.name())?;
        }
        write!(f, " spawned at {site} waits: {}", self.op)?;
        match self.joins {
            Some(number) => write!(f, " of task #{number}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for Failure {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Stalled(_) | Self::Endless { .. } => None,
        }
    }
}
