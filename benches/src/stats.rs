//! Medians, percentiles, ranges.

/// The middle of some numbers and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one, or the mean of the two middle ones.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of at least one number, or `None`.
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted.first()?, sorted.last()?);
        let half = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[half - 1], sorted[half]),
            _ => sorted[half],
        };
        Some(Self { median, min: *first, max: *last })
    }
}

/// One figure over another. Equal figures are equal also where both are 0.
pub fn ratio(this: f64, other: f64) -> f64 {
    if this == other { 1.0 } else { this / other }
}

/// The value below which so many in a hundred lie, of sorted numbers, 0 for none.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    per_mille(sorted, percent * 10)
}

/// The median, three percentiles that grow rare, and the greatest of some numbers: what makes a
/// latency curve.
pub fn curve(mut numbers: Vec<u64>) -> [u64; 5] {
    numbers.sort_unstable();
    [500, 900, 990, 999, 1000].map(|share| per_mille(&numbers, share))
}

fn per_mille(sorted: &[u64], share: usize) -> u64 {
    let at = (sorted.len() * share).div_ceil(1000).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}

/// How many of some nanoseconds lie between a power of two and the next, as lines of text: from, to, how many, and
/// a bar of at most forty signs. Powers between the first and the last that nobody is in have a line, too.
pub fn histogram(nanos: &[u64]) -> String {
    let mut counts = [0_usize; 64];
    for nanos in nanos {
        counts[nanos.max(&1).ilog2() as usize] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let first = counts.iter().position(|count| *count > 0).unwrap_or_default();
    let lines = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1 - first);
    let mut text = String::new();
    for (at, &count) in counts.iter().enumerate().skip(first).take(lines) {
        let [from, to] = [at as i32, at as i32 + 1].map(|power| 2_f64.powi(power) / 1e6);
        let bar = "#".repeat((count * 40).div_ceil(most));
        text += &format!("  {from:>10.3} to {to:>10.3} ms {count:>9}  {bar}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Spread, curve, histogram, percentile, ratio};

    #[test]
    fn a_histogram_has_a_line_for_each_power_of_two_and_counts_each_number_once() {
        let numbers: Vec<u64> = [0, 1, 3, 1 << 20, (1 << 21) - 1, 1 << 21].into();
        let text = histogram(&numbers);
        assert_eq!(text.lines().count(), 22, "{text}");
        let count = |line: &str| line.split_whitespace().nth(4).unwrap().parse::<usize>().unwrap();
        let counts: Vec<_> = text.lines().map(count).collect();
        assert_eq!((counts[0], counts[1], counts[20], counts[21]), (2, 1, 2, 1), "{text}");
        assert_eq!(counts.iter().sum::<usize>(), numbers.len());
        assert!(
            text.lines().last().unwrap().starts_with("       2.097 to      4.194 ms"),
            "{text}"
        );
        assert!(text.lines().next().unwrap().ends_with(&"#".repeat(40)));
        assert_eq!(histogram(&[]), "");
        assert_eq!(histogram(&[u64::MAX]).lines().count(), 1);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(Spread::of(&[5.0, 1.0, 3.0]).unwrap().median, 3.0);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn nothing_over_nothing_is_equal() {
        assert_eq!((ratio(0.0, 0.0), ratio(1.0, 2.0)), (1.0, 0.5));
        assert_eq!(ratio(1.0, 0.0), f64::INFINITY);
    }

    #[test]
    fn a_percentile_is_one_of_the_numbers() {
        let numbers: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&numbers, 50), 100);
        assert_eq!(percentile(&numbers, 99), 198);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(curve((1..=2000).rev().collect()), [1000, 1800, 1980, 1998, 2000]);
        assert_eq!((curve(vec![3]), curve(Vec::new())), ([3; 5], [0; 5]));
    }
}
