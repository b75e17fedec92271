//! The process's default runtime: where whoever is in no runtime finds one.
//!
//! ```text
//!            first call that needs one          set_default
//!  NOBODY ────────▶ STARTING ────────▶ THERE ◀──────────────── any
//!     ▲                │ refused         │
//!     └────────────────┘                 └─ stops: stays THERE, and refuses what comes
//! ```
//!
//! | who | finds |
//! |---|---|
//! | a task, a job, code inside `block_on` or `enter` of a runtime | that runtime, whatever the default is |
//! | any other thread that spawns, connects, asks for `Handle::current` | the default, which is started if there is none |
//! | the same where the start was refused | an error in place of the task's outcome; the next call tries again |
//! | the same after the default has stopped | a cancellation: it is not started again, not even for what runs as the process ends |
//! | the same in the child of a fork | a cancellation that says so |
//! | the same on a thread that runs a simulation | a panic that names the call: a simulated test must not reach for real threads |
//!
//! Invariants:
//! 1. At most one is started by itself in a process, and it is never dropped: tasks that run as the
//!    process ends are cut off, as other threads are. (Two copies of this crate in one program are two
//!    processes in this respect.)
//! 2. `#[goro::main]` sets its own; `#[goro::test]` sets none. Setting one while another is there
//!    that was started by itself is reported: tasks are on both then.
//! 3. The lock is held to look and to note down, never while threads are started or anybody is told.
//!
//! Left out: sleeping. A deadline needs no runtime (one timer thread for the whole process keeps
//! those of threads that are in none), so it starts none.

use core::panic::Location;
use goro_context::Cause;
use goro_shim::global::Lock;
use goro_shim::lock::Backoff;
use goro_shim::{Arc, fork};

use crate::builder::Builder;
use crate::current;
use crate::driver::scripted;
use crate::ground::Ground;
use crate::observe;
use crate::runtime::Runtime;
use crate::shard::Shard;

enum Default {
    Nobody,
    /// Somebody starts it, in the process of this generation.
    Starting(u64),
    There {
        ground: Arc<Ground>,
        by_itself: bool,
    },
}

static DEFAULT: Lock<Default> = Lock::new(Default::Nobody);

/// What a look came to.
enum Look {
    There(Arc<Ground>),
    Start,
    Wait,
    Forked,
}

fn look() -> Look {
    let mut place = DEFAULT.lock();
    match &*place {
        Default::There { ground, .. } => Look::There(Arc::clone(ground)),
        Default::Starting(forks) if *forks == fork::generation() => Look::Wait,
        Default::Starting(_) => Look::Forked,
        Default::Nobody => {
            *place = Default::Starting(fork::generation());
            Look::Start
        }
    }
}

/// The default runtime, started if there is none; `site` asks for it.
///
/// # Panics
/// On a thread that runs a simulation.
fn obtain(site: &'static Location<'static>) -> Result<Arc<Ground>, Cause> {
    assert!(
        !scripted::is_here(),
        "the call at {site} would start the process's default runtime, with real threads, in a \
         simulated test: make it inside the simulated future, or through the simulation's handle"
    );
    fork::watch();
    let mut backoff = Backoff::new();
    loop {
        match look() {
            Look::There(ground) => return Ok(ground),
            Look::Wait => backoff.pause(),
            Look::Forked => {
                return Err(Cause::new(
                    "this process was forked while the default runtime started: build a runtime of \
                     its own after the fork",
                ));
            }
            Look::Start => return start(),
        }
    }
}

fn start() -> Result<Arc<Ground>, Cause> {
    let built = Builder::new().build_whatever_the_variable_says();
    let mut place = DEFAULT.lock();
    if let Default::There { ground, .. } = &*place {
        // Set meanwhile.
        let ground = Arc::clone(ground);
        drop(place);
        built.into_iter().for_each(Runtime::shutdown_background);
        return Ok(ground);
    }
    *place = match &built {
        Ok(runtime) => Default::There { ground: runtime.ground(), by_itself: true },
        Err(_) => Default::Nobody,
    };
    drop(place);
    match built {
        Ok(runtime) => Ok(runtime.run_on()),
        Err(error) => Err(Cause::new(format!("the default runtime was not started: {error}"))),
    }
}

/// Makes this the default for calls from now on.
pub(crate) fn set(ground: Arc<Ground>) {
    let there = Default::There { ground, by_itself: false };
    let before = core::mem::replace(&mut *DEFAULT.lock(), there);
    if let Default::There { ground, by_itself: true } = &before {
        observe::default_replaced(&ground.name);
    }
    drop(before);
}

/// The default runtime, if there is one.
pub(crate) fn get() -> Option<Arc<Ground>> {
    match &*DEFAULT.lock() {
        Default::There { ground, .. } => Some(Arc::clone(ground)),
        Default::Nobody | Default::Starting(_) => None,
    }
}

/// Where to spawn: the worker's own shard, the foreign one of the runtime entered, or the default
/// one's.
///
/// # Errors
/// Why there is none.
pub(crate) fn place(site: &'static Location<'static>) -> Result<Place, Cause> {
    match current::shard() {
        Some(shard) => Ok(Place { shard, _ground: None }),
        None => {
            obtain(site).map(|ground| Place { shard: ground.hub.foreign(), _ground: Some(ground) })
        }
    }
}

/// A shard to spawn on, whose hub is not handed on meanwhile.
pub(crate) struct Place {
    pub(crate) shard: &'static Shard,
    _ground: Option<Arc<Ground>>,
}

/// The runtime this thread is in, or else the default one.
///
/// # Errors
/// As for [`place`].
pub(crate) fn ground(site: &'static Location<'static>) -> Result<Arc<Ground>, Cause> {
    match current::entered().and_then(|foreign| foreign.hub.ground()) {
        Some(ground) => Ok(ground),
        None => obtain(site),
    }
}
