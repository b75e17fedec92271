//! How far an end has come, who holds it up, and who takes it further: the protocol alone.
//!
//! ```text
//!                     begin                 terminate: no guard is out, or force      finish
//!   Running ─────────────────────▶ Draining ─────────────────────────▶ Terminating ───────────▶ Stopped
//!   enter, leave                   enter, leave ─ the last one: look    leave                    leave
//! ```
//!
//! | who | may | and owes |
//! |---|---|---|
//! | anybody | `begin`, `force` | a look, after it |
//! | who is about to work | `enter`, up to Draining | `leave`, once |
//! | who leaves as the last one, in Draining | | a look, after it |
//! | who looks | `terminate`, `finish` | |
//!
//! A look is [`Turns::take`]: everybody may ask for one, and it is had by one thread at a time, at least once
//! from its beginning after each asking. So two who look never do a step twice, and nobody waits for another.
//!
//! Invariants:
//! 1. The phase only rises. It changes under the lock, and is read without it.
//! 2. Whoever is let in before Terminating is counted until it leaves; unless somebody forces it, nobody goes
//!    on to Terminating while one is counted. So work that was let in is never cut short by an end that
//!    thinks there is none.
//! 3. Nothing of the user's is in here, and nothing is called under the lock.
//!
//! Left out: a count without a lock. A guard would cost two additions instead of two short locks, and nobody
//! could say who holds the end up.

use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::lock::Lock;
use goro_wait::{Key, WaitList};

/// How far a [shutdown](crate::ShutdownHandle) has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nobody has asked for an end.
    Running,
    /// What was begun is finished; only that may begin anything else.
    Draining,
    /// Everybody is asked to end, and then made to.
    Terminating,
    /// Nobody is left, or nothing more can be done about those who are.
    Stopped,
}

const PHASES: [Phase; 4] = [Phase::Running, Phase::Draining, Phase::Terminating, Phase::Stopped];

/// A phase and who holds it up; see the module.
#[derive(Debug)]
pub(crate) struct Books<G> {
    phase: AtomicU32,
    out: Lock<Out<G>>,
}

#[derive(Debug)]
struct Out<G> {
    guards: WaitList<G>,
    /// Guards that have left since the end began.
    left: u64,
}

/// A guard that has left.
#[derive(Debug)]
pub(crate) struct Gone<G> {
    /// Whose it was.
    pub(crate) holder: Option<G>,
    /// It was the last that held the end up: a look is owed.
    pub(crate) last: bool,
}

impl<G: Copy> Books<G> {
    pub(crate) fn new() -> Self {
        let out = Out { guards: WaitList::new(), left: 0 };
        Self { phase: AtomicU32::new(0), out: Lock::new(out) }
    }

    pub(crate) fn phase(&self) -> Phase {
        // Ordering: Acquire pairs with the Release in `rise`.
        PHASES[self.phase.load(Ordering::Acquire) as usize]
    }

    /// Lets a guard in, up to Draining.
    pub(crate) fn enter(&self, holder: G) -> Result<Key, Phase> {
        let mut out = self.out.lock();
        match self.phase() {
            Phase::Running | Phase::Draining => Ok(out.guards.push_back(holder)),
            late => Err(late),
        }
    }

    /// Lets another in on behalf of one that is out: in every phase.
    pub(crate) fn join(&self, holder: G) -> Key {
        self.out.lock().guards.push_back(holder)
    }

    /// A guard leaves.
    pub(crate) fn leave(&self, key: Key) -> Gone<G> {
        let mut out = self.out.lock();
        let holder = out.guards.remove(key);
        let phase = self.phase();
        out.left += u64::from(phase > Phase::Running);
        Gone { holder, last: phase == Phase::Draining && out.guards.is_empty() }
    }

    /// Who is out, and how many have left since the end began.
    pub(crate) fn out(&self) -> (usize, u64) {
        let out = self.out.lock();
        (out.guards.len(), out.left)
    }

    /// Those who are out, the longest first.
    pub(crate) fn holders(&self, most: usize) -> Vec<G> {
        let mut holders = Vec::with_capacity(most);
        let out = self.out.lock();
        holders.extend(out.guards.iter().map(|(_, holder)| *holder).take(most));
        drop(out);
        holders
    }

    /// The end begins; true for the caller that did it.
    pub(crate) fn begin(&self) -> bool {
        let _out = self.out.lock();
        self.rise(Phase::Running, Phase::Draining)
    }

    /// From Draining to Terminating, if nobody is out or it is `forced`; true for the caller that did it.
    pub(crate) fn terminate(&self, forced: bool) -> bool {
        let out = self.out.lock();
        (forced || out.guards.is_empty()) && self.rise(Phase::Draining, Phase::Terminating)
    }

    /// From Terminating to Stopped; true for the caller that did it.
    pub(crate) fn finish(&self) -> bool {
        let _out = self.out.lock();
        self.rise(Phase::Terminating, Phase::Stopped)
    }

    /// Under the lock: nobody else writes.
    fn rise(&self, from: Phase, to: Phase) -> bool {
        let is_there = self.phase() == from;
        if is_there {
            // Ordering: Release pairs with the Acquire in `phase`.
            self.phase.store(to as u32, Ordering::Release);
        }
        is_there
    }
}

/// Whose turn it is to look; see the module.
#[derive(Debug)]
pub(crate) struct Turns(AtomicU32);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Has `look` run, here or by whoever is just looking: from its beginning, after this call has begun.
    pub(crate) fn take(&self, mut look: impl FnMut()) {
        // Ordering: Release gives what was done before the asking to whoever looks; Acquire, for the first
        // one, pairs with the Release below: it goes on where the last one has stopped.
        if self.0.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let mut asked = 1;
        loop {
            look();
            // Ordering: as above, for those who have asked meanwhile.
            let before = self.0.fetch_sub(asked, Ordering::AcqRel);
            asked = before - asked;
            if asked == 0 {
                return;
            }
        }
    }
}

#[cfg(all(test, loom))]
mod models;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_end_waits_for_those_who_were_let_in() {
        let books = Books::new();
        let first = books.enter(1).unwrap();
        assert!(!books.terminate(true), "it has not begun");
        assert!(books.begin() && !books.begin());
        let second = books.enter(2).unwrap();
        assert!(!books.terminate(false));
        assert_eq!(books.holders(5), [1, 2]);
        let gone = books.leave(first);
        assert_eq!((gone.holder, gone.last), (Some(1), false));
        assert!(books.leave(second).last);
        assert_eq!(books.out(), (0, 2));
        assert!(books.terminate(false) && !books.terminate(true));
        assert_eq!(books.enter(3), Err(Phase::Terminating));
        assert!(books.finish() && !books.finish());
        assert_eq!(books.phase(), Phase::Stopped);
    }

    #[test]
    fn an_end_that_is_forced_waits_for_nobody() {
        let books = Books::new();
        let key = books.enter(()).unwrap();
        assert!(books.begin() && books.terminate(true));
        let late = books.join(());
        assert!(!books.leave(key).last, "nobody looks for the last one any more");
        assert!(!books.leave(late).last);
        assert_eq!(books.leave(late).holder, None, "it leaves once");
    }

    #[test]
    fn who_asks_during_a_look_gets_another() {
        let turns = Turns::new();
        let looks = std::cell::Cell::new(0);
        turns.take(|| {
            looks.set(looks.get() + 1);
            if looks.get() < 4 {
                turns.take(|| unreachable!("one looks at a time"));
            }
        });
        assert_eq!(looks.get(), 4);
    }
}
