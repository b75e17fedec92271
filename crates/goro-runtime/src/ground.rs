//! What one lease of a hub stands on: its driver, its configuration, its end.
//!
//! Held by the runtime, each handle, each guard and each thread; when the last of them lets go,
//! the hub goes back to the pool.

use goro_context::Cause;
use goro_shim::Arc;
use goro_shim::global::OnceLock;
use goro_shim::time::Duration;
use std::io;

use crate::blocking::Config;
use crate::driver::{Chosen, Role};
use crate::hub::{Hub, Lease, MAX_WORKERS};
use crate::monitor::Monitor;
use crate::panics::PanicPolicy;
use crate::quota::Follows;
use crate::shard::Shard;
use crate::shutdown::{ShutdownHandle, Unit};
use crate::stall::{Reports, StallPlan};
use crate::worker::{Chaos, Seat};

/// What a ground is to be like.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) name: Arc<str>,
    pub(crate) lease: Lease,
    /// The blocking pools, the one that every runtime has first.
    pub(crate) pools: Arc<[Config]>,
    pub(crate) stalls: StallPlan,
    pub(crate) panics: PanicPolicy,
    pub(crate) follows: Follows,
    /// Its worker has no thread of its own.
    pub(crate) local: bool,
}

/// What one lease stands on; see the module.
pub(crate) struct Ground {
    pub(crate) hub: &'static Hub,
    pub(crate) driver: Chosen,
    pub(crate) name: Arc<str>,
    pub(crate) pools: Arc<[Config]>,
    pub(crate) chaos: Option<Chaos>,
    pub(crate) stalls: StallPlan,
    pub(crate) panics: PanicPolicy,
    pub(crate) reports: Reports,
    pub(crate) follows: Follows,
    /// Its end, once somebody has asked for a handle to it.
    pub(crate) ending: OnceLock<Arc<Unit>>,
    local: bool,
}

impl core::fmt::Debug for Ground {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ground")
            .field("name", &self.name)
            .field("workers", &self.hub.workers())
            .finish_non_exhaustive()
    }
}

impl Ground {
    /// Leases a hub and starts its workers and its monitor.
    ///
    /// # Errors
    /// The first refusal of a thread; what had started by then is on its way out, and the caller
    /// waits for it by joining the driver.
    pub(crate) fn start(
        driver: Chosen,
        plan: Plan,
    ) -> Result<Arc<Self>, (Arc<Self>, usize, io::Error)> {
        let Plan { name, lease, pools, stalls, panics, follows, local } = plan;
        let hub = Hub::lease(lease);
        let chaos = lease.chaos;
        let reports = Reports::new(Arc::clone(&name));
        let ending = OnceLock::new();
        let ground = Arc::new(Self {
            hub,
            driver,
            name,
            pools,
            chaos,
            stalls,
            panics,
            reports,
            follows,
            ending,
            local,
        });
        hub.set_ground(&ground);
        let monitor = lease.monitor.then(|| Role::Monitor(Monitor::new(Arc::clone(&ground))));
        let before_workers = usize::from(lease.monitor);
        let seats = hub.shards().map(|shard| Role::Worker(Seat::new(shard, Arc::clone(&ground))));
        let roles = monitor.into_iter().chain(seats);
        for (started, role) in roles.enumerate() {
            if let Err(error) = ground.driver.launch(role) {
                ground.give_up(started.saturating_sub(before_workers));
                return Err((ground, started, error));
            }
        }
        ground.driver.arm();
        Ok(ground)
    }

    /// Ends spawning and has every worker cancel what is there and leave.
    pub(crate) fn close(&self) {
        if let Some(unit) = self.ending.get() {
            // First: what is cancelled from here on counts as aborted.
            unit.closes();
        }
        if self.hub.close() {
            self.hub.wake_all(&self.driver);
            // Partner: the fence in `ShutdownHandle::of`. A unit that is made just now is seen here, or
            // sees the hub closing.
            if let Some(unit) = self.ending.get() {
                unit.closes();
            }
        }
    }

    /// How long whoever drops the runtime waits for its threads, if its end was asked for before that.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.ending.get().and_then(|unit| unit.patience())
    }

    /// Begins to stop the runtime from inside of it, for `cause`, and waits for nobody: what leads to the end
    /// by itself comes through here. In good order, if somebody has a handle to its end.
    pub(crate) fn stop_because(&self, cause: &Cause) {
        if !self.hub.is_closing() {
            crate::observe::stops_by_itself(&self.name, cause);
        }
        match self.ending.get() {
            Some(unit) => _ = ShutdownHandle::new(unit).initiate(cause.clone()),
            None => self.close(),
        }
    }

    /// Only `started` workers ever came up: the rest count as gone.
    fn give_up(&self, started: usize) {
        self.close();
        let missing = self.hub.workers() - started as u32;
        for _ in 0..missing {
            self.member_left();
        }
    }

    /// The worker, or the spare, with this shard has ended, and owns nothing any more.
    pub(crate) fn left(self: &Arc<Self>, index: u32) {
        match index.checked_sub(MAX_WORKERS as u32) {
            Some(place) => self.hub.spares.left(place),
            None => self.post_left(index),
        }
        self.member_left();
    }

    /// Whether it is a local runtime's.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }

    /// One of the crew is gone; the last one closes what tasks have waited on.
    pub(crate) fn member_left(&self) {
        if self.hub.crew.leave() {
            if let Some(unit) = self.ending.get() {
                // While its clock goes and its timers fire.
                unit.look();
            }
            self.hub.stop();
            self.driver.close();
        }
    }
}

/// One of the crew leaves when this is dropped.
pub(crate) struct Leaving {
    ground: Arc<Ground>,
    index: u32,
}

impl Leaving {
    /// The one whose shard this is.
    pub(crate) fn of(ground: &Arc<Ground>, shard: &Shard) -> Self {
        Self { ground: Arc::clone(ground), index: shard.index }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.ground.left(self.index);
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if !self.hub.give_back() {
            crate::observe::hub_kept(&self.name, self.hub.live());
        }
    }
}
