//! Faults that a sanitizer must report, one at a time: `planted NAME`. Without a name: none.
//!
//! `.ci/sanitizers/run` builds this under each sanitizer before it believes a run in which nothing was found.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

struct Shared<T>(UnsafeCell<T>);

// SAFETY: it is none; that is what this file is for.
unsafe impl<T> Sync for Shared<T> {}

static COUNT: Shared<u64> = Shared(UnsafeCell::new(0));
static READY: AtomicBool = AtomicBool::new(false);

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => quiet(),
        Some("counter") => together(|| add(), || add()),
        // What is published by a store that releases nothing.
        Some("publication") => together(
            || {
                add();
                READY.store(true, Ordering::Relaxed);
            },
            || {
                while !READY.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                add();
            },
        ),
        Some("after-free") => {
            let place = Box::into_raw(Box::new([7_u64; 8]));
            // SAFETY: it came from a box.
            drop(unsafe { Box::from_raw(place) });
            // SAFETY: none: it was freed.
            println!("{}", unsafe { black_box(place).cast::<u64>().read_volatile() });
        }
        Some("leak") => {
            black_box(Box::into_raw(Box::new([1_u8; 4321])));
        }
        Some(unknown) => panic!("nobody knows how to plant {unknown}"),
    }
}

/// As `publication`, with the right orderings.
fn quiet() {
    let publish = || {
        add();
        READY.store(true, Ordering::Release);
    };
    let read = || {
        while !READY.load(Ordering::Acquire) {
            thread::yield_now();
        }
        add();
    };
    together(publish, read);
}

fn add() {
    // SAFETY: as above.
    unsafe { *COUNT.0.get() += 1 };
}

fn together(one: impl FnOnce() + Send + 'static, other: impl FnOnce() + Send + 'static) {
    let one = thread::spawn(one);
    let other = thread::spawn(other);
    one.join().unwrap();
    other.join().unwrap();
}
