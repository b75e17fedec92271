//! The wheel's memory: sleepers in chunks of 256, reached by index, checked by generation.
//!
//! Invariants:
//! 1. A sleeper never moves, so an index holds for its whole life.
//! 2. Every vacant place of every present chunk is in the free list, which is doubly linked, so
//!    that a chunk can leave it; a new chunk is made only when that list is empty.
//! 3. A chunk that becomes vacant goes back to the allocator, except one, the spare. Hence at
//!    least 256 insertions lie between two new chunks, and what is held beyond the sleepers is one
//!    chunk plus the vacant places of chunks that still hold somebody.
//!
//! Left out: one growing vector. Its doubling copies a million sleepers under the shard's lock,
//! and a single survivor at its end would hold the memory of a whole burst.

use core::num::NonZeroU32;

use crate::key::{Generations, Key};

/// No index.
pub(super) const NONE: u32 = u32::MAX;

const CHUNK: usize = 256;
const BITS: u32 = CHUNK.trailing_zeros();

/// One entry of the wheel: 40 bytes for a waker.
pub(super) struct Sleeper<T> {
    pub(super) tick: u64,
    /// Neighbours in the list that `list` names, or in the free list.
    pub(super) prev: u32,
    pub(super) next: u32,
    /// 0 while vacant.
    generation: u32,
    pub(super) list: u16,
    value: Option<T>,
}

type Chunk<T> = Box<[Sleeper<T>; CHUNK]>;

pub(super) struct Chunks<T> {
    chunks: Vec<Option<Chunk<T>>>,
    /// How many sleepers each chunk holds.
    live: Vec<u16>,
    /// How many of `chunks` are absent.
    holes: usize,
    /// The vacant chunk that is kept, if it still is vacant.
    spare: u32,
    free: u32,
    len: usize,
    generations: Generations,
}

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            live: Vec::new(),
            holes: 0,
            spare: NONE,
            free: NONE,
            len: 0,
            generations: Generations::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn capacity(&self) -> usize {
        (self.chunks.len() - self.holes) * CHUNK
    }

    /// The place at `index`, whose chunk is present.
    #[inline]
    pub(super) fn at(&mut self, index: u32) -> &mut Sleeper<T> {
        let chunk = self.chunks[(index >> BITS) as usize].as_mut();
        &mut chunk.expect("a linked sleeper's chunk is present")[index as usize % CHUNK]
    }

    /// The sleeper that `key` names, if it is still here.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<&Sleeper<T>> {
        let chunk = self.chunks.get((key.index >> BITS) as usize)?.as_ref()?;
        let sleeper = &chunk[key.index as usize % CHUNK];
        (sleeper.generation == key.generation.get()).then_some(sleeper)
    }

    /// As [`find`](Chunks::find), for changing the value.
    #[inline]
    pub(super) fn value_mut(&mut self, key: Key) -> Option<&mut T> {
        let chunk = self.chunks.get_mut((key.index >> BITS) as usize)?.as_mut()?;
        let sleeper = &mut chunk[key.index as usize % CHUNK];
        if sleeper.generation == key.generation.get() { sleeper.value.as_mut() } else { None }
    }

    /// Takes a vacant place for `value`; the caller links it.
    #[inline]
    pub(super) fn insert(&mut self, tick: u64, value: T) -> Key {
        if self.free == NONE {
            self.grow();
        }
        let index = self.free;
        let generation: NonZeroU32 = self.generations.next();
        let sleeper = self.at(index);
        sleeper.tick = tick;
        sleeper.generation = generation.get();
        sleeper.value = Some(value);
        let next = sleeper.next;
        self.free = next;
        if next != NONE {
            self.at(next).prev = NONE;
        }
        self.live[(index >> BITS) as usize] += 1;
        self.len += 1;
        Key { index, generation }
    }

    /// Gives the place at `index` back; the caller has unlinked it from its list.
    #[inline]
    pub(super) fn remove(&mut self, index: u32) -> T {
        let free = self.free;
        let sleeper = self.at(index);
        sleeper.generation = 0;
        sleeper.prev = NONE;
        sleeper.next = free;
        let value = sleeper.value.take().expect("a linked sleeper has a value");
        if free != NONE {
            self.at(free).prev = index;
        }
        self.free = index;
        self.len -= 1;
        let live = &mut self.live[(index >> BITS) as usize];
        *live -= 1;
        if *live == 0 {
            self.vacated(index >> BITS);
        }
        value
    }

    #[cold]
    fn grow(&mut self) {
        let hole = match self.holes {
            0 => None,
            _ => self.chunks.iter().position(Option::is_none),
        };
        let at = hole.unwrap_or(self.chunks.len());
        let base = u32::try_from(at * CHUNK).expect("fewer than 2^32 - 256 sleepers in one wheel");
        let end =
            base.checked_add(CHUNK as u32).expect("fewer than 2^32 - 256 sleepers in one wheel");
        let places: Box<[Sleeper<T>]> = (base..end)
            .map(|index| Sleeper {
                tick: 0,
                prev: if index == base { NONE } else { index - 1 },
                next: if index + 1 == end { NONE } else { index + 1 },
                generation: 0,
                list: 0,
                value: None,
            })
            .collect();
        let chunk = places.try_into().ok();
        if hole.is_some() {
            self.chunks[at] = chunk;
            self.holes -= 1;
        } else {
            self.chunks.push(chunk);
            self.live.push(0);
        }
        self.free = base;
    }

    /// Keeps the vacant chunk `at` as the spare, or gives it back if there is one.
    #[cold]
    fn vacated(&mut self, at: u32) {
        if self.spare == at {
            return;
        }
        if self.live.get(self.spare as usize) != Some(&0) {
            self.spare = at;
            return;
        }
        let base = at << BITS;
        for index in base..base + CHUNK as u32 {
            let place = self.at(index);
            let (prev, next) = (place.prev, place.next);
            match prev {
                NONE => self.free = next,
                _ => self.at(prev).next = next,
            }
            if next != NONE {
                self.at(next).prev = prev;
            }
        }
        self.chunks[at as usize] = None;
        self.holes += 1;
        while matches!(self.chunks.last(), Some(None)) {
            self.chunks.pop();
            self.live.pop();
            self.holes -= 1;
        }
        if self.chunks.capacity() > 64 && self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
            self.live.shrink_to(self.chunks.len() * 2);
        }
    }
}

#[cfg(test)]
impl<T> Chunks<T> {
    /// Invariants 2 and 3.
    pub(super) fn check(&mut self) {
        let (mut vacant, mut prev, mut index) = (0, NONE, self.free);
        while index != NONE {
            let place = self.at(index);
            assert_eq!((place.generation, place.prev), (0, prev));
            assert!(place.value.is_none());
            vacant += 1;
            (prev, index) = (index, place.next);
        }
        assert_eq!(vacant + self.len, self.capacity());
        assert_eq!(self.chunks.iter().filter(|chunk| chunk.is_none()).count(), self.holes);
        assert!(!matches!(self.chunks.last(), Some(None)));
        let mut vacant_chunks = 0;
        for (chunk, &live) in self.chunks.iter().zip(&self.live) {
            let there = chunk.iter().flat_map(|chunk| chunk.iter());
            assert_eq!(there.filter(|place| place.generation != 0).count(), usize::from(live));
            vacant_chunks += usize::from(chunk.is_some() && live == 0);
        }
        assert!(vacant_chunks <= 1, "more than the spare is kept");
    }
}
