//! HTTP/2 between a server and a client on goro, over loopback: many streams in one connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use goro_hyper::{GoroExecutor, GoroIo, GoroTimer};
use goro_net::{TcpListener, TcpStream};
use goro_runtime::task::JoinHandle;
use goro_runtime::{Runtime, spawn};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self as client, SendRequest};
use hyper::rt::Executor;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper::{Request, Response};

/// Answers with what was sent.
async fn echo(request: Request<Incoming>) -> Result<Response<Incoming>, Infallible> {
    Ok(Response::new(request.into_body()))
}

/// Serves one connection, and says how it ended.
async fn serve_one() -> (SocketAddr, JoinHandle<Result<(), hyper::Error>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let served = spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(listener);
        server::Builder::new(GoroExecutor::new())
            .timer(GoroTimer)
            .serve_connection(GoroIo::new(stream), service_fn(echo))
            .await
    });
    (addr, served)
}

async fn connect(addr: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (sender, connection) = client::Builder::new(GoroExecutor::new())
        .timer(GoroTimer)
        .keep_alive_interval(Duration::from_millis(20))
        .keep_alive_while_idle(true)
        .handshake(GoroIo::new(stream))
        .await
        .unwrap();
    spawn(connection);
    sender
}

async fn ask(sender: &mut SendRequest<Full<Bytes>>, body: Bytes) -> Bytes {
    let request = Request::post("http://test/").body(Full::new(body)).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap().to_bytes()
}

#[test]
fn a_hundred_streams_share_a_connection() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (addr, served) = serve_one().await;
        let sender = connect(addr).await;
        let streams: Vec<JoinHandle<()>> = (0..100_u32)
            .map(|index| {
                let mut sender = sender.clone();
                spawn(async move {
                    let body = Bytes::from(format!("stream {index};").repeat(1000));
                    assert_eq!(ask(&mut sender, body.clone()).await, body);
                })
            })
            .collect();
        for stream in streams {
            stream.await.unwrap();
        }
        drop(sender);
        served.await.unwrap().unwrap();
    });
}

/// Larger than every window of flow control.
#[test]
fn large_bodies_arrive_whole_in_both_directions() {
    let body: Bytes = (0..5_000_001_u32).map(|i| (i ^ (i >> 8)) as u8).collect();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (addr, served) = serve_one().await;
        let mut sender = connect(addr).await;
        let back = ask(&mut sender, body.clone()).await;
        assert!(back == body, "{} bytes came back, of {}", back.len(), body.len());
        drop(sender);
        served.await.unwrap().unwrap();
    });
}

/// The client's pings go by goro's timer; with a peer that never answers they end the connection.
#[test]
fn a_peer_that_answers_no_ping_is_given_up() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_silent, _) = listener.accept().await.unwrap();
        let (sender, connection) = client::Builder::new(GoroExecutor::new())
            .timer(GoroTimer)
            .keep_alive_interval(Duration::from_millis(5))
            .keep_alive_timeout(Duration::from_millis(5))
            .keep_alive_while_idle(true)
            .handshake::<_, Full<Bytes>>(GoroIo::new(stream))
            .await
            .unwrap();
        // hyper ends the connection in a task of its own. Whether that task is done before the
        // driver looks decides what the driver says; that it ends is what the timer does.
        if let Err(error) = connection.await {
            assert!(error.is_timeout(), "{error:?}");
        }
        assert!(sender.is_closed());
    });
}

#[test]
fn an_executor_with_a_handle_spawns_from_where_no_runtime_is() {
    let runtime = Runtime::new().unwrap();
    let executor = GoroExecutor::on(runtime.handle().clone()).kind("carried");
    let (said, heard) = futures::channel::oneshot::channel();
    executor.execute(async move {
        let current = goro_runtime::Handle::try_current().map(|handle| handle.name().to_owned());
        said.send(current).unwrap();
    });
    let name = futures::executor::block_on(heard).unwrap();
    assert_eq!(name.unwrap(), runtime.handle().name());
}

#[test]
fn an_executor_without_a_runtime_finds_the_default_one() {
    let (said, heard) = futures::channel::oneshot::channel();
    GoroExecutor::new().execute(async move { said.send(7).unwrap() });
    assert_eq!(futures::executor::block_on(heard), Ok(7));
}
