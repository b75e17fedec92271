//! The items of a channel, first in first out: a ring, and blocks behind it when that is full.
//!
//! ```text
//!   pop ◀── [ ring, up to a block's size ] ◀── [ block ] [ block ] ... [ block ] ◀── push
//!                    └──────── push, while there are no blocks
//! ```
//!
//! Invariants:
//! 1. While there are blocks the ring is not empty, and no block is.
//! 2. A ring has at most a block's size, 16 KiB of items or one item: what a burst leaves behind is
//!    a ring and a spare block.
//!
//! Left out: one buffer that grows by doubling (a million items would be copied under the lock, and
//! their memory kept), and memory for the capacity in advance (a capacity is a limit, and may be
//! as high as anybody likes).

use core::mem;
use std::collections::VecDeque;

/// Where a channel's items lie while they are in the ring.
pub(crate) type Ring<T> = VecDeque<T>;

/// The items that found no room in the ring.
#[derive(Debug)]
pub(crate) struct Overflow<T> {
    blocks: VecDeque<VecDeque<T>>,
    /// An empty block, kept for the next.
    spare: VecDeque<T>,
    len: usize,
}

impl<T> Overflow<T> {
    /// How many items a ring or a block takes. Few in this crate's own tests, which could not
    /// go through many otherwise.
    pub(crate) const BLOCK: usize = if cfg!(test) { 2 } else { Self::FITTING };

    const FITTING: usize = {
        let fitting = match size_of::<T>() {
            0 => 1024,
            size => 16 * 1024 / size,
        };
        match fitting {
            0 => 1,
            1024.. => 1024,
            some => some,
        }
    };

    pub(crate) const fn new() -> Self {
        Self { blocks: VecDeque::new(), spare: VecDeque::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an item behind all others.
    pub(crate) fn push(&mut self, item: T) {
        self.len += 1;
        match self.blocks.back_mut() {
            Some(block) if block.len() < Self::BLOCK => block.push_back(item),
            _ => {
                let mut block = mem::take(&mut self.spare);
                block.reserve_exact(Self::BLOCK);
                block.push_back(item);
                self.blocks.push_back(block);
            }
        }
    }

    /// Puts the first block, if there is one, in the place of the ring, which is empty.
    pub(crate) fn refill(&mut self, ring: &mut Ring<T>) {
        let Some(block) = self.blocks.pop_front() else { return };
        self.len -= block.len();
        let empty = mem::replace(ring, block);
        if self.blocks.is_empty() {
            self.blocks = VecDeque::new();
        }
        if self.spare.capacity() < empty.capacity() {
            self.spare = empty;
        }
    }
}

impl<T> Default for Overflow<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// First in first out, and each out before it is dropped: one whose destructor panics stops no
/// other.
impl<T> Iterator for Overflow<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            let block = self.blocks.front_mut()?;
            if let Some(item) = block.pop_front() {
                self.len -= 1;
                return Some(item);
            }
            self.blocks.pop_front();
        }
    }
}
