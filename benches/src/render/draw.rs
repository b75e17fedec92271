//! A run's plots: ratios by group, and latencies.
use std::fs;
use std::path::Path;

use super::Report;
use crate::chart::{self, Bar, Bars, Panel, Panels, Part, Scale};
use crate::workload::{GROUPS, Group};

/// The metrics that make a latency curve, from the left.
const PERCENTILES: &[&str] = &["p50", "p90", "p99", "p99.9", "max"];

impl Report {
    /// Draws each group's ratios, and the latencies of each workload that has them, into a folder.
    ///
    /// # Errors
    ///
    /// The folder could not be written.
    pub fn draw(&self, folder: &Path) -> Result<(), String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let write = |name: String, text: String| {
            let file = folder.join(name);
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
        };
        let subtitle = format!("{}, {}", self.fact("processor"), self.fact("date"));
        for group in GROUPS {
            let bars = self.bars(group);
            if !bars.is_empty() {
                let (title, subtitle) = (group.title.to_owned(), subtitle.clone());
                let chart = Bars { title, subtitle, bars };
                write(format!("ratios-{}.svg", group.name), chart::bars(&chart))?;
            }
            for row in group.rows() {
                let panels = self.latencies(row.name);
                if !panels.is_empty() {
                    let title = format!("{}: {}", row.name, row.about);
                    let chart = Panels { title, subtitle: subtitle.clone(), panels };
                    write(format!("latency-{}.svg", row.name), chart::curves(&chart))?;
                }
            }
        }
        Ok(())
    }

    /// One bar for each metric of a group that goro is held against the best rival in.
    fn bars(&self, group: &Group) -> Vec<Bar> {
        let mut bars: Vec<Bar> = Vec::new();
        for line in self.of(group) {
            let Some(standing) = line.best() else { continue };
            let name = format!("{}, {}", line.workload, line.metric);
            let (low, high) = standing.range.unwrap_or((f64::NAN, f64::NAN));
            let part = Part { workers: line.workers, ratio: standing.ratio, low, high };
            match bars.iter_mut().find(|bar| bar.name == name) {
                Some(bar) => bar.parts.push(part),
                None => bars.push(Bar { name, goal: standing.goal, parts: vec![part] }),
            }
        }
        bars
    }

    /// A panel for each number of workers, with a curve for each rival, if the workload has all
    /// percentiles.
    fn latencies(&self, workload: &str) -> Vec<Panel> {
        let of = |metric: &str, workers: u64| {
            self.lines.iter().find(|line| {
                line.workload == workload && line.metric == metric && line.workers == workers
            })
        };
        let mut workers: Vec<u64> = Vec::new();
        for line in self.lines.iter().filter(|line| line.workload == workload) {
            if !workers.contains(&line.workers) {
                workers.push(line.workers);
            }
        }
        let panel = |workers: u64| {
            let lines: Option<Vec<_>> =
                PERCENTILES.iter().map(|metric| of(metric, workers)).collect();
            let lines = lines?;
            let unit = &lines[0].unit;
            let curve = |(rival, _): &(String, _)| {
                let point = |(at, line): (usize, &&super::figures::Line)| {
                    Some((at as f64, line.median(rival)?))
                };
                (rival.clone(), lines.iter().enumerate().filter_map(point).collect())
            };
            let names = PERCENTILES.iter().enumerate();
            Some(Panel {
                title: format!("{workers} worker{}", if workers == 1 { "" } else { "s" }),
                across: "percentile".into(),
                up: unit.clone(),
                scale: Scale::Log,
                names: names.map(|(at, name)| (at as f64, (*name).to_owned())).collect(),
                curves: lines[0].spreads.iter().map(curve).collect(),
            })
        };
        workers.into_iter().filter_map(panel).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Line, Report, Standing};
    use super::PERCENTILES;
    use crate::stats::Spread;
    use crate::workload::GROUPS;

    fn line(metric: &str, workers: u64, median: f64) -> Line {
        let spread = Spread { median, min: median, max: median };
        let standing = Standing {
            against: Some("tokio".into()),
            ratio: Some(0.4),
            range: None,
            gate: None,
            goal: Some(0.8),
        };
        Line {
            workload: "wake_foreign".into(),
            workers,
            rounds: 3,
            metric: metric.into(),
            unit: "us".into(),
            spreads: vec![("goro".into(), spread), ("tokio".into(), spread)],
            verdicts: if metric == "p50" { vec![standing] } else { Vec::new() },
        }
    }

    #[test]
    fn a_row_has_a_bar_for_each_number_of_workers() {
        let lines = vec![line("p50", 1, 1.0), line("p99", 1, 2.0), line("p50", 2, 1.0)];
        let report = Report { facts: Vec::new(), lines };
        let bars = report.bars(&GROUPS[0]);
        let [bar] = &bars[..] else { panic!("p99 has nobody to be held against") };
        assert_eq!((bar.name.as_str(), bar.goal), ("wake_foreign, p50", Some(0.8)));
        let parts: Vec<_> = bar.parts.iter().map(|part| (part.workers, part.ratio)).collect();
        assert_eq!(parts, [(1, Some(0.4)), (2, Some(0.4))]);
        assert!(bar.parts[0].low.is_nan(), "a range that is not known is not drawn");
    }

    #[test]
    fn latencies_are_drawn_where_all_percentiles_are() {
        let all = PERCENTILES.iter().enumerate();
        let mut lines: Vec<_> = all.map(|(at, name)| line(name, 2, at as f64 + 1.0)).collect();
        lines.push(line("p50", 8, 1.0));
        let report = Report { facts: Vec::new(), lines };
        let panels = report.latencies("wake_foreign");
        let [panel] = &panels[..] else { panic!("8 workers have one percentile only") };
        assert_eq!(panel.title, "2 workers");
        let (name, points) = &panel.curves[1];
        assert_eq!((name.as_str(), points[4]), ("tokio", (4.0, 5.0)));
        assert!(report.latencies("yield").is_empty());
    }
}
