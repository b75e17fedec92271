//! What can be set on a socket.
#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use core::time::Duration;
use std::os::fd::{AsFd, AsRawFd};

use goro_net::{TcpListener, TcpStream};
use support::{listener, pair, run};

#[test]
fn what_was_set_is_what_is_read() {
    run(async {
        let (stream, _peer) = pair().await;
        for yes in [true, false] {
            stream.set_nodelay(yes).unwrap();
            assert_eq!(stream.nodelay().unwrap(), yes);
        }
        stream.set_ttl(77).unwrap();
        assert_eq!(stream.ttl().unwrap(), 77);
        for silence in [Some(Duration::from_secs(90)), None] {
            stream.set_keepalive(silence).unwrap();
            assert_eq!(stream.keepalive().unwrap(), silence);
        }
        for how_long in [Some(Duration::from_secs(3)), Some(Duration::ZERO), None] {
            stream.set_linger(how_long).unwrap();
            assert_eq!(stream.linger().unwrap(), how_long);
        }
        // The kernel rounds these up, and doubles them on Linux.
        stream.set_recv_buffer_size(50_000).unwrap();
        assert!(stream.recv_buffer_size().unwrap() >= 50_000);
        stream.set_send_buffer_size(40_000).unwrap();
        let bytes = stream.send_buffer_size().unwrap();
        assert!((40_000..100_000).contains(&bytes), "{bytes}");
    });
}

#[test]
fn the_hop_limit_is_that_of_the_sockets_version() {
    run(async {
        let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stream.set_ttl(12).unwrap();
        assert_eq!(stream.ttl().unwrap(), 12);
        assert!(stream.peer_addr().unwrap().is_ipv6());
    });
}

#[test]
fn addresses_and_descriptors_are_those_of_the_socket() {
    run(async {
        let listener = listener().await;
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), accepted.local_addr().unwrap());
        assert_eq!(stream.local_addr().unwrap(), accepted.peer_addr().unwrap());
        let numbers = [stream.as_raw_fd(), accepted.as_raw_fd(), listener.as_raw_fd()];
        assert!(numbers.iter().all(|&number| number > 2));
        assert_eq!(stream.as_fd().as_raw_fd(), stream.as_raw_fd());
        assert_eq!(listener.as_fd().as_raw_fd(), listener.as_raw_fd());
        let std = stream.into_std().unwrap();
        assert_eq!(std.as_raw_fd(), numbers[0]);
    });
}
