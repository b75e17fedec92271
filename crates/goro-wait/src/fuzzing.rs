//! What the fuzzer calls: runs of the wheel and of waiter lists, as bytes have them.
//!
//! The models are those of the property tests; only where the steps come from differs.

use arbitrary::{Result, Unstructured};

/// A wheel against an ordered map.
pub fn wheel(bytes: &[u8]) {
    crate::wheel::model::fuzz(bytes);
}

/// A waiter list against a vector.
pub fn list(bytes: &[u8]) {
    crate::list::model::fuzz(bytes);
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
