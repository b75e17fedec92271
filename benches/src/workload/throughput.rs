//! Bytes over loopback TCP, in one direction.
use std::io;

use super::Sample;
use crate::meter::{Meter, Reading};
use crate::rival::{Rival, drive};

/// What one write offers, and one read has room for.
const CHUNK: usize = 64 << 10;

/// So many connections; so many mebibytes over all of them.
pub fn tcp<R: Rival>(rival: R, connections: usize, mebibytes: usize) -> Sample {
    let chunks = (mebibytes << 20).div_ceil(CHUNK * connections);
    let (sum, reading) =
        drive(
            rival,
            async move { measure(rival, connections, chunks).await.expect("loopback works") },
        );
    // For each kibibyte.
    Sample::per_operation(sum, connections * chunks * (CHUNK >> 10), reading)
}

async fn measure<R: Rival>(
    rival: R,
    connections: usize,
    chunks: usize,
) -> io::Result<(u64, Reading)> {
    run(rival, connections, chunks.div_ceil(10)).await?;
    let meter = Meter::start();
    let sum = run(rival, connections, chunks).await?;
    Ok((sum, meter.stop()))
}

/// The bytes that arrived.
async fn run<R: Rival>(rival: R, connections: usize, chunks: usize) -> io::Result<u64> {
    let (listener, address) = rival.listen().await?;
    rival.spawn_detached(async move {
        for _ in 0..connections {
            let mut stream = R::accept(&listener).await.expect("accept");
            rival.spawn_detached(async move {
                let bytes = vec![7; CHUNK];
                for _ in 0..chunks {
                    R::write_all(&mut stream, &bytes).await.expect("it is read");
                }
            });
        }
    });
    let client = |_| {
        rival.spawn(async move {
            let mut stream = rival.connect(address).await?;
            let (mut buffer, mut received) = (vec![0; CHUNK], 0);
            loop {
                match R::read(&mut stream, &mut buffer).await? {
                    0 => return io::Result::Ok(received),
                    count => received += count as u64,
                }
            }
        })
    };
    let clients: Vec<_> = (0..connections).map(client).collect();
    let mut sum = 0;
    for client in clients {
        sum += client.await?;
    }
    Ok(sum)
}
