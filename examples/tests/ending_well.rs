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

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Ended, PATIENCE, Program};

const CLIENTS: usize = 16;

fn runs() -> u64 {
    std::env::var("ENDING_RUNS").map_or(1, |runs| runs.parse().unwrap())
}

/// What the clients saw.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicU64,
    retried: AtomicU64,
    refused: AtomicU64,
    cut_off: AtomicU64,
}

fn one(count: &AtomicU64) {
    count.fetch_add(1, Relaxed);
}

/// What became of a request.
enum Asked {
    Answered,
    /// Not a byte of an answer.
    Closed,
    CutOff,
}

fn connect(addr: SocketAddr) -> Option<BufReader<TcpStream>> {
    let stream = TcpStream::connect(addr).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    Some(BufReader::new(stream))
}

fn ask(
    stream: &mut BufReader<TcpStream>,
    request: &str,
    answer: fn(&mut BufReader<TcpStream>) -> Option<()>,
) -> Asked {
    if stream.get_mut().write_all(request.as_bytes()).is_err() {
        return Asked::Closed;
    }
    if stream.fill_buf().map_or(true, <[u8]>::is_empty) {
        return Asked::Closed;
    }
    if answer(stream).is_some() { Asked::Answered } else { Asked::CutOff }
}

/// Asks again and again, on one connection for as long as it lasts, until nobody accepts any more.
fn client(
    addr: SocketAddr,
    seen: &Seen,
    request: &str,
    answer: fn(&mut BufReader<TcpStream>) -> Option<()>,
) {
    // The request in hand was sent before, and not answered.
    let mut again = false;
    while let Some(mut stream) = connect(addr) {
        loop {
            match ask(&mut stream, request, answer) {
                Asked::Answered => {
                    one(&seen.answered);
                    if core::mem::take(&mut again) {
                        one(&seen.retried);
                    }
                }
                Asked::Closed => {
                    again = true;
                    break;
                }
                Asked::CutOff => {
                    one(&seen.cut_off);
                    break;
                }
            }
        }
    }
    if again {
        one(&seen.refused);
    }
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

fn line_answer(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.ends_with('\n').then_some(())
}

/// One run: load, SIGTERM in the middle of it, and what there is to say.
struct Run {
    seen: Arc<Seen>,
    ended: Ended,
    /// Answers a second, before the signal.
    rate: f64,
}

fn run(
    example: &str,
    args: &[&str],
    request: &'static str,
    answer: fn(&mut BufReader<TcpStream>) -> Option<()>,
) -> Run {
    let program = Program::start(example, &[&["127.0.0.1:0"], args].concat());
    let line = program.line();
    let addr = line.rsplit(['/', ' ']).next().unwrap().parse().unwrap();
    let seen = Arc::new(Seen::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let seen = seen.clone();
            thread::spawn(move || client(addr, &seen, request, answer))
        })
        .collect();
    while seen.answered.load(Relaxed) < 100 {
        thread::yield_now();
    }
    let (began, before) = (Instant::now(), seen.answered.load(Relaxed));
    thread::sleep(Duration::from_millis(500));
    let answered = seen.answered.load(Relaxed) - before;
    let rate = answered as f64 / began.elapsed().as_secs_f64();
    program.terminate();
    let ended = program.wait();
    clients.into_iter().for_each(|client| client.join().unwrap());
    Run { seen, ended, rate }
}

/// The number behind `word` in a program's words.
fn number(out: &str, word: &str) -> f64 {
    let mut words = out.split_whitespace();
    let found = words.find(|&w| w == word).and_then(|_| words.next());
    let number = found.and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no number behind {word} in {out:?}"))
}

impl Run {
    fn says(&self, name: &str, lost: u64) {
        let Seen { answered, retried, refused, .. } = &*self.seen;
        println!(
            "{name}: {} answered, {:.0} a second; retried {}, refused {}, lost {lost}",
            answered.load(Relaxed),
            self.rate,
            retried.load(Relaxed),
            refused.load(Relaxed)
        );
    }

    fn lost(&self) -> u64 {
        number(&self.ended.out, "lost") as u64 + self.seen.cut_off.load(Relaxed)
    }
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[test]
fn graceful_loses_no_request_that_it_has_accepted() {
    // As fast as it can, and with every client waiting most of the time.
    for work in (0..runs()).flat_map(|_| ["0", "2000"]) {
        let run = run("graceful", &["--work", work], GET, http_answer);
        let out = &run.ended.out;
        run.says(&format!("graceful, {work} us each"), run.lost());
        let (queue, drain) = (number(out, "queue"), number(out, "drain"));
        let allowed = (queue / run.rate + 0.5) * 1e3;
        println!("  queue {queue}, drained in {drain:.1} ms of the {allowed:.1} ms allowed");
        assert_eq!((run.ended.code, run.lost()), (Some(0), 0), "{:?}", run.ended);
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
        run.says("naive", run.lost());
        assert!(run.lost() > 0, "{:?}", run.ended);
    }
}

#[test]
fn drain_loses_no_request_that_it_has_read() {
    for _ in 0..runs() {
        let run = run("drain", &[], "SET a b\n", line_answer);
        let lost = number(&run.ended.out, "answered") as u64 - run.seen.answered.load(Relaxed);
        run.says("drain", lost + run.seen.cut_off.load(Relaxed));
        assert_eq!((run.ended.code, lost), (Some(0), 0), "{:?}", run.ended);
        assert_eq!(run.seen.cut_off.load(Relaxed), 0);
    }
}
