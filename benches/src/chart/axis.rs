//! Where a figure stands along an edge, and what is written there.

/// How figures are spread along an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm: only figures above zero have a place.
    Log,
}

/// One edge of a plot.
pub struct Axis {
    scale: Scale,
    /// The figures at its ends.
    ends: (f64, f64),
    /// Their places.
    places: (f64, f64),
}

impl Axis {
    /// One with room for these figures, of which those without a place are left out; between two
    /// places. It ends at ticks.
    pub fn round(figures: impl Iterator<Item = f64>, scale: Scale, places: (f64, f64)) -> Self {
        let figures: Vec<_> = figures.filter(|figure| has_place(*figure, scale)).collect();
        let low = figures.iter().copied().reduce(f64::min).unwrap_or(1.0);
        let high = figures.iter().copied().reduce(f64::max).unwrap_or(low);
        let ends = match scale {
            Scale::Log => {
                let (low, high) = (low.log10().floor(), high.log10().ceil());
                (10_f64.powf(low), 10_f64.powf(if high > low { high } else { low + 1.0 }))
            }
            Scale::Linear => {
                let step = step(high);
                (0.0, ((high / step).ceil() * step).max(step))
            }
        };
        Self { scale, ends, places }
    }

    /// One with exactly these ends.
    pub fn fixed(ends: (f64, f64), scale: Scale, places: (f64, f64)) -> Self {
        Self { scale, ends, places }
    }

    /// Where a figure stands, if it has a place; what lies beyond an end stands at the end.
    pub fn place(&self, figure: f64) -> Option<f64> {
        if !has_place(figure, self.scale) {
            return None;
        }
        let along = |figure: f64| match self.scale {
            Scale::Linear => figure,
            Scale::Log => figure.log10(),
        };
        let (low, high) = (along(self.ends.0), along(self.ends.1));
        let part = ((along(figure) - low) / (high - low)).clamp(0.0, 1.0);
        Some(self.places.0 + part * (self.places.1 - self.places.0))
    }

    /// The figures that are written, in order: at most ten.
    pub fn ticks(&self) -> Vec<f64> {
        let (low, high) = self.ends;
        match self.scale {
            Scale::Linear => {
                let step = step(high);
                let count = ((high - low) / step).round() as usize;
                (0..=count).map(|tick| low + tick as f64 * step).collect()
            }
            Scale::Log => {
                let (low, high) = (low.log10().round() as i32, high.log10().round() as i32);
                // Within one power or two there is room for more.
                let within: &[f64] = if high - low < 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let power = |power| within.iter().map(move |times| times * 10_f64.powi(power));
                (low..high).flat_map(power).chain([10_f64.powi(high)]).collect()
            }
        }
    }
}

fn has_place(figure: f64, scale: Scale) -> bool {
    figure.is_finite() && (scale == Scale::Linear || figure > 0.0)
}

/// 1, 2 or 5 times a power of ten, of which at most eight make up the whole.
fn step(whole: f64) -> f64 {
    if whole <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf((whole / 8.0).log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| whole <= 8.0 * times * power);
    times.unwrap_or(10.0) * power
}

/// A figure as it stands beside an edge: `20k`, `3M`, `0.5`.
pub fn short(figure: f64) -> String {
    let (figure, unit) = match figure.abs() {
        large if large >= 1e9 => (figure / 1e9, "G"),
        large if large >= 1e6 => (figure / 1e6, "M"),
        large if large >= 1e3 => (figure / 1e3, "k"),
        _ => (figure, ""),
    };
    let text = format!("{figure:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let text = if text == "0" && figure != 0.0 { format!("{figure:e}") } else { text.to_owned() };
    text + unit
}

#[cfg(test)]
mod tests {
    use super::{Axis, Scale, short};

    #[test]
    fn a_linear_axis_ends_at_a_tick_above_all_figures() {
        let axis = Axis::round([3.0, 17.0, f64::NAN].into_iter(), Scale::Linear, (0.0, 100.0));
        let ticks = axis.ticks();
        assert_eq!((ticks.first(), ticks.last()), (Some(&0.0), Some(&20.0)), "{ticks:?}");
        assert_eq!(axis.place(10.0), Some(50.0));
        assert_eq!((axis.place(30.0), axis.place(f64::INFINITY)), (Some(100.0), None));
    }

    #[test]
    fn a_logarithmic_axis_has_a_tick_for_each_power() {
        let axis = Axis::round([20.0, 30.0].into_iter(), Scale::Log, (1.0, 0.0));
        assert_eq!(axis.ticks(), [10.0, 20.0, 50.0, 100.0]);
        let axis = Axis::round([20.0, 3000.0, 0.0].into_iter(), Scale::Log, (300.0, 0.0));
        assert_eq!(axis.ticks(), [10.0, 100.0, 1000.0, 10_000.0]);
        let places = [10.0, 100.0, 10_000.0].map(|figure| axis.place(figure).map(f64::round));
        assert_eq!(places, [Some(300.0), Some(200.0), Some(0.0)], "from below to above");
        assert_eq!((axis.place(0.0), axis.place(-1.0)), (None, None));
    }

    #[test]
    fn no_figures_or_one_make_an_axis_all_the_same() {
        for figures in [&[][..], &[0.0], &[1.0], &[f64::NAN]] {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::round(figures.iter().copied(), scale, (0.0, 1.0));
                let ticks = axis.ticks();
                assert!((2..=10).contains(&ticks.len()), "{figures:?} {scale:?}: {ticks:?}");
                assert!(axis.place(1.0).is_some_and(f64::is_finite));
            }
        }
    }

    #[test]
    fn figures_are_short() {
        let told = [0.0, 0.5, 64.0, 1000.0, 1500.0, 1e7, 2e9, 1e-4].map(short);
        assert_eq!(told, ["0", "0.5", "64", "1k", "1.5k", "10M", "2G", "1e-4"]);
    }
}
