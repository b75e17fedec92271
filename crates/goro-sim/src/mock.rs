//! The other end of a channel, played by a script.
//!
//! The code under test has a real [`Sender`] or [`Receiver`]; what stands at the other end expects
//! values, sends some, lets time pass and breaks the channel, step by step. (The habit of mocks that
//! are built up from expected calls is that of tokio-test's `io::Builder`.)
//!
//! Invariants:
//! 1. A script that is not kept to ends at the first step that was not met, and closes the channel:
//!    the code under test goes on with an error, instead of waiting for ever.
//! 2. [`Played`] names that step by the place in the test where it stands.
//!
//! Left out: scripts for several channels at once. A test has a task for each, and order between
//! them is made by delays.

use core::fmt;
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use goro_context::Cause;
use goro_runtime::spawn;
use goro_runtime::task::JoinHandle;
use goro_runtime::time::{Duration, sleep};
use goro_sync::channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use std::collections::VecDeque;
use std::panic::resume_unwind;

/// The receiving end of a channel, as the code under test meets it: it expects what is sent.
///
/// ```
/// use goro_sim::{Sim, mock::Receives};
/// use std::time::Duration;
///
/// Sim::new(1).run(async {
///     let (sender, played) = Receives::script()
///         .expect(1)
///         .delay(Duration::from_secs(5)) // and meanwhile the channel is full
///         .expect_that("an even number", |number: &i32| number % 2 == 0)
///         .close_with("the disk is full")
///         .play(1);
///     sender.send(1).await.unwrap();
///     sender.send(2).await.unwrap();
///     sender.closed().await;
///     assert!(sender.send(3).await.unwrap_err().to_string().contains("the disk is full"));
///     played.await;
/// }).unwrap();
/// ```
///
/// ```
/// use goro_sim::{Sim, mock::Receives};
/// use std::time::Duration;
///
/// Sim::new(1)
///     .run(async {
///         let (sender, played) =
///             Receives::<u8>::script().expect_nothing_for(Duration::from_secs(1)).close().play(1);
///         sender.closed().await;
///         played.await;
///     })
///     .unwrap();
/// ```
#[must_use = "a script does nothing until it is played"]
pub struct Receives<T>(VecDeque<(Place, Receiving<T>)>);

/// The sending end of a channel, as the code under test meets it: it sends what it was told to.
///
/// ```
/// use goro_sim::{Sim, mock::Sends};
/// use std::time::Duration;
///
/// Sim::new(1).run(async {
///     let script = Sends::script().send("a").delay(Duration::from_secs(5)).send("b");
///     let (receiver, played) = script.close_with("cut off").play(1);
///     assert_eq!(receiver.recv().await, Ok("a"));
///     assert_eq!(receiver.recv().await, Ok("b"));
///     assert!(receiver.recv().await.unwrap_err().to_string().contains("cut off"));
///     played.await;
/// }).unwrap();
/// ```
///
/// ```
/// use goro_sim::{Sim, mock::{Receives, Sends}};
/// use std::time::Duration;
///
/// Sim::new(1)
///     .run(async {
///         let (receiver, played) = Sends::script().send(1).close().play(1);
///         assert_eq!(receiver.recv().await, Ok(1));
///         played.await;
///         let (sender, played) =
///             Receives::<u8>::script().expect_nothing_for(Duration::from_secs(1)).close().play(1);
///         sender.closed().await;
///         played.await;
///     })
///     .unwrap();
/// ```
#[must_use = "a script does nothing until it is played"]
pub struct Sends<T>(VecDeque<(Place, Sending<T>)>);

/// Where in the test a step stands.
type Place = &'static Location<'static>;

/// Whether a value is the one expected; what was, if not.
type Check<T> = Box<dyn FnOnce(T) -> Result<(), String> + Send>;

enum Receiving<T> {
    Value(Check<T>),
    Nothing(Duration),
    Delay(Duration),
    Close(Option<Cause>),
}

enum Sending<T> {
    Value(T),
    Delay(Duration),
    Close(Option<Cause>),
}

impl<T: Send + 'static> Receives<T> {
    /// A script without steps: whatever is sent is one value too many.
    pub fn script() -> Self {
        Self(VecDeque::new())
    }

    #[track_caller]
    fn then(mut self, step: Receiving<T>) -> Self {
        self.0.push_back((Location::caller(), step));
        self
    }

    /// Waits for a value, which has to be this one.
    #[track_caller]
    pub fn expect(self, value: T) -> Self
    where
        T: PartialEq + fmt::Debug,
    {
        self.then(Receiving::Value(Box::new(move |sent| match sent == value {
            true => Ok(()),
            false => Err(format!("expected {value:?}, and {sent:?} was sent")),
        })))
    }

    /// Waits for a value that passes a test; `what` names it in the error.
    #[track_caller]
    pub fn expect_that(
        self,
        what: &'static str,
        passes: impl FnOnce(&T) -> bool + Send + 'static,
    ) -> Self {
        self.then(Receiving::Value(Box::new(move |sent| match passes(&sent) {
            true => Ok(()),
            false => Err(format!("expected {what}, and something else was sent")),
        })))
    }

    /// For so long nothing may be sent.
    #[track_caller]
    pub fn expect_nothing_for(self, duration: Duration) -> Self {
        self.then(Receiving::Nothing(duration))
    }

    /// Receives nothing for so long: what is sent meanwhile stands in the channel, or waits.
    #[track_caller]
    pub fn delay(self, duration: Duration) -> Self {
        self.then(Receiving::Delay(duration))
    }

    /// Closes the channel: sending fails from here on.
    #[track_caller]
    pub fn close(self) -> Self {
        self.then(Receiving::Close(None))
    }

    /// As [`close`](Self::close), for a reason that the errors tell.
    #[track_caller]
    pub fn close_with(self, cause: impl Into<Cause>) -> Self {
        self.then(Receiving::Close(Some(cause.into())))
    }

    /// Plays the script in a task of its own, at the end of a channel with so many places. After the
    /// last step the channel is closed, and nothing may stand in it.
    ///
    /// # Panics
    /// When no runtime is entered.
    #[track_caller]
    pub fn play(self, places: usize) -> (Sender<T>, Played) {
        let (sender, receiver) = bounded(places);
        let end = Location::caller();
        (sender, Played(spawn(receive_all(receiver, self.0, end))))
    }
}

async fn receive_all<T: Send>(
    receiver: Receiver<T>,
    steps: VecDeque<(Place, Receiving<T>)>,
    end: Place,
) -> Result<(), String> {
    for (place, step) in steps {
        let met = match step {
            Receiving::Value(check) => match receiver.recv().await {
                Ok(value) => check(value),
                Err(closed) => Err(format!("nothing more was sent: {closed}")),
            },
            Receiving::Nothing(duration) => match receiver.recv_timeout(duration).await {
                Ok(_) => Err("something was sent where nothing was to be".to_owned()),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Closed(..)) => {
                    sleep(duration).await;
                    Ok(())
                }
            },
            Receiving::Delay(duration) => {
                sleep(duration).await;
                Ok(())
            }
            Receiving::Close(cause) => {
                close(cause, |cause| receiver.close_with(cause), || receiver.close());
                Ok(())
            }
        };
        met.map_err(|why| format!("{place}: {why}"))?;
    }
    receiver.close();
    match receiver.try_recv() {
        Ok(_) => Err(format!("{end}: more was sent than the script expects")),
        Err(TryRecvError::Empty | TryRecvError::Closed(_)) => Ok(()),
    }
}

impl<T: Send + 'static> Sends<T> {
    /// A script without steps: nothing is sent.
    pub fn script() -> Self {
        Self(VecDeque::new())
    }

    #[track_caller]
    fn then(mut self, step: Sending<T>) -> Self {
        self.0.push_back((Location::caller(), step));
        self
    }

    /// Sends a value, which somebody has to receive, or has room to.
    #[track_caller]
    pub fn send(self, value: T) -> Self {
        self.then(Sending::Value(value))
    }

    /// Sends nothing for so long.
    #[track_caller]
    pub fn delay(self, duration: Duration) -> Self {
        self.then(Sending::Delay(duration))
    }

    /// Closes the channel: what was sent before can still be received, and then an error.
    #[track_caller]
    pub fn close(self) -> Self {
        self.then(Sending::Close(None))
    }

    /// As [`close`](Self::close), for a reason that the errors tell.
    #[track_caller]
    pub fn close_with(self, cause: impl Into<Cause>) -> Self {
        self.then(Sending::Close(Some(cause.into())))
    }

    /// Plays the script in a task of its own, at the end of a channel with so many places. After the
    /// last step the channel is closed.
    ///
    /// # Panics
    /// When no runtime is entered.
    #[track_caller]
    pub fn play(self, places: usize) -> (Receiver<T>, Played) {
        let (sender, receiver) = bounded(places);
        (receiver, Played(spawn(send_all(sender, self.0))))
    }
}

async fn send_all<T: Send>(
    sender: Sender<T>,
    steps: VecDeque<(Place, Sending<T>)>,
) -> Result<(), String> {
    for (place, step) in steps {
        match step {
            Sending::Value(value) => {
                let sent = sender.send(value).await;
                sent.map_err(|error| format!("{place}: nobody receives it: {error}"))?;
            }
            Sending::Delay(duration) => sleep(duration).await,
            Sending::Close(cause) => {
                close(cause, |cause| sender.close_with(cause), || sender.close());
            }
        }
    }
    Ok(())
}

fn close(cause: Option<Cause>, with: impl FnOnce(Cause) -> bool, without: impl FnOnce() -> bool) {
    let _already = match cause {
        Some(cause) => with(cause),
        None => without(),
    };
}

/// A script being played. Awaited, it panics if the script was not kept to, and names the step.
///
/// # Cancel safety
/// Detaches: dropped, the script is played on, and nobody hears how.
#[must_use = "whether the script was kept to is told to whoever awaits this"]
pub struct Played(JoinHandle<Result<(), String>>);

impl Future for Played {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(Ok(())) => Poll::Ready(()),
            Ok(Err(why)) => panic!("the script of a channel's end was not kept to at {why}"),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(error) => panic!("a script was not played to its end: {error}"),
            },
        }
    }
}

impl<T> fmt::Debug for Receives<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receives").field("steps", &self.0.len()).finish()
    }
}

impl<T> fmt::Debug for Sends<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sends").field("steps", &self.0.len()).finish()
    }
}

impl fmt::Debug for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Played").field(&self.0).finish()
    }
}
