//! What the fuzzer calls: runs of the directory, as bytes have them.
//!
//! The models are those of the property tests; only where the steps come from differs.

use arbitrary::{Result, Unstructured};

/// Tokens, late, repeated and invented ones, against a map of who is there.
pub fn tokens(bytes: &[u8]) {
    crate::directory::paths::fuzz(bytes);
}

/// The steps that `draw` finds in what is left of `from`, and not so many that a run takes long.
pub(crate) fn steps<'a, S>(
    from: &mut Unstructured<'a>,
    draw: impl Fn(&mut Unstructured<'a>) -> Result<S>,
) -> Vec<S> {
    let mut steps = Vec::new();
    while !from.is_empty() && steps.len() < 200 {
        let Ok(step) = draw(from) else { break };
        steps.push(step);
    }
    steps
}
