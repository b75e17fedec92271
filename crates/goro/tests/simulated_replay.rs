//! The same seed, the same run, with sockets and faults in it: a hundred times, and in other processes.
#![cfg(all(feature = "net", feature = "sim"))]

use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream};
use goro::sim::net::{self, Conditions};
use goro::sim::{Faults, Sim, busy, poll_contract};
use goro::time::{sleep, timeout};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::time::Duration;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

/// Everything that a seed decides has a part in it: order, time, jobs, races, sockets, faults.
async fn busy_program() {
    let server = goro::spawn(net::on(SERVER, async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            goro::spawn(async move {
                let (from, mut to) = stream.into_split();
                futures::io::copy(from, &mut to).await.ok();
            });
        }
    }));
    sleep(Duration::from_millis(1)).await;
    let clients: Vec<_> = (0..8_u8).map(|n| goro::spawn(client(n))).collect();
    busy(Duration::from_micros(700));
    net::partition(net::HERE, SERVER);
    sleep(Duration::from_millis(300)).await;
    net::heal_all();
    for client in clients {
        client.await.unwrap();
    }
    server.abort();
}

async fn client(n: u8) {
    let talk = async {
        let mut stream = TcpStream::connect((SERVER, 80)).await?;
        for _ in 0..5 {
            stream.write_all(&[n; 100]).await?;
            stream.read_exact(&mut [0; 100]).await?;
        }
        Ok::<_, io::Error>(())
    };
    let job = goro::spawn_blocking(move || n);
    let nap = poll_contract(sleep(Duration::from_micros(n.into())));
    goro::select! {
        () = nap => {}
        _ = job => {}
    }
    let _ended = timeout(Duration::from_secs(30), talk).await;
}

fn log(seed: u64) -> String {
    let conditions = Conditions::new().short_once_in(3).lose_once_in(30).bandwidth(Some(1_000_000));
    let faults = Faults::bearable().failed_transfers(60).failed_connects(10);
    let (ended, log) = Sim::new(seed).network(conditions).faults(faults).trace(busy_program());
    ended.unwrap();
    log.to_string()
}

const SEEDS: [u64; 3] = [0, 1, u64::MAX];

/// Pitfall 134.
#[test]
fn a_hundred_runs_with_sockets_are_the_same_byte_for_byte() {
    for seed in SEEDS {
        let first = log(seed);
        assert!(first.lines().count() > 300, "a dull program:\n{first}");
        for run in 1..100 {
            assert!(first == log(seed), "seed {seed}, run {run} is another");
        }
    }
}

/// Where addresses, hashers, ids and the clock are others.
#[test]
fn other_processes_do_the_same() {
    let logs: String = SEEDS.map(log).concat();
    if std::env::var_os("GORO_TEST_CHILD").is_some() {
        println!("LOG BEGINS{logs}LOG ENDS");
        return;
    }
    let other = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "other_processes_do_the_same", "--nocapture"]);
        let output = command.env("GORO_TEST_CHILD", "1").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, text) = text.split_once("LOG BEGINS").expect("the child prints its log");
        text.split_once("LOG ENDS").expect("it prints all of it").0.to_owned()
    };
    for process in 0..3 {
        assert!(logs == other(), "process {process} did something else");
    }
}
