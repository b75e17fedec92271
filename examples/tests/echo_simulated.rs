//! The echo server as it stands, on a simulated network that is cut, and whose connections are
//! reset: clients get back what they sent, or an error, and the server goes on.

#[allow(dead_code, reason = "its main function runs it on real threads")]
#[path = "../echo.rs"]
mod echo;

use futures::{AsyncReadExt, AsyncWriteExt, future};
use goro::net::{TcpListener, TcpStream};
use goro::sim::{self, Sim, net};
use goro::time::sleep;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)), 7);

/// Bytes that differ from client to client.
fn bytes(client: u64) -> Vec<u8> {
    (0..300 + client * 70).map(|at| (at * (client + 3) % 251) as u8).collect()
}

/// Sends everything and reads what comes back, at once; says how it ended.
async fn client(number: u64) -> (Vec<u8>, io::Result<()>) {
    sleep(Duration::from_millis(number * 3)).await;
    let mut back = Vec::new();
    let ended = async {
        let (mut from, mut to) = TcpStream::connect(SERVER).await?.into_split();
        let sent = bytes(number);
        let send = async {
            for part in sent.chunks(50) {
                to.write_all(part).await?;
                sleep(Duration::from_millis(1)).await;
            }
            to.close().await
        };
        let receive = from.read_to_end(&mut back);
        future::try_join(send, receive).await.map(drop)
    };
    let ended = ended.await;
    (back, ended)
}

/// Cuts the network and heals it, and resets a connection now and then.
async fn trouble(seed: u64) {
    for round in 0..6 {
        sleep(Duration::from_micros(500 + seed * 37 % 4_000)).await;
        match (seed + round) % 3 {
            0 => net::partition(net::HERE, SERVER.ip()),
            1 => net::heal_all(),
            _ => {
                let connections = net::connections();
                if !connections.is_empty() {
                    let chosen = connections[(seed / 3) as usize % connections.len()];
                    assert_eq!(net::reset(chosen.0), 1);
                }
            }
        }
    }
    net::heal_all();
}

/// Runs one seed; says how many clients came through, and how many met trouble.
fn run(simulation: Sim) -> (usize, usize) {
    let seed = simulation.seed();
    let conditions = net::Conditions::new()
        .window([30, 100, 64 * 1024][(seed % 3) as usize])
        .short_once_in(3)
        .lose_once_in(40);
    let done = simulation.network(conditions).run(async move {
        let listener = TcpListener::bind(SERVER).await.unwrap();
        let server = goro::spawn(echo::serve(listener));
        let clients: Vec<_> = (0..4).map(|number| goro::spawn(client(number))).collect();
        trouble(seed).await;
        let mut through = 0;
        for (number, client) in clients.into_iter().enumerate() {
            let (back, ended) = client.await.unwrap();
            let sent = bytes(number as u64);
            assert!(sent.starts_with(&back), "client {number} got something else back");
            match ended {
                Ok(()) => {
                    assert_eq!(back.len(), sent.len(), "client {number} was cut short in silence");
                    through += 1;
                }
                Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{error}"),
            }
        }
        // After all of that the server serves, and nothing of the others is left.
        let (back, ended) = client(9).await;
        assert!(ended.is_ok() && back == bytes(9), "{ended:?}");
        assert!(!server.is_finished());
        sim::wait_quiescent().await;
        (through, 4 - through)
    });
    done.unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn the_echo_server_outlives_partitions_and_resets_under_a_thousand_seeds() {
    let (mut through, mut met) = (0, 0);
    sim::explore(1_000, |simulation| {
        let (well, not) = run(simulation);
        through += well;
        met += not;
    });
    if std::env::var_os("GORO_SEED").is_none() {
        assert!(through > 100 && met > 100, "{through} through, {met} in trouble: a dull test");
    }
}

#[test]
fn a_seed_of_it_is_the_same_byte_for_byte() {
    let log = |seed| {
        let (ended, log) = Sim::new(seed).trace(async move {
            let listener = TcpListener::bind(SERVER).await.unwrap();
            drop(goro::spawn(echo::serve(listener)));
            let _cut = goro::spawn(trouble(seed));
            client(1).await.0.len()
        });
        ended.unwrap();
        log.to_string()
    };
    for seed in 0..20 {
        assert_eq!(log(seed), log(seed), "seed {seed}");
    }
}
