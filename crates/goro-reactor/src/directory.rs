//! Which sources there are: the slab that turns a token back into a source.
//!
//! Invariants:
//! 1. An entry stands before the kernel knows its token, and is gone when the kernel refused it.
//! 2. A source leaves in this order: out of the kernel's set, out of the slab, closed. An event
//!    that was already on its way then finds another generation, or nobody.
//! 3. The slab's lock is held for [`BATCH`] events at a time; under it one source's lock may be
//!    taken, never the other way round.
//! 4. Nothing enters after [`stop`](Directory::stop).
//! 5. In a forked child nothing is said to the kernel: the set is the parent's.

use core::task::Waker;
use std::io;

use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::fork;
use goro_shim::lock::Lock;
use slab::Slab;

use crate::error;
use crate::interest::Directions;
use crate::token::{FIRST_GENERATION, Token};
use crate::watch::Watch;

/// How many events are delivered before the slab's lock is let go.
const BATCH: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Directory {
    registry: mio::Registry,
    entries: Lock<Entries>,
    /// How many entries there are; written under their lock.
    count: AtomicUsize,
    /// How many forks lay behind the process that made this.
    forks: u64,
}

#[derive(Debug)]
struct Entries {
    slab: Slab<Entry>,
    next_generation: u32,
    stopped: bool,
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    watch: Arc<Watch>,
}

impl Directory {
    pub(crate) fn new(registry: mio::Registry) -> Self {
        fork::watch();
        let slab = Slab::new();
        let entries = Entries { slab, next_generation: FIRST_GENERATION, stopped: false };
        let (entries, count) = (Lock::new(entries), AtomicUsize::new(0));
        Self { registry, entries, count, forks: fork::generation() }
    }

    /// Whether this process is a forked child of the one that made the reactor.
    pub(crate) fn is_forked(&self) -> bool {
        fork::generation() != self.forks
    }

    /// Enters `source` here and in the kernel's set, for both directions, edge-triggered.
    ///
    /// # Errors
    /// What the kernel said, or that the reactor has stopped or is the parent process's.
    pub(crate) fn enter(
        &self,
        source: &mut impl mio::event::Source,
    ) -> io::Result<(Token, Arc<Watch>)> {
        if self.is_forked() {
            return Err(error::forked());
        }
        let watch = Arc::new(Watch::new());
        let token = self.insert(&watch)?;
        let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
        if let Err(refused) = self.registry.register(source, token.into(), both) {
            self.remove(token);
            return Err(refused);
        }
        Ok((token, watch))
    }

    fn insert(&self, watch: &Arc<Watch>) -> io::Result<Token> {
        let watch = Arc::clone(watch);
        let mut entries = self.entries.lock();
        if entries.stopped {
            return Err(error::stopped());
        }
        let key = entries.slab.vacant_key();
        if key >= Token::KEY_LIMIT {
            return Err(io::Error::other("the reactor has no number left for another source"));
        }
        let generation = entries.next_generation;
        entries.next_generation = Token::generation_after(generation);
        entries.slab.insert(Entry { generation, watch });
        self.count.store(entries.slab.len(), Ordering::Relaxed);
        Ok(Token::new(key, generation))
    }

    /// Takes `source` out of the kernel's set; its entry stays until [`remove`](Self::remove).
    pub(crate) fn withdraw(&self, source: &mut impl mio::event::Source) -> io::Result<()> {
        if self.is_forked() {
            return Ok(());
        }
        self.registry.deregister(source)
    }

    /// Takes the entry of `token` out; nothing if it is not there.
    pub(crate) fn remove(&self, token: Token) {
        let entry = {
            let mut entries = self.entries.lock();
            let key = token.key();
            let is_its = entries.slab.get(key).is_some_and(|e| e.generation == token.generation());
            let entry = is_its.then(|| entries.slab.remove(key));
            self.count.store(entries.slab.len(), Ordering::Relaxed);
            entry
        };
        drop(entry);
    }

    /// Delivers events, moving the wakers of those who waited for them to `into`; returns how many
    /// found their source.
    pub(crate) fn deliver(
        &self,
        events: impl Iterator<Item = (Token, Directions)>,
        into: &mut Vec<Waker>,
    ) -> usize {
        let mut events = events.filter(|&(_, set)| set != Directions::NONE);
        let mut delivered = 0;
        let mut next = events.next();
        while next.is_some() {
            let entries = self.entries.lock();
            for _ in 0..BATCH {
                let Some((token, directions)) = next else { break };
                next = events.next();
                let Some(entry) = entries.slab.get(token.key()) else { continue };
                if entry.generation == token.generation() {
                    entry.watch.raise(directions, into);
                    delivered += 1;
                }
            }
        }
        delivered
    }

    /// Lets nothing enter any more and tells all who wait, whose wakers move to `into`.
    pub(crate) fn stop(&self, into: &mut Vec<Waker>) {
        let mut entries = self.entries.lock();
        entries.stopped = true;
        for (_, entry) in &entries.slab {
            entry.watch.stop(into);
        }
    }

    /// How many sources there are.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(all(any(all(test, not(loom)), fuzzing), unix))]
pub(crate) mod paths;
#[cfg(all(test, not(loom), unix))]
mod tests;

#[cfg(all(test, loom))]
mod model;
