//! Sockets of a simulated network, and the token of the code that waits for them, under seeds: as over the
//! kernel's.
#![cfg(all(feature = "net", feature = "sim"))]

use futures::future::join;
use futures::{AsyncReadExt, AsyncWriteExt};
use goro::CancellationToken;
use goro::cancel::{self, Cause, cause_of};
use goro::net::{TcpListener, TcpStream};
use goro::sim::explore;
use goro::time::sleep;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

const SERVER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 80);

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(SERVER).await.unwrap();
    let (client, accepted) = join(TcpStream::connect(SERVER), listener.accept()).await;
    (client.unwrap(), accepted.unwrap().0)
}

fn cause<T>(result: io::Result<T>) -> Option<Cause> {
    let error = result.err()?;
    assert_eq!(error.kind(), ErrorKind::Other);
    cause_of(&error).cloned()
}

/// As in a task whose token is cancelled while it waits.
async fn gives_up<T>(operation: impl Future<Output = io::Result<T>>) {
    let token = CancellationToken::new();
    let (given, ()) = join(token.scope(operation), async {
        sleep(Duration::from_secs(1)).await;
        token.cancel_with("enough");
    })
    .await;
    assert_eq!(cause(given), Some(Cause::new("enough")));
}

fn cancelled() -> CancellationToken {
    let token = CancellationToken::new();
    token.cancel_with("enough");
    token
}

fn check<F: Future<Output = ()> + 'static>(test: impl Fn() -> F) {
    explore(30, |sim| {
        let ended = sim.run(test());
        assert!(ended.is_ok(), "{}", ended.unwrap_err());
    });
}

#[test]
fn what_would_wait_gives_up() {
    check(|| async {
        let (client, server) = pair().await;
        gives_up((&client).read(&mut [0; 8])).await;
        gives_up(client.peek(&mut [0; 8])).await;
        gives_up(client.readable()).await;
        gives_up(async { (&server).write_all(&[0; 1 << 20]).await }).await;
        let listener = TcpListener::bind("10.0.0.3:80").await.unwrap();
        gives_up(listener.accept()).await;
        // Before it begins, too: the answer would take a while.
        let connect = cancelled().scope(TcpStream::connect(SERVER)).await;
        assert_eq!(cause(connect), Some(Cause::new("enough")));
    });
}

#[test]
fn what_is_there_is_had_and_a_shield_covers_the_rest() {
    check(|| async {
        let (client, mut server) = pair().await;
        server.write_all(b"ab").await.unwrap();
        client.readable().await.unwrap();
        let mut read = [0; 1];
        cancelled().scope((&client).read_exact(&mut read)).await.unwrap();
        assert_eq!(&read, b"a");
        (&client).read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"b", "nothing was lost");
        let later = async {
            sleep(Duration::from_secs(1)).await;
            server.write_all(b"c").await.unwrap();
        };
        let token = cancelled();
        let mut reads = &client;
        let reads = token.scope(cancel::shield(reads.read_exact(&mut read)));
        join(reads, later).await.0.unwrap();
        assert_eq!(&read, b"c");
    });
}
