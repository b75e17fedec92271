//! An echo server and its clients, both on the runtime, over loopback TCP.
use std::io;
use std::time::Instant;

use super::{Sample, micros};
use crate::meter::{Meter, Reading};
use crate::rival::{Rival, drive};

const MESSAGE: usize = 64;

/// So many connections, so many requests each, one outstanding request a connection.
pub fn echo<R: Rival>(rival: R, connections: usize, requests: usize) -> Sample {
    let (sum, nanos, reading) = drive(rival, async move {
        measure(rival, connections, requests).await.expect("loopback works")
    });
    let Sample { checksum, mut values } =
        Sample::per_operation(sum, connections * requests, reading);
    values.splice(1..1, micros(nanos));
    Sample { checksum, values }
}

async fn measure<R: Rival>(
    rival: R,
    connections: usize,
    requests: usize,
) -> io::Result<(u64, Vec<u64>, Reading)> {
    let (listener, address) = rival.listen().await?;
    rival.spawn_detached(async move {
        for _ in 0..connections {
            let stream = R::accept(&listener).await.expect("accept");
            rival.spawn_detached(async move { serve::<R>(stream).await.expect("serve") });
        }
    });
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        streams.push(rival.connect(address).await?);
    }
    let (streams, ..) = clients(rival, streams, requests.div_ceil(10)).await?;
    let meter = Meter::start();
    let (_, sum, nanos) = clients(rival, streams, requests).await?;
    Ok((sum, nanos, meter.stop()))
}

/// Runs a client task for each connection and gives the connections back.
async fn clients<R: Rival>(
    rival: R,
    streams: Vec<R::Stream>,
    requests: usize,
) -> io::Result<(Vec<R::Stream>, u64, Vec<u64>)> {
    let client = |(at, stream)| rival.spawn(ask::<R>(stream, at as u64, requests));
    let handles: Vec<_> = streams.into_iter().enumerate().map(client).collect();
    let (mut streams, mut sum, mut nanos) = (Vec::new(), 0_u64, Vec::new());
    for handle in handles {
        let (stream, part, latencies) = handle.await?;
        streams.push(stream);
        sum = sum.wrapping_add(part);
        nanos.extend(latencies);
    }
    Ok((streams, sum, nanos))
}

async fn ask<R: Rival>(
    mut stream: R::Stream,
    client: u64,
    requests: usize,
) -> io::Result<(R::Stream, u64, Vec<u64>)> {
    let mut nanos = Vec::with_capacity(requests);
    let (mut message, mut sum) = ([0; MESSAGE], 0_u64);
    for request in 0..requests as u64 {
        message.fill((client ^ request) as u8);
        let start = Instant::now();
        R::write_all(&mut stream, &message).await?;
        message.fill(0);
        let mut filled = 0;
        while filled < MESSAGE {
            match R::read(&mut stream, &mut message[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
        }
        nanos.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        sum += message.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    }
    Ok((stream, sum, nanos))
}

/// Answers until the other side goes.
pub async fn serve<R: Rival>(mut stream: R::Stream) -> io::Result<()> {
    let mut buffer = [0; MESSAGE];
    loop {
        match R::read(&mut stream, &mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => R::write_all(&mut stream, &buffer[..count]).await?,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
