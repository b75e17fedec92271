//! The small examples: what they print, and that they end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::program::{Ended, PATIENCE, Program};

fn assert_prints(example: &str, lines: &[&str]) {
    let Ended { code, out, err } = Program::run(example, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{example}");
    assert_eq!(out.lines().collect::<Vec<_>>(), lines, "{example}");
}

#[test]
fn hello_says_hello() {
    assert_prints("hello", &["hello from a task"]);
}

#[test]
fn a_library_that_spawns_works_with_and_without_the_attribute() {
    let tally = ["1 boat", "1 down", "1 gently", "3 row", "1 stream", "1 the", "1 your"];
    assert_prints("library", &tally);
    assert_prints("library_without_main", &tally);
}

#[test]
fn a_threaded_program_can_hold_a_runtime() {
    assert_prints(
        "embed",
        &[
            "blocking on a task: 144",
            "from a thread: 1",
            "from a thread: 4",
            "from a thread: 9",
            "from a channel: 16",
            "from a channel: 25",
            "from a channel: 36",
            "stopped, and the task that waits for ever was cancelled: true",
        ],
    );
}

#[test]
fn a_tokio_program_can_hold_a_runtime() {
    assert_prints(
        "embed_tokio",
        &[
            "from goro: 144",
            "from tokio, by way of goro",
            "from goro, by way of tokio",
            "a timeout on tokio: true",
            "stopped",
        ],
    );
}

#[test]
fn echo_gives_back_what_several_clients_send_at_once() {
    let echo = Program::start("echo", &["127.0.0.1:0"]);
    let line = echo.line();
    let addr = line.strip_prefix("echo on ").unwrap_or_else(|| panic!("no address in {line:?}"));
    let mut clients: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(addr).unwrap()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(format!("client {index}").as_bytes()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    }
    for (index, client) in clients.iter_mut().enumerate() {
        let mut back = String::new();
        client.read_to_string(&mut back).unwrap();
        assert_eq!(back, format!("client {index}"));
    }
}
