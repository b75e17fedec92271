use std::task::Wake;

use goro_shim::Arc;
use goro_shim::atomic::AtomicUsize;
use proptest::prelude::*;

use super::*;

const READ: Direction = Direction::Read;
const WRITE: Direction = Direction::Write;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn waker() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (Arc::clone(&count), Waker::from(count))
}

fn woken(count: &Count) -> usize {
    count.0.load(Ordering::SeqCst)
}

/// A watch with nothing ready.
fn idle() -> Watch {
    let watch = Watch::new();
    for direction in [READ, WRITE] {
        let Seen::Ready(ready) = watch.look(direction) else { panic!("assumed ready at first") };
        watch.clear(ready);
    }
    watch
}

fn raise(watch: &Watch, directions: Directions) -> usize {
    let mut wakers = Vec::new();
    watch.raise(directions, &mut wakers);
    let taken = wakers.len();
    wakers.into_iter().for_each(Waker::wake);
    taken
}

fn ready(watch: &Watch, direction: Direction) -> Ready {
    match watch.look(direction) {
        Seen::Ready(ready) => ready,
        other => panic!("{direction:?} is {other:?}"),
    }
}

#[test]
fn what_a_read_has_drained_is_so_until_the_next_event() {
    let watch = Watch::new();
    let first = ready(&watch, READ);
    assert!(!watch.is_drained(first), "nobody has read");
    watch.has_read(first, true);
    assert!(watch.is_drained(first));
    watch.has_read(first, false);
    assert!(!watch.is_drained(first), "a later read has left something");
    watch.has_read(first, true);
    raise(&watch, READ.into());
    assert!(!watch.is_drained(ready(&watch, READ)), "an event has come");
    watch.has_read(first, true);
    assert!(!watch.is_drained(ready(&watch, READ)), "it came after what that read saw");
}

#[test]
fn nothing_is_drained_of_a_source_that_has_ended() {
    let watch = Watch::new();
    raise(&watch, Directions::from(READ) | Directions::END);
    let seen = ready(&watch, READ);
    watch.has_read(seen, true);
    assert!(!watch.is_drained(seen), "the end is to be heard of from the kernel");
    raise(&watch, READ.into());
    let seen = ready(&watch, READ);
    watch.has_read(seen, true);
    assert!(!watch.is_drained(seen), "it has ended for good");
}

#[test]
fn both_directions_are_assumed_ready_until_a_would_block() {
    let watch = Watch::new();
    watch.clear(ready(&watch, READ));
    assert_eq!(watch.look(READ), Seen::Waiting);
    ready(&watch, WRITE);
}

#[test]
fn an_event_wakes_the_direction_it_is_about() {
    let watch = idle();
    let (reader, read_waker) = waker();
    let (writer, write_waker) = waker();
    assert_eq!(watch.wait(READ, Place::Seat, None, &read_waker), Seen::Waiting);
    assert_eq!(watch.wait(WRITE, Place::Seat, None, &write_waker), Seen::Waiting);
    assert_eq!(raise(&watch, READ.into()), 1);
    assert_eq!((woken(&reader), woken(&writer)), (1, 0));
    ready(&watch, READ);
    assert_eq!(watch.look(WRITE), Seen::Waiting);
    assert_eq!(raise(&watch, WRITE.into()), 1);
    assert_eq!((woken(&reader), woken(&writer)), (1, 1));
}

#[test]
fn a_clear_keeps_the_event_that_came_since() {
    let watch = Watch::new();
    let seen = ready(&watch, READ);
    raise(&watch, READ.into());
    watch.clear(seen);
    let seen = ready(&watch, READ);
    // The same through the call that clears and waits at once.
    raise(&watch, READ.into());
    let (_, waker) = waker();
    assert!(matches!(watch.wait(READ, Place::Seat, Some(seen), &waker), Seen::Ready(_)));
    assert_eq!(watch.waiting(), 0);
}

/// Pitfall 143: the tick is the source's own, and nothing is lost where it wraps.
#[test]
fn the_tick_wraps_without_touching_the_flags() {
    let watch = idle();
    let mut ticks = Vec::new();
    for _ in 0..5 {
        raise(&watch, READ.into());
        let seen = ready(&watch, READ);
        ticks.push(seen.tick);
        assert_eq!(watch.look(WRITE), Seen::Waiting);
        watch.clear(seen);
        assert_eq!(watch.look(READ), Seen::Waiting);
    }
    assert!(ticks.contains(&u32::MAX) && ticks.contains(&0), "{ticks:?}");
    ticks.dedup();
    assert_eq!(ticks.len(), 5, "{ticks:?}");
}

#[test]
fn waiting_again_with_the_same_waker_keeps_one() {
    let watch = idle();
    let (count, waker) = waker();
    for _ in 0..100 {
        assert_eq!(watch.wait(READ, Place::Seat, None, &waker), Seen::Waiting);
    }
    assert_eq!(Arc::strong_count(&count), 2 + 1, "the test's two and the seat's");
    let seated = || watch.word.load(Ordering::Relaxed) & seat_bit(READ) != 0;
    assert!(seated());
    assert_eq!(raise(&watch, READ.into()), 1);
    assert!(!seated(), "the word says so too");
}

#[test]
fn two_tasks_that_poll_one_direction_in_turns_are_both_woken_and_nothing_grows() {
    let watch = idle();
    let tasks = [waker(), waker()];
    for turn in 0..1_000 {
        let (_, waker) = &tasks[turn % 2];
        assert_eq!(watch.wait(READ, Place::Seat, None, waker), Seen::Waiting);
    }
    assert_eq!(watch.waiting(), 2);
    raise(&watch, READ.into());
    for (count, _) in &tasks {
        assert_eq!(woken(count), 1);
    }
}

#[test]
fn a_crowd_that_polls_one_direction_is_never_lost_and_bounded() {
    let watch = idle();
    let tasks: Vec<_> = (0..DISPLACED + 4).map(|_| waker()).collect();
    for (_, waker) in &tasks {
        assert_eq!(watch.wait(READ, Place::Seat, None, waker), Seen::Waiting);
    }
    assert_eq!(watch.waiting(), DISPLACED + 1);
    for (index, (count, _)) in tasks.iter().enumerate() {
        assert_eq!(woken(count), usize::from(index < 3), "the oldest three come back");
    }
    raise(&watch, READ.into());
    assert!(tasks.iter().all(|(count, _)| woken(count) == 1));
}

#[test]
fn a_future_that_waits_again_elsewhere_moves_its_waker() {
    let watch = idle();
    let ((first, old), (second, new)) = (waker(), waker());
    let mut key = None;
    watch.wait(READ, Place::Own(&mut key), None, &old);
    watch.wait(READ, Place::Own(&mut key), None, &new);
    assert_eq!(watch.waiting(), 1);
    raise(&watch, READ.into());
    assert_eq!((woken(&first), woken(&second)), (0, 1));
    watch.leave(READ, key.unwrap());
}

/// Pitfall 153: who gives up waiting leaves neither waker nor memory.
#[test]
fn left_places_hold_nothing() {
    let watch = idle();
    let (count, waker) = waker();
    let mut keys: Vec<_> = (0..1_000)
        .map(|_| {
            let mut key = None;
            watch.wait(WRITE, Place::Own(&mut key), None, &waker);
            key.unwrap()
        })
        .collect();
    assert_eq!(watch.waiting(), 1_000);
    // Half of them were woken before they left, which must not matter.
    let kept = keys.split_off(500);
    keys.into_iter().for_each(|key| watch.leave(WRITE, key));
    raise(&watch, WRITE.into());
    kept.into_iter().for_each(|key| watch.leave(WRITE, key));
    assert_eq!(watch.waiting(), 0);
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(watch.lanes.lock()[WRITE as usize].own.capacity() <= KEPT_PLACES);
}

#[test]
fn stopping_wakes_all_and_is_told_after_what_is_still_ready() {
    let watch = Watch::new();
    let seen = ready(&watch, READ);
    watch.clear(ready(&watch, WRITE));
    let (count, waker) = waker();
    let mut key = None;
    watch.wait(WRITE, Place::Seat, None, &waker);
    watch.wait(WRITE, Place::Own(&mut key), None, &waker);
    let mut wakers = Vec::new();
    watch.stop(&mut wakers);
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!(woken(&count), 2);
    assert_eq!(watch.look(WRITE), Seen::Stopped);
    assert_eq!(watch.wait(WRITE, Place::Seat, None, &waker), Seen::Stopped);
    assert_eq!(watch.wait(READ, Place::Seat, Some(seen), &waker), Seen::Stopped);
    assert_eq!(watch.waiting(), 0);
}

/// Panics when the last of its wakers is dropped.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// Wakers that panic when they are dropped, given up or replaced, leave everything in order.
#[test]
fn a_waker_that_panics_when_dropped_leaves_no_lock_behind() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let watch = idle();
    let (count, waker) = waker();
    let bomb = || Waker::from(Arc::new(Bomb));
    let mut key = None;
    watch.wait(READ, Place::Own(&mut key), None, &bomb());
    let left = catch_unwind(AssertUnwindSafe(|| watch.leave(READ, key.unwrap())));
    assert!(left.is_err());
    assert_eq!(watch.waiting(), 0);
    let mut key = None;
    watch.wait(READ, Place::Own(&mut key), None, &bomb());
    let again = || watch.wait(READ, Place::Own(&mut key), None, &waker);
    assert!(catch_unwind(AssertUnwindSafe(again)).is_err());
    assert_eq!(watch.waiting(), 1);
    assert_eq!(raise(&watch, READ.into()), 1);
    assert_eq!(woken(&count), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Raise(bool, bool),
    Clear(Direction),
    Sit(Direction, usize),
    Park(Direction, usize),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let direction = || prop_oneof![Just(READ), Just(WRITE)];
    prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(r, w)| Step::Raise(r, w)),
        direction().prop_map(Step::Clear),
        (direction(), 0..4_usize).prop_map(|(d, task)| Step::Sit(d, task)),
        (direction(), 0..4_usize).prop_map(|(d, task)| Step::Park(d, task)),
        (0..8_usize).prop_map(Step::Leave),
    ]
}

/// Who is owed a wake-up, per direction: tasks by number. Small enough that nobody is crowded out.
#[derive(Default)]
struct Owed {
    ready: [bool; 2],
    seated: [Vec<usize>; 2],
    parked: Vec<(Direction, usize, usize)>,
}

fn run(steps: Vec<Step>) {
    let watch = idle();
    let tasks: Vec<_> = (0..4).map(|_| waker()).collect();
    let mut expected = [0; 4];
    let mut owed = Owed::default();
    for step in steps {
        match step {
            Step::Raise(read, write) => {
                let mut set = Directions::NONE;
                for (direction, raised) in [(READ, read), (WRITE, write)] {
                    if raised {
                        set |= direction.into();
                        owed.ready[direction as usize] = true;
                        owed.seated[direction as usize].drain(..).for_each(|t| expected[t] += 1);
                        let there = owed.parked.iter().filter(|p| p.0 == direction);
                        there.for_each(|&(_, task, _)| expected[task] += 1);
                        owed.parked.retain(|p| p.0 != direction);
                    }
                }
                raise(&watch, set);
            }
            Step::Clear(direction) => {
                if let Seen::Ready(seen) = watch.look(direction) {
                    watch.clear(seen);
                }
                owed.ready[direction as usize] = false;
            }
            Step::Sit(direction, task) => {
                let seen = watch.wait(direction, Place::Seat, None, &tasks[task].1);
                assert_eq!(seen != Seen::Waiting, owed.ready[direction as usize]);
                let seated = &mut owed.seated[direction as usize];
                if seen == Seen::Waiting && !seated.contains(&task) {
                    seated.push(task);
                }
            }
            Step::Park(direction, task) => {
                let mut key = None;
                let seen = watch.wait(direction, Place::Own(&mut key), None, &tasks[task].1);
                assert_eq!(seen != Seen::Waiting, owed.ready[direction as usize]);
                assert_eq!(key.is_some(), seen == Seen::Waiting);
                owed.parked.extend(key.map(|key| (direction, task, key)));
            }
            Step::Leave(index) => {
                if index < owed.parked.len() {
                    let (direction, _, key) = owed.parked.swap_remove(index);
                    watch.leave(direction, key);
                }
            }
        }
        for direction in [READ, WRITE] {
            let is_ready = matches!(watch.look(direction), Seen::Ready(_));
            assert_eq!(is_ready, owed.ready[direction as usize]);
        }
        let waiting = owed.seated.iter().map(Vec::len).sum::<usize>() + owed.parked.len();
        assert_eq!(watch.waiting(), waiting);
        let woken: Vec<_> = tasks.iter().map(|(count, _)| woken(count)).collect();
        assert_eq!(woken, expected);
    }
}

proptest! {
    #[test]
    fn whoever_waits_is_woken_by_the_next_event_and_by_nothing_else(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        run(steps);
    }
}
