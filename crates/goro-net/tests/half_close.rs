//! Ending one direction while the other goes on.

#[path = "support/run.rs"]
mod support;

use std::io;
use std::net::Shutdown;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use goro_runtime::spawn;
use support::{pair, run};

#[test]
fn closing_ends_writing_and_leaves_reading() {
    run(async {
        let (mut client, mut server) = pair().await;
        client.write_all(b"question").await.unwrap();
        client.close().await.unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
        let error = client.write(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn closing_twice_or_after_the_other_end_went_is_fine() {
    run(async {
        let (mut client, server) = pair().await;
        client.close().await.unwrap();
        client.close().await.unwrap();
        drop(server);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        client.close().await.unwrap();
    });
}

#[test]
fn shutting_reading_down_ends_it_here() {
    run(async {
        let (client, mut server) = pair().await;
        let parked = spawn(async move {
            let read = (&client).read(&mut [0; 1]).await;
            (client, read)
        });
        server.write_all(b"!").await.unwrap();
        let (mut client, read) = parked.await.unwrap();
        assert_eq!(read.unwrap(), 1);
        client.shutdown(Shutdown::Read).unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        client.write_all(b"still").await.unwrap();
        let mut still = [0; 5];
        server.read_exact(&mut still).await.unwrap();
    });
}

#[test]
fn a_parked_reader_learns_of_its_own_sides_shutdown() {
    run(async {
        let (client, _server) = pair().await;
        let client = goro_shim::Arc::new(client);
        let reader = goro_shim::Arc::clone(&client);
        let parked = spawn(async move { (&*reader).read(&mut [0; 1]).await });
        assert!(client.readable().now_or_never().is_none_or(|ready| ready.is_ok()));
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(parked.await.unwrap().unwrap(), 0);
    });
}

#[test]
fn an_owned_writer_that_goes_ends_writing() {
    run(async {
        let (client, mut server) = pair().await;
        let (mut reader, mut writer) = client.into_split();
        writer.write_all(b"last words").await.unwrap();
        drop(writer);
        let mut words = String::new();
        server.read_to_string(&mut words).await.unwrap();
        assert_eq!(words, "last words");
        server.write_all(b"heard").await.unwrap();
        let mut heard = [0; 5];
        reader.read_exact(&mut heard).await.unwrap();
    });
}

#[test]
fn a_forgotten_writer_ends_nothing() {
    run(async {
        let (client, mut server) = pair().await;
        let (reader, writer) = client.into_split();
        writer.forget();
        assert!(server.read(&mut [0; 1]).now_or_never().is_none());
        drop(reader);
        assert_eq!(server.read(&mut [0; 1]).await.unwrap(), 0);
    });
}
