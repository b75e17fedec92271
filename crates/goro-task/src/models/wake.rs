//! Wakes against polls, completion and the end of everything.

use loom::thread;

use super::*;

/// A parked task with both flags down, and a waker of its.
fn parked(
    home: &'static Hand,
) -> (JoinHandle<Counted>, Waker, Arc<[atomic::AtomicBool; 2]>, global::Arc<AtomicUsize>) {
    let future = Flags::new();
    let (flags, drops) = (future.flags.clone(), future.drops.clone());
    let mailbox = future.mailbox.clone();
    let (task, handle) = spawn(home, future);
    assert_eq!(home.run(task), None);
    let waker = mailbox.lock().take().unwrap();
    (handle, waker, flags, drops)
}

fn raise(flags: &[atomic::AtomicBool; 2], which: usize) {
    flags[which].store(true, atomic::Ordering::Relaxed);
}

fn expect_done(home: &'static Hand, mut handle: JoinHandle<Counted>, drops: &AtomicUsize) {
    home.drain();
    assert!(home.registry.is_empty());
    assert!(matches!(poll_once(&mut handle, Waker::noop()), Poll::Ready(Ok(_))));
    drop(handle);
    assert_eq!(drops.load(Ordering::Relaxed), DONE);
}

/// A wake that comes while the task is being polled is not lost, and its data is seen.
#[test]
fn a_wake_during_a_poll_leads_to_another_poll_that_sees_its_data() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        raise(&flags, 0);
        let other = {
            let (waker, flags) = (waker.clone(), flags.clone());
            thread::spawn(move || {
                raise(&flags, 1);
                waker.wake();
            })
        };
        waker.wake_by_ref();
        home.drain();
        other.join().unwrap();
        drop(waker);
        expect_done(home, handle, &drops);
    });
}

/// Pitfall 26: two wakers publish relaxed data, then wake; whichever of them finds the task already
/// notified, the poll must see both.
#[test]
fn the_data_of_two_wakers_is_seen_whichever_of_them_came_second() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        let other = {
            let (waker, flags) = (waker.clone(), flags.clone());
            thread::spawn(move || {
                raise(&flags, 1);
                waker.wake();
            })
        };
        raise(&flags, 0);
        waker.wake();
        // Whoever was first has queued the task; it may run before the other one wakes.
        home.drain();
        other.join().unwrap();
        expect_done(home, handle, &drops);
    });
}

/// As above, with the poll on a third thread.
#[test]
fn two_wakers_and_a_poller_on_three_threads_lose_nothing() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        let wakers: Vec<_> = [(waker.clone(), 0), (waker, 1)]
            .into_iter()
            .map(|(waker, which)| {
                let flags = flags.clone();
                thread::spawn(move || {
                    raise(&flags, which);
                    waker.wake_by_ref();
                    drop(waker);
                })
            })
            .collect();
        home.drain();
        for waker in wakers {
            waker.join().unwrap();
        }
        expect_done(home, handle, &drops);
    });
}

/// A wake that comes as the task ends does nothing, and the last one frees.
#[test]
fn a_wake_at_the_end_neither_queues_nor_frees_twice() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        raise(&flags, 0);
        raise(&flags, 1);
        let others = (waker.clone(), waker.clone());
        let other = thread::spawn(move || {
            others.0.wake();
            others.1.wake_by_ref();
        });
        waker.wake();
        home.drain();
        drop(handle);
        other.join().unwrap();
        home.drain();
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// A wake that comes as the task first parks finds the home that is being written down.
#[test]
fn a_wake_as_the_task_first_parks_finds_its_home() {
    for by_value in [false, true] {
        loom::model(move || {
            let (spawned_at, parks_at) = (Hand::leak(), Hand::leak());
            let future = Flags::new();
            let (flags, drops) = (future.flags.clone(), future.drops.clone());
            let mailbox = future.mailbox.clone();
            let (task, handle) = spawn(spawned_at, future);
            let worker = thread::spawn(move || parks_at.run(task));
            thread::yield_now();
            // No model sees this lock: nothing but the task orders the wake after the park.
            let waker = mailbox.lock().take();
            raise(&flags, 0);
            raise(&flags, 1);
            if let Some(waker) = waker {
                if by_value {
                    waker.wake();
                } else {
                    waker.wake_by_ref();
                }
                parks_at.drain();
            }
            worker.join().unwrap();
            // Too early to find a waker: one is there by now, unless the poll saw the flags.
            if let Some(waker) = mailbox.lock().take() {
                waker.wake();
            }
            assert!(spawned_at.take().is_none());
            expect_done(parks_at, handle, &drops);
        });
    }
}

/// The state a poll leaves on one worker is what the next worker polls.
#[test]
fn a_task_goes_from_worker_to_worker_with_all_its_state() {
    struct Steps {
        // Not atomic: the model watches that no two polls touch the future at once.
        polls: usize,
        mailbox: global::Arc<global::Lock<Option<Waker>>>,
    }
    impl Future for Steps {
        type Output = usize;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
            self.polls += 1;
            let waker = cx.waker().clone();
            let before = self.mailbox.lock().replace(waker);
            drop(before);
            if self.polls == 3 { Poll::Ready(self.polls) } else { Poll::Pending }
        }
    }

    loom::model(|| {
        let home = Hand::leak();
        let mailbox = global::Arc::<global::Lock<Option<Waker>>>::default();
        let (task, mut handle) = spawn(home, Steps { polls: 0, mailbox: mailbox.clone() });
        assert_eq!(home.run(task), None);
        let waker = mailbox.lock().take().unwrap();
        let other = {
            let waker = waker.clone();
            thread::spawn(move || {
                waker.wake();
                home.drain();
            })
        };
        waker.wake();
        home.drain();
        other.join().unwrap();
        // Two wakes may have met in one poll.
        if !handle.is_finished() {
            mailbox.lock().take().unwrap().wake();
            home.drain();
        }
        drop(mailbox.lock().take());
        assert!(matches!(poll_once(&mut handle, Waker::noop()), Poll::Ready(Ok(3))));
    });
}

/// A waker may outlive the task, its handle and its run; the last one frees.
#[test]
fn a_waker_may_outlive_everything() {
    loom::model(|| {
        let home = Hand::leak();
        let (handle, waker, flags, drops) = parked(home);
        raise(&flags, 0);
        raise(&flags, 1);
        waker.wake_by_ref();
        let other = thread::spawn(move || {
            waker.wake_by_ref();
            let again = waker.clone();
            drop(waker);
            again.wake();
        });
        home.drain();
        drop(handle);
        other.join().unwrap();
        assert!(home.take().is_none());
        assert_eq!(drops.load(Ordering::Relaxed), DONE);
    });
}

/// Pitfall 23: the home drops the runnable inside the dispatch of a wake that was the last
/// reference, while the handle goes too.
#[test]
fn the_last_reference_may_go_inside_the_dispatch() {
    loom::model(|| {
        let home = Hand::leak_refusing();
        let (handle, waker, _flags, drops) = parked(home);
        let other = thread::spawn(move || waker.wake());
        drop(handle);
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
        assert!(home.registry.is_empty());
    });
}

/// As above, with a second waker that goes at the same time.
#[test]
fn a_dispatch_that_cancels_races_with_another_waker() {
    loom::model(|| {
        let home = Hand::leak_refusing();
        let (handle, waker, _flags, drops) = parked(home);
        drop(handle);
        let other = {
            let waker = waker.clone();
            thread::spawn(move || waker.wake_by_ref())
        };
        waker.wake();
        other.join().unwrap();
        assert_eq!(drops.load(Ordering::Relaxed), CANCELLED);
    });
}
