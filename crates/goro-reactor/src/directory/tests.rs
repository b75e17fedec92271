use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use mio::unix::SourceFd;
use proptest::prelude::*;

use super::paths::{Fake, Step, check_steps, deliver, directory, enter, is_ready, lower};
use super::*;
use crate::interest::Direction;
use crate::watch::Seen;

/// Pitfall 140: late, repeated and invented tokens reach nobody they are not meant for.
#[test]
fn stale_duplicate_and_unknown_tokens_are_ignored() {
    let (_poll, directory) = directory();
    let (gone, old) = enter(&directory);
    directory.remove(gone);
    let (token, watch) = enter(&directory);
    assert_eq!(token.key(), gone.key(), "the slot is used again");
    let strange = [gone, gone, Token::new(12_345, 0), Token::NOTICE, Token::ALARM];
    assert_eq!(deliver(&directory, &strange), 0);
    assert!(!is_ready(&watch) && !is_ready(&old));
    assert_eq!(deliver(&directory, &[token, gone, token]), 2);
    assert!(is_ready(&watch));
    directory.remove(gone);
    assert_eq!(directory.len(), 1, "a stale token removes nobody");
}

/// Pitfall 142: an event with none of the known bits is nothing.
#[test]
fn an_event_about_no_direction_is_not_delivered() {
    let (_poll, directory) = directory();
    let (token, watch) = enter(&directory);
    let events = [(token, Directions::NONE)];
    assert_eq!(directory.deliver(events.into_iter(), &mut Vec::new()), 0);
    assert!(!is_ready(&watch));
}

/// Pitfall 141: an event the kernel has already handed out does not reach the next source that has
/// the same descriptor number, and the same slot.
#[test]
fn a_descriptor_number_used_again_gets_no_events_of_the_old_one() {
    // Another test's thread may snatch the number; then this one starts over.
    assert!((0..1_000).any(|_| number_is_used_again()), "the lowest free number is given out");
}

fn number_is_used_again() -> bool {
    let (mut poll, directory) = directory();
    let mut events = mio::Events::with_capacity(8);
    let (one, mut peer) = UnixStream::pair().unwrap();
    let number = one.as_raw_fd();
    let (token, _) = directory.enter(&mut SourceFd(&number)).unwrap();
    peer.write_all(b"for the old one").unwrap();
    poll.poll(&mut events, None).unwrap();
    let late: Vec<_> = events.iter().map(|e| (Token::from(e.token()), Directions::of(e))).collect();
    assert!(late.iter().any(|(to, set)| *to == token && set.has(Direction::Read)));

    directory.withdraw(&mut SourceFd(&number)).unwrap();
    directory.remove(token);
    drop(one);
    let (other, _peer) = UnixStream::pair().unwrap();
    if other.as_raw_fd() != number {
        return false;
    }
    let (next, watch) = directory.enter(&mut SourceFd(&number)).unwrap();
    lower(&watch);
    assert_eq!(next.key(), token.key());
    assert_eq!(directory.deliver(late.into_iter(), &mut Vec::new()), 0);
    assert!(!is_ready(&watch));
    true
}

/// Pitfall 144: what the kernel refuses leaves nothing behind.
#[test]
fn a_refused_registration_leaves_no_entry() {
    let (_poll, directory) = directory();
    let mut full = Fake { refuse: Some(io::ErrorKind::StorageFull), ..Fake::default() };
    for _ in 0..1_000 {
        let refused = directory.enter(&mut full).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
    assert_eq!(directory.len(), 0);
    // And by the real kernel, which takes no descriptor twice.
    let (one, _peer) = UnixStream::pair().unwrap();
    let (token, _) = directory.enter(&mut SourceFd(&one.as_raw_fd())).unwrap();
    let refused = directory.enter(&mut SourceFd(&one.as_raw_fd())).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(directory.len(), 1);
    directory.remove(token);
    assert_eq!(directory.len(), 0);
}

#[test]
fn more_events_than_a_batch_are_all_delivered() {
    let (_poll, directory) = directory();
    let sources: Vec<_> = (0..3 * BATCH + 5).map(|_| enter(&directory)).collect();
    let tokens: Vec<_> = sources.iter().map(|(token, _)| *token).collect();
    assert_eq!(deliver(&directory, &tokens), tokens.len());
    assert!(sources.iter().all(|(_, watch)| is_ready(watch)));
}

#[test]
fn after_stopping_nothing_enters_and_everyone_is_told() {
    let (_poll, directory) = directory();
    let sources: Vec<_> = (0..100).map(|_| enter(&directory)).collect();
    directory.stop(&mut Vec::new());
    for (_, watch) in &sources {
        assert_eq!(watch.look(Direction::Read), Seen::Stopped);
    }
    let refused = directory.enter(&mut Fake::default()).unwrap_err();
    assert!(refused.to_string().contains("has stopped"), "{refused}");
    assert_eq!(directory.len(), 100);
}

/// A forked child shares the kernel's set with its parent, and must leave it alone.
#[test]
fn a_forked_child_neither_enters_nor_withdraws() {
    let (_poll, mut directory) = directory();
    let mut source = Fake::default();
    directory.withdraw(&mut source).unwrap();
    assert_eq!(source.withdrawals, 1);
    directory.forks = directory.forks.wrapping_sub(1);
    let refused = directory.enter(&mut source).unwrap_err();
    assert!(refused.to_string().contains("forked process"), "{refused}");
    assert_eq!(directory.len(), 0);
    directory.withdraw(&mut source).unwrap();
    assert_eq!(source.withdrawals, 1);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Enter),
        2 => (0..64_usize).prop_map(Step::Remove),
        3 => (0..64_usize).prop_map(Step::Deliver),
        1 => (0..40_usize, any::<u32>()).prop_map(|(k, g)| Step::DeliverInvented(k, g)),
    ]
}

proptest! {
    /// Pitfall 13: places are given back and used again in any order, and no two sources share one.
    /// Generations start just below their wrap, so every run of more than a few steps crosses it.
    #[test]
    fn a_token_reaches_its_own_source_while_it_is_there_and_nobody_after(
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        check_steps(steps);
    }
}
