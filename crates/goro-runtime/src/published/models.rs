//! A model of the task in hand: named right, or not at all.

use super::Published;
use goro_context::task::Identity;
use goro_shim::Arc;
use loom::thread;

/// The monitor reports a task that is long in one poll, and must not report the next one for it.
#[test]
fn who_is_named_is_in_the_poll_that_goes_on() {
    loom::model(|| {
        let published = Arc::new(Published::default());
        let of = |id| Identity::from_bits(id).expect("not zero");
        published.begin(of(1));
        let owner = {
            let published = Arc::clone(&published);
            thread::spawn(move || {
                let _nobody_asks = published.end();
                published.begin(of(2));
                published.sequence()
            })
        };
        let before = published.sequence();
        let named = published.in_hand().map(|task| task.id.get());
        let after = published.sequence();
        let second = owner.join().unwrap();
        if before == after {
            // Nothing has moved meanwhile: it is this poll's task, or between the two nobody.
            let expected = match before {
                1 => Some(1),
                at if at == second => Some(2),
                _ => None,
            };
            assert_eq!(named, expected);
        }
    });
}
