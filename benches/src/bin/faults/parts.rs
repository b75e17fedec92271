//! What the probes of several runtimes are made of.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Said;

/// Panics when it is dropped, unless a panic is under way.
#[derive(Debug)]
pub(crate) struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("in a destructor");
        }
    }
}

/// Counts how many are dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn one(&self) -> Counted {
        Counted(self.0.clone())
    }

    pub(crate) fn seen(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(pub(crate) Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

/// What a value does when it is dropped.
pub(crate) enum Value {
    Counts(#[expect(dead_code, reason = "it is its drop that counts")] Counted),
    Panics,
}

impl Drop for Value {
    fn drop(&mut self) {
        if matches!(self, Self::Panics) && !thread::panicking() {
            panic!("in a destructor");
        }
    }
}

/// Whether `done` comes to hold soon.
pub(crate) fn soon(mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(3) {
        if done() {
            return true;
        }
        thread::sleep(Duration::from_millis(1));
    }
    done()
}

/// Says `text` if `good`, as good.
pub(crate) fn judged(good: bool, text: impl Into<String>) -> Said {
    if good { Ok(text.into()) } else { Err(text.into()) }
}

/// Runs a closure that may panic, for what its panic says.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).map_err(|_| "panics".to_owned())
}

/// Runs a closure on a thread of its own; `None` if it has not come back soon.
pub(crate) fn on_a_thread<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(f()));
    wait.recv_timeout(Duration::from_secs(5)).ok()
}

/// From now on this thread gets no more threads than `more`. Root is not held to that, so it becomes
/// somebody else, who has none but this one.
pub(crate) fn limit_threads(more: u64) {
    if rustix::process::getuid().is_root() {
        let nobody = rustix::process::Uid::from_raw(61_234);
        // The raw call changes this thread alone.
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("root may be anybody");
    }
    let limit = Rlimit { current: Some(1 + more), maximum: Some(1 + more) };
    setrlimit(Resource::Nproc, limit).expect("a limit may be lowered");
}

/// From now on the process gets no more descriptors.
fn limit_descriptors() {
    let open =
        std::fs::read_dir("/proc/self/fd").expect("a process has descriptors").count() as u64;
    let limit = Rlimit { current: Some(open - 1), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).expect("a limit may be lowered");
}

/// So many clients that nobody has accepted, and then no descriptor for anything.
pub(crate) fn crowd(address: SocketAddr) -> Vec<TcpStream> {
    let clients =
        (0..30).map(|_| TcpStream::connect(address).expect("a backlog has room")).collect();
    limit_descriptors();
    clients
}

/// What is to be said of a second with no descriptor.
pub(crate) fn strained(errors: usize, ticks: usize) -> Said {
    judged(errors < 200 && ticks > 90, format!("{errors} errors, ticker {ticks} of 100"))
}

/// Exchanges with an echo server for so long; the slowest.
pub(crate) fn slowest_exchange(address: SocketAddr, lasting: Duration) -> io::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    while began.elapsed() < lasting {
        let asked = Instant::now();
        stream.write_all(&[7; 64])?;
        stream.read_exact(&mut [0; 64])?;
        slowest = slowest.max(asked.elapsed());
    }
    Ok(slowest)
}

/// Of how often the first of two won, and in how long a row one did.
pub(crate) struct Fairness {
    first: usize,
    of: usize,
    last: Option<bool>,
    row: usize,
    longest: usize,
}

impl Fairness {
    pub(crate) fn new() -> Self {
        Self { first: 0, of: 0, last: None, row: 0, longest: 0 }
    }

    pub(crate) fn won(&mut self, first: bool) {
        self.first += usize::from(first);
        self.of += 1;
        self.row = if self.last.replace(first) == Some(first) { self.row + 1 } else { 1 };
        self.longest = self.longest.max(self.row);
    }

    pub(crate) fn said(&self) -> Said {
        let text =
            format!("{} / {}, longest row {}", self.first, self.of - self.first, self.longest);
        judged(self.longest <= 20, text)
    }
}

/// A waker that calls a closure whenever it is woken.
pub(crate) struct Calls<F>(pub(crate) F);

impl<F: Fn() + Send + Sync + 'static> Wake for Calls<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Polls once.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// What a thread is to be told of, by whoever knows.
pub(crate) struct Told<T>(Mutex<VecDeque<T>>);

impl<T> Told<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    pub(crate) fn tell(&self, what: T) {
        self.0.lock().expect("nobody panics under it").push_back(what);
    }

    pub(crate) fn hear(&self) -> Option<T> {
        let mut heard = None;
        soon(|| {
            heard = self.0.lock().expect("nobody panics under it").pop_front();
            heard.is_some()
        });
        heard
    }
}
