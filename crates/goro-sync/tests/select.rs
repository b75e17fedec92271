//! `select!` as a user meets it: who wins, what is dropped when, what may stand where.
#![allow(
    missing_docs,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test uses the crate as a program does"
)]

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use goro_sync::select;
use goro_sync::select::cancel_safe;

/// Polls once.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

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
fn default_runs_when_no_arm_is_ready_now() {
    let mut waiting = pin!(pending::<u32>());
    let taken = poll_once(async {
        select! { n = &mut waiting => n, default => 1 }
    });
    assert_eq!(taken, Poll::Ready(1));
    for _ in 0..100 {
        let taken = poll_once(async {
            select! { n = ready(2) => n, default => 1 }
        });
        assert_eq!(taken, Poll::Ready(2));
    }
    assert_eq!(
        poll_once(async {
            select! { n = ready(2), if false => n, default => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        poll_once(async {
            select! { Some(n) = ready(None) => n, default => 1 }
        }),
        Poll::Ready(1)
    );
}

/// Pitfall 120: a select of nothing but what else may end it.
#[test]
fn what_else_may_end_it_may_stand_alone() {
    assert_eq!(
        poll_once(async {
            select! { else => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        poll_once(async {
            select! { default => 1 }
        }),
        Poll::Ready(1)
    );
    assert_eq!(
        block_on(async {
            select! { timeout(Duration::from_millis(1)) => 1 }
        }),
        1
    );
    assert_eq!(
        block_on(async {
            select! { timeout(Duration::ZERO) => { 1 } else => 2 }
        }),
        2
    );
}

#[test]
fn a_timeout_runs_when_nothing_was_ready_for_so_long() {
    let began = Instant::now();
    let outcome = block_on(async {
        select! {
            () = pending() => "arm",
            () = ready(()), if false => "arm",
            timeout(Duration::from_millis(3)) => "timeout",
        }
    });
    assert_eq!(outcome, "timeout");
    assert!(began.elapsed() >= Duration::from_millis(3));
}

#[test]
fn an_arm_that_is_ready_when_the_time_is_up_comes_first() {
    let is_ready = Cell::new(false);
    let mut future = pin!(async {
        select! {
            () = poll_fn(|_| if is_ready.get() { Poll::Ready(()) } else { Poll::Pending }) => "arm",
            timeout(Duration::from_millis(1)) => "timeout",
        }
    });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_pending());
    std::thread::sleep(Duration::from_millis(2));
    is_ready.set(true);
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Ready("arm"));
}

#[test]
#[should_panic(expected = "add `else => ..`")]
fn a_select_that_can_never_end_says_what_is_missing() {
    block_on(async {
        select! { n = ready(1), if false => n }
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

/// Pitfall 120: names that a user may have given to something else.
mod names {
    #![allow(dead_code, non_upper_case_globals, reason = "they stand in the macro's way")]
    struct Some;
    struct None;
    struct Ok;
    struct Option;
    struct Poll;
    struct Pin;
    struct Future;
    struct Context;
    mod core {}
    mod std {}
    const arm: u32 = 0;
    const matched: u32 = 1;
    const a0: u32 = 2;

    #[test]
    fn the_macro_uses_none_of_its_callers_names() {
        let (round, cx, future, output) = (1, 2, 3, 4);
        let sum = super::block_on(async {
            goro_sync::select! {
                n = super::ready(round + cx) => n + future + output,
                timeout(super::Duration::from_secs(1)) => round,
                else => cx,
            }
        });
        assert_eq!(sum, 10);
    }
}

macro_rules! wrapped {
    ($($name:ident in $future:expr),*) => {
        goro_sync::select! { $($name = $future => $name,)* }
    };
}

#[test]
fn a_select_may_be_written_by_a_macro() {
    assert_eq!(block_on(async { wrapped!(a in ready(1), b in pending()) }), 1);
}

/// Pitfall 120: as many arms as there may be, by name, within the compiler's limit.
#[test]
fn sixty_four_arms_are_accepted() {
    macro_rules! sixty_four {
        ($last:expr; $($n:literal)*) => {
            goro_sync::select! {
                $(() = pending() => $n,)*
                n = $last => { n }
            }
        };
    }
    let outcome = block_on(async {
        sixty_four!(ready(64); 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26
            27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55
            56 57 58 59 60 61 62 63)
    });
    assert_eq!(outcome, 64);
}

/// A task of an executor with a budget, around what a test does.
mod budgeted {
    use super::*;
    use goro_context::{CurrentTask, Kind, TaskId, budget, task};

    fn poll_with<T>(units: u32, future: impl Future<Output = T>) -> Poll<T> {
        let _turn = task::turn(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
        budget::with(units, || poll_once(future))
    }

    /// An operation of goro's that is ready.
    async fn leaf() -> u32 {
        poll_fn(|cx| budget::poll_spend(cx).map(|_paid| 1)).await
    }

    /// An operation of goro's that is not ready.
    async fn idle_leaf() {
        poll_fn(|cx| budget::poll_spend(cx).map(budget::Spent::refund)).await;
        pending::<()>().await;
    }

    /// Pitfall 125: whatever is ready at once yields in the end.
    #[test]
    fn a_loop_round_a_ready_select_yields() {
        let rounds = Cell::new(0);
        let count = || rounds.set(rounds.get() + 1);
        let spinning = async {
            loop {
                select! { () = ready(()) => count() }
            }
        };
        assert!(poll_with(100, spinning).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let asking = async {
            loop {
                select! { () = idle_leaf() => {}, default => count() }
            }
        };
        assert!(poll_with(100, asking).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let refused = async {
            loop {
                select! { Some(()) = ready(None) => {}, else => count() }
            }
        };
        assert!(poll_with(100, refused).is_pending());
        assert_eq!(rounds.replace(0), 100);
        let late = async {
            loop {
                select! { () = pending() => {}, timeout(Duration::ZERO) => count() }
            }
        };
        assert!(poll_with(100, late).is_pending());
        assert_eq!(rounds.get(), 100);
    }

    #[test]
    fn an_arm_that_has_paid_pays_for_the_select() {
        let rounds = Cell::new(0);
        let looping = async {
            loop {
                select! { n = leaf() => rounds.set(rounds.get() + n), () = idle_leaf() => {} }
            }
        };
        assert!(poll_with(100, looping).is_pending());
        assert_eq!(rounds.get(), 100);
    }

    /// An arm that is `Pending` since the budget ended is not one that is not ready.
    #[test]
    fn default_does_not_run_for_want_of_budget() {
        let ask = || async {
            select! { n = leaf() => n, default => 0 }
        };
        assert_eq!(poll_with(1, ask()), Poll::Ready(1));
        assert_eq!(poll_with(0, ask()), Poll::Pending);
        // An arm that uses all of it up before another one is asked.
        let greedy = async {
            select! {
                biased;
                () = async { for _ in 0..5 { leaf().await; } pending().await } => 2,
                n = leaf() => n,
                default => 0,
            }
        };
        assert_eq!(poll_with(5, greedy), Poll::Pending);
    }

    /// Pitfall 123: a timeout is looked at whatever the arms have used up.
    #[test]
    fn a_timeout_comes_through_when_an_arm_eats_the_budget() {
        let eats = async {
            loop {
                leaf().await;
            }
        };
        let mut select = pin!(async {
            select! { n = eats => n, timeout(Duration::from_millis(1)) => 7 }
        });
        let mut outcome = Poll::Pending;
        for _ in 0..3 {
            if outcome.is_pending() {
                outcome = poll_with(100, select.as_mut());
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        assert_eq!(outcome, Poll::Ready(7));
    }
}

/// A host that counts what it is asked.
mod timer {
    use super::*;
    use goro_context::host::{self, BoxedFuture, Gone, Host, Job, Refused, TimerKey};
    use goro_context::{Kind, TaskId};
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Counting {
        clock: AtomicU32,
        armed: AtomicU32,
        disarmed: AtomicU32,
    }

    impl Host for Counting {
        fn now(&self) -> Instant {
            self.clock.fetch_add(1, Ordering::Relaxed);
            Instant::now()
        }
        fn arm(&'static self, _: Instant, _: &Waker) -> Result<TimerKey, Gone> {
            self.armed.fetch_add(1, Ordering::Relaxed);
            Ok(TimerKey(1))
        }
        fn rearm(&'static self, _: TimerKey, _: &Waker) -> bool {
            true
        }
        fn disarm(&'static self, _: TimerKey) {
            self.disarmed.fetch_add(1, Ordering::Relaxed);
        }
        fn spawn(&'static self, future: BoxedFuture, _: Kind) -> Result<TaskId, BoxedFuture> {
            Err(future)
        }
        fn blocking(&'static self, job: &mut dyn FnMut()) {
            job();
        }
        fn spawn_blocking(&'static self, job: Job, _: Kind) -> Result<(), Refused> {
            Err(Refused(job, std::io::ErrorKind::Unsupported.into()))
        }
    }

    #[test]
    fn no_clock_is_read_and_no_timer_armed_when_an_arm_is_ready() {
        static HOST: Counting = Counting {
            clock: AtomicU32::new(0),
            armed: AtomicU32::new(0),
            disarmed: AtomicU32::new(0),
        };
        let _host = host::enter(&HOST);
        let counts =
            || [&HOST.clock, &HOST.armed, &HOST.disarmed].map(|n| n.load(Ordering::Relaxed));
        let select = |ready| async move {
            select! {
                () = ready_if(ready) => 1,
                () = pending() => 2,
                timeout(Duration::from_secs(3600)) => 3,
            }
        };
        assert_eq!(poll_once(select(true)), Poll::Ready(1));
        assert_eq!(counts(), [0, 0, 0]);
        assert_eq!(poll_once(select(false)), Poll::Pending);
        assert_eq!(counts(), [1, 1, 1]);
    }
}
