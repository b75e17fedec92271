//! `watch`, `broadcast` and `request` under the production scheduler, in an order drawn from a seed:
//! tasks that are slow, give up, and are aborted. What is seen is in order, what is missed is counted,
//! and nobody is left waiting: a run in which somebody was would fail as one that hangs.
//!
//! `GORO_SEEDS` runs so many seeds of each; `.ci/run simulator` runs ten thousand.
#![cfg(feature = "sim")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[allow(dead_code, reason = "each test uses a part")]
#[path = "support/draw.rs"]
mod draw;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use draw::Draw;
use goro::broadcast::{OnLag, RecvError};
use goro::request::CallError;
use goro::sim::explore;
use goro::time::{sleep, timeout};

const SEEDS: u64 = 100;
/// The longest pause, in microseconds.
const LONGEST: u64 = 2_000;
const VALUES: usize = 20;

/// Runs the program under seeds; what it finds wrong it panics with.
fn under_seeds<F: Future<Output = ()> + Send + 'static>(program: fn(Draw) -> F) {
    explore(SEEDS, |sim| {
        let seed = sim.seed();
        sim.run(program(Draw(seed))).unwrap_or_else(|failure| panic!("{failure}"));
    });
}

async fn watched(mut draw: Draw) {
    let (dial, eye) = goro::watch::channel(0_usize);
    let mut readers = Vec::new();
    for _ in 0..3 {
        let (mut eye, mut draw) = (eye.clone(), Draw(draw.below(1 << 30)));
        readers.push(goro::spawn(async move {
            let mut last = 0;
            loop {
                // Given up on, it has missed nothing.
                let told = match draw.below(3) {
                    0 => timeout(draw.time(), eye.changed()).await.ok(),
                    _ => Some(eye.changed().await),
                };
                if matches!(told, Some(Err(_))) {
                    return *eye.borrow();
                }
                let seen = *eye.borrow_and_update();
                assert!(seen > last || told.is_none(), "told of {seen} after {last}");
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
                draw.pause().await;
            }
        }));
    }
    drop(eye);
    if draw.below(2) == 0 {
        sleep(draw.time()).await;
        readers[0].abort();
    }
    for number in 1..=VALUES {
        draw.pause().await;
        dial.send(number).expect("somebody looks");
    }
    drop(dial);
    for reader in readers {
        match reader.await {
            Ok(last) => assert_eq!(last, VALUES),
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
}

#[test]
fn a_watch_under_seeds() {
    under_seeds(watched);
}

async fn broadcasted(mut draw: Draw) {
    let on_lag = [OnLag::Skip, OnLag::Wait, OnLag::Disconnect][draw.below(3) as usize];
    let (mouth, ear) = goro::broadcast::channel(1 + draw.below(4) as usize, on_lag);
    let mut hearers = Vec::new();
    for _ in 0..3 {
        let (mut ear, mut draw) = (ear.clone(), Draw(draw.below(1 << 30)));
        hearers.push(goro::spawn(async move {
            // How many it has had or was told to have missed: the number of the next one.
            let mut next = 0;
            loop {
                let heard = match draw.below(3) {
                    // Given up on, it has taken nothing.
                    0 => match timeout(draw.time(), ear.recv()).await {
                        Ok(heard) => heard,
                        Err(_) => continue,
                    },
                    _ => ear.recv().await,
                };
                match heard {
                    Ok(number) => {
                        assert_eq!(number, next);
                        next += 1;
                    }
                    Err(RecvError::Lagged(missed)) => {
                        assert_eq!(on_lag, OnLag::Skip);
                        next += usize::try_from(missed).expect("it is few");
                    }
                    Err(RecvError::Disconnected) => {
                        assert_eq!(on_lag, OnLag::Disconnect);
                        return VALUES;
                    }
                    Err(RecvError::Closed) => return next,
                    Err(RecvError::Cancelled(cause)) => panic!("nobody is asked to stop: {cause}"),
                }
                draw.pause().await;
            }
        }));
    }
    drop(ear);
    if draw.below(2) == 0 {
        sleep(draw.time()).await;
        // Under `Wait` nobody waits for one that is gone.
        hearers[0].abort();
    }
    let mut sent = 0;
    for number in 0..VALUES {
        draw.pause().await;
        if mouth.send(number).await.is_err() {
            // All were disconnected.
            break;
        }
        sent += 1;
    }
    drop(mouth);
    for hearer in hearers {
        match hearer.await {
            Ok(next) => assert!(next == sent || on_lag == OnLag::Disconnect, "{next} of {sent}"),
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
}

#[test]
fn a_broadcast_under_seeds() {
    under_seeds(broadcasted);
}

async fn requested(mut draw: Draw) {
    let (client, server) = goro::request::channel::<usize, usize>(draw.below(3) as usize);
    let answered = Arc::new(AtomicUsize::new(0));
    let mut servers = Vec::new();
    for _ in 0..2 {
        let (server, answered) = (server.clone(), Arc::clone(&answered));
        let mut draw = Draw(draw.below(1 << 30));
        servers.push(goro::spawn(async move {
            let mut taken = Vec::new();
            while let Ok((question, mut reply)) = server.next().await {
                taken.push(question);
                match draw.below(5) {
                    // No answer: the caller is told.
                    0 => drop(reply),
                    1 => drop(timeout(draw.time(), reply.closed()).await),
                    _ => {
                        draw.pause().await;
                        let wanted = reply.send(question + 1).is_ok();
                        answered.fetch_add(usize::from(wanted), Ordering::SeqCst);
                    }
                }
            }
            taken
        }));
    }
    drop(server);
    let mut clients = Vec::new();
    for part in 0..3 {
        let (client, mut draw) = (client.clone(), Draw(draw.below(1 << 30)));
        clients.push(goro::spawn(async move {
            let (mut got, mut not_taken) = (0, Vec::new());
            for question in (part..VALUES).step_by(3) {
                match client.call_timeout(question, draw.time()).await {
                    Ok(answer) => {
                        assert_eq!(answer, question + 1);
                        got += 1;
                    }
                    Err(CallError::NotTaken(back)) => {
                        assert_eq!(back, question);
                        not_taken.push(back);
                    }
                    Err(CallError::Timeout | CallError::NoReply) => {}
                    Err(CallError::Closed(back)) => panic!("there are servers for {back}"),
                    Err(CallError::Cancelled(..)) => panic!("nobody is asked to stop"),
                }
                draw.pause().await;
            }
            (got, not_taken)
        }));
    }
    drop(client);
    let (mut got, mut not_taken, mut taken) = (0, Vec::new(), Vec::new());
    for client in clients {
        let (more, back) = client.await.expect("a client does not panic");
        got += more;
        not_taken.extend(back);
    }
    for server in servers {
        taken.extend(server.await.expect("a server does not panic"));
    }
    // An answer that was wanted is an answer that was got.
    assert_eq!(got, answered.load(Ordering::SeqCst));
    assert!(not_taken.iter().all(|back| !taken.contains(back)), "{not_taken:?} of {taken:?}");
}

#[test]
fn requests_under_seeds() {
    under_seeds(requested);
}
