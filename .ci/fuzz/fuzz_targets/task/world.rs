//! The tasks there are, and what should be true of each.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use arbitrary::{Result, Unstructured};
use goro_context::Cause;
use goro_shim::global::{Arc, Lock, OnceLock};
use goro_task::{AbortHandle, Ending, JoinError, JoinHandle, Meta, Ran, Runnable, spawn};

use crate::home::Line;
use crate::life::{Act, Joiner, Life, Output, Seen, Shared};

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Done,
    Panicked,
    Cancelled(Cause),
}

struct Known {
    seen: Shared,
    token: Arc<()>,
    /// The handle, until it is dropped or has given its result.
    handle: Option<JoinHandle<Output>>,
    aborts: Vec<AbortHandle>,
    joiners: [Arc<Joiner>; 2],
    registered: Option<usize>,
    wakes: [usize; 2],
    queued: bool,
    aborted: bool,
    cause: Option<Cause>,
    listed: bool,
    polls: usize,
    outcome: Option<Outcome>,
}

struct World {
    line: &'static Line,
    tasks: Vec<Known>,
    /// By number, in the order in which they are to be run.
    queue: VecDeque<usize>,
}

static LINE: OnceLock<&'static Line> = OnceLock::new();

/// A run as `bytes` have it.
pub(crate) fn run(bytes: &[u8]) {
    let mut from = Unstructured::new(bytes);
    let line = *LINE.get_or_init(Line::leak);
    let mut world = World { line, tasks: Vec::new(), queue: VecDeque::new() };
    while !from.is_empty() {
        if world.step(&mut from).is_err() {
            break;
        }
        world.check();
    }
    world.end();
}

fn act(from: &mut Unstructured<'_>) -> Result<Act> {
    Ok(match from.int_in_range(0..=11)? {
        0..4 => Act::Wait,
        4 => Act::WaitForNobody,
        5..7 => Act::Yield(from.int_in_range(1..=3)?),
        7 => Act::AbortItself,
        8 => Act::AskItself,
        9 => Act::AbortItselfAndEnd,
        10 => Act::End,
        _ => Act::Panic,
    })
}

/// One with words, or one without.
fn cause(from: &mut Unstructured<'_>) -> Result<Cause> {
    Ok(match from.int_in_range(0..=3)? {
        0 => Cause::Aborted,
        1 => Cause::Shutdown,
        2 => Cause::new("first words"),
        _ => Cause::new("other words"),
    })
}

impl Known {
    /// Takes note that the task was woken; whether that queues it.
    fn wake(&mut self) -> bool {
        self.outcome.is_none() && !std::mem::replace(&mut self.queued, true)
    }

    fn abort(&mut self, cause: Cause) -> bool {
        if self.outcome.is_some() || self.aborted {
            return false;
        }
        self.aborted = true;
        self.cause.get_or_insert(cause);
        self.wake()
    }

    fn ask(&mut self, cause: Cause) -> bool {
        if self.outcome.is_some() || self.aborted || self.cause.is_some() {
            return false;
        }
        self.cause = Some(cause);
        self.wake()
    }

    fn ends(&mut self, outcome: Outcome) {
        assert!(self.outcome.replace(outcome).is_none(), "a task ends once");
        self.queued = false;
        self.listed = false;
        if let Some(at) = self.registered.take() {
            self.wakes[at] += 1;
        }
    }

    fn got(&self, result: std::result::Result<Output, JoinError>) {
        let outcome = self.outcome.clone().expect("only what has ended gives a result");
        match result {
            Ok(Output(token)) => {
                assert_eq!(outcome, Outcome::Done);
                assert!(Arc::ptr_eq(&token, &self.token));
            }
            Err(error) if error.is_panic() => assert_eq!(outcome, Outcome::Panicked),
            Err(error) => assert_eq!(outcome, Outcome::Cancelled(error.cause().unwrap().clone())),
        }
    }
}

impl World {
    fn step(&mut self, from: &mut Unstructured<'_>) -> Result<()> {
        let kind = from.int_in_range(0..=21)?;
        if kind < 2 || self.tasks.is_empty() {
            self.spawn();
            return Ok(());
        }
        let at = from.choose_index(self.tasks.len())?;
        match kind {
            2..8 => self.run_first(act(from)?),
            8 => self.drop_first(),
            9 => self.cancel_first(cause(from)?),
            10 => self.abort_all(cause(from)?),
            11..14 => self.wake(at, from.int_in_range(0..=3)?),
            14 => self.abort(at, from.arbitrary()?, cause(from)?),
            15 => self.ask(at, cause(from)?),
            16..18 => self.poll_handle(at, from.int_in_range(0..=1)?),
            18 => self.drop_handle(at),
            19 => self.handle_of(at, |handle| handle.abort_handle()),
            20 => drop(self.tasks[at].aborts.pop()),
            _ => self.spawn(),
        }
        Ok(())
    }

    fn spawn(&mut self) {
        let (seen, token) = (Shared::new(Lock::new(Seen::default())), Arc::new(()));
        let life = Life { seen: seen.clone(), token: token.clone() };
        let (runnable, handle) = spawn(life, self.line, Meta::OTHER);
        seen.lock().own = Some(handle.abort_handle());
        self.line_up(runnable);
        self.queue.push_back(self.tasks.len());
        self.tasks.push(Known {
            seen,
            token,
            handle: Some(handle),
            aborts: Vec::new(),
            joiners: [Arc::default(), Arc::default()],
            registered: None,
            wakes: [0; 2],
            queued: true,
            aborted: false,
            cause: None,
            listed: false,
            polls: 0,
            outcome: None,
        });
    }

    fn line_up(&self, runnable: Runnable<Line>) {
        goro_task::Home::schedule(self.line, runnable);
    }

    /// The first in line, which is who the model has there.
    fn first(&mut self) -> Option<(usize, Runnable<Line>)> {
        let (at, runnable) = (self.queue.pop_front(), self.line.next());
        assert_eq!(
            at.is_some(),
            runnable.is_some(),
            "one queued that should not be, or the reverse"
        );
        let (at, runnable) = (at?, runnable?);
        let own = self.tasks[at].seen.lock().own.as_ref().map(AbortHandle::id);
        assert_eq!(own, Some(runnable.id()), "in the order in which they were woken");
        Some((at, runnable))
    }

    fn run_first(&mut self, act: Act) {
        let Some((at, runnable)) = self.first() else { return };
        let line = self.line;
        let task = &mut self.tasks[at];
        task.seen.lock().next = Some(act);
        task.queued = false;
        let before = task.cause.clone();
        let ran = runnable.run(line);
        if task.aborted {
            let cause = task.cause.clone().expect("whoever aborts says why");
            assert!(matches!(ran, Ran::Finished(Ending::Cancelled)), "not polled, but dropped");
            task.seen.lock().next = None;
            task.ends(Outcome::Cancelled(cause));
            return;
        }
        task.polls += 1;
        assert_eq!(task.seen.lock().asked, before, "what it hears of why it should end");
        let again = match act {
            Act::Wait | Act::WaitForNobody => false,
            Act::Yield(_) => task.wake(),
            Act::AbortItself => task.abort(Cause::Aborted),
            Act::AskItself => task.ask(Cause::new("by itself")),
            Act::AbortItselfAndEnd | Act::End => {
                assert!(matches!(ran, Ran::Finished(Ending::Done)));
                return task.ends(Outcome::Done);
            }
            Act::Panic => {
                assert!(matches!(ran, Ran::Finished(Ending::Panicked)));
                return task.ends(Outcome::Panicked);
            }
        };
        match ran {
            Ran::Again(runnable) if again => {
                self.queue.push_back(at);
                self.line_up(runnable);
            }
            Ran::Parked if !again => task.listed = true,
            other => panic!("{other:?} after {act:?}"),
        }
    }

    fn drop_first(&mut self) {
        let Some((at, runnable)) = self.first() else { return };
        drop(runnable);
        let cause = self.tasks[at].cause.clone().unwrap_or(Cause::Cancelled);
        self.tasks[at].ends(Outcome::Cancelled(cause));
    }

    fn cancel_first(&mut self, cause: Cause) {
        let Some((at, runnable)) = self.first() else { return };
        assert_eq!(runnable.cancel(cause.clone()), Ending::Cancelled);
        self.tasks[at].ends(Outcome::Cancelled(cause));
    }

    /// What a runtime does that ends: all that were ever parked are aborted.
    fn abort_all(&mut self, cause: Cause) {
        let aborted = self.line.registry_of().abort_some(usize::MAX, &cause);
        assert!(aborted.is_last && aborted.parcels.is_empty());
        let mut owned = 0;
        for at in 0..self.tasks.len() {
            let task = &mut self.tasks[at];
            owned += usize::from(task.listed && task.abort(cause.clone()));
        }
        assert_eq!(aborted.runnables.len(), owned, "those that were parked");
        for runnable in aborted.runnables {
            let is_its = |task: &Known| {
                task.seen.lock().own.as_ref().is_some_and(|own| own.id() == runnable.id())
            };
            let at = self.tasks.iter().position(is_its).expect("one of ours");
            assert!(self.tasks[at].queued && !self.queue.contains(&at));
            self.queue.push_back(at);
            self.line_up(runnable);
        }
    }

    fn wake(&mut self, at: usize, how: u8) {
        let waker = self.tasks[at].seen.lock().wakers.pop();
        let Some(waker) = waker else { return };
        match how {
            0 => waker.wake(),
            1 => {
                waker.wake_by_ref();
                self.tasks[at].seen.lock().wakers.push(waker);
            }
            2 => {
                let other = waker.clone();
                assert!(other.will_wake(&waker));
                return self.tasks[at].seen.lock().wakers.extend([waker, other]);
            }
            _ => return drop(waker),
        }
        if self.tasks[at].wake() {
            self.queue.push_back(at);
        }
    }

    fn abort(&mut self, at: usize, through: bool, cause: Cause) {
        let task = &mut self.tasks[at];
        match (&task.handle, task.aborts.last()) {
            (Some(handle), _) if through => handle.abort_with(cause.clone()),
            (_, Some(handle)) => handle.abort_with(cause.clone()),
            _ => return,
        }
        if task.abort(cause) {
            self.queue.push_back(at);
        }
    }

    fn ask(&mut self, at: usize, cause: Cause) {
        let task = &mut self.tasks[at];
        let Some(handle) = &task.handle else { return };
        handle.ask(cause.clone());
        if task.ask(cause) {
            self.queue.push_back(at);
        }
    }

    fn poll_handle(&mut self, at: usize, joiner: usize) {
        let task = &mut self.tasks[at];
        let Some(handle) = &mut task.handle else { return };
        assert_eq!(handle.is_finished(), task.outcome.is_some());
        let waker = Waker::from(task.joiners[joiner].clone());
        match Pin::new(handle).poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {
                assert!(task.outcome.is_none(), "told of the end");
                task.registered = Some(joiner);
            }
            Poll::Ready(result) => {
                task.got(result);
                task.handle = None;
            }
        }
    }

    fn drop_handle(&mut self, at: usize) {
        self.tasks[at].handle = None;
        self.tasks[at].registered = None;
    }

    fn handle_of(&mut self, at: usize, make: impl Fn(&JoinHandle<Output>) -> AbortHandle) {
        let handle = self.tasks[at].handle.as_ref().map(make);
        self.tasks[at].aborts.extend(handle);
    }

    fn check(&self) {
        for task in &self.tasks {
            let seen = task.seen.lock();
            assert_eq!(seen.polls, task.polls);
            let own = seen.own.as_ref().expect("made with it");
            let live = task.outcome.is_none();
            assert_eq!(own.is_finished(), !live);
            assert_eq!(own.is_aborted(), live && task.aborted);
            assert_eq!(own.is_asked(), live && (task.aborted || task.cause.is_some()));
            // The future, and afterwards the output until somebody has had it.
            let stands = live || (task.handle.is_some() && task.outcome == Some(Outcome::Done));
            assert_eq!(Arc::strong_count(&task.token), 1 + usize::from(stands));
            assert_eq!(Arc::strong_count(&task.seen), 1 + usize::from(live));
            for (at, joiner) in task.joiners.iter().enumerate() {
                assert_eq!(joiner.wakes(), task.wakes[at]);
                let kept = usize::from(task.registered == Some(at));
                assert_eq!(Arc::strong_count(joiner), 1 + kept, "wakers that are kept");
            }
        }
        let listed = self.tasks.iter().filter(|task| task.listed).count();
        assert_eq!(self.line.registry_of().len(), listed);
    }

    /// Everything is let go of, in the order in which a runtime does; nothing is left.
    fn end(mut self) {
        self.abort_all(Cause::Shutdown);
        while !self.queue.is_empty() {
            self.run_first(Act::End);
            self.check();
        }
        assert!(self.line.next().is_none() && self.line.registry_of().is_empty());
        assert!(self.tasks.iter().all(|task| task.outcome.is_some()));
        for at in 0..self.tasks.len() {
            self.poll_handle(at, 0);
            self.drop_handle(at);
        }
        self.check();
    }
}
