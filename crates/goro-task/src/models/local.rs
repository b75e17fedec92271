//! Local tasks: wakes and aborts come from anywhere, the future stays on its thread.

use goro_context::Cause;
use loom::thread;

use super::*;
use crate::{LocalOwner, LocalRan, LocalRunnable};

/// [`Flags`] that notice when they are polled or dropped on another thread.
struct Stays {
    flags: Flags,
    here: thread::ThreadId,
}

impl Stays {
    fn is_at_home(&self) -> bool {
        thread::current().id() == self.here
    }
}

impl Future for Stays {
    type Output = Counted;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Counted> {
        assert!(self.is_at_home(), "polled elsewhere");
        Pin::new(&mut self.flags).poll(cx)
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        assert!(self.is_at_home(), "dropped elsewhere");
    }
}

/// The thread that local tasks stay on.
struct Owner {
    owner: LocalOwner,
    home: &'static Hand,
}

impl Owner {
    fn new() -> Self {
        Self { owner: LocalOwner::new(), home: Hand::leak() }
    }

    fn run(&self, mut task: LocalRunnable<Hand>) -> Option<Ending> {
        loop {
            match task.run(self.home) {
                LocalRan::Parked => return None,
                LocalRan::Again(again) => task = again,
                LocalRan::Finished(ending) => return Some(ending),
            }
        }
    }

    /// Opens and runs what has come, until nothing is left.
    fn drain(&self) -> Option<Ending> {
        let mut ending = None;
        while let Some(parcel) = self.home.take_parcel() {
            let Ok(task) = self.owner.open(parcel) else { panic!("there is one owner") };
            ending = self.run(task);
        }
        ending
    }

    fn parked(&self) -> (JoinHandle<Counted>, Waker, Watched) {
        let flags = Flags::new();
        let watched = Watched { flags: flags.flags.clone(), drops: flags.drops.clone() };
        let mailbox = flags.mailbox.clone();
        let future = Stays { flags, here: thread::current().id() };
        let (task, handle) = crate::spawn_local(future, self.home, &self.owner, Meta::OTHER);
        assert_eq!(self.run(task), None);
        let waker = mailbox.lock().take().unwrap();
        (handle, waker, watched)
    }
}

struct Watched {
    flags: Arc<[atomic::AtomicBool; 2]>,
    drops: global::Arc<AtomicUsize>,
}

impl Watched {
    fn raise(&self, which: usize) {
        self.flags[which].store(true, atomic::Ordering::Relaxed);
    }
}

/// What a foreign waker wrote is seen by the poll that its parcel leads to, at home.
#[test]
fn a_wake_from_elsewhere_brings_the_task_back_to_its_thread() {
    loom::model(|| {
        let owner = Owner::new();
        let (mut handle, waker, watched) = owner.parked();
        let other = {
            let (waker, flags) = (waker.clone(), watched.flags.clone());
            thread::spawn(move || {
                flags[1].store(true, atomic::Ordering::Relaxed);
                waker.wake();
            })
        };
        watched.raise(0);
        waker.wake();
        owner.drain();
        other.join().unwrap();
        owner.drain();
        assert!(matches!(poll_once(&mut handle, Waker::noop()), Poll::Ready(Ok(_))));
        drop(handle);
        assert_eq!(watched.drops.load(Ordering::Relaxed), DONE);
    });
}

/// The handle is elsewhere: outcome and memory may end there, the future does not.
#[test]
fn a_handle_elsewhere_is_served_or_woken_as_the_task_ends() {
    loom::model(|| {
        let owner = Owner::new();
        let (mut handle, waker, watched) = owner.parked();
        watched.raise(0);
        watched.raise(1);
        waker.wake();
        let bell = global::Arc::new(Bell::default());
        let joiner = {
            let waker = Waker::from(bell.clone());
            thread::spawn(move || poll_once(&mut handle, &waker).is_ready())
        };
        assert_eq!(owner.drain(), Some(Ending::Done));
        let served = joiner.join().unwrap();
        assert!(served || bell.rings() <= 1);
        assert_eq!(global::Arc::strong_count(&bell), 1);
        assert_eq!(watched.drops.load(Ordering::Relaxed), DONE);
    });
}

/// A shutdown elsewhere aborts what is listed: the parcel goes home, and the future is dropped there.
#[test]
fn an_abort_from_elsewhere_drops_the_future_on_its_thread() {
    loom::model(|| {
        let owner = Owner::new();
        let (handle, waker, watched) = owner.parked();
        drop(handle);
        let home = owner.home;
        let other = thread::spawn(move || {
            let aborted = home.registry.abort_some(8, &Cause::Shutdown);
            assert!(aborted.is_last && aborted.runnables.is_empty());
            aborted.parcels.into_iter().for_each(|parcel| home.schedule_local(parcel));
        });
        waker.wake();
        owner.drain();
        other.join().unwrap();
        owner.drain();
        assert!(home.registry.is_empty());
        assert_eq!(watched.drops.load(Ordering::Relaxed), CANCELLED);
    });
}
