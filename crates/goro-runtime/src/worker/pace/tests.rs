//! Polls that take so long, with so many tasks standing behind each: when is that shared?

use super::*;

struct Bench {
    pace: Pace,
    polls: u64,
    now: Instant,
}

const SHORT: Duration = Duration::from_nanos(100);
const LONG: Duration = Duration::from_micros(20);

impl Bench {
    fn new() -> Self {
        let now = goro_shim::time::now();
        // Close to where they wrap.
        let polls = u64::MAX - 20;
        Self { pace: Pace::new(polls, now), polls, now }
    }

    fn poll(&mut self, each: Duration) {
        self.polls = self.polls.wrapping_add(1);
        self.now += each;
    }

    fn shares(&self, standing: usize) -> bool {
        self.pace.should_share(standing, self.polls, || self.now)
    }

    /// After how many polls the worker shares, of at most 10,000.
    fn polls_until_shared(&mut self, standing: usize, each: Duration) -> Option<u64> {
        (1..=10_000).find(|_| {
            self.poll(each);
            self.shares(standing)
        })
    }

    /// So many polls while nobody sleeps, and nobody asks.
    fn in_company(&mut self, polls: u64, each: Duration) {
        (0..polls).for_each(|_| self.poll(each));
    }
}

#[test]
fn long_polls_are_shared_once_they_are_known_to_be_long() {
    let mut bench = Bench::new();
    assert_eq!(bench.polls_until_shared(1, LONG), Some(WINDOW + CHECK));
    assert_eq!(bench.polls_until_shared(1, LONG), Some(1));
    assert_eq!(bench.polls_until_shared(0, LONG), None);
}

#[test]
fn one_long_poll_among_tiny_ones_is_no_sign_of_others() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        bench.in_company(1, LONG);
        for _ in 0..3 * WINDOW {
            assert!(!bench.shares(2));
            bench.poll(SHORT);
        }
    }
}

#[test]
fn what_is_known_of_polls_in_company_counts_for_those_that_follow() {
    let mut bench = Bench::new();
    bench.in_company(1000, LONG);
    assert!(bench.shares(1));
    // Slow as they are beside others, they would be tiny alone.
    let mut bench = Bench::new();
    bench.in_company(1000, SHORT * 15);
    assert_eq!(bench.polls_until_shared(3, SHORT), None);
}

#[test]
fn polls_are_told_apart_from_sleep() {
    let mut bench = Bench::new();
    bench.in_company(3, SHORT);
    bench.now += Duration::from_secs(1);
    bench.pace.awake(bench.polls, bench.now);
    assert_eq!(bench.polls_until_shared(3, SHORT), None);
    assert!(bench.pace.is_tiny(bench.polls, bench.now));
    bench.poll(LONG * 100);
    assert!(!bench.pace.is_tiny(bench.polls, bench.now));
}

#[test]
fn a_few_tiny_tasks_that_wake_each_other_stay_together() {
    assert_eq!(Bench::new().polls_until_shared(FEW, SHORT), None);
}

#[test]
fn tiny_tasks_are_shared_when_more_than_a_few_stand_for_long() {
    let shared = Bench::new().polls_until_shared(FEW + 1, SHORT).unwrap();
    assert!((5_000..5_000 + 2 * WINDOW).contains(&shared), "{shared} polls of 100 ns");
    // Fifty microseconds of them are enough at once.
    assert_eq!(Bench::new().polls_until_shared(500, SHORT), Some(WINDOW));
}

#[test]
fn a_few_tiny_tasks_that_come_back_by_themselves_are_shared() {
    let mut bench = Bench::new();
    let shared = (1..=10_000).find(|poll| {
        bench.poll(SHORT);
        if poll % 4 == 0 {
            bench.pace.returned();
        }
        bench.shares(1)
    });
    assert!(shared.is_some_and(|polls| polls >= 5_000), "{shared:?}");
}

#[test]
fn who_runs_dry_now_and_then_keeps_its_tiny_tasks() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        for _ in 0..100 * WINDOW {
            bench.poll(SHORT);
            assert!(!bench.shares(FEW + 1));
        }
        assert_eq!(bench.polls_until_shared(0, SHORT), None);
    }
}

/// As if this thread had stayed away from a lock so often.
fn waits_for_locks(pauses: u32) {
    let mut waited = 0;
    while waited < pauses {
        // From the eighth on it would yield and nap.
        let mut backoff = lock::Backoff::new();
        for _ in 0..7 {
            backoff.pause();
        }
        waited += 7;
    }
}

#[test]
fn a_few_long_polls_that_are_in_each_others_way_stay_together_for_a_while() {
    let mut bench = Bench::new();
    // A fifth of the time is not enough: the polls are shared at once.
    bench.in_company(1000, LONG);
    waits_for_locks(4000);
    assert!(!bench.pace.is_crowded(bench.now));
    assert!(bench.shares(FEW));
    bench.in_company(1000, LONG);
    waits_for_locks(5000);
    assert!(bench.pace.is_crowded(bench.now));
    assert!(!bench.shares(FEW));
    assert!(bench.shares(FEW + 1), "more than a few are shared all the same");
    // Alone they are in nobody's way, and after ten milliseconds they are shared again.
    let shared = bench.polls_until_shared(FEW, LONG).unwrap();
    assert!((500..500 + 2 * WINDOW).contains(&shared), "{shared} polls of 20 us");
}

#[test]
fn what_was_waited_for_before_a_sleep_does_not_count() {
    let mut bench = Bench::new();
    waits_for_locks(100);
    bench.now += LONG;
    assert!(bench.pace.is_crowded(bench.now));
    bench.pace.awake(bench.polls, bench.now);
    assert!(!bench.pace.is_crowded(bench.now));
}
