//! How the server's end is told to its connections, and how it learns that they are gone.
//!
//! | stage | what happens |
//! |---|---|
//! | serving | |
//! | ending: the runtime drains | nothing new is accepted; what was read is answered; quiet connections close |
//! | cut off | whatever is still unanswered is answered with 503 |
//!
//! Left out: a stage that ends connections by force. The runtime drops them when its drain is over.

use std::time::Duration;

use goro::cancel::{CancellationToken, WaitForCancellation};
use goro::runtime::{DrainPolicy, Guard};
use goro::task::Cause;
use goro::{ShutdownHandle, time};

/// How long requests are worked on after the end has begun.
const WORK: Duration = Duration::from_secs(7);
/// How long their answers may take to be sent after that.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection's view of the end.
#[derive(Clone, Debug)]
pub struct Ending {
    shutdown: ShutdownHandle,
    cut_off: CancellationToken,
}

impl Ending {
    /// The end of the runtime that this is called on.
    pub fn new(shutdown: ShutdownHandle) -> Self {
        shutdown.set_policy(DrainPolicy::fixed(WORK + FAREWELL));
        shutdown.set_grace(Duration::ZERO);
        let ending = Self { shutdown, cut_off: CancellationToken::new() };
        let cuts = ending.clone();
        // Not guarded: nobody waits for it.
        goro::spawn(async move {
            cuts.ending().await;
            time::sleep(WORK).await;
            cuts.cut_off.cancel();
        });
        ending
    }

    /// Work in hand, for which the end waits; none once it is over.
    pub fn guard(&self) -> Result<Guard, Cause> {
        self.shutdown.guard()
    }

    /// Completes when the end begins: nothing new is accepted from here on.
    pub fn ending(&self) -> WaitForCancellation<'_> {
        self.shutdown.draining()
    }

    /// From here on there is no time left to wait for anything.
    pub fn cut_off(&self) -> WaitForCancellation<'_> {
        self.cut_off.cancelled()
    }
}
