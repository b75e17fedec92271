//! The blocks that stand in the ring, and empty ones.

use std::collections::VecDeque;

use goro_shim::Arc;

use crate::broadcast::block::Block;

/// A block has no more values than this, and no more bytes of them.
const VALUES: usize = 32;
const BYTES: usize = 4096;

/// So many empty blocks are kept, and no more bytes of them; but always one.
const KEPT: usize = 64;
const KEPT_BYTES: usize = KEPT * BYTES;

/// Blocks that leave the ring, to be dropped after the lock.
pub(in super::super) type Dropped<T> = Vec<Arc<Block<T>>>;

/// Blocks in a row, each as long as all others.
pub(super) struct Blocks<T> {
    held: VecDeque<Held<T>>,
    len: usize,
    spare: Vec<Arc<Block<T>>>,
}

/// One of them.
pub(super) struct Held<T> {
    pub(super) block: Arc<Block<T>>,
    /// Receivers that have yet to take its last value.
    pub(super) left: usize,
}

impl<T> Blocks<T> {
    /// None yet, each to be of that length.
    pub(super) fn of(len: usize) -> Self {
        Self { held: VecDeque::new(), len, spare: Vec::new() }
    }

    /// How long a block is in a channel of that capacity.
    pub(super) fn len_for(capacity: usize) -> usize {
        let fitting = BYTES / size_of::<T>().max(1);
        (capacity / 16).min(fitting).clamp(1, VALUES)
    }

    /// How long a block is.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of the first value that is here.
    pub(super) fn start(&self) -> Option<u64> {
        self.held.front().map(|held| held.block.start())
    }

    fn is_full(&self, end: u64) -> bool {
        self.held.back().is_none_or(|held| held.block.end() == end)
    }

    /// Whether value `end` needs memory that is not here.
    pub(super) fn needs_one(&self, end: u64) -> bool {
        self.is_full(end) && self.spare.is_empty()
    }

    /// Writes value `end`, which so many have yet to read, into the last block or one from `memory`.
    pub(super) fn write(
        &mut self,
        end: u64,
        value: T,
        readers: usize,
        memory: &mut Option<Arc<Block<T>>>,
    ) {
        if self.is_full(end) {
            let spare = self.spare.pop().or_else(|| memory.take());
            let mut block = spare.expect("it was asked for before");
            Block::begin(&mut block, end);
            self.held.push_back(Held { block, left: readers });
        }
        if let Some(held) = self.held.back() {
            held.block.write(end, value);
        }
    }

    /// Keeps an empty block, if there are not too many.
    pub(super) fn keep(&mut self, empty: Arc<Block<T>>, dropped: &mut Dropped<T>) {
        let fitting = KEPT_BYTES / (self.len * size_of::<T>()).max(1);
        match self.spare.len() < fitting.clamp(1, KEPT) {
            true => self.spare.push(empty),
            false => dropped.push(empty),
        }
    }

    fn index_of(&self, number: u64) -> usize {
        let Some(front) = self.held.front() else { return 0 };
        (number.saturating_sub(front.block.start()) as usize) / self.len
    }

    /// The block of a value, if there is one yet.
    pub(super) fn of_value(&mut self, number: u64) -> Option<&mut Held<T>> {
        let index = self.index_of(number);
        self.held.get_mut(index)
    }

    /// The blocks from that of a value on.
    pub(super) fn since(&mut self, number: u64) -> impl Iterator<Item = &mut Held<T>> {
        let index = self.index_of(number).min(self.held.len());
        self.held.range_mut(index..)
    }

    /// Takes off the blocks that nobody has yet to read.
    pub(super) fn take_off_read(&mut self, dropped: &mut Dropped<T>) {
        while self.held.front().is_some_and(|held| held.left == 0) {
            dropped.extend(self.held.pop_front().map(|held| held.block));
        }
    }

    /// Takes off the blocks with no value from `first` on, whoever has yet to read them.
    pub(super) fn take_off_below(&mut self, first: u64, dropped: &mut Dropped<T>) {
        while self.held.front().is_some_and(|held| held.block.end() <= first) {
            dropped.extend(self.held.pop_front().map(|held| held.block));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn kept_of<T>(len: usize) -> usize {
        let (mut blocks, mut dropped) = (Blocks::<T>::of(len), Dropped::new());
        for _ in 0..2 * KEPT {
            blocks.keep(Block::new(len), &mut dropped);
        }
        assert_eq!(blocks.spare.len() + dropped.len(), 2 * KEPT);
        blocks.spare.len()
    }

    #[test]
    fn empty_blocks_are_kept_by_the_memory_they_take() {
        assert_eq!(
            (kept_of::<()>(32), kept_of::<u64>(1), kept_of::<[u64; 16]>(32)),
            (KEPT, KEPT, KEPT)
        );
        assert_eq!((kept_of::<[u8; 4 * BYTES]>(1), kept_of::<[u8; 100 * BYTES]>(1)), (KEPT / 4, 1));
    }
}
