//! `serve` over HTTP/2 with prior knowledge: hyper's client on a goro runtime of the test's own.

use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;

use goro::net::TcpStream;
use goro::runtime::Runtime;
use goro_hyper::{GoroExecutor, GoroIo};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::{Method, Request, Response};

use crate::program::{PATIENCE, Program};

/// A connection that many tasks can ask on at once.
#[derive(Clone)]
pub struct Client {
    sender: SendRequest<Empty<Bytes>>,
    addr: SocketAddr,
}

/// An answer's status and text.
pub type Answer = Result<(u16, String), hyper::Error>;

impl Client {
    pub async fn open(addr: SocketAddr) -> Result<Self, Box<dyn std::error::Error>> {
        Self::open_with_window(addr, 65_535).await
    }

    /// Opens a connection on which each answer may be so many bytes ahead of its reader.
    pub async fn open_with_window(
        addr: SocketAddr,
        window: u32,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let stream = TcpStream::connect(addr).await?;
        let (sender, connection) = Builder::new(GoroExecutor::new())
            .initial_stream_window_size(window)
            .handshake(GoroIo::new(stream))
            .await?;
        goro::spawn(connection);
        Ok(Self { sender, addr })
    }

    pub async fn ask(&mut self, method: Method, target: &str, filler: usize) -> Answer {
        let answer = self.send(method, target, filler).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Asks, and gives the answer's body to be read.
    pub async fn start(&mut self, target: &str) -> Result<Incoming, hyper::Error> {
        Ok(self.send(Method::GET, target, 0).await?.into_body())
    }

    async fn send(
        &mut self,
        method: Method,
        target: &str,
        filler: usize,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{target}", self.addr))
            .header("x-filler", "a".repeat(filler))
            .body(Empty::new())
            .expect("a request of ours is in order");
        self.sender.send_request(request).await
    }

    pub async fn get(&mut self, target: &str) -> Answer {
        self.ask(Method::GET, target, 0).await
    }
}

/// Runs `check` against a server, which must end well.
fn served<F: Future>(check: impl FnOnce(SocketAddr) -> F) {
    let (program, addr) = Program::serve(&[]);
    Runtime::new().unwrap().block_on(check(addr));
    program.interrupt();
    let ended = program.wait();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[test]
fn every_route_and_error_is_as_in_http_1() {
    served(|addr| async move {
        let mut client = Client::open(addr).await.unwrap();
        for (target, status, body) in [
            ("/", 200, "goro serves"),
            ("/work?ms=5", 200, "slept for 5 ms\n"),
            ("/compute?n=1000", 200, "168\n"),
            ("/work", 400, "ms is missing"),
            ("/compute?n=10000001", 400, "n is too large"),
            ("/nothing", 404, "no such path"),
        ] {
            let (got, text) = client.get(target).await.unwrap();
            assert!(got == status && text.starts_with(body), "{target}: {got} {text}");
        }
        let (status, text) = client.ask(Method::POST, "/", 0).await.unwrap();
        assert!(status == 405 && text.starts_with("wrong method"), "{status} {text}");
    });
}

#[test]
fn a_head_that_is_too_large_gets_431_and_the_connection_goes_on() {
    served(|addr| async move {
        let mut client = Client::open(addr).await.unwrap();
        for filler in [40 * 1024, 64 * 1024] {
            assert_eq!(client.ask(Method::GET, "/", filler).await.unwrap().0, 431, "{filler}");
        }
        assert_eq!(client.ask(Method::GET, "/", 24 * 1024).await.unwrap().0, 200);
    });
}

#[test]
fn streams_are_answered_side_by_side() {
    served(|addr| async move {
        let client = Client::open(addr).await.unwrap();
        let begun = std::time::Instant::now();
        let streams: Vec<_> = (0..200)
            .map(|_| {
                let mut client = client.clone();
                goro::spawn(async move { client.get("/work?ms=300").await.unwrap() })
            })
            .collect();
        for stream in streams {
            assert_eq!(stream.await.unwrap().1, "slept for 300 ms\n");
        }
        // One after the other they would take a minute.
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    });
}

/// The preface may come in pieces; the server's settings say that it was understood.
#[test]
fn a_preface_in_pieces_is_understood() {
    let (program, addr) = Program::serve(&[]);
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0" {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "a settings frame: {head:?}");
    drop(stream);
    program.interrupt();
    assert_eq!(program.wait().code, Some(0));
}
