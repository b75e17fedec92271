use core::task::Waker;

use super::*;

fn poll(future: &mut WaitForEvent<'_>) -> bool {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn once_set_all_pass_until_it_is_reset() {
    let event = Event::new();
    let (mut one, mut two) = (event.wait(), event.wait());
    assert!(!poll(&mut one) && !poll(&mut two));
    assert!(event.set() && !event.set() && event.is_set());
    assert!(poll(&mut one) && poll(&mut event.wait()));
    assert!(event.reset() && !event.reset());
    assert!(poll(&mut two), "it stood in line when it was set");
    assert!(!poll(&mut event.wait()));
}

#[test]
fn who_is_dropped_is_forgotten() {
    let event = Event::new();
    for _ in 0..100 {
        assert!(!poll(&mut event.wait()));
    }
    assert_eq!(event.line().lock().waiting(), 0);
    event.set();
    assert_eq!(format!("{event:?}"), "Event { set: true, .. }");
}
