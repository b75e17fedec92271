//! Faults that are planted beside the load, to see that they are found.

use std::fs::File;
use std::thread;

use goro::runtime::Runtime;

use crate::kit::Kit;

/// Once in a leg.
pub fn plant(kit: &Kit, runtime: &Runtime) {
    match kit.plant.as_deref() {
        Some("bodies") => std::mem::forget(kit.body()),
        Some("registry") => drop(runtime.spawn(std::future::pending::<()>())),
        Some("descriptors") => std::mem::forget(File::open("/dev/null")),
        Some("threads") => drop(thread::spawn(|| {
            loop {
                thread::park();
            }
        })),
        Some("memory") => {
            // Touched, and not optimised away, so that it is resident.
            std::mem::forget(std::hint::black_box(vec![1_u8; 8 << 20]));
        }
        _ => {}
    }
}
