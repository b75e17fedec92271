//! Many tasks at once: all of them or, when their iterator panics, none.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

use goro_runtime::task::{Cause, JoinHandle, yield_now};
use goro_runtime::{Builder, Runtime, block_on, spawn, spawn_many};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Below, at and above what a ring takes.
const SIZES: [usize; 8] = [0, 1, 2, 63, 64, 65, 1_025, 3_000];

#[test]
fn the_handles_come_in_the_order_of_the_futures() {
    let runtime = Builder::new().workers(2).build().unwrap();
    for size in SIZES {
        let outside = runtime.handle().spawn_many((0..size).map(|n| async move { n }));
        let inside = runtime.spawn(async move {
            let mut sum = 0;
            for (n, task) in spawn_many((0..size).map(|n| async move { n })).into_iter().enumerate()
            {
                assert_eq!(task.await.unwrap(), n);
                sum += n;
            }
            sum
        });
        for (n, task) in outside.into_iter().enumerate() {
            assert_eq!(block_on(task).unwrap(), n);
        }
        assert_eq!(block_on(inside).unwrap(), size * size.saturating_sub(1) / 2);
    }
    assert_eq!(runtime.metrics().tasks_live, 0);
}

/// One queue operation: what the batch is made of stands there all at once, and in order.
#[test]
fn a_batch_from_outside_is_begun_in_its_order() {
    for size in SIZES {
        let mut script = Builder::new().workers(1).build_scripted(Some(1)).unwrap();
        let begun = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tasks = script.handle().spawn_many((0..size).map(|n| {
            let begun = begun.clone();
            async move { begun.lock().unwrap().push(n) }
        }));
        script.run_until_stalled();
        let mut begun = begun.lock().unwrap().clone();
        // Every 61st step looks at the shared queue first, so what still stands there overtakes.
        let first = size.min(60);
        assert_eq!(begun[..first], (0..first).collect::<Vec<_>>());
        begun.sort_unstable();
        assert_eq!(begun, (0..size).collect::<Vec<_>>());
        assert!(tasks.iter().all(|task| script.is_done(task)));
    }
}

/// One wake-up: of several sleepers one is told, and it tells the next if there is more.
#[test]
fn a_batch_wakes_one_worker() {
    let mut script = Builder::new().workers(4).build_scripted(Some(3)).unwrap();
    script.run_until_stalled();
    assert_eq!(script.handle().metrics().sleeping, 4);
    let tasks = script.handle().spawn_many((0..100).map(|_| yield_now()));
    assert_eq!(script.handle().metrics().sleeping, 3);
    script.run_until_stalled();
    assert!(tasks.iter().all(|task| script.is_done(task)));
}

struct Counted(Arc<AtomicUsize>);
impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn panics_after(runtime: &Runtime, made: usize, inside: bool) {
    let (polled, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let futures = {
        let (polled, dropped) = (polled.clone(), dropped.clone());
        (0..=made).map(move |n| {
            if n == made {
                resume_unwind(Box::new("the iterator"));
            }
            let (polled, counted) = (polled.clone(), Counted(dropped.clone()));
            async move {
                let _counted = counted;
                polled.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let panicked = if inside {
        let task = runtime.spawn(async move {
            catch_unwind(AssertUnwindSafe(|| drop(spawn_many(futures)))).is_err()
        });
        block_on(task).unwrap()
    } else {
        catch_unwind(AssertUnwindSafe(|| drop(runtime.handle().spawn_many(futures)))).is_err()
    };
    assert!(panicked, "the panic is the caller's");
    assert_eq!(dropped.load(Ordering::SeqCst), made, "each future was dropped");
    assert_eq!(polled.load(Ordering::SeqCst), 0, "none was begun");
}

#[test]
fn an_iterator_that_panics_breaks_nothing() {
    let runtime = Builder::new().workers(2).max_tasks(2_000).build().unwrap();
    for made in [0, 1, 64, 65, 1_000] {
        for inside in [false, true] {
            panics_after(&runtime, made, inside);
            assert_eq!(runtime.metrics().tasks_live, 0);
        }
    }
    // The limit's places were given back, and the runtime goes on, and ends.
    let tasks = runtime.handle().spawn_many((0..2_000).map(|n| async move { n }));
    assert!(tasks.into_iter().all(|task| block_on(task).is_ok()));
}

/// Pitfall 155: a size hint that is a lie is neither added to nor reserved.
#[test]
fn an_iterator_may_spawn_block_and_lie_about_its_length() {
    struct Liar(usize);
    impl Iterator for Liar {
        type Item = std::future::Ready<usize>;
        fn next(&mut self) -> Option<Self::Item> {
            self.0 = self.0.checked_sub(1)?;
            let nested = block_on(spawn(async { 1 })).unwrap();
            Some(std::future::ready(self.0 + nested))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    let runtime = Builder::new().workers(2).build().unwrap();
    let task = runtime.spawn(async {
        let mut sum = 0;
        for task in spawn_many(Liar(100)) {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(block_on(task).unwrap(), 5_050);
}

#[test]
fn the_limit_may_be_reached_in_the_middle() {
    let runtime = Builder::new().workers(1).max_tasks(10).build().unwrap();
    let tasks = runtime.handle().spawn_many((0..15).map(|_| std::future::pending::<()>()));
    let refused: Vec<_> = tasks.iter().map(JoinHandle::is_finished).collect();
    assert_eq!(refused, (0..15).map(|n| n >= 10).collect::<Vec<_>>());
    for task in tasks {
        task.abort();
        let error = block_on(task).unwrap_err();
        assert!([Some(&Cause::Limit), Some(&Cause::Aborted)].contains(&error.cause()));
    }
}

#[test]
fn after_the_end_each_handle_says_so() {
    let runtime = Builder::new().workers(1).build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let tasks = handle.spawn_many((0..100).map(|n| async move { n }));
    for task in tasks {
        assert_eq!(block_on(task).unwrap_err().cause(), Some(&Cause::Shutdown));
    }
    assert_eq!(handle.metrics().tasks_live, 0);
}

/// A batch that races the end is run or cancelled, each task of it.
#[test]
fn a_batch_that_races_the_end_is_answered() {
    for round in 0..200 {
        let runtime = Builder::new().workers(1).build().unwrap();
        let handle = runtime.handle().clone();
        let spawner = std::thread::spawn(move || {
            let tasks = handle.spawn_many((0..40).map(|n| async move { n }));
            let answers: Vec<_> = tasks.into_iter().map(block_on).collect();
            let ran = (0..).zip(&answers).filter(|(n, answer)| answer.as_ref().ok() == Some(n));
            ran.count() + answers.iter().filter(|answer| answer.is_err()).count()
        });
        for _ in 0..round * 10 {
            std::hint::spin_loop();
        }
        drop(runtime);
        assert_eq!(spawner.join().unwrap(), 40, "run or cancelled");
    }
}
