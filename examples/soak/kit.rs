//! What each part of the load is given.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::future::{Either, select};
use goro::task::yield_now;

use crate::chance::Chance;
use crate::ledger::{Body, Ledger};

/// Choices, the ledger, and when to stop.
pub struct Kit {
    pub chance: Chance,
    pub ledger: Arc<Ledger>,
    pub plant: Option<Arc<str>>,
    pub only: Option<Arc<str>>,
    pub over: Arc<AtomicBool>,
}

impl Kit {
    pub fn fork(&mut self) -> Self {
        Self {
            chance: self.chance.fork(),
            ledger: Arc::clone(&self.ledger),
            plant: self.plant.clone(),
            only: self.only.clone(),
            over: Arc::clone(&self.over),
        }
    }

    /// Whether to begin no other round.
    pub fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// Whether this part of the load runs.
    pub fn runs(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

    /// Whether this fault is to be planted.
    pub fn plants(&self, fault: &str) -> bool {
        self.plant.as_deref() == Some(fault)
    }

    pub fn body(&self) -> Body {
        self.ledger.bodies.body()
    }
}

/// Waits for so many turns.
pub async fn yields(times: u64) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Gives a future so many turns to be done in, and then gives it back.
pub async fn given_turns<F: Future + Unpin>(future: F, times: u64) -> Result<F::Output, F> {
    match select(future, pin!(yields(times))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(((), future)) => Err(future),
    }
}
