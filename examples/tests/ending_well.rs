//! `graceful` and `drain` under SIGTERM, in the middle of the highest steady load: no request that was accepted
//! stays without its answer.
//!
//! | | |
//! |---|---|
//! | accepted | the server has read its first byte |
//! | retried | the connection was closed before any byte of an answer, and another one took the request |
//! | refused | as that, and there was no other: the port is closed |
//! | lost | accepted, and not answered: the server says so, or an answer was cut off |
//!
//! `ENDING_RUNS` sets how often each is repeated (1).

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;

use crate::load::{Answer, Run, line_answer, number};
use crate::program::{Ended, Program};

fn runs() -> u64 {
    std::env::var("ENDING_RUNS").map_or(1, |runs| runs.parse().unwrap())
}

fn http_answer(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
    }
    stream.read_exact(&mut [0; b"done\n".len()]).ok()
}

/// One run: load, SIGTERM in the middle of it, and what there is to say.
fn run(example: &str, args: &[&str], request: &'static str, answer: Answer) -> Run<Ended> {
    let program = Program::start(example, &[&["127.0.0.1:0"], args].concat());
    let line = program.line();
    let addr = line.rsplit(['/', ' ']).next().unwrap().parse().unwrap();
    crate::load::run(addr, request, answer, move || {
        program.terminate();
        program.wait()
    })
}

/// What `graceful` says it has dropped, and what its clients saw cut off.
fn lost(run: &Run<Ended>) -> u64 {
    number(&run.ended.out, "lost") as u64 + run.seen.cut_off.load(Relaxed)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[test]
fn graceful_loses_no_request_that_it_has_accepted() {
    // As fast as it can, and with every client waiting most of the time.
    for work in (0..runs()).flat_map(|_| ["0", "2000"]) {
        let run = run("graceful", &["--work", work], GET, http_answer);
        let out = &run.ended.out;
        run.says(&format!("graceful, {work} us each"), lost(&run));
        let (queue, drain) = (number(out, "queue"), number(out, "drain"));
        let allowed = (queue / run.rate + 0.5) * 1e3;
        println!("  queue {queue}, drained in {drain:.1} ms of the {allowed:.1} ms allowed");
        assert_eq!((run.ended.code, lost(&run)), (Some(0), 0), "{:?}", run.ended);
        let answered = run.seen.answered.load(Relaxed);
        assert_eq!(number(out, "accepted") as u64, answered, "{:?}", run.ended);
    }
}

/// The control: what is dropped is seen as lost.
#[test]
fn graceful_loses_requests_where_it_drops_everything() {
    for _ in 0..runs() {
        // Long enough for every client to have one in hand.
        let run = run("graceful", &["--naive", "--work", "200000"], GET, http_answer);
        run.says("naive", lost(&run));
        assert!(lost(&run) > 0, "{:?}", run.ended);
    }
}

#[test]
fn drain_loses_no_request_that_it_has_read() {
    for _ in 0..runs() {
        let run = run("drain", &[], "SET a b\n", line_answer);
        let lost = run.lost(number(&run.ended.out, "answered"));
        run.says("drain", lost + run.seen.cut_off.load(Relaxed));
        assert_eq!((run.ended.code, lost), (Some(0), 0), "{:?}", run.ended);
        assert_eq!(run.seen.cut_off.load(Relaxed), 0);
    }
}
