//! What happens on the lines, when its time has come.

use goro_shim::time::{Duration, Instant};
use std::io::{self, ErrorKind};

use super::lines::{End, Lines, Link, Segment};

/// Something that happens at its time.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// The next segment reaches the end on side `to`, unless a partition holds it up, which it has
    /// done `since`.
    Arrival { link: u64, to: usize, since: Option<Instant> },
    /// A reset reaches the end on side `to`.
    Reset { link: u64, to: usize },
    /// The end on this side learns that there is room to write.
    Room { link: u64, side: usize },
    /// A request to connect reaches its host, for the so-manieth time.
    Knock { attempt: u64, tries: u32 },
    /// The answer reaches whoever connects.
    Answer { attempt: u64, link: io::Result<u64> },
}

/// The first pause between two tries to deliver, or to connect; each is twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const FIRST_KNOCK: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

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
                Occurrence::Reset { link, to } => self.reset_arrives(link, to),
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
                    let at = now + self.latency();
                    return self.later(at, Occurrence::Reset { link: id, to: 1 - to });
                }
                if !end.deaf && end.fault.is_none() {
                    end.inbox.extend(bytes);
                }
            }
        }
        let mut readers = core::mem::take(&mut end.readers);
        self.ready.append(&mut readers);
    }

    /// Behind a partition: tried again, until it has been for too long.
    fn held_up(&mut self, id: u64, to: usize, since: Instant, now: Instant) {
        let waited = now.saturating_duration_since(since);
        if waited >= self.conditions.give_up {
            return self.fail(id, 1 - to, ErrorKind::TimedOut);
        }
        let pause = waited.clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.later(now + pause, Occurrence::Arrival { link: id, to, since: Some(since) });
    }

    fn reset_arrives(&mut self, id: u64, to: usize) {
        let cut = |link: &Link| self.is_cut(link.ends[0].address, link.ends[1].address);
        if !self.links.get(&id).is_none_or(cut) {
            self.fail(id, to, ErrorKind::ConnectionReset);
        }
    }

    fn room_comes(&mut self, id: u64, side: usize) {
        let Some(end) = self.end(id, side) else { return };
        let mut writers = core::mem::take(&mut end.writers);
        self.ready.append(&mut writers);
    }

    fn knock(&mut self, id: u64, tries: u32, now: Instant) {
        let Some(attempt) = self.attempts.get(&id) else { return };
        let (from, to, began) = (attempt.from, attempt.to, attempt.began);
        if !self.is_cut(from, to) {
            let back = now + self.latency();
            let Some((at, listening)) = self.listener_for(to) else {
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
