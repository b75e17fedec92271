//! Arbitrary bytes in arbitrary chunks through goro-hyper, with an early close.
//!
//! Two things are seen to: that what comes out of the wrapper is what the stream gave, whatever the room,
//! the waits and the errors; and that a server over it takes what it is given, comes to an end, and gives
//! the same answers however the same bytes were cut.
#![no_main]

#[path = "http/scripted.rs"]
mod scripted;

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use arbitrary::Unstructured;
use goro_hyper::GoroIo;
use goro_shim::global::{Arc, Lock};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::rt::{Executor, Read, ReadBuf, Write};
use hyper::service::service_fn;
use hyper::{Request, Response};
use scripted::{Cut, Scripted};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut from = Unstructured::new(bytes);
    let _ = run(&mut from);
});

fn run(from: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let kind = from.int_in_range(0..=3)?;
    let cuts = from.int_in_range(0..=15)?;
    let cuts: Vec<Cut> = (0..cuts).map(|_| Cut::draw(from)).collect::<arbitrary::Result<_>>()?;
    match kind {
        0 => through_the_wrapper(from, cuts),
        1 => {
            let bytes = from.bytes(from.len())?;
            let whole = http1(bytes, Vec::new());
            // Where nothing fails on the way, the cuts make no difference. (To the requests; a head that
            // is none is answered or not, by whether it comes in one piece.)
            let cut = http1(bytes, cuts.iter().filter(|cut| !cut.ends()).copied().collect());
            assert_eq!(cut, whole, "by how the bytes were cut");
            http1(bytes, cuts);
            Ok(())
        }
        _ => {
            let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
            bytes.extend(from.bytes(from.len())?);
            http2(&bytes, cuts);
            Ok(())
        }
    }
}

/// Bytes through one wrapper, or through three.
fn through_the_wrapper(from: &mut Unstructured<'_>, cuts: Vec<Cut>) -> arbitrary::Result<()> {
    let room: usize = from.int_in_range(1..=64)?;
    let nested: bool = from.arbitrary()?;
    let bytes = from.bytes(from.len())?.to_vec();
    let (stream, log) = Scripted::new(&bytes, cuts);
    let one = GoroIo::new(stream);
    let read =
        if nested { read_all(GoroIo::new(GoroIo::new(one)), room) } else { read_all(one, room) };
    let given = log.lock().given;
    assert!(read == bytes[..given], "all that the stream gave, in its order, and nothing else");

    let (stream, log) = Scripted::new(&[], vec![Cut::Take(room as u8), Cut::Wait, Cut::Take(1)]);
    let mut io = GoroIo::new(stream);
    let mut cx = Context::from_waker(Waker::noop());
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        match Write::poll_write(Pin::new(&mut io), &mut cx, rest) {
            Poll::Ready(Ok(written)) => rest = &rest[written..],
            Poll::Ready(Err(_)) => break,
            Poll::Pending => {}
        }
    }
    assert!(log.lock().answers == bytes[..bytes.len() - rest.len()]);
    Ok(())
}

fn read_all(mut io: impl Read + Unpin, room: usize) -> Vec<u8> {
    let mut all = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    let mut errors = 0;
    loop {
        let mut memory = vec![0xa5; room];
        let mut buf = ReadBuf::new(&mut memory);
        match Pin::new(&mut io).poll_read(&mut cx, buf.unfilled()) {
            Poll::Ready(Ok(())) if buf.filled().is_empty() => return all,
            Poll::Ready(Ok(())) => all.extend(buf.filled()),
            Poll::Ready(Err(_)) => {
                errors += 1;
                assert!(errors < 100, "a stream that fails a few times fails for ever");
            }
            Poll::Pending => {}
        }
    }
}

/// What a service was asked, and what it had of the body.
type Asked = Arc<Lock<Vec<String>>>;

async fn echo(request: Request<Incoming>, asked: Asked) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes().len().to_string(),
        Err(_) => "cut off".to_owned(),
    };
    let answer = format!("{} {} {body}", head.method, head.uri.path());
    asked.lock().push(answer.clone());
    Ok(Response::new(answer))
}

fn http1(bytes: &[u8], cuts: Vec<Cut>) -> Vec<String> {
    let (stream, _log) = Scripted::new(bytes, cuts);
    let (asked, mut http) = (Asked::default(), hyper::server::conn::http1::Builder::new());
    let service = service_fn(|request| echo(request, asked.clone()));
    let connection = http.half_close(true).serve_connection(GoroIo::new(stream), service);
    finish(pin!(connection), &[]);
    std::mem::take(&mut asked.lock())
}

fn http2(bytes: &[u8], cuts: Vec<Cut>) {
    let (stream, _log) = Scripted::new(bytes, cuts);
    let tasks = Tasks::default();
    let http = hyper::server::conn::http2::Builder::new(tasks.clone());
    let connection = http.serve_connection(
        GoroIo::new(stream),
        service_fn(|request| echo(request, Asked::default())),
    );
    finish(pin!(connection), std::slice::from_ref(&tasks));
}

/// Polls until it is done, and those that it has spawned.
fn finish<F: Future>(mut future: Pin<&mut F>, tasks: &[Tasks]) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..20_000 {
        if future.as_mut().poll(&mut cx).is_ready() {
            return;
        }
        tasks.iter().for_each(|tasks| tasks.poll(&mut cx));
    }
    panic!("a connection whose stream has ended does not end");
}

/// An executor that polls what it was given when it is told to.
#[derive(Clone, Default)]
struct Tasks(Arc<Lock<Vec<Task>>>);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Tasks {
    fn poll(&self, cx: &mut Context<'_>) {
        let mut tasks = std::mem::take(&mut *self.0.lock());
        tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        self.0.lock().append(&mut tasks);
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, future: F) {
        self.0.lock().push(Box::pin(future));
    }
}
