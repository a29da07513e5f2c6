//! Reference implementation of the rotary position embedding.

use burn::tensor::{Tensor, TensorData};

use super::table::RotaryTable;
use crate::layout::SequenceLayout;
use crate::precision::to_fp32;

/// Rotates the first `columns` columns; see [`rotary_embedding`](crate::rotary_embedding).
pub fn rotary_embedding(
    x: Tensor<2>,
    layout: &SequenceLayout,
    columns: usize,
    head_size: usize,
    theta: f64,
) -> Tensor<2> {
    let ([rows, all_columns], dtype, half) = (x.dims(), x.dtype(), head_size / 2);
    let x = to_fp32(x);
    let [cos, sin] = cos_and_sin(layout, head_size, theta, &x);
    let pairs = x.clone().narrow(1, 0, columns).reshape([rows, columns / head_size, head_size]);
    let (u, w) = (pairs.clone().narrow(2, 0, half), pairs.narrow(2, half, half)); // [num_tokens, heads, d/2]
    let first = u.clone() * cos.clone() - w.clone() * sin.clone();
    let second = w * cos + u * sin;
    let rotated = Tensor::cat(vec![first, second], 2).reshape([rows, columns]);
    let parts = match all_columns - columns {
        0 => vec![rotated],
        rest => vec![rotated, x.narrow(1, columns, rest)],
    };
    Tensor::cat(parts, 1).cast(dtype)
}

/// Returns the cosines and sines of each row, `[num_tokens, 1, d/2]`, in the type of `like`.
fn cos_and_sin(layout: &SequenceLayout, head_size: usize, theta: f64, like: &Tensor<2>) -> [Tensor<3>; 2] {
    let table = RotaryTable::get(theta, head_size, layout.longest().max(1));
    let positions = || layout.positions().map(|position| table.position(position));
    let tensor = |values: Vec<f32>| {
        let data = TensorData::new(values, [layout.num_tokens(), 1, head_size / 2]);
        Tensor::<3>::from_data(data.convert_dtype(like.dtype()), (&like.device(), like.dtype()))
    };
    let cos = positions().flat_map(|(cos, _)| cos).copied().collect();
    let sin = positions().flat_map(|(_, sin)| sin).copied().collect();
    [tensor(cos), tensor(sin)]
}
