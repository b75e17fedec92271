//! One piece of work for all who ask for the same at the same time.
//!
//! Under each key there is at most one flight: a [`OnceCell`] for the value, and how many are aboard.
//! Whoever is aboard waits for the cell; what moves the work to the next one when its leader is
//! dropped or panics is the cell's rule.
//!
//! Invariants:
//! 1. A flight is on the board as long as somebody is aboard and no value is there: whoever has made
//!    the value takes it down, and so does the last one to leave.
//! 2. Flights lie under their keys' hashes: keys are hashed before the lock, and compared and dropped
//!    without it, since that is code of the user's.
//!
//! Left out: keeping values (that is a cache), and errors of its own (a value may be a `Result`).

use core::fmt;
use core::future::Future;
use core::hash::{BuildHasher, Hash};
use std::collections::HashMap;
use std::hash::RandomState;

use goro_shim::global::Arc;
use goro_shim::lock::Lock;

use crate::OnceCell;

/// Has work done once for all who ask for it while it runs.
///
/// # Example
/// ```
/// use goro_sync::SingleFlight;
/// use futures::future::join;
///
/// # futures::executor::block_on(async {
/// let users = SingleFlight::new();
/// let load = || users.run("ann", || async { String::from("Ann") });
/// let (one, another) = join(load(), load()).await;
/// assert_eq!(one, another);
/// # });
/// ```
///
/// ```
/// let flights = goro_sync::SingleFlight::new();
/// let length = futures::executor::block_on(flights.run("key", async || {
///     assert_eq!(flights.under_way(), 1);
///     3
/// }));
/// assert_eq!((length, flights.under_way()), (3, 0));
/// ```
pub struct SingleFlight<K, V> {
    hasher: RandomState,
    board: Lock<HashMap<u64, Vec<Entry<K, V>>>>,
}

struct Entry<K, V> {
    flight: Arc<Flight<K, V>>,
    aboard: usize,
}

struct Flight<K, V> {
    key: K,
    value: OnceCell<V>,
}

impl<K: Hash + Eq, V: Clone> SingleFlight<K, V> {
    /// With nothing under way.
    pub fn new() -> Self {
        Self { hasher: RandomState::new(), board: Lock::new(HashMap::new()) }
    }

    /// The value for `key`: made by `work`, or by that of another call that is under way. All of them
    /// get clones of one value; a call that comes after it was made starts anew.
    ///
    /// If the call whose `work` runs is dropped or panics, the work of the next one runs instead.
    /// `work` must not ask for the same key.
    ///
    /// # Cancel safety
    /// Others carry on. What `work` did is as safe as that.
    ///
    /// # Panics
    /// When `work` does, or the key's `Hash` and `Eq`, or the value's `Clone`.
    pub async fn run<F, Fut>(&self, key: K, work: F) -> V
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = V>,
    {
        let seat = self.board(key);
        seat.flight.value.get_or_init(work).await.clone()
    }

    /// How many keys have work under way.
    pub fn under_way(&self) -> usize {
        self.board.lock().values().map(Vec::len).sum()
    }

    /// Finds the flight of `key`, or puts one on the board.
    fn board(&self, key: K) -> Seat<'_, K, V> {
        let hash = self.hasher.hash_one(&key);
        let mut own = Arc::new(Flight { key, value: OnceCell::new() });
        let mut known: Vec<Arc<Flight<K, V>>> = Vec::new();
        loop {
            // Panic: comparing keys may; nothing has been boarded.
            let same = known.iter().find(|flight| flight.key == own.key).map(Arc::clone);
            let mut board = self.board.lock();
            let entries = board.entry(hash).or_default();
            if let Some(same) = same {
                let entry = entries.iter_mut().find(|entry| Arc::ptr_eq(&entry.flight, &same));
                if let Some(entry) = entry {
                    entry.aboard += 1;
                    drop(board);
                    return Seat { flights: self, hash, flight: same };
                }
                own = Arc::clone(&own);
            }
            let changed = entries
                .iter()
                .any(|entry| !known.iter().any(|flight| Arc::ptr_eq(flight, &entry.flight)));
            if !changed {
                entries.push(Entry { flight: Arc::clone(&own), aboard: 1 });
                drop(board);
                return Seat { flights: self, hash, flight: own };
            }
            let before = core::mem::take(&mut known);
            known.extend(entries.iter().map(|entry| Arc::clone(&entry.flight)));
            drop(board);
            drop(before);
        }
    }
}

/// A call that is aboard a flight.
struct Seat<'a, K, V> {
    flights: &'a SingleFlight<K, V>,
    hash: u64,
    flight: Arc<Flight<K, V>>,
}

impl<K, V> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        let landed = self.flight.value.get().is_some();
        let mut down = None;
        let mut board = self.flights.board.lock();
        if let Some(entries) = board.get_mut(&self.hash) {
            let mut entries_of = entries.iter_mut();
            if let Some(at) = entries_of.position(|entry| Arc::ptr_eq(&entry.flight, &self.flight))
            {
                entries[at].aboard -= 1;
                if landed || entries[at].aboard == 0 {
                    down = Some(entries.swap_remove(at));
                }
            }
            if entries.is_empty() {
                board.remove(&self.hash);
            }
        }
        drop(board);
        // Panic: dropping the key or the value may; the board is as it should be.
        drop(down);
    }
}

impl<K: Hash + Eq, V: Clone> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way: usize = self.board.lock().values().map(Vec::len).sum();
        f.debug_struct("SingleFlight").field("under_way", &under_way).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
