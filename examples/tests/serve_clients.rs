//! Clients of `serve` that go away, say nothing, or never stop.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use goro::runtime::Runtime;

use crate::http::Connection;
use crate::program::{PATIENCE, Program};
use crate::serve_http2::Client;

fn assert_serves_on(mut program: Program, addr: std::net::SocketAddr) {
    assert!(program.is_running());
    assert_eq!(Connection::open(addr).unwrap().get("/").unwrap().status, 200);
    program.interrupt();
    assert_eq!(program.wait().code, Some(0));
}

#[test]
fn a_client_gone_in_mid_response_is_logged() {
    let (program, addr) = Program::serve(&[]);
    let mut connection = Connection::open(addr).unwrap();
    connection.request("GET", "/work?ms=60000").unwrap();
    drop(connection);
    let line = program.wait_for_log("is gone before the answer");
    assert!(line.contains("127.0.0.1:") && line.ends_with("GET /work?ms=60000"), "{line}");
    assert_serves_on(program, addr);
}

#[test]
fn a_stream_given_up_in_mid_response_is_logged() {
    let (program, addr) = Program::serve(&[]);
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::open(addr).await.unwrap();
        let mut other = client.clone();
        {
            let waiting = pin!(client.get("/work?ms=60000"));
            // One connection keeps its order: once the second is answered, the first has been read.
            match select(waiting, pin!(other.get("/compute?n=10"))).await {
                Either::Right((answer, _)) => assert_eq!(answer.unwrap().1, "4\n"),
                Either::Left((answer, _)) => panic!("a minute has passed: {answer:?}"),
            }
        }
        // Dropping the first has reset its stream; the connection lives on.
        assert_eq!(client.get("/compute?n=100").await.unwrap().1, "25\n");
    });
    let line = program.wait_for_log("is gone before the answer");
    assert!(line.ends_with("/work?ms=60000"), "{line}");
    assert_serves_on(program, addr);
}

/// The client closes with a reset, in the middle of a hundred answers.
#[test]
fn a_client_that_resets_takes_nothing_down() {
    let (program, addr) = Program::serve(&[]);
    for _ in 0..50 {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100)).unwrap();
        // Closed with unread bytes in it, a socket sends a reset.
        stream.read_exact(&mut [0; 10]).unwrap();
    }
    assert_serves_on(program, addr);
}

/// Slow loris, in each of its states: nothing, half a preface, half a head a byte at a time, an
/// HTTP/2 connection without a request, and one that was idle after an answer.
#[test]
fn clients_that_hold_a_connection_for_nothing_lose_it() {
    let (program, addr) = Program::serve(&["--header-timeout", "0.5"]);
    let first_words: [&[u8]; 5] = [
        b"",
        b"PRI * HTTP",
        b"GET / HTTP/1.1\r\nhost:",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    ];
    let begun = Instant::now();
    let mut streams: Vec<TcpStream> =
        first_words.iter().map(|_| TcpStream::connect(addr).unwrap()).collect();
    for (stream, words) in streams.iter_mut().zip(first_words) {
        stream.write_all(words).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    // The third goes on, a byte now and then, and never comes to the end of its head.
    let mut dripping = streams[2].try_clone().unwrap();
    std::thread::spawn(move || {
        while dripping.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    for (stream, words) in streams.iter_mut().zip(first_words) {
        // A reset is an end as well, if the server closes between two bytes of ours.
        let _ = stream.read_to_end(&mut Vec::new());
        let words = String::from_utf8_lossy(words);
        assert!(begun.elapsed() >= Duration::from_millis(500), "{words:?} was cut off early");
        assert!(begun.elapsed() < PATIENCE, "{words:?} was not cut off");
    }
    assert_serves_on(program, addr);
}

/// A request in hand is not idle, however long it takes.
#[test]
fn the_header_timeout_does_not_end_a_request_in_hand() {
    let (program, addr) = Program::serve(&["--header-timeout", "0.2"]);
    let mut connection = Connection::open(addr).unwrap();
    assert_eq!(connection.get("/work?ms=1000").unwrap().body, "slept for 1000 ms\n");
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::open(addr).await.unwrap();
        assert_eq!(client.get("/work?ms=1000").await.unwrap().1, "slept for 1000 ms\n");
    });
    assert_serves_on(program, addr);
}

/// Connections that are open and idle cost descriptors, which come back.
#[cfg(target_os = "linux")]
#[test]
fn idle_connections_give_their_descriptors_back() {
    let (program, addr) = Program::serve(&[]);
    assert_eq!(Connection::open(addr).unwrap().get("/").unwrap().status, 200);
    let mut connections: Vec<_> = (0..200).map(|_| Connection::open(addr).unwrap()).collect();
    for connection in &mut connections {
        assert_eq!(connection.get("/").unwrap().status, 200);
    }
    let full = program.descriptors();
    drop(connections);
    program.wait_for_descriptors(full - 200);
    assert_serves_on(program, addr);
}
