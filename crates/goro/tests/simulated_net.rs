//! The socket types over a simulated network: what it does to bytes, and how connections end.
#![cfg(all(feature = "net", feature = "sim"))]

use futures::future::{join, select};
use futures::{AsyncReadExt, AsyncWriteExt};
use goro::net::{TcpListener, TcpStream, lookup};
use goro::sim::net::{self, Conditions};
use goro::sim::{Faults, Sim, advance, explore};
use goro::time::{now, sleep, timeout};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::pin::pin;
use std::time::Duration;

const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const SERVER: SocketAddr = SocketAddr::new(THERE, 80);
const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A client's end and a server's.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(SERVER).await.unwrap();
    let (client, accepted) = join(TcpStream::connect(SERVER), listener.accept()).await;
    let (client, (server, peer)) = (client.unwrap(), accepted.unwrap());
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!(client.peer_addr().unwrap(), SERVER);
    (client, server)
}

/// Runs a test under some seeds, over a network of these conditions.
fn check<F: Future<Output = ()> + 'static>(conditions: &Conditions, test: impl Fn() -> F) {
    explore(30, |sim| {
        let ended = sim.network(conditions.clone()).run(test());
        assert!(ended.is_ok(), "{}", ended.unwrap_err());
    });
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn bytes_arrive_in_order_however_they_are_cut() {
    for window in [1, 5, 4_096] {
        check(&Conditions::new().window(window).short_once_in(2).lose_once_in(20), || async {
            let (mut client, mut server) = pair().await;
            let sent: Vec<u8> = (0..200).collect();
            let write = async {
                client.write_all(&(0..200).collect::<Vec<u8>>()).await.unwrap();
                client.close().await.unwrap();
            };
            let mut back = Vec::new();
            let (_, read) = join(write, server.read_to_end(&mut back)).await;
            assert_eq!((read.unwrap(), back), (200, sent));
        });
    }
}

/// Pitfall 60: everybody waits while bytes are under way, and that is no stall.
#[test]
fn a_round_trip_takes_two_latencies() {
    check(&Conditions::new().latency(100 * MS..110 * MS), || async {
        let (mut client, mut server) = pair().await;
        let before = now();
        client.write_all(b"?").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        server.write_all(b"!").await.unwrap();
        client.read_exact(&mut [0]).await.unwrap();
        let took = now() - before;
        assert!((200 * MS..225 * MS).contains(&took), "{took:?}");
    });
}

#[test]
fn bandwidth_is_never_exceeded() {
    check(&Conditions::new().bandwidth(Some(10_000)), || async {
        let (mut client, mut server) = pair().await;
        let before = now();
        for _ in 0..50 {
            client.write_all(&[7; 100]).await.unwrap();
        }
        drop(client);
        let mut back = Vec::new();
        server.read_to_end(&mut back).await.unwrap();
        let took = now() - before;
        assert_eq!(back.len(), 5_000);
        assert!((500 * MS..520 * MS).contains(&took), "{took:?}");
    });
}

#[test]
fn a_writer_waits_for_a_reader_that_does_not_read() {
    check(&Conditions::new().window(100), || async {
        let (client, mut server) = pair().await;
        assert_eq!(client.try_write(&[1; 150]).unwrap(), 100);
        assert_eq!(kind(client.try_write(&[1])), Some(ErrorKind::WouldBlock));
        assert!(timeout(SECOND, client.writable()).await.is_err());
        server.read_exact(&mut [0; 30]).await.unwrap();
        timeout(SECOND, client.writable()).await.unwrap().unwrap();
        assert_eq!(client.try_write(&[1; 150]).unwrap(), 30);
    });
}

#[test]
fn nobody_listens() {
    check(&Conditions::new(), || async {
        assert_eq!(kind(TcpStream::connect(SERVER).await), Some(ErrorKind::ConnectionRefused));
        let listener = TcpListener::bind(SERVER).await.unwrap();
        assert_eq!(kind(TcpListener::bind(SERVER).await), Some(ErrorKind::AddrInUse));
        drop(listener);
        assert_eq!(kind(TcpStream::connect(SERVER).await), Some(ErrorKind::ConnectionRefused));
        drop(TcpListener::bind(SERVER).await.unwrap());
    });
}

#[test]
fn ports_names_and_every_address() {
    check(&Conditions::new(), || async {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = TcpListener::bind("0.0.0.0:0").await.unwrap();
        assert_ne!(other.local_addr().unwrap().port(), port);
        net::name("server", THERE);
        assert_eq!(lookup("server:5").await.unwrap(), [SocketAddr::new(THERE, 5)]);
        assert!(lookup("localhost:5").await.unwrap()[0].ip().is_loopback());
        assert_eq!(kind(lookup("nobody:5").await), Some(ErrorKind::NotFound));
        let connect = net::on(THERE, TcpStream::connect(("localhost", port)));
        let (client, accepted) = join(connect, listener.accept()).await;
        assert_eq!(client.unwrap().local_addr().unwrap(), accepted.as_ref().unwrap().1);
        assert_eq!(accepted.unwrap().1.ip(), THERE);
    });
}

/// Three hosts that run one program, each on its own: the same port, the same loopback address.
#[test]
fn hosts_have_ports_of_their_own() {
    async fn serve(at: SocketAddr, answer: u8) {
        let listener = TcpListener::bind(at).await.unwrap();
        goro::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(&[answer]).await.unwrap();
            }
        });
    }
    async fn ask(ip: IpAddr, port: u16) -> io::Result<(u8, IpAddr)> {
        let mut stream = TcpStream::connect((ip, port)).await?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await?;
        Ok((answer[0], stream.local_addr()?.ip()))
    }
    check(&Conditions::new(), || async {
        let hosts = [2, 3, 4].map(|n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)));
        let every: SocketAddr = "0.0.0.0:80".parse().unwrap();
        let local: SocketAddr = "127.0.0.1:90".parse().unwrap();
        for (host, answer) in hosts.into_iter().zip([2, 3, 4]) {
            net::on(host, serve(every, answer)).await;
            net::on(host, serve(local, answer * 10)).await;
        }
        for (host, answer) in hosts.into_iter().zip([2, 3, 4]) {
            assert_eq!(ask(host, 80).await.unwrap(), (answer, net::HERE));
            let local = net::on(host, ask(local.ip(), 90)).await;
            assert_eq!(local.unwrap(), (answer * 10, host));
        }
        assert_eq!(kind(ask(net::HERE, 80).await), Some(ErrorKind::ConnectionRefused));
        assert_eq!(kind(ask(hosts[0], 90).await), Some(ErrorKind::ConnectionRefused));
    });
}

/// The host is a task's own: what goes on meanwhile, inside its poll too, is elsewhere.
#[test]
fn tasks_are_on_the_host_that_spawned_them() {
    check(&Conditions::new(), || async {
        let listener = TcpListener::bind(SERVER).await.unwrap();
        let from = |stream: io::Result<TcpStream>| stream.unwrap().local_addr().unwrap().ip();
        let other = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 3));
        let elsewhere = goro::spawn(async move {
            goro::task::yield_now().await;
            from(TcpStream::connect(SERVER).await)
        });
        let there = net::on(other, async {
            let child = goro::spawn(async move {
                goro::sim::busy(SECOND);
                from(TcpStream::connect(SERVER).await)
            });
            goro::sim::busy(SECOND);
            (child.await.unwrap(), from(TcpStream::connect(SERVER).await))
        });
        assert_eq!(there.await, (other, other));
        assert_eq!(elsewhere.await.unwrap(), net::HERE);
        assert_eq!(from(TcpStream::connect(SERVER).await), net::HERE);
        drop(listener);
    });
}

#[test]
fn a_full_backlog_makes_clients_wait() {
    check(&Conditions::new().backlog(2), || async {
        let listener = TcpListener::bind(SERVER).await.unwrap();
        let clients: Vec<_> = (0..3).map(|_| goro::spawn(TcpStream::connect(SERVER))).collect();
        advance(500 * MS).await;
        assert_eq!(clients.iter().filter(|client| client.is_finished()).count(), 2);
        listener.accept().await.unwrap();
        advance(SECOND).await;
        assert!(clients.iter().all(goro::task::JoinHandle::is_finished));
    });
    let impatient = Conditions::new().backlog(1).connect_timeout(5 * SECOND);
    check(&impatient, || async {
        let _listener = TcpListener::bind(SERVER).await.unwrap();
        let _waits = TcpStream::connect(SERVER).await.unwrap();
        let before = now();
        assert_eq!(kind(TcpStream::connect(SERVER).await), Some(ErrorKind::TimedOut));
        assert!((5 * SECOND..6 * SECOND).contains(&(now() - before)));
    });
}

#[test]
fn a_partition_holds_bytes_up_and_gives_them_up_in_the_end() {
    check(&Conditions::new(), || async {
        let (mut client, mut server) = pair().await;
        net::partition(net::HERE, THERE);
        client.write_all(b"held").await.unwrap();
        assert!(timeout(10 * SECOND, server.read(&mut [0; 4])).await.is_err());
        net::heal(THERE, net::HERE);
        server.read_exact(&mut [0; 4]).await.unwrap();
        net::partition(THERE, net::HERE);
        client.write_all(b"lost").await.unwrap();
        let before = now();
        assert_eq!(kind(client.read(&mut [0; 4]).await), Some(ErrorKind::TimedOut));
        assert!((120 * SECOND..160 * SECOND).contains(&(now() - before)));
        assert!(timeout(SECOND, server.read(&mut [0; 4])).await.is_err(), "it knows of nothing");
        net::heal_all();
    });
}

#[test]
fn connecting_through_a_partition_takes_until_it_heals() {
    check(&Conditions::new(), || async {
        let _listener = TcpListener::bind(SERVER).await.unwrap();
        net::partition(net::HERE, THERE);
        let client = goro::spawn(TcpStream::connect(SERVER));
        advance(5 * SECOND).await;
        assert!(!client.is_finished());
        net::heal_all();
        client.await.unwrap().unwrap();
        net::partition(net::HERE, THERE);
        assert_eq!(kind(TcpStream::connect(SERVER).await), Some(ErrorKind::TimedOut));
    });
}

#[test]
fn a_reset_is_told_once_at_each_end() {
    check(&Conditions::new(), || async {
        let (mut client, mut server) = pair().await;
        assert_eq!(net::connections(), [(client.local_addr().unwrap(), SERVER)]);
        let reading = goro::spawn(async move { (kind(server.read(&mut [0]).await), server) });
        advance(MS).await;
        assert_eq!(net::reset(SERVER), 1);
        let (told, server) = reading.await.unwrap();
        assert_eq!(told, Some(ErrorKind::ConnectionReset));
        assert_eq!(server.try_read(&mut [0]).unwrap(), 0);
        assert_eq!(kind(client.write(b"x").await), Some(ErrorKind::ConnectionReset));
        assert_eq!(kind(client.write(b"x").await), Some(ErrorKind::BrokenPipe));
        assert!(client.close().await.is_ok(), "gone already");
        assert!(net::connections().is_empty());
        assert_eq!(net::reset_all(), 1, "it is forgotten when both have let go");
        drop((client, server));
        assert_eq!(net::reset_all(), 0);
    });
}

#[test]
fn an_end_that_vanishes_leaves_the_other_half_open() {
    check(&Conditions::new(), || async {
        let (mut client, _server) = pair().await;
        assert_eq!(net::vanish(SERVER), 1);
        assert!(timeout(3_600 * SECOND, client.read(&mut [0])).await.is_err(), "silence");
        client.write_all(b"anybody there?").await.unwrap();
        assert_eq!(kind(client.read(&mut [0]).await), Some(ErrorKind::ConnectionReset));
    });
}

/// Whoever waits to write learns of it in every way in which the other end can go.
#[test]
fn a_writer_that_waits_is_never_left_waiting() {
    let full = Conditions::new().window(100);
    let waits =
        |mut client: TcpStream| goro::spawn(async move { kind(client.write_all(&[1; 500]).await) });
    check(&full, || async move {
        let (client, server) = pair().await;
        let writer = waits(client);
        advance(SECOND).await;
        assert_eq!(net::vanish(SERVER), 1);
        assert_eq!(writer.await.unwrap(), Some(ErrorKind::ConnectionReset), "its end has vanished");
        drop(server);
    });
    check(&full, || async move {
        let (client, server) = pair().await;
        let writer = waits(client);
        advance(SECOND).await;
        server.shutdown(Shutdown::Read).unwrap();
        assert_eq!(writer.await.unwrap(), None, "what comes is thrown away");
        drop(server);
    });
    for lasting in [5, 500] {
        check(&full, || async move {
            let (client, server) = pair().await;
            let writer = waits(client);
            advance(SECOND).await;
            net::partition(net::HERE, THERE);
            drop(server);
            advance(lasting * SECOND).await;
            net::heal_all();
            let told = if lasting < 120 { ErrorKind::ConnectionReset } else { ErrorKind::TimedOut };
            assert_eq!(writer.await.unwrap(), Some(told), "its reset was lost at first");
        });
    }
}

/// What is cut off now has not been before, also if nobody has looked at the network since.
#[test]
fn a_partition_does_not_call_back_what_has_arrived() {
    let mut cut = 0;
    explore(200, |sim| {
        let network = Conditions::new().latency(MS..2 * MS);
        let jumps = Faults::none().clock_jumps(1, 4 * MS);
        let arrived = sim.network(network).faults(jumps).run(async {
            let (mut client, mut server) = pair().await;
            client.write_all(b"before").await.unwrap();
            let written = now();
            goro::task::yield_now().await;
            if now() - written < 2 * MS {
                return false;
            }
            net::partition(net::HERE, THERE);
            let read = timeout(20 * MS, server.read_exact(&mut [0; 6])).await;
            assert!(read.is_ok_and(|read| read.is_ok()), "it had arrived");
            true
        });
        cut += u32::from(arrived.unwrap());
    });
    assert!(cut > 20, "{cut} of 200 were cut in time");
}

#[test]
fn closing_with_bytes_unread_resets() {
    check(&Conditions::new(), || async {
        let (mut client, server) = pair().await;
        client.write_all(b"unread").await.unwrap();
        advance(10 * MS).await;
        drop(server);
        assert_eq!(kind(client.read(&mut [0]).await), Some(ErrorKind::ConnectionReset));
        let (mut client, server) = pair().await;
        drop(server);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "nothing was unread");
        client.write_all(b"to nobody").await.unwrap();
        advance(10 * MS).await;
        assert_eq!(kind(client.write(b"x").await), Some(ErrorKind::ConnectionReset));
    });
}

#[test]
fn each_direction_ends_by_itself() {
    check(&Conditions::new(), || async {
        let (mut client, mut server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(kind(client.write(b"x").await), Some(ErrorKind::BrokenPipe));
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        server.write_all(b"still here").await.unwrap();
        assert_eq!(client.peek(&mut [0; 20]).await.unwrap(), 10);
        assert_eq!(client.read(&mut [0; 20]).await.unwrap(), 10);
        client.shutdown(Shutdown::Read).unwrap();
        assert_eq!(client.read(&mut [0; 20]).await.unwrap(), 0);
    });
}

#[test]
fn who_gives_up_connecting_leaves_nothing_behind() {
    check(&Conditions::new(), || async {
        let listener = TcpListener::bind(SERVER).await.unwrap();
        for given_up_after in 0..400 {
            let connect = pin!(TcpStream::connect(SERVER));
            drop(select(connect, pin!(sleep(Duration::from_micros(given_up_after)))).await);
        }
        advance(SECOND).await;
        let mut accepted = 0;
        while let Ok(Ok((mut stream, _))) = timeout(SECOND, listener.accept()).await {
            accepted += 1;
            assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)), "nobody is there");
        }
        assert!(accepted > 0, "some had come in before they were given up");
        assert!(net::connections().is_empty());
    });
}

#[test]
fn a_listener_that_goes_sends_those_away_who_wait() {
    check(&Conditions::new(), || async {
        let listener = TcpListener::bind(SERVER).await.unwrap();
        let mut client = TcpStream::connect(SERVER).await.unwrap();
        drop(listener);
        assert_eq!(kind(client.read(&mut [0]).await), Some(ErrorKind::ConnectionReset));
    });
}

#[test]
fn options_are_remembered() {
    check(&Conditions::new().window(512), || async {
        let (client, _server) = pair().await;
        assert!(!client.nodelay().unwrap());
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        client.set_linger(Some(SECOND)).unwrap();
        assert_eq!(client.linger().unwrap(), Some(SECOND));
        assert_eq!(client.recv_buffer_size().unwrap(), 512);
    });
}

#[test]
fn a_socket_that_outlives_its_simulation_says_so() {
    let (mut client, _server) = Sim::new(1).run(pair()).unwrap();
    let told = goro::block_on(client.read(&mut [0])).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::NotConnected);
    assert!(told.to_string().contains("simulation"), "{told}");
}

/// Accepting fails now and then, reads and writes are in vain, operations yield: nobody notices.
#[test]
fn a_listener_without_descriptors_accepts_everybody_in_the_end() {
    let mut strained = 0;
    explore(50, |sim| {
        let faults = Faults::bearable().strained_accepts(2);
        let network = Conditions::new().short_once_in(2);
        let ended = sim.network(network).faults(faults).run(async {
            let listener = TcpListener::bind(SERVER).await.unwrap();
            let clients: Vec<_> = (0..8_u8)
                .map(|n| {
                    goro::spawn(async move {
                        let mut stream = TcpStream::connect(SERVER).await?;
                        stream.write_all(&[n; 100]).await?;
                        stream.close().await?;
                        let mut back = Vec::new();
                        stream.read_to_end(&mut back).await?;
                        Ok::<_, io::Error>(back == [n; 100])
                    })
                })
                .collect();
            for _ in 0..8 {
                let (mut stream, _) = listener.accept().await.unwrap();
                goro::spawn(async move {
                    let mut question = Vec::new();
                    stream.read_to_end(&mut question).await.unwrap();
                    stream.write_all(&question).await.unwrap();
                });
            }
            for client in clients {
                assert!(client.await.unwrap().unwrap());
            }
            listener.strained()
        });
        strained += ended.unwrap_or_else(|failure| panic!("{failure}"));
    });
    assert!(strained > 100, "{strained} tries failed");
}

#[test]
fn connecting_fails_now_and_then_and_leaves_nothing() {
    let (mut failed, mut well) = (0, 0);
    explore(50, |sim| {
        let ended = sim.faults(Faults::none().failed_connects(3)).run(async {
            let listener = TcpListener::bind(SERVER).await.unwrap();
            let tries: Vec<_> = (0..6).map(|_| goro::spawn(TcpStream::connect(SERVER))).collect();
            let mut streams = Vec::new();
            for tried in tries {
                streams.push(tried.await.unwrap());
            }
            let well = streams.iter().flatten().count();
            for _ in 0..well {
                listener.accept().await.unwrap();
            }
            assert!(timeout(SECOND, listener.accept()).await.is_err(), "one too many");
            (streams.len() - well, well)
        });
        let (not, so) = ended.unwrap();
        failed += not;
        well += so;
    });
    assert!(failed > 50 && well > 100, "{failed} failed, {well} went well");
}

#[test]
fn failed_transfers_end_both_ends() {
    let mut failed = 0;
    explore(50, |sim| {
        let faults = Faults::none().failed_transfers(10);
        let ended = sim.faults(faults).run(async {
            let (mut client, mut server) = pair().await;
            let talk = |mut stream: TcpStream| async move {
                for _ in 0..20 {
                    stream.write_all(b"x").await?;
                    stream.read_exact(&mut [0]).await?;
                }
                Ok::<_, io::Error>(())
            };
            client.write_all(b"").await.ok();
            server.write_all(b"").await.ok();
            let (one, other) = join(talk(client), talk(server)).await;
            (kind(one), kind(other))
        });
        let (one, other) = ended.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(one.is_some(), other.is_some(), "{one:?}, {other:?}");
        failed += u32::from(one.is_some());
    });
    assert!(failed > 25, "{failed} of 50 failed");
}
