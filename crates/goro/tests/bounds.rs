//! Which of all public types may go to another thread, and be shared with one.
//!
//! A row has a letter for each of four kinds of `T`: one that is `Send` and `Sync`, one that is only `Send` (`Cell`), only
//! `Sync` (`MutexGuard`), and neither (`Rc`). `b` stands for both, `s` for `Send`, `y` for `Sync`, `-` for neither. A type
//! that is public and has no row fails the test.
#![cfg(all(feature = "macros", feature = "net", feature = "sim"))]
#![allow(
    missing_docs,
    clippy::disallowed_types,
    reason = "a test uses the crate as a program does"
)]

#[path = "support/matrix.rs"]
mod matrix;

use std::future::Ready;

use matrix::Row;

/// A future that fails or not.
type Tries<T> = Ready<Result<T, u8>>;
/// Streams of `T`, all of them there.
type Streams<T> = futures::stream::Iter<std::option::IntoIter<T>>;

fn spawning_and_runtimes() -> Vec<Row> {
    matrix! {
        goro::BlockOnError<T>: "bsy-",
        goro::SpawnError<T>: "bsy-",
        goro::blocking::Config: "bbbb",
        goro::blocking::Pool: "bbbb",
        goro::blocking::Refused<T>: "bsy-",
        goro::runtime::BuildError: "bbbb",
        goro::runtime::Builder: "bbbb",
        goro::runtime::DrainPolicy: "bbbb",
        goro::runtime::EnterGuard<'static>: "----",
        goro::runtime::Guard: "bbbb",
        goro::runtime::Guarded<Ready<T>>: "bsy-",
        goro::runtime::Handle: "bbbb",
        goro::runtime::Held: "bbbb",
        goro::runtime::Holdup: "bbbb",
        goro::runtime::LocalRuntime: "----",
        goro::runtime::Metrics: "bbbb",
        goro::runtime::NoRuntime: "bbbb",
        goro::runtime::Phase: "bbbb",
        goro::runtime::PoolMetrics: "bbbb",
        goro::runtime::QueueReport: "bbbb",
        goro::runtime::ResizeError: "bbbb",
        goro::runtime::Runtime: "bbbb",
        goro::runtime::ShutdownHandle: "bbbb",
        goro::runtime::ShutdownReport: "bbbb",
        goro::runtime::Stall: "bbbb",
        goro::runtime::Waits: "bbbb",
        goro::runtime::WorkerMetrics: "bbbb",
        goro::task::AbortHandle: "bbbb",
        goro::task::AbortOnDrop<T>: "bb--",
        goro::task::Builder<'static>: "bbbb",
        goro::task::Cancelling<T>: "bb--",
        goro::task::Cause: "bbbb",
        goro::task::ChildError<T>: "bsy-",
        goro::task::Group<T, u8>: "bb--",
        goro::task::Group<u8, T>: "bb--",
        goro::task::GroupError<T>: "bsy-",
        goro::task::Id: "bbbb",
        goro::task::JoinError: "bbbb",
        goro::task::JoinHandle<T>: "bb--",
        goro::task::JoinSet<T>: "bb--",
        goro::task::LocalChild<T>: "bb--",
        goro::task::LocalScope<'static>: "bbbb",
        goro::task::Member: "bbbb",
        goro::task::PanicPolicy: "bbbb",
        goro::task::Policy: "bbbb",
        goro::task::Scope<'static, 'static>: "bbbb",
        goro::task::ScopedChild<T>: "bb--",
        goro::task::TaskGroup<T, u8>: "bbbb",
        goro::task::TaskGroup<u8, T>: "bbbb",
        goro::task::WaitGroup: "bbbb",
        goro::task::YieldNow: "bbbb",
        goro::signal::Signal: "bbbb",
        goro::signal::SignalKind: "bbbb",
    }
}

fn channels() -> Vec<Row> {
    matrix! {
        goro::broadcast::Counts: "bbbb",
        goro::broadcast::OnLag: "bbbb",
        goro::broadcast::Receiver<T>: "b---",
        goro::broadcast::RecvError: "bbbb",
        goro::broadcast::RecvFuture<'static, T>: "b---",
        goro::broadcast::RecvTimeout<'static, T>: "b---",
        goro::broadcast::RecvTimeoutError: "bbbb",
        goro::broadcast::SendError<T>: "bsy-",
        goro::broadcast::SendFuture<'static, T>: "b---",
        goro::broadcast::Sender<T>: "b---",
        goro::broadcast::TryRecvError: "bbbb",
        goro::broadcast::TrySendError<T>: "bsy-",
        goro::channel::Builder<T>: "bbbb",
        goro::channel::Closed: "bbbb",
        goro::channel::ClosedFuture<'static, T>: "bb--",
        goro::channel::ForceSendError<T>: "bsy-",
        goro::channel::Lease<T>: "bs--",
        goro::channel::Overflow: "bbbb",
        goro::channel::Permit<'static, T>: "bb--",
        goro::channel::PermitError<T>: "bsy-",
        goro::channel::Reason: "bbbb",
        goro::channel::Receiver<T>: "bb--",
        goro::channel::RecvError: "bbbb",
        goro::channel::RecvFuture<'static, T>: "bb--",
        goro::channel::RecvLease<'static, T>: "bb--",
        goro::channel::RecvMany<'static, T>: "bs--",
        goro::channel::RecvStream<&'static goro::channel::Receiver<T>, T>: "bb--",
        goro::channel::RecvTimeout<'static, T>: "bb--",
        goro::channel::RecvTimeoutError: "bbbb",
        goro::channel::Reserve<'static, T>: "bb--",
        goro::channel::SendError<T>: "bsy-",
        goro::channel::SendFuture<'static, T>: "bs--",
        goro::channel::SendMany<'static, T>: "bs--",
        goro::channel::SendManyError<T>: "bsy-",
        goro::channel::SendSink<T>: "bb--",
        goro::channel::SendTimeout<'static, T>: "bs--",
        goro::channel::SendTimeoutError<T>: "bsy-",
        goro::channel::Sender<T>: "bb--",
        goro::channel::TryRecvError: "bbbb",
        goro::channel::TrySendError<T>: "bsy-",
        goro::channel::WeakReceiver<T>: "bb--",
        goro::channel::WeakSender<T>: "bb--",
        goro::oneshot::Closed<'static, T>: "bb--",
        goro::oneshot::Receiver<T>: "bb--",
        goro::oneshot::RecvError: "bbbb",
        goro::oneshot::RecvTimeout<'static, T>: "bb--",
        goro::oneshot::RecvTimeoutError: "bbbb",
        goro::oneshot::SendError<T>: "bsy-",
        goro::oneshot::Sender<T>: "bb--",
        goro::oneshot::TryRecvError: "bbbb",
        goro::request::CallError<T>: "bsy-",
        goro::request::Client<T, u8>: "bb--",
        goro::request::Client<u8, T>: "bb--",
        goro::request::Reply<T>: "bb--",
        goro::request::Server<T, u8>: "bb--",
        goro::request::Server<u8, T>: "bb--",
        goro::request::Unwanted<T>: "bsy-",
        goro::watch::AllGone<'static, T>: "b---",
        goro::watch::Changed<'static, T>: "b---",
        goro::watch::ChangedError: "bbbb",
        goro::watch::Closed: "bbbb",
        goro::watch::Receiver<T>: "b---",
        goro::watch::Seen<T>: "b---",
        goro::watch::SendError<T>: "bsy-",
        goro::watch::Sender<T>: "b---",
        goro::watch::WaitFor<'static, T, fn(&T) -> bool>: "b---",
    }
}

fn locks_and_tokens() -> Vec<Row> {
    matrix! {
        goro::sync::AcquireError: "bbbb",
        goro::sync::Barrier: "bbbb",
        goro::sync::BarrierWait: "bbbb",
        goro::sync::Event: "bbbb",
        goro::sync::FairMutex<T>: "bb--",
        goro::sync::LazyCell<T, fn()>: "bs--",
        goro::sync::Mutex<T>: "bb--",
        goro::sync::MutexGuard<'static, T>: "bsy-",
        goro::sync::Notified<'static>: "bbbb",
        goro::sync::Notify: "bbbb",
        goro::sync::OnceCell<T>: "bs--",
        goro::sync::OwnedMutexGuard<T, u8>: "bb--",
        goro::sync::OwnedMutexGuard<u8, T>: "bsy-",
        goro::sync::OwnedPermit: "bbbb",
        goro::sync::OwnedRwLockReadGuard<T, u8>: "b---",
        goro::sync::OwnedRwLockReadGuard<u8, T>: "b-b-",
        goro::sync::OwnedRwLockWriteGuard<T, u8>: "b---",
        goro::sync::OwnedRwLockWriteGuard<u8, T>: "b-y-",
        goro::sync::Permit<'static>: "bbbb",
        goro::sync::Pool<T>: "bb--",
        goro::sync::PoolStats: "bbbb",
        goro::sync::Pooled<'static, T>: "bs--",
        goro::sync::RwLock<T>: "bs--",
        goro::sync::RwLockReadGuard<'static, T>: "b-b-",
        goro::sync::RwLockWriteGuard<'static, T>: "b-y-",
        goro::sync::Semaphore: "bbbb",
        goro::sync::SetError<T>: "bsy-",
        goro::sync::SingleFlight<T, u8>: "b---",
        goro::sync::SingleFlight<u8, T>: "b---",
        goro::sync::TooManyPermits: "bbbb",
        goro::sync::TryAcquireError: "bbbb",
        goro::sync::TryLockError: "bbbb",
        goro::sync::WaitAtBarrier<'static>: "bbbb",
        goro::sync::WaitForEvent<'static>: "bbbb",
        goro::cancel::CancellationToken: "bbbb",
        goro::cancel::Cancelled: "bbbb",
        goro::cancel::DropGuard: "bbbb",
        goro::cancel::OnCancel: "bbbb",
        goro::cancel::RunUntilCancelled<'static, Ready<T>>: "bsy-",
        goro::cancel::Scope<Ready<T>>: "bsy-",
        goro::cancel::Shield<Ready<T>>: "bsy-",
        goro::cancel::WaitForCancellation<'static>: "bbbb",
        goro::cancel::WaitForCancellationOwned: "bbbb",
    }
}

fn races_and_selects() -> Vec<Row> {
    matrix! {
        goro::race::FirstOk2<Tries<T>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk2<Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk3<Tries<T>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk3<Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk4<Tries<T>, Tries<u8>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk4<Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk5<Tries<T>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk5<Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk6<Tries<T>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk6<Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk7<Tries<T>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk7<Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::FirstOk8<Tries<T>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, u8>: "bsy-",
        goro::race::FirstOk8<Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, Tries<u8>, T>: "bsy-",
        goro::race::OneOf2<T, u8>: "bsy-",
        goro::race::OneOf3<T, u8, u8>: "bsy-",
        goro::race::OneOf4<T, u8, u8, u8>: "bsy-",
        goro::race::OneOf5<T, u8, u8, u8, u8>: "bsy-",
        goro::race::OneOf6<T, u8, u8, u8, u8, u8>: "bsy-",
        goro::race::OneOf7<T, u8, u8, u8, u8, u8, u8>: "bsy-",
        goro::race::OneOf8<T, u8, u8, u8, u8, u8, u8, u8>: "bsy-",
        goro::race::Race2<Ready<T>, Ready<u8>>: "bsy-",
        goro::race::Race3<Ready<T>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::race::Race4<Ready<T>, Ready<u8>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::race::Race5<Ready<T>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::race::Race6<Ready<T>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::race::Race7<Ready<T>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::race::Race8<Ready<T>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>, Ready<u8>>: "bsy-",
        goro::select::AssertCancelSafe<Ready<T>>: "bsy-",
        goro::select::Branch: "bbbb",
        goro::select::Next<'static, T, Streams<u8>>: "bsy-",
        goro::select::Next<'static, u8, Streams<T>>: "bsy-",
        goro::select::Select<T, Streams<u8>>: "bsy-",
        goro::select::Select<u8, Streams<T>>: "bsy-",
        goro::select::Selected<T, u8>: "bsy-",
        goro::select::Selected<u8, T>: "bsy-",
    }
}

fn time_and_sockets() -> Vec<Row> {
    matrix! {
        goro::time::Deadline: "bbbb",
        goro::time::Elapsed: "bbbb",
        goro::time::Interval: "bbbb",
        goro::time::MissedTickBehavior: "bbbb",
        goro::time::Sleep: "bbbb",
        goro::time::Timeout<Ready<T>>: "bsy-",
        goro::net::Target: "bbbb",
        goro::net::tcp::Incoming<'static>: "bbbb",
        goro::net::tcp::OwnedReadHalf: "bbbb",
        goro::net::tcp::OwnedWriteHalf: "bbbb",
        goro::net::tcp::ReadHalf<'static>: "bbbb",
        goro::net::tcp::ReuniteError: "bbbb",
        goro::net::tcp::TcpListener: "bbbb",
        goro::net::tcp::TcpStream: "bbbb",
        goro::net::tcp::WriteHalf<'static>: "bbbb",
    }
}

fn simulations() -> Vec<Row> {
    matrix! {
        goro::sim::Failure: "bbbb",
        goro::sim::Faults: "bbbb",
        goro::sim::Kind: "bbbb",
        goro::sim::Log: "bbbb",
        goro::sim::Op: "bbbb",
        goro::sim::PollContract<Ready<T>>: "bsy-",
        goro::sim::Schedule: "bbbb",
        goro::sim::Sim: "bbbb",
        goro::sim::Stall: "bbbb",
        goro::sim::Waiting: "bbbb",
        goro::sim::mock::Played: "bbbb",
        goro::sim::mock::Receives<T>: "ssss",
        goro::sim::mock::Sends<T>: "bsy-",
        goro::sim::net::Conditions: "bbbb",
    }
}

/// Pitfalls 1 to 6: what users can name is as free as its value lets it be, and no freer.
#[test]
fn every_public_type_goes_where_its_value_may_go() {
    let mut rows = Vec::new();
    rows.extend(spawning_and_runtimes());
    rows.extend(channels());
    rows.extend(locks_and_tokens());
    rows.extend(races_and_selects());
    rows.extend(time_and_sockets());
    rows.extend(simulations());
    matrix::check_rows(&rows, include_str!("api.txt"));
}
