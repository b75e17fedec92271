//! A few values in a row, written once each, and read by whoever holds the block.
//!
//! Invariants:
//! 1. Values are written in order, under the channel's lock, each before its number is published.
//! 2. A value is taken out only by who holds the block alone.

use core::fmt;
use core::mem;

use goro_context::contain;
use goro_shim::Arc;
use goro_shim::global::OnceLock;

/// See the file.
pub(super) struct Block<T> {
    /// The number of its first value.
    start: u64,
    values: Box<[OnceLock<T>]>,
}

impl<T> Block<T> {
    /// An empty one.
    pub(super) fn new(len: usize) -> Arc<Self> {
        Arc::new(Self { start: 0, values: (0..len).map(|_| OnceLock::new()).collect() })
    }

    /// Empties a block that nobody else holds, to be used again; the values are dropped, but for that
    /// with number `wanted`, which is given back.
    pub(super) fn clear(block: &mut Arc<Self>, wanted: u64) -> Option<T> {
        let block = Arc::get_mut(block)?;
        let wanted = block.values[(wanted - block.start) as usize].take();
        block.drop_values();
        wanted
    }

    /// Says which number comes first, of a block that is empty and that nobody else holds.
    pub(super) fn begin(block: &mut Arc<Self>, start: u64) {
        match Arc::get_mut(block) {
            Some(block) => block.start = start,
            None => unreachable!("nobody else holds an empty block"),
        }
    }

    /// Writes the value of that number.
    pub(super) fn write(&self, number: u64, value: T) {
        let before = self.values[(number - self.start) as usize].set(value);
        assert!(before.is_ok(), "a value is written once");
    }

    /// The value of that number, which has been published.
    #[inline]
    pub(super) fn value(&self, number: u64) -> &T {
        match self.values[(number - self.start) as usize].get() {
            Some(value) => value,
            None => unreachable!("a value is written before its number is published"),
        }
    }

    #[inline]
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The number behind its last value.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.start + self.values.len() as u64
    }

    pub(super) fn holds_several(&self) -> bool {
        self.values.len() > 1
    }

    fn drop_values(&mut self) {
        if mem::needs_drop::<T>() {
            for value in &mut self.values {
                if let Some(value) = value.take() {
                    // Panic: a value's destructor may; the others are dropped all the same.
                    contain::quietly(|| drop(value));
                }
            }
        } else {
            self.values.iter_mut().for_each(|value| drop(value.take()));
        }
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        if mem::needs_drop::<T>() {
            self.drop_values();
        }
    }
}

impl<T> fmt::Debug for Block<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("start", &self.start).finish_non_exhaustive()
    }
}
