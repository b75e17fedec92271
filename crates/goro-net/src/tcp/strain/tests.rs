use core::future::{Future, poll_fn};
use core::pin::pin;

use futures::FutureExt;
use futures::executor::block_on;
use goro_context::{CurrentTask, Kind, TaskId, WaitNote, budget, note, task};
use goro_runtime::Builder;
use goro_sync::CancellationToken;
use goro_sync::cancel::cause_of;
use rustix::io::Errno;

use super::*;
use crate::TcpListener;

fn next(strain: &Strain) -> Duration {
    strain.0.lock().next
}

/// Lets the current pause be over.
fn pass(strain: &Strain) {
    strain.0.lock().until = Some(now());
}

#[test]
fn pauses_double_up_to_a_second_and_start_over_after_a_success() {
    let strain = Strain::new();
    let mut millis = Vec::new();
    for _ in 0..10 {
        let before = now();
        let expected = next(&strain);
        strain.failed();
        let pause = strain.0.lock().until.unwrap() - before;
        assert!(pause >= expected, "{pause:?}");
        millis.push(expected.as_millis());
        pass(&strain);
    }
    assert_eq!(millis, [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    assert_eq!(strain.failures(), 10);
    strain.failed();
    strain.eased();
    assert_eq!(next(&strain), SHORTEST);
    assert!(poll_fn(|cx| strain.poll_over(cx, &mut None)).now_or_never().is_some());
    assert_eq!(strain.failures(), 11, "what has happened stays counted");
}

#[test]
fn failures_of_one_moment_are_one_pause() {
    let strain = Strain::new();
    for _ in 0..5 {
        strain.failed();
    }
    assert_eq!((next(&strain), strain.failures()), (SHORTEST * 2, 5));
}

#[test]
fn nobody_tries_before_the_pause_is_over_and_then_one_does() {
    let strain = Strain::new();
    strain.failed();
    let until = strain.0.lock().until.unwrap();
    let mut waiting = None;
    block_on(poll_fn(|cx| strain.poll_over(cx, &mut waiting)));
    assert!(now() >= until && waiting.is_none());
}

/// Whoever accepts again after each error is told so at once, and yet does not keep its worker for itself.
#[test]
fn who_is_asked_to_stop_in_a_pause_gives_up_and_lets_others_run() {
    let runtime = Builder::new().workers(1).build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.strain().failed();
        let token = CancellationToken::new();
        token.cancel_with("enough");
        let accept = |cx: &mut Context<'_>| pin!(token.scope(listener.accept())).poll(cx);
        let given_up = poll_fn(|cx| {
            let _task = task::enter(CurrentTask { id: TaskId::next(), kind: Kind::OTHER });
            let given_up = budget::with(3, || {
                let mut given_up = 0;
                while let Poll::Ready(Err(error)) = accept(cx) {
                    assert!(cause_of(&error).is_some() && note::take() == WaitNote::NOTHING);
                    given_up += 1;
                    assert!(given_up <= 3, "it goes on for ever");
                }
                given_up
            });
            Poll::Ready(given_up)
        });
        assert_eq!(given_up.await, 3);
    });
}

/// The invariant: whoever waited for a pause and finds that another's try has begun a new one waits
/// for that as well.
#[test]
fn a_pause_begun_meanwhile_is_waited_for_as_well() {
    let strain = Strain::new();
    let pause = |how_long| strain.0.lock().until = Some(later(now(), how_long));
    pause(Duration::from_secs(3600));
    let (mut first, mut second) = (None, None);
    assert!(poll_fn(|cx| strain.poll_over(cx, &mut first)).now_or_never().is_none());
    assert!(poll_fn(|cx| strain.poll_over(cx, &mut second)).now_or_never().is_none());
    pass(&strain);
    block_on(poll_fn(|cx| strain.poll_over(cx, &mut first)));
    pause(Duration::from_millis(20));
    let until = strain.0.lock().until.unwrap();
    block_on(poll_fn(|cx| strain.poll_over(cx, &mut second)));
    assert!(now() >= until);
}

#[test]
fn shortage_strains_lost_connections_are_passed_over_the_rest_is_the_callers() {
    let of = |errno: Errno| meaning(&io::Error::from(errno));
    for shortage in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
        assert_eq!(of(shortage), Meaning::Strained, "{shortage:?}");
    }
    for lost in [
        Errno::CONNABORTED,
        Errno::CONNRESET,
        Errno::PROTO,
        Errno::HOSTUNREACH,
        Errno::NETUNREACH,
        Errno::NETDOWN,
        Errno::PERM,
        Errno::TIMEDOUT,
    ] {
        assert_eq!(of(lost), Meaning::Lost, "{lost:?}");
    }
    for broken in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::OPNOTSUPP] {
        assert_eq!(of(broken), Meaning::Broken, "{broken:?}");
    }
    assert_eq!(meaning(&io::Error::other("the runtime has stopped")), Meaning::Broken);
}

#[test]
fn only_successes_and_the_listeners_own_errors_are_answers() {
    let strain = Strain::new();
    let settle = |errno: Errno| strain.settle::<()>(Err(errno.into()));
    assert!(settle(Errno::CONNABORTED).is_none());
    assert_eq!((next(&strain), strain.failures()), (SHORTEST, 0), "a loss strains nobody");
    assert!(settle(Errno::MFILE).is_none());
    assert_eq!((next(&strain), strain.failures()), (SHORTEST * 2, 1));
    assert!(settle(Errno::BADF).is_some_and(|answer| answer.is_err()));
    assert!(strain.settle(Ok(())).is_some_and(|answer| answer.is_ok()));
    assert_eq!(next(&strain), SHORTEST, "a success ends the strain");
    assert!(poll_fn(|cx| strain.poll_over(cx, &mut None)).now_or_never().is_some());
}
