//! What channels allocate: counted, by an allocator of this test's own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use goro_sync::channel::{bounded, unbounded};

thread_local! {
    /// Bytes that this thread has allocated less those that it has freed, which may be another's: below zero
    /// when it has begun by that. The test runner's threads have their own.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.with(|live| live.set(live.get() + layout.size() as isize));
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller keeps to the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.with(|live| live.set(live.get() - layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> isize {
    LIVE.with(Cell::get)
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_idle_channel_is_small() {
    let before = live();
    let channel = bounded::<u64>(1);
    let bytes = live() - before;
    assert!(bytes <= 200, "{bytes} bytes");
    drop(channel);
    assert_eq!(live(), before);
}

#[test]
fn a_burst_leaves_little_behind() {
    let (tx, rx) = unbounded();
    let before = live();
    (0..1_000_000_u64).for_each(|number| tx.try_send(number).unwrap());
    assert!(live() - before >= 8_000_000);
    (0..1_000_000).for_each(|number| assert_eq!(rx.try_recv(), Ok(number)));
    let bytes = live() - before;
    assert!(bytes <= 64 * 1024, "{bytes} bytes");
}

/// Messages that are sent and received, with waits at either end, allocate nothing once the
/// channel has seen as many before.
#[test]
fn messages_allocate_nothing_in_the_long_run() {
    for capacity in [0, 1, 128, usize::MAX] {
        let (tx, rx) = bounded(capacity);
        let round = || {
            for number in 0..200_u64 {
                // The receiver waits first, then the senders.
                let mut recv = rx.recv();
                assert!(poll(&mut recv).is_pending());
                let mut sends = [tx.send(number), tx.send(number), tx.send(number)];
                for send in &mut sends {
                    let _polled = poll(send);
                }
                assert_eq!(poll(&mut recv), Poll::Ready(Ok(number)));
                while rx.try_recv().is_ok() {}
            }
        };
        round();
        let before = CALLS.with(Cell::get);
        round();
        assert_eq!(CALLS.with(Cell::get), before, "capacity {capacity}");
    }
}

/// Pitfall 91: a million polls for nothing, and a million futures that are dropped waiting, leave
/// nothing behind.
#[test]
fn polls_for_nothing_cost_no_memory() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut send = tx.send(2);
    let _first = poll(&mut send);
    let before = live();
    (0..1_000_000).for_each(|_| assert!(poll(&mut send).is_pending()));
    (0..1_000_000).for_each(|_| assert!(poll(&mut tx.send(3)).is_pending()));
    let bytes = live().saturating_sub(before);
    assert!(bytes <= 128, "{bytes} bytes");
    assert_eq!(rx.try_recv(), Ok(1));
}

/// Pitfall 14: what is freed has the size with which it was allocated, whatever becomes of a capacity on the way.
/// Bytes are counted, so that a buffer which is freed as another size leaves a rest.
#[test]
fn memory_is_given_back_as_it_was_taken() {
    fn lives<T: Default>() {
        for capacity in (0..70).chain([127, 128, 129, 1_000, 4_096, usize::MAX]) {
            for values in [0, 1, capacity / 2, capacity] {
                let before = live();
                let (tx, rx) = bounded(capacity);
                for _ in 0..values.min(5_000) {
                    let _full = tx.try_send(T::default());
                }
                let _taken = rx.try_recv();
                drop((rx, tx));
                assert_eq!(live(), before, "{values} values in {capacity} places");
            }
        }
    }
    #[derive(Default)]
    #[repr(align(128))]
    struct Aligned(#[allow(dead_code, reason = "it only takes room")] u8);
    lives::<()>();
    lives::<u8>();
    lives::<[u8; 3]>();
    lives::<[u64; 17]>();
    lives::<Aligned>();
}
