//! Where magazines are filled and emptied: regions of 256 KiB, each cut into blocks of one class.
//!
//! Asked for block by block, the system takes 16 bytes more for each, and grows a thread's heap by a
//! page at a time: a million tasks are 44,000 system calls.
//!
//! Invariants:
//! 1. A region begins at a multiple of its size, so a block's address names its region.
//! 2. A region belongs to the source it was made for, and is touched under that source's lock only.
//! 3. A block is out, or vacant in its region. `live` says how many are out. A region with blocks
//!    to give is in its source's list; a region with none out goes back to the system, except one
//!    per source, the spare.
//! 4. Under the lock no memory is asked for and none given back, and no block is touched that is
//!    out.
//! 5. A fork's child may find a lock taken by a thread that it does not have. So it uses sources of
//!    its own, and blocks of its parent's that it frees are left where they are.
//!
//! Left out: finding the fullest region to fill from. Blocks of one class are of one size, so any
//! hole will do.
#![allow(unsafe_code, reason = "regions begin with their own bookkeeping")]

use core::alloc::Layout;
use core::cell::Cell;
use core::num::NonZeroUsize;
use core::ptr::NonNull;

use goro_shim::CachePadded;
use goro_shim::fork;
use goro_shim::global::Lock;

use super::chain::{Block, Chain};
use super::class::{CLASSES, Class};
use super::{from_system, to_system};

/// What a region is aligned to.
const SPAN: usize = 256 << 10;
/// What is left of it for the system's own bookkeeping, so that regions can lie side by side.
const GAP: usize = 64;
/// Where the blocks begin.
const START: usize = 64;
pub(super) const LAYOUT: Layout = match Layout::from_size_align(SPAN - GAP, SPAN) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};
const _: () = assert!(size_of::<Region>() <= START);

/// How many generations of forks have sources of their own; later ones share the last.
const GENERATIONS: usize = 8;

/// The beginning of a region. All but `generation` belongs to whoever has the source's lock.
struct Region {
    /// Neighbours in the list of those with blocks to give.
    prev: Cell<Option<Place>>,
    next: Cell<Option<Place>>,
    /// Blocks that have come back.
    vacant: Chain,
    /// Where the first block lies that was never out, from the region's beginning.
    fresh: Cell<usize>,
    live: Cell<u32>,
    generation: u32,
}

/// Where a region lies that has not gone back to the system.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place(NonNull<Region>);

/// All regions of a class that have blocks to give.
struct Source {
    first: Option<Place>,
    /// The region that is kept although none of its blocks is out.
    spare: Option<Place>,
}

// SAFETY: regions are plain memory that only their source reaches. Names no type parameter.
unsafe impl Send for Source {}

static SOURCES: [[CachePadded<Lock<Source>>; CLASSES]; GENERATIONS] =
    [const { [const { CachePadded(Lock::new(Source { first: None, spare: None })) }; CLASSES] };
        GENERATIONS];

/// How often this process and those it comes from have forked, as far as that is told apart.
fn generation() -> u32 {
    fork::generation().min(GENERATIONS as u64 - 1) as u32
}

fn source(class: Class, generation: u32) -> &'static Lock<Source> {
    &SOURCES[generation as usize][class.index()]
}

/// At least one block and at most `most`, and how many.
pub(super) fn take(class: Class, most: u32) -> (Chain, u32) {
    let generation = generation();
    let source = source(class, generation);
    loop {
        let (chain, count) = source.lock().take(class, most);
        if count > 0 {
            return (chain, count);
        }
        let region = Place::from_system(class, generation);
        source.lock().link(region);
    }
}

/// Takes blocks back; says how many bytes went to the system for it.
pub(super) fn give(class: Class, chain: &Chain) -> usize {
    let generation = generation();
    let mut freed = None;
    let mut source = source(class, generation).lock();
    while let Some(block) = chain.pop() {
        if let Some(region) = source.give(class, block, generation) {
            region.get().next.set(freed.replace(region));
        }
    }
    drop(source);
    let mut bytes = 0;
    while let Some(region) = freed {
        freed = region.get().next.get();
        bytes += region.to_system(class);
    }
    bytes
}

/// Gives the spare back to the system; says how many bytes.
pub(super) fn trim(class: Class) -> usize {
    let spare = source(class, generation()).lock().take_spare();
    spare.map_or(0, |region| region.to_system(class))
}

impl Place {
    fn from_system(class: Class, generation: u32) -> Self {
        let place = from_system(LAYOUT, Some(class)).cast::<Region>();
        let region = Region {
            prev: Cell::new(None),
            next: Cell::new(None),
            vacant: Chain::new(),
            fresh: Cell::new(START),
            live: Cell::new(0),
            generation,
        };
        // SAFETY: the memory was just allocated, with room for this at its beginning.
        unsafe { place.write(region) };
        Self(place)
    }

    /// Frees the region, which has left its source with no block out; says how many bytes.
    fn to_system(self, class: Class) -> usize {
        debug_assert_eq!(self.get().live.get(), 0, "a block is out");
        // SAFETY: the region came from the system with this layout. No block of it is out, and it is in
        // no list: nobody reaches it any more.
        unsafe { to_system(self.0.cast(), LAYOUT, Some(class)) };
        LAYOUT.size()
    }

    /// The region of a block.
    fn of(block: &Block) -> Self {
        let beginning = |address: NonZeroUsize| {
            // A block lies behind its region's beginning, so that is not null.
            NonZeroUsize::new(address.get() & !(SPAN - 1)).unwrap_or(address)
        };
        Self(block.as_ptr().cast::<Region>().map_addr(beginning))
    }

    fn get(&self) -> &Region {
        // SAFETY: the region has not gone back to the system, and it begins with this.
        unsafe { self.0.as_ref() }
    }

    /// A block of the region, if it has one to give.
    fn pop(self, class: Class) -> Option<Block> {
        let region = self.get();
        let block = match region.vacant.pop() {
            Some(block) => block,
            None if region.has_fresh(class) => {
                let at = region.fresh.replace(region.fresh.get() + class.size());
                // SAFETY: there is a block's room behind this offset.
                let place = unsafe { self.0.byte_add(at) };
                // SAFETY: this part of the region was given to nobody yet. Classes are at least 16
                // bytes and, like the first block's offset, multiples of 8.
                unsafe { Block::new(place.cast()) }
            }
            None => return None,
        };
        region.live.set(region.live.get() + 1);
        Some(block)
    }
}

impl Region {
    fn has_fresh(&self, class: Class) -> bool {
        self.fresh.get() + class.size() <= LAYOUT.size()
    }

    fn is_full(&self, class: Class) -> bool {
        self.vacant.is_empty() && !self.has_fresh(class)
    }
}

impl Source {
    fn take(&mut self, class: Class, most: u32) -> (Chain, u32) {
        let (chain, mut count) = (Chain::new(), 0);
        while let Some(first) = self.first.filter(|_| count < most) {
            if self.spare == self.first {
                self.spare = None;
            }
            while let Some(block) = (count < most).then(|| first.pop(class)).flatten() {
                chain.push(block);
                count += 1;
            }
            if first.get().is_full(class) {
                self.unlink(first);
            }
        }
        (chain, count)
    }

    /// Takes a block back; a region that is to go to the system comes out.
    fn give(&mut self, class: Class, block: Block, generation: u32) -> Option<Place> {
        let place = Place::of(&block);
        let region = place.get();
        if region.generation != generation {
            return None;
        }
        if region.is_full(class) {
            self.link(place);
        }
        region.vacant.push(block);
        region.live.set(region.live.get() - 1);
        if region.live.get() > 0 {
            return None;
        }
        if self.spare.is_none() {
            self.spare = Some(place);
            return None;
        }
        self.unlink(place);
        Some(place)
    }

    /// Takes the spare out.
    fn take_spare(&mut self) -> Option<Place> {
        let spare = self.spare.take()?;
        self.unlink(spare);
        Some(spare)
    }

    /// Puts a region that has blocks to give first.
    fn link(&mut self, place: Place) {
        let next = self.first.replace(place);
        place.get().prev.set(None);
        place.get().next.set(next);
        if let Some(next) = next {
            next.get().prev.set(Some(place));
        }
    }

    fn unlink(&mut self, place: Place) {
        let (prev, next) = (place.get().prev.get(), place.get().next.get());
        match prev {
            None => self.first = next,
            Some(prev) => prev.get().next.set(next),
        }
        if let Some(next) = next {
            next.get().prev.set(prev);
        }
    }
}
