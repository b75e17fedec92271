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
//! 4. An arm that was [glanced](super::glance) at is polled before the round says `Pending`, and no other
//!    arm is asked twice in a poll.
//! 5. The clock is read, and a timer armed, after every arm was asked and none was ready.

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
    /// Those to be asked in this pass.
    asked: u64,
    /// Those that were glanced at.
    glanced: u64,
    units: u32,
    /// Whether arms that can be glanced at are, before they are polled.
    can_glance: bool,
    /// Whether this pass is one of glances.
    glances: bool,
}

impl Round {
    /// No arm yet.
    #[inline]
    pub const fn new() -> Self {
        Self { arms: 0, asked: 0, glanced: 0, units: 0, can_glance: false, glances: false }
    }

    /// With arms 0 to `count` - 1, at most 63 of them.
    #[inline]
    pub const fn of(count: u32) -> Self {
        Self { arms: (1 << count) - 1, ..Self::new() }
    }

    /// No arm yet; arms that can be glanced at are, before they are polled.
    #[inline]
    pub const fn glancing() -> Self {
        Self { can_glance: true, ..Self::new() }
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
        (self.asked, self.glanced, self.glances) = (self.arms, 0, self.can_glance);
        Poll::Ready(())
    }

    /// Whether arm `index` is to be glanced at, and then polled in another pass.
    #[inline]
    pub const fn glances_at(&mut self, index: u32) -> bool {
        self.glanced |= (self.glances as u64) << index;
        self.glances
    }

    /// No arm was ready in this pass. Whether there is another one, of those that were glanced at.
    #[inline]
    pub const fn asks_again(&mut self) -> bool {
        self.glances = false;
        self.asked = self.glanced & self.arms;
        self.glanced = 0;
        self.asked != 0
    }

    /// The arms to be asked in this pass, in a random order.
    #[inline]
    pub fn shuffled(&self) -> Shuffled {
        let draw = match self.asked {
            0..=FEW => Draw::Few(ORDERS[below(random::next(), ORDERS.len() as u64).0 as usize]),
            many => Draw::Many { count: many.count_ones(), fraction: 0, draws: 0 },
        };
        Shuffled { left: self.asked, draw }
    }

    /// The arms to be asked in this pass, as they were written.
    #[inline]
    pub const fn biased(&self) -> Biased {
        Biased { left: self.asked }
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

/// The arms of a set with none above the fourth.
const FEW: u64 = 0b1111;

/// The orders of four arms, two bits each, the first one lowest.
const ORDERS: [u8; 24] = {
    let (mut orders, mut count, mut code) = ([0; 24], 0, 0_u8);
    loop {
        let arms = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        if 1 << arms[0] | 1 << arms[1] | 1 << arms[2] | 1 << arms[3] == FEW {
            orders[count] = code;
            count += 1;
        }
        if code == u8::MAX {
            break orders;
        }
        code += 1;
    }
};

/// Each of a set of arms once, every order being equally likely.
#[derive(Debug)]
pub struct Shuffled {
    left: u64,
    draw: Draw,
}

#[derive(Debug)]
enum Draw {
    /// An order of four arms: those of them that are in the set come in every order equally often.
    Few(u8),
    Many {
        /// How many are left.
        count: u32,
        /// What is left of the last random word.
        fraction: u64,
        /// Choices that are still to be made with it.
        draws: u32,
    },
}

/// Choices among at most 64 that one random word serves: 30 bits of it, so that the last one
/// is even to within one part in 2^34.
const DRAWS: u32 = 5;

/// A number below `count` out of a fraction of 2^64, and what is left of that.
#[inline]
fn below(fraction: u64, count: u64) -> (u64, u64) {
    let wide = u128::from(fraction) * u128::from(count);
    ((wide >> 64) as u64, wide as u64)
}

impl Iterator for Shuffled {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.left == 0 {
            return None;
        }
        let arm = match &mut self.draw {
            Draw::Few(order) => loop {
                let arm = *order & 3;
                *order >>= 2;
                if self.left >> arm & 1 == 1 {
                    break u32::from(arm);
                }
            },
            Draw::Many { count, fraction, draws } => {
                if *draws == 0 {
                    (*fraction, *draws) = (random::next(), DRAWS);
                }
                *draws -= 1;
                let (behind, rest) = below(*fraction, u64::from(*count));
                (*fraction, *count) = (rest, *count - 1);
                let candidates = (0..behind).fold(self.left, |left, _| left & (left - 1));
                candidates.trailing_zeros()
            }
        };
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
        Round { arms, asked: arms, ..Round::new() }
    }

    fn begun(round: &mut Round) -> Biased {
        let mut cx = Context::from_waker(core::task::Waker::noop());
        assert!(round.begin(&mut cx).is_ready());
        round.biased()
    }

    #[test]
    fn an_arm_that_was_glanced_at_is_asked_once_more_and_no_other() {
        let mut round = Round::glancing();
        for arm in 0..4 {
            round.admit(arm, true);
        }
        assert!(begun(&mut round).eq(0..4));
        assert!([1, 2, 3].map(|arm| round.glances_at(arm)) == [true; 3]);
        round.dismiss(2);
        assert!(round.asks_again() && round.biased().eq([1, 3]));
        assert!(!round.glances_at(1) && !round.asks_again(), "the second pass polls");
        assert!(begun(&mut round).eq([0, 1, 3]) && round.glances_at(0), "in each poll");
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
    fn every_order_is_equally_likely() {
        random::seed(4);
        for (arms, orders) in
            [(0b1_0110_0001, 24), (0b1111, 24), (0b1011, 6), (0b1010, 2), (0b100, 1)]
        {
            let mut counts = std::collections::BTreeMap::new();
            for _ in 0..orders * 10_000 {
                *counts.entry(round(arms).shuffled().collect::<Vec<_>>()).or_insert(0) += 1;
            }
            assert_eq!(counts.len(), orders);
            // Expected 10,000 each with a standard deviation of at most 98.
            assert!(counts.values().all(|n| (9_400..10_600).contains(n)), "{counts:?}");
        }
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
        assert!(begun(&mut round).eq([2]) && !round.is_over());
        round.dismiss(2);
        assert!(round.is_over());
    }
}
