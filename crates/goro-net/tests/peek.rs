//! Looking without taking.

#[path = "support/run.rs"]
mod support;

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt};
use goro_runtime::spawn;
use goro_shim::Arc;
use support::{pair, run};

/// Pitfall 150: a peek leaves readiness as it found it, and waits where there is nothing.
#[test]
fn a_peek_sees_what_the_read_then_takes() {
    run(async {
        let (mut client, mut server) = pair().await;
        let mut seen = [0; 8];
        assert!(client.peek(&mut seen).now_or_never().is_none());
        server.write_all(b"abc").await.unwrap();
        for _ in 0..3 {
            assert_eq!(client.peek(&mut seen[..2]).await.unwrap(), 2);
            assert_eq!(&seen[..2], b"ab");
        }
        let mut taken = [0; 8];
        assert_eq!(client.read(&mut taken).await.unwrap(), 3);
        assert!(client.peek(&mut seen).now_or_never().is_none());
        assert!(client.read(&mut taken).now_or_never().is_none());
        drop(server);
        assert_eq!(client.peek(&mut seen).await.unwrap(), 0);
        assert_eq!(client.read(&mut taken).await.unwrap(), 0);
    });
}

#[test]
fn any_number_may_peek_at_once() {
    run(async {
        let (client, mut server) = pair().await;
        let client = Arc::new(client);
        let peeking: Vec<_> = (0..20)
            .map(|_| {
                let client = Arc::clone(&client);
                spawn(async move { client.peek(&mut [0; 4]).await })
            })
            .collect();
        server.write_all(b"one").await.unwrap();
        for peek in peeking {
            assert_eq!(peek.await.unwrap().unwrap(), 3);
        }
    });
}
