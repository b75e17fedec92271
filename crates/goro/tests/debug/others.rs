//! Races, selects, time, sockets, simulations.

use std::future::{Ready, ready};
use std::time::Duration;

use futures::stream;
use goro::net::{Target, TcpListener, TcpStream};
use goro::race::{self, OneOf2, OneOf3, OneOf4, OneOf5, OneOf6, OneOf7, OneOf8};
use goro::select::{Select, Selected, cancel_safe};
use goro::sim::{self, Failure, Faults, Kind, Op, Schedule, Sim, mock, net::Conditions};
use goro::time::{self, Deadline, MissedTickBehavior};

use crate::shown::{Shown, poll, waits};

const LATER: Duration = Duration::from_secs(3600);

fn tries() -> Ready<Result<u8, u8>> {
    ready(Ok(1))
}

pub(crate) fn races_and_selects(shown: &mut Shown) {
    let r = || ready(1);
    shown.add("race::Race2", "not polled", &race::race((r(), r())));
    shown.add("race::Race3", "not polled", &race::race((r(), r(), r())));
    shown.add("race::Race4", "not polled", &race::race((r(), r(), r(), r())));
    shown.add("race::Race5", "not polled", &race::race((r(), r(), r(), r(), r())));
    shown.add("race::Race6", "not polled", &race::race((r(), r(), r(), r(), r(), r())));
    shown.add("race::Race7", "not polled", &race::race((r(), r(), r(), r(), r(), r(), r())));
    shown.add("race::Race8", "not polled", &race::race((r(), r(), r(), r(), r(), r(), r(), r())));
    let t = tries;
    shown.add("race::FirstOk2", "not polled", &race::race_ok((t(), t())));
    shown.add("race::FirstOk3", "not polled", &race::race_ok((t(), t(), t())));
    shown.add("race::FirstOk4", "not polled", &race::race_ok((t(), t(), t(), t())));
    shown.add("race::FirstOk5", "not polled", &race::race_ok((t(), t(), t(), t(), t())));
    shown.add("race::FirstOk6", "not polled", &race::race_ok((t(), t(), t(), t(), t(), t())));
    shown.add("race::FirstOk7", "not polled", &race::race_ok((t(), t(), t(), t(), t(), t(), t())));
    let eight = race::race_ok((t(), t(), t(), t(), t(), t(), t(), t()));
    shown.add("race::FirstOk8", "not polled", &eight);
    shown.add("race::OneOf2", "first", &OneOf2::<u8, u8>::A(1));
    shown.add("race::OneOf2", "last", &OneOf2::<u8, u8>::B(1));
    shown.add("race::OneOf3", "last", &OneOf3::<u8, u8, u8>::C(1));
    shown.add("race::OneOf4", "last", &OneOf4::<u8, u8, u8, u8>::D(1));
    shown.add("race::OneOf5", "last", &OneOf5::<u8, u8, u8, u8, u8>::E(1));
    shown.add("race::OneOf6", "last", &OneOf6::<u8, u8, u8, u8, u8, u8>::F(1));
    shown.add("race::OneOf7", "last", &OneOf7::<u8, u8, u8, u8, u8, u8, u8>::G(1));
    shown.add("race::OneOf8", "last", &OneOf8::<u8, u8, u8, u8, u8, u8, u8, u8>::H(1));
    let mut select = Select::new();
    shown.add("select::Select", "empty", &select);
    let branch = select.insert("numbers", stream::pending::<u8>());
    shown.add("select::Select", "one branch", &select);
    shown.add("select::Branch", "some", &branch);
    let mut next = select.next();
    shown.add("select::Next", "not polled", &next);
    waits(&mut next);
    shown.add("select::Selected", "an item", &Selected::Item("numbers", 1));
    shown.add("select::Selected", "ended", &Selected::<_, u8>::Ended("numbers"));
    shown.add("select::AssertCancelSafe", "not polled", &cancel_safe(ready(1)));
}

pub(crate) fn time(shown: &mut Shown) {
    let mut deadline = Deadline::after(LATER);
    shown.add("time::Deadline", "not armed", &deadline);
    let mut polled = std::future::poll_fn(|cx| deadline.poll(cx));
    waits(&mut polled);
    shown.add("time::Deadline", "armed", &deadline);
    let mut sleep = Box::pin(time::sleep(LATER));
    shown.add("time::Sleep", "not polled", &sleep);
    waits(&mut sleep);
    shown.add("time::Sleep", "waiting", &sleep);
    let mut over = Box::pin(time::sleep(Duration::ZERO));
    assert!(poll(&mut over).is_ready());
    shown.add("time::Sleep", "over", &over);
    shown.add("time::Interval", "not polled", &time::interval(LATER));
    shown.add("time::MissedTickBehavior", "burst", &MissedTickBehavior::Burst);
    shown.add("time::MissedTickBehavior", "delay", &MissedTickBehavior::Delay);
    shown.add("time::MissedTickBehavior", "skip", &MissedTickBehavior::Skip);
    shown.add("time::Timeout", "not polled", &time::timeout(LATER, ready(1)));
    let late = goro::block_on(time::timeout(Duration::ZERO, std::future::pending::<()>()));
    shown.add("time::Elapsed", "late", &late.unwrap_err());
}

pub(crate) fn sockets(shown: &mut Shown) {
    shown.add("net::Target", "a name", &Target::Name { host: "here".into(), port: 1 });
    shown.add("net::Target", "addresses", &Target::Addresses(Vec::new()));
    goro::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        shown.add("net::tcp::TcpListener", "listening", &listener);
        shown.add("net::tcp::Incoming", "not polled", &listener.incoming());
        let mut one = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let other = listener.accept().await.unwrap().0;
        shown.add("net::tcp::TcpStream", "connected", &one);
        let (reader, writer) = TcpStream::split(&mut one);
        shown.add("net::tcp::ReadHalf", "lent", &reader);
        shown.add("net::tcp::WriteHalf", "lent", &writer);
        let ((reader, _one), (_other, writer)) = (one.into_split(), other.into_split());
        shown.add("net::tcp::OwnedReadHalf", "owned", &reader);
        shown.add("net::tcp::OwnedWriteHalf", "owned", &writer);
        shown.add("net::tcp::ReuniteError", "strangers", &reader.reunite(writer).unwrap_err());
    });
}

pub(crate) fn simulations(shown: &mut Shown) {
    shown.add("sim::Sim", "plain", &Sim::new(1));
    shown.add("sim::Sim", "with workers", &Sim::new(1).workers(3));
    shown.add("sim::Faults", "none", &Faults::none());
    shown.add("sim::Faults", "bearable", &Faults::bearable());
    shown.add("sim::Schedule", "random", &Schedule::Random);
    shown.add("sim::Schedule", "by priority", &Schedule::Pct { depth: 3 });
    shown.add("sim::net::Conditions", "plain", &Conditions::new());
    shown.add("sim::net::Conditions", "with a short queue", &Conditions::new().backlog(3));
    shown.add("sim::Kind", "other", &Kind::OTHER);
    shown.add("sim::Op", "nothing", &Op::Nothing);
    shown.add("sim::Op", "receiving", &Op::Recv);
    let stalled = Sim::new(1).run(async {
        drop(goro::spawn(std::future::pending::<()>()));
        std::future::pending::<()>().await;
    });
    let failure = stalled.unwrap_err();
    shown.add("sim::Failure", "stalled", &failure);
    let Failure::Stalled(stall) = failure else { panic!("a stall") };
    shown.add("sim::Waiting", "a task", &stall.tasks[0]);
    shown.add("sim::Stall", "one task", &stall);
    let endless = Sim::new(1).max_steps(50).run(async {
        loop {
            goro::task::yield_now().await;
        }
    });
    shown.add("sim::Failure", "endless", &endless.map(|()| 0).unwrap_err());
    let (_, log) = Sim::new(1).trace(async {});
    shown.add("sim::Log", "short", &log);
    let contract = sim::poll_contract(ready(1));
    shown.add("sim::PollContract", "not polled", &contract);
    let sends = mock::Sends::script().send(1_u8);
    shown.add("sim::mock::Sends", "one step", &sends);
    let receives = mock::Receives::script().expect(1_u8);
    shown.add("sim::mock::Receives", "one step", &receives);
    let runtime = goro::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let (_rx, played) = sends.play(1);
    shown.add("sim::mock::Played", "playing", &played);
}
