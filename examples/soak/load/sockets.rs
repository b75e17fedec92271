//! Loopback connections: each byte comes back, and some clients go without a word.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream};
use goro::spawn;
use goro::task::JoinSet;

use crate::chance::Chance;
use crate::kit::{Kit, yields};
use crate::ledger::{Body, add};

pub async fn round(kit: &mut Kit) {
    let listener = match TcpListener::bind("127.0.0.1:0").await {
        Ok(listener) => listener,
        Err(error) => return kit.ledger.broken("bytes", error),
    };
    let address = listener.local_addr().expect("a bound socket has an address");
    let (body, planted) = (kit.body(), kit.plants("bytes"));
    let server = spawn(async move {
        let _body = body;
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(echo(stream, planted));
        }
    });
    let mut clients = JoinSet::new();
    for _ in 0..1 + kit.chance.below(8) {
        let kit = (kit.fork(), kit.body());
        clients.spawn(client(address, kit));
    }
    while let Some(ended) = clients.join_next().await {
        if let Err(error) = ended {
            kit.ledger.broken("bytes", error);
        }
    }
    server.abort();
    let _aborted = server.await;
    // Ports do not come back as fast as rounds could use them.
    goro::time::sleep(Duration::from_millis(20)).await;
}

async fn echo(mut stream: TcpStream, planted: bool) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        buffer[0] ^= u8::from(planted);
        if stream.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn client(address: SocketAddr, (mut kit, _body): (Kit, Body)) {
    let Ok(stream) = TcpStream::connect(address).await else {
        // The system has run out of ports, or of room for connections nobody has accepted.
        return;
    };
    // Nothing of it is left in the kernel when it is closed, not even its port.
    stream.set_linger(Some(Duration::ZERO)).expect("a stream has options");
    let sent = bytes(&mut kit.chance);
    if kit.chance.one_in(4) {
        let mut stream = stream;
        let _begun = stream.write_all(&sent[..sent.len() / 2]).await;
        return yields(kit.chance.below(9)).await;
    }
    let (mut from, mut to) = stream.into_split();
    let expected = sent.clone();
    let writer = spawn(async move { to.write_all(&sent).await.map(|()| to) });
    let mut back = vec![0; expected.len()];
    let read = from.read_exact(&mut back).await;
    let written = writer.await;
    if read.is_err() || !matches!(written, Ok(Ok(_))) {
        kit.ledger.broken("bytes", format_args!("a connection broke: {read:?}, {written:?}"));
    } else if back != expected {
        kit.ledger
            .broken("bytes", format_args!("{} bytes did not come back as they went", back.len()));
    }
    add(&kit.ledger.bytes, back.len() as u64);
}

fn bytes(chance: &mut Chance) -> Vec<u8> {
    let most = [1, 100, 5_000, 200_000][chance.below(4) as usize];
    (0..=chance.below(most)).map(|_| chance.next() as u8).collect()
}
