//! Taking connections.

#[path = "support/run.rs"]
mod support;

use core::time::Duration;
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;

use futures::{FutureExt, StreamExt};
use goro_net::{TcpListener, TcpStream};
use goro_runtime::{spawn, time};
use goro_shim::{Arc, thread};
use support::{listener, patiently, run, runtime};

/// Pitfall 149: all but one of those who are told find nothing.
#[test]
fn each_connection_is_accepted_once_whoever_accepts() {
    const TASKS: usize = 6;
    const EACH: usize = 40;
    run(async {
        let listener = Arc::new(listener().await);
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..TASKS)
            .map(|_| {
                let listener = Arc::clone(&listener);
                spawn(async move {
                    let mut peers = Vec::new();
                    for _ in 0..EACH {
                        peers.push(listener.accept().await.unwrap().1);
                    }
                    peers
                })
            })
            .collect();
        let mut clients = Vec::new();
        for _ in 0..TASKS * EACH {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let mut accepted = Vec::new();
        for acceptor in acceptors {
            accepted.extend(acceptor.await.unwrap());
        }
        let distinct: HashSet<SocketAddr> = accepted.iter().copied().collect();
        let connected: HashSet<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        assert_eq!(accepted.len(), distinct.len());
        assert_eq!(distinct, connected);
    });
}

#[test]
fn an_accept_that_is_given_up_loses_no_connection() {
    run(async {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        let brief = Duration::from_micros(100);
        let given_up = time::timeout(brief, listener.accept()).await;
        assert!(given_up.is_err(), "nobody has come yet");
        let connecting = spawn(async move {
            let mut clients = Vec::new();
            for _ in 0..100 {
                clients.push(TcpStream::connect(address).await.unwrap());
                time::sleep(Duration::from_micros(200)).await;
            }
            clients
        });
        let mut accepted = Vec::new();
        while accepted.len() < 100 {
            // Now and then given up as the connection comes.
            if let Ok(taken) = time::timeout(brief, listener.accept()).await {
                accepted.push(taken.unwrap().1);
            }
        }
        let clients = connecting.await.unwrap();
        let connected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        assert_eq!(accepted, connected);
        assert!(listener.accept().now_or_never().is_none());
    });
}

#[test]
fn a_parked_accept_is_woken_by_a_connection_from_outside() {
    run(async {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        let accepting = spawn(async move { listener.accept().await.map(|(_, peer)| peer) });
        time::sleep(Duration::from_millis(5)).await;
        let client = thread::start("client".into(), None, move || {
            std::net::TcpStream::connect(address).unwrap().local_addr().unwrap()
        });
        let peer = accepting.await.unwrap().unwrap();
        assert_eq!(client.unwrap().join().unwrap(), peer);
    });
}

/// Connections that were reset before they were accepted do not end the accepting.
#[test]
fn resets_before_the_accept_do_no_harm() {
    run(async {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        for _ in 0..200 {
            let client = TcpStream::connect(address).await.unwrap();
            client.set_linger(Some(Duration::ZERO)).unwrap();
        }
        let last = TcpStream::connect(address).await.unwrap();
        let mut incoming = listener.incoming();
        while let Some(stream) = incoming.next().await {
            if stream.unwrap().peer_addr().ok() == last.local_addr().ok() {
                return;
            }
        }
        panic!("the stream of connections ended");
    });
}

#[test]
fn the_first_address_that_can_be_had_is_bound() {
    run(async {
        let taken = listener().await.local_addr().unwrap();
        let holder = TcpListener::bind(taken).await.unwrap();
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind([taken, free]).await.unwrap();
        assert_ne!(listener.local_addr().unwrap(), taken);
        assert_ne!(listener.local_addr().unwrap().port(), 0);

        let elsewhere: SocketAddr = "192.0.2.1:7".parse().unwrap();
        let refused = TcpListener::bind([elsewhere, taken]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse, "the last one's");
        let text = refused.to_string();
        assert!(text.contains("TcpListener::bind failed at 192.0.2.1:7, "), "{text}");
        assert!(text.contains(&taken.to_string()), "{text}");
        drop(holder);

        let none = TcpListener::bind(Vec::<SocketAddr>::new()).await.unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn an_address_can_be_bound_again_at_once() {
    run(async {
        let first = listener().await;
        let address = first.local_addr().unwrap();
        // The side that closes first is the one whose address the kernel remembers.
        let client = TcpStream::connect(address).await.unwrap();
        let (server, _) = first.accept().await.unwrap();
        drop((server, first));
        drop(client);
        let second = TcpListener::bind(address).await.unwrap();
        assert_eq!(second.local_addr().unwrap(), address);
    });
}

#[test]
fn listeners_come_from_and_go_to_the_standard_library() {
    run(async {
        let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = std.local_addr().unwrap();
        let listener = TcpListener::from_std(std).unwrap();
        assert!(listener.accept().now_or_never().is_none(), "it is non-blocking");
        let client = TcpStream::connect(address).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(client.local_addr().unwrap(), peer);
        let std = listener.into_std().unwrap();
        assert_eq!(std.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let _client = TcpStream::connect(address).await.unwrap();
        let listener = TcpListener::from_std(std).unwrap();
        listener.accept().await.unwrap();
    });
}

#[test]
fn without_a_runtime_the_default_one_is_found() {
    futures::executor::block_on(async {
        let by_name = TcpListener::bind("localhost:0").await.unwrap();
        assert_ne!(by_name.local_addr().unwrap().port(), 0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener.into_std().unwrap()).unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        listener.accept().await.unwrap();
    });
}

/// Who waits on another executor for a listener whose runtime stops is told.
#[test]
fn a_listener_that_outlives_its_runtime_answers_with_an_error() {
    let runtime = runtime();
    let listener = runtime.block_on(listener());
    let waiting = thread::start("elsewhere".into(), None, move || {
        let first = futures::executor::block_on(listener.accept()).map(drop).unwrap_err();
        let second = futures::executor::block_on(listener.accept()).map(drop).unwrap_err();
        [first, second]
    });
    thread::sleep(Duration::from_millis(5));
    drop(runtime);
    for error in waiting.unwrap().join().unwrap() {
        assert!(error.to_string().contains("has stopped"), "{error}");
    }
}

#[test]
fn a_listener_works_on_other_executors_while_its_runtime_runs() {
    let runtime = runtime();
    let listener = runtime.block_on(listener());
    let address = listener.local_addr().unwrap();
    let client = runtime.spawn(async move { TcpStream::connect(address).await });
    let (_, peer) = futures::executor::block_on(listener.accept()).unwrap();
    let client = runtime.block_on(patiently(client)).unwrap().unwrap();
    assert_eq!(client.local_addr().unwrap(), peer);
}

#[test]
fn the_hop_limit_can_be_set_for_both_versions() {
    run(async {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address).await else {
                assert!(address.starts_with('['), "only IPv6 may be missing on a machine");
                continue;
            };
            listener.set_ttl(42).unwrap();
            assert_eq!(listener.ttl().unwrap(), 42);
        }
    });
}
