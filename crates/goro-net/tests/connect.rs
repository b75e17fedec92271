//! Making connections.

#[path = "support/run.rs"]
mod support;

use core::time::Duration;
use std::error::Error;
use std::io;
use std::net::SocketAddr;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use goro_net::{TcpListener, TcpStream, lookup};
use goro_runtime::{spawn, time};
use goro_shim::thread;
use support::{listener, pair, run, runtime};

/// An address at which nobody listens.
async fn nobody() -> SocketAddr {
    listener().await.local_addr().unwrap()
}

#[test]
fn a_refusal_names_the_address_and_keeps_its_kind() {
    run(async {
        let address = nobody().await;
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let text = refused.to_string();
        assert!(text.contains(&format!("TcpStream::connect failed at {address}: ")), "{text}");
        let cause = refused.get_ref().and_then(Error::source).expect("what the kernel said");
        let cause: &io::Error = cause.downcast_ref().unwrap();
        assert!(cause.raw_os_error().is_some());
    });
}

#[test]
fn addresses_are_tried_in_order_until_one_answers() {
    run(async {
        let (first, second) = (nobody().await, nobody().await);
        let listener = listener().await;
        let good = listener.local_addr().unwrap();
        let stream = TcpStream::connect([first, good, second]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);

        let refused = TcpStream::connect([first, second]).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(&format!("failed at {first}, {second}: ")), "{text}");

        let none = TcpStream::connect(&[][..]).await.unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::InvalidInput);
        assert!(none.to_string().contains("there is no address to try"), "{none}");
    });
}

#[test]
fn names_are_looked_up() {
    run(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = TcpStream::connect(("localhost", port)).await.unwrap();
        assert!(stream.peer_addr().unwrap().ip().is_loopback());
        let found = lookup(format!("localhost:{port}")).await.unwrap();
        assert!(found.contains(&stream.peer_addr().unwrap()), "{found:?}");
    });
}

#[test]
fn a_name_that_cannot_be_found_is_named() {
    run(async {
        // No label may be this long, so nobody outside is asked.
        let host = "x".repeat(300);
        let lost = TcpStream::connect((host.as_str(), 80)).await.unwrap_err();
        assert!(lost.to_string().contains(&host), "{lost}");
        assert!(lost.to_string().starts_with("TcpStream::connect: looking up"), "{lost}");
        let wrong = TcpStream::connect("no-port").await.unwrap_err();
        assert_eq!(wrong.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn without_a_runtime_the_default_one_is_found() {
    futures::executor::block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let found = lookup(("localhost", port)).await.unwrap();
        assert!(found.into_iter().any(|address| address.port() == port));
    });
}

/// A listener whose queue is full: who connects now hears nothing.
fn silent() -> (socket2::Socket, SocketAddr, Vec<socket2::Socket>) {
    use socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    loop {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let connected = client.connect_timeout(&address, Duration::from_millis(200));
        queue.push(client);
        if connected.is_err() {
            return (listener, address.as_socket().unwrap(), queue);
        }
        assert!(queue.len() < 100, "the queue has no end");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_connect_that_is_given_up_closes_its_socket() {
    let (_listener, address, _queue) = silent();
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    run(async {
        let before = open();
        for _ in 0..200 {
            let connecting = TcpStream::connect(address);
            let given_up = time::timeout(Duration::from_millis(1), connecting).await;
            assert!(given_up.is_err(), "somebody answered");
        }
        // Other tests of this process open and close some meanwhile.
        assert!(open() < before + 100, "{before} before, {} after", open());
    });
}

/// The refusal comes only after the socket has been waited for: writable is not connected.
#[cfg(target_os = "linux")]
#[test]
fn a_refusal_that_comes_late_is_a_refusal() {
    let (listener, address, queue) = silent();
    run(async move {
        let connecting = spawn(async move { TcpStream::connect(address).await });
        time::sleep(Duration::from_millis(20)).await;
        assert!(!connecting.is_finished());
        drop((listener, queue));
        let refused = connecting.await.unwrap().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn streams_come_from_and_go_to_the_standard_library() {
    run(async {
        let (client, mut server) = pair().await;
        let std = client.into_std().unwrap();
        std.set_nonblocking(false).unwrap();
        let mut client = TcpStream::from_std(std).unwrap();
        assert!(client.read(&mut [0; 6]).now_or_never().is_none(), "it is non-blocking again");
        client.write_all(b"around").await.unwrap();
        let mut buf = [0; 6];
        server.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"around");
        let std = client.into_std().unwrap();
        std.set_nonblocking(false).unwrap();
        server.write_all(b"and back").await.unwrap();
        let mut buf = [0; 8];
        io::Read::read_exact(&mut &std, &mut buf).unwrap();
        assert_eq!(&buf, b"and back");
    });
}

/// Pitfall 151: no descriptor is inherited by a program this one starts.
#[cfg(target_os = "linux")]
#[test]
fn every_descriptor_closes_on_exec() {
    // What this process was given by its parent is none of its business.
    let open = || -> Vec<std::path::PathBuf> {
        std::fs::read_dir("/proc/self/fdinfo").unwrap().map(|e| e.unwrap().path()).collect()
    };
    let inherited = open();
    run(async {
        let listener = listener().await;
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut checked = 0;
        for path in open().iter().filter(|path| !inherited.contains(path)) {
            let Ok(info) = std::fs::read_to_string(path) else { continue };
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
            let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
            assert!(flags & 0o2_000_000 != 0, "{path:?} stays open: {info}");
            checked += 1;
        }
        assert!(checked >= 6, "three sockets, and a runtime's own: {checked}");
        drop((client, server));
    });
}

#[test]
fn a_stream_can_be_used_in_another_runtime_than_its_own() {
    let (own, other) = (runtime(), runtime());
    let (mut client, mut server) = own.block_on(pair());
    let reading = other.spawn(async move {
        let mut buf = [0; 4];
        server.read_exact(&mut buf).await.map(|()| (buf, server))
    });
    thread::sleep(Duration::from_millis(5));
    own.block_on(client.write_all(b"over")).unwrap();
    let (buf, mut server) = other.block_on(reading).unwrap().unwrap();
    assert_eq!(&buf, b"over");
    // And its own has to stay for it.
    let reading = other.spawn(async move { server.read(&mut [0; 4]).await });
    thread::sleep(Duration::from_millis(5));
    drop(own);
    let error = other.block_on(reading).unwrap().unwrap_err();
    assert!(error.to_string().contains("has stopped"), "{error}");
}
