//! What happens on the lines, when its time has come.

use goro_shim::time::{Duration, Instant};
use std::io::{self, ErrorKind};

use super::connect::Attempt;
use super::lines::{End, Lines, Link, Segment};

/// Something that happens at its time.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// The next segment reaches the end on side `to`, unless a partition holds it up, which it has
    /// done `since`.
    Arrival { link: u64, to: usize, since: Option<Instant> },
    /// A reset reaches the end on side `to`, unless a partition is between, where it is lost. It is
    /// `due` for what that end has sent, which the end will send again until it is answered.
    Reset { link: u64, to: usize, due: bool, since: Option<Instant> },
    /// The end on this side learns that there is room to write.
    Room { link: u64, side: usize },
    /// A request to connect reaches its host, for the so-manieth time.
    Knock { attempt: u64, tries: u32 },
    /// The answer reaches whoever connects.
    Answer { attempt: u64, link: io::Result<u64> },
}

/// How connecting fails that fails for no reason of the test's own.
const UNREACHED: [ErrorKind; 3] =
    [ErrorKind::ConnectionRefused, ErrorKind::HostUnreachable, ErrorKind::NetworkUnreachable];

/// The first pause between two tries to deliver, or to connect; each is twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const FIRST_KNOCK: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause before the next of several tries, the first of which was so long ago.
fn pause(waited: Duration) -> Duration {
    waited.clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

impl Lines {
    /// Everything that is due happens.
    pub(super) fn happen(&mut self, now: Instant) {
        self.happened = Some(now);
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            // At its own time, not at the time of whoever came to look.
            match entry.remove() {
                Occurrence::Arrival { link, to, since } => self.arrive(link, to, since, at),
                Occurrence::Reset { link, to, due, since } => {
                    self.reset_arrives(link, to, due, since, at);
                }
                Occurrence::Room { link, side } => self.room_comes(link, side),
                Occurrence::Knock { attempt, tries } => self.knock(attempt, tries, at),
                Occurrence::Answer { attempt, link } => self.answered(attempt, link, at),
            }
        }
    }

    fn arrive(&mut self, id: u64, to: usize, since: Option<Instant>, now: Instant) {
        let Some(link) = self.links.get(&id) else { return };
        if self.is_cut(link.ends[0].address, link.ends[1].address) {
            return self.held_up(id, to, since.unwrap_or(now), now);
        }
        let Some(end) = self.end(id, to) else { return };
        let Some(segment) = end.flight.pop_front() else { return };
        match segment {
            Segment::Last => end.ended = true,
            Segment::Bytes(bytes) => {
                end.flying -= bytes.len();
                if end.closed {
                    return self.send_reset(id, 1 - to, true, now);
                }
                if end.deaf {
                    self.tell_of_room(id, 1 - to, now);
                } else if end.fault.is_none() {
                    end.inbox.extend(bytes);
                }
            }
        }
        let Some(end) = self.end(id, to) else { return };
        let mut readers = core::mem::take(&mut end.readers);
        self.ready.append(&mut readers);
    }

    /// Behind a partition: tried again, until it has been for too long.
    fn held_up(&mut self, id: u64, to: usize, since: Instant, now: Instant) {
        let waited = now.saturating_duration_since(since);
        if waited >= self.conditions.give_up {
            return self.fail(id, 1 - to, ErrorKind::TimedOut);
        }
        self.later(now + pause(waited), Occurrence::Arrival { link: id, to, since: Some(since) });
    }

    pub(super) fn send_reset(&mut self, link: u64, to: usize, due: bool, now: Instant) {
        let at = now + self.latency();
        self.later(at, Occurrence::Reset { link, to, due, since: None });
    }

    fn reset_arrives(
        &mut self,
        id: u64,
        to: usize,
        due: bool,
        since: Option<Instant>,
        now: Instant,
    ) {
        let Some(link) = self.links.get(&id) else { return };
        if !self.is_cut(link.ends[0].address, link.ends[1].address) {
            return self.fail(id, to, ErrorKind::ConnectionReset);
        }
        // Who cannot write any more asks again and again whether there is room.
        if due || self.room(link, to) == 0 {
            let since = since.unwrap_or(now);
            let waited = now.saturating_duration_since(since);
            if waited >= self.conditions.give_up {
                return self.fail(id, to, ErrorKind::TimedOut);
            }
            let again = Occurrence::Reset { link: id, to, due, since: Some(since) };
            self.later(now + pause(waited), again);
        }
    }

    fn room_comes(&mut self, id: u64, side: usize) {
        let Some(end) = self.end(id, side) else { return };
        let mut writers = core::mem::take(&mut end.writers);
        self.ready.append(&mut writers);
    }

    fn knock(&mut self, id: u64, tries: u32, now: Instant) {
        let Some(attempt) = self.attempts.get(&id) else { return };
        let Attempt { from, host, to, began, .. } = *attempt;
        if !self.is_cut(from, to) {
            let back = now + self.latency();
            if self.once_in(self.faults.connects) {
                let failed = Err(self.any_of(&UNREACHED).into());
                return self.later(back, Occurrence::Answer { attempt: id, link: failed });
            }
            let Some((at, listening)) = self.listener_for(host, to) else {
                let refused = Err(ErrorKind::ConnectionRefused.into());
                return self.later(back, Occurrence::Answer { attempt: id, link: refused });
            };
            if listening < self.conditions.backlog {
                let link = self.id();
                self.links.insert(link, Link { ends: [End::new(from), End::new(to)] });
                if let Some(listening) = self.listening.get_mut(&at) {
                    listening.queue.push_back(link);
                    let mut waiting = core::mem::take(&mut listening.waiting);
                    self.ready.append(&mut waiting);
                }
                return self.later(back, Occurrence::Answer { attempt: id, link: Ok(link) });
            }
        }
        // Nobody answers: again after one second, two, four, ...
        let pause = FIRST_KNOCK.saturating_mul(1 << tries.min(16));
        let over = began + self.conditions.connect_timeout;
        let again = now + pause;
        if again < over {
            self.later(again, Occurrence::Knock { attempt: id, tries: tries + 1 });
        } else {
            let late = Err(ErrorKind::TimedOut.into());
            self.later(over.max(now), Occurrence::Answer { attempt: id, link: late });
        }
    }

    fn answered(&mut self, id: u64, link: io::Result<u64>, now: Instant) {
        match (self.attempts.get_mut(&id), link) {
            (Some(attempt), link) => {
                attempt.outcome = Some(link);
                let waker = attempt.waker.take();
                self.ready.extend(waker);
            }
            // Given up meanwhile.
            (None, Ok(link)) => self.close_end(link, 0, now),
            (None, Err(_)) => {}
        }
    }
}
