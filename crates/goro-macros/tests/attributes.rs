//! The attributes under the real compiler: what they accept runs, what they refuse is reported at
//! the token that is wrong.
//!
//! A stub stands in for the facade, on which this crate must not depend: what an entry point does
//! is tested beside the facade, what the attributes emit is tested here.

/// What the expansion calls, answering in place of a runtime.
mod stub {
    /// The name under which the expansion finds its functions.
    pub(crate) mod __private {
        use std::cell::Cell;
        use std::future::Future;
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};

        std::thread_local! {
            /// The worker count that the last expansion on this thread asked for.
            pub(crate) static WORKERS: Cell<Option<usize>> = const { Cell::new(None) };
        }

        /// Polls `future` once, which is enough for one that awaits nothing pending.
        pub(crate) fn main<F: Future>(workers: Option<usize>, future: F) -> F::Output {
            WORKERS.set(workers);
            match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => output,
                Poll::Pending => panic!("the stub drives only futures that are ready at once"),
            }
        }

        pub(crate) use main as test;

        /// As `main`, where nobody may say how many workers there are.
        pub(crate) fn local_main<F: Future>(future: F) -> F::Output {
            main(Some(0), future)
        }

        pub(crate) use local_main as local_test;

        /// Calls the test once for each seed.
        pub(crate) fn simulate<F: Future>(
            workers: Option<usize>,
            seeds: u64,
            test: impl Fn() -> F,
        ) -> F::Output {
            (1..seeds).for_each(|_| drop(main(workers, test())));
            main(workers, test())
        }
    }
}

/// The count that reached the facade's function.
fn workers() -> Option<usize> {
    stub::__private::WORKERS.get()
}

mod program {
    /// Keeps the doc comment.
    #[goro_macros::main(crate = "crate::stub")]
    pub(crate) async fn main() -> Result<u8, std::num::ParseIntError> {
        if std::env::args().count() == 0 {
            return Ok(0);
        }
        let number: u8 = "7".parse()?;
        let _: u8 = "not a number".parse()?;
        Ok(number)
    }
}

mod program_with_workers {
    #[goro_macros::main(crate = "crate::stub", workers = 5, flavor = "multi")]
    pub(crate) async fn main() {}
}

mod program_on_one_thread {
    #[goro_macros::main(crate = "crate::stub", flavor = "local")]
    pub(crate) async fn main() -> usize {
        std::rc::Rc::strong_count(&std::rc::Rc::new(()))
    }
}

mod program_that_never_returns {
    #[goro_macros::main(crate = "crate::stub")]
    pub(crate) async fn main() -> ! {
        std::panic::panic_any("out of here")
    }
}

#[test]
fn the_return_type_stays_and_question_marks_convert_into_it() {
    let error = program::main().expect_err("the second number is none");
    assert_eq!(error, "not a number".parse::<u8>().unwrap_err());
    assert_eq!(workers(), None);
}

#[test]
fn the_worker_count_reaches_the_facade() {
    program_with_workers::main();
    assert_eq!(workers(), Some(5));
}

#[test]
fn a_local_main_goes_to_the_local_runner() {
    assert_eq!(program_on_one_thread::main(), 1);
    assert_eq!(workers(), Some(0));
}

#[goro_macros::test(crate = "crate::stub", flavor = "local")]
async fn a_local_test_goes_to_the_local_runner() {
    assert_eq!(workers(), Some(0));
}

#[test]
fn a_main_that_never_returns_is_accepted() {
    let outcome = std::panic::catch_unwind(|| program_that_never_returns::main());
    assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "out of here");
}

#[goro_macros::test(crate = "crate::stub")]
async fn a_test_has_two_workers() {
    assert_eq!(workers(), Some(2));
}

#[goro_macros::test(crate = "crate::stub", workers = 3)]
async fn a_test_may_choose_its_workers() -> Result<(), std::num::ParseIntError> {
    assert_eq!(workers(), Some("3".parse()?));
    Ok(())
}

#[goro_macros::test(crate = "crate::stub")]
#[should_panic(expected = "as it should")]
async fn should_panic_keeps_its_meaning() {
    panic!("as it should");
}

macro_rules! tests_by_macro {
    ($vis:vis $name:ident, $count:literal, $type:ty, $body:block) => {
        #[goro_macros::test(crate = "crate::stub", workers = $count)]
        $vis async fn $name() -> $type $body
    };
}

tests_by_macro!(pub(crate) a_test_may_be_written_by_a_macro, 4, Result<(), String>, {
    assert_eq!(workers(), Some(4));
    Ok(())
});

/// Each file beside its `.stderr`. `TRYBUILD=overwrite` writes them anew.
#[test]
fn refusals_point_at_the_token_and_name_the_fix() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}

std::thread_local! {
    static RUNS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

#[goro_macros::test(sim, seeds = 7, crate = "crate::stub")]
async fn a_simulated_test_is_run_for_each_seed() {
    RUNS.set(RUNS.get() + 1);
    assert!(RUNS.get() <= 7 && workers().is_none());
}
