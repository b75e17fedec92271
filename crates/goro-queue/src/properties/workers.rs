//! Several queues and an injector, one step at a time, against plain lists.

use std::collections::VecDeque;

#[cfg(test)]
use proptest::prelude::*;

use crate::{CAPACITY, Claim, HALF, Injector, LocalQueue};

const WORKERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A worker pushes this many, moving to the injector what has no room.
    Push(usize, usize),
    Pop(usize, usize),
    PutNext(usize),
    TakeNext(usize),
    StealNext(usize),
    /// The first steals from the second.
    Steal(usize, usize),
    Inject,
    InjectBatch(usize),
    PopInjector,
    PopBatch(usize, usize),
}

#[cfg(test)]
fn step() -> impl Strategy<Value = Step> {
    let worker = 0..WORKERS;
    prop_oneof![
        (worker.clone(), 1..200_usize).prop_map(|(w, n)| Step::Push(w, n)),
        (worker.clone(), 1..200_usize).prop_map(|(w, n)| Step::Pop(w, n)),
        worker.clone().prop_map(Step::PutNext),
        worker.clone().prop_map(Step::TakeNext),
        worker.clone().prop_map(Step::StealNext),
        (worker.clone(), worker.clone()).prop_map(|(to, from)| Step::Steal(to, from)),
        Just(Step::Inject),
        (0..400_usize).prop_map(Step::InjectBatch),
        Just(Step::PopInjector),
        (worker, 0..300_usize).prop_map(|(w, max)| Step::PopBatch(w, max)),
    ]
}

#[derive(Default)]
struct Model {
    next: usize,
    rings: [VecDeque<usize>; WORKERS],
    slots: [Option<usize>; WORKERS],
    shared: VecDeque<usize>,
}

impl Model {
    fn make(&mut self) -> Box<usize> {
        self.next += 1;
        Box::new(self.next)
    }

    fn push(&mut self, worker: usize) {
        let ring = &mut self.rings[worker];
        if ring.len() == CAPACITY {
            self.shared.extend(ring.split_off(HALF));
            self.shared.push_back(self.next);
        } else {
            ring.push_back(self.next);
        }
    }
}

struct World<'a> {
    claims: [Claim<'a, Box<usize>>; WORKERS],
    shared: Injector<Box<usize>>,
    model: Model,
}

fn unbox(item: Option<Box<usize>>) -> Option<usize> {
    item.map(|item| *item)
}

fn apply(world: &mut World<'_>, step: &Step) {
    let World { claims, shared, model } = world;
    match *step {
        Step::Push(w, count) => {
            for _ in 0..count {
                let item = model.make();
                model.push(w);
                if let Err(full) = claims[w].push(item) {
                    shared.push_overflow(claims[w].overflow(full));
                }
            }
        }
        Step::Pop(w, count) => {
            for _ in 0..count {
                assert_eq!(unbox(claims[w].pop()), model.rings[w].pop_front());
            }
        }
        Step::PutNext(w) => {
            let item = model.make();
            let displaced = model.slots[w].replace(model.next);
            assert_eq!(unbox(claims[w].put_next(item)), displaced);
        }
        Step::TakeNext(w) => assert_eq!(unbox(claims[w].take_next()), model.slots[w].take()),
        Step::StealNext(w) => {
            assert_eq!(unbox(claims[w].queue().steal_next()), model.slots[w].take());
        }
        Step::Steal(to, from) => {
            let stolen = unbox(claims[from].queue().steal_half(&claims[to]));
            if to == from {
                assert_eq!(stolen, None);
                return;
            }
            let room = HALF.saturating_sub(model.rings[to].len());
            let count = model.rings[from].len().div_ceil(2).min(HALF).min(room + 1);
            let mut moved: VecDeque<_> = model.rings[from].drain(..count).collect();
            assert_eq!(stolen, moved.pop_front());
            model.rings[to].extend(moved);
        }
        Step::Inject => {
            shared.push(model.make());
            model.shared.push_back(model.next);
        }
        Step::InjectBatch(count) => {
            let ids = model.next + 1..=model.next + count;
            model.next += count;
            shared.push_batch(ids.clone().map(Box::new));
            model.shared.extend(ids);
        }
        Step::PopInjector => assert_eq!(unbox(shared.pop()), model.shared.pop_front()),
        Step::PopBatch(w, max) => {
            let room = HALF.saturating_sub(model.rings[w].len());
            let count = model.shared.len().min(max).min(room + 1);
            let mut moved: VecDeque<_> = model.shared.drain(..count).collect();
            assert_eq!(unbox(shared.pop_batch(&claims[w], max)), moved.pop_front());
            model.rings[w].extend(moved);
        }
    }
}

fn run(steps: &[Step]) {
    let queues: [LocalQueue<Box<usize>>; WORKERS] = core::array::from_fn(|_| LocalQueue::new());
    let claims = core::array::from_fn(|w| queues[w].claim().unwrap());
    let mut world = World { claims, shared: Injector::new(), model: Model::default() };
    for step in steps {
        apply(&mut world, step);
        for (claim, ring) in world.claims.iter().zip(&world.model.rings) {
            assert_eq!(claim.queue().len(), ring.len());
        }
        assert_eq!(world.shared.len(), world.model.shared.len());
    }
    for (w, claim) in world.claims.iter().enumerate() {
        let rest: Vec<_> = core::iter::from_fn(|| unbox(claim.pop())).collect();
        assert_eq!(rest, Vec::from(core::mem::take(&mut world.model.rings[w])));
        assert_eq!(unbox(claim.take_next()), world.model.slots[w]);
    }
    let rest: Vec<_> = core::iter::from_fn(|| unbox(world.shared.pop())).collect();
    assert_eq!(rest, Vec::from(world.model.shared));
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let draw = |from: &mut arbitrary::Unstructured<'_>| {
        let w = from.int_in_range(0..=WORKERS - 1)?;
        // A few, or so many that a ring is full soon.
        let count = |from: &mut arbitrary::Unstructured<'_>| {
            let count = from.int_in_range(0..=255)?;
            Ok(if count < 128 { count / 16 } else { (count - 127) * 4 })
        };
        Ok(match from.int_in_range(0..=9)? {
            0 => Step::Push(w, count(from)?),
            1 => Step::Pop(w, count(from)?),
            2 => Step::PutNext(w),
            3 => Step::TakeNext(w),
            4 => Step::StealNext(w),
            5 => Step::Steal(w, from.int_in_range(0..=WORKERS - 1)?),
            6 => Step::Inject,
            7 => Step::InjectBatch(count(from)?),
            8 => Step::PopInjector,
            _ => Step::PopBatch(w, count(from)?),
        })
    };
    run(&crate::fuzzing::steps(&mut arbitrary::Unstructured::new(bytes), draw));
}

#[cfg(test)]
proptest! {
    /// Pitfalls 44, 52: every item exactly once, where and when the model has it.
    #[test]
    fn queues_and_injector_are_lists(steps in prop::collection::vec(step(), 0..80)) {
        run(&steps);
    }
}
