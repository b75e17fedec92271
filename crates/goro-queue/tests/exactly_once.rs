//! Real threads push, pop, overflow and steal: each item comes out once.
#![cfg(not(loom))]

use goro_queue::{Claim, Injector, LocalQueue};
use goro_shim::atomic::{AtomicU8, AtomicUsize, Ordering};
use goro_shim::random::Random;
use goro_shim::{Arc, thread};

struct World {
    queues: Vec<LocalQueue<Box<usize>>>,
    shared: Injector<Box<usize>>,
    seen: Vec<AtomicU8>,
    left: AtomicUsize,
}

impl World {
    fn new(workers: usize, items: usize) -> Arc<Self> {
        Arc::new(Self {
            queues: (0..workers)
                .map(|n| if n % 2 == 0 { LocalQueue::new() } else { LocalQueue::with_open_slot() })
                .collect(),
            shared: Injector::new(),
            seen: (0..items).map(|_| AtomicU8::new(0)).collect(),
            left: AtomicUsize::new(items),
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "an item is run once")]
    fn run(&self, item: Box<usize>) {
        let before = self.seen[*item].fetch_add(1, Ordering::Relaxed);
        assert_eq!(before, 0, "{item} came twice");
        self.left.fetch_sub(1, Ordering::Relaxed);
    }

    fn push(&self, claim: &Claim<'_, Box<usize>>, id: usize) {
        if let Err(full) = claim.push(Box::new(id)) {
            self.shared.push_overflow(claim.overflow(full));
        }
    }

    /// One attempt to get an item from somebody else.
    fn search(&self, claim: &Claim<'_, Box<usize>>, random: &Random) -> Option<Box<usize>> {
        let victim = &self.queues[random.below(self.queues.len() as u32) as usize];
        match random.below(4) {
            0 => self.shared.pop_batch(claim, 1 + random.below(200) as usize),
            1 => victim.steal_next(),
            _ => victim.steal_half(claim),
        }
    }

    /// Pushes `ids` in bursts, taking now and then; then helps until nothing is left.
    fn work(&self, worker: usize, ids: core::ops::Range<usize>) {
        let random = Random::new(worker as u64);
        let claim = self.queues[worker].claim().expect("one worker each");
        let mut ids = ids;
        while self.left.load(Ordering::Relaxed) > 0 {
            for id in ids.by_ref().take(random.below(40) as usize) {
                if random.below(8) > 0 {
                    self.push(&claim, id);
                } else if let Some(displaced) = claim.put_next(Box::new(id)) {
                    self.push(&claim, *displaced);
                }
            }
            for _ in 0..random.below(36) {
                let Some(item) = claim.pop() else { break };
                self.run(item);
            }
            if random.below(2) == 0 {
                if let Some(item) = claim.take_next() {
                    self.run(item);
                }
            }
            if let Some(item) = self.search(&claim, &random) {
                self.run(item);
            }
            if ids.is_empty() && claim.queue().is_empty() {
                thread::yield_now();
            }
        }
    }
}

fn finish(world: &World) {
    assert_eq!(world.left.load(Ordering::Relaxed), 0);
    assert!(world.seen.iter().all(|seen| seen.load(Ordering::Relaxed) == 1));
    assert!(world.shared.is_empty() && world.shared.pop().is_none());
    for queue in &world.queues {
        assert!(queue.is_empty() && !queue.has_next());
        assert!(queue.claim().is_some());
    }
}

/// Pitfall 44: every item exactly once, with everybody pushing, popping and stealing.
#[test]
fn workers_share_out_what_they_make() {
    const WORKERS: usize = 4;
    const EACH: usize = if cfg!(miri) { 200 } else { 60_000 };
    let world = World::new(WORKERS, WORKERS * EACH);
    let threads: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let world = Arc::clone(&world);
            let ids = worker * EACH..(worker + 1) * EACH;
            let body = move || world.work(worker, ids);
            thread::start(format!("worker {worker}"), None, body).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    finish(&world);
}

/// One owner that is always close to empty, and thieves that want the same last item.
#[test]
fn the_last_item_goes_to_one() {
    const ITEMS: usize = if cfg!(miri) { 300 } else { 100_000 };
    let world = World::new(3, ITEMS);
    let thieves: Vec<_> = (1..3)
        .map(|worker| {
            let world = Arc::clone(&world);
            let body = move || {
                let claim = world.queues[worker].claim().unwrap();
                while world.left.load(Ordering::Relaxed) > 0 {
                    if let Some(item) = world.queues[0].steal_half(&claim) {
                        world.run(item);
                    }
                    while let Some(item) = claim.pop() {
                        world.run(item);
                    }
                }
            };
            thread::start(format!("thief {worker}"), None, body).unwrap()
        })
        .collect();
    let claim = world.queues[0].claim().unwrap();
    for id in 0..ITEMS {
        world.push(&claim, id);
        if id % 3 > 0 || claim.queue().len() > 200 {
            while let Some(item) = claim.pop() {
                world.run(item);
            }
        }
    }
    while let Some(item) = claim.pop().or_else(|| world.shared.pop()) {
        world.run(item);
    }
    drop(claim);
    for thread in thieves {
        thread.join().unwrap();
    }
    finish(&world);
}

/// Ownership wanders from thread to thread while others steal.
#[test]
fn claims_wander() {
    const THREADS: usize = 3;
    const EACH: usize = if cfg!(miri) { 100 } else { 20_000 };
    let world = World::new(2, THREADS * EACH);
    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let world = Arc::clone(&world);
            let body = move || {
                let random = Random::new(n as u64);
                let mut ids = n * EACH..(n + 1) * EACH;
                while world.left.load(Ordering::Relaxed) > 0 {
                    let queue = &world.queues[random.below(2) as usize];
                    let Some(claim) = queue.claim() else { continue };
                    for id in ids.by_ref().take(random.below(100) as usize) {
                        world.push(&claim, id);
                    }
                    for _ in 0..random.below(100) {
                        let item = claim.pop().or_else(|| world.search(&claim, &random));
                        item.into_iter().for_each(|item| world.run(item));
                    }
                }
            };
            thread::start(format!("wanderer {n}"), None, body).unwrap()
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    finish(&world);
}
