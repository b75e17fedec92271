//! A set of sources against what they hold.

use core::cell::Cell;

use super::*;
use crate::testing::{CountingWaker, poll_with};

/// A queue that wakes who waits for it, and counts how often it is asked.
pub(super) struct Source<'a> {
    name: usize,
    world: &'a World,
}

#[derive(Default)]
pub(super) struct World {
    sources: core::cell::RefCell<Vec<Fed>>,
    pub(super) asked: Cell<usize>,
}

#[derive(Default)]
struct Fed {
    items: VecDeque<u32>,
    ended: bool,
    waker: Option<Waker>,
}

impl World {
    pub(super) fn source(&self) -> Source<'_> {
        let mut sources = self.sources.borrow_mut();
        sources.push(Fed::default());
        Source { name: sources.len() - 1, world: self }
    }

    pub(super) fn feed(&self, name: usize, item: Option<u32>) {
        let waker = {
            let fed = &mut self.sources.borrow_mut()[name];
            fed.items.extend(item);
            fed.ended |= item.is_none();
            fed.waker.take()
        };
        wait::wake_some(waker);
    }
}

impl Stream for Source<'_> {
    type Item = u32;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        self.world.asked.set(self.world.asked.get() + 1);
        let fed = &mut self.world.sources.borrow_mut()[self.name];
        match fed.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if fed.ended => Poll::Ready(None),
            None => {
                fed.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Does `steps`, and judges each: nothing that is there is left lying while the task sleeps, and each
/// source's items come in order, whatever comes and goes.
pub(super) fn check_steps(steps: &[(u8, usize)]) {
    let world = World::default();
    let mut select = Select::new();
    let (mut live, mut next) = (Vec::new(), Vec::new());
    let woken = CountingWaker::new();
    let (mut sleeps, mut fed) = (None, Vec::new());
    for &(kind, which) in steps {
        match kind {
            0 => {
                let name = next.len();
                live.push((name, select.insert(name, world.source())));
                next.push(0);
                fed.push(0);
                sleeps = None;
            }
            1 | 2 if !live.is_empty() => {
                let (name, _) = live[which % live.len()];
                let item = (kind == 1 || which > 3).then_some(fed[name]);
                if !world.sources.borrow()[name].ended {
                    fed[name] += u32::from(item.is_some());
                    world.feed(name, item);
                }
            }
            3 if !live.is_empty() => {
                let (_, branch) = live.swap_remove(which % live.len());
                assert!(select.remove(branch).is_some());
            }
            _ => match poll_with(&mut select.next(), &woken.waker()) {
                Poll::Ready(None) => assert!(live.is_empty()),
                Poll::Ready(Some(Selected::Item(name, item))) => {
                    assert_eq!(item, next[name]);
                    next[name] += 1;
                    sleeps = None;
                }
                Poll::Ready(Some(Selected::Ended(name))) => {
                    assert_eq!(next[name], fed[name]);
                    live.retain(|(live, _)| *live != name);
                    sleeps = None;
                }
                Poll::Pending => sleeps = Some(woken.count()),
            },
        }
        assert_eq!(select.len(), live.len());
        let sources = world.sources.borrow();
        let something = live.iter().any(|(name, _)| {
            let fed = &sources[*name];
            fed.ended || !fed.items.is_empty()
        });
        if let (true, Some(before)) = (something, sleeps) {
            assert!(woken.count() > before, "the task sleeps beside something");
        }
    }
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let draw = |from: &mut arbitrary::Unstructured<'_>| {
        Ok((from.int_in_range(0..=4)?, from.int_in_range(0..=5)?))
    };
    check_steps(&crate::fuzzing::steps(&mut arbitrary::Unstructured::new(bytes), draw));
}
