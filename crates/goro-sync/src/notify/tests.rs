use core::task::Waker;
use std::collections::VecDeque;
use std::task::Wake;

use goro_shim::Arc;
use goro_shim::atomic::AtomicU32;
use proptest::prelude::*;

use super::*;
use crate::testing::cases;

#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn poll(future: &mut Notified<'_>, wakes: &Arc<Wakes>) -> bool {
    let waker = Waker::from(Arc::clone(wakes));
    Pin::new(future).poll(&mut Context::from_waker(&waker)).is_ready()
}

#[test]
fn one_is_kept_however_many_came() {
    let (notify, wakes) = (Notify::new(), Arc::default());
    notify.notify_one();
    notify.notify_one();
    assert!(poll(&mut notify.notified(), &wakes));
    assert!(!poll(&mut notify.notified(), &wakes));
}

#[test]
fn all_that_were_made_before_are_told_also_those_that_were_not_polled() {
    let (notify, wakes) = (Notify::new(), Arc::default());
    let (mut polled, mut made) = (notify.notified(), notify.notified());
    assert!(!poll(&mut polled, &wakes));
    notify.notify_waiters();
    let mut later = notify.notified();
    assert!(poll(&mut polled, &wakes) && poll(&mut made, &wakes));
    assert!(!poll(&mut later, &wakes));
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Make,
    Poll(usize),
    Drop(usize),
    One,
    All,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Make),
        5 => (0_usize..6).prop_map(Act::Poll),
        3 => (0_usize..6).prop_map(Act::Drop),
        3 => Just(Act::One),
        1 => Just(Act::All),
    ]
}

/// What a future is to the model.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Made,
    InLine,
    ToldByOne,
    ToldWithAll,
}

/// The rules, written down: who is told by what, and where a notification goes.
#[derive(Default)]
struct Model {
    futures: Vec<(usize, Is)>,
    line: VecDeque<usize>,
    kept: bool,
}

impl Model {
    fn of(&mut self, id: usize) -> &mut Is {
        &mut self.futures.iter_mut().find(|(known, _)| *known == id).unwrap().1
    }

    fn one(&mut self) {
        match self.line.pop_front() {
            Some(id) => *self.of(id) = Is::ToldByOne,
            None => self.kept = true,
        }
    }

    fn all(&mut self) {
        self.line.clear();
        for (_, is) in &mut self.futures {
            if *is != Is::ToldByOne {
                *is = Is::ToldWithAll;
            }
        }
    }

    /// Whether the future is ready.
    fn poll(&mut self, id: usize) -> bool {
        let is = *self.of(id);
        match is {
            Is::ToldByOne | Is::ToldWithAll => true,
            Is::InLine => false,
            Is::Made if core::mem::take(&mut self.kept) => true,
            Is::Made => {
                *self.of(id) = Is::InLine;
                self.line.push_back(id);
                false
            }
        }
    }

    fn leave(&mut self, id: usize, told: bool) {
        let was = *self.of(id);
        self.futures.retain(|(known, _)| *known != id);
        self.line.retain(|known| *known != id);
        if was == Is::ToldByOne && !told {
            self.one();
        }
    }
}

fn agrees(acts: &[Act]) {
    let notify = Notify::new();
    let mut model = Model::default();
    let mut futures: Vec<(usize, Notified<'_>, Arc<Wakes>)> = Vec::new();
    for (id, &act) in acts.iter().enumerate() {
        match act {
            Act::Make => {
                futures.push((id, notify.notified(), Arc::default()));
                model.futures.push((id, Is::Made));
            }
            Act::Poll(at) if at < futures.len() => {
                let (id, future, wakes) = &mut futures[at];
                let ready = poll(future, wakes);
                assert_eq!(ready, model.poll(*id), "{id} of {acts:?}");
                if ready {
                    model.leave(*id, true);
                    drop(futures.remove(at));
                }
            }
            Act::Drop(at) if at < futures.len() => {
                let (id, ..) = futures.remove(at);
                model.leave(id, false);
            }
            Act::One => {
                notify.notify_one();
                model.one();
            }
            Act::All => {
                notify.notify_waiters();
                model.all();
            }
            Act::Poll(_) | Act::Drop(_) => {}
        }
        for (id, _, wakes) in &futures {
            let stands = matches!(*model.of(*id), Is::Made | Is::InLine);
            let woken = wakes.0.load(Ordering::Acquire) > 0;
            // One that was made and not polled has left no waker.
            assert!(!(stands && woken), "{id} was woken for nothing: {acts:?}");
        }
        assert_eq!(notify.word.load(Ordering::Relaxed) & PERMIT != 0, model.kept, "{acts:?}");
    }
}

proptest! {
    #![proptest_config(cases())]

    /// Pitfall 110: a notification goes where the rules say, and nowhere else.
    #[test]
    fn the_rules_are_kept(acts in prop::collection::vec(act(), 0..40)) {
        agrees(&acts);
    }
}
