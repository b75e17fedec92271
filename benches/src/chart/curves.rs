//! Curves in panels: how figures change as something grows.
use super::axis::{Axis, Scale, short};
use super::svg::{Anchor, COLOURS, Svg};

/// A plot of panels that share their curves' names.
pub struct Panels {
    /// What is above it.
    pub title: String,
    /// What machine and day it is of.
    pub subtitle: String,
    /// Its panels.
    pub panels: Vec<Panel>,
}

/// One panel.
pub struct Panel {
    /// What is above it.
    pub title: String,
    /// What the horizontal axis is of, with its unit.
    pub across: String,
    /// What the vertical axis is of, with its unit.
    pub up: String,
    /// How figures are spread upwards.
    pub scale: Scale,
    /// Names under the horizontal axis where figures would say nothing: place and name. Without any,
    /// the points' own figures stand there.
    pub names: Vec<(f64, String)>,
    /// Name and points of each.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

const WIDTH: f64 = 900.0;
const PANEL: (f64, f64) = (450.0, 310.0);
const TOP: f64 = 84.0;

/// Draws them, two beside each other.
pub fn curves(chart: &Panels) -> String {
    let mut svg = Svg::new(WIDTH);
    svg.text(16.0, 28.0, "title", Anchor::Start, &chart.title);
    svg.text(16.0, 46.0, "faint", Anchor::Start, &chart.subtitle);
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in chart.panels.iter().flat_map(|panel| &panel.curves) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut x = 16.0;
    for (at, name) in names.iter().enumerate() {
        let colour = at % COLOURS;
        svg.line((x, 66.0), (x + 22.0, 66.0), &format!("curve c{colour}"));
        svg.dot((x + 11.0, 66.0), &format!("d{colour}"), name);
        svg.text(x + 28.0, 70.0, "name", Anchor::Start, name);
        x += 50.0 + name.chars().count() as f64 * 7.0;
    }
    for (at, panel) in chart.panels.iter().enumerate() {
        let corner = ((at % 2) as f64 * PANEL.0, TOP + (at / 2) as f64 * PANEL.1);
        draw(&mut svg, corner, panel, &names);
    }
    svg.finish(TOP + chart.panels.len().div_ceil(2) as f64 * PANEL.1, &chart.title)
}

fn draw(svg: &mut Svg, (left, top): (f64, f64), panel: &Panel, names: &[&str]) {
    let (x0, x1) = (left + 64.0, left + PANEL.0 - 18.0);
    let (y0, y1) = (top + PANEL.1 - 52.0, top + 30.0);
    let points = || panel.curves.iter().flat_map(|(_, points)| points);
    let across = if panel.names.is_empty() {
        let figures = points().map(|point| point.0).filter(|figure| *figure > 0.0);
        let low = figures.clone().fold(f64::INFINITY, f64::min);
        let high = figures.fold(0.0, f64::max);
        let ends = if low < high { (low, high) } else { (1.0, 10.0) };
        Axis::fixed(ends, Scale::Log, (x0, x1))
    } else {
        let last = panel.names.iter().map(|(place, _)| *place).fold(1.0, f64::max);
        Axis::fixed((0.0, last), Scale::Linear, (x0, x1))
    };
    let up = Axis::round(points().map(|point| point.1), panel.scale, (y0, y1));
    svg.text(x0, top + 18.0, "heading", Anchor::Start, &panel.title);
    for tick in up.ticks() {
        let Some(y) = up.place(tick) else { continue };
        svg.line((x0, y), (x1, y), "grid");
        svg.text(x0 - 6.0, y + 4.0, "faint", Anchor::End, short(tick));
    }
    let ticks: Vec<(f64, String)> = match panel.names.is_empty() {
        true => {
            let mut ticks: Vec<_> = points().map(|point| point.0).collect();
            ticks.sort_by(f64::total_cmp);
            ticks.dedup();
            ticks.into_iter().map(|tick| (tick, short(tick))).collect()
        }
        false => panel.names.clone(),
    };
    for (tick, name) in ticks {
        let Some(x) = across.place(tick) else { continue };
        svg.line((x, y0), (x, y0 + 4.0), "axis");
        svg.text(x, y0 + 17.0, "faint", Anchor::Middle, name);
    }
    svg.line((x0, y0), (x1, y0), "axis");
    svg.line((x0, y0), (x0, y1), "axis");
    svg.text(f64::midpoint(x0, x1), y0 + 36.0, "faint", Anchor::Middle, &panel.across);
    svg.upright(left + 16.0, f64::midpoint(y0, y1), "faint", &panel.up);
    for (name, points) in &panel.curves {
        let at = names.iter().position(|known| known == name).unwrap_or(0) % COLOURS;
        let place = |&(x, y): &(f64, f64)| Some((across.place(x)?, up.place(y)?));
        let places: Vec<_> = points.iter().filter_map(place).collect();
        svg.through(&places, &format!("curve c{at}"));
        for point in points {
            if let Some(place) = place(point) {
                let told = format!("{name}: {} at {}", short(point.1), short(point.0));
                svg.dot(place, &format!("d{at}"), &told);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::super::svg::tests::is_well_formed;
    use super::{Panel, Panels, curves};

    fn drawn(points: &[(f64, f64)]) -> String {
        let panel = Panel {
            title: "P & Q".into(),
            across: "tasks".into(),
            up: "ns <each>".into(),
            scale: Scale::Log,
            names: Vec::new(),
            curves: vec![("goro".into(), points.to_vec()), ("tokio".into(), Vec::new())],
        };
        curves(&Panels { title: "T".into(), subtitle: "S".into(), panels: vec![panel] })
    }

    #[test]
    fn a_curve_goes_through_its_points_and_no_others() {
        let file = drawn(&[(1.0, 10.0), (10.0, f64::NAN), (100.0, 0.0), (1000.0, 1000.0)]);
        assert!(is_well_formed(&file), "{file}");
        let first = file.lines().find(|line| line.starts_with("<polyline")).unwrap();
        let points = first.split('"').nth(1).unwrap();
        assert_eq!(points, "64,342 432,114", "what has no place is left out");
        assert!(file.contains("ns &lt;each&gt;") && file.contains(">tokio<"));
    }

    #[test]
    fn nothing_at_all_can_be_drawn() {
        assert!(is_well_formed(&drawn(&[])));
        let empty = Panels { title: String::new(), subtitle: String::new(), panels: Vec::new() };
        assert!(is_well_formed(&curves(&empty)));
    }
}
