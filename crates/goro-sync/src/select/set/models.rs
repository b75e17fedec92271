//! Branches that are woken while the set is asked, and while it goes to wait.

use core::pin::pin;

use goro_shim::Arc as Shared;
use goro_shim::atomic::AtomicUsize;

use super::*;
use crate::block::block;
use crate::oneshot;

/// A stream of one: a oneshot's receiver.
struct Once(Option<oneshot::Receiver<u32>>);

impl Stream for Once {
    type Item = u32;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        let Some(receiver) = &mut self.0 else { return Poll::Ready(None) };
        let value = ready!(Pin::new(receiver).poll(cx));
        self.0 = None;
        Poll::Ready(value.ok())
    }
}

/// Pitfall 122: a set that ends, or sleeps, while a branch has something.
/// Two branches are woken by two threads: the set sees both, whatever it is doing.
#[test]
fn no_branchs_wake_is_lost() {
    loom::model(|| {
        let ((one, first), (two, second)) = (oneshot::channel(), oneshot::channel());
        let other = loom::thread::spawn(move || one.send(1).unwrap());
        let third = loom::thread::spawn(move || two.send(2).unwrap());
        let mut select = Select::new();
        select.insert(0, Once(Some(first)));
        select.insert(1, Once(Some(second)));
        let mut sum = 0;
        while let Some(selected) = block(select.next()) {
            if let Selected::Item(_, value) = selected {
                sum += value;
            }
        }
        assert_eq!(sum, 3);
        other.join().unwrap();
        third.join().unwrap();
    });
}

/// Pitfall 122.
/// A wake that comes while the branch is asked, and finds it in line already: what was done before it
/// is seen when the branch is asked again.
#[test]
fn a_wake_that_finds_the_branch_in_line_carries_what_came_before_it() {
    struct Counts(Shared<(AtomicUsize, loom::sync::Mutex<Option<Waker>>)>);
    impl Stream for Counts {
        type Item = ();
        fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
            *self.0.1.lock().unwrap() = Some(cx.waker().clone());
            match self.0.0.load(Ordering::Relaxed) {
                2 => Poll::Ready(Some(())),
                _ => Poll::Pending,
            }
        }
    }
    loom::model(|| {
        let shared = Shared::new((AtomicUsize::new(0), loom::sync::Mutex::new(None)));
        let mut select = Select::new();
        select.insert((), Counts(Shared::clone(&shared)));
        let mut next = pin!(select.next());
        assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let waker = shared.1.lock().unwrap().take().unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (shared, waker) = (Shared::clone(&shared), waker.clone());
                loom::thread::spawn(move || {
                    shared.0.fetch_add(1, Ordering::Relaxed);
                    waker.wake();
                })
            })
            .collect();
        assert_eq!(block(next), Some(Selected::Item((), ())));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
