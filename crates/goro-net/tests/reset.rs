//! Connections that end badly.

#[path = "support/run.rs"]
mod support;

use core::time::Duration;
use std::io;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro_net::TcpStream;
use goro_runtime::{spawn, time};
use goro_shim::Arc;
use support::{fill, pair, run};

/// Ends the connection with a reset instead of an end.
fn reset(stream: TcpStream) {
    stream.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Pitfall 147: a parked reader and a parked writer learn of the reset.
#[test]
fn a_reset_wakes_reader_and_writer() {
    run(async {
        let (client, server) = pair().await;
        let client = Arc::new(client);
        fill(&client);
        let reader = Arc::clone(&client);
        let reading = spawn(async move { (&*reader).read(&mut [0; 8]).await });
        let writing = spawn(async move {
            let mut client = &*client;
            loop {
                if let Err(e) = client.write(&[0; 4096]).await {
                    return e;
                }
            }
        });
        time::sleep(Duration::from_millis(5)).await;
        reset(server);
        // The kernel gives its error to one of the two; the other finds the connection gone.
        let gone = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        let write = writing.await.unwrap().kind();
        assert!(gone.contains(&write), "{write:?}");
        let read = reading.await.unwrap().map_err(|e| e.kind());
        assert!(read == Ok(0) || read.is_err_and(|kind| gone.contains(&kind)), "{read:?}");
    });
}

#[test]
fn a_reset_is_an_error_and_not_an_end() {
    run(async {
        let (mut client, server) = pair().await;
        reset(server);
        let error = client.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

/// Writing to nobody is an error like any other: no signal ends the process.
#[test]
fn writing_after_the_other_end_has_gone_fails_in_the_end() {
    run(async {
        let (mut client, server) = pair().await;
        drop(server);
        let error = loop {
            match client.write(b"anyone?").await {
                Ok(_) => time::sleep(Duration::from_millis(1)).await,
                Err(e) => break e,
            }
        };
        let gone = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        assert!(gone.contains(&error.kind()), "{error}");
        let vectored = client.write_vectored(&[io::IoSlice::new(b"?")]).await.unwrap_err();
        assert!(gone.contains(&vectored.kind()), "{vectored}");
        client.close().await.unwrap();
    });
}
