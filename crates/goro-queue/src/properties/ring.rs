//! A small ring with a thief that may stop anywhere, against a plain list.

use std::collections::VecDeque;

#[cfg(test)]
use proptest::prelude::*;

use crate::ring::{Bits, Ring};

const N: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Push,
    Pop,
    Shed,
    /// Stage and publish this many, as far as there is room.
    Batch(usize),
    /// A thief claims at most this many, and stops.
    Begin(usize),
    /// It reads what it claimed.
    End,
    /// Another thief comes by.
    Steal,
}

#[cfg(test)]
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        4 => Just(Step::Pop),
        1 => Just(Step::Shed),
        1 => (0..=N).prop_map(Step::Batch),
        1 => (1..=N).prop_map(Step::Begin),
        1 => Just(Step::End),
        1 => Just(Step::Steal),
    ]
}

/// Positions that soon cross an edge: of the positions, or of the marks.
#[cfg(test)]
fn start() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0..40_u64).prop_map(|back| u64::MAX - back),
        (0..40_u64).prop_map(|back| (1 << 63) - back),
        any::<u64>(),
    ]
}

/// What the ring should hold, and what the stopped thief should find.
#[derive(Default)]
struct Model {
    next: usize,
    stands: VecDeque<usize>,
    /// What the thief claimed, and how many left the ring since it began (its own included).
    claimed: Option<(Vec<usize>, usize)>,
}

impl Model {
    fn make(&mut self) -> Bits {
        self.next += 1;
        Bits::new(core::ptr::without_provenance_mut(self.next)).unwrap()
    }

    /// Places in use: what stands, and whatever has left since the thief began.
    fn used(&self) -> usize {
        self.stands.len() + self.claimed.as_ref().map_or(0, |(_, left)| *left)
    }

    fn leave(&mut self, count: usize) {
        if let Some((_, left)) = &mut self.claimed {
            *left += count;
        }
    }
}

fn number(word: Bits) -> usize {
    word.addr().get()
}

fn apply(ring: &Ring<N>, model: &mut Model, first: &mut u64, step: &Step) {
    match *step {
        Step::Push => {
            let fits = model.used() < N;
            assert_eq!(ring.push(model.make()).is_ok(), fits);
            if fits {
                model.stands.push_back(model.next);
            }
        }
        Step::Pop => {
            let expected = model.stands.pop_front();
            assert_eq!(ring.pop().map(number), expected);
            model.leave(usize::from(expected.is_some()));
        }
        Step::Shed => {
            let mut shed = Vec::new();
            let full = model.stands.len() == N;
            assert_eq!(ring.shed(|word| shed.push(number(word))), full);
            let keep = if full { N / 2 } else { model.stands.len() };
            assert_eq!(shed, Vec::from(model.stands.split_off(keep)));
        }
        Step::Batch(count) => {
            let room = (N / 2).saturating_sub(model.stands.len()).min(N - model.used());
            assert_eq!(ring.room(), room);
            for ahead in 0..count.min(room) {
                ring.stage(ahead, model.make());
                model.stands.push_back(model.next);
            }
            ring.publish(count.min(room));
        }
        Step::Begin(most) => {
            let count = model.stands.len().div_ceil(2).min(N / 2).min(most);
            let begun = ring.begin_steal(most);
            if model.claimed.is_some() || count == 0 {
                assert_eq!(begun, None);
                return;
            }
            let (position, claimed) = begun.unwrap();
            assert_eq!(claimed, count);
            *first = position;
            model.claimed = Some((model.stands.drain(..count).collect(), count));
        }
        Step::End => {
            let Some((claimed, _)) = model.claimed.take() else { return };
            for (i, expected) in claimed.into_iter().enumerate() {
                assert_eq!(number(ring.claimed(*first, i)), expected);
            }
            ring.end_steal();
        }
        Step::Steal => {
            let into = Ring::<N>::starting_at(*first);
            let oldest = ring.steal_into(&into).map(number);
            let count = model.stands.len().div_ceil(2).min(N / 2);
            if model.claimed.is_some() || count == 0 {
                assert_eq!(oldest, None);
                return;
            }
            let got: Vec<_> =
                oldest.into_iter().chain(core::iter::from_fn(|| into.pop()).map(number)).collect();
            assert_eq!(got, model.stands.drain(..count).collect::<Vec<_>>());
        }
    }
    assert_eq!(ring.len(), model.stands.len());
}

fn run(start: u64, steps: &[Step]) {
    let ring = Ring::starting_at(start);
    let mut model = Model::default();
    let mut first = start;
    for step in steps {
        apply(&ring, &mut model, &mut first, step);
    }
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let mut from = arbitrary::Unstructured::new(bytes);
    let Ok(near) = from.arbitrary::<u8>() else { return };
    let start = match near {
        0..64 => u64::MAX - u64::from(near),
        64..128 => (1 << 63) + 64 - u64::from(near),
        _ => u64::from(near),
    };
    let draw = |from: &mut arbitrary::Unstructured<'_>| {
        Ok(match from.int_in_range(0..=14)? {
            0..6 => Step::Push,
            6..10 => Step::Pop,
            10 => Step::Shed,
            11 => Step::Batch(from.int_in_range(0..=N)?),
            12 => Step::Begin(from.int_in_range(1..=N)?),
            13 => Step::End,
            _ => Step::Steal,
        })
    };
    run(start, &crate::fuzzing::steps(&mut from, draw));
}

#[cfg(test)]
proptest! {
    /// Pitfall 44: batch steal raced pop.
    #[test]
    fn a_ring_is_a_list(start in start(), steps in prop::collection::vec(step(), 0..200)) {
        run(start, &steps);
    }
}
