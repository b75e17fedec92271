//! Lines on the standard error stream, few enough that a flood of bad clients does not become one
//! of lines.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Lines written in one second; what is over it is counted instead.
const LINES_PER_SECOND: u64 = 50;

/// Writes lines, at most so many a second.
#[derive(Debug)]
pub struct Log {
    started: Instant,
    second: AtomicU64,
    lines: AtomicU64,
}

impl Log {
    pub fn new() -> Self {
        Self { started: Instant::now(), second: AtomicU64::new(0), lines: AtomicU64::new(0) }
    }

    /// Writes a line, or counts it.
    pub fn line(&self, line: fmt::Arguments<'_>) {
        match self.admit(self.started.elapsed().as_secs()) {
            Admission::Refused => {}
            Admission::Admitted => write(line),
            Admission::AdmittedAfter { refused } => {
                write(format_args!("{refused} more lines were left out"));
                write(line);
            }
        }
    }

    /// Relaxed, and the two words are not read together: near the edge of a second the limit may be
    /// off by what was written in that moment.
    fn admit(&self, second: u64) -> Admission {
        let refused = if self.second.swap(second, Relaxed) == second {
            0
        } else {
            self.lines.swap(0, Relaxed).saturating_sub(LINES_PER_SECOND)
        };
        match self.lines.fetch_add(1, Relaxed) {
            lines if lines >= LINES_PER_SECOND => Admission::Refused,
            _ if refused > 0 => Admission::AdmittedAfter { refused },
            _ => Admission::Admitted,
        }
    }
}

/// Whether a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Admitted,
    /// The first line of a second, after some of an earlier one were refused.
    AdmittedAfter {
        refused: u64,
    },
    Refused,
}

fn write(line: fmt::Arguments<'_>) {
    // Nobody may be reading any more, and that is no reason to stop serving.
    let _ = writeln!(std::io::stderr(), "serve: {line}");
}

#[cfg(test)]
mod tests {
    use super::{Admission, LINES_PER_SECOND, Log};

    #[test]
    fn a_flood_is_cut_and_its_rest_is_counted() {
        let log = Log::new();
        for _ in 0..LINES_PER_SECOND {
            assert_eq!(log.admit(0), Admission::Admitted);
        }
        for _ in 0..7 {
            assert_eq!(log.admit(0), Admission::Refused);
        }
        assert_eq!(log.admit(1), Admission::AdmittedAfter { refused: 7 });
        assert_eq!(log.admit(1), Admission::Admitted);
        assert_eq!(log.admit(5), Admission::Admitted);
    }
}
