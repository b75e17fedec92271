//! Bars of ratios, a row for each figure, a bar in it for each number of workers.
use super::axis::{Axis, Scale};
use super::svg::{Anchor, Svg};

/// A plot of bars.
pub struct Bars {
    /// What is above it.
    pub title: String,
    /// What machine and day it is of.
    pub subtitle: String,
    /// Its rows.
    pub bars: Vec<Bar>,
}

/// A row.
pub struct Bar {
    /// What it is called.
    pub name: String,
    /// What the ratios are to come to.
    pub goal: Option<f64>,
    /// Its bars.
    pub parts: Vec<Part>,
}

/// One bar.
pub struct Part {
    /// The number of workers.
    pub workers: u64,
    /// How long it is, if that is a number.
    pub ratio: Option<f64>,
    /// The least ratio of a round.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

const WIDTH: f64 = 920.0;
const LEFT: f64 = 262.0;
const RIGHT: f64 = 812.0;
const TOP: f64 = 96.0;
const THICK: f64 = 9.0;
const PITCH: f64 = 12.0;
const GAP: f64 = 10.0;
/// Bars end here, and say what they would come to.
const MOST: f64 = 1.5;

/// Draws them.
pub fn bars(chart: &Bars) -> String {
    let mut svg = Svg::new(WIDTH);
    svg.text(16.0, 28.0, "title", Anchor::Start, &chart.title);
    svg.text(16.0, 46.0, "faint", Anchor::Start, &chart.subtitle);
    legend(&mut svg);
    let axis = Axis::fixed((0.0, MOST), Scale::Linear, (LEFT, RIGHT));
    let rows = chart.bars.iter().map(height).sum::<f64>();
    let bottom = TOP + rows;
    for tick in 0..=6 {
        let ratio = f64::from(tick) * 0.25;
        let Some(x) = axis.place(ratio) else { continue };
        let class = if tick == 4 { "even" } else { "grid" };
        svg.line((x, TOP), (x, bottom), class);
        svg.text(x, bottom + 16.0, "faint", Anchor::Middle, ratio);
    }
    let label = "goro's figure over the best rival's of the same run (time, memory or lateness: less is better)";
    svg.text(f64::midpoint(LEFT, RIGHT), bottom + 36.0, "faint", Anchor::Middle, label);
    let mut y = TOP;
    for bar in &chart.bars {
        row(&mut svg, &axis, bar, y);
        y += height(bar);
    }
    svg.finish(bottom + 50.0, &chart.title)
}

fn height(bar: &Bar) -> f64 {
    bar.parts.len() as f64 * PITCH + GAP
}

fn legend(svg: &mut Svg) {
    let kinds = [
        ("reached", "goal reached"),
        ("ahead", "ahead of the best rival, short of the goal"),
        ("behind", "behind it"),
    ];
    let mut x = 16.0;
    for (class, told) in kinds {
        svg.rectangle((x, 62.0), (12.0, 12.0), class, told);
        svg.text(x + 18.0, 72.0, "faint", Anchor::Start, told);
        x += 44.0 + told.len() as f64 * 5.4;
    }
    svg.line((x, 60.0), (x, 76.0), "goal");
    svg.text(x + 8.0, 72.0, "faint", Anchor::Start, "goal");
    svg.line((x + 52.0, 68.0), (x + 76.0, 68.0), "range");
    svg.text(x + 82.0, 72.0, "faint", Anchor::Start, "range of single rounds");
}

fn row(svg: &mut Svg, axis: &Axis, bar: &Bar, top: f64) {
    let middle = top + height(bar) / 2.0;
    svg.text(LEFT - 34.0, middle + 4.0, "name", Anchor::End, &bar.name);
    for (at, part) in bar.parts.iter().enumerate() {
        let y = top + GAP / 2.0 + at as f64 * PITCH;
        let workers = part.workers;
        svg.text(LEFT - 8.0, y + 8.5, "small", Anchor::End, format!("{workers}w"));
        let Some(ratio) = part.ratio.filter(|ratio| ratio.is_finite()) else {
            svg.text(LEFT + 6.0, y + 8.5, "small", Anchor::Start, "no ratio");
            continue;
        };
        let class = match bar.goal {
            Some(goal) if ratio <= goal => "reached",
            None if ratio <= 1.0 => "reached",
            _ if ratio <= 1.0 => "ahead",
            _ => "behind",
        };
        let end = axis.place(ratio).unwrap_or(LEFT);
        let told = format!("{}, {workers} workers: {ratio:.2}", bar.name);
        svg.rectangle((LEFT, y), ((end - LEFT).max(1.0), THICK), class, &told);
        if let (Some(low), Some(high)) = (axis.place(part.low), axis.place(part.high)) {
            svg.line((low, y + THICK / 2.0), (high, y + THICK / 2.0), "range");
        }
        let beyond = if ratio > MOST { " ▸" } else { "" };
        svg.text(RIGHT + 10.0, y + 8.5, "small", Anchor::Start, format!("{ratio:.2}{beyond}"));
    }
    if let Some(x) = bar.goal.and_then(|goal| axis.place(goal)) {
        svg.line((x, top + 3.0), (x, top + height(bar) - 3.0), "goal");
    }
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::is_well_formed;
    use super::{Bar, Bars, LEFT, Part, RIGHT, bars};

    fn drawn(ratio: Option<f64>, goal: Option<f64>) -> String {
        let part = Part { workers: 2, ratio, low: 0.2, high: 0.7 };
        let bar = Bar { name: "a & b, <time>".into(), goal, parts: vec![part] };
        bars(&Bars { title: "T".into(), subtitle: "S".into(), bars: vec![bar] })
    }

    /// How long the bar of the one row is.
    fn length(file: &str) -> f64 {
        let start = format!("<rect x=\"{LEFT}\" ");
        let bar = file.lines().find(|line| line.starts_with(&start)).expect("there is a bar");
        let width = bar.split("width=\"").nth(1).and_then(|rest| rest.split('"').next());
        width.and_then(|width| width.parse().ok()).expect("it has a width")
    }

    #[test]
    fn a_bar_is_as_long_as_its_ratio() {
        let whole = RIGHT - LEFT;
        for (ratio, part) in [(0.75, 0.5), (1.5, 1.0), (9.0, 1.0)] {
            let file = drawn(Some(ratio), Some(0.5));
            assert!(is_well_formed(&file), "{file}");
            assert!((length(&file) - part * whole).abs() < 0.1, "{ratio}: {}", length(&file));
        }
        assert!(drawn(Some(9.0), None).contains("9.00 ▸"));
    }

    #[test]
    fn the_colour_says_how_goro_stands() {
        let class = |ratio, goal| {
            let file = drawn(Some(ratio), goal);
            let start = format!("<rect x=\"{LEFT}\" ");
            let bar = file.lines().find(|line| line.starts_with(&start)).expect("a bar").to_owned();
            ["reached", "ahead", "behind"]
                .into_iter()
                .find(|class| bar.contains(&format!("\"{class}\"")))
        };
        assert_eq!(class(0.5, Some(0.5)), Some("reached"));
        assert_eq!(class(0.51, Some(0.5)), Some("ahead"));
        assert_eq!(class(1.01, Some(0.5)), Some("behind"));
        assert_eq!(class(0.9, None), Some("reached"));
    }

    #[test]
    fn what_is_no_number_has_no_bar() {
        for ratio in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            let file = drawn(ratio, Some(0.5));
            assert!(is_well_formed(&file) && file.contains("no ratio"), "{file}");
            assert!(!file.contains("NaN"));
        }
        assert!(length(&drawn(Some(0.0), None)) > 0.0, "a ratio of nothing is seen, too");
    }
}
