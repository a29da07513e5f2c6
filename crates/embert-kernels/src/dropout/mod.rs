//! Counter-based dropout: y = x ∘ mask, mask = keep(hash(row, column)) / (1 − rate).
//!
//! The mask is a pure function of (seed, step, layer, site, sequence, position, column) and is never stored.
//! It depends neither on the threads nor on the layout of the batch. So resumed training draws the same
//! masks.

#[cfg(feature = "flex")]
pub(crate) mod cpu;
#[cfg(feature = "cube")]
pub(crate) mod cube;
pub(crate) mod mask;
pub(crate) mod reference;
mod stream;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::Tensor;

use crate::backend::{on_cpu, on_gpu};
use crate::layout::SequenceLayout;

pub use stream::{DropoutSite, DropoutStream};

/// Zeroes each element with the probability `site.rate`, and scales the others by 1/(1 − rate).
///
/// Returns `x` unchanged if `site` is `None` or its rate is 0.
///
/// # Shapes
/// - `x`, output: `[num_tokens, hidden]`, or `[batch, hidden]` with one row per sequence if `layout` is
///   `None`
pub fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::dropout(x, layout, site);
    }
    if on_gpu(&x) {
        return cube::dropout(x, layout, site);
    }
    reference::dropout(x, layout, site)
}
