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
    assert_eq!((sizes.len(), sizes[1], sizes[31]), (CLASSES, 16, 256));
    assert_eq!(sizes[32..36], [272, 288, 304, 320]);
    assert_eq!(sizes[CLASSES - 1], 2048);
    assert!(sizes.is_sorted());
    for size in 1..=2048 {
        for align in [1, 8, 16] {
            let class = Shape::of(Layout::from_size_align(size, align).unwrap()).class().unwrap();
            let fits = |&of: &usize| of >= size.max(16) && of % align == 0;
            assert_eq!(class.index(), sizes.iter().position(fits).unwrap(), "{size}");
            assert!(class.size() - size.max(16) < align.max(8).max(size / 16 + 1), "{size}");
        }
    }
    assert!(shape(2049).class().is_none());
    assert!(Shape::of(Layout::from_size_align(96, 32).unwrap()).class().is_none());
}

#[test]
fn magazines_and_depots_are_bounded() {
    for class in Class::all() {
        let magazine = class.size() * class.capacity() as usize;
        assert!(class.capacity() >= 16 && magazine <= 32 << 10, "{class:?}");
        assert!((2..=class.capacity()).contains(&class.portion()), "{class:?}");
        let depot = magazine * class.depot_capacity() as usize;
        assert!(class.depot_capacity() >= 8 && depot <= 4 << 20, "{class:?}");
    }
}

/// Regions that the system has given and not got back, by class.
pub(super) static REGIONS: Balance = Balance(Lock::new(BTreeMap::new()));

pub(super) struct Balance(Lock<BTreeMap<usize, isize>>);

impl Balance {
    pub(super) fn count(&self, class: Option<Class>, regions: isize) {
        if let Some(class) = class {
            *self.0.lock().entry(class.index()).or_default() += regions;
        }
    }

    fn of(&self, class: Class) -> isize {
        self.0.lock().get(&class.index()).copied().unwrap_or_default()
    }
}

/// Gives back what nobody has needed since the last call; says how many regions the system got.
fn trim_class(class: Class) -> isize {
    let before = REGIONS.of(class);
    let bytes = depot::trim(class) + region::trim(class);
    let regions = before - REGIONS.of(class);
    assert_eq!(bytes, regions as usize * region::LAYOUT.size());
    regions
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

/// How many blocks a chain has; they go back to their regions.
fn blocks_of(class: Class, chain: &chain::Chain) -> usize {
    let (counted, mut count) = (chain::Chain::new(), 0);
    while let Some(block) = chain.pop() {
        counted.push(block);
        count += 1;
    }
    region::give(class, &counted);
    count
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
    let held = REGIONS.of(class);
    assert!(held > 0);
    let trimmed: Vec<isize> = (0..3).map(|_| trim_class(class)).collect();
    assert_eq!(trimmed, [0, held, 0], "what an interval has not needed");
    assert_eq!(REGIONS.of(class), 0);
}

/// A thread that ends leaves full magazines in the depot, and gives the rest back.
#[test]
fn only_full_magazines_are_left_in_a_depot() {
    let class = shape(1100).class().unwrap();
    let magazine = class.capacity() as usize;
    on_a_thread(move || {
        let mut blocks = Blocks::new(1100);
        blocks.allocate(magazine + magazine / 2);
        blocks.free_all();
    });
    assert!(depot::take(class).is_some_and(|full| blocks_of(class, &full) == magazine));
    assert!(depot::take(class).is_none());
    trim_class(class);
    assert_eq!(REGIONS.of(class), 0);
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
    let magazines = || core::iter::from_fn(|| depot::take(class)).count();
    use_some(10);
    trim_class(class);
    use_some(4);
    trim_class(class);
    use_some(0);
    assert_eq!(depot::count(class), 4);
    trim_class(class);
    assert_eq!((magazines(), REGIONS.of(class)), (0, 0));
}

/// A depot that is full takes no more, and nothing is lost.
#[test]
fn a_full_depot_leaves_blocks_to_the_regions() {
    let class = shape(1700).class().unwrap();
    let most = (class.depot_capacity() + 2) as usize * class.capacity() as usize;
    on_a_thread(move || {
        let mut blocks = Blocks::new(1700);
        blocks.allocate(most + 1000);
        blocks.free_all();
    });
    assert_eq!(depot::count(class), class.depot_capacity());
    trim_class(class);
    trim_class(class);
    assert_eq!(REGIONS.of(class), 0);
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
    trim_class(class);
    trim_class(class);
    assert_eq!(REGIONS.of(class), 0, "a thread has ended with blocks of its own");
}

/// A region goes back to the system when its last block does, whatever the order; one stays.
#[test]
fn regions_go_back_one_by_one() {
    let class = shape(520).class().unwrap();
    let each = (region::LAYOUT.size() - 64) / class.size();
    let mut blocks: Vec<chain::Block> = Vec::new();
    while blocks.len() < 3 * each {
        let (chain, count) = region::take(class, class.capacity());
        let before = blocks.len();
        blocks.extend(core::iter::from_fn(|| chain.pop()));
        assert_eq!(blocks.len() - before, count as usize);
    }
    assert_eq!(REGIONS.of(class), blocks.len().div_ceil(each) as isize);
    let mut places: Vec<usize> = blocks.iter().map(|block| block.as_ptr().addr().get()).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|two| two[1] - two[0] >= class.size()), "two blocks overlap");
    // In an order that has nothing to do with where they lie.
    let count = blocks.len();
    let mut blocks: Vec<Option<chain::Block>> = blocks.into_iter().map(Some).collect();
    for at in (0..count).map(|n| n * 7919 % count) {
        let chain = chain::Chain::new();
        chain.push(blocks[at].take().unwrap());
        region::give(class, &chain);
    }
    assert_eq!(REGIONS.of(class), 1, "the spare");
    let (chain, _) = region::take(class, 1);
    assert_eq!(region::trim(class), 0, "the spare is in use");
    region::give(class, &chain);
    assert_eq!((region::trim(class), REGIONS.of(class)), (region::LAYOUT.size(), 0));
}
