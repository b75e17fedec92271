//! Queues that a drain looks at: how much stands in them.

use core::fmt;

use goro_context::cause::Text;
use goro_context::contain;
use goro_sync::channel::{Receiver, Sender};

/// What [`ShutdownHandle::track_queue`](crate::ShutdownHandle::track_queue) can look into.
///
/// ```
/// use goro_runtime::{Queue, Runtime};
///
/// let runtime = Runtime::new().unwrap();
/// let end = runtime.handle().shutdown();
/// let (tx, rx) = goro_sync::channel::Builder::<u8>::new().name("orders").bounded(8);
/// end.track_queue(&rx);
/// assert_eq!(&*rx.called().unwrap(), "orders");
/// let gauge = rx.gauge();
/// tx.try_send(1).unwrap();
/// assert_eq!(gauge(), 1);
/// ```
pub trait Queue {
    /// What it is called in reports, if it has a name.
    fn called(&self) -> Option<Text>;

    /// What says how much stands in it, without keeping it open.
    fn gauge(&self) -> Box<dyn Fn() -> usize + Send + Sync>;
}

macro_rules! queue {
    ($End:ident) => {
        impl<T: Send + 'static> Queue for $End<T> {
            fn called(&self) -> Option<Text> {
                self.name()
            }

            fn gauge(&self) -> Box<dyn Fn() -> usize + Send + Sync> {
                let end = self.downgrade();
                // Whoever closed it for good has let go what stood in it.
                Box::new(move || end.upgrade().map_or(0, |end| end.len()))
            }
        }
    };
}

queue!(Sender);
queue!(Receiver);

/// A queue and its name.
pub(super) struct Tracked {
    pub(super) name: Text,
    pub(super) depth: Box<dyn Fn() -> usize + Send + Sync>,
}

impl Tracked {
    /// How much stands in it.
    pub(super) fn look(&self) -> usize {
        let mut depth = 0;
        // Panic: the gauge may; it says nothing then, and holds nobody up.
        contain::quietly(|| depth = (self.depth)());
        depth
    }
}

/// How much stood in a queue when the drain began, and when it was over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueReport {
    /// The channel's name, or where it was tracked.
    pub name: Text,
    /// Values in it as the drain began.
    pub before: usize,
    /// Values in it as the drain ended.
    pub after: usize,
}

impl fmt::Display for QueueReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} before, {} after", self.name, self.before, self.after)
    }
}
