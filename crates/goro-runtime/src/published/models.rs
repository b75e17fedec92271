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
        let at = published.sequence();
        let named = published.in_hand_at(at).map(|task| task.id.get());
        let after = published.sequence();
        let second = owner.join().unwrap();
        let whose = match at {
            1 => Some(1),
            at if at == second => Some(2),
            _ => None,
        };
        match named {
            None => assert!(whose.is_none() || after != at, "its poll goes on"),
            named => assert_eq!(named, whose),
        }
    });
}
