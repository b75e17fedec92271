//! Questions that are answered: a channel of questions, each with the way back for its answer.
//!
//! Invariants:
//! 1. A call ends: with an answer, with an error when the answer can no longer come (its [`Reply`]
//!    was dropped, answered by nobody, or the last server has gone), or at its deadline.
//! 2. A question is taken by one server, or comes back with the error, or is dropped with the channel.
//! 3. Whoever holds the [`Reply`] can see that the caller has given up.
//!
//! Left out: calls without a deadline. A server that keeps a reply and never answers would keep the
//! caller as well.

mod errors;

use core::fmt;

use goro_context::time::{self, Duration, Instant};

use crate::block::block;
use crate::channel::{self, SendTimeoutError};
use crate::oneshot::{self, RecvTimeoutError};

pub use errors::{CallError, Unwanted};

/// Makes a channel that holds up to `capacity` questions, and its first two ends. With 0 a call
/// waits until a server takes its question.
///
/// # Sources
/// Erlang's `gen_server:call`, which has a deadline too, and learns of a server's end.
///
/// # Example
/// ```
/// use goro_sync::request::{self, CallError};
/// use std::time::Duration;
///
/// # futures::executor::block_on(async {
/// let (client, server) = request::channel::<u32, String>(10);
/// let serve = async {
///     let (question, reply) = server.next().await.unwrap();
///     reply.send(question.to_string()).unwrap();
///     let (_, reply) = server.next().await.unwrap();
///     drop(reply);
/// };
/// let ask = async {
///     assert_eq!(client.call_timeout(7, Duration::from_secs(60)).await.unwrap(), "7");
///     let failed = client.call_timeout(8, Duration::from_secs(60)).await;
///     assert!(matches!(failed, Err(CallError::NoReply)));
/// };
/// futures::future::join(serve, ask).await;
/// # });
/// ```
pub fn channel<Q, A>(capacity: usize) -> (Client<Q, A>, Server<Q, A>) {
    let (sender, receiver) = channel::bounded(capacity);
    (Client { sender }, Server { receiver })
}

/// A question on its way, with the way back.
struct Request<Q, A> {
    question: Q,
    reply: Reply<A>,
}

/// The side that asks; made by [`channel()`], or by cloning.
///
/// ```
/// use goro_sync::request;
/// use std::time::Duration;
///
/// let (client, server) = request::channel::<&str, usize>(1);
/// assert_eq!((client.len(), client.is_empty()), (0, true));
/// futures::executor::block_on(async {
///     let answers = async {
///         let (question, reply) = server.next().await.unwrap();
///         reply.send(question.len()).unwrap();
///     };
///     let call = client.call_timeout("how long", Duration::from_secs(10));
///     let (answer, ()) = futures::future::join(call, answers).await;
///     assert_eq!(answer, Ok(8));
///     let soon = goro_context::time::now() + Duration::from_millis(1);
///     assert!(client.call("nobody listens", soon).await.is_err());
/// });
/// assert!(client.blocking_call("nor here", goro_context::time::now()).is_err());
/// drop(server);
/// assert!(client.is_closed());
/// ```
pub struct Client<Q, A> {
    sender: channel::Sender<Request<Q, A>>,
}

impl<Q, A> Client<Q, A> {
    /// Asks, and waits for the answer until `deadline`.
    ///
    /// # Errors
    /// The question back, if no server has taken it; or that there will be no answer, or that it is not
    /// waited for, since the code that runs was asked to stop.
    ///
    /// # Cancel safety
    /// **Cancels**: a question that no server has taken is dropped or, where it stands in the channel
    /// already, left there for a server, which can see by [`Reply::is_closed`] that nobody waits for
    /// the answer.
    pub async fn call(&self, question: Q, deadline: Instant) -> Result<A, CallError<Q>> {
        let (sender, mut answer) = oneshot::channel();
        let request = Request { question, reply: Reply { sender } };
        self.sender.send_deadline(request, deadline).await.map_err(|error| match error {
            SendTimeoutError::Timeout(request) | SendTimeoutError::Full(request) => {
                CallError::NotTaken(request.question)
            }
            SendTimeoutError::Closed(request, reason) => match reason.into_cancelled() {
                Some(cause) => CallError::Cancelled(Some(request.question), cause),
                None => CallError::Closed(request.question),
            },
        })?;
        answer.recv_deadline(deadline).await.map_err(|error| match error {
            RecvTimeoutError::Timeout => CallError::Timeout,
            RecvTimeoutError::Closed => CallError::NoReply,
            RecvTimeoutError::Cancelled(cause) => CallError::Cancelled(None, cause),
        })
    }

    /// As [`call`](Self::call), until `limit` from now.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As [`call`](Self::call).
    pub async fn call_timeout(&self, question: Q, limit: Duration) -> Result<A, CallError<Q>> {
        self.call(question, time::after(limit)).await
    }

    /// As [`call`](Self::call), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn blocking_call(&self, question: Q, deadline: Instant) -> Result<A, CallError<Q>> {
        block(self.call(question, deadline))
    }

    /// Whether all servers are gone.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// How many questions wait for a server.
    pub fn len(&self) -> usize {
        self.sender.len()
    }

    /// Whether no question waits for a server.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<Q, A> Clone for Client<Q, A> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

impl<Q, A> fmt::Debug for Client<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("len", &self.len())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// The side that answers; made by [`channel()`], or by cloning: a question goes to one of the clones.
///
/// ```
/// use goro_sync::request::{self, CallError};
/// use std::time::Duration;
///
/// let (client, server) = request::channel::<u32, u32>(4);
/// let squares = std::thread::spawn(move || {
///     while let Ok((question, reply)) = server.blocking_next() {
///         // Nobody may want it any more.
///         if !reply.is_closed() {
///             let _unwanted = reply.send(question * question);
///         }
///     }
/// });
/// let limit = Duration::from_secs(10);
/// let soon = goro_context::time::now() + limit;
/// assert_eq!(client.blocking_call(3, soon), Ok(9));
/// futures::executor::block_on(async {
///     assert_eq!(client.call(4, soon).await, Ok(16));
///     assert_eq!(client.call_timeout(5, limit).await, Ok(25));
/// });
/// assert!(client.is_empty() && client.len() == 0 && !client.is_closed());
/// drop(client);
/// squares.join().unwrap();
///
/// let (client, server) = request::channel::<u32, u32>(4);
/// assert!(server.try_next().is_err() && server.is_empty() && server.len() == 0);
/// let mut call = Box::pin(client.call_timeout(6, limit));
/// futures::executor::block_on(async {
///     let answers = async {
///         let (_, mut reply) = server.next().await.unwrap();
///         // Ready when nobody waits for the answer any more.
///         drop(reply.closed());
///         drop(reply);
///     };
///     let (outcome, ()) = futures::future::join(&mut call, answers).await;
///     assert_eq!(outcome, Err(CallError::NoReply));
/// });
/// drop((call, server));
/// let error = client.blocking_call(7, soon).unwrap_err();
/// assert_eq!(error.into_question(), Some(7));
/// ```
pub struct Server<Q, A> {
    receiver: channel::Receiver<Request<Q, A>>,
}

impl<Q, A> Server<Q, A> {
    /// Waits for the next question.
    ///
    /// # Errors
    /// All clients are gone, and all questions taken.
    ///
    /// # Cancel safety
    /// **Safe**: a question that was not taken is still there.
    pub async fn next(&self) -> Result<(Q, Reply<A>), channel::RecvError> {
        self.receiver.recv().await.map(Request::apart)
    }

    /// The next question, if it is here already.
    ///
    /// # Errors
    /// There is none now, or there will be none.
    pub fn try_next(&self) -> Result<(Q, Reply<A>), channel::TryRecvError> {
        self.receiver.try_recv().map(Request::apart)
    }

    /// As [`next`](Self::next), on this thread, which sleeps meanwhile. Legal anywhere.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn blocking_next(&self) -> Result<(Q, Reply<A>), channel::RecvError> {
        self.receiver.blocking_recv().map(Request::apart)
    }

    /// How many questions wait for a server.
    pub fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Whether no question waits for a server.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<Q, A> Request<Q, A> {
    fn apart(self) -> (Q, Reply<A>) {
        (self.question, self.reply)
    }
}

impl<Q, A> Clone for Server<Q, A> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver.clone() }
    }
}

impl<Q, A> fmt::Debug for Server<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("len", &self.len())
            .field("clients", &self.receiver.sender_count())
            .finish()
    }
}

/// The way back for one answer. Dropped, it tells the caller that there will be none.
///
/// ```
/// use std::time::Duration;
///
/// let (client, server) = goro_sync::request::channel::<u8, u8>(1);
/// let call = Box::pin(client.call_timeout(1, Duration::from_secs(10)));
/// futures::executor::block_on(async {
///     let gives_up = async {
///         let (_, mut reply) = server.next().await.unwrap();
///         assert!(!reply.is_closed());
///         reply
///     };
///     let futures::future::Either::Right((mut reply, call)) =
///         futures::future::select(call, Box::pin(gives_up)).await
///     else {
///         panic!("nobody has answered")
///     };
///     drop(call);
///     reply.closed().await;
///     assert_eq!(reply.send(2).unwrap_err().0, 2, "nobody wants it");
/// });
/// ```
#[must_use = "a reply that is dropped is an error for the caller"]
pub struct Reply<A> {
    sender: oneshot::Sender<A>,
}

impl<A> Reply<A> {
    /// Answers.
    ///
    /// # Errors
    /// The answer back, if the caller has given up.
    pub fn send(self, answer: A) -> Result<(), Unwanted<A>> {
        self.sender.send(answer).map_err(|oneshot::SendError(answer)| Unwanted(answer))
    }

    /// Whether the caller has given up.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the caller has given up: the work for the answer can stop.
    ///
    /// # Cancel safety
    /// **Safe**: dropping the future has no effect.
    pub fn closed(&mut self) -> oneshot::Closed<'_, A> {
        self.sender.closed()
    }
}

impl<A> fmt::Debug for Reply<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("is_closed", &self.is_closed()).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
