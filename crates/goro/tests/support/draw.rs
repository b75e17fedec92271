//! Drawing programs from a seed; the longest pause is the including test's, in microseconds.

use goro::task::yield_now;
use goro::time::sleep;
use std::time::Duration;

/// A small generator, for programs that are the same whatever the schedule draws.
#[derive(Clone)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(crate) fn time(&mut self) -> Duration {
        Duration::from_micros(self.below(crate::LONGEST))
    }

    /// Lets others run, or lets time pass, or neither.
    pub(crate) async fn pause(&mut self) {
        match self.below(4) {
            0 => yield_now().await,
            1 => sleep(self.time()).await,
            _ => {}
        }
    }
}
