//! The seam between the scheduler and whatever it runs on.
//!
//! Two implementations: [`os`] gives each worker a thread and reaches the kernel; [`scripted`]
//! steps every worker on one thread, in an order drawn from a seed, with a clock of its own.
//! The calls stand only on paths that already cost a system call; what they cost beside it is measured
//! (docs/decisions/driver-seam.md).
//!
//! Left out: anything on the path of a task. Queues, wake-ups and polls are the same code on both.

pub use crate::job::Job;
use crate::metrics::PoolMetrics;
use crate::monitor::Monitor;
use crate::worker::Seat;
use core::fmt;
use core::task::Waker;
use goro_context::Cause;
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::time::{Duration, Instant};
use std::io;

mod chosen;
pub mod os;
pub mod scripted;

pub(crate) use chosen::Chosen;

/// What runs on a thread of the runtime's, or as an actor of the scripted driver.
#[derive(Debug)]
pub enum Role {
    /// A worker, as yet without a thread.
    Worker(Seat),
    /// The monitor.
    Monitor(Monitor),
}

impl Role {
    /// What the thread is called, after the runtime's own name.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::Worker(seat) => seat.suffix(),
            Self::Monitor(_) => "monitor".to_owned(),
        }
    }
}

/// A place that a job has at a blocking pool; the number is the driver's to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Which pool, in the order in which the runtime was given them.
    pub pool: usize,
    /// Which place.
    pub place: u64,
}

/// Why a blocking pool takes no job.
#[derive(Debug)]
pub enum Refusal {
    /// As many wait as may.
    Full,
    /// The runtime has stopped, or is about to.
    Closed(Cause),
    /// The operating system refused the thread, and there is no other.
    NoThread(io::Error),
}

impl Refusal {
    /// As what the job's handle resolves with.
    #[must_use]
    pub fn into_cause(self) -> Cause {
        match self {
            Self::Full => Cause::Limit,
            Self::Closed(cause) => cause,
            Self::NoThread(error) => Cause::new(error.to_string()),
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::new(io::ErrorKind::WouldBlock, refusal.to_string()),
            Refusal::Closed(cause) => Self::other(cause),
            Refusal::NoThread(error) => error,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("as many jobs wait as this pool allows"),
            Self::Closed(cause) => cause.fmt(f),
            Self::NoThread(error) => write!(
                f,
                "the operating system refused a thread ({error}): raise the limit on processes (ulimit -u), or ask for fewer"
            ),
        }
    }
}

/// A job that was not taken, given back.
#[derive(Debug)]
pub struct RefusedJob {
    /// The job.
    pub job: Job,
    /// Why.
    pub refusal: Refusal,
}

/// Where a worker is about to sleep, which decides whose deadlines it wakes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On its thread: its own shard's deadline.
    Thread,
    /// In the reactor: also the deadlines of threads that are not workers.
    Reactor,
}

/// How a worker's sleep goes, told to the driver as it lies down.
pub trait Rest {
    /// Where its token lies.
    fn parker(&self) -> &Parker;
    /// Until when it may sleep, asked after it has said where.
    fn until(&self, place: Place) -> Option<Instant>;
    /// Says who watches the reactor from now on (`true`) and that nobody does (`false`).
    fn watching(&self, yes: bool);
}

/// What the scheduler asks of the world.
pub trait Driver: Send + Sync + 'static {
    /// The monotonic clock.
    fn now(&self) -> Instant;

    /// Puts the calling worker to sleep until its token comes, its deadline passes, or, for the one
    /// in the reactor, an event does. Wakers of what became ready are put in `wakers`.
    fn park(&self, rest: &dyn Rest, wakers: &mut Vec<Waker>);

    /// Gives `parker` its token.
    fn unpark(&self, parker: &Parker);

    /// Puts a thread that drives a future by itself to sleep, until `parker` has its token, which is
    /// taken, or `until` has passed. True for a token.
    fn wait(&self, parker: &Parker, until: Option<Instant>) -> bool;

    /// Lets others go on until `ready` says so; false if the calling thread may sleep instead.
    fn wait_until(&self, ready: &mut dyn FnMut() -> bool) -> bool {
        let _ = ready;
        false
    }

    /// Looks at the reactor without waiting, unless somebody else is.
    fn turn(&self, wakers: &mut Vec<Waker>);

    /// Makes whoever waits in the reactor look at its deadlines again.
    fn notify(&self);

    /// How many times the reactor has been looked at; for telling that nobody does.
    fn turns(&self) -> u64;

    /// Starts something on a thread of its own.
    ///
    /// # Errors
    /// What the operating system said; nothing runs then and the role is dropped.
    fn launch(&self, role: Role) -> io::Result<()>;

    /// A place for a job at a blocking pool; [`job`](Self::job) fills it.
    ///
    /// # Errors
    /// Why there is none.
    fn reserve(&self, pool: usize) -> Result<Ticket, Refusal>;

    /// Has a closure run where blocking is harmless.
    ///
    /// # Errors
    /// The job back, when the pool has closed, or no thread is there and none could be started.
    fn job(&self, place: Ticket, job: Job) -> Result<(), RefusedJob>;

    /// The job of this place has ended without being run; where it is still kept, it can be dropped.
    fn withdraw(&self, place: Ticket);

    /// What the blocking pools have done, in the order in which the runtime was given them.
    fn pools(&self) -> Vec<PoolMetrics> {
        Vec::new()
    }

    /// A worker is awake: the monitor must look within its period. The caller has fenced.
    fn arm(&self);

    /// Monitor: nobody is awake. Fence and look again after this.
    fn disarm(&self);

    /// Lets time pass inside a poll: spins on threads, moves the clock when scripted.
    fn busy(&self, duration: Duration);

    /// Watches something for so long, or until `go_on` says no. When scripted nothing happens
    /// meanwhile, so there is nothing to watch.
    fn linger(&self, most: Duration, go_on: &mut dyn FnMut() -> bool) {
        let _ = (most, go_on);
    }

    /// Where random choices start from.
    fn seed(&self) -> u64;

    /// The reactor, where there is a kernel.
    fn reactor(&self) -> Option<Arc<goro_reactor::Reactor>>;

    /// The network that sockets are made on; `None` is the kernel's.
    fn network(&self) -> Option<Arc<dyn goro_reactor::source::Network>>;

    /// The tasks are gone: unstarted jobs are cancelled and idle threads sent home.
    fn close(&self);
}
