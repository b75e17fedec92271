use super::*;
use crate::hub::Lease;
use crate::spares::Limits;
use goro_shim::time::{Duration, now};

/// A spare's timers are kept elsewhere, and that is where it is known that they have fired.
#[test]
fn a_spare_knows_that_what_was_armed_there_has_fired() {
    let spares = Limits { stalls: 1, blocks: 0 };
    let lease =
        Lease { workers: 1, monitor: true, scripted: false, chaos: None, tasks: None, spares };
    let hub = Hub::lease(lease);
    let spare = hub.spare(0);
    let at = now() + Duration::from_millis(1);
    spare.arm(at, Waker::noop()).unwrap();
    assert!(!spare.has_fired(at));
    let mut wakers = Vec::new();
    hub.foreign().timers.take_due(at + Duration::from_millis(1), true, &mut wakers);
    assert_eq!(wakers.len(), 1);
    assert!(spare.has_fired(at));
}
