use super::*;
use crate::budget;
use crate::note::Op;
use goro_shim::thread;

fn task() -> CurrentTask {
    CurrentTask { id: TaskId::next(), kind: Kind::OTHER }
}

/// 5000 per thread crosses several blocks.
#[test]
fn ids_of_all_threads_and_blocks_differ() {
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let ids = || (0..5_000).map(|_| TaskId::next().get()).collect::<Vec<_>>();
            thread::start(format!("ids {i}"), None, ids).unwrap()
        })
        .collect();
    let mut ids: Vec<u64> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    let given = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), given);
    assert_ne!(ids[0], 0);
}

#[test]
fn an_id_survives_the_way_through_its_number() {
    let id = TaskId::next();
    assert_eq!(TaskId::from_u64(id.get()), Some(id));
    assert_eq!(TaskId::from_u64(0), None);
    assert_eq!(format!("{id:?}"), format!("TaskId({id})"));
}

#[test]
fn a_nested_scope_leaves_no_trace() {
    let (outer, inner) = (task(), task());
    let around = enter(outer);
    note::leave(Op::Recv, 9);
    {
        let _scope = enter(inner);
        assert_eq!(current(), Some(inner));
        assert_eq!(note::take(), WaitNote::NOTHING, "the note starts empty");
        note::leave(Op::Send, 8);
    }
    assert_eq!(current(), Some(outer));
    assert_eq!(note::take(), WaitNote { op: Op::Recv, object: 9 });
    drop(around);
    assert_eq!(current(), None);
}

/// Pitfall 63: guards left in the wrong order.
#[test]
fn scopes_dropped_in_the_wrong_order_leave_nothing_behind() {
    let (a, b, c) = (task(), task(), task());
    let (scope_a, scope_b, scope_c) = (enter(a), enter(b), enter(c));
    drop(scope_a);
    assert_eq!(current(), Some(c));
    drop(scope_c);
    assert_eq!(current(), Some(b));
    drop(scope_b);
    assert_eq!(current(), None);
}

#[test]
fn a_panic_ends_the_scope() {
    let unwound = std::panic::catch_unwind(|| {
        let _scope = enter(task());
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(unwound.is_err());
    assert_eq!(current(), None);
}

#[test]
fn the_budget_is_not_the_scopes_business() {
    budget::with(5, || {
        let scope = enter(task());
        assert_eq!(budget::remaining(), 5);
        let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
        let _spent = budget::poll_spend(&mut cx).map(drop);
        drop(scope);
        assert_eq!(budget::remaining(), 4);
    });
}

#[test]
fn a_task_is_current_on_its_own_thread_only() {
    let _scope = enter(task());
    let elsewhere = thread::start("elsewhere".into(), None, current).unwrap();
    assert_eq!(elsewhere.join().unwrap(), None);
}

#[test]
fn a_turn_covers_what_was_current_and_forgets_the_last_note() {
    let (outer, inner) = (task(), task());
    let scope = enter(outer);
    note::leave(note::Op::Timer, 7);
    let first = turn(inner);
    assert_eq!(current(), Some(inner));
    assert_eq!(note::take(), note::WaitNote::NOTHING);
    let nested = enter(outer);
    assert_eq!(current(), Some(outer));
    drop(nested);
    assert_eq!(current(), Some(inner));
    drop(first);
    assert_eq!(current(), Some(outer));
    drop(scope);
    assert_eq!(current(), None);
}
