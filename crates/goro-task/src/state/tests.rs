use super::*;

fn spawned_with(wakes: u64, refs: u64) -> Word {
    Word(AtomicU64::new(LIVE | JOIN | (wakes * WAKE) | (refs * REF)))
}

fn raw(word: &Word) -> u64 {
    word.0.load(Ordering::Relaxed)
}

fn seen(word: &Word) -> Seen {
    match word.begin_poll() {
        Begin::Poll(seen) => seen,
        Begin::Abort(reason) => panic!("aborted: {reason:?}"),
        Begin::Asked(_, reason) => panic!("asked to end: {reason:?}"),
    }
}

/// The word's fields neither overlap nor leave the word.
#[test]
fn the_fields_fill_the_word_without_overlap() {
    let fields = [LIVE, ABORT, JOIN, DETACH, JWAKER, REASON, REFS, !(WAKE - 1)];
    assert_eq!(fields.iter().fold(0, |all, field| all | field), u64::MAX);
    assert_eq!(fields.iter().map(|field| field.count_ones()).sum::<u32>(), 64);
}

/// Pitfall 24, for a question: it finds the runnable, or makes one.
#[test]
fn the_first_question_counts_and_an_abort_keeps_its_reason() {
    let word = spawned_with(0, 0);
    assert_eq!(word.ask(Reason(3)), Some(Wake::Schedule));
    assert_eq!(word.ask(Reason(2)), None);
    let Begin::Asked(seen, reason) = word.begin_poll() else { panic!("it was asked") };
    assert_eq!((reason, word.end_pending(seen)), (Reason(3), End::Parked));
    assert_eq!(word.abort(Reason(2)), Some(Wake::Schedule));
    assert_eq!(word.begin_poll(), Begin::Abort(Reason(3)));
    assert_eq!(word.ask(Reason(1)), None, "it was aborted");
}

#[test]
fn only_the_first_wake_of_a_parked_task_owns_the_runnable() {
    let word = spawned_with(0, 3);
    assert_eq!(word.wake_by_ref(), Wake::Schedule);
    assert_eq!(word.wake_by_ref(), Wake::Nothing);
    assert_eq!(word.wake_owned(), WakeOwned::Nothing);
    assert_eq!(raw(&word), raw(&spawned_with(3, 2)));
}

#[test]
fn an_owned_wake_of_a_parked_task_gives_up_its_reference_and_owns_the_runnable() {
    let word = spawned_with(0, 1);
    assert_eq!(word.wake_owned(), WakeOwned::Schedule);
    assert_eq!(raw(&word), raw(&spawned_with(1, 0)));
}

#[test]
fn a_poll_takes_the_wakes_it_has_seen_and_leaves_those_that_came_meanwhile() {
    let word = spawned_with(2, 1);
    let first = seen(&word);
    assert!(word.would_park(first));
    assert_eq!(word.wake_by_ref(), Wake::Nothing);
    assert!(!word.would_park(first));
    assert_eq!(word.end_pending(first), End::Again);
    let second = seen(&word);
    assert_eq!(word.end_pending(second), End::Parked);
    assert_eq!(raw(&word), raw(&spawned_with(0, 1)));
}

#[test]
fn wakes_saturate_without_wrapping_and_count_again_after_the_poll() {
    let limit = MAX_WAKES / WAKE;
    let word = spawned_with(limit - 1, 2);
    let first = seen(&word);
    for _ in 0..5 {
        assert_eq!(word.wake_by_ref(), Wake::Nothing);
    }
    assert_eq!(raw(&word), raw(&spawned_with(limit, 2)), "the limit is reached and kept");
    assert_eq!(word.wake_owned(), WakeOwned::Nothing);
    assert_eq!(raw(&word), raw(&spawned_with(limit, 1)), "the reference is given up all the same");
    assert_eq!(word.end_pending(first), End::Again);
    assert_eq!(word.wake_by_ref(), Wake::Nothing);
    assert_eq!(raw(&word), raw(&spawned_with(2, 1)));
}

/// A poll that begins at the limit counts the wakes that come during it.
#[test]
fn a_wake_during_a_poll_that_began_at_the_limit_is_not_lost() {
    let limit = MAX_WAKES / WAKE;
    for overshoot in [0, 1, 1000] {
        let word = spawned_with(limit + overshoot, 1);
        let first = seen(&word);
        assert_eq!(raw(&word), raw(&spawned_with(1, 1)), "one wake stays, for the runnable");
        assert_eq!(word.wake_by_ref(), Wake::Nothing);
        assert_eq!(word.end_pending(first), End::Again);
        let second = seen(&word);
        assert_eq!(word.end_pending(second), End::Parked);
    }
}

#[test]
fn an_abort_at_saturation_marks_without_counting() {
    let limit = MAX_WAKES / WAKE;
    let word = spawned_with(limit, 0);
    assert_eq!(word.abort(Reason(3)), Some(Wake::Nothing));
    assert_eq!(wakes(raw(&word)), MAX_WAKES);
    assert_eq!(word.begin_poll(), Begin::Abort(Reason(3)));
}

#[test]
fn the_first_abort_counts_and_owns_the_runnable_of_a_parked_task() {
    let word = spawned_with(0, 0);
    assert_eq!(word.abort(Reason(2)), Some(Wake::Schedule));
    assert_eq!(word.abort(Reason(1)), None);
    assert_eq!(word.begin_poll(), Begin::Abort(Reason(2)));
}

#[test]
fn an_ended_task_can_be_neither_woken_nor_aborted() {
    let word = spawned_with(1, 2);
    assert_eq!(word.finish(), Finish::Handed);
    let before = raw(&word);
    assert_eq!(word.wake_by_ref(), Wake::Nothing);
    assert_eq!(word.abort(Reason(0)), None);
    assert_eq!(raw(&word), before);
    assert_eq!(word.wake_owned(), WakeOwned::Nothing);
    assert_eq!(word.leave_ended(), Left::Held);
    assert_eq!(word.wake_owned(), WakeOwned::Free);
}

/// Every order in which handle, completer and one waker can leave frees exactly once, last.
#[test]
fn whoever_leaves_last_frees() {
    let word = spawned_with(1, 1);
    assert_eq!(word.finish(), Finish::Handed);
    assert_eq!(word.drop_ref(), Left::Held);
    assert_eq!(word.leave_ended(), Left::Free);

    let word = spawned_with(1, 1);
    assert_eq!(word.detach(false), Progress::Live);
    assert_eq!(word.finish(), Finish::Detached);
    assert_eq!(word.leave_detached(), Left::Held);
    assert_eq!(word.drop_ref(), Left::Free);

    let word = spawned_with(1, 0);
    assert_eq!(word.detach(false), Progress::Live);
    assert_eq!(word.finish(), Finish::Detached);
    assert_eq!(word.leave_detached(), Left::Free);

    let word = Word::detached();
    assert_eq!(word.finish(), Finish::Detached);
    assert_eq!(word.leave_detached(), Left::Free);
}

#[test]
fn the_completer_holds_the_memory_while_it_has_the_slot() {
    let word = spawned_with(1, 0);
    assert_eq!(word.publish_slot(), Progress::Live);
    assert_eq!(word.finish(), Finish::WakeJoiner);
    assert_eq!(word.progress(), Progress::Ended);
    assert_eq!(word.leave_ended(), Left::Held);
    assert_eq!(word.leave_slot(), Left::Free);
}

#[test]
fn a_reclaimed_slot_is_not_the_completers() {
    let word = spawned_with(1, 0);
    assert_eq!(word.publish_slot(), Progress::Live);
    assert_eq!(word.reclaim_slot(), Progress::Live);
    assert_eq!(word.finish(), Finish::Handed);

    let word = spawned_with(1, 0);
    assert_eq!(word.publish_slot(), Progress::Live);
    assert_eq!(word.detach(true), Progress::Live);
    assert_eq!(word.finish(), Finish::Detached);
    assert_eq!(word.leave_detached(), Left::Free);
}

#[test]
fn a_slot_offered_too_late_is_taken_back() {
    let word = spawned_with(1, 0);
    assert_eq!(word.finish(), Finish::Handed);
    assert_eq!(word.publish_slot(), Progress::Ended);
    word.retract_slot();
    assert_eq!(word.leave_ended(), Left::Free);
}

#[test]
fn a_snapshot_tells_parked_from_running_and_referenced_from_stuck() {
    let parked = spawned_with(0, 1).snapshot();
    assert!(parked.is_live() && parked.is_parked() && parked.has_handle());
    assert!(!parked.is_unreferenced() && !parked.is_aborted());
    let stuck = spawned_with(0, 0).snapshot();
    assert!(stuck.is_parked() && stuck.is_unreferenced());
    let running = Word::detached().snapshot();
    assert!(running.is_live() && !running.is_parked() && !running.has_handle());
}
