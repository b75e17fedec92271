//! `select!` as a user meets it: who wins, what is dropped when, what may stand where.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use futures::executor::block_on;
use goro_sync::select;
use goro_sync::select::cancel_safe;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Ready or not, by a flag.
async fn ready_if(flag: bool) {
    if !flag {
        pending::<()>().await;
    }
}

/// Writes its name down when it is dropped, and is ready if it is told to be.
struct Noted<'a> {
    name: &'static str,
    ready: bool,
    log: &'a RefCell<Vec<&'static str>>,
}

impl Future for Noted<'_> {
    type Output = &'static str;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        if self.ready { Poll::Ready(self.name) } else { Poll::Pending }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.log.borrow_mut().push(self.name);
    }
}

#[test]
fn every_ready_subset_of_four_arms_is_shared_equally() {
    const ROUNDS: u32 = 100_000;
    goro_context::random::seed(1);
    for subset in 1..16_u32 {
        let is_ready = |arm: u32| subset >> arm & 1 == 1;
        let mut wins = [0_u32; 4];
        for _ in 0..ROUNDS {
            let winner = block_on(async {
                select! {
                    () = ready_if(is_ready(0)) => 0,
                    () = ready_if(is_ready(1)) => 1,
                    () = ready_if(is_ready(2)) => 2,
                    () = ready_if(is_ready(3)) => 3,
                }
            });
            wins[winner] += 1;
        }
        let share = f64::from(ROUNDS) / f64::from(subset.count_ones());
        for (arm, &wins) in (0..).zip(&wins) {
            let expected = if is_ready(arm) { share } else { 0.0 };
            let off = (f64::from(wins) - expected).abs() / f64::from(ROUNDS);
            assert!(off <= 0.01, "subset {subset:04b}, arm {arm}: {wins} of {ROUNDS}");
        }
    }
}

#[test]
fn arms_are_asked_in_a_new_order_at_each_poll_and_as_written_when_biased() {
    let orders = |biased: bool| {
        let seen = RefCell::new(vec![Vec::new()]);
        let note = |arm: u32| {
            let seen = &seen;
            poll_fn(move |_| {
                seen.borrow_mut().last_mut().unwrap().push(arm);
                Poll::<()>::Pending
            })
        };
        let mut future = pin!(async {
            if biased {
                select! { biased; () = note(0) => {}, () = note(1) => {}, () = note(2) => {} }
            } else {
                select! { () = note(0) => {}, () = note(1) => {}, () = note(2) => {} }
            }
        });
        for _ in 0..200 {
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            seen.borrow_mut().push(Vec::new());
        }
        let mut orders = seen.take();
        orders.pop();
        assert_eq!(orders.len(), 200);
        orders.sort();
        orders.dedup();
        orders
    };
    assert_eq!(orders(true), [[0, 1, 2]]);
    assert_eq!(orders(false).len(), 6);
}

/// Pitfall 115 as far as a select can help: what a loser holds is free before the handler runs.
#[test]
fn all_futures_are_dropped_before_the_handler_runs() {
    let log = RefCell::new(Vec::new());
    let noted = |name, ready| Noted { name, ready, log: &log };
    block_on(async {
        select! {
            _ = noted("first", false) => unreachable!(),
            name = noted("second", true) => log.borrow_mut().push(if name == "second" { "handler" } else { name }),
            _ = noted("third", false) => unreachable!(),
        }
    });
    let mut log = log.take();
    assert_eq!(log.pop(), Some("handler"));
    log.sort_unstable();
    assert_eq!(log, ["first", "second", "third"]);
}

#[test]
fn a_handler_may_borrow_what_the_losers_borrowed() {
    async fn fill(log: &mut Vec<u32>, ready: bool) -> u32 {
        log.push(1);
        ready_if(ready).await;
        7
    }
    let mut log = vec![];
    let mut name = String::from("a");
    block_on(async {
        select! {
            biased;
            _ = fill(&mut log, false) => unreachable!(),
            () = async { name.push('b') } => {
                log.push(2);
                name.push('c');
            }
        }
    });
    assert_eq!((log, name.as_str()), (vec![1, 2], "abc"));
}

#[test]
fn handlers_leave_loops_and_functions_and_wait() {
    async fn run(input: &[Option<&str>]) -> Result<u32, std::num::ParseIntError> {
        let mut sum = 0;
        let mut items = input.iter();
        loop {
            select! {
                item = ready(items.next()) => {
                    let Some(item) = item else { break };
                    let Some(text) = item else { continue };
                    if text.is_empty() {
                        return Ok(1000);
                    }
                    sum += ready(text.parse::<u32>()).await?;
                }
            }
        }
        Ok(sum)
    }
    assert_eq!(block_on(run(&[Some("1"), None, Some("2")])), Ok(3));
    assert_eq!(block_on(run(&[Some("1"), Some("")])), Ok(1000));
    assert!(block_on(run(&[Some("1"), Some("x")])).is_err());
}

#[test]
fn futures_are_made_in_the_function_around_the_select() {
    async fn run(made: Result<u32, ()>) -> Result<u32, ()> {
        Ok(select! {
            n = ready(made?) => n,
            n = ready(ready(made).await?), if false => n,
        })
    }
    assert_eq!(block_on(run(Ok(3))), Ok(3));
    assert_eq!(block_on(run(Err(()))), Err(()));
}

#[test]
fn a_guard_that_is_false_makes_no_future() {
    let maker: Option<u32> = "no number".parse().ok();
    let made = Cell::new(0);
    let make = |n: u32| {
        made.set(made.get() + 1);
        ready(n)
    };
    let n = block_on(async {
        select! {
            n = make(maker.unwrap()), if maker.is_some() => n,
            n = make(5), if maker.is_none() => n,
            n = make(6), if made.get() > 7 => n,
        }
    });
    assert_eq!((n, made.get()), (5, 1));
}

#[test]
fn a_value_that_does_not_match_puts_its_arm_out_and_the_others_go_on() {
    let mut polls = 0;
    let outcome = block_on(async {
        select! {
            biased;
            Ok(n) = ready(Err::<u32, &str>("refused")) => n,
            n = poll_fn(|cx| {
                polls += 1;
                cx.waker().wake_by_ref();
                if polls < 3 { Poll::Pending } else { Poll::Ready(polls) }
            }) => n,
            else => 0,
        }
    });
    assert_eq!(outcome, 3);
    let outcome = block_on(async {
        select! {
            Some(n) = ready(None) => n,
            Ok(n) = ready(Err::<_, ()>(())) => n,
            n = ready(9), if false => n,
            else => 0,
        }
    });
    assert_eq!(outcome, 0);
}

#[test]
fn patterns_bind_in_every_way_and_move_only_when_all_matches() {
    struct Pair {
        left: Option<String>,
        right: u32,
    }
    let pair = |right| ready(Pair { left: Some("left".into()), right });
    block_on(async {
        let text = select! {
            Pair { left: Some(mut left), right: 1 } = pair(2) => { left.push('!'); left }
            Pair { left: ref left @ Some(ref inner), right: 2 | 3 } = pair(3), if true => {
                format!("{left:?} {inner}")
            }
        };
        assert!(text == "Some(\"left\") left");
        let (a, mut b) = select! {
            (a, ref mut b) = ready((String::from("a"), 1)) => { *b += 1; (a, *b) }
        };
        b += 1;
        assert_eq!((a.as_str(), b), ("a", 3));
        select! { 1..=5 | 9 = ready(9) => {}, else => unreachable!() }
        select! { _ = ready(String::new()) => {} }
        let dropped = RefCell::new(Vec::new());
        let noted = |name| Noted { name, ready: true, log: &dropped };
        select! {
            biased;
            (None::<()>, _unbound) = ready((Some(()), noted("refused"))) => unreachable!(),
            (Some(()), bound) = ready((Some(()), noted("bound"))) => {
                assert_eq!(*dropped.borrow(), ["refused"]);
                drop(bound);
            }
        }
        assert_eq!(*dropped.borrow(), ["refused", "bound"]);
    });
}

#[test]
fn a_future_outside_goes_on_when_another_arm_wins() {
    let mut steps = 0;
    let mut slow = pin!(poll_fn(|cx| {
        steps += 1;
        cx.waker().wake_by_ref();
        if steps < 50 { Poll::Pending } else { Poll::Ready(steps) }
    }));
    let mut rounds = 0;
    let steps = block_on(async {
        loop {
            select! {
                biased;
                steps = &mut slow => break steps,
                () = ready(()) => rounds += 1,
            }
        }
    });
    assert_eq!((steps, rounds), (50, 49));
}

#[test]
fn strict_takes_what_is_marked() {
    let mut outside = pin!(async { 1 });
    let outcome = block_on(async {
        select! {
            strict;
            biased;
            n = &mut outside => n,
            n = ready(2) => n,
            n = cancel_safe(async { 3 }) => n,
            n = Box::pin(cancel_safe(async { 4 })) => n,
        }
    });
    assert_eq!(outcome, 1);
}

#[test]
fn a_select_that_is_dropped_drops_its_futures() {
    let log = RefCell::new(Vec::new());
    let noted = |name| Noted { name, ready: false, log: &log };
    let mut select = Box::pin(async {
        select! { _ = noted("a") => {}, _ = noted("b") => {} }
    });
    assert!(select.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(log.borrow().is_empty());
    drop(select);
    assert_eq!(log.borrow().len(), 2);
}

#[test]
fn a_panic_of_an_arm_drops_the_others() {
    let log = RefCell::new(Vec::new());
    let noted = |name| Noted { name, ready: false, log: &log };
    let select = async {
        select! {
            biased;
            _ = noted("a") => {}
            () = async { panic!("an arm") } => {}
            _ = noted("b") => {}
        }
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(select)));
    assert!(outcome.is_err());
    assert_eq!(log.borrow().len(), 2);
}

#[test]
fn selects_nest_in_arms_and_in_handlers() {
    let outcome = block_on(async {
        select! {
            a = async { select! { a = ready(1) => a, () = pending() => 0 } } => {
                select! { b = ready(a + 1) => select! { c = ready(b + 1) => c }, () = pending() => 0 }
            }
            () = pending() => 0,
        }
    });
    assert_eq!(outcome, 3);
}

#[test]
fn a_task_may_hold_a_select_and_pays_for_no_future_twice() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let large = || {
        let buffer = [0_u8; 1000];
        async move {
            pending::<()>().await;
            buffer.len()
        }
    };
    let both = sent(async {
        let one = select! { n = large() => n, n = large() => n };
        one + 1
    });
    let size = size_of_val(&both);
    assert!(size < 2_200, "two arms of 1000 bytes take {size}");
}

/// Ready at its third poll; minds being moved between polls, or before it is dropped.
struct Stays<'a> {
    polls: Cell<u32>,
    at: Cell<Option<usize>>,
    moved: &'a Cell<u32>,
    _pinned: std::marker::PhantomPinned,
}

impl<'a> Stays<'a> {
    fn new(moved: &'a Cell<u32>) -> Self {
        Self {
            polls: Cell::new(0),
            at: Cell::new(None),
            moved,
            _pinned: std::marker::PhantomPinned,
        }
    }

    fn look(&self) {
        let here = std::ptr::from_ref(self).addr();
        if self.at.get().is_some_and(|at| at != here) {
            self.moved.set(self.moved.get() + 1);
        }
    }
}

impl Future for Stays<'_> {
    type Output = u32;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        self.look();
        self.at.set(Some(std::ptr::from_ref(&*self).addr()));
        self.polls.set(self.polls.get() + 1);
        cx.waker().wake_by_ref();
        if self.polls.get() == 3 { Poll::Ready(3) } else { Poll::Pending }
    }
}

impl Drop for Stays<'_> {
    fn drop(&mut self) {
        self.look();
    }
}

/// Pitfall 121: a future that has been polled is moved.
#[test]
fn futures_stay_where_they_were_first_polled() {
    let moved = Cell::new(0);
    let stays = || Stays::new(&moved);
    block_on(async {
        for _ in 0..10 {
            select! {
                _ = stays() => {},
                _ = stays() => {},
                _ = async { stays().await } => {},
            }
            let _first = goro_sync::race((stays(), stays(), stays())).await;
            let fails = async {
                stays().await;
                Err::<u32, _>(())
            };
            assert_eq!(goro_sync::race_ok((fails, async { Ok(stays().await) })).await, Ok(3));
        }
    });
    assert_eq!(moved.get(), 0);
}
