use core::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::testing::cases;

fn poll(future: &mut WaitAtBarrier<'_>) -> Poll<BarrierWait> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
#[should_panic(expected = "use Barrier::new(1)")]
fn a_barrier_of_nobody_is_refused() {
    drop(Barrier::new(0));
}

#[test]
fn a_barrier_of_one_lets_everybody_through() {
    let barrier = Barrier::new(1);
    for _ in 0..3 {
        assert_eq!(poll(&mut barrier.wait()), Poll::Ready(BarrierWait { leader: true }));
    }
}

/// A waiter that is dropped has not arrived; one that is dropped after it was let go has.
#[test]
fn who_is_dropped_does_not_wedge_it() {
    let barrier = Barrier::new(2);
    let mut dropped = barrier.wait();
    assert!(poll(&mut dropped).is_pending());
    drop(dropped);
    let mut stays = barrier.wait();
    assert!(poll(&mut stays).is_pending(), "nobody else is there");
    assert!(poll(&mut barrier.wait()).is_ready());
    drop(stays);
    assert!(poll(&mut barrier.wait()).is_pending(), "another round");
}

proptest! {
    #![proptest_config(cases())]

    /// Rounds are as large as they should be, whoever comes, is polled and dropped.
    #[test]
    fn nobody_passes_alone(
        number in 1_usize..5,
        acts in prop::collection::vec((0_u8..4, 0_usize..6), 0..60),
    ) {
        let barrier = Barrier::new(number);
        // In line, or let go and not polled since.
        let mut futures: Vec<(WaitAtBarrier<'_>, bool)> = Vec::new();
        for (act, at) in acts {
            let waiting = futures.iter().filter(|(_, gone)| !gone).count();
            match act {
                0 | 1 => {
                    let mut future = barrier.wait();
                    match poll(&mut future) {
                        Poll::Ready(wait) => {
                            prop_assert!(wait.is_leader());
                            prop_assert_eq!(waiting + 1, number);
                            futures.iter_mut().for_each(|(_, gone)| *gone = true);
                        }
                        Poll::Pending => {
                            prop_assert!(waiting + 1 < number);
                            futures.push((future, false));
                        }
                    }
                }
                2 if at < futures.len() => {
                    let (future, gone) = &mut futures[at];
                    let polled = poll(future);
                    prop_assert_eq!(polled.is_ready(), *gone);
                    if polled.is_ready() {
                        prop_assert_eq!(polled, Poll::Ready(BarrierWait { leader: false }));
                        drop(futures.remove(at));
                    }
                }
                3 if at < futures.len() => drop(futures.remove(at)),
                _ => {}
            }
        }
    }
}
