//! Connections that do nothing but come and go.
use std::io;

use super::Sample;
use crate::meter::{Meter, Reading};
use crate::rival::{Rival, drive};

/// Fewer than the shortest backlog of the rivals, so that no connection waits for the kernel's
/// second try.
const CLIENTS: usize = 64;

/// So many connections. The server accepts one and closes it; the client sees the end and closes.
pub fn accept<R: Rival>(rival: R, connections: usize) -> Sample {
    let each = connections.div_ceil(CLIENTS);
    let (sum, reading) =
        drive(rival, async move { measure(rival, each).await.expect("loopback works") });
    Sample::per_operation(sum, each * CLIENTS, reading)
}

async fn measure<R: Rival>(rival: R, each: usize) -> io::Result<(u64, Reading)> {
    run(rival, each.div_ceil(10)).await?;
    let meter = Meter::start();
    let sum = run(rival, each).await?;
    Ok((sum, meter.stop()))
}

async fn run<R: Rival>(rival: R, each: usize) -> io::Result<u64> {
    let (listener, address) = rival.listen().await?;
    rival.spawn_detached(async move {
        for _ in 0..each * CLIENTS {
            drop(R::accept(&listener).await.expect("accept"));
        }
    });
    let client = |_| {
        rival.spawn(async move {
            let (mut ended, mut buffer) = (0, [0]);
            for _ in 0..each {
                let mut stream = rival.connect(address).await?;
                ended += u64::from(R::read(&mut stream, &mut buffer).await? == 0);
            }
            io::Result::Ok(ended)
        })
    };
    let handles: Vec<_> = (0..CLIENTS).map(client).collect();
    let mut sum = 0;
    for handle in handles {
        sum += handle.await?;
    }
    Ok(sum)
}
