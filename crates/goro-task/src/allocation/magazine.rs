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
use super::{depot, region};

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
    /// The thread ends: all goes back to the regions.
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

/// A block.
#[inline]
pub(super) fn take(class: Class) -> Block {
    SHELF.with(|shelf| {
        let rack = &shelf.racks[class.index()];
        match rack.hot.pop() {
            Some(block) => {
                rack.room.set(rack.room.get() + 1);
                block
            }
            None => shelf.refill(class),
        }
    })
}

/// Keeps `block`, or passes it on.
#[inline]
pub(super) fn give(class: Class, block: Block) {
    SHELF.with(|shelf| {
        let rack = &shelf.racks[class.index()];
        match rack.room.get() {
            0 => shelf.make_room(class, block),
            room => {
                rack.room.set(room - 1);
                rack.hot.push(block);
            }
        }
    });
}

impl Shelf {
    /// Takes a block when `hot` is empty.
    #[cold]
    fn refill(&self, class: Class) -> Block {
        let is_open = self.is_open();
        let rack = &self.racks[class.index()];
        let full = match rack.spare.take() {
            _ if !is_open => None,
            spare if spare.is_empty() => depot::take(class),
            spare => Some(spare),
        };
        let (chain, count) = match full {
            Some(full) => (full, class.capacity()),
            None => region::take(class, if is_open { class.portion() } else { 1 }),
        };
        let Some(block) = chain.pop() else { unreachable!("neither gives an empty chain") };
        if is_open {
            rack.hot.fill(&chain);
            rack.room.set(class.capacity() - count + 1);
        }
        block
    }

    /// Gives a block when `hot` is full.
    #[cold]
    fn make_room(&self, class: Class, block: Block) {
        let rack = &self.racks[class.index()];
        if !self.is_open() {
            let chain = Chain::new();
            chain.push(block);
            region::give(class, &chain);
            return;
        }
        // Opening the shelf may have been all that was missing.
        if rack.room.get() == 0 {
            if !rack.spare.is_empty() && !depot::give(class, &rack.spare) {
                region::give(class, &rack.spare);
            }
            rack.spare.fill(&rack.hot.take());
            rack.room.set(class.capacity());
        }
        rack.room.set(rack.room.get() - 1);
        rack.hot.push(block);
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

    /// Gives everything away: what is full to the depots, the rest to the regions.
    fn close(&self) {
        self.phase.set(Phase::Closed);
        for class in Class::all() {
            let rack = &self.racks[class.index()];
            let is_full = rack.room.replace(0) == 0;
            for (magazine, is_full) in [(&rack.hot, is_full), (&rack.spare, true)] {
                if magazine.is_empty() || (is_full && depot::give(class, magazine)) {
                    continue;
                }
                region::give(class, magazine);
            }
        }
    }
}
