use core::task::{Poll, Waker};

use futures::executor::block_on;
use goro_shim::thread;
use proptest::prelude::*;

use super::*;
use crate::testing::{cases, poll_with};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn questions_are_answered_by_whoever_is_free() {
    let (client, server) = channel::<u32, u32>(4);
    let servers: Vec<_> = (0..2)
        .map(|_| {
            let server = server.clone();
            thread::start("server".into(), None, move || {
                let mut answered = 0;
                while let Ok((question, reply)) = server.blocking_next() {
                    reply.send(question * 2).unwrap();
                    answered += 1;
                }
                answered
            })
            .unwrap()
        })
        .collect();
    drop(server);
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let client = client.clone();
            thread::start("caller".into(), None, move || {
                (0..500).all(|n| {
                    let question = caller * 1000 + n;
                    client.blocking_call(question, time::after(LONG)) == Ok(question * 2)
                })
            })
            .unwrap()
        })
        .collect();
    drop(client);
    assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    assert_eq!(servers.into_iter().map(|server| server.join().unwrap()).sum::<u32>(), 2_000);
}

/// Pitfall 99: questions that stand in the channel when the last server goes.
#[test]
fn a_dropped_reply_is_an_error_and_never_a_hang() {
    let (client, server) = channel::<u32, u32>(4);
    let mut call = Box::pin(client.call_timeout(1, LONG));
    assert!(poll_with(&mut call, Waker::noop()).is_pending());
    drop(server.try_next().unwrap());
    assert_eq!(poll_with(&mut call, Waker::noop()), Poll::Ready(Err(CallError::NoReply)));
    let mut call = Box::pin(client.call_timeout(2, LONG));
    assert!(poll_with(&mut call, Waker::noop()).is_pending());
    assert_eq!(server.len(), 1);
    drop(server);
    assert_eq!(poll_with(&mut call, Waker::noop()), Poll::Ready(Err(CallError::NoReply)));
    let refused = block_on(client.call_timeout(3, LONG)).unwrap_err();
    assert_eq!(refused.into_question(), Some(3));
}

#[test]
fn a_deadline_ends_a_call_wherever_it_stands() {
    let (client, server) = channel::<u32, u32>(1);
    let now = || time::now();
    let waiting = block_on(client.call(1, now()));
    assert_eq!(waiting, Err(CallError::Timeout));
    // The question is there, and whoever takes it sees that nobody waits.
    let full = block_on(client.call(2, now()));
    assert_eq!(full, Err(CallError::NotTaken(2)));
    let (question, mut reply) = server.try_next().unwrap();
    assert!(question == 1 && reply.is_closed());
    block_on(reply.closed());
    assert_eq!(reply.send(9), Err(Unwanted(9)));
}

#[test]
fn a_call_that_is_dropped_tells_whoever_answers() {
    let (client, server) = channel::<u32, u32>(1);
    let mut call = Box::pin(client.call_timeout(1, LONG));
    assert!(poll_with(&mut call, Waker::noop()).is_pending());
    let (_, reply) = server.try_next().unwrap();
    assert!(!reply.is_closed());
    drop(call);
    assert!(reply.is_closed());
}

#[test]
fn at_a_rendezvous_a_question_is_taken_or_comes_back() {
    let (client, server) = channel::<u32, u32>(0);
    assert_eq!(block_on(client.call(1, time::now())), Err(CallError::NotTaken(1)));
    let mut call = Box::pin(client.call_timeout(2, LONG));
    assert!(poll_with(&mut call, Waker::noop()).is_pending());
    let (question, reply) = server.try_next().unwrap();
    reply.send(question).unwrap();
    assert_eq!(poll_with(&mut call, Waker::noop()), Poll::Ready(Ok(2)));
}

proptest! {
    #![proptest_config(cases())]

    /// Every call that is not dropped ends once every question was answered, dropped, or left.
    #[test]
    fn every_call_ends(
        capacity in 0..4_usize,
        steps in prop::collection::vec(0..5_u8, 1..40),
    ) {
        let (client, server) = channel::<usize, usize>(capacity);
        let (mut calls, mut replies, mut asked) = (Vec::new(), Vec::new(), 0);
        let mut server = Some(server);
        for step in steps {
            match step {
                0 => {
                    let mut call = Box::pin(client.call_timeout(asked, LONG));
                    if poll_with(&mut call, Waker::noop()).is_pending() {
                        calls.push((asked, call));
                    }
                    asked += 1;
                }
                1 => replies.extend(server.as_ref().and_then(|server| server.try_next().ok())),
                2 => if let Some((question, reply)) = replies.pop() {
                    let wanted = calls.iter().any(|(asked, _)| *asked == question);
                    prop_assert_eq!(reply.send(question * 10).is_ok(), wanted);
                }
                3 => drop(replies.pop()),
                _ if calls.len() > 3 => drop(calls.remove(0)),
                _ => {}
            }
            calls.retain_mut(|(question, call)| match poll_with(call, Waker::noop()) {
                Poll::Pending => true,
                Poll::Ready(Ok(answer)) => {
                    assert_eq!(answer, *question * 10);
                    false
                }
                Poll::Ready(Err(error)) => {
                    assert_eq!(error, CallError::NoReply);
                    false
                }
            });
        }
        server.take();
        replies.clear();
        for (question, mut call) in calls {
            match poll_with(&mut call, Waker::noop()) {
                Poll::Ready(Err(CallError::NoReply)) => {}
                Poll::Ready(Err(CallError::Closed(back))) => prop_assert_eq!(back, question),
                other => prop_assert!(false, "{question}: {other:?}"),
            }
        }
    }
}
