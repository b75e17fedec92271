use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use super::*;
use crate::testing::Scripted;
use goro_shim::thread;

fn is(host: &'static dyn Host) -> bool {
    current().is_some_and(|here| core::ptr::addr_eq(here, host))
}

/// Pitfall 63: guards left in the wrong order.
#[test]
fn the_youngest_living_guard_decides() {
    let (a, b) = (Scripted::new(), Scripted::new());
    assert!(current().is_none());
    let in_a = enter(a);
    let in_b = enter(b);
    assert!(is(b));
    drop(in_a);
    assert!(is(b));
    drop(in_b);
    assert!(current().is_none());
}

#[test]
fn a_host_is_entered_on_its_thread_only() {
    let _entered = enter(Scripted::new());
    let elsewhere = thread::start("elsewhere".into(), None, || current().is_none()).unwrap();
    assert!(elsewhere.join().unwrap());
}

/// A flag that a waker raises.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_wake_behind_is_a_wake_with_and_without_a_host() {
    let (with, without) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    wake_behind(Waker::from(without.clone()));
    let _entered = enter(Scripted::new());
    wake_behind(Waker::from(with.clone()));
    assert!([with, without].iter().all(|woken| woken.0.load(Ordering::Relaxed)));
}

#[test]
fn errors_name_what_happened() {
    assert!(io::Error::from(Gone).to_string().contains("no timer"));
    let refused = Refused(Box::new(|| ()), io::Error::other("full"));
    assert_eq!(refused.to_string(), "the blocking job was refused: full");
    assert!(format!("{refused:?}").contains("full"));
}
