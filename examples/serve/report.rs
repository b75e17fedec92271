//! What `--drive` prints: one screen, and one verdict.

use std::fmt;
use std::time::Duration;

use super::histogram::Histogram;

/// The width of the longest bar.
const BAR: usize = 40;

/// What was measured.
pub struct Report {
    pub connections: usize,
    pub elapsed: Duration,
    pub rows: Vec<Row>,
    /// Tasks spawned, by server and client.
    pub tasks: u64,
    pub workers: Vec<Worker>,
    /// Requests that the server says it has answered.
    pub served: u64,
    /// Every connection had closed when the server ended.
    pub drained: bool,
}

/// The requests to one target.
pub struct Row {
    pub target: &'static str,
    pub latencies: Histogram,
    pub sent: u64,
    /// Those with the right answer.
    pub right: u64,
}

/// One worker of the runtime.
pub struct Worker {
    /// The share of time it was awake, 0 to 1.
    pub busy: f64,
    pub polls: u64,
    pub parks: u64,
    pub steals: u64,
}

impl Report {
    /// Whether there were requests, each had the right answer, and the server answered no others.
    pub fn is_complete(&self) -> bool {
        let sent = self.sent();
        sent > 0 && self.lost() == 0 && self.served == sent && self.drained
    }

    fn sent(&self) -> u64 {
        self.rows.iter().map(|row| row.sent).sum()
    }

    fn lost(&self) -> u64 {
        self.rows.iter().map(|row| row.sent - row.right).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        writeln!(f, "{} connections for {seconds:.1} s\n", self.connections)?;
        writeln!(f, "requests  {:>12}", Grouped(self.sent()))?;
        writeln!(f, "errors    {:>12}", Grouped(self.lost()))?;
        writeln!(f, "req/s     {:>12}\n", Grouped((self.sent() as f64 / seconds) as u64))?;

        let mut all = Histogram::new();
        self.rows.iter().for_each(|row| all.merge(&row.latencies));
        let head = ["requests", "p50", "p99", "p99.9", "max"];
        write!(f, "{:<16}", "latency")?;
        head.iter().try_for_each(|column| write!(f, "{column:>12}"))?;
        writeln!(f)?;
        for row in &self.rows {
            line(f, row.target, &row.latencies)?;
        }
        line(f, "all", &all)?;

        writeln!(f)?;
        bars(f, &all)?;

        writeln!(f, "\ntasks spawned {:>12}", Grouped(self.tasks))?;
        for (index, worker) in self.workers.iter().enumerate() {
            let Worker { busy, polls, parks, steals } = *worker;
            let busy = (busy * 100.0).min(100.0);
            write!(f, "worker {index:<3}    {busy:>10.1} % busy")?;
            writeln!(f, "  {polls} polls  {parks} parks  {steals} steals")?;
        }

        writeln!(f)?;
        match (self.is_complete(), self.drained) {
            (true, _) => writeln!(f, "no request was lost"),
            (false, false) => writeln!(f, "FAILED: the server ended with connections open"),
            (false, true) => writeln!(
                f,
                "FAILED: {} requests sent, {} answered, {} lost",
                self.sent(),
                self.served,
                self.lost()
            ),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, latencies: &Histogram) -> fmt::Result {
    let quantiles = [0.5, 0.99, 0.999].map(|quantile| latencies.quantile(quantile));
    write!(f, "{name:<16}{:>12}", Grouped(latencies.total()))?;
    for latency in quantiles.iter().chain([&latencies.longest()]) {
        write!(f, "{:>12}", Short(*latency))?;
    }
    writeln!(f)
}

fn bars(f: &mut fmt::Formatter<'_>, latencies: &Histogram) -> fmt::Result {
    let octaves = latencies.octaves();
    let highest = octaves.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    for (edge, count) in octaves {
        // Rounded up: what is there can be seen.
        let width = (count as usize * BAR).div_ceil(highest as usize);
        writeln!(f, "  < {:>8} |{:<BAR$}| {}", Short(edge), "#".repeat(width), Grouped(count))?;
    }
    Ok(())
}

/// A number with its digits in groups of three.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A duration in three digits or four and the unit that suits it.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_secs_f64() * 1e6;
        let (value, unit) = match micros {
            ..1e3 => (micros, "us"),
            1e3..1e6 => (micros / 1e3, "ms"),
            _ => (micros / 1e6, "s"),
        };
        let decimals = match value {
            _ if unit == "us" => 0,
            ..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        f.pad(&format!("{value:.decimals$} {unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Grouped, Histogram, Report, Row, Short, Worker};
    use std::time::Duration;

    fn row(target: &'static str, micros: &[u64]) -> Row {
        let mut latencies = Histogram::new();
        micros.iter().for_each(|&micros| latencies.record(Duration::from_micros(micros)));
        let count = micros.len() as u64;
        Row { target, latencies, sent: count, right: count }
    }

    fn report() -> Report {
        Report {
            connections: 2,
            elapsed: Duration::from_secs(2),
            rows: vec![row("/", &[100, 100, 200]), row("/work?ms=1", &[1500])],
            tasks: 12_345,
            workers: vec![Worker { busy: 0.5, polls: 7, parks: 8, steals: 9 }],
            served: 4,
            drained: true,
        }
    }

    #[test]
    fn numbers_and_durations_are_readable() {
        let grouped = [0, 12, 999, 1_000, 1_234_567].map(|number| Grouped(number).to_string());
        assert_eq!(grouped, ["0", "12", "999", "1,000", "1,234,567"]);
        let micros = [0, 7, 999, 1_500, 15_500, 155_500, 2_000_000];
        let short = micros.map(|micros| Short(Duration::from_micros(micros)).to_string());
        assert_eq!(short, ["0 us", "7 us", "999 us", "1.50 ms", "15.5 ms", "156 ms", "2.00 s"]);
    }

    #[test]
    fn the_report_says_what_was_measured() {
        let text = report().to_string();
        let line = |start: &str| {
            let mut lines = text.lines().filter(|line| line.trim_start().starts_with(start));
            let line = lines.next().unwrap_or_else(|| panic!("no line {start} in:\n{text}"));
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("2 connections"), "2 connections for 2.0 s");
        assert_eq!(line("requests"), "requests 4");
        assert_eq!(line("req/s"), "req/s 2");
        assert_eq!(line("/work"), "/work?ms=1 1 1.50 ms 1.50 ms 1.50 ms 1.50 ms");
        assert_eq!(line("<   128 us").split('|').next(), Some("< 128 us "));
        assert_eq!(line("<   128 us").matches('#').count(), super::BAR);
        assert_eq!(line("tasks"), "tasks spawned 12,345");
        assert_eq!(line("worker 0"), "worker 0 50.0 % busy 7 polls 8 parks 9 steals");
        assert!(text.ends_with("no request was lost\n"));
        assert!(text.lines().all(|line| line.len() <= 80), "too wide:\n{text}");
    }

    #[test]
    fn whatever_is_missing_fails_the_report() {
        assert!(report().is_complete());
        let lost = |change: fn(&mut Report)| {
            let mut report = report();
            change(&mut report);
            assert!(report.to_string().contains("FAILED"));
            !report.is_complete()
        };
        assert!(lost(|report| report.rows[0].right -= 1));
        assert!(lost(|report| report.served += 1));
        assert!(lost(|report| report.drained = false));
        assert!(lost(|report| {
            report.rows.clear();
            report.served = 0;
        }));
    }
}
