//! What was made and what became of it, and what was found broken.
//!
//! A [`Value`] that goes through a channel ends in one of three ways: received, given back to whoever would have
//! sent it, or dropped by whoever had it. A [`Body`] stands for a future, and is dropped with it. Neither can
//! end twice in safe code; what is lost is missed when a [`Round`] is closed, or at rest.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The counts of the whole run.
#[derive(Default)]
pub struct Ledger {
    pub values: Fates,
    pub bodies: Bodies,
    pub sleeps: AtomicU64,
    pub bytes: AtomicU64,
    pub endings: AtomicU64,
    pub panics: AtomicU64,
    pub stalls: AtomicU64,
    pub resizes: AtomicU64,
    pub lives: AtomicU64,
    broken: Mutex<Vec<String>>,
}

impl Ledger {
    /// Notes that an invariant does not hold.
    pub fn broken(&self, invariant: &str, what: impl Display) {
        let line = format!("{invariant}: {what}");
        eprintln!("soak: broken: {line}");
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Notes it unless the two are equal.
    pub fn equal(&self, invariant: &str, what: &str, found: u64, wanted: u64) {
        if found != wanted {
            self.broken(invariant, format_args!("{what}: {found}, not {wanted}"));
        }
    }

    /// What was broken so far.
    pub fn faults(&self) -> Vec<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds to a count.
pub fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Relaxed);
}

/// What became of values.
#[derive(Default)]
pub struct Fates {
    pub made: AtomicU64,
    pub received: AtomicU64,
    pub returned: AtomicU64,
    pub dropped: AtomicU64,
}

/// One round on one channel.
pub struct Round {
    ledger: Arc<Ledger>,
    fates: Fates,
    /// Values whose sender was told that they are sent.
    pub sent: AtomicU64,
}

impl Round {
    pub fn new(ledger: &Arc<Ledger>) -> Arc<Self> {
        let (fates, sent) = (Fates::default(), AtomicU64::new(0));
        Arc::new(Self { ledger: Arc::clone(ledger), fates, sent })
    }

    pub fn value(self: &Arc<Self>, number: u64) -> Value {
        add(&self.fates.made, 1);
        Value { number, round: Arc::clone(self), known: false }
    }

    /// Checks the sums, now that everybody has gone. `certain` where nobody was aborted between a send's end and
    /// the news of it.
    pub fn close(&self, channel: &str, certain: bool) {
        let Fates { made, received, returned, dropped } = &self.fates;
        let [made, received, returned, dropped] =
            [made, received, returned, dropped].map(|count| count.load(Relaxed));
        let (sent, ended) = (self.sent.load(Relaxed), received + returned + dropped);
        if made != ended {
            self.ledger.broken(
                "conservation",
                format_args!("{channel}: {made} values were made, {received} received, {returned} given back, {dropped} dropped"),
            );
        }
        let arrived = received + dropped;
        if sent > arrived || (certain && sent != arrived) {
            self.ledger.broken(
                "conservation",
                format_args!("{channel}: {sent} values were sent, {received} received, {dropped} dropped on the way"),
            );
        }
        for (all, these) in [
            (&self.ledger.values.made, made),
            (&self.ledger.values.received, received),
            (&self.ledger.values.returned, returned),
            (&self.ledger.values.dropped, dropped),
        ] {
            add(all, these);
        }
    }
}

/// A value that says what became of it.
pub struct Value {
    pub number: u64,
    round: Arc<Round>,
    known: bool,
}

impl Value {
    pub fn received(mut self) -> u64 {
        self.known = true;
        add(&self.round.fates.received, 1);
        self.number
    }

    pub fn returned(mut self) {
        self.known = true;
        add(&self.round.fates.returned, 1);
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if !self.known {
            add(&self.round.fates.dropped, 1);
        }
    }
}

/// Futures that were made, and those that are gone.
#[derive(Default)]
pub struct Bodies {
    made: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Bodies {
    pub fn body(&self) -> Body {
        add(&self.made, 1);
        Body(Arc::clone(&self.dropped))
    }

    pub fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    pub fn left(&self) -> u64 {
        self.made() - self.dropped.load(Relaxed)
    }
}

/// Stands for a future: kept by it, dropped with it.
pub struct Body(Arc<AtomicU64>);

impl Drop for Body {
    fn drop(&mut self) {
        add(&self.0, 1);
    }
}
