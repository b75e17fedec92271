use core::cell::Cell;

use futures::executor::block_on;
use futures::{FutureExt, StreamExt, stream};
use goro_context::{CurrentTask, Kind, TaskId, budget, task};
use goro_shim::thread;
use proptest::prelude::*;

use super::model::{World, check_steps};
use super::*;
use crate::channel;
use crate::testing::{CountingWaker, cases, poll_with};

#[test]
fn only_branches_that_were_woken_are_asked() {
    let world = World::default();
    let mut select = Select::new();
    for name in 0..50 {
        select.insert(name, world.source());
    }
    assert!(poll_with(&mut select.next(), Waker::noop()).is_pending());
    assert_eq!(world.asked.replace(0), 50);
    world.feed(17, Some(1));
    world.feed(3, Some(2));
    assert_eq!(select.next().now_or_never(), Some(Some(Selected::Item(17, 1))));
    assert_eq!(select.next().now_or_never(), Some(Some(Selected::Item(3, 2))));
    assert!(select.next().now_or_never().is_none());
    // Each of the two was asked once more, in its turn.
    assert_eq!(world.asked.get(), 4);
}

#[test]
fn each_that_is_ready_has_its_turn_before_any_has_a_second_one() {
    let mut select = Select::new();
    for name in 0..5 {
        select.insert(name, stream::repeat(()));
    }
    let mut turns = Vec::new();
    while turns.len() < 1_000 {
        match select.next().now_or_never() {
            Some(Some(Selected::Item(name, ()))) => turns.push(name),
            other => panic!("{other:?}"),
        }
    }
    assert!(turns.chunks(5).all(|round| round == [0, 1, 2, 3, 4]));
}

#[test]
fn a_branch_that_is_gone_is_not_mistaken_for_the_next() {
    let world = World::default();
    let mut select = Select::new();
    let first = select.insert("first", world.source());
    assert!(select.next().now_or_never().is_none());
    assert!(select.remove(first).is_some_and(|(key, _)| key == "first"));
    let second = select.insert("second", world.source());
    assert!(first != second && select.remove(first).is_none() && select.get_mut(first).is_none());
    assert_eq!((select.len(), format!("{select:?}")), (1, "{\"second\"}".into()));
    // The first one's waker is still about: it has the second asked, and does no harm.
    assert!(select.next().now_or_never().is_none());
    world.feed(0, Some(1));
    assert!(select.next().now_or_never().is_none());
    world.feed(1, Some(2));
    assert_eq!(select.next().now_or_never(), Some(Some(Selected::Item("second", 2))));
}

#[test]
fn the_last_waker_of_the_task_is_woken_and_none_is_kept() {
    let world = World::default();
    let mut select = Select::new();
    select.insert(0, world.source());
    let wakers: Vec<_> = (0..2).map(|_| CountingWaker::new()).collect();
    for woken in &wakers {
        assert!(poll_with(&mut select.next(), &woken.waker()).is_pending());
    }
    world.feed(0, Some(1));
    assert!(wakers.iter().map(CountingWaker::count).eq([0, 1]));
    assert!(poll_with(&mut select.next(), &wakers[0].waker()).is_ready());
    assert!(poll_with(&mut select.next(), &wakers[0].waker()).is_pending());
    drop(select);
    assert!(wakers.iter().all(|woken| woken.references() == 1));
    world.feed(0, Some(2));
}

#[test]
fn a_set_that_is_always_ready_pays() {
    let _turn = task::turn(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
    let taken = Cell::new(0);
    let looping = async {
        let mut select = Select::new();
        select.insert((), stream::repeat(()));
        while select.next().await.is_some() {
            taken.set(taken.get() + 1);
        }
    };
    let polled = budget::with(100, || poll_with(&mut Box::pin(looping), Waker::noop()));
    assert_eq!((polled, taken.get()), (Poll::Pending, 100));
}

/// A branch that wakes itself whenever it is asked does not keep the task from returning.
#[test]
fn a_branch_that_yields_for_ever_holds_up_nobody() {
    let yields = stream::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<Option<()>>::Pending
    });
    let mut select = Select::new();
    select.insert(0, yields);
    let woken = CountingWaker::new();
    for round in 1..10 {
        assert!(poll_with(&mut select.next(), &woken.waker()).is_pending());
        assert_eq!(woken.count(), round);
    }
}

#[test]
fn fifty_channels_come_through_one_task() {
    let mut select = Select::new();
    let senders: Vec<_> = (0..50)
        .map(|name| {
            let (sender, receiver) = channel::bounded(2);
            let items = stream::unfold(receiver, |receiver| async {
                receiver.recv().await.ok().map(|item| (item, receiver))
            });
            select.insert(name, items.boxed());
            sender
        })
        .collect();
    let feeder = thread::start("feeder".into(), None, move || {
        for item in 0..100_u32 {
            senders.iter().for_each(|sender| sender.blocking_send(item).unwrap());
        }
    })
    .unwrap();
    let (mut next, mut ended) = ([0; 50], 0);
    block_on(async {
        while let Some(selected) = select.next().await {
            match selected {
                Selected::Item(name, item) => {
                    assert_eq!(item, next[name]);
                    next[name] += 1;
                }
                Selected::Ended(name) => ended += next[name],
            }
        }
    });
    feeder.join().unwrap();
    assert_eq!(ended, 50 * 100);
}

proptest! {
    #![proptest_config(cases())]

    /// Nothing that is there is left lying while the task sleeps, and each source's items come in
    /// order, whatever comes and goes.
    #[test]
    fn what_is_there_comes_or_the_task_is_woken(
        steps in prop::collection::vec((0..5_u8, 0..6_usize), 1..60),
    ) {
        check_steps(&steps);
    }
}
