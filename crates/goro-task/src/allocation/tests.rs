use core::alloc::Layout;
use std::collections::BTreeMap;

use goro_shim::global::Lock;
use goro_shim::thread;

use super::class::{CLASSES, Class};
use super::*;

fn shape(size: usize) -> Shape {
    Shape::of(Layout::from_size_align(size, 8).unwrap())
}

#[test]
fn each_size_has_the_smallest_class_that_holds_it() {
    let sizes: Vec<usize> = Class::all().map(Class::size).collect();
    assert_eq!((sizes.len(), sizes[0], sizes[15]), (CLASSES, 24, 264));
    assert_eq!(sizes[16..20], [328, 392, 456, 520]);
    assert_eq!(sizes[CLASSES - 1], 2056);
    assert!(sizes.is_sorted());
    for size in 1..=2056 {
        let class = shape(size).class().unwrap();
        let smallest = sizes.iter().position(|&fits| fits >= size).unwrap();
        assert_eq!(class.index(), smallest, "{size}");
        assert!(class.size() - size < 24.max(size / 4 + 1), "{size} wastes too much");
        assert_eq!(class.layout().align(), 16);
    }
    assert!(shape(2057).class().is_none());
    assert!(Shape::of(Layout::from_size_align(96, 32).unwrap()).class().is_none());
    assert!(Shape::of(Layout::from_size_align(96, 16).unwrap()).class().is_some());
}

#[test]
fn magazines_and_depots_are_bounded() {
    for class in Class::all() {
        let magazine = class.size() * class.capacity() as usize;
        assert!(class.capacity() >= 15 && magazine <= 32 << 10, "{class:?}");
        let depot = magazine * class.depot_capacity() as usize;
        assert!(class.depot_capacity() >= 8 && depot <= 4 << 20, "{class:?}");
    }
}

/// What the system has given and not got back, by size.
pub(super) static SYSTEM: Balance = Balance(Lock::new(BTreeMap::new()));

pub(super) struct Balance(Lock<BTreeMap<usize, isize>>);

impl Balance {
    pub(super) fn count(&self, layout: Layout, blocks: isize) {
        *self.0.lock().entry(layout.size()).or_default() += blocks;
    }

    fn of(&self, class: Class) -> isize {
        self.0.lock().get(&class.size()).copied().unwrap_or_default()
    }
}

/// Each test has a size class of its own, since depots are everybody's.
fn on_a_thread<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    thread::start("allocates".into(), None, body).unwrap().join().unwrap()
}

/// Blocks, filled with a pattern that would show if two of them overlapped.
struct Blocks {
    shape: Shape,
    places: Vec<NonNull<()>>,
}

// SAFETY: blocks are plain memory.
unsafe impl Send for Blocks {}

fn pattern(index: usize) -> u8 {
    (index % 251) as u8
}

impl Blocks {
    fn new(size: usize) -> Self {
        Self { shape: shape(size), places: Vec::new() }
    }

    fn allocate(&mut self, count: usize) {
        for _ in 0..count {
            let place = allocate(&self.shape);
            let byte = pattern(self.places.len());
            // SAFETY: the memory was just allocated with this size.
            unsafe { place.cast::<u8>().write_bytes(byte, self.shape.layout().size()) };
            self.places.push(place);
        }
    }

    fn free_all(&mut self) {
        while let Some(place) = self.places.pop() {
            let byte = pattern(self.places.len());
            let size = self.shape.layout().size();
            // SAFETY: the memory is allocated and was written to its end.
            let bytes = unsafe { core::slice::from_raw_parts(place.cast::<u8>().as_ptr(), size) };
            assert!(bytes.iter().all(|&b| b == byte), "somebody else has written here");
            // SAFETY: it came from `allocate` with this shape.
            unsafe { free(place, &self.shape) };
        }
    }
}

#[test]
fn a_block_is_used_again_at_once() {
    on_a_thread(|| {
        let shape = shape(1000);
        let first = allocate(&shape);
        // SAFETY: it came from `allocate` with this shape.
        unsafe { free(first, &shape) };
        let second = allocate(&shape);
        assert_eq!(first, second);
        // SAFETY: as above.
        unsafe { free(second, &shape) };
    });
}

/// Any number of blocks, in growing and shrinking waves, never overlap.
#[test]
fn blocks_in_use_never_overlap() {
    on_a_thread(|| {
        let mut blocks = Blocks::new(208);
        for wave in [1, 63, 64, 65, 127, 128, 129, 1000, 20_000, 300] {
            blocks.allocate(wave);
            blocks.free_all();
        }
        assert!(blocks.places.is_empty());
    });
}

/// What one thread frees, another one gets, through the depot; what the depot has too much of goes
/// to the system.
#[test]
fn blocks_go_from_thread_to_thread_and_in_the_end_to_the_system() {
    let shape_of = || shape(1500);
    let class = shape_of().class().unwrap();
    let magazine = class.capacity() as usize;
    let freed = on_a_thread(move || {
        let mut blocks = Blocks::new(1500);
        blocks.allocate(10 * magazine);
        let addresses: Vec<usize> = blocks.places.iter().map(|p| p.addr().get()).collect();
        blocks.free_all();
        addresses
    });
    let reused = on_a_thread(move || {
        let mut blocks = Blocks::new(1500);
        blocks.allocate(10 * magazine);
        let reused = blocks.places.iter().filter(|p| freed.contains(&p.addr().get())).count();
        blocks.free_all();
        reused
    });
    assert_eq!(reused, 10 * magazine, "a thread that ends gives what is full to the depot");
    let trimmed: Vec<usize> = (0..3).map(|_| depot::trim(class)).collect();
    assert_eq!(trimmed, [0, 10 * magazine * class.size(), 0], "what an interval has not needed");
    assert_eq!(SYSTEM.of(class), 0);
}

/// A thread that ends leaves full magazines in the depot, and gives the rest to the system.
#[test]
fn only_full_magazines_are_left_in_a_depot() {
    let class = shape(1100).class().unwrap();
    let magazine = class.capacity() as usize;
    on_a_thread(move || {
        let mut blocks = Blocks::new(1100);
        blocks.allocate(magazine + magazine / 2);
        blocks.free_all();
    });
    assert_eq!(SYSTEM.of(class), magazine as isize);
    depot::trim(class);
    assert_eq!(depot::trim(class), magazine * class.size());
    assert_eq!(SYSTEM.of(class), 0);
}

/// What was taken in between stays, although it has come back.
#[test]
fn a_trim_leaves_what_was_needed_since_the_last_one() {
    let class = shape(700).class().unwrap();
    let magazine = class.capacity() as usize;
    let use_some = move |magazines: usize| {
        on_a_thread(move || {
            let mut blocks = Blocks::new(700);
            blocks.allocate(magazines * magazine);
            blocks.free_all();
        });
    };
    use_some(10);
    assert_eq!(depot::trim(class), 0);
    use_some(4);
    assert_eq!(depot::trim(class), 6 * magazine * class.size());
    assert_eq!(depot::trim(class), 4 * magazine * class.size());
    assert_eq!(SYSTEM.of(class), 0);
}

/// A depot that is full takes no more, and nothing is lost.
#[test]
fn a_full_depot_leaves_blocks_to_the_system() {
    let class = shape(1700).class().unwrap();
    let most = (class.depot_capacity() + 2) as usize * class.capacity() as usize;
    on_a_thread(move || {
        let mut blocks = Blocks::new(1700);
        blocks.allocate(most + 1000);
        blocks.free_all();
    });
    depot::trim(class);
    let kept = depot::trim(class);
    assert_eq!(kept, class.depot_capacity() as usize * class.capacity() as usize * class.size());
}

/// Two threads that allocate and free for each other.
#[test]
fn two_threads_allocate_for_each_other() {
    let (to, from) = std::sync::mpsc::sync_channel::<Blocks>(4);
    let other = thread::start("frees".into(), None, move || {
        let mut count = 0;
        for mut blocks in from {
            count += blocks.places.len();
            blocks.free_all();
        }
        count
    })
    .unwrap();
    let mut sent = 0;
    for n in 0..500 {
        let mut blocks = Blocks::new(176);
        blocks.allocate(n % 150);
        sent += n % 150;
        to.send(blocks).unwrap();
    }
    drop(to);
    assert_eq!(other.join().unwrap(), sent);
}

/// In the destructor of a thread-local that outlives the magazines, blocks come from and go to the
/// system (pitfall 62).
#[test]
fn blocks_in_a_thread_locals_destructor() {
    struct Last(std::cell::Cell<Option<Blocks>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let mut blocks = self.0.take().unwrap();
            blocks.allocate(200);
            blocks.free_all();
            FREED.fetch_add(1, goro_shim::global::Ordering::Relaxed);
        }
    }
    static FREED: goro_shim::global::AtomicU32 = goro_shim::global::AtomicU32::new(0);
    std::thread_local! {
        static BEFORE: Last = const { Last(std::cell::Cell::new(None)) };
        static AFTER: Last = const { Last(std::cell::Cell::new(None)) };
    }
    on_a_thread(|| {
        // Thread-locals are dropped in the order of their first use, or in the reverse one: one of
        // the two outlives the magazines.
        let mut blocks = Blocks::new(240);
        BEFORE.with(|last| last.0.set(Some(Blocks::new(240))));
        blocks.allocate(100);
        AFTER.with(|last| last.0.set(Some(blocks)));
    });
    assert_eq!(FREED.load(goro_shim::global::Ordering::Relaxed), 2);
    let class = shape(240).class().unwrap();
    depot::trim(class);
    depot::trim(class);
    assert_eq!(SYSTEM.of(class), 0, "a thread has ended with blocks of its own");
}
