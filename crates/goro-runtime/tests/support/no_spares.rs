//! A script in which no spare worker gets a thread.

use goro_runtime::driver::scripted::{Mover, Script, Seeded};

/// Refuses every spare its thread; else as the seed says.
#[derive(Debug)]
pub(crate) struct NoSpares(pub(crate) Seeded);

impl Script for NoSpares {
    fn seed(&self) -> u64 {
        self.0.seed()
    }
    fn below(&self, bound: u32) -> u32 {
        self.0.below(bound)
    }
    fn choose(&self, movers: &[Mover]) -> usize {
        self.0.choose(movers)
    }
    fn refuses_thread(&self, suffix: &str) -> Option<std::io::Error> {
        suffix.starts_with("spare").then(|| std::io::Error::other("refused"))
    }
}
