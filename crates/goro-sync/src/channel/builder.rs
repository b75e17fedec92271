//! Making channels.

use core::fmt;

use goro_context::cause::Text;
use goro_shim::Arc;
use goro_shim::global::Arc as Shared;

use super::receiver::Receiver;
use super::sender::Sender;
use super::shared::Channel;
use super::state::{State, Undelivered};
use crate::names::Name;

/// What a channel does with a value for which there is no place.
///
/// Permits always wait; `try_send` never does.
///
/// ```
/// use goro_sync::channel::{Builder, Overflow};
///
/// let (tx, rx) = Builder::new().overflow(Overflow::DropOldest).bounded(2);
/// (0..5).for_each(|number| tx.blocking_send(number).unwrap());
/// assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(3), Ok(4)));
///
/// let (tx, _rx) = Builder::new().overflow(Overflow::Reject).bounded(1);
/// tx.blocking_send(1).unwrap();
/// assert!(tx.blocking_send(2).is_err(), "no place, and no wait");
///
/// let (tx, rx) = Builder::new().name("orders").unbounded();
/// tx.try_send(1).unwrap();
/// assert_eq!((&*rx.name().unwrap(), rx.len()), ("orders", 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Its sender waits.
    #[default]
    Wait,
    /// It goes back to its sender, at once.
    Reject,
    /// It is dropped, or given to the channel's `on_undelivered`; the send succeeds.
    DropNewest,
    /// The oldest value is dropped, or given to the channel's `on_undelivered`, in favour of it. (It
    /// is dropped itself if there is none: permits have all the places.)
    DropOldest,
}

/// A channel with a place for `capacity` values: who sends more waits until some are received.
///
/// With capacity 0 it is a *rendezvous*: a send is done when a receiver has taken the value. The
/// capacity is a limit; no memory is allocated for it in advance, so any number will do.
///
/// # Example
/// ```
/// # futures::executor::block_on(async {
/// let (tx, rx) = goro_sync::channel::bounded(2);
/// tx.send("a").await.unwrap();
/// tx.send("b").await.unwrap();
/// assert!(tx.try_send("c").is_err());
/// assert_eq!(rx.recv().await, Ok("a"));
/// # });
/// ```
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    pair(State::new(capacity))
}

/// A channel that takes any number of values; sending never waits.
///
/// A sender that is faster than the receivers fills the memory. What a burst has used is given back
/// as it is received.
///
/// # Example
/// ```
/// let (tx, rx) = goro_sync::channel::unbounded();
/// tx.try_send(1).unwrap();
/// assert_eq!(rx.try_recv(), Ok(1));
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    pair(State::new(usize::MAX))
}

fn pair<T>(state: State<T>) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(state));
    (Sender::new(Arc::clone(&channel)), Receiver::new(channel))
}

/// Makes channels that have a name, or their own idea of what to do with undelivered values.
///
/// # Example
/// ```
/// use goro_sync::channel::{Builder, Overflow};
/// let (tx, rx) = Builder::new()
///     .name("orders")
///     .overflow(Overflow::DropOldest)
///     .on_undelivered(|order: u32| println!("nobody took order {order}"))
///     .bounded(1);
/// tx.try_send(1).unwrap();
/// tx.try_send(2).unwrap();
/// assert_eq!(rx.try_recv(), Ok(2));
/// assert_eq!(tx.name().as_deref(), Some("orders"));
/// ```
#[must_use = "a builder does nothing until `bounded` or `unbounded` is called"]
pub struct Builder<T> {
    name: Option<Text>,
    overflow: Overflow,
    undelivered: Option<Undelivered<T>>,
}

impl<T> Builder<T> {
    /// A channel without a name, whose senders wait.
    pub fn new() -> Self {
        Self { name: None, overflow: Overflow::Wait, undelivered: None }
    }

    /// Names the channel, for dumps: those who wait for it are seen to wait for that name.
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says what happens to values for which there is no place.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Gives values to `hook` that entered the channel, and that no receiver will ever get: those
    /// left when the last receiver goes, and those that [`Overflow`] drops.
    ///
    /// It is called on the thread that dropped the receiver or sent the value, with nothing locked;
    /// it may use the channel. A panic of it is caught, and the next value is given to it.
    pub fn on_undelivered(mut self, hook: impl Fn(T) + Send + Sync + 'static) -> Self {
        self.undelivered = Some(Shared::new(hook));
        self
    }

    /// As [`bounded`].
    pub fn bounded(self, capacity: usize) -> (Sender<T>, Receiver<T>) {
        let mut state = State::new(capacity);
        let is_plain = self.overflow == Overflow::Wait && self.undelivered.is_none();
        if self.name.is_some() || !is_plain {
            let rare = state.rare();
            rare.policy = self.overflow;
            rare.name = self.name.map(Name::new);
            rare.undelivered = self.undelivered;
        }
        pair(state)
    }

    /// As [`unbounded`].
    pub fn unbounded(self) -> (Sender<T>, Receiver<T>) {
        self.bounded(usize::MAX)
    }
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("overflow", &self.overflow)
            .field("on_undelivered", &self.undelivered.is_some())
            .finish()
    }
}
