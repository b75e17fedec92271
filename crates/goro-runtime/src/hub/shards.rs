//! A hub's shards: those of workers, of spares, of threads that are neither.
//!
//! Invariant: a shard that was used in a lease is looked at until the lease ends, also after its worker
//! or spare has gone: tasks that have parked there are listed there.

use goro_context::Cause;
use goro_shim::atomic::{Ordering, fence_seqcst};
use goro_shim::global::OnceLock;

use super::{Hub, MAX_WORKERS};
use crate::shard::Shard;

impl Hub {
    /// The shards of the posts that have had a worker in this lease; some may be made just now.
    pub(crate) fn shards(&self) -> impl Iterator<Item = &'static Shard> + '_ {
        // Ordering: Acquire pairs with the Release in `man`.
        let used = self.posts_used.load(Ordering::Acquire) as usize;
        self.shards[..used].iter().filter_map(OnceLock::get).copied()
    }

    /// The shard of the worker at `post`, for whoever starts it.
    pub(crate) fn man(&'static self, post: u32) -> &'static Shard {
        let shard = self.shards[post as usize].get_or_init(|| Self::add_shard(self, post));
        shard.timers.open();
        // Ordering: Release pairs with the Acquire in `shards`.
        self.posts_used.fetch_max(post + 1, Ordering::Release);
        // Partner: the fence in `Gate::close`. Either the shutdown sees the shard, or it is seen here.
        fence_seqcst();
        if self.is_closing() {
            shard.registry.close(Cause::Shutdown);
        }
        shard
    }

    /// One member's shard.
    pub(crate) fn shard(&self, index: u32) -> Option<&'static Shard> {
        let index = index as usize;
        let shard = match index.checked_sub(MAX_WORKERS) {
            None => self.shards.get(index),
            Some(place) => self.spare_places.get(place),
        };
        shard?.get().copied()
    }

    /// The shard of the spare at `place`, which whoever has taken the place asks for.
    pub(crate) fn spare(&'static self, place: u32) -> &'static Shard {
        let index = MAX_WORKERS as u32 + place;
        let shard = self.spare_places[place as usize].get_or_init(|| Self::add_shard(self, index));
        // Ordering: Release pairs with the Acquire in `spare_shards` and `every_shard`.
        self.spares_made.fetch_max(place + 1, Ordering::Release);
        self.spares_used.fetch_max(place + 1, Ordering::Release);
        // Partner: the fence in `Gate::close`. Either the shutdown sees the shard, or it is seen here.
        fence_seqcst();
        if self.is_closing() {
            shard.registry.close(Cause::Shutdown);
        }
        shard
    }

    /// The shards of the places that have had a spare in this lease; some may be made just now.
    pub(crate) fn spare_shards(&self) -> impl Iterator<Item = &'static Shard> + '_ {
        // Ordering: Acquire pairs with the Release in `spare`.
        let used = self.spares_used.load(Ordering::Acquire) as usize;
        self.spare_places[..used].iter().filter_map(OnceLock::get).copied()
    }

    /// The shards of all who run tasks: workers and spares.
    pub(crate) fn crew_shards(&self) -> impl Iterator<Item = &'static Shard> + '_ {
        self.shards().chain(self.spare_shards())
    }

    /// How many shards that is.
    pub(crate) fn crew_size(&self) -> u32 {
        self.posts_used() + self.spares_used.load(Ordering::Relaxed)
    }

    /// One of them, by its number from zero; `None` while it is being made.
    pub(crate) fn crew_shard(&self, number: u32) -> Option<&'static Shard> {
        match number.checked_sub(self.posts_used()) {
            None => self.shard(number),
            Some(place) => self.shard(MAX_WORKERS as u32 + place),
        }
    }

    /// How many of the shards of the crew are workers': one for each post that has had one.
    pub(crate) fn posts_used(&self) -> u32 {
        self.posts_used.load(Ordering::Relaxed)
    }

    /// How many workers there are to be.
    pub(crate) fn workers(&self) -> u32 {
        self.posts.size()
    }

    /// Whether the member of the crew with this shard is there to stay.
    pub(crate) fn stays(&self, index: u32) -> bool {
        match index.checked_sub(MAX_WORKERS as u32) {
            None => self.posts.is_manned(index),
            Some(place) => self.spares.is_present(place),
        }
    }

    /// The shards of all who run tasks, and the foreign one.
    pub(crate) fn all_shards(&self) -> impl Iterator<Item = &'static Shard> + '_ {
        self.crew_shards().chain([self.foreign()])
    }

    /// Every shard the hub ever had, of earlier leases too.
    pub(super) fn every_shard(&self) -> impl Iterator<Item = &'static Shard> + '_ {
        // Ordering: Acquire pairs with the Release in `spare`.
        let spares = &self.spare_places[..self.spares_made.load(Ordering::Acquire) as usize];
        let workers = self.shards.iter().map_while(OnceLock::get);
        workers.chain(spares.iter().filter_map(OnceLock::get)).copied().chain([self.foreign()])
    }
}
