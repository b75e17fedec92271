//! Wakers that may be cloned and dropped under a lock, because that runs no user's code.
//!
//! A leaf must not clone an unknown waker while it holds its lock: the clone may do anything. It
//! therefore unlocks, clones, locks and checks again. For wakers made by goro-task that dance is
//! not needed, and this is how a leaf knows them: by the address of their table.
//!
//! Invariants:
//! 1. A trusted table's clone and drop neither call out nor panic nor take a lock of goro's.
//! 2. At most [`CAP`] tables are trusted; further ones merely keep to the dance.

use core::task::{RawWakerVTable, Waker};

use goro_shim::global::{AtomicUsize, Ordering};

/// The greatest number of trusted tables: one per way of homing tasks that a process uses.
pub const CAP: usize = 8;

static TABLES: [AtomicUsize; CAP] = [const { AtomicUsize::new(0) }; CAP];

/// Declares that clone and drop of the wakers with this table run no user's code, take no lock of
/// goro's and never panic. Says whether there was room to remember it.
pub fn trust(table: &'static RawWakerVTable) -> bool {
    let address = core::ptr::from_ref(table).addr();
    TABLES.iter().any(|slot| {
        slot.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed)
            .map_or_else(|taken| taken == address, |_| true)
    })
}

/// Whether `waker` may be cloned and dropped under a short lock.
#[inline]
pub fn is_trusted(waker: &Waker) -> bool {
    let address = core::ptr::from_ref(waker.vtable()).addr();
    for slot in &TABLES {
        match slot.load(Ordering::Relaxed) {
            0 => return false,
            trusted if trusted == address => return true,
            _ => {}
        }
    }
    false
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::testing::for_ever;

    /// One test for the process-wide table, so that its steps come in order.
    #[test]
    fn tables_are_trusted_by_address_until_there_is_no_room() {
        let noop = Waker::noop();
        assert!(!is_trusted(noop));
        assert!(trust(noop.vtable()));
        assert!(is_trusted(noop));
        assert!(trust(noop.vtable()), "a second time takes no second slot");
        let mine = |_| *Waker::noop().clone().vtable();
        let others: Vec<_> = (0..CAP).map(|i| for_ever(mine(i))).collect();
        let kept = others.iter().filter(|table| trust(table)).count();
        assert_eq!(kept, CAP - 1);
        assert!(is_trusted(noop), "a full table still answers");
    }
}
