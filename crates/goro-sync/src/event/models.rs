//! An event that is set while somebody comes.

use goro_shim::Arc;

use super::*;

/// Pitfall 58: a load that is too weak to see what the waker wrote.
/// Whoever comes while it is set passes, or is woken; and sees what was written before.
#[test]
fn nobody_is_left_behind() {
    loom::model(|| {
        let event = Arc::new(Event::new());
        let written = Arc::new(AtomicUsize::new(0));
        let others = [0; 2].map(|_| {
            let (event, written) = (Arc::clone(&event), Arc::clone(&written));
            loom::thread::spawn(move || {
                event.blocking_wait();
                assert_eq!(written.load(Ordering::Relaxed), 1);
            })
        });
        written.store(1, Ordering::Relaxed);
        assert!(event.set());
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(event.word.load(Ordering::Relaxed), SET);
    });
}
