//! The registry's memory: one pointer per place, in chunks that never move.
//!
//! Invariants:
//! 1. A place holds a task, or the number of the next vacant place: bit 0, which no task's address
//!    has set, says which.
//! 2. The vacant places form one list, so a key is used again as soon as may be.
//! 3. A chunk never moves: no insertion copies what is listed under the registry's lock.
//!
//! Left out: the `slab` crate, whose entries take 16 bytes, of which half say that the other half
//! is a pointer, and whose growth copies a million of them at once.

use core::ptr::{self, NonNull};

use crate::header::{Header, Ptr};

const CHUNK: usize = 512;
const NONE: u32 = u32::MAX >> 1;
const _: () = assert!(align_of::<Header>() > 1);

/// A task, or the next vacant place.
#[derive(Clone, Copy)]
struct Place(*mut Header);

impl Place {
    fn vacant(next: u32) -> Self {
        Self(ptr::without_provenance_mut((next as usize) << 1 | 1))
    }

    #[inline]
    fn task(self) -> Option<Ptr> {
        if self.0.addr() & 1 == 0 { NonNull::new(self.0) } else { None }
    }

    /// Of a vacant place.
    #[inline]
    fn next(self) -> u32 {
        (self.0.addr() >> 1) as u32
    }
}

/// Places for tasks; see the module.
pub(super) struct Places {
    chunks: Vec<Box<[Place; CHUNK]>>,
    /// The first vacant place.
    vacant: u32,
    len: usize,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), vacant: NONE, len: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Every key is below this.
    pub(super) fn capacity(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    #[inline]
    fn at(&mut self, key: u32) -> &mut Place {
        &mut self.chunks[key as usize / CHUNK][key as usize % CHUNK]
    }

    /// The task at `key`, if one is there.
    pub(super) fn get(&self, key: usize) -> Option<Ptr> {
        self.chunks.get(key / CHUNK)?[key % CHUNK].task()
    }

    /// All tasks, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = Ptr> + '_ {
        self.chunks.iter().flat_map(|chunk| chunk.iter().filter_map(|place| place.task()))
    }

    #[inline]
    pub(super) fn insert(&mut self, task: Ptr) -> u32 {
        if self.vacant == NONE {
            self.grow();
        }
        let key = self.vacant;
        let place = self.at(key);
        let next = place.next();
        *place = Place(task.as_ptr());
        self.vacant = next;
        self.len += 1;
        key
    }

    /// Makes the place at `key`, where a task is, vacant.
    #[inline]
    pub(super) fn remove(&mut self, key: u32) {
        let next = self.vacant;
        let place = self.at(key);
        debug_assert!(place.task().is_some(), "a task is unlisted once");
        *place = Place::vacant(next);
        self.vacant = key;
        self.len -= 1;
    }

    #[cold]
    fn grow(&mut self) {
        let end = u32::try_from(self.capacity() + CHUNK).ok().filter(|&end| end < NONE);
        let end = end.expect("fewer than 2^31 tasks fit in any memory");
        let base = end - CHUNK as u32;
        let mut chunk = Box::new([Place::vacant(NONE); CHUNK]);
        for (place, next) in chunk.iter_mut().zip(base + 1..end) {
            *place = Place::vacant(next);
        }
        self.chunks.push(chunk);
        self.vacant = base;
    }

    /// Gives the chunks above the last task back.
    pub(super) fn trim(&mut self) {
        let used = |chunk: &[Place; CHUNK]| chunk.iter().any(|place| place.task().is_some());
        let keep = self.chunks.iter().rposition(|chunk| used(chunk)).map_or(0, |last| last + 1);
        self.chunks.truncate(keep);
        self.chunks.shrink_to_fit();
        self.vacant = NONE;
        for key in (0..self.capacity() as u32).rev() {
            if self.at(key).task().is_none() {
                *self.at(key) = Place::vacant(self.vacant);
                self.vacant = key;
            }
        }
    }
}
