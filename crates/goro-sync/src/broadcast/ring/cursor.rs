//! What is told beside the lock: how far the values go, and how far each receiver has come.

use goro_shim::Arc;
use goro_shim::atomic::{AtomicU64, Ordering};
use goro_wait::Key;

use crate::broadcast::OnLag;
use crate::broadcast::block::Block;

/// What is told beside the lock; changed under it.
#[derive(Debug)]
pub(in super::super) struct Marks {
    /// The number of the value that is sent next.
    pub(in super::super) end: AtomicU64,
    /// Values below are gone.
    pub(in super::super) first: AtomicU64,
}

impl Marks {
    pub(in super::super) fn new() -> Self {
        Self { end: AtomicU64::new(0), first: AtomicU64::new(0) }
    }

    // Ordering, here and below: under the lock, which orders all changes.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    pub(super) fn first(&self) -> u64 {
        self.first.load(Ordering::Relaxed)
    }

    pub(super) fn set_first(&self, first: u64) {
        self.first.store(first, Ordering::Relaxed);
    }
}

/// Where a receiver stands that was cut off.
const CUT_OFF: u64 = u64::MAX;

/// How far a receiver has come.
pub(super) struct Spot {
    /// The number of the value that it wants next, or counts as wanting next.
    pub(super) at: Arc<AtomicU64>,
    /// Those below were missed before it was made, if they were.
    pub(super) from: u64,
}

impl Spot {
    pub(super) fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Cuts it off, if it has not come to `first`; says how far it has come. It goes no further on its own.
    pub(super) fn cut_off(&self, first: u64) -> Option<u64> {
        let cut = |at| (at < first).then_some(CUT_OFF);
        // Ordering: it is compared, and one of the two who change it comes first.
        self.at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, cut).ok()
    }

    /// How many values it has missed and not been told of.
    pub(super) fn missed(&self, marks: &Marks) -> u64 {
        marks.first().saturating_sub(self.at().max(self.from))
    }
}

/// A receiver's way through the values.
pub(in super::super) struct Cursor<T> {
    /// The number of the value that it wants next.
    pub(in super::super) next: u64,
    /// The same, as far as others are to know.
    pub(super) at: Arc<AtomicU64>,
    /// Where it stands among the receivers, if it is not cut off.
    pub(super) key: Option<Key>,
    /// The block that has the value, if it was taken out before.
    pub(super) block: Option<Arc<Block<T>>>,
    /// An empty block, on its way back.
    pub(in super::super) spare: Option<Arc<Block<T>>>,
}

impl<T> Cursor<T> {
    pub(super) fn at(next: u64) -> Self {
        Self { next, at: Arc::new(AtomicU64::new(next)), key: None, block: None, spare: None }
    }

    /// The next value, if it is here and in the block at hand, with others behind it; it counts as had.
    #[inline]
    pub(in super::super) fn step(&mut self, marks: &Marks, on_lag: OnLag) -> Option<&T> {
        let (number, block) = (self.next, self.block.as_deref()?);
        let may_be_gone = on_lag != OnLag::Wait;
        // Ordering: Acquire pairs with the Release store of who wrote the value. One that goes at this
        // moment is received or missed: it is in the block.
        if number + 1 >= block.end()
            || number >= marks.end.load(Ordering::Acquire)
            || may_be_gone && number < marks.first.load(Ordering::Relaxed)
        {
            return None;
        }
        match on_lag {
            OnLag::Wait => {}
            OnLag::Skip => self.tell(number + 1),
            // Ordering: as in `tell`. It fails for one that has been cut off.
            OnLag::Disconnect => {
                let (from, to) = (number, number + 1);
                self.at.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).ok()?;
            }
        }
        self.next = number + 1;
        Some(block.value(number))
    }

    /// Tells others how far it has come.
    pub(super) fn tell(&self, number: u64) {
        // Ordering: it is compared, and stands for nothing else; what is waited for is told under the lock.
        self.at.store(number, Ordering::Relaxed);
    }
}
