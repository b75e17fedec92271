use super::*;

fn waiting_for(id: TaskId) -> usize {
    WAITING.lock().causes.range((id, 0)..=(id, u64::MAX)).count()
}

#[test]
fn a_cause_without_words_needs_no_deposit() {
    let all = [
        Cause::Aborted,
        Cause::Cancelled,
        Cause::Deadline,
        Cause::Shutdown,
        Cause::Refused,
        Cause::Limit,
    ];
    for cause in all {
        let (word, id) = (Word::spawned(), TaskId::next());
        assert_eq!(abort(&word, id, cause.clone()), Some(Wake::Nothing));
        assert_eq!(waiting_for(id), 0);
        assert_eq!(take(id, word.snapshot().reason()), cause);
    }
}

#[test]
fn a_cause_in_words_is_taken_once() {
    let (word, id) = (Word::spawned(), TaskId::next());
    assert_eq!(abort(&word, id, Cause::new("why not")), Some(Wake::Nothing));
    assert_eq!(waiting_for(id), 1);
    assert_eq!(take(id, word.snapshot().reason()), Cause::new("why not"));
    assert_eq!(waiting_for(id), 0);
}

#[test]
fn a_second_abort_withdraws_its_deposit_and_leaves_the_first_one() {
    let (word, id) = (Word::spawned(), TaskId::next());
    let first = abort(&word, id, Cause::new("first"));
    assert_eq!((first, abort(&word, id, Cause::new("second"))), (Some(Wake::Nothing), None));
    assert_eq!(waiting_for(id), 1);
    assert_eq!(take(id, word.snapshot().reason()), Cause::new("first"));
}

#[test]
fn what_came_too_late_is_forgotten() {
    let (word, id) = (Word::spawned(), TaskId::next());
    assert!(abort(&word, id, Cause::new("too late")).is_some());
    forget(id, word.snapshot().reason());
    assert_eq!(waiting_for(id), 0);
}

#[test]
fn a_question_in_words_is_looked_at_until_an_abort_takes_it() {
    let (word, id) = (Word::spawned(), TaskId::next());
    assert!(ask(&word, id, Cause::new("asked")).is_some());
    assert!(ask(&word, id, Cause::new("again")).is_none());
    for _ in 0..2 {
        assert_eq!(look(id, word.snapshot().reason()), Cause::new("asked"));
    }
    assert!(abort(&word, id, Cause::new("aborted")).is_some());
    assert_eq!(take(id, word.snapshot().reason()), Cause::new("asked"));
    assert_eq!(waiting_for(id), 0);
}

#[test]
fn an_abort_in_words_after_a_question_without_leaves_nothing() {
    let causes = [(Cause::Aborted, Cause::Aborted), (Cause::Deadline, Cause::Deadline)];
    for (asked, kept) in causes {
        let (word, id) = (Word::spawned(), TaskId::next());
        assert!(ask(&word, id, asked).is_some());
        assert!(abort(&word, id, Cause::new("in words")).is_some());
        assert_eq!(waiting_for(id), 0);
        assert_eq!(take(id, word.snapshot().reason()), kept);
    }
}

#[test]
fn a_question_that_nobody_took_is_forgotten() {
    let (word, id) = (Word::spawned(), TaskId::next());
    assert!(ask(&word, id, Cause::new("asked")).is_some());
    forget(id, word.snapshot().reason());
    assert_eq!(waiting_for(id), 0);
}

/// Two aborts at the same time leave two deposits; the one that is taken takes the other with it.
#[test]
fn deposits_of_concurrent_aborts_are_all_removed() {
    let (words, id) = ([Word::spawned(), Word::spawned()], TaskId::next());
    for (word, text) in words.iter().zip(["one", "two"]) {
        assert!(abort(word, id, Cause::new(text)).is_some());
    }
    assert_eq!(waiting_for(id), 2);
    assert_eq!(take(id, words[0].snapshot().reason()), Cause::new("one"));
    assert_eq!(waiting_for(id), 0);
}

/// A task that ended before its abort reached it takes what the abort deposited with it.
#[test]
fn the_free_of_a_task_removes_what_came_too_late() {
    use crate::{Home, Meta, Parcel, Registry, Runnable};

    static HOME: goro_shim::global::OnceLock<Nowhere> = goro_shim::global::OnceLock::new();
    struct Nowhere(Registry<Nowhere>);
    impl Home for Nowhere {
        fn number(&'static self) -> u32 {
            0
        }
        fn numbered(_: u32) -> &'static Self {
            HOME.get_or_init(|| Nowhere(Registry::new()))
        }
        fn registry(&'static self) -> &'static Registry<Self> {
            &self.0
        }
        fn schedule(&'static self, task: Runnable<Self>) {
            drop(task);
        }
        fn schedule_local(&'static self, parcel: Parcel<Self>) {
            unreachable!("{parcel:?}");
        }
    }
    let home = Nowhere::numbered(0);
    let own = goro_shim::global::Arc::<Lock<Option<crate::AbortHandle>>>::default();
    let inside = own.clone();
    let (task, handle) = crate::spawn(
        async move {
            if let Some(own) = inside.lock().take() {
                own.abort_with(Cause::new("too late"));
            }
        },
        home,
        Meta::OTHER,
    );
    *own.lock() = Some(handle.abort_handle());
    let id = task.id();
    assert!(matches!(task.run(home), crate::Ran::Finished(crate::Ending::Done)));
    assert_eq!(waiting_for(id), 1);
    drop(handle);
    assert_eq!(waiting_for(id), 0);
}
