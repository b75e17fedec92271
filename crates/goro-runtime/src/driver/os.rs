//! The driver that real programs run on: a thread per role, the kernel's clock, the reactor.
//!
//! Invariants:
//! 1. A thread that could not be started leaves nothing behind: its role is dropped, and the error
//!    is the caller's.
//! 2. Every thread that runs at the end is joined, unless the one that waits is one of them (then
//!    they are let go, and end on their own). One that ends before lets itself go, and its stack.
//! 3. No worker sleeps in the reactor without having said so, and it says so before it reads its
//!    deadline.

use core::cell::Cell;
use core::task::Waker;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use goro_reactor::{Nudge, Parker, Patience, Reactor, Wait};
use goro_shim::Arc;
use goro_shim::atomic::AtomicU32;
use goro_shim::global::{AtomicU64, Ordering};
use goro_shim::lock::Lock;
use goro_shim::thread::{self, JoinHandle, thread_local};
use goro_shim::time::{self, Duration, Instant};
use std::io;

use super::{Driver, Job, Place, Refusal, RefusedJob, Rest, Role, Ticket};
use crate::alarm::{Alarm, SOON};
use crate::blocking::{Config, Staff, is_read_by};
use crate::metrics::PoolMetrics;
use crate::monitor::Watch;
use crate::worker::Seat;

/// How threads are made.
#[derive(Clone, Debug)]
pub(crate) struct ThreadPlan {
    pub(crate) name: Arc<str>,
    pub(crate) stack_size: Option<usize>,
}

thread_local! {
    /// Which [`Threads`] this thread is one of, from its first breath to its last thread-local's
    /// destructor; zero for threads that no runtime has started.
    static CREW: Cell<u64> = const { Cell::new(0) };
}

/// The threads of one runtime.
#[derive(Debug)]
pub(crate) struct Threads {
    plan: ThreadPlan,
    /// Tells these threads from those of other runtimes; never used twice.
    crew: u64,
    /// Held by each thread until it ends; taken when no more are to be started.
    alive: Lock<Option<Sender<()>>>,
    ended: Receiver<()>,
    /// Those to be joined.
    roll: Arc<Lock<Roll>>,
}

/// The threads that run, and those that have ended since and nobody has let go.
#[derive(Debug, Default)]
struct Roll {
    started: Vec<Started>,
    sealed: bool,
}

/// Whether the end of the runtime waits for a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    WaitedFor,
    LetGo,
}

/// A thread, and what the system calls it; zero before it has said so.
#[derive(Debug)]
struct Started {
    handle: JoinHandle<()>,
    id: Arc<AtomicU32>,
}

impl Roll {
    /// Those that have ended, to be let go by the caller, after the lock.
    fn ended(&mut self) -> Vec<Started> {
        let all = core::mem::take(&mut self.started);
        let (ended, running) = all.into_iter().partition(|one| one.handle.is_finished());
        self.started = running;
        ended
    }

    /// The thread with this id, which is the caller, ends while the runtime goes on: nobody is to join it.
    fn strike(roll: &Lock<Self>, id: &Arc<AtomicU32>) -> Option<Started> {
        let mut roll = roll.lock();
        if roll.sealed {
            return None;
        }
        let at = roll.started.iter().position(|one| Arc::ptr_eq(&one.id, id))?;
        Some(roll.started.swap_remove(at))
    }
}

impl Threads {
    fn new(plan: ThreadPlan) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let crew = NEXT.fetch_add(1, Ordering::Relaxed);
        let (alive, ended) = crossbeam_channel::bounded(0);
        Self { plan, crew, alive: Lock::new(Some(alive)), ended, roll: Arc::default() }
    }

    /// Starts a thread called after the runtime and `suffix`.
    pub(crate) fn start(
        &self,
        suffix: &str,
        tie: Tie,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let alive = self.alive.lock().clone();
        let Some(alive) = alive else {
            return Err(io::Error::other("the runtime has stopped and starts no more threads"));
        };
        let name = format!("{}-{suffix}", self.plan.name);
        let crew = self.crew;
        let alive = (tie == Tie::WaitedFor).then_some(alive);
        let id = Arc::new(AtomicU32::new(0));
        let own_id = Arc::clone(&id);
        let roll = Arc::clone(&self.roll);
        let handle = thread::start(name, self.plan.stack_size, move || {
            own_id.store(thread_id(), Ordering::Relaxed);
            CREW.with(|own| own.set(crew));
            body();
            // Kept to be joined, an ended thread keeps its stack.
            drop(Roll::strike(&roll, &own_id));
            drop(alive);
        })?;
        if tie == Tie::LetGo {
            return Ok(());
        }
        let gone = {
            let mut roll = self.roll.lock();
            let gone = roll.ended();
            roll.started.push(Started { handle, id });
            gone
        };
        drop(gone);
        Ok(())
    }

    fn seal(&self) {
        self.roll.lock().sealed = true;
        let alive = self.alive.lock().take();
        drop(alive);
    }

    /// Waits until every thread has ended; false when some had not by `deadline`, or all that are
    /// left read standard input, which nothing here can end.
    fn join(&self, deadline: Option<Instant>) -> bool {
        let mut patience = Duration::from_millis(10);
        loop {
            let look = time::now() + patience;
            let until = deadline.map_or(look, |deadline| deadline.min(look));
            if self.ended.recv_deadline(until) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            if deadline.is_some_and(|deadline| until >= deadline) || self.left_are_readers() {
                return false;
            }
            patience = (patience * 2).min(Duration::from_millis(200));
        }
        let started = core::mem::take(&mut self.roll.lock().started);
        for started in started {
            // A thread of ours that panicked has said so on standard error; it has ended.
            let _ = started.handle.join();
        }
        true
    }

    /// Whether the threads that have not ended are all inside a read of standard input.
    fn left_are_readers(&self) -> bool {
        let ids: Vec<u32> = {
            let roll = self.roll.lock();
            let left = roll.started.iter().filter(|started| !started.handle.is_finished());
            left.map(|started| started.id.load(Ordering::Relaxed)).collect()
        };
        let all = !ids.is_empty() && ids.iter().all(|&id| is_read_by(id));
        if all {
            crate::observe::readers_left(&self.plan.name, ids.len());
        }
        all
    }
}

/// The driver of real programs; see the module.
#[derive(Debug)]
pub(crate) struct OsDriver {
    reactor: Arc<Reactor>,
    alarm: Arc<Alarm>,
    /// At least the one that every runtime has.
    pools: Box<[Staff]>,
    threads: Arc<Threads>,
    patience: Patience,
    seed: u64,
    /// A local runtime's: its worker has the thread of whoever builds it.
    kept: Option<Lock<Vec<Seat>>>,
}

impl OsDriver {
    /// Makes the descriptors; starts nothing.
    pub(crate) fn new(plan: ThreadPlan, pools: &[Config]) -> io::Result<Self> {
        let threads = Arc::new(Threads::new(plan));
        Ok(Self {
            reactor: Arc::new(Reactor::new()?),
            alarm: Arc::new(Alarm::new()?),
            pools: pools
                .iter()
                .map(|pool| Staff::new(Arc::clone(&threads), pool.clone()))
                .collect(),
            threads,
            patience: Patience::default(),
            seed: goro_shim::random::entropy(),
            kept: None,
        })
    }

    /// As [`new`](Self::new), for a runtime whose worker gets no thread.
    pub(crate) fn local(plan: ThreadPlan, pools: &[Config]) -> io::Result<Self> {
        Ok(Self { kept: Some(Lock::default()), ..Self::new(plan, pools)? })
    }

    /// The seat of a worker that has got no thread.
    pub(crate) fn take_seat(&self) -> Option<Seat> {
        self.kept.as_ref()?.lock().pop()
    }

    /// Waits until every thread has ended; false when some had not by `deadline`.
    pub(crate) fn join(&self, deadline: Option<Instant>) -> bool {
        self.threads.join(deadline)
    }

    /// Whether the calling thread is one of this runtime's: to wait for all of them here would be to
    /// wait for itself.
    pub(crate) fn is_served_by_this_thread(&self) -> bool {
        CREW.with(Cell::get) == self.threads.crew
    }

    /// Starts the threads that are to stay in the blocking pools.
    pub(crate) fn staff(&self) -> io::Result<()> {
        self.pools.iter().try_for_each(Staff::hire)
    }
}

impl Driver for OsDriver {
    fn now(&self) -> Instant {
        time::now()
    }

    fn park(&self, rest: &dyn Rest, wakers: &mut Vec<Waker>) {
        let Some(mut hold) = self.reactor.try_hold() else {
            let until = rest.until(Place::Thread);
            self.patience.look(rest.parker(), until);
            rest.parker().sleep(until);
            return;
        };
        rest.watching(true);
        if rest.parker().begin_polling() {
            let wait = rest.until(Place::Reactor).map_or(Wait::Forever, Wait::Until);
            if let Err(error) = hold.turn(wait, wakers) {
                crate::observe::turn_failed(&error);
            }
            rest.parker().take();
        }
        rest.watching(false);
    }

    fn unpark(&self, parker: &Parker) {
        match parker.give() {
            Nudge::Nothing => {}
            Nudge::Thread => parker.wake_thread(),
            Nudge::Reactor => self.reactor.notify(),
        }
    }

    fn wait(&self, parker: &Parker, until: Option<Instant>) -> bool {
        parker.sleep(until)
    }

    fn turn(&self, wakers: &mut Vec<Waker>) {
        if let Some(Err(error)) = self.reactor.try_turn(Wait::No, wakers) {
            crate::observe::turn_failed(&error);
        }
    }

    fn notify(&self) {
        self.reactor.notify();
    }

    fn turns(&self) -> u64 {
        self.reactor.turns()
    }

    fn launch(&self, role: Role) -> io::Result<()> {
        let role = match (role, &self.kept) {
            (Role::Worker(seat), Some(kept)) => {
                kept.lock().push(seat);
                return Ok(());
            }
            (role, _) => role,
        };
        let suffix = role.suffix();
        let alarm = Arc::clone(&self.alarm);
        self.threads.start(&suffix, Tie::WaitedFor, move || match role {
            Role::Worker(seat) => {
                sharpen_timers();
                seat.work();
            }
            Role::Monitor(mut monitor) => {
                sharpen_timers();
                loop {
                    match monitor.tick(time::now()) {
                        Watch::On | Watch::Off => alarm.wait(),
                        Watch::Soon => {
                            thread::park_timeout(SOON);
                            monitor.glance(time::now());
                            alarm.wait();
                        }
                        Watch::Over => break,
                    }
                }
            }
        })
    }

    fn reserve(&self, pool: usize) -> Result<Ticket, Refusal> {
        self.pools[pool].reserve().map(|place| Ticket { pool, place })
    }

    fn job(&self, place: Ticket, job: Job) -> Result<(), RefusedJob> {
        self.pools[place.pool].submit(place.place, job)
    }

    fn withdraw(&self, place: Ticket) {
        self.pools[place.pool].withdraw(place.place);
    }

    fn pools(&self) -> Vec<PoolMetrics> {
        self.pools.iter().map(Staff::metrics).collect()
    }

    fn arm(&self) {
        self.alarm.ensure();
    }

    fn disarm(&self) {
        self.alarm.disarm();
    }

    fn linger(&self, most: Duration, go_on: &mut dyn FnMut() -> bool) {
        let until = time::now() + most;
        while go_on() && time::now() < until {
            // What is watched is on a cache line of somebody who works: not too often.
            for _ in 0..8 {
                core::hint::spin_loop();
            }
        }
    }

    fn busy(&self, duration: Duration) {
        let until = time::now() + duration;
        while time::now() < until {
            core::hint::spin_loop();
        }
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn reactor(&self) -> Option<Arc<Reactor>> {
        Some(Arc::clone(&self.reactor))
    }

    fn network(&self) -> Option<Arc<dyn goro_reactor::source::Network>> {
        None
    }

    fn close(&self) {
        self.reactor.close();
        self.pools.iter().for_each(Staff::close);
        self.threads.seal();
        self.alarm.ring();
    }
}

/// What the system calls this thread; zero where nobody asks.
fn thread_id() -> u32 {
    #[cfg(target_os = "linux")]
    let id = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
    #[cfg(not(target_os = "linux"))]
    let id = 0;
    id
}

/// Lets this thread's timed sleeps end when they should: the kernel's default is up to 50 us late
/// on purpose, to save wake-ups by batching them.
fn sharpen_timers() {
    #[cfg(target_os = "linux")]
    {
        // Refused only on kernels without the call; sleeps are then as late as before.
        let _ = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1));
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
