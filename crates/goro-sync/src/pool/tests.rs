use goro_shim::Arc;
use goro_shim::atomic::AtomicUsize;
use proptest::prelude::*;

use super::*;
use crate::testing::cases;

/// Counts those that are alive.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn pool(capacity: usize, shards: usize) -> (Pool<Counted>, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(0));
    let maker = Arc::clone(&alive);
    (Pool::with_shards(capacity, shards, move || Counted::new(&maker)), alive)
}

#[test]
fn what_was_used_is_used_again() {
    let buffers = Pool::with_shards(8, 2, Vec::<u8>::new).reset_with(|buffer| {
        buffer.clear();
        buffer.capacity() <= 64
    });
    let mut one = buffers.get();
    one.extend_from_slice(&[1; 32]);
    drop(one);
    let mut again = buffers.get();
    assert!(again.is_empty() && again.capacity() >= 32);
    again.reserve(1000);
    drop(again);
    assert_eq!(buffers.get().capacity(), 0, "one that had grown too large was dropped");
    let PoolStats { hits, misses, discarded, idle } = buffers.stats();
    assert_eq!((hits, misses, discarded, idle), (1, 2, 1, 1));
}

#[test]
fn one_that_was_taken_out_does_not_come_back() {
    let (pool, alive) = pool(4, 1);
    let mine = Pooled::into_inner(pool.get());
    assert_eq!((pool.stats().idle, alive.load(Ordering::Acquire)), (0, 1));
    pool.put(mine);
    assert_eq!(pool.stats().idle, 1);
    pool.clear();
    assert_eq!((pool.stats().idle, alive.load(Ordering::Acquire)), (0, 0));
}

#[test]
fn a_pool_of_nothing_makes_and_drops() {
    let (pool, alive) = pool(0, 4);
    drop(pool.get());
    drop(pool.get());
    let stats = pool.stats();
    assert_eq!((stats.misses, stats.discarded, pool.capacity()), (2, 2, 0));
    assert_eq!(alive.load(Ordering::Acquire), 0);
}

proptest! {
    #![proptest_config(cases())]

    /// No value is lost or doubled, the bound holds, and the counts add up.
    #[test]
    fn values_are_conserved(
        capacity in 0_usize..6,
        shards in 1_usize..4,
        acts in prop::collection::vec((0_u8..3, 0_usize..8), 0..60),
    ) {
        let (pool, alive) = pool(capacity, shards);
        let (mut out, mut taken) = (Vec::new(), 0);
        for (act, at) in acts {
            match act {
                0 | 1 => {
                    out.push(pool.get());
                    taken += 1;
                }
                _ if at < out.len() => drop(out.swap_remove(at)),
                _ => {}
            }
            let stats = pool.stats();
            prop_assert!(stats.idle <= pool.capacity());
            prop_assert_eq!(stats.hits + stats.misses, taken);
            prop_assert_eq!(alive.load(Ordering::Acquire), stats.idle + out.len());
        }
        drop(out);
        drop(pool);
        prop_assert_eq!(alive.load(Ordering::Acquire), 0);
    }
}
