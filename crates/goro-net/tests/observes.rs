//! Sockets and the token of the code that waits for them: where they would have to wait they give up, with the
//! cause; what the kernel has for them they have all the same, also where no event has told of it yet.
#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Write};
use std::net::SocketAddr;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, StreamExt};
use goro_net::{TcpListener, TcpStream, lookup};
use goro_runtime::{Builder, spawn, task};
use goro_sync::cancel::{self, Cause, cause_of};
use goro_sync::{CancellationToken, oneshot};
use support::{fill, listener, pair, run};

fn cancelled() -> CancellationToken {
    let token = CancellationToken::new();
    token.cancel_with("enough");
    token
}

fn enough() -> Option<Cause> {
    Some(Cause::new("enough"))
}

/// Why it was given up, and that nobody will take it for something else.
fn cause<T>(result: io::Result<T>) -> Option<Cause> {
    let error = result.err()?;
    assert_eq!(error.kind(), ErrorKind::Other);
    cause_of(&error).cloned()
}

/// What `operation` gives up with in a task of a token that is cancelled: before it begins, and when it waits.
async fn gives_up<T, F>(make: impl Fn() -> F) -> [Option<Cause>; 2]
where
    F: Future<Output = io::Result<T>>,
{
    let before = cause(cancelled().scope(make()).await);
    let token = CancellationToken::new();
    let mut operation = pin!(token.scope(make()));
    assert!(operation.as_mut().now_or_never().is_none());
    token.cancel_with("enough");
    [before, cause(operation.await)]
}

#[test]
fn what_would_wait_gives_up_before_and_while_it_waits() {
    run(async {
        let (client, server) = pair().await;
        let both = [enough(), enough()];
        let reads = || async { (&client).read(&mut [0; 8]).await };
        assert_eq!(gives_up(reads).await, both);
        let vectored = || async {
            let mut buf = [0; 8];
            (&client).read_vectored(&mut [IoSliceMut::new(&mut buf)]).await
        };
        assert_eq!(gives_up(vectored).await, both);
        assert_eq!(gives_up(|| async { client.peek(&mut [0; 8]).await }).await, both);
        assert_eq!(gives_up(|| client.readable()).await, both);

        fill(&server);
        assert_eq!(gives_up(|| async { (&server).write(b"more").await }).await, both);
        let vectored = || async { (&server).write_vectored(&[IoSlice::new(b"more")]).await };
        assert_eq!(gives_up(vectored).await, both);
        assert_eq!(gives_up(|| server.writable()).await, both);

        let listener = listener().await;
        assert_eq!(gives_up(|| listener.accept()).await, both);
        let comes = || async { listener.incoming().next().await.expect("it has no end") };
        assert_eq!(gives_up(comes).await, both);
    });
}

/// The peer sees its bytes taken by whoever reads next, and a listener its connections accepted.
#[test]
fn nothing_is_lost_by_giving_up() {
    run(async {
        let (client, mut server) = pair().await;
        assert_eq!(cause(cancelled().scope((&client).read(&mut [0; 8])).await), enough());
        server.write_all(b"later").await.unwrap();
        let mut read = [0; 5];
        (&client).read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"later");

        let listener = listener().await;
        assert_eq!(cause(cancelled().scope(listener.accept()).await), enough());
        let there = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, there.local_addr().unwrap());
    });
}

/// In a runtime whose reactor nobody turns meanwhile, as its only worker is in this very poll.
#[test]
fn what_the_kernel_has_is_had_although_no_event_has_told_of_it() {
    let runtime = Builder::new().workers(1).monitor(false).build().unwrap();
    let tested = runtime.spawn(async {
        let (client, server) = pair().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        // Seen to be empty: from here on an event has to tell of more.
        assert!((&client).read(&mut [0; 8]).now_or_never().is_none());
        assert!(listener.accept().now_or_never().is_none());

        let said = server.into_std().unwrap();
        (&said).write_all(b"hello").unwrap();
        let _there = std::net::TcpStream::connect(at).unwrap();
        let mut read = [0; 5];
        let token = cancelled();
        // The bytes are on their way through this machine.
        while said_nothing(&token, &client) {}
        assert_eq!(token.scope((&client).read(&mut read)).now_or_never().unwrap().unwrap(), 5);
        assert_eq!(&read, b"hello");
        assert!(token.scope(listener.accept()).now_or_never().unwrap().is_ok());
    });
    runtime.block_on(tested).unwrap();
}

/// Whether the kernel has nothing to be read yet.
fn said_nothing(token: &CancellationToken, client: &TcpStream) -> bool {
    let mut byte = [0; 1];
    let mut peek = pin!(token.scope(client.peek(&mut byte)));
    match peek.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(1)) => false,
        Poll::Ready(Err(error)) if cause_of(&error).is_some() => true,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shield_covers_sockets() {
    run(async {
        let (client, mut server) = pair().await;
        let token = cancelled();
        let mut read = [0; 1];
        let mut reads = Box::pin(async { (&client).read(&mut read).await });
        let mut reads = pin!(token.scope(cancel::shield(&mut reads)));
        assert!(reads.as_mut().now_or_never().is_none());
        server.write_all(b"a").await.unwrap();
        assert_eq!(reads.await.unwrap(), 1);
    });
}

/// A task that has inherited the token is woken, and its read fails.
#[test]
fn a_task_that_reads_ends_when_it_is_asked_to() {
    run(async {
        let (mut client, _server) = pair().await;
        let reader = spawn(async move { client.read(&mut [0; 8]).await });
        task::yield_now().await;
        let read = reader.cancel("enough").await.unwrap();
        assert_eq!(cause(read), enough());
    });
}

/// A listener whose queue is full answers nobody.
#[test]
fn connecting_gives_up_and_tries_no_other_address() {
    run(async {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let at = socket.local_addr().unwrap().as_socket().unwrap();
        let mut filling = Vec::new();
        // How many it takes before it is full differs between systems.
        let connects = || async move { TcpStream::connect([at, at].as_slice()).await };
        while let Some(stream) = connects().now_or_never() {
            filling.push(stream.unwrap());
            assert!(filling.len() < 1_000, "its queue has no end");
        }
        // One that has begun to connect above stands in the kernel's way no more than these.
        let token = CancellationToken::new();
        let mut connecting = pin!(token.scope(connects()));
        assert!(connecting.as_mut().now_or_never().is_none());
        token.cancel_with("enough");
        assert_eq!(cause(connecting.await), enough());
        assert_eq!(cause(cancelled().scope(connects()).await), enough());
    });
}

#[test]
fn a_look_up_gives_up_and_says_why() {
    let runtime = Builder::new().workers(1).blocking_threads(1).build().unwrap();
    let (busy, until_dropped) = oneshot::channel::<()>();
    drop(runtime.spawn_blocking(move || until_dropped.blocking_recv()));
    let looked_up = runtime.block_on(async {
        let names = gives_up(|| lookup("localhost:80")).await;
        let connects = gives_up(|| TcpStream::connect("localhost:80")).await;
        (names, connects)
    });
    drop(busy);
    assert_eq!(looked_up, ([enough(), enough()], [enough(), enough()]));
}
