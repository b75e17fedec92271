//! Free blocks, linked through themselves: they are nobody else's, so they have room for it.
//!
//! Invariants:
//! 1. A [`Block`] is owned, at least 16 bytes long and aligned to 8.
//! 2. Chains and stacks own their blocks; dropped, they leak them.
#![allow(unsafe_code, reason = "free memory is linked through itself")]

use core::cell::Cell;
use core::ptr::NonNull;

/// A free block of some class.
pub(super) struct Block(NonNull<Link>);

/// What stands in a free block.
struct Link {
    /// The next block of the chain.
    next: Option<NonNull<Link>>,
    /// In the first block of a chain that lies on a stack: the chain below.
    below: Option<NonNull<Link>>,
}

impl Block {
    /// # Safety
    /// The memory is the caller's to give, is at least 16 bytes long and aligned to 8.
    #[inline]
    pub(super) unsafe fn new(place: NonNull<()>) -> Self {
        Self(place.cast())
    }

    /// Where it lies, with the provenance it came with.
    pub(super) fn as_ptr(&self) -> NonNull<()> {
        self.0.cast()
    }

    #[inline]
    pub(super) fn into_ptr(self) -> NonNull<()> {
        self.0.cast()
    }
}

/// A chain of blocks: the last in is the first out.
pub(super) struct Chain {
    head: Cell<Option<NonNull<Link>>>,
}

// SAFETY: a chain owns its blocks, which are plain memory. Names no type parameter.
unsafe impl Send for Chain {}

impl Chain {
    pub(super) const fn new() -> Self {
        Self { head: Cell::new(None) }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head.get().is_none()
    }

    #[inline]
    pub(super) fn push(&self, block: Block) {
        let place = block.into_ptr().cast::<Link>();
        let link = Link { next: self.head.get(), below: None };
        // SAFETY: the block is ours and has room for a link.
        unsafe { place.write(link) };
        self.head.set(Some(place));
    }

    #[inline]
    pub(super) fn pop(&self) -> Option<Block> {
        let head = self.head.get()?;
        // SAFETY: the block is ours, and a link was written to it when it was pushed.
        let link = unsafe { head.as_ref() };
        self.head.set(link.next);
        Some(Block(head))
    }

    /// The whole chain; an empty one stays behind.
    #[inline]
    pub(super) fn take(&self) -> Self {
        Self { head: Cell::new(self.head.take()) }
    }

    /// Puts `chain` in the place of this one, which is empty.
    #[inline]
    pub(super) fn fill(&self, chain: &Self) {
        debug_assert!(self.is_empty(), "the blocks here would be leaked");
        self.head.set(chain.head.take());
    }
}

/// A stack of chains.
pub(super) struct Stack {
    top: Option<NonNull<Link>>,
}

// SAFETY: as for chains.
unsafe impl Send for Stack {}

impl Stack {
    pub(super) const fn new() -> Self {
        Self { top: None }
    }

    /// Puts a chain, which is not empty, on the stack.
    pub(super) fn push(&mut self, chain: &Chain) {
        let Some(mut head) = chain.head.take() else { return };
        // SAFETY: the block is ours, and a link was written to it when it was pushed.
        unsafe { head.as_mut() }.below = self.top.replace(head);
    }

    pub(super) fn pop(&mut self) -> Option<Chain> {
        let top = self.top?;
        // SAFETY: the block is ours, and a link was written to it when it was pushed.
        self.top = unsafe { top.as_ref() }.below;
        Some(Chain { head: Cell::new(Some(top)) })
    }
}
