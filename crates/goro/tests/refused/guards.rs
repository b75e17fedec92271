//! Guards that belong to their thread are not held while a task waits.

use goro::runtime::Handle;
use goro::sync::{Mutex, RwLock};
use std::cell::Cell;

async fn later() {}

fn main() {
    // A runtime is entered on a thread, and left there.
    drop(goro::spawn(async {
        let handle = Handle::current();
        let _inside = handle.enter();
        later().await;
    }));
    // Nor is std's lock, which its thread gives back.
    drop(goro::spawn(async {
        let lock = std::sync::Mutex::new(1);
        let _held = lock.lock();
        later().await;
    }));
    // A read guard is shared with other readers: its value has to bear that.
    let shared = RwLock::new(Cell::new(1));
    drop(goro::spawn(async move {
        let _held = shared.read().await;
        later().await;
    }));
    // Here the lock itself cannot go anywhere.
    let lock = Mutex::new(std::rc::Rc::new(1));
    drop(goro::spawn(async move { drop(lock.lock().await) }));
}
