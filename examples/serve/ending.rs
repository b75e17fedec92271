//! How the server's end is told to its connections, and how it learns that they are gone.
//!
//! | stage | what happens |
//! |---|---|
//! | serving | |
//! | ending | nothing new is accepted; what was read is answered; quiet connections close |
//! | cut off | whatever is still unanswered is answered with 503 |
//!
//! Left out: a stage that ends connections by force. The process ends instead.

use std::convert::Infallible;
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::future::Shared;
use futures::{FutureExt, StreamExt};
use goro::time::timeout;

/// One stage's beginning: completes when it begins, at once if it has begun.
pub type Stage = Shared<oneshot::Receiver<()>>;

/// A connection's view of the end. The server waits for every clone to be dropped.
#[derive(Clone, Debug)]
pub struct Ending {
    ending: Stage,
    cut_off: Stage,
    _alive: mpsc::Sender<Infallible>,
}

impl Ending {
    /// A server that is serving.
    pub fn new() -> (Conductor, Self) {
        let (end, ending) = oneshot::channel();
        let (cut, cut_off) = oneshot::channel();
        let (alive, gone) = mpsc::channel(0);
        let ending = Self { ending: ending.shared(), cut_off: cut_off.shared(), _alive: alive };
        (Conductor { end, cut, gone }, ending)
    }

    /// Nothing new is accepted from here on.
    pub fn ending(&self) -> Stage {
        self.ending.clone()
    }

    /// From here on there is no time left to wait for anything.
    pub fn cut_off(&self) -> Stage {
        self.cut_off.clone()
    }
}

/// The server's side: it begins the stages.
#[derive(Debug)]
pub struct Conductor {
    end: oneshot::Sender<()>,
    cut: oneshot::Sender<()>,
    gone: mpsc::Receiver<Infallible>,
}

impl Conductor {
    /// Ends the server, and waits until all connections are gone: `work` for what they have in
    /// hand, then `farewell` for sending the rest of their answers. True if all are gone.
    pub async fn end(mut self, work: Duration, farewell: Duration) -> bool {
        // Nobody listens if no connection is left; then nobody needs to.
        let _ = self.end.send(());
        if timeout(work, self.gone.next()).await.is_ok() {
            return true;
        }
        let _ = self.cut.send(());
        timeout(farewell, self.gone.next()).await.is_ok()
    }
}
