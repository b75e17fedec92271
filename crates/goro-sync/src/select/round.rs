//! One `select!` (or race): which arms may still win, whose turn it is, and what it pays.
//!
//! Invariants:
//! 1. Every order of the arms that are left is equally likely, so that of any set of ready arms each
//!    wins equally often. (A random first arm with the others behind it in order would not do: the
//!    arm behind a seldom ready one would win for two.)
//! 2. A round that ends costs the task at least one unit of its budget, and exactly one if the arm
//!    that won spent nothing or one.
//! 3. `default` is taken with budget left only: an arm that said `Pending` because the budget ended
//!    does not count as not ready.
//! 4. The clock is read, and a timer armed, after every arm was asked and none was ready.

use core::future::IntoFuture;
use core::task::{Context, Poll, ready};

use goro_context::budget;
use goro_context::random;
use goro_context::time::{self, Deadline, Duration};

use super::safe::StrictArm;

/// The arms that may still win, and the budget they were asked with.
#[derive(Debug)]
pub struct Round {
    arms: u64,
    units: u32,
}

impl Round {
    /// No arm yet.
    #[inline]
    pub const fn new() -> Self {
        Self { arms: 0, units: 0 }
    }

    /// With arms 0 to `count` - 1, at most 63 of them.
    #[inline]
    pub const fn of(count: u32) -> Self {
        Self { arms: (1 << count) - 1, units: 0 }
    }

    /// Lets arm `index` (below 64) take part if it is `enabled`.
    #[inline]
    pub const fn admit(&mut self, index: u32, enabled: bool) {
        self.arms |= (enabled as u64) << index;
    }

    /// Takes arm `index` out: it was ready with something that its pattern does not match.
    #[inline]
    pub const fn dismiss(&mut self, index: u32) {
        self.arms &= !(1 << index);
    }

    /// Whether no arm can win any more.
    #[inline]
    pub const fn is_over(&self) -> bool {
        self.arms == 0
    }

    /// Begins to ask the arms; `Pending` if the task has to yield first.
    #[inline]
    pub fn begin(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(budget::poll_spend(cx)).refund();
        self.units = budget::remaining();
        Poll::Ready(())
    }

    /// The arms that are left, in a random order.
    #[inline]
    pub fn shuffled(&self) -> Shuffled {
        Shuffled { left: self.arms, fraction: 0, draws: 0 }
    }

    /// The arms that are left, as they were written.
    #[inline]
    pub const fn biased(&self) -> Biased {
        Biased { left: self.arms }
    }

    /// An arm has won: the round pays, unless the arm did.
    #[inline]
    pub fn won(&self, cx: &mut Context<'_>) {
        if budget::remaining() == self.units {
            pay(cx);
        }
    }

    /// `timeout` or `else` ends the round, which pays unless the arms have used all up. Not asking
    /// for more keeps an arm that eats whatever there is from holding up the end for ever.
    #[inline]
    pub fn ended(&self, cx: &mut Context<'_>) {
        if budget::remaining() > 0 {
            pay(cx);
        }
    }

    /// `default` ends the round, which pays; or the task yields first, and asks the arms again.
    #[inline]
    pub fn not_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        budget::poll_spend(cx).map(drop)
    }
}

/// Spends a unit. There is one left, or no task: it is never `Pending`.
#[inline]
fn pay(cx: &mut Context<'_>) {
    let _paid = budget::poll_spend(cx);
}

impl Default for Round {
    fn default() -> Self {
        Self::new()
    }
}

/// Each of a set of arms once, every order being equally likely.
#[derive(Debug)]
pub struct Shuffled {
    left: u64,
    /// What is left of the last random word: a fraction of 2^64, multiplied by each choice's count.
    fraction: u64,
    draws: u32,
}

impl Shuffled {
    /// Choices among at most 64 that one random word serves: 30 bits of it, so that the last one
    /// is even to within one part in 2^34.
    const DRAWS: u32 = 5;

    #[inline]
    fn below(&mut self, count: u32) -> u32 {
        if self.draws == 0 {
            self.fraction = random::next();
            self.draws = Self::DRAWS;
        }
        self.draws -= 1;
        let wide = u128::from(self.fraction) * u128::from(count);
        self.fraction = wide as u64;
        (wide >> 64) as u32
    }
}

impl Iterator for Shuffled {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let mut candidates = self.left;
        match candidates.count_ones() {
            0 => return None,
            1 => {}
            count => {
                for _ in 0..self.below(count) {
                    candidates &= candidates - 1;
                }
            }
        }
        let arm = candidates.trailing_zeros();
        self.left &= !(1 << arm);
        Some(arm)
    }
}

/// Each of a set of arms once, as they were written.
#[derive(Debug)]
pub struct Biased {
    left: u64,
}

impl Iterator for Biased {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let arm = self.left.trailing_zeros();
        self.left &= self.left.wrapping_sub(1);
        (arm < u64::BITS).then_some(arm)
    }
}

/// The `timeout(d)` arm: a deadline that begins when nothing was ready.
#[derive(Debug)]
pub struct Late {
    duration: Duration,
    deadline: Option<Deadline>,
}

impl Late {
    /// Nothing is registered, and the clock not read, before the first [`poll`](Self::poll).
    #[inline]
    pub const fn new(duration: Duration) -> Self {
        Self { duration, deadline: None }
    }

    /// Ready once the duration is over, counted from the first call.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.deadline {
            Some(deadline) => deadline.poll(cx),
            None => {
                let now = time::now();
                let deadline = Deadline::at(time::later(now, self.duration));
                self.deadline.insert(deadline).poll_from(now, cx).map(drop)
            }
        }
    }
}

/// An arm's future.
#[inline]
pub fn arm<F: IntoFuture>(future: F) -> Option<F::IntoFuture> {
    Some(future.into_future())
}

/// An arm's future in a `strict;` select.
#[inline]
pub fn strict_arm<F>(future: F) -> Option<F::IntoFuture>
where
    F: IntoFuture<IntoFuture: StrictArm>,
{
    Some(future.into_future())
}

/// Notes that a pattern matched, and lets the match go on as if it had not: a guard that moves
/// nothing out of the value that was matched.
#[inline]
pub const fn fits(flag: &mut bool) -> bool {
    *flag = true;
    false
}

/// Every arm is disabled, and the select has nothing else.
#[cold]
#[track_caller]
pub fn nothing_left() -> ! {
    panic!(
        "`select!` has nothing left to wait for: each arm is disabled by its guard, or was ready \
         with a value that its pattern does not match; add `else => ..`"
    )
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn round(arms: u64) -> Round {
        Round { arms, units: 0 }
    }

    #[test]
    fn each_arm_comes_once_in_either_order() {
        for arms in [0, 1, 1 << 63, 0b1011_0110, u64::MAX] {
            let expected: Vec<u32> = (0..64).filter(|arm| arms >> arm & 1 == 1).collect();
            assert!(round(arms).biased().eq(expected.iter().copied()));
            let mut shuffled: Vec<u32> = round(arms).shuffled().collect();
            shuffled.sort_unstable();
            assert_eq!(shuffled, expected);
        }
    }

    #[test]
    fn every_order_of_four_is_equally_likely() {
        random::seed(4);
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..240_000 {
            *orders.entry(round(0b1_0110_0001).shuffled().collect::<Vec<_>>()).or_insert(0) += 1;
        }
        assert_eq!(orders.len(), 24);
        // Expected 10,000 each with a standard deviation of 98.
        assert!(orders.values().all(|n| (9_400..10_600).contains(n)), "{orders:?}");
    }

    #[test]
    fn the_last_of_sixty_four_is_as_likely_as_the_first() {
        random::seed(64);
        let mut places = [[0_u32; 64]; 2];
        for _ in 0..64_000 {
            let order: Vec<u32> = round(u64::MAX).shuffled().collect();
            places[0][order[0] as usize] += 1;
            places[1][order[63] as usize] += 1;
        }
        // Expected 1,000 each with a standard deviation of 31.
        assert!(places.as_flattened().iter().all(|n| (800..1_200).contains(n)), "{places:?}");
    }

    #[test]
    fn an_arm_that_is_dismissed_or_not_admitted_is_not_asked() {
        let mut round = Round::new();
        round.admit(0, true);
        round.admit(1, false);
        round.admit(2, true);
        round.dismiss(0);
        assert!(round.biased().eq([2]) && !round.is_over());
        round.dismiss(2);
        assert!(round.is_over());
    }
}
