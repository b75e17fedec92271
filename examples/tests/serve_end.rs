//! How `serve` ends: the first Ctrl-C answers what was read and exits with 0 within ten seconds,
//! the second exits with 130 at once.
//!
//! `SERVE_END_ROUNDS` sets how often the end under load is repeated (3).

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use goro::runtime::Runtime;
use goro::task::JoinHandle;
use http_body_util::BodyExt;

use crate::http::Connection;
use crate::program::{Ended, PATIENCE, Program};
use crate::serve_http2::Client;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// Waits for the end after an interrupt, and checks the rules that always hold.
fn assert_ends_well(program: Program, interrupted: Instant) -> Ended {
    let ended = program.wait();
    let took = interrupted.elapsed();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(took < TEN_SECONDS, "it took {took:?}");
    ended
}

/// The number of answers that the server counts in its last words.
fn answers(ended: &Ended) -> u64 {
    let words = ended.out.lines().last().and_then(|line| line.strip_prefix("answered "));
    let number = words.and_then(|words| words.split(' ').next()).and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| panic!("no count in {ended:?}"))
}

/// Presses Ctrl-C and waits until it is noticed.
fn interrupt(program: &Program) -> Instant {
    let interrupted = Instant::now();
    program.interrupt();
    assert!(program.line().starts_with("ending"));
    interrupted
}

#[test]
fn with_nobody_connected_it_ends_at_once() {
    let (program, _) = Program::serve(&[]);
    let interrupted = interrupt(&program);
    assert_eq!(answers(&assert_ends_well(program, interrupted)), 0);
}

#[test]
fn requests_in_hand_are_answered_and_their_connections_closed() {
    let (program, addr) = Program::serve(&[]);
    let mut connections: Vec<_> = (0..32).map(|_| Connection::open(addr).unwrap()).collect();
    for connection in &mut connections {
        // The first answer says that the connection is up, so that the second request is read.
        assert_eq!(connection.get("/").unwrap().status, 200);
        connection.request("GET", "/work?ms=1000").unwrap();
    }
    thread::sleep(Duration::from_millis(200));
    let interrupted = interrupt(&program);
    for connection in &mut connections {
        assert_eq!(connection.answer().unwrap().body, "slept for 1000 ms\n");
        assert_eq!(connection.rest().unwrap(), b"");
    }
    assert_eq!(answers(&assert_ends_well(program, interrupted)), 64);
}

#[test]
fn pipelined_requests_that_were_read_are_all_answered() {
    let (program, addr) = Program::serve(&[]);
    let mut connection = Connection::open(addr).unwrap();
    connection.send("GET /work?ms=50 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20)).unwrap();
    assert_eq!(connection.answer().unwrap().status, 200);
    let interrupted = interrupt(&program);
    for _ in 1..20 {
        assert_eq!(connection.answer().unwrap().body, "slept for 50 ms\n");
    }
    assert_eq!(connection.rest().unwrap(), b"");
    assert_eq!(answers(&assert_ends_well(program, interrupted)), 20);
}

/// What was on its way when the end began is answered, and told when it is the last.
#[test]
fn requests_that_arrive_just_after_are_answered_and_told_to_close() {
    let (program, addr) = Program::serve(&[]);
    let mut single = Connection::open(addr).unwrap();
    assert!(!single.get("/").unwrap().is_last());
    let mut batch = Connection::open(addr).unwrap();
    assert!(!batch.get("/").unwrap().is_last());
    let mut late = Connection::open(addr).unwrap();
    late.send("GET /compute?n=10 HTTP/1.1\r\n").unwrap();
    thread::sleep(Duration::from_millis(100));
    let interrupted = interrupt(&program);

    late.send("host: x\r\n\r\n").unwrap();
    // A few may be answered before their connections hear of the end.
    let mut answered = 2;
    loop {
        answered += 1;
        if single.get("/").unwrap().is_last() {
            break;
        }
    }
    loop {
        batch.send("GET /compute?n=10 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3)).unwrap();
        let last = [batch.answer(), batch.answer(), batch.answer()].map(|a| a.unwrap().is_last());
        answered += 3;
        assert_eq!(last[..2], [false, false]);
        if last[2] {
            break;
        }
    }
    assert_eq!(late.answer().unwrap().body, "4\n");
    for mut connection in [single, batch, late] {
        assert_eq!(connection.rest().unwrap(), b"");
    }
    assert_eq!(answers(&assert_ends_well(program, interrupted)), answered + 1);
}

#[test]
fn nothing_is_accepted_any_more_and_the_idle_are_closed() {
    let (program, addr) = Program::serve(&[]);
    let mut idle: Vec<_> = (0..8).map(|_| Connection::open(addr).unwrap()).collect();
    assert_eq!(idle[0].get("/").unwrap().status, 200);
    idle[1].send("GET /half HTT").unwrap();
    idle[2].send("PRI * HTTP/2.0\r\n").unwrap();
    idle[3].send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut busy = Connection::open(addr).unwrap();
    busy.request("GET", "/work?ms=1500").unwrap();
    thread::sleep(Duration::from_millis(200));

    let interrupted = interrupt(&program);
    for connection in &mut idle {
        // Those that have half a request in are closed with a reset, or told that it was bad.
        let _ = connection.rest();
    }
    assert!(TcpStream::connect(addr).is_err(), "still accepting");
    assert_eq!(busy.answer().unwrap().status, 200);
    drop((idle, busy));
    assert_ends_well(program, interrupted);
    // Nobody was waited for until the time was up.
    assert!(interrupted.elapsed() < Duration::from_secs(6), "{:?}", interrupted.elapsed());
}

/// The longest sleep does not fit into ten seconds; it is answered none the less.
#[test]
fn requests_that_take_too_long_are_answered_with_503() {
    let (program, addr) = Program::serve(&[]);
    let mut connection = Connection::open(addr).unwrap();
    connection.request("GET", "/work?ms=60000").unwrap();
    thread::sleep(Duration::from_millis(200));
    let mut pipelined = Connection::open(addr).unwrap();
    pipelined.send("GET /work?ms=60000 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3)).unwrap();
    let streams = thread::spawn(move || {
        Runtime::new().unwrap().block_on(async move {
            let mut client = Client::open(addr).await.unwrap();
            client.get("/work?ms=60000").await.unwrap().0
        })
    });
    thread::sleep(Duration::from_millis(500));
    let interrupted = interrupt(&program);
    let answer = connection.answer().unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    for _ in 0..3 {
        assert_eq!(pipelined.answer().unwrap().status, 503);
    }
    assert_eq!(streams.join().unwrap(), 503);
    assert_ends_well(program, interrupted);
}

#[test]
fn a_second_interrupt_exits_with_130_at_once() {
    let (program, addr) = Program::serve(&[]);
    let mut connection = Connection::open(addr).unwrap();
    connection.request("GET", "/work?ms=60000").unwrap();
    thread::sleep(Duration::from_millis(100));
    interrupt(&program);
    let again = Instant::now();
    program.interrupt();
    assert_eq!(program.wait().code, Some(130));
    // Far below the eight seconds for which the request would be waited for.
    assert!(again.elapsed() < Duration::from_secs(4), "{:?}", again.elapsed());
}

/// A client that never reads keeps nobody from the end.
#[test]
fn a_client_that_does_not_read_does_not_hold_up_the_end() {
    let (program, addr) = Program::serve(&[]);
    let mut deaf = TcpStream::connect(addr).unwrap();
    deaf.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let requests = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    // Until neither side's buffers take any more.
    while deaf.write_all(&requests).is_ok() {}
    let interrupted = interrupt(&program);
    assert_ends_well(program, interrupted);
    drop(deaf);
}

/// What the server had read when the end began may be more than the buffers on the way back take;
/// and the client goes on sending, to a server that reads no more.
#[test]
fn a_client_that_reads_late_gets_every_answer() {
    const REQUESTS: usize = 30_000;
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let (program, addr) = Program::serve(&[]);
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut writing = stream.try_clone().unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let writer = thread::spawn(move || {
        // Once the server has closed, what is sent on is refused.
        while counted.load(Ordering::Relaxed) < REQUESTS && writing.write_all(REQUEST).is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    // Until the buffers on the way there and back are full.
    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(300));
    }
    let interrupted = interrupt(&program);
    thread::sleep(Duration::from_millis(1500));
    let mut connection = Connection::of(stream);
    let answered = std::iter::from_fn(|| connection.answer().ok()).count();
    writer.join().unwrap();
    drop(connection);
    let ended = assert_ends_well(program, interrupted);
    assert_eq!(answered as u64, answers(&ended), "{ended:?}");
    assert!(answered > 1000);
}

/// HTTP/2's flow control holds the answer back until the client takes it; the connection stays.
#[test]
fn a_stream_that_reads_late_gets_its_answer() {
    let (program, addr) = Program::serve(&[]);
    let (body, interrupted) = Runtime::new().unwrap().block_on(async {
        // The server may send one byte, and another when that one has been read.
        let mut client = Client::open_with_window(addr, 1).await.unwrap();
        let body = client.start("/compute?n=10000000").await.unwrap();
        let interrupted = interrupt(&program);
        goro::time::sleep(Duration::from_millis(2000)).await;
        (body.collect().await.unwrap().to_bytes(), interrupted)
    });
    assert_eq!(body, "664579\n");
    assert_ends_well(program, interrupted);
}

/// What one client saw.
#[derive(Default, Debug)]
struct Seen {
    answered: u64,
    lost: Vec<String>,
}

/// Asks again and again on HTTP/1.1 until nobody accepts any more.
fn ask_until_refused(addr: SocketAddr, target: &'static str) -> Seen {
    let mut seen = Seen::default();
    while let Ok(mut connection) = Connection::open(addr) {
        let mut first = true;
        loop {
            match connection.get(target) {
                Ok(answer) if answer.status == 200 => {
                    seen.answered += 1;
                    if answer.is_last() {
                        break;
                    }
                }
                // A connection that the kernel had accepted, and the server never saw.
                Err(_) if first => return seen,
                other => {
                    seen.lost.push(format!("{target}: {other:?}"));
                    return seen;
                }
            }
            first = false;
        }
    }
    seen
}

/// The same over HTTP/2, on one connection, until it is told to go away.
async fn ask_until_told(addr: SocketAddr) -> u64 {
    let Ok(client) = Client::open(addr).await else { return 0 };
    let streams: Vec<JoinHandle<u64>> = (0..8)
        .map(|_| {
            let mut client = client.clone();
            goro::spawn(async move {
                let mut answered = 0;
                while let Ok((200, _)) = client.get("/work?ms=5").await {
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for stream in streams {
        answered += stream.await.unwrap();
    }
    answered
}

/// Every request that was sent on a connection that the server had accepted has its answer, and the
/// server's count agrees with the clients'.
#[test]
fn under_load_no_request_is_lost() {
    let rounds = std::env::var("SERVE_END_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let (program, addr) = Program::serve(&[]);
        let targets = ["/", "/work?ms=3", "/compute?n=100000"];
        let clients: Vec<_> = (0..24)
            .map(|index| thread::spawn(move || ask_until_refused(addr, targets[index % 3])))
            .collect();
        let streams = thread::spawn(move || Runtime::new().unwrap().block_on(ask_until_told(addr)));
        thread::sleep(Duration::from_millis(500 + 37 * (round % 10)));

        let interrupted = interrupt(&program);
        let seen: Vec<Seen> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        let answered = seen.iter().map(|seen| seen.answered).sum::<u64>() + streams.join().unwrap();
        let lost: Vec<_> = seen.iter().flat_map(|seen| &seen.lost).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
        let ended = assert_ends_well(program, interrupted);
        assert_eq!(answers(&ended), answered, "round {round}: {ended:?}");
        println!("round {round}: {answered} answered, ended in {:?}", interrupted.elapsed());
    }
}
