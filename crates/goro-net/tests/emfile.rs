//! Accepting at the limit of open files, in a process of its own.
#![cfg(unix)]

#[path = "support/run.rs"]
mod support;

use core::time::Duration;

use goro_net::TcpStream;
use goro_runtime::{spawn, time};
use goro_shim::Arc;
use goro_shim::atomic::{AtomicUsize, Ordering};
use goro_shim::time::now;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{listener, run};

const WAITING: usize = 40;

fn allow_files(limit: u64) {
    let hard = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: hard }).unwrap();
}

/// Pitfall 154: at the limit of open files accepting pauses instead of spinning, other tasks go on,
/// and when there are files again every connection that waited is accepted.
#[test]
fn accepting_waits_for_descriptors() {
    run(async {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(65_536);
        let listener = Arc::new(listener().await);
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> =
            (0..WAITING).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        allow_files(3);
        let accepted = Arc::new(AtomicUsize::new(0));
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let (listener, accepted) = (Arc::clone(&listener), Arc::clone(&accepted));
                spawn(async move {
                    let mut streams: Vec<TcpStream> = Vec::new();
                    while accepted.load(Ordering::Relaxed) < WAITING {
                        // Giving up now and then must not start the pauses over.
                        let accept = time::timeout(Duration::from_millis(30), listener.accept());
                        if let Ok(stream) = accept.await {
                            streams.push(stream.expect("shortage is not the caller's").0);
                            accepted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    streams
                })
            })
            .collect();
        let end = now() + Duration::from_secs(1);
        let mut ticks = 0;
        while now() < end {
            time::sleep(Duration::from_millis(10)).await;
            ticks += 1;
        }
        let failures = listener.strained();
        assert!((1..200).contains(&failures), "{failures} failed tries in a second");
        assert!(ticks >= 20, "{ticks} ticks in a second");
        assert_eq!(accepted.load(Ordering::Relaxed), 0);
        allow_files(before);
        let mut streams = Vec::new();
        for acceptor in acceptors {
            streams.extend(acceptor.await.unwrap());
        }
        assert_eq!(streams.len(), WAITING);
        drop(clients);
    });
}
