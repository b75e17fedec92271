//! The workloads: what each one does, what it measures, and which goals goro has there.
//!
//! A workload is one generic function of a [`Rival`](crate::rival::Rival), so that all rivals run the same shape with
//! the same counts. It warms up, times itself from inside a task of the rival, and gives a checksum
//! that must be the same for all. The two that end a runtime are functions of a [`Stop`] instead.
use crate::meter::Reading;
use crate::rival::Stop;
use crate::rival::talk::Talk;
use crate::rival::web::Web;
use crate::stats::curve;

mod accept;
mod channels;
mod connections;
mod echo;
mod fork_join;
mod http;
mod idle;
mod locks;
mod memory;
mod parking;
mod ping_pong;
mod skynet;
mod sleep;
mod spawn;
mod stall;
mod stop;
mod table;
mod talk;
mod throughput;
mod timeout;
mod tokens;
mod waits;
mod wake;
mod yields;

pub use channels::run as run_channels;
pub use connections::{CLIENT, client, room as descriptors};
pub use echo::serve as echoes;
pub use http::ready as ready_for_http;
pub use table::{BATCHES, GROUPS, Group};

/// One workload's entry in the table.
pub struct Workload {
    /// What `--only` calls it.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// How large it is, in whatever its function counts.
    pub size: Size,
    /// Who runs it.
    pub among: Among,
    /// The rivals that have no counterpart.
    pub without: &'static [&'static str],
    /// What it measures, the main figure first.
    pub metrics: &'static [Metric],
}

/// Which rivals a workload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Runtimes: [`rival::NAMES`](crate::rival::NAMES).
    Runtimes,
    /// Crates of channels: [`rival::CHANNELS`](crate::rival::CHANNELS).
    Channels,
}

impl Among {
    /// Their names, in the order in which a round runs them.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Runtimes => crate::rival::NAMES,
            Self::Channels => crate::rival::CHANNELS,
        }
    }
}

/// One figure of a workload; less is better in all of them.
pub struct Metric {
    /// Its name in the tables.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What a check holds goro to: a miss fails it.
    pub gates: &'static [Gate],
    /// What goro is to come to, relative to the best rival, where that is less than a gate.
    pub goal: Option<f64>,
}

impl Metric {
    /// What goro is to come to, relative to the best rival.
    pub fn to_reach(&self) -> Option<f64> {
        let gate = |gate: &Gate| match *gate {
            Gate::OfBest(most) => Some(most),
            Gate::Of(..) | Gate::AtMost(_) => None,
        };
        self.goal.or_else(|| self.gates.iter().find_map(gate))
    }
}

/// The most that goro may need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// Relative to the best rival of the same run.
    OfBest(f64),
    /// Relative to that rival.
    Of(&'static str, f64),
    /// In the metric's own unit.
    AtMost(f64),
}

/// How large a workload is in a full run and in a quick one.
#[derive(Clone, Copy)]
pub struct Size {
    /// To be measured by.
    pub full: usize,
    /// To see that it runs.
    pub quick: usize,
}

impl Size {
    /// One of the two.
    pub fn pick(self, quick: bool) -> usize {
        if quick { self.quick } else { self.full }
    }
}

/// All workloads, those of channels last.
pub fn every() -> impl Iterator<Item = &'static Workload> {
    GROUPS.iter().flat_map(Group::rows)
}

/// The workload of that name.
pub fn named(name: &str) -> Option<&'static Workload> {
    every().find(|workload| workload.name == name)
}

/// What one run of a workload on one rival gave.
pub struct Sample {
    /// Equal for all rivals, or something was not run.
    pub checksum: u64,
    /// One value for each of the workload's metrics, in their order.
    pub values: Vec<f64>,
}

impl Sample {
    /// Wall and CPU nanoseconds per operation.
    fn per_operation(checksum: u64, operations: usize, reading: Reading) -> Self {
        let per = |nanos: u128| nanos as f64 / operations as f64;
        Self { checksum, values: vec![per(reading.wall.as_nanos()), per(reading.cpu.as_nanos())] }
    }

    /// The same, and what [`Waits`](waits::Waits) told.
    fn with(mut self, told: impl IntoIterator<Item = f64>) -> Self {
        self.values.extend(told);
        self
    }

    /// The curve of latencies given in nanoseconds, in microseconds, and CPU microseconds each.
    fn latencies(checksum: u64, nanos: Vec<u64>, reading: Reading) -> Self {
        let cpu = reading.cpu.as_nanos() as f64 / 1e3 / nanos.len() as f64;
        let mut values = micros(nanos);
        values.push(cpu);
        Self { checksum, values }
    }
}

/// The curve of latencies given in nanoseconds, in microseconds.
fn micros(nanos: Vec<u64>) -> Vec<f64> {
    curve(nanos).map(|nanos| nanos as f64 / 1e3).into()
}

/// Runs a workload of that name and size on a rival that has been started; `None` if it is not
/// known here.
pub fn run<R: Talk + Web>(name: &str, rival: R, size: usize) -> Option<Sample> {
    Some(match name {
        "spawn_join" => spawn::join(rival, false, size),
        "spawn_many" => spawn::join(rival, true, size),
        "spawn_detached" => spawn::detached(rival, size),
        "chained_spawn" => spawn::chained(rival, size),
        "fork_join" => fork_join::fib(rival, u32::try_from(size).ok()?),
        "skynet" => skynet::skynet(rival, u32::try_from(size).ok()?),
        "yield" => yields::yields(rival, size),
        "ping_pong_1" => ping_pong::ping_pong(rival, 1, size),
        "ping_pong_1000" => ping_pong::ping_pong(rival, 1000, size),
        "spawn_foreign" => spawn::foreign(rival, size),
        "wake_foreign" => wake::foreign(rival, size),
        "timeout_ready" => timeout::ready_in_time(rival, size),
        "timeout_pending" => timeout::pending_once(rival, size),
        "timeout_receive" => ping_pong::with_timeout(rival, size),
        "timeout_fires" => timeout::fires(rival, size),
        "sleep_50us" => sleep::lateness(rival, 50, size),
        "sleep_300us" => sleep::lateness(rival, 300, size),
        "sleep_5ms" => sleep::lateness(rival, 5000, size),
        "timer_storm" => sleep::storm(rival, size),
        "echo_1" => echo::echo(rival, 1, size),
        "echo_64" => echo::echo(rival, 64, size),
        "tcp_1" => throughput::tcp(rival, 1, size),
        "tcp_8" => throughput::tcp(rival, 8, size),
        "http" => http::plain_text(rival, size),
        "accept" => accept::accept(rival, size),
        "idle_connections" => connections::idle(rival, size),
        "parked_memory" => memory::parked::<_, 0>(rival, size),
        "parked_channel" => memory::on_own_channels(rival, size),
        "channel_bytes" => memory::channels(rival, size),
        "parked_memory_256" => memory::parked::<_, 240>(rival, size),
        "idle" => idle::idle(rival, size),
        "mutex" => locks::mutex(rival, size),
        "mutex_yield" => locks::mutex_yield(rival, size),
        "mutex_alone" => locks::alone(rival, size),
        "rwlock_read" => locks::read_mostly(rival, size),
        "rwlock_read_yield" => locks::read_mostly_yield(rival, size),
        "rwlock_write" => locks::write_heavy(rival, size),
        "rwlock_write_yield" => locks::write_heavy_yield(rival, size),
        "semaphore" => locks::semaphore(rival, size),
        "notify" => locks::notify(rival, size),
        "lock_bytes" => locks::bytes(rival, size),
        "cancel_tree" => tokens::tree(rival, size),
        "cancel_tasks" => tokens::tasks(rival, size),
        "stall_1" => stall::stall(rival, 1, stall::Poll::Computes, size),
        "stall_2" => stall::stall(rival, 2, stall::Poll::Computes, size),
        "stall_4" => stall::stall(rival, 4, stall::Poll::Computes, size),
        "stall_8" => stall::stall(rival, 8, stall::Poll::Computes, size),
        "stall_80" => stall::stall(rival, 80, stall::Poll::Computes, size),
        "stall_asleep_1" => stall::stall(rival, 1, stall::Poll::Sleeps, size),
        "stall_asleep_4" => stall::stall(rival, 4, stall::Poll::Sleeps, size),
        "stall_woken" => stall::woken(rival, size),
        "request_1" => talk::request(rival, 1, size),
        "request_1000" => talk::request(rival, 1000, size),
        "select_4" => talk::select_4(rival, size),
        "select_50" => talk::select_50(rival, size),
        "receive_50" => talk::receive_50(rival, size),
        "sieve" => talk::sieve(rival, size),
        "pipeline_own" => talk::pipeline(rival, true, size),
        "pipeline_shared" => talk::pipeline(rival, false, size),
        "watch_8" => talk::watch(rival, size),
        "broadcast_8" => talk::broadcast(rival, size),
        _ => return None,
    })
}

/// The same for the workloads that start and end runtimes themselves.
pub fn run_stop<S: Stop>(name: &str, workers: usize, size: usize) -> Option<Sample> {
    Some(match name {
        "runtime_cycle" => stop::cycle::<S>(workers, size),
        "hard_stop" => stop::hard::<S>(workers, size),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{every, named};
    use crate::rival;

    #[test]
    fn each_name_finds_its_own_workload() {
        for workload in every() {
            assert!(std::ptr::eq(named(workload.name).unwrap(), workload));
        }
    }

    #[test]
    fn who_is_left_out_or_held_against_is_a_rival() {
        for workload in every() {
            let held = workload.metrics.iter().flat_map(|metric| metric.gates);
            let held = held.filter_map(|gate| match gate {
                super::Gate::Of(rival, _) => Some(rival),
                super::Gate::OfBest(_) | super::Gate::AtMost(_) => None,
            });
            for name in workload.without.iter().chain(held) {
                assert!(workload.among.names().contains(name) && *name != rival::GORO, "{name}");
            }
        }
    }
}
