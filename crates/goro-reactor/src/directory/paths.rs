//! Where tokens lead, against a map of who is there; and sources that the kernel never sees.

use std::collections::HashMap;

use mio::event::Source;

use super::*;
use crate::interest::Direction;
use crate::watch::Seen;

/// A source that the kernel never sees.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) refuse: Option<io::ErrorKind>,
    pub(super) withdrawals: usize,
}

impl Source for Fake {
    fn register(&mut self, _: &mio::Registry, _: mio::Token, _: mio::Interest) -> io::Result<()> {
        self.refuse.map_or(Ok(()), |kind| Err(kind.into()))
    }

    fn reregister(&mut self, _: &mio::Registry, _: mio::Token, _: mio::Interest) -> io::Result<()> {
        unreachable!("sources are registered once")
    }

    fn deregister(&mut self, _: &mio::Registry) -> io::Result<()> {
        self.withdrawals += 1;
        Ok(())
    }
}

pub(super) fn directory() -> (mio::Poll, Directory) {
    let poll = mio::Poll::new().unwrap();
    let directory = Directory::new(poll.registry().try_clone().unwrap());
    (poll, directory)
}

/// Enters a source and unsets its readiness.
pub(super) fn enter(directory: &Directory) -> (Token, Arc<Watch>) {
    let (token, watch) = directory.enter(&mut Fake::default()).unwrap();
    lower(&watch);
    (token, watch)
}

pub(super) fn lower(watch: &Watch) {
    for direction in [Direction::Read, Direction::Write] {
        if let Seen::Ready(ready) = watch.look(direction) {
            watch.clear(ready);
        }
    }
}

pub(super) fn is_ready(watch: &Watch) -> bool {
    matches!(watch.look(Direction::Read), Seen::Ready(_))
}

pub(super) fn deliver(directory: &Directory, tokens: &[Token]) -> usize {
    let events = tokens.iter().map(|&token| (token, Directions::BOTH));
    directory.deliver(events, &mut Vec::new())
}

/// What happens to a directory.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Enter,
    Remove(usize),
    Deliver(usize),
    DeliverInvented(usize, u32),
}

/// Does `steps`, and judges where each token leads.
pub(super) fn check_steps(steps: Vec<Step>) {
    let (_poll, directory) = directory();
    let mut issued = Vec::new();
    let mut living = HashMap::new();
    for step in steps {
        let token = match step {
            Step::Enter => {
                let (token, watch) = enter(&directory);
                assert!(!issued.contains(&token));
                issued.push(token);
                living.insert(token, watch);
                continue;
            }
            Step::Remove(index) => {
                if let Some(token) = issued.get(index) {
                    directory.remove(*token);
                    living.remove(token);
                }
                continue;
            }
            Step::Deliver(index) if index < issued.len() => issued[index],
            Step::Deliver(_) => continue,
            Step::DeliverInvented(key, generation) => Token::new(key, generation),
        };
        let delivered = deliver(&directory, &[token]);
        assert_eq!(delivered, usize::from(living.contains_key(&token)));
        for (its, watch) in &living {
            assert_eq!(is_ready(watch), *its == token);
            lower(watch);
        }
        assert_eq!(directory.len(), living.len());
    }
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    check_steps(crate::fuzzing::steps(&mut arbitrary::Unstructured::new(bytes), |from| {
        Ok(match from.int_in_range(0..=8)? {
            0..3 => Step::Enter,
            3..5 => Step::Remove(from.int_in_range(0..=63)?),
            5..8 => Step::Deliver(from.int_in_range(0..=63)?),
            _ => Step::DeliverInvented(from.int_in_range(0..=39)?, from.arbitrary()?),
        })
    }));
}
