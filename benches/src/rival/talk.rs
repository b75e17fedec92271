//! What tasks say to each other beside one channel, as each runtime's users write it: oneshot, watch,
//! broadcast, select.
//!
//! goro's and tokio's are their own; with smol and a static executor stand the crates that their users
//! take: async-channel, async-broadcast, futures' oneshot, and tokio's watch, which runs anywhere.
use std::future::Future;

use futures::Stream;
use futures::channel::oneshot as futures_oneshot;
use futures::stream::{self, BoxStream, StreamExt};

use super::channels::{AsyncChannel, Channels, Mpsc, MpscReceiver, OfGoro};
use super::{Fixed, Goro, Joined, Rival, Smol, Tokio};

mod watch;

pub use watch::Watch;

/// The end of a rival's channel that receives numbers.
pub type Rx<R> = <<R as Talk>::Channels as Channels>::Rx<u64>;

/// A rival, with what its tasks talk through.
pub trait Talk: Rival {
    /// Its channels.
    type Channels: Channels;
    /// The way back for one answer.
    type Reply: Send + 'static;
    /// The answer, once.
    type Answer: Future<Output = u64> + Send;
    /// Its watch.
    type Watch: Watch;
    /// The side of a broadcast that sends.
    type Mouth: Send + 'static;
    /// The side of a broadcast that receives.
    type Ear: Send + 'static;

    /// A way back for one answer, and the answer.
    fn oneshot() -> (Self::Reply, Self::Answer);

    /// Answers.
    fn reply(reply: Self::Reply, answer: u64);

    /// A broadcast that holds so many, to so many.
    fn broadcast(capacity: usize, ears: usize) -> (Self::Mouth, Vec<Self::Ear>);

    /// Sends to all.
    fn say(mouth: &Self::Mouth, number: u64) -> impl Future<Output = ()> + Send;

    /// Receives what was sent to all.
    fn hear(ear: &mut Self::Ear) -> impl Future<Output = u64> + Send;

    /// Receives from whichever of four is ready.
    fn either(from: &mut [Rx<Self>; 4]) -> impl Future<Output = u64> + Send;

    /// Receives from whichever of many is ready, until all have ended: the sum of what came.
    fn merged(from: Vec<Rx<Self>>) -> impl Future<Output = u64> + Send;
}

/// A channel's receiving end as a stream.
fn items<C: Channels>(rx: C::Rx<u64>) -> BoxStream<'static, u64> {
    let next = |mut rx| async { Some((C::receive::<u64>(&mut rx).await?, rx)) };
    stream::unfold(rx, next).boxed()
}

/// The sum of a stream.
async fn sum(mut from: impl Stream<Item = u64> + Unpin) -> u64 {
    let mut sum = 0;
    while let Some(item) = from.next().await {
        sum += item;
    }
    sum
}

impl Talk for Goro {
    type Channels = OfGoro;
    type Reply = goro::oneshot::Sender<u64>;
    type Answer = Joined<goro::oneshot::Receiver<u64>>;
    type Watch = watch::OfGoro;
    type Mouth = goro::broadcast::Sender<u64>;
    type Ear = goro::broadcast::Receiver<u64>;

    #[inline]
    fn oneshot() -> (Self::Reply, Self::Answer) {
        let (reply, answer) = goro::oneshot::channel();
        (reply, Joined(answer))
    }

    #[inline]
    fn reply(reply: Self::Reply, answer: u64) {
        reply.send(answer).expect("somebody waits");
    }

    fn broadcast(capacity: usize, ears: usize) -> (Self::Mouth, Vec<Self::Ear>) {
        let (mouth, ear) = goro::broadcast::channel(capacity, goro::broadcast::OnLag::Wait);
        (mouth, vec![ear; ears])
    }

    #[inline]
    async fn say(mouth: &Self::Mouth, number: u64) {
        mouth.send(number).await.expect("somebody hears");
    }

    #[inline]
    async fn hear(ear: &mut Self::Ear) -> u64 {
        ear.recv().await.expect("somebody speaks")
    }

    #[inline]
    async fn either(from: &mut [Rx<Self>; 4]) -> u64 {
        goro::select! {
            Ok(item) = from[0].recv() => item,
            Ok(item) = from[1].recv() => item,
            Ok(item) = from[2].recv() => item,
            Ok(item) = from[3].recv() => item,
            else => 0,
        }
    }

    async fn merged(from: Vec<Rx<Self>>) -> u64 {
        use goro::select::{Select, Selected};
        let mut select = Select::new();
        for rx in from {
            select.insert((), rx.into_stream());
        }
        let mut sum = 0;
        while let Some(selected) = select.next().await {
            if let Selected::Item((), item) = selected {
                sum += item;
            }
        }
        sum
    }
}

impl Talk for Tokio {
    type Channels = Mpsc;
    type Reply = tokio::sync::oneshot::Sender<u64>;
    type Answer = Joined<tokio::sync::oneshot::Receiver<u64>>;
    type Watch = watch::OfTokio;
    type Mouth = tokio::sync::broadcast::Sender<u64>;
    type Ear = tokio::sync::broadcast::Receiver<u64>;

    #[inline]
    fn oneshot() -> (Self::Reply, Self::Answer) {
        let (reply, answer) = tokio::sync::oneshot::channel();
        (reply, Joined(answer))
    }

    #[inline]
    fn reply(reply: Self::Reply, answer: u64) {
        reply.send(answer).expect("somebody waits");
    }

    fn broadcast(capacity: usize, ears: usize) -> (Self::Mouth, Vec<Self::Ear>) {
        let (mouth, ear) = tokio::sync::broadcast::channel(capacity);
        let mut all: Vec<_> = (1..ears).map(|_| mouth.subscribe()).collect();
        all.push(ear);
        (mouth, all)
    }

    #[inline]
    async fn say(mouth: &Self::Mouth, number: u64) {
        mouth.send(number).expect("somebody hears");
    }

    #[inline]
    async fn hear(ear: &mut Self::Ear) -> u64 {
        ear.recv().await.expect("nothing is missed")
    }

    #[inline]
    async fn either(from: &mut [Rx<Self>; 4]) -> u64 {
        let [a, b, c, d] = from;
        tokio::select! {
            Some(item) = bounded(a).recv() => item,
            Some(item) = bounded(b).recv() => item,
            Some(item) = bounded(c).recv() => item,
            Some(item) = bounded(d).recv() => item,
            else => 0,
        }
    }

    async fn merged(from: Vec<Rx<Self>>) -> u64 {
        sum(stream::select_all(from.into_iter().map(items::<Mpsc>))).await
    }
}

/// The receiver itself: the wrapper that all columns of channels share is not part of a select.
fn bounded(rx: &mut MpscReceiver<u64>) -> &mut tokio::sync::mpsc::Receiver<u64> {
    match rx {
        MpscReceiver::Bounded(rx) => rx,
        MpscReceiver::Unbounded(_) => unreachable!("the workloads select over bounded channels"),
    }
}

/// The next number; none ever, at the end.
async fn next_of(rx: &async_channel::Receiver<u64>) -> u64 {
    match rx.recv().await {
        Ok(number) => number,
        Err(_) => std::future::pending().await,
    }
}

macro_rules! with_the_usual_crates {
    ($($rival:ty)*) => {$(
        impl Talk for $rival {
            type Channels = AsyncChannel;
            type Reply = futures_oneshot::Sender<u64>;
            type Answer = Joined<futures_oneshot::Receiver<u64>>;
            type Watch = watch::OfTokio;
            type Mouth = async_broadcast::Sender<u64>;
            type Ear = async_broadcast::Receiver<u64>;

            #[inline]
            fn oneshot() -> (Self::Reply, Self::Answer) {
                let (reply, answer) = futures_oneshot::channel();
                (reply, Joined(answer))
            }

            #[inline]
            fn reply(reply: Self::Reply, answer: u64) {
                reply.send(answer).expect("somebody waits");
            }

            fn broadcast(capacity: usize, ears: usize) -> (Self::Mouth, Vec<Self::Ear>) {
                let (mouth, ear) = async_broadcast::broadcast(capacity);
                (mouth, vec![ear; ears])
            }

            #[inline]
            async fn say(mouth: &Self::Mouth, number: u64) {
                mouth.broadcast_direct(number).await.expect("somebody hears");
            }

            #[inline]
            async fn hear(ear: &mut Self::Ear) -> u64 {
                ear.recv_direct().await.expect("somebody speaks")
            }

            #[inline]
            async fn either(from: &mut [Rx<Self>; 4]) -> u64 {
                let [a, b, c, d] = from.each_ref().map(next_of);
                let one = smol::future::race(a, b);
                smol::future::race(one, smol::future::race(c, d)).await
            }

            async fn merged(from: Vec<Rx<Self>>) -> u64 {
                sum(stream::select_all(from.into_iter().map(Box::pin))).await
            }
        }
    )*};
}

with_the_usual_crates!(Smol Fixed);
