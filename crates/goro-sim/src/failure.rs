//! How a run fails other than by a panic.

use core::fmt;
use goro_context::{Kind, Op, TaskId, WaitNote};
use goro_runtime::BuildError;
use goro_runtime::driver::scripted::{Inside, Mover, Stuck};
use goro_shim::time::Duration;

/// Why a run came to no end. Its text names what waits, and how to run it again; `Debug` shows the
/// same text, so that an `unwrap` tells it.
///
/// ```
/// use goro_sim::{Failure, Schedule, Sim, Stall, Waiting};
///
/// let sim = Sim::new(1).schedule(Schedule::Random);
/// let outcome = sim.run(async {
///     drop(goro_runtime::spawn(std::future::pending::<()>()));
///     std::future::pending::<()>().await
/// });
/// let Err(Failure::Stalled(stall)) = outcome else { panic!("it stalls") };
/// let stall: Stall = stall;
/// let task: &Waiting = &stall.tasks[0];
/// println!("{} waits: {}", task.kind.name(), task.op.as_str());
/// ```
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
    /// Each task that has parked, or waits inside its poll, by its number.
    pub tasks: Vec<Waiting>,
    /// How many tasks live beside these: they have never waited, and stand behind those that wait
    /// inside their polls.
    pub behind: u64,
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
    /// It waits in a `block_on` inside its poll (or it is a blocking job, and waits there).
    pub inside: bool,
}

/// Who waits, in words that say the same in every run of the seed.
pub(crate) fn stall(
    seed: u64,
    at: Duration,
    main: Op,
    stuck: &Stuck,
    number: impl Fn(TaskId) -> Option<u32>,
) -> Stall {
    let waiting = |id, kind, wait: WaitNote, inside| Waiting {
        number: number(id).unwrap_or_default(),
        kind,
        op: wait.op,
        joins: TaskId::from_u64(wait.object).filter(|_| wait.op == Op::Join).and_then(&number),
        inside,
    };
    let parked = stuck.parked.iter().map(|task| waiting(task.id, task.kind, task.wait, false));
    let inside = stuck.inside.iter().filter_map(|poll| {
        let task = poll.task?;
        Some(waiting(task.id, task.kind, poll.wait, true))
    });
    let mut tasks: Vec<_> = parked.chain(inside).collect();
    tasks.sort_by_key(|task| task.number);
    let mains = stuck.inside.iter().find(|poll| matches!(poll.who, Some(Mover::Outsider(_))));
    let main = mains.map_or(main, |poll| poll.wait.op);
    let polled = |poll: &&Inside| matches!(poll.who, Some(Mover::Worker(_)));
    let inside = stuck.inside.iter().filter(polled).count();
    let behind = stuck.live.saturating_sub((stuck.parked.len() + inside) as u64);
    Stall { seed, at, main, tasks, behind }
}

/// What a reader may have to know about waits inside polls.
const ENTANGLED: &str = "  of those that wait inside their polls a simulation lets only the last \
     one go on; threads would let each\n";

/// What a reader may have to know about waits that goro knows nothing of.
const EXTERNAL: &str = "  \"external\" is none of goro's operations; if a thread of the program's own \
     was to wake one, a simulation does not wait for threads\n";

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
        match self.behind {
            0 => {}
            1 => writeln!(f, "  1 task has never waited, and stands behind one of these")?,
            more => writeln!(f, "  {more} tasks have never waited, and stand behind these")?,
        }
        if self.tasks.iter().filter(|task| task.inside).count() > 1 {
            f.write_str(ENTANGLED)?;
        }
        if self.main == Op::External || self.tasks.iter().any(|task| task.op == Op::External) {
            f.write_str(EXTERNAL)?;
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
        let inside = if self.inside { " inside its poll" } else { "" };
        write!(f, " spawned at {site} waits{inside}: {}", self.op)?;
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
