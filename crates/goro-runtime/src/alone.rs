//! A worker that blocks with nobody in its place, and sees to it that the runtime goes on.
//!
//! As many blocks are declared as may be, or the spare's thread was refused: then this may have been
//! the last member of the crew that came round. What the block waits for may stand in a queue, or be
//! due in a wheel, and with nobody left to look the block would last for ever. So who blocks like this
//! looks once a period. Due timers it fires, and the reactor it turns; and if nobody has begun a poll
//! since the last look, it runs one task that stands somewhere, right here, on top of its own poll.
//! So one thread of a runtime always runs.
//!
//! **Why only then.** Of two polls on one stack only the upper one can go on, and it may wait for the
//! lower one. While anybody comes round that is worse than waiting for a period; with nobody it is
//! better than waiting for ever. And a block that waits for what has been spawned inside of it always
//! ends: what it waits for was begun later than itself, and so is each poll on top of another. A circle
//! of such blocks would have begun before itself.
//!
//! Invariants:
//! 1. No task is run here but after a period in which nobody has begun a poll.
//! 2. What was taken out of a ring and is not run stands in the injector before anything is polled.
//! 3. A task that is run here finds the thread as an outsider's: what it spawns, wakes and arms goes
//!    where others find it. It is not published, so that the poll below it stays what dumps and the
//!    monitor see.
//! 4. At most [`DEEPEST`] polls stand on one stack.
//! 5. Newest and oldest tasks take turns. What the block has spawned itself is among the newest, and
//!    done with it one stack grows no higher; but two that wake each other may be, too.
//!
//! Left out: `block_in_place`, whose closure has the thread; and local tasks, which wait for their
//! worker as they always do.

use core::task::Waker;
use goro_queue::LocalQueue;
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_task::{Ending, Ran};

use crate::alarm::PERIOD;
use crate::ground::Ground;
use crate::shard::Shard;
use crate::{closing, current};

/// The most polls on top of each other: a thread's stack is not endless.
const DEEPEST: u32 = 64;

/// After so many looks that came to nothing a script is to find out that nothing will.
const IN_VAIN: u32 = 300;

/// Sleeps on `parker` until its token comes, and looks after the runtime of `shard`, whose worker this
/// thread is, meanwhile.
pub(crate) fn wait(shard: &'static Shard, parker: &Parker) {
    let hub = shard.hub;
    let Some(ground) = hub.ground() else {
        parker.sleep(None);
        return;
    };
    let driver = &ground.driver;
    let polls = || hub.sum(|counters| counters.polls.get());
    let (mut before, mut in_vain, mut newest) = (polls(), 0, false);
    loop {
        let look = (!hub.is_scripted() || in_vain < IN_VAIN).then(|| driver.now() + PERIOD);
        let timers = hub.all_shards().filter_map(|shard| shard.timers.wake_at());
        if driver.wait(parker, look.into_iter().chain(timers).min()) {
            return;
        }
        let rests = before == polls();
        newest = !newest;
        let which = rests.then_some(if newest { Which::Newest } else { Which::Oldest });
        in_vain = if look_after(shard, &ground, which) { 0 } else { in_vain + 1 };
        before = polls();
    }
}

/// Which of the tasks that stand in the injector is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Newest,
    Oldest,
}

/// Does what cannot wait, and if the crew rests runs one task; whether there was anything.
fn look_after(shard: &'static Shard, ground: &Arc<Ground>, which: Option<Which>) -> bool {
    let (hub, driver, mut wakers) = (shard.hub, &ground.driver, Vec::<Waker>::new());
    let now = driver.now();
    for timers in hub.all_shards().map(|shard| &shard.timers) {
        if timers.is_due(now) {
            timers.take_due(now, false, &mut wakers);
        }
    }
    driver.turn(&mut wakers);
    let any = !wakers.is_empty();
    crate::observe::wake_each(&mut wakers);
    let Some(which) = which else { return any };
    if hub.is_closing() {
        let queue = LocalQueue::new();
        let cancelled = queue.claim().map_or(0, |claim| {
            closing::cancel_all(hub, &claim, |task| closing::cancel(task, ground))
        });
        return any || cancelled > 0;
    }
    any || (shard.published.alone() <= DEEPEST && current::aside(|| run_one(shard, ground, which)))
}

/// Runs a task that stands in the injector or behind anybody; false if there is none.
fn run_one(shard: &'static Shard, ground: &Ground, which: Which) -> bool {
    let hub = shard.hub;
    let injected = match which {
        Which::Newest => hub.injector.pop_newest(),
        Which::Oldest => hub.injector.pop(),
    };
    let from_a_ring = || {
        let queue = LocalQueue::new();
        let claim = queue.claim()?;
        let task = closing::next(hub, &claim);
        while let Some(rest) = claim.pop() {
            hub.injector.push(rest);
        }
        task
    };
    let Some(task) = injected.or_else(from_a_ring) else { return false };
    let identity = task.identity();
    shard.counters.polls.add(1);
    match task.run(hub.foreign()) {
        Ran::Again(task) => hub.injector.push(task),
        Ran::Finished(Ending::Panicked) => {
            crate::panics::of_task(ground, identity.current());
        }
        Ran::Parked | Ran::Finished(Ending::Done | Ending::Cancelled) => {}
    }
    true
}
