//! The tree against a list of who is below whom.

use core::task::Waker;

use goro_shim::global::{AtomicUsize, Ordering};

use super::*;
use crate::testing::{CountingWaker, poll_with};

/// What is done with the tokens there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Child(usize),
    Any(usize, usize),
    Clone(usize),
    Drop(usize),
    Cancel(usize),
    Wait(usize),
    PollAgain(usize),
    GiveUp(usize),
    Call(usize),
    TakeBack(usize),
}

/// What the model knows of one node.
struct Known {
    above: Vec<usize>,
    cause: Option<usize>,
    handles: usize,
}

struct Waits {
    node: usize,
    wait: WaitForCancellationOwned,
    waker: CountingWaker,
}

struct Calls {
    node: usize,
    guard: OnCancel,
    calls: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Check {
    known: Vec<Known>,
    /// A weak end of each node, to see it go.
    weak: Vec<goro_shim::global::Weak<Node>>,
    tokens: Vec<(usize, CancellationToken)>,
    waits: Vec<Waits>,
    calls: Vec<Calls>,
}

impl Check {
    fn born(&mut self, token: CancellationToken, above: Vec<usize>) {
        let cause = above.iter().find_map(|&above| self.known[above].cause);
        // Born cancelled, it stands below nobody.
        let above = if cause.is_some() { Vec::new() } else { above };
        self.weak.push(Arc::downgrade(&token.node));
        self.tokens.push((self.known.len(), token));
        self.known.push(Known { above, cause, handles: 1 });
    }

    fn cancel(&mut self, node: usize, cause: usize) {
        // Those above come before those below in the list.
        for at in node..self.known.len() {
            let told = at == node
                || self.known[at].above.iter().any(|&above| self.known[above].cause == Some(cause));
            if told && self.known[at].cause.is_none() {
                self.known[at].cause = Some(cause);
            }
        }
    }

    /// Whether a node is held: by a handle, or by one below it.
    fn lives(&self, node: usize) -> bool {
        let is_held = |at: usize| {
            let known = &self.known[at];
            known.handles > 0
                || self.waits.iter().any(|waits| waits.node == at)
                || self.calls.iter().any(|calls| calls.node == at)
        };
        is_held(node)
            || (node + 1..self.known.len()).any(|at| self.keeps(at, node) && self.lives(at))
    }

    /// Whether the node at `below` holds the one at `above`: a child its parent for good, one that is
    /// below several those until it is cancelled.
    fn keeps(&self, below: usize, above: usize) -> bool {
        let known = &self.known[below];
        known.above.contains(&above) && (known.above.len() == 1 || known.cause.is_none())
    }

    fn agrees(&self, acts: &[Act]) {
        for (node, token) in &self.tokens {
            let cause = self.known[*node].cause.map(|cause| Cause::new(cause.to_string()));
            assert_eq!(token.is_cancelled(), cause.is_some(), "{node} after {acts:?}");
            assert_eq!(token.cause(), cause, "{node} after {acts:?}");
            if cause.is_none() {
                let below = (0..self.known.len())
                    .filter(|&at| self.known[at].cause.is_none() && self.lives(at))
                    .map(|at| self.known[at].above.iter().filter(|&above| above == node).count());
                // A child that was cancelled by itself stands there until it goes.
                let ended = (0..self.known.len())
                    .filter(|&at| self.known[at].cause.is_some() && self.lives(at))
                    .filter(|&at| self.known[at].above == [*node]);
                let children = below.sum::<usize>() + ended.count();
                assert_eq!(token.node.children(), children, "{node} after {acts:?}");
            }
        }
        for waits in &self.waits {
            let woken = usize::from(self.known[waits.node].cause.is_some());
            assert_eq!(waits.waker.count(), woken, "{} after {acts:?}", waits.node);
        }
        for calls in &self.calls {
            let called = usize::from(self.known[calls.node].cause.is_some());
            assert_eq!(calls.calls.load(Ordering::Relaxed), called, "after {acts:?}");
        }
        for (node, weak) in self.weak.iter().enumerate() {
            assert_eq!(weak.strong_count() > 0, self.lives(node), "{node} after {acts:?}");
        }
    }

    fn token(&self, at: usize) -> Option<(usize, CancellationToken)> {
        let (node, token) = self.tokens.get(at)?;
        Some((*node, token.clone()))
    }

    fn act(&mut self, at: usize, act: Act) {
        match act {
            Act::Child(which) => {
                if let Some((node, token)) = self.token(which) {
                    self.born(token.child_token(), vec![node]);
                }
            }
            Act::Any(one, two) => {
                if let (Some(one), Some(two)) = (self.token(one), self.token(two)) {
                    let token = CancellationToken::any([&one.1, &two.1]);
                    self.born(token, vec![one.0, two.0]);
                }
            }
            Act::Clone(which) => {
                if let Some(token) = self.token(which) {
                    self.known[token.0].handles += 1;
                    self.tokens.push(token);
                }
            }
            Act::Drop(which) if which < self.tokens.len() => {
                let (node, token) = self.tokens.remove(which);
                drop(token);
                self.known[node].handles -= 1;
            }
            Act::Cancel(which) => {
                if let Some((node, token)) = self.token(which) {
                    let first = self.known[node].cause.is_none();
                    assert_eq!(token.cancel_with(at.to_string()), first);
                    if first {
                        self.cancel(node, at);
                    }
                }
            }
            Act::Wait(which) => {
                if let Some((node, token)) = self.token(which) {
                    let waker = CountingWaker::new();
                    let mut wait = token.cancelled_owned();
                    let polled = poll_with(&mut wait, &waker.waker());
                    assert_eq!(polled.is_ready(), self.known[node].cause.is_some());
                    if polled.is_pending() {
                        self.waits.push(Waits { node, wait, waker });
                    }
                }
            }
            Act::PollAgain(which) => self.poll_again(which),
            Act::GiveUp(which) if which < self.waits.len() => drop(self.waits.remove(which)),
            Act::Call(which) => {
                if let Some((node, token)) = self.token(which) {
                    let calls = Arc::new(AtomicUsize::new(0));
                    let guard = token.on_cancel({
                        let calls = Arc::clone(&calls);
                        move |_| {
                            calls.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    self.calls.push(Calls { node, guard, calls });
                }
            }
            Act::TakeBack(which) if which < self.calls.len() => {
                let Calls { guard, calls, .. } = self.calls.remove(which);
                drop(guard);
                assert_eq!(Arc::strong_count(&calls), 1, "the closure is gone");
            }
            Act::Drop(_) | Act::GiveUp(_) | Act::TakeBack(_) => {}
        }
    }

    /// With another waker, which is the one that counts from then on.
    fn poll_again(&mut self, which: usize) {
        let Some(waits) = self.waits.get_mut(which) else { return };
        if self.known[waits.node].cause.is_some() {
            let waits = self.waits.remove(which);
            let mut wait = waits.wait;
            assert!(poll_with(&mut wait, Waker::noop()).is_ready());
            return;
        }
        waits.waker = CountingWaker::new();
        assert!(poll_with(&mut waits.wait, &waits.waker.waker()).is_pending());
    }
}

/// Does `acts`, and judges each.
pub(super) fn check_acts(acts: &[Act]) {
    let mut check = Check::default();
    check.born(CancellationToken::new(), Vec::new());
    for (at, &act) in acts.iter().enumerate() {
        check.act(at, act);
        check.agrees(&acts[..=at]);
    }
    check.tokens.clear();
    check.waits.clear();
    check.calls.clear();
    assert!(check.weak.iter().all(|weak| weak.strong_count() == 0), "left after {acts:?}");
}

/// A run as `bytes` have it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let draw = |from: &mut arbitrary::Unstructured<'_>| {
        let which = from.int_in_range(0..=11)?;
        Ok(match from.int_in_range(0..=29)? {
            0..8 => Act::Child(which),
            8..10 => Act::Any(which, from.int_in_range(0..=11)?),
            10..12 => Act::Clone(which),
            12..18 => Act::Drop(which),
            18..20 => Act::Cancel(which),
            20..24 => Act::Wait(which),
            24 => Act::PollAgain(which),
            25..27 => Act::GiveUp(which),
            27..29 => Act::Call(which),
            _ => Act::TakeBack(which),
        })
    };
    check_acts(&crate::fuzzing::steps(&mut arbitrary::Unstructured::new(bytes), draw));
}
