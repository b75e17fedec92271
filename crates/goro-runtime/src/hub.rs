//! The immortal part of a runtime: shards, injector, who sleeps, and whether it is closing.
//!
//! A hub is leased by one runtime at a time (`ground`) and goes back to a process-wide pool when
//! nothing lives in it any more; the next runtime gets it with its shards. So a thousand runtimes
//! built one after another use one hub, and a task's home can be a plain `&'static`.
//!
//! ```text
//!  Running ──close──▶ Closing ──last worker out──▶ Stopped ──last reference──▶ back in the pool
//! ```
//!
//! Invariants:
//! 1. Shards are only ever added.
//! 2. In `Closing`, spawns are refused, tasks are only cancelled, and the injector stays open
//!    until no task is live: a runnable in a foreign thread's hand arrives there.
//! 3. The hub does not keep its ground alive; whoever can reach the hub while a task is live finds
//!    it upgradable, since the workers hold it.

use core::task::Waker;
use goro_context::{Cause, Refused, host};
use goro_queue::Injector;
use goro_shim::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use goro_shim::global::{self, OnceLock, Weak};
use goro_shim::time::Instant;
use goro_shim::{Arc, fork, time};

use crate::blocking::DEFAULT;
use crate::counters::{self, Counters};
use crate::crew::Crew;
use crate::driver::{Chosen, Job};
use crate::gate::Gate;
use crate::ground::Ground;
use crate::idle::Idle;
use crate::job::Jobs;
use crate::limit::Limit;
use crate::posts::Posts;
use crate::shard::{FOREIGN, Shard, Work};

use crate::spares::{Limits, Spares};
use crate::watcher::{NOBODY, Watcher};
use crate::worker::Chaos;

mod shards;

/// The most workers one runtime can have.
pub(crate) const MAX_WORKERS: usize = 1024;

/// The most spares one runtime can have; their shards' indices begin where the workers' end.
pub(crate) const MAX_SPARES: usize = 1024;

const FORKED: &str = "this process was forked from the one whose runtime this is, and has none of \
     its threads: build a runtime of its own after the fork";

/// What a lease is to be like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) workers: usize,
    pub(crate) monitor: bool,
    pub(crate) scripted: bool,
    pub(crate) chaos: Option<Chaos>,
    /// The most tasks that may be live at a time.
    pub(crate) tasks: Option<usize>,
    pub(crate) spares: Limits,
}

/// The immortal part of a runtime; see the module.
#[derive(Debug)]
pub(crate) struct Hub {
    shards: Box<[OnceLock<&'static Shard>]>,
    spare_places: Box<[OnceLock<&'static Shard>]>,
    foreign: OnceLock<&'static Shard>,
    /// The home of blocking jobs.
    jobs: OnceLock<&'static Jobs>,
    /// How many of the posts have had a worker in this lease.
    posts_used: AtomicU32,
    /// How many workers there are to be, and who comes and goes for that.
    pub(crate) posts: Posts,
    /// How many of the places for spares have had one in this lease.
    spares_used: AtomicU32,
    /// How many of them have a shard, from this lease or an earlier one.
    spares_made: AtomicU32,
    pub(crate) crew: Crew,
    pub(crate) spares: Spares,
    pub(crate) gate: Gate,
    pub(crate) limit: Limit,
    /// Time is the driver's, not the kernel's.
    scripted: AtomicBool,
    /// There is no monitor: every push has to tell a sleeper, and whoever searches takes from next slots.
    unwatched: bool,
    /// How often the process had forked when the lease began.
    forks: AtomicU64,
    pub(crate) watch: Watcher,
    pub(crate) injector: Injector<Work>,
    pub(crate) idle: Idle,
    ground: global::Lock<Option<Weak<Ground>>>,
}

/// Where every wheel's time begins. One point for all, so that a scripted clock which starts there
/// finds its deadlines on the same ticks in every run, and none of them before the wheel's time.
pub(crate) fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(time::now)
}

/// Hubs that nobody leases: for threads, and for scripts, with a monitor and without. They do not mix, or a
/// sleep that has outlived its runtime could be shown the clock of a script; and queues are made for one or the
/// other.
static POOLS: [global::Lock<Vec<&'static Hub>>; 4] = [const { global::Lock::new(Vec::new()) }; 4];

fn pool(scripted: bool, unwatched: bool) -> &'static global::Lock<Vec<&'static Hub>> {
    &POOLS[2 * usize::from(unwatched) + usize::from(scripted)]
}

impl Hub {
    /// Takes a hub from the pool, or makes one, with shards for `workers`.
    pub(crate) fn lease(lease: Lease) -> &'static Self {
        let Lease { workers, monitor, scripted, spares, .. } = lease;
        let pooled = pool(scripted, !monitor).lock().pop();
        let hub = pooled.unwrap_or_else(|| Self::make(!monitor));
        for index in 0..workers {
            hub.shards[index].get_or_init(|| Self::add_shard(hub, index as u32));
        }
        hub.posts_used.store(workers as u32, Ordering::Relaxed);
        hub.posts.open(workers as u32);
        hub.spares_used.store(0, Ordering::Relaxed);
        hub.spares.open(spares);
        hub.crew.open(workers as u32);
        hub.scripted.store(scripted, Ordering::Relaxed);
        hub.limit.set(lease.tasks);
        fork::watch();
        goro_task::trust_wakers();
        hub.forks.store(fork::generation(), Ordering::Relaxed);
        for shard in hub.every_shard() {
            shard.counters.reset();
            shard.published.reset();
            shard.parker.release();
            shard.registry.reopen();
        }
        for shard in hub.all_shards() {
            shard.timers.open();
        }
        hub.jobs().counters.reset();
        hub.gate.open();
        hub
    }

    fn make(unwatched: bool) -> &'static Self {
        let hub: &'static Self = Box::leak(Box::new(Self {
            shards: (0..MAX_WORKERS).map(|_| OnceLock::new()).collect(),
            spare_places: (0..MAX_SPARES).map(|_| OnceLock::new()).collect(),
            foreign: OnceLock::new(),
            jobs: OnceLock::new(),
            posts_used: AtomicU32::new(0),
            posts: Posts::new(MAX_WORKERS),
            spares_used: AtomicU32::new(0),
            spares_made: AtomicU32::new(0),
            crew: Crew::none(),
            spares: Spares::new(MAX_SPARES),
            gate: Gate::new(),
            limit: Limit::new(),
            scripted: AtomicBool::new(false),
            unwatched,
            forks: AtomicU64::new(0),
            watch: Watcher::nobody(),
            injector: Injector::new(),
            idle: Idle::new(),
            ground: global::Lock::new(None),
        }));
        hub.foreign.get_or_init(|| Self::add_shard(hub, FOREIGN));
        hub.jobs.get_or_init(|| Jobs::leak(hub));
        hub
    }

    fn add_shard(hub: &'static Self, index: u32) -> &'static Shard {
        Shard::leak(hub, index, epoch())
    }

    /// Gives the hub back. The caller is the last that knew it; false when something still lives
    /// here, and the hub stays out of the pool for good.
    pub(crate) fn give_back(&'static self) -> bool {
        let clean = self.live() == 0 && self.injector.is_empty() && self.idle.is_blank();
        if clean {
            for shard in self.every_shard() {
                shard.registry.trim();
                shard.timers.restart();
            }
            self.idle.trim();
            self.jobs().trim();
            *self.ground.lock() = None;
            pool(self.is_scripted(), self.unwatched).lock().push(self);
        }
        clean
    }

    pub(crate) fn set_ground(&self, ground: &Arc<Ground>) {
        *self.ground.lock() = Some(Arc::downgrade(ground));
    }

    /// What this lease stands on; `None` between leases.
    pub(crate) fn ground(&self) -> Option<Arc<Ground>> {
        self.ground.lock().as_ref()?.upgrade()
    }

    /// The shard of threads that are not workers.
    pub(crate) fn foreign(&self) -> &'static Shard {
        // Set once, before the hub is handed out.
        self.foreign.get().expect("a hub is made with its foreign shard")
    }

    /// The home of its blocking jobs.
    pub(crate) fn jobs(&self) -> &'static Jobs {
        // Set once, before the hub is handed out.
        self.jobs.get().expect("a hub is made with a home for its jobs")
    }

    #[inline]
    pub(crate) fn now(&self) -> Instant {
        if self.is_scripted() { self.scripted_now() } else { time::now() }
    }

    #[cold]
    #[inline(never)]
    fn scripted_now(&self) -> Instant {
        self.ground().map_or_else(time::now, |ground| ground.driver.now())
    }

    /// A task from outside: to the injector, and somebody is woken for it.
    pub(crate) fn inject(&self, task: Work) {
        self.injector.push(task);
        self.announce();
    }

    /// A worker has pushed to its own queue. It owes nobody a wake-up, unless there is no monitor
    /// that would see to the task behind a long poll.
    #[inline]
    pub(crate) fn pushed_locally(&self) {
        if self.is_unwatched() {
            self.announce();
        }
    }

    /// Whether there is no monitor.
    pub(crate) fn is_unwatched(&self) -> bool {
        self.unwatched
    }

    /// Whether there is one.
    pub(crate) fn has_monitor(&self) -> bool {
        !self.is_unwatched()
    }

    /// Whether time and waiting are a script's.
    pub(crate) fn is_scripted(&self) -> bool {
        self.scripted.load(Ordering::Relaxed)
    }

    /// Whether something stands that a push may have told a searcher of instead of a sleeper: in the
    /// injector, and with no monitor in any worker's queue.
    pub(crate) fn has_untold(&self) -> bool {
        !self.injector.is_empty()
            || (self.is_unwatched() && self.crew_shards().any(Shard::has_work))
    }

    /// Whether neither a sleeper nor a monitor minds the reactor.
    pub(crate) fn is_unminded(&self) -> bool {
        self.is_unwatched() && self.watcher() == NOBODY
    }

    /// Whether every worker and every spare sleeps.
    pub(crate) fn all_asleep(&self) -> bool {
        self.crew.is_asleep(&self.idle)
    }

    /// Something was pushed from outside: wakes a sleeper unless somebody searches.
    pub(crate) fn announce(&self) {
        if let Some(worker) = self.idle.announce(self.watcher()) {
            if let Some(ground) = self.ground() {
                self.unpark(worker, &ground.driver);
            }
        }
    }

    /// Wakes one sleeper, unless somebody searches by now. True when one was woken.
    pub(crate) fn wake_one(&self, driver: &Chosen) -> bool {
        match self.idle.pick(self.watcher()) {
            Some(worker) => {
                self.unpark(worker, driver);
                true
            }
            None => false,
        }
    }

    /// Gives a worker that was picked its token.
    pub(crate) fn unpark(&self, worker: u32, driver: &Chosen) {
        if let Some(shard) = self.shard(worker) {
            driver.unpark(&shard.parker);
        }
    }

    /// Makes a worker that sleeps look at its deadline again.
    pub(crate) fn nudge(&self, worker: u32) {
        if let Some(ground) = self.ground() {
            self.unpark(worker, &ground.driver);
        }
    }

    /// Who watches the reactor, or [`NOBODY`].
    pub(crate) fn watcher(&self) -> u32 {
        self.watch.get()
    }

    /// Wakes everybody.
    pub(crate) fn wake_all(&self, driver: &Chosen) {
        for shard in self.idle.pick_all().into_iter().filter_map(|w| self.shard(w)) {
            driver.unpark(&shard.parker);
        }
    }

    /// A thread that is no worker has armed the earliest timer of all: whoever watches the reactor
    /// looks at its deadline again.
    pub(crate) fn foreign_deadline_moved(&self) {
        if self.watch.is_to_be_told() {
            if let Some(ground) = self.ground() {
                ground.driver.notify();
            }
        }
    }

    /// Queues a closure for the blocking pool.
    pub(crate) fn job(&self, job: host::Job) -> Result<(), Refused> {
        let Some(ground) = self.ground() else {
            let error = std::io::Error::other("the runtime has stopped");
            return Err(Refused(job, error));
        };
        if let Some(cause) = self.refusal() {
            return Err(Refused(job, std::io::Error::other(cause)));
        }
        let driver = ground.driver.clone();
        let place = match driver.reserve(DEFAULT.1) {
            Ok(place) => place,
            Err(refusal) => return Err(Refused(job, refusal.into())),
        };
        driver.job(place, Job::plain(job, ground)).map_err(|refused| {
            let job = refused.job.into_plain().expect("a plain job comes back plain");
            Refused(job, refused.refusal.into())
        })
    }

    /// Tasks that have been made and have not ended. Exact once spawning has stopped.
    pub(crate) fn live(&self) -> u64 {
        counters::live(|| self.every_shard().map(|shard| &*shard.counters))
    }

    /// A sum over every shard.
    pub(crate) fn sum(&self, of: impl Fn(&Counters) -> u64) -> u64 {
        self.every_shard().fold(0, |sum, shard| sum.wrapping_add(of(&shard.counters)))
    }

    /// Whether spawning is over.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.gate.is_closing()
    }

    /// Whether this process is the child of a fork: the workers are its parent's.
    #[inline]
    pub(crate) fn is_forked(&self) -> bool {
        self.forks.load(Ordering::Relaxed) != fork::generation()
    }

    /// Why a task from outside is not taken, if it is not.
    pub(crate) fn refusal(&self) -> Option<Cause> {
        if self.is_closing() {
            Some(Cause::Shutdown)
        } else if self.is_forked() {
            Some(Cause::new(FORKED))
        } else {
            None
        }
    }

    /// Why the code that runs may make no task here, if it may not. A task that is refused for a drain is
    /// counted with it.
    #[cold]
    pub(crate) fn spawn_refusal(&self) -> Option<Cause> {
        if self.gate.is_running() {
            None
        } else if self.gate.is_draining() {
            let ground = self.ground()?;
            ground.ending.get().and_then(|unit| unit.refusal())
        } else {
            Some(Cause::Shutdown)
        }
    }

    /// Whether the last worker has gone.
    pub(crate) fn is_stopped(&self) -> bool {
        self.gate.is_stopped()
    }

    /// Ends spawning; true for the caller that did it.
    pub(crate) fn close(&self) -> bool {
        let closed = self.gate.close();
        if closed {
            for shard in self.all_shards() {
                // Who would park from now on is cancelled instead.
                shard.registry.close(Cause::Shutdown);
            }
        }
        closed
    }

    /// The last worker has gone: whoever waits for a timer or a socket learns that nobody comes.
    pub(crate) fn stop(&self) {
        self.gate.stop();
        let mut wakers: Vec<Waker> = Vec::new();
        for shard in self.all_shards() {
            shard.timers.close(&mut wakers);
        }
        crate::observe::wake_each(&mut wakers);
    }
}
