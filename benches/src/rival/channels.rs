//! The channel crates, behind what a workload may ask of a channel.
//!
//! Each call is the one that the crate's users write. A crate runs on the runtime that its column is
//! named for; without one, on tokio. crossbeam's block, so its ends run on threads of their own.
use std::future::Future;

/// A crate of channels.
pub trait Channels: 'static {
    /// The end that sends.
    type Tx<T: Send + 'static>: Clone + Send + Sync + 'static;
    /// The end that receives.
    type Rx<T: Send + 'static>: Send + 'static;

    /// A channel of that capacity; of any, without one.
    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>);

    /// One more end that receives, where there may be many.
    fn another<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<Self::Rx<T>>;

    /// Sends.
    fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) -> impl Future<Output = ()> + Send;

    /// Receives; nothing at the end.
    fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> impl Future<Output = Option<T>> + Send;
}

/// goro's.
pub struct OfGoro;

impl Channels for OfGoro {
    type Tx<T: Send + 'static> = goro::channel::Sender<T>;
    type Rx<T: Send + 'static> = goro::channel::Receiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        capacity.map_or_else(goro::channel::unbounded, goro::channel::bounded)
    }

    fn another<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        Some(rx.clone())
    }

    #[inline]
    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        assert!(tx.send(value).await.is_ok());
    }

    #[inline]
    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}

/// kanal's.
pub struct Kanal;

impl Channels for Kanal {
    type Tx<T: Send + 'static> = kanal::AsyncSender<T>;
    type Rx<T: Send + 'static> = kanal::AsyncReceiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        capacity.map_or_else(kanal::unbounded_async, kanal::bounded_async)
    }

    fn another<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        Some(rx.clone())
    }

    #[inline]
    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        assert!(tx.send(value).await.is_ok());
    }

    #[inline]
    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}

/// flume's.
pub struct Flume;

impl Channels for Flume {
    type Tx<T: Send + 'static> = flume::Sender<T>;
    type Rx<T: Send + 'static> = flume::Receiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        capacity.map_or_else(flume::unbounded, flume::bounded)
    }

    fn another<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        Some(rx.clone())
    }

    #[inline]
    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        assert!(tx.send_async(value).await.is_ok());
    }

    #[inline]
    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        rx.recv_async().await.ok()
    }
}

/// async-channel's.
pub struct AsyncChannel;

impl Channels for AsyncChannel {
    type Tx<T: Send + 'static> = async_channel::Sender<T>;
    type Rx<T: Send + 'static> = async_channel::Receiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        capacity.map_or_else(async_channel::unbounded, async_channel::bounded)
    }

    fn another<T: Send + 'static>(rx: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        Some(rx.clone())
    }

    #[inline]
    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        assert!(tx.send(value).await.is_ok());
    }

    #[inline]
    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        rx.recv().await.ok()
    }
}

/// tokio's mpsc, which has one receiver.
pub struct Mpsc;

/// Its senders are of two types.
pub enum MpscSender<T> {
    /// With places.
    Bounded(tokio::sync::mpsc::Sender<T>),
    /// Without a limit.
    Unbounded(tokio::sync::mpsc::UnboundedSender<T>),
}

impl<T> Clone for MpscSender<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Bounded(tx) => Self::Bounded(tx.clone()),
            Self::Unbounded(tx) => Self::Unbounded(tx.clone()),
        }
    }
}

/// Its receivers are of two types.
pub enum MpscReceiver<T> {
    /// With places.
    Bounded(tokio::sync::mpsc::Receiver<T>),
    /// Without a limit.
    Unbounded(tokio::sync::mpsc::UnboundedReceiver<T>),
}

impl Channels for Mpsc {
    type Tx<T: Send + 'static> = MpscSender<T>;
    type Rx<T: Send + 'static> = MpscReceiver<T>;

    fn make<T: Send + 'static>(capacity: Option<usize>) -> (Self::Tx<T>, Self::Rx<T>) {
        match capacity {
            Some(capacity) => {
                let (tx, rx) = tokio::sync::mpsc::channel(capacity);
                (MpscSender::Bounded(tx), MpscReceiver::Bounded(rx))
            }
            None => {
                let (tx, rx) = tokio::sync::mpsc::unbounded_channel();
                (MpscSender::Unbounded(tx), MpscReceiver::Unbounded(rx))
            }
        }
    }

    fn another<T: Send + 'static>(_: &Self::Rx<T>) -> Option<Self::Rx<T>> {
        None
    }

    #[inline]
    async fn send<T: Send + 'static>(tx: &Self::Tx<T>, value: T) {
        let sent = match tx {
            MpscSender::Bounded(tx) => tx.send(value).await,
            MpscSender::Unbounded(tx) => tx.send(value),
        };
        assert!(sent.is_ok());
    }

    #[inline]
    async fn receive<T: Send + 'static>(rx: &mut Self::Rx<T>) -> Option<T> {
        match rx {
            MpscReceiver::Bounded(rx) => rx.recv().await,
            MpscReceiver::Unbounded(rx) => rx.recv().await,
        }
    }
}
