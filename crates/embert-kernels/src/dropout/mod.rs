//! Dropout by counter: y = x ∘ mask, mask = keep(hash(row, column)) / (1 − rate).
//!
//! The mask is a pure function of (seed, step, layer, site, sequence, position, column): it is stored nowhere,
//! does not depend on threads, on the layout of the batch or on what ran before, and so training resumed at
//! any step draws the same masks.

#[cfg(feature = "flex")]
pub(crate) mod cpu;
#[cfg(feature = "cube")]
pub(crate) mod cube;
pub(crate) mod mask;
pub(crate) mod reference;
mod stream;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

pub use stream::{DropoutSite, DropoutStream};

/// Zeroes each element with the site's rate and scales the others by 1/(1 − rate).
///
/// # Shapes
/// - `x`, output: `[num_tokens, hidden]`, or `[batch, hidden]` with one row for each sequence, when `layout`
///   is `None`
pub fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    if on_cpu(&x) {
        return cpu::dropout(x, layout, site);
    }
    reference::dropout(x, layout, site)
}
