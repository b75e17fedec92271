//! Plots as SVG: bars of ratios, and curves.
//!
//! A file is whole in itself: no script, no font, no picture from elsewhere. Its colours follow the
//! reader's choice of light or dark.
//!
//! Invariants:
//! 1. A file is well-formed XML whatever names it is given.
//! 2. A figure that is no finite number, or is not above zero on a logarithmic axis, is left out.
//!
//! Left out: a library. The two that are well kept draw far more than this, and neither gives an SVG that
//! follows the reader's colours.
mod axis;
mod bars;
mod curves;
mod svg;

pub use axis::Scale;
pub use bars::{Bar, Bars, Part, bars};
pub use curves::{Panel, Panels, curves};
