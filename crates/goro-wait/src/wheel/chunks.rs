//! The wheel's memory: sleepers in chunks of 256, reached by index, checked by generation.
//!
//! Invariants:
//! 1. A sleeper never moves, so an index holds for its whole life.
//! 2. The vacant places of a chunk form a list of that chunk's own; the chunks that have any form
//!    the list of open chunks. A new chunk is made only when none is open.
//! 3. A chunk that becomes vacant goes back to the allocator, except one, the spare: the lower of
//!    two. Hence at least 256 insertions lie between two new chunks, and what is held beyond the
//!    sleepers is one chunk plus the vacant places of chunks that still hold somebody.
//!
//! Left out: one growing vector (its doubling copies a million sleepers under the shard's lock,
//! and a single survivor at its end would hold the memory of a whole burst), and one list of
//! vacant places for all chunks (a chunk would have to be picked out of it place by place: two
//! cache misses each).

use core::num::NonZeroU32;

use crate::key::{Generations, Key};

/// No index, no chunk.
pub(super) const NONE: u32 = u32::MAX;

const CHUNK: usize = 256;
const BITS: u32 = CHUNK.trailing_zeros();

/// One entry of the wheel: 40 bytes for a waker.
pub(super) struct Sleeper<T> {
    pub(super) tick: u64,
    /// Neighbours in the list that `list` names; while vacant, `next` is the next vacant place.
    pub(super) prev: u32,
    pub(super) next: u32,
    /// 0 while vacant.
    generation: u32,
    pub(super) list: u16,
    value: Option<T>,
}

type Places<T> = Box<[Sleeper<T>; CHUNK]>;

/// What is known of a chunk without touching its places.
struct Chunk<T> {
    /// `None` while the memory is the allocator's.
    places: Option<Places<T>>,
    /// Neighbours in the list of open chunks.
    prev: u32,
    next: u32,
    /// The first vacant place, as an index into the wheel.
    vacant: u32,
    live: u32,
}

pub(super) struct Chunks<T> {
    chunks: Vec<Chunk<T>>,
    /// The first open chunk.
    open: u32,
    /// How many chunks have no memory.
    absent: usize,
    /// The vacant chunk that is kept, if it still is vacant.
    spare: u32,
    len: usize,
    generations: Generations,
}

impl<T> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            open: NONE,
            absent: 0,
            spare: NONE,
            len: 0,
            generations: Generations::new(),
        }
    }

    /// Gives all memory back; nobody sleeps here. The generations go on, so that keys given out
    /// before stay stale.
    pub(super) fn restart(&mut self) {
        let generations = core::mem::replace(&mut self.generations, Generations::new());
        *self = Self { generations, ..Self::new() };
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn capacity(&self) -> usize {
        (self.chunks.len() - self.absent) * CHUNK
    }

    /// The place at `index`, whose chunk is present.
    #[inline]
    pub(super) fn at(&mut self, index: u32) -> &mut Sleeper<T> {
        let places = self.chunks[(index >> BITS) as usize].places.as_mut();
        &mut places.expect("a linked sleeper's chunk is present")[index as usize % CHUNK]
    }

    /// The sleeper that `key` names, if it is still here.
    #[inline]
    fn find(&mut self, key: Key) -> Option<&mut Sleeper<T>> {
        let places = self.chunks.get_mut((key.index >> BITS) as usize)?.places.as_mut()?;
        let sleeper = &mut places[key.index as usize % CHUNK];
        (sleeper.generation == key.generation.get()).then_some(sleeper)
    }

    /// Whether the sleeper that `key` names is still here.
    #[inline]
    pub(super) fn contains(&mut self, key: Key) -> bool {
        self.find(key).is_some()
    }

    /// The value of the sleeper that `key` names, if it is still here.
    #[inline]
    pub(super) fn value_mut(&mut self, key: Key) -> Option<&mut T> {
        self.find(key)?.value.as_mut()
    }

    /// Takes a vacant place for `value`; the caller links it.
    #[inline]
    pub(super) fn insert(&mut self, tick: u64, value: T) -> Key {
        if self.open == NONE {
            self.grow();
        }
        let generation: NonZeroU32 = self.generations.next();
        let number = self.open;
        let chunk = &mut self.chunks[number as usize];
        let index = chunk.vacant;
        let places = chunk.places.as_mut().expect("an open chunk is present");
        let sleeper = &mut places[index as usize % CHUNK];
        sleeper.tick = tick;
        sleeper.generation = generation.get();
        sleeper.value = Some(value);
        chunk.vacant = sleeper.next;
        chunk.live += 1;
        if chunk.vacant == NONE {
            self.close(number);
        }
        self.len += 1;
        Key { index, generation }
    }

    /// Gives the place at `index` back; the caller has unlinked it from its list.
    #[inline(always)]
    pub(super) fn remove(&mut self, index: u32) -> T {
        let number = index >> BITS;
        let chunk = &mut self.chunks[number as usize];
        let places = chunk.places.as_mut().expect("a linked sleeper's chunk is present");
        let sleeper = &mut places[index as usize % CHUNK];
        let value = sleeper.value.take().expect("a linked sleeper has a value");
        sleeper.generation = 0;
        sleeper.next = chunk.vacant;
        chunk.vacant = index;
        chunk.live -= 1;
        let (was_full, is_vacant) = (sleeper.next == NONE, chunk.live == 0);
        self.len -= 1;
        if was_full {
            self.open(number);
        }
        if is_vacant {
            self.vacated(number);
        }
        value
    }

    /// Puts a chunk at the front of the open ones.
    fn open(&mut self, number: u32) {
        let next = core::mem::replace(&mut self.open, number);
        let chunk = &mut self.chunks[number as usize];
        chunk.prev = NONE;
        chunk.next = next;
        if next != NONE {
            self.chunks[next as usize].prev = number;
        }
    }

    /// Takes a chunk out of the open ones.
    fn close(&mut self, number: u32) {
        let Chunk { prev, next, .. } = self.chunks[number as usize];
        match prev {
            NONE => self.open = next,
            _ => self.chunks[prev as usize].next = next,
        }
        if next != NONE {
            self.chunks[next as usize].prev = prev;
        }
    }

    /// Makes a chunk, in the first gap between others if there is one.
    #[cold]
    fn grow(&mut self) {
        let gap = match self.absent {
            0 => None,
            _ => self.chunks.iter().position(|chunk| chunk.places.is_none()),
        };
        let at = gap.unwrap_or(self.chunks.len());
        let end = u32::try_from((at + 1) * CHUNK).expect("fewer than 2^32 - 256 sleepers a wheel");
        let base = end - CHUNK as u32;
        let places: Box<[Sleeper<T>]> = (base + 1..=end)
            .map(|next| Sleeper {
                tick: 0,
                prev: NONE,
                next: if next == end { NONE } else { next },
                generation: 0,
                list: 0,
                value: None,
            })
            .collect();
        let places = places.try_into().ok();
        let chunk = Chunk { places, prev: NONE, next: NONE, vacant: base, live: 0 };
        if gap.is_some() {
            self.chunks[at] = chunk;
            self.absent -= 1;
        } else {
            self.chunks.push(chunk);
        }
        self.open(base >> BITS);
    }

    /// Keeps a vacant chunk as the spare, or gives the higher of two back.
    #[cold]
    fn vacated(&mut self, number: u32) {
        let spare = core::mem::replace(&mut self.spare, number);
        if spare == number || self.chunks.get(spare as usize).is_none_or(|spare| spare.live != 0) {
            return;
        }
        self.spare = spare.min(number);
        let number = spare.max(number);
        self.close(number);
        self.chunks[number as usize].places = None;
        self.absent += 1;
        while self.chunks.last().is_some_and(|chunk| chunk.places.is_none()) {
            self.chunks.pop();
            self.absent -= 1;
        }
        let (len, capacity) = (self.chunks.len(), self.chunks.capacity());
        if capacity > 64 && len < capacity / 4 {
            self.chunks.shrink_to(len * 2);
        }
    }
}

#[cfg(any(test, fuzzing))]
impl<T> Chunks<T> {
    /// Invariants 2 and 3.
    pub(super) fn check(&self) {
        let (mut prev, mut number, mut opened) = (NONE, self.open, 0);
        while number != NONE {
            let chunk = &self.chunks[number as usize];
            assert_eq!(chunk.prev, prev);
            let mut vacant = 0;
            let mut index = chunk.vacant;
            while index != NONE {
                assert_eq!(index >> BITS, number);
                let place = &chunk.places.as_ref().unwrap()[index as usize % CHUNK];
                assert!(place.generation == 0 && place.value.is_none());
                vacant += 1;
                index = place.next;
            }
            assert!(vacant > 0);
            assert_eq!(vacant + chunk.live, CHUNK as u32);
            opened += 1;
            (prev, number) = (number, chunk.next);
        }
        let full = self.chunks.iter().filter(|chunk| chunk.live == CHUNK as u32).count();
        let absent = self.chunks.iter().filter(|chunk| chunk.places.is_none()).count();
        assert_eq!((full + opened + absent, absent), (self.chunks.len(), self.absent));
        assert_eq!(self.chunks.iter().map(|chunk| chunk.live as usize).sum::<usize>(), self.len);
        assert!(self.chunks.last().is_none_or(|chunk| chunk.places.is_some()));
        let idle = |chunk: &&Chunk<T>| chunk.live == 0 && chunk.places.is_some();
        assert!(self.chunks.iter().filter(idle).count() <= 1, "more than the spare is kept");
        assert!(self.chunks.capacity() <= 64.max(self.chunks.len() * 4 + 4));
        assert!(self.len > 0 || self.chunks.len() <= 1);
    }

    /// How many chunks there are or were below the last that is.
    #[cfg(test)]
    pub(super) fn extent(&self) -> usize {
        self.chunks.len()
    }
}
