//! HTTP/1.1 between a server and a client on goro, over loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro_hyper::{GoroIo, GoroTimer};
use goro_net::{TcpListener, TcpStream};
use goro_runtime::task::JoinHandle;
use goro_runtime::{Runtime, spawn};
use goro_sync::cancel::{Cause, cause_of};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};

/// Answers with what was sent.
async fn echo(request: Request<Incoming>) -> Result<Response<Incoming>, Infallible> {
    Ok(Response::new(request.into_body()))
}

/// Serves each connection with `echo`; the count is of connections.
async fn echo_server(builder: Builder) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = accepted.clone();
    spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            spawn(builder.serve_connection(GoroIo::new(stream), service_fn(echo)));
        }
    });
    (addr, accepted)
}

async fn client(addr: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (sender, connection) = handshake(GoroIo::new(stream)).await.unwrap();
    spawn(connection);
    sender
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>, body: Bytes) -> Bytes {
    sender.ready().await.unwrap();
    let request = Request::post("/").header("host", "test").body(Full::new(body)).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body().collect().await.unwrap().to_bytes()
}

/// The names of this process's threads.
#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")));
    names.filter_map(Result::ok).map(|name| name.trim().to_owned()).collect()
}

/// Of a connection that waits for the rest of a request, in a task that is asked to stop. (One that waits for its
/// next request ends without an error.)
#[test]
fn a_connection_that_is_asked_to_stop_ends_and_says_why() {
    let runtime = Runtime::new().unwrap();
    let error = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let connection = Builder::new().serve_connection(GoroIo::new(stream), service_fn(echo));
        let connection = spawn(connection);
        client.write_all(b"GET / HTTP/1.1\r\n\r\nGET /").await.unwrap();
        client.read_exact(&mut [0; 15]).await.unwrap();
        connection.cancel("enough").await.unwrap().unwrap_err()
    });
    assert_eq!(cause_of(&error), Some(&Cause::new("enough")));
}

#[test]
fn a_connection_is_kept_for_many_requests() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (addr, accepted) = echo_server(Builder::new()).await;
        let mut sender = client(addr).await;
        for number in 0..200 {
            let body = Bytes::from(format!("request {number}"));
            assert_eq!(ask(&mut sender, body.clone()).await, body);
        }
        assert_eq!(accepted.load(Ordering::Relaxed), 1);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_belongs_to_another_runtime() {
    let before = threads();
    let runtime = goro_runtime::Builder::new().workers(2).name("alone").build().unwrap();
    let during = runtime.block_on(async {
        let (addr, _) = echo_server({
            let mut builder = Builder::new();
            builder.timer(GoroTimer).header_read_timeout(Duration::from_secs(60));
            builder
        })
        .await;
        let mut sender = client(addr).await;
        assert_eq!(ask(&mut sender, Bytes::from_static(b"hello")).await, "hello");
        threads()
    });
    let started = during.iter().filter(|name| !before.contains(name));
    let foreign: Vec<_> = started.filter(|name| !name.starts_with("alone")).collect();
    assert!(foreign.is_empty(), "threads that are not the runtime's: {foreign:?}");
    assert!(during.iter().any(|name| name.starts_with("alone")), "no runtime in {during:?}");
}

/// Many times what a socket or the wrapper's buffer takes at once, and no multiple of either.
#[test]
fn large_bodies_arrive_whole_in_both_directions() {
    let body: Bytes = (0..9_000_001_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (addr, _) = echo_server(Builder::new()).await;
        let mut sender = client(addr).await;
        for _ in 0..2 {
            let back = ask(&mut sender, body.clone()).await;
            assert!(back == body, "{} bytes came back, of {}", back.len(), body.len());
        }
    });
}

#[test]
fn many_connections_at_once_keep_their_answers_apart() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (addr, accepted) = echo_server(Builder::new()).await;
        let clients: Vec<JoinHandle<()>> = (0..64_u32)
            .map(|index| {
                spawn(async move {
                    let mut sender = client(addr).await;
                    for number in 0..20_u32 {
                        let body = Bytes::from(format!("{index}/{number};").repeat(500));
                        assert_eq!(ask(&mut sender, body.clone()).await, body);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        assert_eq!(accepted.load(Ordering::Relaxed), 64);
    });
}

/// Pitfall: a server that takes the client's end of stream for the end of the conversation.
#[test]
fn a_client_that_has_closed_its_direction_still_gets_its_answer() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut builder = Builder::new();
        builder.half_close(true);
        let (addr, _) = echo_server(builder).await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello";
        stream.write_all(request).await.unwrap();
        stream.close().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("hello"), "{answer}");
    });
}

/// `poll_shutdown` ends the writing direction only.
#[test]
fn the_server_closes_with_an_end_of_stream() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut builder = Builder::new();
        builder.keep_alive(false);
        let (addr, _) = echo_server(builder).await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("connection: close"), "{answer}");
    });
}

#[test]
fn an_upgraded_connection_is_a_futures_io_stream() {
    async fn upgrade(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        spawn(async move {
            let upgraded = hyper::upgrade::on(request).await.unwrap();
            let (from, mut to) = GoroIo::new(upgraded).split();
            futures::io::copy(from, &mut to).await.unwrap();
            to.close().await.unwrap();
        });
        let mut answer = Response::new(Empty::new());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        answer.headers_mut().insert("upgrade", "echo".parse().unwrap());
        Ok(answer)
    }

    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let connection =
                Builder::new().serve_connection(GoroIo::new(stream), service_fn(upgrade));
            connection.with_upgrades().await.unwrap();
        });

        let stream = TcpStream::connect(addr).await.unwrap();
        let (mut sender, connection) = handshake(GoroIo::new(stream)).await.unwrap();
        spawn(connection.with_upgrades());
        let request = Request::get("/").header("upgrade", "echo").header("connection", "upgrade");
        let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await;
        let upgraded = hyper::upgrade::on(answer.unwrap()).await.unwrap();

        let mut stream = GoroIo::new(upgraded);
        stream.write_all(b"no longer HTTP").await.unwrap();
        stream.flush().await.unwrap();
        let mut back = [0; 14];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"no longer HTTP");
        stream.close().await.unwrap();
        assert_eq!(stream.read(&mut back).await.unwrap(), 0);
    });
}
