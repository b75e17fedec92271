//! The lines of a simulated network: who listens, who is connected, and what is under way.
//!
//! ```text
//!  write ──▶ flight ──(arrival)──▶ inbox ──▶ read       one of each for either end of a link
//!    ▲                                         │
//!    └────────────── room, later ◀─────────────┘
//! ```
//!
//! Invariants:
//! 1. One lock round everything. Wakers are cloned before it is taken, and woken by the runtime's own
//!    turn of the reactor, after it was given back (`ready` is what the kernel would report).
//! 2. What happens later stands in the agenda under its time and a number; equal times go in the
//!    order in which they were put there. Maps are ordered, so every walk is the same in every run.
//! 3. A link outlives its ends: what arrives for one that is closed is answered by a reset.

use core::fmt;
use core::task::Waker;
use goro_context::now;
use goro_reactor::source::{Connecting, ListenerSource, Network, Resolving};
use goro_shim::Arc;
use goro_shim::lock::{Guard, Lock};
use goro_shim::random::Random;
use goro_shim::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Conditions;
use super::agenda::Occurrence;
use super::connect::{Attempt, Dial};
use super::listener::{Door, Listening, Spot};
use crate::faults::Faults;

/// How much later a lost segment comes.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// The first of the ports that are given to whoever asks for any.
const FIRST_PORT: u16 = 49_152;

/// A simulated network; see the module.
pub(crate) struct Net(Lock<Lines>);

/// What stands under the lock.
pub(super) struct Lines {
    pub(super) conditions: Conditions,
    pub(super) faults: Faults,
    pub(super) random: Random,
    pub(super) agenda: BTreeMap<(Instant, u64), Occurrence>,
    pub(super) links: BTreeMap<u64, Link>,
    pub(super) attempts: BTreeMap<u64, Attempt>,
    pub(super) listening: BTreeMap<Spot, Listening>,
    cuts: BTreeSet<(IpAddr, IpAddr)>,
    names: BTreeMap<String, IpAddr>,
    /// Who is to be woken when the reactor is next looked at.
    pub(super) ready: Vec<Waker>,
    next: u64,
    port: u16,
    /// Up to when things have happened.
    pub(super) happened: Option<Instant>,
    /// The run is over.
    pub(super) over: bool,
}

/// A connection: the end that connected, and the one that was connected to.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) ends: [End; 2],
}

/// What is sent towards an end.
#[derive(Debug)]
pub(super) enum Segment {
    Bytes(Vec<u8>),
    /// Nothing more will come.
    Last,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct End {
    pub(super) address: SocketAddr,
    /// Sent towards this end and not arrived.
    pub(super) flight: VecDeque<Segment>,
    pub(super) flying: usize,
    /// Arrived and not read.
    pub(super) inbox: VecDeque<u8>,
    /// The other end's last segment has arrived.
    pub(super) ended: bool,
    /// This end has sent its last.
    pub(super) sent_last: bool,
    /// This end does not read any more.
    pub(super) deaf: bool,
    /// Its owner has dropped it, or its machine is gone.
    pub(super) closed: bool,
    /// What the owner is to be told, and whether it has been.
    pub(super) fault: Option<(ErrorKind, bool)>,
    pub(super) readers: Vec<Waker>,
    pub(super) writers: Vec<Waker>,
    /// When the last segment towards this end arrives, and when the line to it is free again.
    last_arrival: Option<Instant>,
    free_at: Option<Instant>,
}

impl End {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            flight: VecDeque::new(),
            flying: 0,
            inbox: VecDeque::new(),
            ended: false,
            sent_last: false,
            deaf: false,
            closed: false,
            fault: None,
            readers: Vec::new(),
            writers: Vec::new(),
            last_arrival: None,
            free_at: None,
        }
    }
}

impl Net {
    pub(crate) fn new(conditions: Conditions, faults: &Faults, seed: u64) -> Self {
        Self(Lock::new(Lines {
            conditions,
            faults: faults.clone(),
            random: Random::new(seed),
            agenda: BTreeMap::new(),
            links: BTreeMap::new(),
            attempts: BTreeMap::new(),
            listening: BTreeMap::new(),
            cuts: BTreeSet::new(),
            names: BTreeMap::new(),
            ready: Vec::new(),
            next: 0,
            happened: None,
            port: FIRST_PORT,
            over: false,
        }))
    }

    pub(super) fn lines(&self) -> Guard<'_, Lines> {
        self.0.lock()
    }

    /// The lines as they are now: what was due has happened.
    pub(super) fn lines_now(&self) -> (Guard<'_, Lines>, Instant) {
        let now = now();
        let mut lines = self.0.lock();
        lines.happen(now);
        (lines, now)
    }

    /// When the reactor has something to report.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        let lines = self.0.lock();
        let first = lines.agenda.keys().next().map(|(at, _)| *at);
        // Whoever is ready has been since a moment that has passed.
        if lines.ready.is_empty() { first } else { lines.happened }
    }

    /// The reactor is looked at.
    pub(crate) fn turn(&self, now: Instant, wakers: &mut Vec<Waker>) {
        let mut lines = self.0.lock();
        lines.happen(now);
        wakers.append(&mut lines.ready);
    }

    /// The run is over: whoever still waits is woken, and told so.
    pub(crate) fn close(&self) {
        let mut wakers = Vec::new();
        let (links, listening, attempts) = {
            let mut lines = self.0.lock();
            lines.over = true;
            wakers.append(&mut lines.ready);
            (
                core::mem::take(&mut lines.links),
                core::mem::take(&mut lines.listening),
                core::mem::take(&mut lines.attempts),
            )
        };
        for mut end in links.into_values().flat_map(|link| link.ends) {
            wakers.append(&mut end.readers);
            wakers.append(&mut end.writers);
        }
        wakers.extend(listening.into_values().flat_map(|listening| listening.waiting));
        wakers.extend(attempts.into_values().filter_map(|attempt| attempt.waker));
        goro_reactor::wake_all(&mut wakers);
    }

    pub(super) fn cut(&self, one: IpAddr, other: IpAddr) {
        let (mut lines, _) = self.lines_now();
        lines.cuts.insert(pair(one, other));
    }

    pub(super) fn mend(&self, only: Option<(IpAddr, IpAddr)>) {
        let (mut lines, _) = self.lines_now();
        match only {
            Some((one, other)) => {
                lines.cuts.remove(&pair(one, other));
            }
            None => lines.cuts.clear(),
        }
    }

    pub(super) fn name(&self, host: &str, address: IpAddr) {
        self.0.lock().names.insert(host.to_owned(), address);
    }

    pub(super) fn connections(&self) -> Vec<(SocketAddr, SocketAddr)> {
        let (lines, _) = self.lines_now();
        let standing = |link: &&Link| link.ends.iter().all(|e| !e.closed && e.fault.is_none());
        let addresses = |link: &Link| (link.ends[0].address, link.ends[1].address);
        lines.links.values().filter(standing).map(addresses).collect()
    }

    pub(super) fn reset(&self, at: impl Fn(SocketAddr) -> bool) -> usize {
        let (mut lines, _) = self.lines_now();
        let hit = |link: &Link| link.ends.iter().any(|end| at(end.address));
        let found: Vec<u64> =
            lines.links.iter().filter(|(_, link)| hit(link)).map(|(id, _)| *id).collect();
        for &link in &found {
            for side in 0..2 {
                lines.fail(link, side, ErrorKind::ConnectionReset);
            }
        }
        found.len()
    }

    pub(super) fn vanish(&self, address: SocketAddr) -> usize {
        let (mut lines, now) = self.lines_now();
        let mut found = Vec::new();
        for (id, link) in &lines.links {
            let at = |side: &usize| link.ends[*side].address == address && !link.ends[*side].closed;
            found.extend((0..2).filter(at).map(|side| (*id, side)));
        }
        for &(link, side) in &found {
            lines.fail(link, side, ErrorKind::ConnectionAborted);
            lines.end(link, side).into_iter().for_each(|end| end.closed = true);
            lines.tell_of_room(link, 1 - side, now);
        }
        found.len()
    }
}

fn pair(one: IpAddr, other: IpAddr) -> (IpAddr, IpAddr) {
    (one.min(other), one.max(other))
}

impl Lines {
    pub(super) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Puts something on the agenda.
    pub(super) fn later(&mut self, at: Instant, what: Occurrence) {
        let number = self.id();
        self.agenda.insert((at, number), what);
    }

    /// A latency, drawn.
    pub(super) fn latency(&mut self) -> Duration {
        let Conditions { latency, .. } = &self.conditions;
        let spread = latency.end.saturating_sub(latency.start).as_nanos();
        let spread = u32::try_from(spread).unwrap_or(u32::MAX);
        latency.start + Duration::from_nanos(self.random.below(spread).into())
    }

    /// Whether one in so many is due; never for zero.
    pub(super) fn once_in(&self, many: u32) -> bool {
        many > 0 && self.random.below(many) == 0
    }

    /// One of these, drawn.
    pub(super) fn any_of(&self, kinds: &[ErrorKind]) -> ErrorKind {
        kinds[self.random.below(kinds.len() as u32) as usize]
    }

    pub(super) fn is_cut(&self, one: SocketAddr, other: SocketAddr) -> bool {
        self.cuts.contains(&pair(one.ip(), other.ip()))
    }

    pub(super) fn end(&mut self, link: u64, side: usize) -> Option<&mut End> {
        self.links.get_mut(&link).map(|link| &mut link.ends[side])
    }

    /// A port nobody has at `ip`.
    pub(super) fn free_port(&mut self, ip: IpAddr) -> u16 {
        loop {
            let port = self.port;
            self.port = if port == u16::MAX { FIRST_PORT } else { port + 1 };
            let at = SocketAddr::new(ip, port);
            if !self.listening.keys().any(|spot| spot.at == at) {
                return port;
            }
        }
    }

    /// The end on `side` may write more, and learns of it later.
    pub(super) fn tell_of_room(&mut self, link: u64, side: usize, now: Instant) {
        let at = now + self.latency();
        self.later(at, Occurrence::Room { link, side });
    }

    /// How many bytes the end on `side` may write.
    pub(super) fn room(&self, link: &Link, side: usize) -> usize {
        let to = &link.ends[1 - side];
        self.conditions.window.saturating_sub(to.inbox.len() + to.flying)
    }

    /// Sends a segment towards the end on `to`.
    pub(super) fn send(&mut self, id: u64, to: usize, segment: Segment, now: Instant) {
        let latency = self.latency();
        let lost = self.once_in(self.conditions.lose_once_in);
        let bandwidth = self.conditions.bandwidth;
        let Some(end) = self.end(id, to) else { return };
        let length = match &segment {
            Segment::Bytes(bytes) => bytes.len(),
            Segment::Last => 0,
        };
        let begins = end.free_at.map_or(now, |free| free.max(now));
        let sent = bandwidth.map_or(begins, |rate| begins + transmission(length, rate));
        end.free_at = Some(sent);
        let mut arrives = sent + latency;
        if lost {
            arrives += RETRANSMISSION;
        }
        let arrives = end.last_arrival.map_or(arrives, |last| last.max(arrives));
        end.last_arrival = Some(arrives);
        end.flying += length;
        end.flight.push_back(segment);
        self.later(arrives, Occurrence::Arrival { link: id, to, since: None });
    }

    /// An end's owner is to learn of an error; what it has not read is lost.
    pub(super) fn fail(&mut self, id: u64, side: usize, kind: ErrorKind) {
        let Some(end) = self.end(id, side) else { return };
        if end.fault.is_none() {
            end.fault = Some((kind, false));
        }
        end.inbox.clear();
        let (mut readers, mut writers) =
            (core::mem::take(&mut end.readers), core::mem::take(&mut end.writers));
        self.ready.append(&mut readers);
        self.ready.append(&mut writers);
    }

    /// An end's owner has dropped it.
    pub(super) fn close_end(&mut self, id: u64, side: usize, now: Instant) {
        let Some(end) = self.end(id, side) else { return };
        let (unread, sent_last) = (!end.inbox.is_empty(), end.sent_last);
        let dead = end.fault.is_some();
        end.closed = true;
        end.sent_last = true;
        if unread && !dead {
            self.send_reset(id, 1 - side, false, now);
        } else if !sent_last && !dead {
            self.send(id, 1 - side, Segment::Last, now);
        }
        let gone = |link: &Link| link.ends.iter().all(|end| end.closed);
        if self.links.get(&id).is_some_and(gone) {
            self.links.remove(&id);
        }
    }
}

/// How long so many bytes take at so many a second.
fn transmission(bytes: usize, rate: u64) -> Duration {
    let nanos = bytes as u128 * 1_000_000_000 / u128::from(rate.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The network of a run, as sockets see it.
#[derive(Debug)]
pub(crate) struct Shared(pub(crate) Arc<Net>);

impl Network for Shared {
    fn connect(&self, to: SocketAddr) -> Connecting {
        Box::pin(Dial::new(Arc::clone(&self.0), to))
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Box<dyn ListenerSource>> {
        Door::open(&self.0, at).map(|door| Box::new(door) as Box<dyn ListenerSource>)
    }

    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let known = match host {
            "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            _ => self.0.0.lock().names.get(host).copied(),
        };
        let found = match known {
            Some(address) => Ok(vec![SocketAddr::new(address, port)]),
            None => Err(io::Error::new(
                ErrorKind::NotFound,
                format!("no host of this simulation is called {host}: say net::name first"),
            )),
        };
        Box::pin(core::future::ready(found))
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}
