//! Clients that ask as fast as they are answered, and count what becomes of their requests.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 16;

/// How long an answer may take. Generous: other things run on the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads an answer to its end; nothing, if it is cut off.
pub type Answer = fn(&mut BufReader<TcpStream>) -> Option<()>;

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub answered: AtomicU64,
    pub retried: AtomicU64,
    pub refused: AtomicU64,
    pub cut_off: AtomicU64,
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

fn ask(stream: &mut BufReader<TcpStream>, request: &str, answer: Answer) -> Asked {
    if stream.get_mut().write_all(request.as_bytes()).is_err() {
        return Asked::Closed;
    }
    if stream.fill_buf().map_or(true, <[u8]>::is_empty) {
        return Asked::Closed;
    }
    if answer(stream).is_some() { Asked::Answered } else { Asked::CutOff }
}

/// Asks again and again, on one connection for as long as it lasts, until nobody accepts any more.
fn client(addr: SocketAddr, seen: &Seen, request: &str, answer: Answer) {
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

/// One line.
pub fn line_answer(stream: &mut BufReader<TcpStream>) -> Option<()> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.ends_with('\n').then_some(())
}

/// What a program's clients saw, and how many answers there were to a second before it was told to end.
pub struct Run<E> {
    pub seen: Arc<Seen>,
    pub ended: E,
    pub rate: f64,
}

/// Loads a server until it answers steadily, has `end` end it in the middle of that, and waits for its clients.
pub fn run<E>(
    addr: SocketAddr,
    request: &'static str,
    answer: Answer,
    end: impl FnOnce() -> E,
) -> Run<E> {
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
    let ended = end();
    clients.into_iter().for_each(|client| client.join().unwrap());
    Run { seen, ended, rate }
}

/// The number behind `word` in a program's words.
pub fn number(out: &str, word: &str) -> f64 {
    let mut words = out.split_whitespace();
    let found = words.find(|&w| w == word).and_then(|_| words.next());
    let number = found.and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("no number behind {word} in {out:?}"))
}

impl<E> Run<E> {
    /// Prints it.
    pub fn says(&self, name: &str, lost: u64) {
        let Seen { answered, retried, refused, .. } = &*self.seen;
        println!(
            "{name}: {} answered, {:.0} a second; retried {}, refused {}, lost {lost}",
            answered.load(Relaxed),
            self.rate,
            retried.load(Relaxed),
            refused.load(Relaxed)
        );
    }

    /// Answers that a server says it has given, and that did not arrive whole.
    pub fn lost(&self, answered: f64) -> u64 {
        answered as u64 - self.seen.answered.load(Relaxed)
    }
}
