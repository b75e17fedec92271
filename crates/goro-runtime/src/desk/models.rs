//! Models of the desk: no job is left for nobody, whatever meets what.

use super::{Desk, Lost, NoPlace, Reserved, Sizes, Unfilled};
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::atomic::{AtomicU32, Ordering};
use goro_shim::time::Duration;
use loom::thread;

struct House {
    desk: Desk<u32>,
    ran: AtomicU32,
}

/// With a keep-alive of zero a sleep is over at once; with the longest it ends by a call only.
fn house(most: usize, keep_alive: Duration) -> Arc<House> {
    let sizes = Sizes { least: 0, most, queue: usize::MAX, keep_alive };
    Arc::new(House { desk: Desk::new(sizes), ran: AtomicU32::new(0) })
}

fn serve(house: &House) {
    let parker = Arc::new(Parker::new());
    parker.adopt();
    while let Some(_job) = house.desk.next(&parker) {
        house.ran.fetch_add(1, Ordering::Relaxed);
        house.desk.done();
    }
}

fn submit(house: &Arc<House>) -> Option<thread::JoinHandle<()>> {
    let Ok(Reserved { place, start }) = house.desk.reserve() else { return None };
    let server = start.then(|| {
        let house = house.clone();
        thread::spawn(move || serve(&house))
    });
    house.desk.fill(place, 1).expect("a thread is there, and nobody closes");
    server
}

/// Pitfalls 72 and 157: an idle thread is counted wrongly, is not woken, or goes as the job comes; a job waits for ever.
#[test]
fn a_job_meets_a_thread_whose_time_runs_out() {
    loom::model(|| {
        let house = house(1, Duration::ZERO);
        let first = submit(&house);
        let second = submit(&house);
        for server in first.into_iter().chain(second) {
            server.join().unwrap();
        }
        assert_eq!(house.ran.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_thread_that_sleeps_is_called() {
    loom::model(|| {
        let house = house(1, Duration::MAX);
        let server = submit(&house).expect("the first job starts a thread");
        assert!(submit(&house).is_none());
        while house.ran.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        assert!(house.desk.close().is_empty());
        server.join().unwrap();
    });
}

/// Pitfall 73: a job that is submitted as the pool closes is run, or comes back.
#[test]
fn a_job_and_the_end() {
    loom::model(|| {
        let house = house(1, Duration::MAX);
        let other = house.clone();
        let closer = thread::spawn(move || other.desk.close().len() as u32);
        let mut back = 0;
        let mut server = None;
        match house.desk.reserve() {
            Err(NoPlace::Closed) => back += 1,
            Err(NoPlace::Full) => panic!("there is room"),
            Ok(Reserved { place, start }) => {
                assert!(start);
                let inside = house.clone();
                server = Some(thread::spawn(move || serve(&inside)));
                if let Err(unfilled) = house.desk.fill(place, 1) {
                    assert!(matches!(unfilled, Unfilled::Closed(1)));
                    back += 1;
                }
            }
        }
        back += closer.join().unwrap();
        if let Some(server) = server {
            server.join().unwrap();
        }
        assert_eq!(back + house.ran.load(Ordering::Relaxed), 1);
        assert_eq!(house.desk.load().threads, 0);
    });
}

/// A withdrawal meets the thread that comes for the job: one of them has it.
#[test]
fn a_job_is_run_or_withdrawn() {
    loom::model(|| {
        let house = house(1, Duration::ZERO);
        let Ok(Reserved { place, start: true }) = house.desk.reserve() else {
            panic!("there is room")
        };
        let other = house.clone();
        let server = thread::spawn(move || serve(&other));
        house.desk.fill(place, 1).expect("the thread waits for the place");
        let withdrawn = u32::from(house.desk.withdraw(place).is_some());
        server.join().unwrap();
        assert_eq!(withdrawn + house.ran.load(Ordering::Relaxed), 1);
    });
}

/// Pitfall 158: of two submitters one asked for the thread, and it is refused.
#[test]
fn a_refused_thread_leaves_no_job_behind() {
    loom::model(|| {
        let house = house(1, Duration::MAX);
        let answered = |house: &House| match house.desk.reserve() {
            Ok(Reserved { start: true, .. }) => match house.desk.lose() {
                Lost::Orphans(orphans) => 1 + orphans.len() as u32,
                Lost::Others(_) => panic!("no thread exists"),
            },
            Ok(Reserved { place, start: false }) => match house.desk.fill(place, 1) {
                Ok(()) => 0,
                Err(Unfilled::Nobody(_) | Unfilled::Closed(_)) => 1,
            },
            Err(_) => panic!("there is room"),
        };
        let other = house.clone();
        let second = thread::spawn(move || answered(&other));
        let first = answered(&house);
        assert_eq!(first + second.join().unwrap(), 2, "each job is answered");
        assert_eq!(house.desk.load().queued, 0);
    });
}
