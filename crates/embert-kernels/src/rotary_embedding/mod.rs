//! Rotary position embedding: rotates pairs of columns of each head by an angle that grows with the position (Su et al.,
//! 2021).

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
mod table;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::layout::SequenceLayout;

/// Rotary position embedding (RoPE) of the first `columns` columns, such as those of Q and K (Su et al., 2021).
///
/// Column t and column t + d/2 of each head are a pair (u, w), as in the `rotate_half` of transformers. Both change to
/// [u·cos α − w·sin α, w·cos α + u·sin α], with α = position · theta^(−2t/d). The position of a token is its index
/// in its sequence. Angles are rounded to fp32 like those of transformers.
///
/// The backward pass rotates by −α and needs no input. On the CPU, both passes work in place if no other tensor shares the
/// memory.
///
/// # Shapes
/// - `x`, output: `[num_tokens, all columns]`; the columns after the first `columns` stay
/// - d is `head_size`
///
/// # Panics
/// If the rows do not match the layout, `columns` is not a multiple of `head_size`, or `head_size` is odd.
pub fn rotary_embedding(
    x: Tensor<2>,
    layout: &SequenceLayout,
    columns: usize,
    head_size: usize,
    theta: f64,
) -> Tensor<2> {
    let [rows, all_columns] = x.dims();
    assert_eq!(rows, layout.num_tokens(), "x must have one row per token of the layout");
    assert!(columns <= all_columns, "x has {all_columns} columns, fewer than {columns}");
    assert_eq!(columns % head_size, 0, "{columns} columns are not a multiple of the head size {head_size}");
    assert_eq!(head_size % 2, 0, "the head size {head_size} is odd");
    if on_cpu(&x) {
        return cpu::rotary_embedding(x, layout, columns, head_size, theta);
    }
    reference::rotary_embedding(x, layout, columns, head_size, theta)
}
