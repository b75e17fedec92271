//! A runtime per test, and a pair of connected streams.
#![allow(dead_code, reason = "each test file uses a part")]

use core::future::Future;
use core::time::Duration;

use goro_net::{TcpListener, TcpStream};
use goro_runtime::{Builder, Runtime, time};

/// How long a test may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn runtime() -> Runtime {
    Builder::new().workers(2).build().unwrap()
}

/// Runs a test in a runtime of its own.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    runtime().block_on(patiently(test))
}

/// Waits for `future`, but not for ever.
pub(crate) async fn patiently<F: Future>(future: F) -> F::Output {
    time::timeout(PATIENCE, future).await.expect("it hangs")
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// The two ends of one connection.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = listener().await;
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (server, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    (client, server)
}

/// Writes zeros until the kernel takes no more; returns how many.
pub(crate) fn fill(stream: &TcpStream) -> usize {
    let mut written = 0;
    loop {
        match stream.try_write(&[0; 64 * 1024]) {
            Ok(bytes) => written += bytes,
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return written,
            Err(e) => panic!("{e}"),
        }
    }
}
