//! Bytes in, bytes out.

#[path = "support/run.rs"]
mod support;

use core::time::Duration;
use std::io::{IoSlice, IoSliceMut};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, future};
use goro_net::TcpStream;
use goro_runtime::{spawn, time};
use goro_shim::Arc;
use support::{fill, listener, pair, run};

/// Bytes whose place shows in their value.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn many_connections_echo_what_they_are_sent() {
    run(async {
        let listener = listener().await;
        let address = listener.local_addr().unwrap();
        spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn(async move { futures::io::copy(&stream, &mut &stream).await });
            }
        });
        let clients = (1..40_usize).map(|number| {
            spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                for round in 0..20 {
                    let sent = pattern(number * 97 + round * 1_009);
                    stream.write_all(&sent).await.unwrap();
                    let mut back = vec![0; sent.len()];
                    stream.read_exact(&mut back).await.unwrap();
                    assert_eq!(back, sent, "connection {number}, round {round}");
                }
            })
        });
        for client in future::join_all(clients).await {
            client.unwrap();
        }
    });
}

/// Pitfall 146: buffers so small that every transfer is cut short somewhere.
#[test]
fn both_directions_at_once_through_small_buffers() {
    run(async {
        let (client, server) = pair().await;
        for stream in [&client, &server] {
            stream.set_send_buffer_size(4096).unwrap();
        }
        let sent = pattern(1_000_000);
        let send = |stream| {
            let sent = &sent;
            async move {
                let mut stream: &TcpStream = stream;
                stream.write_all(sent).await.unwrap();
                stream.close().await.unwrap();
            }
        };
        let receive = |stream| async move {
            let mut received = Vec::new();
            let mut stream: &TcpStream = stream;
            stream.read_to_end(&mut received).await.unwrap();
            received
        };
        let both = future::join4(send(&client), send(&server), receive(&client), receive(&server));
        let ((), (), back, there) = both.await;
        assert!(there == sent && back == sent);
    });
}

#[test]
fn vectored_transfers_keep_the_order() {
    run(async {
        let (mut client, mut server) = pair().await;
        let parts = [IoSlice::new(b""), IoSlice::new(b"one "), IoSlice::new(b"two")];
        assert_eq!(client.write_vectored(&parts).await.unwrap(), 7);
        let (mut first, mut second) = ([0; 2], [0; 16]);
        let mut bufs =
            [IoSliceMut::new(&mut []), IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(server.read_vectored(&mut bufs).await.unwrap(), 7);
        assert_eq!((&first, &second[..5]), (b"on", &b"e two"[..]));
    });
}

#[test]
fn empty_buffers_wait_for_nothing() {
    run(async {
        let (mut client, server) = pair().await;
        assert_eq!(client.read(&mut []).await.unwrap(), 0);
        assert_eq!(client.write(&[]).await.unwrap(), 0);
        assert_eq!(client.peek(&mut []).await.unwrap(), 0);
        assert_eq!(client.try_read(&mut []).unwrap(), 0);
        let mut none = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
        assert_eq!(client.read_vectored(&mut none).await.unwrap(), 0);
        assert_eq!(client.read_vectored(&mut []).await.unwrap(), 0);
        drop(server);
    });
}

#[test]
fn the_end_is_zero_bytes_again_and_again() {
    run(async {
        let (mut client, mut server) = pair().await;
        server.write_all(b"end").await.unwrap();
        drop(server);
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"end");
        for _ in 0..3 {
            assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
        }
    });
}

#[test]
fn a_read_that_is_given_up_takes_nothing() {
    run(async {
        let (mut client, mut server) = pair().await;
        for byte in 0..100 {
            let mut buf = [0; 8];
            assert!(client.read(&mut buf).now_or_never().is_none());
            server.write_all(&[byte]).await.unwrap();
            assert_eq!(client.read(&mut buf).await.unwrap(), 1);
            assert_eq!(buf[0], byte);
        }
    });
}

#[test]
fn readiness_and_tries_read_everything() {
    run(async {
        let (client, mut server) = pair().await;
        let sent = pattern(300_000);
        let expected = sent.clone();
        let sending = spawn(async move {
            server.write_all(&sent).await.unwrap();
        });
        let mut received = Vec::new();
        let mut buf = [0; 1000];
        loop {
            client.readable().await.unwrap();
            match client.try_read(&mut buf) {
                Ok(0) => break,
                Ok(bytes) => received.extend_from_slice(&buf[..bytes]),
                Err(e) => assert_eq!(e.kind(), std::io::ErrorKind::WouldBlock),
            }
        }
        assert!(received == expected);
        sending.await.unwrap();
    });
}

#[test]
fn a_full_stream_is_writable_again_when_it_was_read_from() {
    run(async {
        let (client, mut server) = pair().await;
        let filled = fill(&client);
        assert!(client.writable().now_or_never().is_none());
        let reading = spawn(async move {
            let mut all = vec![0; filled];
            server.read_exact(&mut all).await.map(|()| server)
        });
        loop {
            client.writable().await.unwrap();
            if client.try_write(b"more").is_ok() {
                break;
            }
        }
        let mut server = reading.await.unwrap().unwrap();
        let mut more = [0; 4];
        server.read_exact(&mut more).await.unwrap();
        assert_eq!(&more, b"more");
    });
}

/// Two tasks read one stream, in the poll-style places: neither sleeps beside bytes.
#[test]
fn two_readers_of_one_stream_share_the_bytes() {
    run(async {
        let (client, mut server) = pair().await;
        let client = Arc::new(client);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let client = Arc::clone(&client);
                spawn(async move {
                    let mut total = 0;
                    loop {
                        match (&*client).read(&mut [0; 7]).await.unwrap() {
                            0 => return total,
                            bytes => total += bytes,
                        }
                    }
                })
            })
            .collect();
        for _ in 0..200 {
            server.write_all(&[1; 10]).await.unwrap();
            time::sleep(Duration::from_micros(50)).await;
        }
        drop(server);
        let mut total = 0;
        for reader in readers {
            total += reader.await.unwrap();
        }
        assert_eq!(total, 2_000);
    });
}

#[test]
fn dropping_a_stream_closes_it() {
    run(async {
        let (client, mut server) = pair().await;
        let parked = spawn(async move { server.read(&mut [0; 1]).await });
        time::sleep(Duration::from_millis(2)).await;
        drop(client);
        assert_eq!(parked.await.unwrap().unwrap(), 0);
    });
}
