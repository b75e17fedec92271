//! What is left after a read: bytes, the end, an error; also where the kernel is believed that nothing is.
#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use core::future::{Future, poll_fn};
use core::task::Poll;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::Shutdown;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro_net::TcpStream;
use goro_runtime::{Builder, spawn, time};
use goro_shim::random::Random;
use goro_shim::thread;
use socket2::SockRef;
use support::{listener, patiently};

const MESSAGE: usize = 8;

/// Runs a test on one worker: what the test does between two awaits comes to the reactor at once.
fn run_alone<F>(test: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = Builder::new().workers(1).build().unwrap();
    for _ in 0..50 {
        runtime.block_on(patiently(spawn(test()))).unwrap();
    }
}

/// A stream that has been read in vain a few times, so that the kernel is asked; its other end blocks.
async fn used() -> (TcpStream, std::net::TcpStream) {
    let listener = listener().await;
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    other.set_nodelay(true).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (mut stream, mut other) = (stream, other);
    for round in 0..4 {
        let mut message = [0; MESSAGE];
        {
            let mut reading = core::pin::pin!(stream.read_exact(&mut message));
            let early = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
            assert!(early.is_pending(), "nothing has been sent");
            other.write_all(&[round; MESSAGE]).unwrap();
            reading.await.unwrap();
        }
        assert_eq!(message, [round; MESSAGE]);
    }
    (stream, other)
}

async fn read_message(stream: &mut TcpStream) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    stream.read_exact(&mut message).await.unwrap();
    message
}

#[test]
fn what_comes_with_a_message_is_read_without_another_event() {
    run_alone(|| async {
        let (mut stream, mut other) = used().await;
        let three: Vec<u8> = (1..=3).flat_map(|n| [n; MESSAGE]).collect();
        other.write_all(&three).unwrap();
        for n in 1..=3 {
            assert_eq!(read_message(&mut stream).await, [n; MESSAGE]);
        }
    });
}

/// Pitfall 147.
#[test]
fn the_end_that_comes_with_a_message_is_seen() {
    run_alone(|| async {
        let (mut stream, mut other) = used().await;
        other.write_all(&[1; MESSAGE]).unwrap();
        drop(other);
        assert_eq!(read_message(&mut stream).await, [1; MESSAGE]);
        assert_eq!(stream.read(&mut [0; MESSAGE]).await.unwrap(), 0);
    });
}

#[test]
fn half_an_end_that_comes_with_a_message_is_seen() {
    run_alone(|| async {
        let (mut stream, mut other) = used().await;
        other.write_all(&[1; MESSAGE]).unwrap();
        other.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_message(&mut stream).await, [1; MESSAGE]);
        assert_eq!(stream.read(&mut [0; MESSAGE]).await.unwrap(), 0);
        stream.write_all(&[2; MESSAGE]).await.unwrap();
        let mut answer = [0; MESSAGE];
        other.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [2; MESSAGE]);
    });
}

#[test]
fn a_reset_that_comes_with_a_message_is_seen() {
    run_alone(|| async {
        let (mut stream, mut other) = used().await;
        other.write_all(&[1; MESSAGE]).unwrap();
        SockRef::from(&other).set_linger(Some(Duration::ZERO)).unwrap();
        drop(other);
        let mut message = [0; MESSAGE];
        // Some kernels forget with a reset what came before it.
        let ended = match stream.read_exact(&mut message).await {
            Ok(()) => stream.read(&mut message).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(ended.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn whoever_asks_otherwise_finds_what_comes_later() {
    run_alone(|| async {
        let (mut stream, mut other) = used().await;
        let mut message = [0; MESSAGE];
        assert_eq!(stream.try_read(&mut message).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        other.write_all(&[1; MESSAGE]).unwrap();
        assert_eq!(stream.peek(&mut message).await.unwrap(), MESSAGE);
        assert_eq!(read_message(&mut stream).await, [1; MESSAGE]);
        other.write_all(&[2; MESSAGE]).unwrap();
        stream.readable().await.unwrap();
        assert_eq!(read_message(&mut stream).await, [2; MESSAGE]);
    });
}

#[test]
fn a_stream_that_is_given_away_reads_on() {
    run_alone(|| async {
        let (stream, mut other) = used().await;
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        other.write_all(&[1; MESSAGE]).unwrap();
        let mut message = [0; MESSAGE];
        stream.read_exact(&mut message).unwrap();
        assert_eq!(message, [1; MESSAGE]);
    });
}

/// A thread writes pieces of any length whenever it likes, a task reads into buffers of any length.
#[test]
fn every_byte_comes_however_they_are_cut() {
    const BYTES: usize = 20_000;
    for seed in 0..8 {
        let runtime = Builder::new().workers(2).build().unwrap();
        runtime.block_on(patiently(async move {
            let (mut stream, mut other) = used().await;
            let writer = move || {
                let random = Random::new(seed);
                let mut sent = 0;
                while sent < BYTES {
                    let piece = (random.below(40) as usize + 1).min(BYTES - sent);
                    let bytes: Vec<u8> = (sent..sent + piece).map(|at| at as u8).collect();
                    other.write_all(&bytes).unwrap();
                    sent += piece;
                    if random.below(4) == 0 {
                        thread::sleep(Duration::from_micros(u64::from(random.below(100))));
                    }
                }
            };
            let writer = thread::start("writer".into(), None, writer).unwrap();
            let (random, mut seen) = (Random::new(!seed), 0_usize);
            let mut buffer = [0; 64];
            loop {
                let room = random.below(64) as usize + 1;
                let taken = stream.read(&mut buffer[..room]).await.unwrap();
                if taken == 0 {
                    break;
                }
                for byte in &buffer[..taken] {
                    assert_eq!(*byte, seen as u8, "byte {seen}");
                    seen += 1;
                }
                if random.below(16) == 0 {
                    time::sleep(Duration::from_micros(50)).await;
                }
            }
            assert_eq!(seen, BYTES);
            writer.join().unwrap();
        }));
    }
}
