//! The low-rank update of LoRA: y + s·dropout(x)·A·B (Hu et al., 2021).

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;
#[cfg(not(feature = "cube"))]
use reference as cube;

use burn::tensor::Tensor;

use crate::backend::{on_cpu, on_gpu};
use crate::dropout::DropoutSite;
use crate::layout::SequenceLayout;

/// The low-rank update of LoRA: y + s·dropout(x)·A·B, in some columns of y (Hu et al., 2021).
///
/// # Shapes
/// - `y`, output: `[rows, columns]`
/// - `x`: `[rows, in]`
/// - `[a, b]`: `[in, r]` and `[r, out]`. The product is added to the `out` columns of y from `first_column`
///   on.
/// - `layout`: the layout of the rows; `None` for one row per sequence
/// - `scaling` (s): alpha / r in PEFT's words
pub fn add_low_rank(
    y: Tensor<2>,
    x: Tensor<2>,
    [a, b]: [Tensor<2>; 2],
    scaling: f64,
    first_column: usize,
    layout: Option<&SequenceLayout>,
    site: Option<DropoutSite>,
) -> Tensor<2> {
    if on_cpu(&y) {
        return cpu::add_low_rank(y, x, [a, b], scaling, first_column, layout, site);
    }
    if on_gpu(&y) {
        return cube::add_low_rank(y, x, [a, b], scaling, first_column, layout, site);
    }
    reference::add_low_rank(y, x, [a, b], scaling, first_column, layout, site)
}
