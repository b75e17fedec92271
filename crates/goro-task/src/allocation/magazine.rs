//! What each thread keeps: two magazines per class.
//!
//! Two, so that a thread that goes to and fro across a magazine's end does not go to the depot each
//! time: after each visit at least a magazine's worth of blocks can be taken, and given.
//!
//! Invariants:
//! 1. `hot` has `capacity - room` blocks; `spare` is full or empty.
//! 2. A thread that has not begun or has ended has no room and no blocks, so both fast paths lead to
//!    the slow ones, which know better. The fast paths need no other check.
//! 3. The thread-local has no destructor, so it works in other thread-locals' destructors; a second
//!    one, touched once per thread, empties it when the thread ends.

use core::cell::Cell;

use goro_shim::thread::thread_local;

use super::chain::{Block, Chain};
use super::class::{CLASSES, Class};
use super::{depot, scrap};

/// One thread's magazines.
struct Shelf {
    racks: [Rack; CLASSES],
    phase: Cell<Phase>,
}

/// Its magazines of one class.
struct Rack {
    hot: Chain,
    /// How many more blocks `hot` takes.
    room: Cell<u32>,
    spare: Chain,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was taken or given yet.
    Fresh,
    Open,
    /// The thread ends: all goes to the system.
    Closed,
}

const _: () = assert!(!core::mem::needs_drop::<Shelf>());

thread_local! {
    static SHELF: Shelf = const {
        Shelf {
            racks: [const {
                Rack { hot: Chain::new(), room: Cell::new(0), spare: Chain::new() }
            }; CLASSES],
            phase: Cell::new(Phase::Fresh),
        }
    };
    /// Dropped when the thread ends.
    static CLOSES: Closes = const { Closes };
}

struct Closes;

impl Drop for Closes {
    fn drop(&mut self) {
        SHELF.with(Shelf::close);
    }
}

/// A block, or `None` if the system is to be asked.
#[inline]
pub(super) fn take(class: Class) -> Option<Block> {
    SHELF.with(|shelf| {
        let rack = &shelf.racks[class.index()];
        match rack.hot.pop() {
            Some(block) => {
                rack.room.set(rack.room.get() + 1);
                Some(block)
            }
            None => shelf.refill(class),
        }
    })
}

/// Keeps `block`.
///
/// # Errors
/// The block, if it is to go to the system.
#[inline]
pub(super) fn give(class: Class, block: Block) -> Result<(), Block> {
    SHELF.with(|shelf| {
        let rack = &shelf.racks[class.index()];
        match rack.room.get() {
            0 => shelf.make_room(class, block),
            room => {
                rack.room.set(room - 1);
                rack.hot.push(block);
                Ok(())
            }
        }
    })
}

impl Shelf {
    /// Takes a block when `hot` is empty.
    #[cold]
    fn refill(&self, class: Class) -> Option<Block> {
        if !self.is_open() {
            return None;
        }
        let rack = &self.racks[class.index()];
        let full = if rack.spare.is_empty() { depot::take(class)? } else { rack.spare.take() };
        rack.hot.fill(&full);
        rack.room.set(1);
        rack.hot.pop()
    }

    /// Gives a block when `hot` is full.
    #[cold]
    fn make_room(&self, class: Class, block: Block) -> Result<(), Block> {
        if !self.is_open() {
            return Err(block);
        }
        let rack = &self.racks[class.index()];
        // Opening the shelf may have been all that was missing.
        if rack.room.get() == 0 {
            if !rack.spare.is_empty() && !depot::give(class, &rack.spare) {
                return Err(block);
            }
            rack.spare.fill(&rack.hot.take());
            rack.room.set(class.capacity());
        }
        rack.room.set(rack.room.get() - 1);
        rack.hot.push(block);
        Ok(())
    }

    /// Whether this thread keeps blocks; opens the shelf if it is fresh.
    fn is_open(&self) -> bool {
        if self.phase.get() == Phase::Fresh {
            // Without somebody to close it at the end, it is as good as closed.
            let closes = CLOSES.try_with(|_| ()).is_ok();
            self.phase.set(if closes { Phase::Open } else { Phase::Closed });
            for class in Class::all().filter(|_| closes) {
                self.racks[class.index()].room.set(class.capacity());
            }
        }
        self.phase.get() == Phase::Open
    }

    /// Gives everything away: what is full to the depots, the rest to the system.
    fn close(&self) {
        self.phase.set(Phase::Closed);
        for class in Class::all() {
            let rack = &self.racks[class.index()];
            let is_full = rack.room.replace(0) == 0;
            for (magazine, is_full) in [(&rack.hot, is_full), (&rack.spare, true)] {
                if magazine.is_empty() || (is_full && depot::give(class, magazine)) {
                    continue;
                }
                scrap(class, magazine);
            }
        }
    }
}
