//! One end of a connection, as a socket has it.

use core::task::{Context, Poll, Waker, ready};
use goro_context::{Op, budget, cancel, note};
use goro_reactor::Direction;
use goro_reactor::source::{OptionName, StreamOption, StreamSource};
use goro_shim::Arc;
use goro_shim::lock::Lock;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};

use super::lines::{End, Lines, Net, Segment};

/// What a socket is told that has outlived its simulation.
pub(super) fn over() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "the simulation that this socket belongs to is over")
}

/// Adds a waker that is not there yet; hands it back, to be dropped without the lock, if it is.
pub(super) fn remember(wakers: &mut Vec<Waker>, waker: Waker) -> Option<Waker> {
    if wakers.iter().any(|known| known.will_wake(&waker)) {
        return Some(waker);
    }
    wakers.push(waker);
    None
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    net: Arc<Net>,
    link: u64,
    side: usize,
    options: Lock<[StreamOption; 4]>,
}

impl Stream {
    pub(super) fn new(net: &Arc<Net>, link: u64, side: usize) -> Self {
        let options = [
            StreamOption::NoDelay(false),
            StreamOption::Ttl(64),
            StreamOption::Linger(None),
            StreamOption::KeepAlive(None),
        ];
        Self { net: Arc::clone(net), link, side, options: Lock::new(options) }
    }

    /// Tries `io` on the lines as they are now; leaves a waker behind for a would-block.
    fn attempt<R>(
        &self,
        direction: Direction,
        waker: Option<Waker>,
        io: impl FnOnce(&mut Lines) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waker = waker;
        let (mut lines, _) = self.net.lines_now();
        let result = io(&mut lines);
        let blocked = result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        if let Some(end) = lines.end(self.link, self.side).filter(|_| blocked) {
            let wakers = match direction {
                Direction::Read => &mut end.readers,
                Direction::Write => &mut end.writers,
            };
            waker = waker.and_then(|waker| remember(wakers, waker));
        }
        drop(lines);
        drop(waker);
        result
    }

    fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        io: impl FnOnce(&mut Lines) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let spent = ready!(budget::poll_spend(cx));
        if self.is_in_vain() {
            spent.refund();
            note::leave(op_of(direction), self.link);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.attempt(direction, Some(cx.waker().clone()), io) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if let Some(cause) = cancel::cause() {
                    return Poll::Ready(Err(cancel::io_error(cause)));
                }
                spent.refund();
                note::leave(op_of(direction), self.link);
                Poll::Pending
            }
            result => Poll::Ready(result),
        }
    }

    fn is_in_vain(&self) -> bool {
        let lines = self.net.lines();
        lines.once_in(lines.faults.in_vain)
    }

    /// Fails this end, as a fault, and resets the other.
    fn may_fail(&self, lines: &mut Lines) {
        if lines.once_in(lines.faults.transfers) {
            let kind = lines.any_of(&ENDINGS);
            lines.fail(self.link, self.side, kind);
            if let Some(now) = lines.happened {
                lines.send_reset(self.link, 1 - self.side, false, now);
            }
        }
    }

    fn read(&self, lines: &mut Lines, buf: &mut [u8], take: bool) -> io::Result<usize> {
        let (link, side) = (self.link, self.side);
        self.may_fail(lines);
        let short = lines.once_in(lines.conditions.short_once_in);
        let end = lines.end(link, side).ok_or_else(over)?;
        told(end)?;
        if buf.is_empty()
            || end.deaf
            || (end.inbox.is_empty() && (end.ended || end.fault.is_some()))
        {
            return Ok(0);
        }
        let most = buf.len().min(end.inbox.len());
        if most == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let length = if short { 1 + lines.random.below(most as u32) as usize } else { most };
        let end = lines.end(link, side).ok_or_else(over)?;
        for (to, from) in buf[..length].iter_mut().zip(&end.inbox) {
            *to = *from;
        }
        if take {
            end.inbox.drain(..length);
            if let Some(now) = lines.happened {
                lines.tell_of_room(link, 1 - side, now);
            }
        }
        Ok(length)
    }

    fn write(&self, lines: &mut Lines, buf: &[u8]) -> io::Result<usize> {
        let (link, side) = (self.link, self.side);
        self.may_fail(lines);
        let short = lines.once_in(lines.conditions.short_once_in);
        let end = lines.end(link, side).ok_or_else(over)?;
        told(end)?;
        if end.sent_last || end.fault.is_some() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = lines.links.get(&link).map_or(0, |link| lines.room(link, side));
        let most = buf.len().min(room);
        match (buf.len(), most) {
            (0, _) => return Ok(0),
            (_, 0) => return Err(ErrorKind::WouldBlock.into()),
            _ => {}
        }
        let length = if short { 1 + lines.random.below(most as u32) as usize } else { most };
        let bytes = Segment::Bytes(buf[..length].to_vec());
        if let Some(now) = lines.happened {
            lines.send(link, 1 - side, bytes, now);
        }
        Ok(length)
    }

    fn is_ready(&self, lines: &mut Lines, direction: Direction) -> io::Result<()> {
        let link = lines.links.get(&self.link).ok_or_else(over)?;
        let end = &link.ends[self.side];
        let ready = end.fault.is_some()
            || match direction {
                Direction::Read => end.ended || end.deaf || !end.inbox.is_empty(),
                Direction::Write => end.sent_last || lines.room(link, self.side) > 0,
            };
        if ready { Ok(()) } else { Err(ErrorKind::WouldBlock.into()) }
    }
}

/// How connections end that do not end well.
const ENDINGS: [ErrorKind; 3] =
    [ErrorKind::ConnectionReset, ErrorKind::TimedOut, ErrorKind::ConnectionAborted];

fn op_of(direction: Direction) -> Op {
    match direction {
        Direction::Read => Op::Readable,
        Direction::Write => Op::Writable,
    }
}

/// The error that has happened to an end, once.
fn told(end: &mut End) -> io::Result<()> {
    match &mut end.fault {
        Some((kind, told)) if !*told => {
            *told = true;
            Err((*kind).into())
        }
        _ => Ok(()),
    }
}

impl StreamSource for Stream {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, Direction::Read, |lines| self.read(lines, buf, true))
    }

    fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, Direction::Read, |lines| self.read(lines, buf, false))
    }

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, Direction::Write, |lines| self.write(lines, buf))
    }

    fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        self.poll(cx, direction, |lines| self.is_ready(lines, direction))
    }

    fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.attempt(Direction::Read, None, |lines| self.read(lines, buf, true))
    }

    fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.attempt(Direction::Write, None, |lines| self.write(lines, buf))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let (mut lines, now) = self.net.lines_now();
        let end = lines.end(self.link, self.side).ok_or_else(over)?;
        if end.fault.is_some() {
            return Err(ErrorKind::NotConnected.into());
        }
        if how != Shutdown::Write {
            end.deaf = true;
            end.inbox.clear();
            let mut readers = core::mem::take(&mut end.readers);
            lines.ready.append(&mut readers);
            lines.tell_of_room(self.link, 1 - self.side, now);
        }
        let end = lines.end(self.link, self.side).ok_or_else(over)?;
        if how != Shutdown::Read && !end.sent_last {
            end.sent_last = true;
            let mut writers = core::mem::take(&mut end.writers);
            lines.ready.append(&mut writers);
            lines.send(self.link, 1 - self.side, Segment::Last, now);
        }
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        let mut lines = self.net.lines();
        lines.end(self.link, self.side).map(|end| end.address).ok_or_else(over)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        let mut lines = self.net.lines();
        let end = lines.end(self.link, 1 - self.side).ok_or_else(over)?;
        Ok(end.address)
    }

    fn option(&self, name: OptionName) -> io::Result<StreamOption> {
        let window = self.net.lines().conditions.window;
        match name {
            OptionName::RecvBufferSize => return Ok(StreamOption::RecvBufferSize(window)),
            OptionName::SendBufferSize => return Ok(StreamOption::SendBufferSize(window)),
            _ => {}
        }
        let options = self.options.lock();
        let found = options.iter().find(|option| option.name() == name).copied();
        found.ok_or_else(|| ErrorKind::Unsupported.into())
    }

    /// Remembered, and without effect: the conditions of the network are the simulation's to set.
    fn set_option(&self, option: StreamOption) -> io::Result<()> {
        let mut options = self.options.lock();
        if let Some(place) = options.iter_mut().find(|known| known.name() == option.name()) {
            *place = option;
        }
        Ok(())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let (mut lines, now) = self.net.lines_now();
        lines.close_end(self.link, self.side, now);
    }
}
