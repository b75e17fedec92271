//! The two directions of a stream in different hands.

#[path = "support/run.rs"]
mod support;

use futures::{AsyncReadExt, AsyncWriteExt, future};
use goro_net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
use goro_net::{TcpListener, TcpStream};
use goro_runtime::spawn;
use support::{pair, run};

fn is_send_sync<T: Send + Sync + Unpin>() {}

/// Pitfall 9: halves are made of, and become again, what was never pinned.
#[test]
fn everything_can_be_sent_and_shared() {
    is_send_sync::<TcpStream>();
    is_send_sync::<TcpListener>();
    is_send_sync::<ReadHalf<'_>>();
    is_send_sync::<WriteHalf<'_>>();
    is_send_sync::<OwnedReadHalf>();
    is_send_sync::<OwnedWriteHalf>();
    let send = |_: &dyn Send| true;
    assert!(send(&TcpStream::connect("127.0.0.1:1")) && send(&TcpListener::bind("127.0.0.1:1")));
}

#[test]
fn lent_halves_work_at_once() {
    run(async {
        let (mut client, server) = pair().await;
        let echo = spawn(async move { futures::io::copy(&server, &mut &server).await });
        let (mut reader, mut writer) = TcpStream::split(&mut client);
        assert_eq!(reader.stream().local_addr().unwrap(), writer.stream().local_addr().unwrap());
        let sent = vec![9; 500_000];
        let send = async {
            writer.write_all(&sent).await.unwrap();
            writer.flush().await.unwrap();
            writer.close().await.unwrap();
        };
        let mut back = Vec::new();
        let (_, received) = future::join(send, reader.read_to_end(&mut back)).await;
        assert_eq!(received.unwrap(), sent.len());
        assert_eq!(echo.await.unwrap().unwrap(), 500_000);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "lent, not given");
    });
}

#[test]
fn owned_halves_work_in_different_tasks_and_reunite() {
    run(async {
        let (client, mut server) = pair().await;
        let (mut reader, mut writer) = client.into_split();
        let reading = spawn(async move {
            let mut buf = [0; 5];
            assert_eq!(reader.peek(&mut buf[..1]).await.unwrap(), 1);
            reader.read_exact(&mut buf).await.unwrap();
            (buf, reader)
        });
        let writing = spawn(async move {
            writer.write_all(b"there").await.unwrap();
            writer
        });
        server.write_all(b"other").await.unwrap();
        let mut there = [0; 5];
        server.read_exact(&mut there).await.unwrap();
        let (buf, reader) = reading.await.unwrap();
        let writer = writing.await.unwrap();
        assert_eq!((&buf, &there), (b"other", b"there"));

        let mut whole = writer.reunite(reader).unwrap();
        whole.write_all(b"whole").await.unwrap();
        server.read_exact(&mut there).await.unwrap();
        assert_eq!(&there, b"whole", "reuniting has ended nothing");
    });
}

#[test]
fn halves_of_two_streams_come_back_from_a_reunion() {
    run(async {
        let (one, other) = pair().await;
        let ((one_reads, one_writes), (other_reads, other_writes)) =
            (one.into_split(), other.into_split());
        let error = one_reads.reunite(other_writes).unwrap_err();
        assert_eq!(error.to_string(), "the two halves are not of one stream");
        let ReuniteError(one_reads, other_writes) = error;
        one_reads.reunite(one_writes).unwrap();
        other_writes.reunite(other_reads).unwrap();
    });
}
