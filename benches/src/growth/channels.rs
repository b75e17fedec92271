//! One channel with more and more at its ends.
use crate::workload::{self, Sample};

const WORKERS: usize = 2;
const MESSAGES: usize = 500_000;

pub(super) fn sample(column: &str, senders: usize, receivers: usize) -> Option<Sample> {
    let name = format!("channel_{senders}_{receivers}_cap128_8b");
    let Sample { checksum, values } = workload::run_channels(&name, column, WORKERS, MESSAGES)?;
    // Time, and the wait's 99th percentile.
    Some(Sample { checksum, values: vec![values[0], values[2]] })
}
