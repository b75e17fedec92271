//! What the fuzzer calls: runs of channels, selects and trees of tokens, as bytes have them.
//!
//! The models are those of the property tests; only where the steps come from differs.

use arbitrary::{Result, Unstructured};

/// A channel of any flavour against a queue.
pub fn channel(bytes: &[u8]) {
    crate::channel::properties::fuzz(bytes);
}

/// A select over a set against what its sources hold.
pub fn select(bytes: &[u8]) {
    crate::select::set::model::fuzz(bytes);
}

/// A tree of tokens against a list of who is below whom.
pub fn tokens(bytes: &[u8]) {
    crate::cancel::model::fuzz(bytes);
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
