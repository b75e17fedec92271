//! More and more workers, on as many processors as there are.
use crate::rival::talk::Talk;
use crate::rival::web::Web;
use crate::rival::{Goro, Rival, Tokio};
use crate::workload::{self, Sample};

/// Workload, size, and which of its figures.
const LOOKED_AT: &[(&str, usize, &[usize])] = &[
    ("spawn_join", 100, &[0]),
    ("yield", 300, &[0]),
    ("ping_pong_1000", 100, &[0]),
    ("wake_foreign", 300, &[0]),
    ("echo_64", 200, &[0, 3]),
];

pub(super) fn sample(column: &str, workers: usize) -> Option<Sample> {
    match column {
        "goro" => measure(Goro::start(workers)),
        "tokio" => measure(Tokio::start(workers)),
        _ => None,
    }
}

/// All on one runtime: what one of them leaves behind is there for the next one, as it would be in a
/// program.
fn measure<R: Talk + Web>(rival: R) -> Option<Sample> {
    let (mut checksum, mut values) = (0_u64, Vec::new());
    for &(name, size, figures) in LOOKED_AT {
        let sample = workload::run(name, rival, size)?;
        checksum = checksum.wrapping_mul(31).wrapping_add(sample.checksum);
        values.extend(figures.iter().map(|&figure| sample.values[figure]));
    }
    Some(Sample { checksum, values })
}

#[cfg(test)]
mod tests {
    use super::LOOKED_AT;
    use crate::workload::named;

    #[test]
    fn what_is_looked_at_is_there() {
        let names: Vec<_> = LOOKED_AT
            .iter()
            .flat_map(|(name, _, figures)| figures.iter().map(move |&at| (name, at)))
            .map(|(name, at)| named(name).unwrap().metrics[at].name)
            .collect();
        assert_eq!(names, ["time", "time", "time", "p50", "time", "p99"]);
    }
}
