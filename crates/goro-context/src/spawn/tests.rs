use super::*;
use crate::testing::Scripted;
use goro_shim::global::{Arc, AtomicUsize, Ordering};

struct Count(Arc<AtomicUsize>);

impl Count {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        (Self(Arc::clone(&count)), count)
    }
    fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn without_a_host_everything_comes_back() {
    let (count, counted) = Count::new();
    let future = spawn(async move { count.add() }, Kind::OTHER).unwrap_err();
    assert_eq!(counted.load(Ordering::Acquire), 0);
    futures::executor::block_on(future);
    assert_eq!(counted.load(Ordering::Acquire), 1);

    let (count, counted) = Count::new();
    let Refused(job, why) = spawn_blocking(move || count.add(), Kind::OTHER).unwrap_err();
    assert_eq!(why.kind(), io::ErrorKind::Unsupported);
    assert_eq!(counted.load(Ordering::Acquire), 0);
    job();
    assert_eq!(counted.load(Ordering::Acquire), 1);

    assert_eq!(blocking(|| 7), 7);
}

#[test]
fn with_a_host_it_is_the_host_that_runs() {
    let host = Scripted::new();
    let _entered = host::enter(host);
    let (count, counted) = Count::new();
    assert!(spawn(async move { count.add() }, Kind::OTHER).is_ok());
    let (count, jobs) = Count::new();
    assert!(spawn_blocking(move || count.add(), Kind::OTHER).is_ok());
    assert_eq!([&counted, &jobs].map(|n| n.load(Ordering::Acquire)), [1, 1]);
    assert_eq!(blocking(|| 7), 7);
    assert_eq!(host.blocked.load(Ordering::Acquire), 1);

    host.stop();
    assert!(spawn(async {}, Kind::OTHER).is_err());
    assert!(spawn_blocking(|| (), Kind::OTHER).is_err());
}

#[test]
fn a_panic_of_blocking_code_passes_through() {
    let _entered = host::enter(Scripted::new());
    let unwound = std::panic::catch_unwind(|| blocking(|| std::panic::resume_unwind(Box::new(3))));
    assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&3));
}
