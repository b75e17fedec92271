//! The order that the crate's page promises, for workers of any habits.

use proptest::prelude::*;

use crate::{CAPACITY, Claim, HALF, Injector, LocalQueue};

/// An item that remembers its way.
struct Traveller {
    id: usize,
    overflows: usize,
    /// If it went to the injector: how many were ahead of it, and at which taking.
    moved: Option<(usize, usize)>,
}

type Item = Box<Traveller>;

struct Worker<'a> {
    claim: Claim<'a, Item>,
    shared: &'a Injector<Item>,
    next: usize,
    takings: usize,
    visit_every: usize,
    batch: usize,
}

impl Worker<'_> {
    fn spawn(&mut self) {
        let item = Box::new(Traveller { id: self.next, overflows: 0, moved: None });
        self.next += 1;
        let Err(full) = self.claim.push(item) else { return };
        let ahead = self.shared.len();
        let overflow = self.claim.overflow(full).into_iter().enumerate();
        self.shared.push_batch(overflow.map(|(i, mut item)| {
            item.overflows += 1;
            item.moved = Some((ahead + i, self.takings));
            item
        }));
    }

    fn take(&mut self) -> Option<Item> {
        self.takings += 1;
        let injected = if self.takings % self.visit_every == 0 { self.visit() } else { None };
        injected.or_else(|| self.claim.pop()).or_else(|| self.visit())
    }

    /// A visit to the injector, checking when what comes from there was due.
    fn visit(&mut self) -> Option<Item> {
        let before = self.claim.queue().len();
        let first = self.shared.pop_batch(&self.claim, self.batch)?;
        let (ahead, since) = first.moved.unwrap();
        assert!(self.takings - since <= (ahead + 1) * self.visit_every);
        assert!(self.claim.queue().len() <= before.max(HALF));
        Some(first)
    }
}

proptest! {
    /// Pitfall 52: overflow moved the older half first. Here no item overflows twice, none of the
    /// older half ever does, and whoever does comes back within the stated bound.
    #[test]
    fn overflow_delays_each_item_once_and_for_a_bounded_time(
        bursts in prop::collection::vec((0..120_usize, 0..120_usize), 1..60),
        visit_every in 1..62_usize,
        batch in 1..300_usize,
    ) {
        let (queue, shared) = (LocalQueue::new(), Injector::new());
        let claim = queue.claim().unwrap();
        let mut worker =
            Worker { claim, shared: &shared, next: 0, takings: 0, visit_every, batch };
        let mut stayed = None;
        let mut taken = Vec::new();
        let drain = core::iter::once((0, usize::MAX));
        for (spawns, takes) in bursts.into_iter().chain(drain) {
            for _ in 0..spawns {
                worker.spawn();
            }
            for _ in 0..takes {
                let Some(item) = worker.take() else { break };
                prop_assert!(item.overflows <= 1);
                if item.moved.is_none() {
                    // Those that stayed in the ring come in the order in which they went in.
                    prop_assert!(stayed < Some(item.id));
                    stayed = Some(item.id);
                }
                taken.push(item.id);
            }
        }
        taken.sort_unstable();
        prop_assert!(taken.into_iter().eq(0..worker.next));
    }

    /// Once in the front half, an item is run before anything that is pushed later, whatever the
    /// owner pushes.
    #[test]
    fn the_front_half_stays_in_front(
        stands in 1..=HALF,
        later in 0..3 * CAPACITY,
    ) {
        let (queue, shared) = (LocalQueue::new(), Injector::new());
        let claim = queue.claim().unwrap();
        for id in 0..stands + later {
            if let Err(full) = claim.push(Box::new(id)) {
                shared.push_overflow(claim.overflow(full));
            }
        }
        for id in 0..stands {
            prop_assert_eq!(claim.pop(), Some(Box::new(id)));
        }
    }
}
